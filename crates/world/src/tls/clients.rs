//! The ways to trust a server, made once: they share roots and verdicts on chains, never sessions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::ServerName;

use super::dane::{self, Association};
use super::pkix::Pkix;
use super::{CertificateError, TlsClient};
use crate::dns::Record;
use crate::{Clock, TokioClock, limits};

pub struct TlsClients {
    pkix: Arc<Pkix>,
    opportunistic: Arc<TlsClient>,
    verified: Arc<TlsClient>,
    by_records: Mutex<BTreeMap<RecordsAndNames, Arc<TlsClient>>>,
}

type RecordsAndNames = (Vec<Association>, Vec<String>);

impl TlsClients {
    /// `extra_roots` (PEM; may hold several certificates) are believed beside the public ones.
    pub fn new(
        clock: Arc<dyn Clock>,
        extra_roots: Option<&[u8]>,
    ) -> Result<Self, CertificateError> {
        let pkix = Arc::new(Pkix::new(clock, extra_roots)?);
        Ok(Self {
            opportunistic: Arc::new(TlsClient::any(pkix.clone())),
            verified: Arc::new(TlsClient::by_roots(pkix.clone())?),
            by_records: Mutex::default(),
            pkix,
        })
    }

    /// The public roots and the real time.
    pub(super) fn public() -> Self {
        Self::new(Arc::new(TokioClock::real()), None).expect("the built-in roots are well-formed")
    }

    /// Takes any certificate, and tells in the facts whether it is valid.
    pub fn opportunistic(&self) -> Arc<TlsClient> {
        self.opportunistic.clone()
    }

    /// The certificate must be for the name, valid, and lead to a root.
    pub fn verified(&self) -> Arc<TlsClient> {
        self.verified.clone()
    }

    /// The certificate must match one of these TLSA records; for DANE-TA it must be for one of
    /// `names`: the TLSA base domain and the next-hop domain (RFC 7672 §3.2.2). Where no record is
    /// usable any certificate is taken, and [`TlsClient::authenticates`] says so. The caller has made
    /// sure that the records are secure, and asks for the base domain as the server's name.
    pub fn dane(&self, records: &[Record], names: &[&str]) -> Arc<TlsClient> {
        let associations = dane::usable(records);
        if associations.is_empty() {
            return self.opportunistic();
        }
        let folded = |name: &&str| name.trim_end_matches('.').to_ascii_lowercase();
        let names: Vec<_> = names.iter().map(folded).collect();
        let key = (associations, names);
        let mut known = self
            .by_records
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&key) {
            return client.clone();
        }
        if limits::DANE_CLIENTS_MAX <= known.len() {
            known.clear();
        }
        let name = |name: &String| ServerName::try_from(name.clone()).ok();
        let client = TlsClient::by_records(
            key.0.clone(),
            key.1.iter().filter_map(name).collect(),
            self.pkix.clone(),
        );
        let client = Arc::new(client);
        known.insert(key, client.clone());
        client
    }
}

impl fmt::Debug for TlsClients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsClients")
    }
}
