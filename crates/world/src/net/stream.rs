//! One connection: bytes both ways, who is at the other end, and TLS on top when asked for.
//! Nothing here waits for a clock: deadlines are the caller's.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Accept, Connect, LazyConfigAcceptor, client, server};
use wire::TlsFacts;

use crate::tls::{TlsClient, TlsError, TlsServer};

/// What a stream can stand on: a socket, or a pipe in memory.
pub trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}

pub struct Stream {
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    tls: Option<Box<TlsFacts>>,
}

type BoxedIo = Box<dyn Io>;

enum Transport {
    Plain(BoxedIo),
    /// The client's first message decides which certificate is shown.
    Greeting(Box<(LazyConfigAcceptor<BoxedIo>, TlsServer)>),
    Accepting(Box<(Accept<BoxedIo>, TlsServer)>),
    Connecting(Box<(Connect<BoxedIo>, TlsClient, ServerName<'static>)>),
    Server(Box<server::TlsStream<BoxedIo>>),
    Client(Box<client::TlsStream<BoxedIo>>),
    /// A handshake failed; nothing can be said on the connection any more.
    Broken,
}

impl Stream {
    pub fn new(io: impl Io + 'static, local: SocketAddr, peer: SocketAddr) -> Self {
        Self {
            transport: Transport::Plain(Box::new(io)),
            local,
            peer,
            tls: None,
        }
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// What the handshake showed, once there was one.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_deref()
    }

    /// The certificate that the server showed (DER), once it did; in the client role.
    pub fn server_certificate(&self) -> Option<&[u8]> {
        match &self.transport {
            Transport::Client(stream) => {
                let chain = stream.get_ref().1.peer_certificates()?;
                chain.first().map(|certificate| certificate.as_ref())
            }
            _ => None,
        }
    }

    /// The server's side of a handshake.
    pub async fn start_tls_server(&mut self, tls: &TlsServer) -> Result<TlsFacts, TlsError> {
        self.begin_tls_server(tls)?;
        std::future::poll_fn(|context| self.poll_handshake(context)).await
    }

    /// The client's side of a handshake; `name` is the name of the server, or its address.
    pub async fn start_tls_client(
        &mut self,
        tls: &TlsClient,
        name: &str,
    ) -> Result<TlsFacts, TlsError> {
        self.begin_tls_client(tls, name)?;
        std::future::poll_fn(|context| self.poll_handshake(context)).await
    }

    pub(crate) fn begin_tls_server(&mut self, tls: &TlsServer) -> Result<(), TlsError> {
        let io = self.take_plain()?;
        self.transport = match tls.acceptor() {
            Some(acceptor) => Transport::Accepting(Box::new((acceptor.accept(io), tls.clone()))),
            None => {
                let acceptor = LazyConfigAcceptor::new(Default::default(), io);
                Transport::Greeting(Box::new((acceptor, tls.clone())))
            }
        };
        Ok(())
    }

    pub(crate) fn begin_tls_client(&mut self, tls: &TlsClient, name: &str) -> Result<(), TlsError> {
        let name = tls.server_name(name, self.peer.ip())?;
        let io = self.take_plain()?;
        let connect = tls.connector().connect(name.clone(), io);
        self.transport = Transport::Connecting(Box::new((connect, tls.clone(), name)));
        Ok(())
    }

    pub(crate) fn poll_handshake(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<TlsFacts, TlsError>> {
        if let Transport::Greeting(greeting) = &mut self.transport {
            let (acceptor, tls) = greeting.as_mut();
            match ready!(Pin::new(acceptor).poll(context)) {
                Ok(start) => {
                    let config = tls.config_for(&start.client_hello());
                    let accept = (start.into_stream(config), tls.clone());
                    self.transport = Transport::Accepting(Box::new(accept));
                }
                Err(error) => return self.broken(error),
            }
        }
        let facts = match &mut self.transport {
            Transport::Accepting(accepting) => {
                let (accept, tls) = accepting.as_mut();
                match ready!(Pin::new(accept).poll(context)) {
                    Ok(stream) => {
                        let facts = tls.facts(stream.get_ref().1);
                        self.transport = Transport::Server(Box::new(stream));
                        facts
                    }
                    Err(error) => return self.broken(error),
                }
            }
            Transport::Connecting(connecting) => {
                let (connect, tls, name) = connecting.as_mut();
                match ready!(Pin::new(connect).poll(context)) {
                    Ok(stream) => match tls.facts(stream.get_ref().1, name) {
                        Ok(facts) => {
                            self.transport = Transport::Client(Box::new(stream));
                            facts
                        }
                        Err(error) => {
                            self.transport = Transport::Broken;
                            return Poll::Ready(Err(error));
                        }
                    },
                    Err(error) => return self.broken(error),
                }
            }
            _ => return Poll::Ready(Err(TlsError::NotPlain)),
        };
        self.tls = Some(Box::new(facts.clone()));
        Poll::Ready(Ok(facts))
    }

    fn broken(&mut self, error: io::Error) -> Poll<Result<TlsFacts, TlsError>> {
        self.transport = Transport::Broken;
        Poll::Ready(Err(TlsError::Handshake(error)))
    }

    fn take_plain(&mut self) -> Result<BoxedIo, TlsError> {
        match std::mem::replace(&mut self.transport, Transport::Broken) {
            Transport::Plain(io) => Ok(io),
            other => {
                self.transport = other;
                Err(TlsError::NotPlain)
            }
        }
    }

    fn io(&mut self) -> io::Result<Pin<&mut dyn Io>> {
        match &mut self.transport {
            Transport::Plain(io) => Ok(Pin::new(io.as_mut())),
            Transport::Server(stream) => Ok(Pin::new(stream.as_mut())),
            Transport::Client(stream) => Ok(Pin::new(stream.as_mut())),
            Transport::Greeting(_)
            | Transport::Accepting(_)
            | Transport::Connecting(_)
            | Transport::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().io()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().io()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().io()?.poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().io()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().io()?.poll_shutdown(context)
    }
}
