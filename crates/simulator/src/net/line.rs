//! A byte pipe between two simulated hosts that may break after some bytes.
//! Broken, both ends see a reset, as after a cable is pulled and a router says so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::limits;

/// How long a connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    Unbounded,
    /// Breaks when so many bytes have passed, in both directions together.
    Bytes(usize),
}

pub(super) fn pair(lifetime: Lifetime) -> (Line, Line) {
    let (near, far) = tokio::io::duplex(limits::PIPE_BYTES);
    let left = match lifetime {
        Lifetime::Unbounded => usize::MAX,
        Lifetime::Bytes(bytes) => bytes,
    };
    let left = Arc::new(AtomicUsize::new(left));
    let far = Line {
        pipe: Some(far),
        left: left.clone(),
    };
    (
        Line {
            pipe: Some(near),
            left,
        },
        far,
    )
}

pub(super) struct Line {
    /// Gone when the line is broken: the other end then notices.
    pipe: Option<DuplexStream>,
    left: Arc<AtomicUsize>,
}

impl Line {
    fn pipe(&mut self) -> io::Result<Pin<&mut DuplexStream>> {
        if self.left.load(Ordering::Relaxed) == 0 {
            self.pipe = None;
        }
        match &mut self.pipe {
            Some(pipe) => Ok(Pin::new(pipe)),
            None => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = buffer.filled().len();
        let read = line.pipe()?.poll_read(context, buffer);
        let ended = matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() == before;
        // The other end was dropped because the line broke, not because its host closed it.
        if ended && line.left.load(Ordering::Relaxed) == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let left = line.left.load(Ordering::Relaxed);
        let bytes = bytes.get(..bytes.len().min(left)).unwrap_or_default();
        let written = line.pipe()?.poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written
            && left != usize::MAX
        {
            line.left
                .store(left.saturating_sub(*count), Ordering::Relaxed);
            if left <= *count {
                line.pipe = None;
            }
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().pipe()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().pipe()?.poll_shutdown(context)
    }
}
