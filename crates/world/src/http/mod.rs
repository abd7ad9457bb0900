//! A small HTTP/1.1 client over the world's DNS, network and TLS: one request, one connection.
//! Verified TLS unless the request says that plain HTTP will do; bounds on time and size always.

mod exchange;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

pub use request::{Request, Response};

use crate::{AnswerStatus, Authentication, DnsError, Kind, Stream, TlsClient, TlsError};
use crate::{TlsFailure, World, limits};
use request::Place;

/// Clones are the same client; its TLS sessions are shared.
#[derive(Clone)]
pub struct HttpClient {
    world: World,
    tls: Arc<TlsClient>,
}

/// Why there is no answer. Nothing here is for ever: ask again later.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0} is no address of a page")]
    BadUrl(String),
    #[error("{0} is without TLS")]
    NotSecure(String),
    #[error("the address of {host} is not known: {error}")]
    Dns { host: String, error: DnsError },
    #[error("{0} has no address")]
    NoAddress(String),
    #[error("{at} cannot be reached: {error}")]
    Connect {
        at: SocketAddr,
        error: std::io::Error,
    },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("no answer in time")]
    TimedOut,
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the server redirects too often, or to nowhere: {0}")]
    Redirects(String),
    #[error("the conversation failed: {0}")]
    Protocol(String),
}

impl HttpError {
    /// What is wrong with the server's TLS, if that is the reason.
    pub fn tls_failure(&self) -> Option<TlsFailure> {
        match self {
            Self::Tls(error) => Some(error.failure()),
            _ => None,
        }
    }
}

impl HttpClient {
    /// `tls` decides whom to trust.
    ///
    /// # Panics
    /// When `tls` does not check certificates against roots: a client that asks for `https` means it.
    pub fn new(world: World, tls: Arc<TlsClient>) -> Self {
        assert_eq!(
            tls.authenticates(),
            Authentication::Pkix,
            "https without a check of certificates"
        );
        Self { world, tls }
    }

    /// Any status is an answer; only redirects are followed, as many as the request allows.
    pub async fn fetch(&self, request: Request) -> Result<Response, HttpError> {
        let deadline = self.world.now() + request.patience;
        let fetching = self.follow(request, deadline);
        let fetched = self.world.tasks.deadline(deadline, fetching).await;
        fetched.map_err(|_| HttpError::TimedOut)?
    }

    async fn follow(&self, mut request: Request, deadline: Instant) -> Result<Response, HttpError> {
        loop {
            let place = request.place()?;
            let response = self.once(&place, &request, deadline).await?;
            match request.redirected(&place, &response)? {
                Some(further) => request = further,
                None => return Ok(response),
            }
        }
    }

    async fn once(
        &self,
        place: &Place,
        request: &Request,
        deadline: Instant,
    ) -> Result<Response, HttpError> {
        let mut last = HttpError::NoAddress(place.host.clone());
        for at in self.addresses(place).await? {
            match self.connect(place, at, deadline).await {
                Ok(stream) => return exchange::hold(stream, place, request).await,
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect(
        &self,
        place: &Place,
        at: SocketAddr,
        deadline: Instant,
    ) -> Result<Stream, HttpError> {
        let failed = |error| HttpError::Connect { at, error };
        // A host with a silent address must not use up the time of its others.
        let patience = (self.world.now() + limits::HTTP_CONNECT_PATIENCE).min(deadline);
        let connecting = async {
            let mut stream = self.world.net.connect(None, at).await.map_err(failed)?;
            if place.tls {
                stream.start_tls_client(&self.tls, &place.host).await?;
            }
            Ok(stream)
        };
        let connected = self.world.tasks.deadline(patience, connecting).await;
        connected.map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
    }

    async fn addresses(&self, place: &Place) -> Result<Vec<SocketAddr>, HttpError> {
        if let Some(address) = place.address {
            return Ok(vec![SocketAddr::new(address, place.port)]);
        }
        let dns = &self.world.dns;
        let (four, six) = futures_util::future::join(
            dns.ask(&place.host, Kind::A),
            dns.ask(&place.host, Kind::Aaaa),
        )
        .await;
        let failed = |error: DnsError| HttpError::Dns {
            host: place.host.clone(),
            error,
        };
        // One family is enough.
        let answers = match (four, six) {
            (Err(error), Err(_)) => return Err(failed(error)),
            (Err(error), Ok(six)) if six.status != AnswerStatus::Found => {
                return Err(failed(error));
            }
            (Ok(four), Err(error)) if four.status != AnswerStatus::Found => {
                return Err(failed(error));
            }
            (four, six) => [four.ok(), six.ok()],
        };
        let most = limits::HTTP_ADDRESSES_PER_FAMILY_MAX;
        let of_family = |answer: &crate::Answer| {
            let addresses = answer.addresses().take(most);
            addresses.collect::<Vec<_>>()
        };
        let addresses = answers.iter().flatten().flat_map(of_family);
        Ok(addresses
            .map(|address| SocketAddr::new(address, place.port))
            .collect())
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("HttpClient")
    }
}
