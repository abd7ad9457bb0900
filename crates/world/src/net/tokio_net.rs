//! The real network, on tokio's sockets.
//! Deadlines are the caller's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};

use super::{Accept, Listener, Net, Stream};
use crate::limits;

pub struct TokioNet;

impl Net for TokioNet {
    fn listen(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Listener>> {
        Box::pin(async move { Ok(Listener::new(TokioListener::bind(at)?)) })
    }

    fn connect(&self, from: Option<IpAddr>, to: SocketAddr) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            let socket = socket_for(to)?;
            if let Some(from) = from {
                socket.bind(SocketAddr::new(from, 0))?;
            }
            stream_of(socket.connect(to).await?, to)
        })
    }

    fn connect_local<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let stream = UnixStream::connect(path).await?;
            // Both ends are this machine.
            let here = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
            Ok(Stream::new(stream, here, here))
        })
    }
}

pub(super) struct TokioListener {
    listener: TcpListener,
    local: SocketAddr,
}

impl TokioListener {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self {
            local: listener.local_addr()?,
            listener,
        })
    }

    fn bind(at: SocketAddr) -> io::Result<Self> {
        let socket = socket_for(at)?;
        // A restart must not wait for connections of the last run to time out.
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        Self::new(socket.listen(limits::BACKLOG)?)
    }
}

impl Accept for TokioListener {
    fn accept(&self) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            loop {
                let (stream, peer) = self.listener.accept().await?;
                // A connection that is gone already fails here, and is nobody's business.
                if let Ok(stream) = stream_of(stream, peer) {
                    return Ok(stream);
                }
            }
        })
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

fn socket_for(address: SocketAddr) -> io::Result<TcpSocket> {
    match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
}

fn stream_of(stream: TcpStream, peer: SocketAddr) -> io::Result<Stream> {
    // Replies are written whole; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    Ok(Stream::new(stream, unmapped(local), unmapped(peer)))
}

/// An IPv4 peer on an IPv6 socket is an IPv4 peer to everyone who decides by address.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
