//! Lines and bodies from a stream, with strict line ends.
//! Independent of the server under test.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::Stream;

use crate::limits;

pub(crate) struct Input {
    pub(crate) stream: Stream,
    buffer: Vec<u8>,
}

impl Input {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// A line without its CRLF. An error when the peer is gone.
    pub(crate) async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let line = line.get(..end).unwrap_or_default();
                return Ok(String::from_utf8_lossy(line).into_owned());
            }
            if limits::LINE_BYTES_MAX < self.buffer.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.more().await?;
        }
    }

    /// A message up to CRLF.CRLF, without dot-stuffing.
    pub(crate) async fn dot_stuffed(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = find(&self.buffer, b"\r\n") {
                    break end;
                }
                self.more().await?;
            };
            let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
            if line == b".\r\n" {
                return Ok(message);
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if limits::MESSAGE_BYTES_MAX < message.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// So many bytes exactly (BDAT).
    pub(crate) async fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if limits::MESSAGE_BYTES_MAX < count {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while self.buffer.len() < count {
            self.more().await?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// The first bytes of something that will not be finished.
    pub(crate) async fn some(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            self.more().await?;
        }
        Ok(())
    }

    /// Waits until the peer goes away, taking what it sends.
    pub(crate) async fn until_gone(&mut self) {
        while self.more().await.is_ok() {
            self.buffer.clear();
        }
    }

    pub(crate) async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// RFC 3207 §4.2: nothing said before TLS survives it.
    pub(crate) fn forget(&mut self) {
        self.buffer.clear();
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
