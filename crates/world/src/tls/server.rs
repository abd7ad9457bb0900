//! The server's side: which certificate for which name, exchangeable while serving.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;
use wire::TlsFacts;

use super::challenge::{self, Challenges};
use super::{Certificate, CertificateError};
use crate::limits;

/// Shared by all listeners; clones are the same server.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    challenges: Arc<RwLock<Option<Arc<ServerConfig>>>>,
}

impl TlsServer {
    /// The first certificate is for clients that ask for no name, or for one we do not have.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, CertificateError> {
        let table = Table::new(certificates)?;
        let certificates = Arc::new(Certificates {
            table: RwLock::new(Arc::new(table)),
        });
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_protocol_versions(super::VERSIONS)
            .map_err(|error| CertificateError::NotMade(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        config.session_storage = ServerSessionMemoryCache::new(limits::TLS_SESSIONS_MAX);
        if let Ok(ticketer) = rustls::crypto::aws_lc_rs::Ticketer::new() {
            config.ticketer = ticketer;
        }
        // One resumption at a time is what mail clients do.
        config.send_tls13_tickets = 1;
        Ok(Self {
            config: Arc::new(config),
            certificates,
            challenges: Arc::default(),
        })
    }

    /// Serves these certificates from the next handshake on. On error nothing changes.
    pub fn reload(&self, certificates: Vec<Certificate>) -> Result<(), CertificateError> {
        let table = Arc::new(Table::new(certificates)?);
        *self
            .certificates
            .table
            .write()
            .unwrap_or_else(PoisonError::into_inner) = table;
        Ok(())
    }

    /// The certificate that a client gets who asks for this name.
    pub fn certificate_for(&self, name: &str) -> Certificate {
        let table = self.certificates.table();
        table.choose(Some(&name.to_ascii_lowercase())).clone()
    }

    /// From now on answers an authority that asks for TLS-ALPN-01 (RFC 8737) with these, each a name and
    /// its key authorization; none ends it. Other clients are served as always.
    pub fn answer_challenges(&self, answers: &[(String, String)]) -> Result<(), CertificateError> {
        let challenges = Challenges::new(answers)?;
        let config = match challenges.is_empty() {
            true => None,
            false => Some(Arc::new(challenges.config()?)),
        };
        *self
            .challenges
            .write()
            .unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// For the usual handshake; `None` while the first message of the client has to be looked at.
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        match self.challenges().is_some() {
            true => None,
            false => Some(TlsAcceptor::from(self.config.clone())),
        }
    }

    pub(crate) fn config_for(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        match self.challenges() {
            Some(challenges) if challenge::is_asked_for(hello) => challenges,
            _ => self.config.clone(),
        }
    }

    fn challenges(&self) -> Option<Arc<ServerConfig>> {
        self.challenges
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn facts(&self, connection: &ServerConnection) -> TlsFacts {
        let server_name = connection.server_name().map(str::to_ascii_lowercase);
        let table = self.certificates.table();
        TlsFacts {
            version: super::version_name(connection.protocol_version()),
            cipher: super::cipher_name(connection.negotiated_cipher_suite()),
            exporter: super::binding::exporter(connection),
            server_end_point: table.choose(server_name.as_deref()).end_point.clone(),
            server_name,
            resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            ..TlsFacts::default()
        }
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsServer")
    }
}

struct Certificates {
    table: RwLock<Arc<Table>>,
}

impl Certificates {
    fn table(&self) -> Arc<Table> {
        self.table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Certificates")
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        Some(self.table().choose(name.as_deref()).key.clone())
    }
}

struct Table {
    default: Certificate,
    by_name: HashMap<String, Certificate>,
}

impl Table {
    fn new(mut certificates: Vec<Certificate>) -> Result<Self, CertificateError> {
        certificates.truncate(limits::CERTIFICATES_MAX);
        let default = certificates
            .first()
            .ok_or(CertificateError::NoneGiven)?
            .clone();
        let mut by_name = HashMap::new();
        for certificate in certificates {
            for name in &certificate.names {
                by_name
                    .entry(name.clone())
                    .or_insert_with(|| certificate.clone());
            }
        }
        Ok(Self { default, by_name })
    }

    fn choose(&self, name: Option<&str>) -> &Certificate {
        let Some(name) = name else {
            return &self.default;
        };
        let wildcard = || {
            // RFC 9525 §6.3: a wildcard stands for exactly one label.
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        };
        self.by_name
            .get(name)
            .or_else(wildcard)
            .unwrap_or(&self.default)
    }
}
