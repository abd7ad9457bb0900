//! The network: listeners, connections and streams that can start TLS.
//! A simulated network implements [`Net`] with in-memory streams; TLS is the same on both.

mod stream;
mod tokio_net;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use futures_util::future::BoxFuture;

pub use stream::{Io, Stream};
pub use tokio_net::TokioNet;

pub trait Net: Send + Sync {
    /// Port 0 lets the system choose; [`Listener::local_addr`] tells.
    fn listen(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Listener>>;

    /// `from` is the source address to use. Without a time limit of its own: the caller sets a deadline.
    fn connect(&self, from: Option<IpAddr>, to: SocketAddr) -> BoxFuture<'_, io::Result<Stream>>;

    /// A socket in the file system of this machine. Simulated hosts have none.
    fn connect_local<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Stream>> {
        let _ = path;
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
}

/// What a [`Listener`] stands on.
pub trait Accept: Send + Sync {
    fn accept(&self) -> BoxFuture<'_, io::Result<Stream>>;
    fn local_addr(&self) -> SocketAddr;
}

/// Waits for connections. Dropping it closes the port.
pub struct Listener {
    inner: Box<dyn Accept>,
}

impl Listener {
    pub fn new(inner: impl Accept + 'static) -> Self {
        Self {
            inner: Box::new(inner),
        }
    }

    /// Takes over a listener made elsewhere (socket activation, privileged start). Must be called
    /// on the runtime.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::new(tokio_net::TokioListener::new(
            tokio::net::TcpListener::from_std(listener)?,
        )?))
    }

    /// Cancel-safe. An error concerns one connection or the lack of file descriptors: wait a
    /// little and go on.
    pub async fn accept(&self) -> io::Result<Stream> {
        self.inner.accept().await
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.inner.local_addr()
    }
}
