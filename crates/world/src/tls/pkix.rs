//! Whether a server's chain is valid for its name by the roots we know, at the world's time.
//! Answers are kept a while, so that asking again for each resumed session costs a hash.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use wire::TlsFailure;

use super::CertificateError;
use super::failure;
use crate::{Clock, limits};

/// The roots, the time, and what was found lately.
pub(super) struct Pkix {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) time: Arc<WallTime>,
    algorithms: WebPkiSupportedAlgorithms,
    lately: Mutex<BTreeMap<[u8; 32], Found>>,
}

struct Found {
    result: Result<(), TlsFailure>,
    until: SystemTime,
}

impl Pkix {
    /// The public roots, and those of `extra_roots` (PEM; may hold several certificates).
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        extra_roots: Option<&[u8]>,
    ) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let bad = |error: String| CertificateError::BadCertificate(error);
        if let Some(pem) = extra_roots {
            for root in CertificateDer::pem_slice_iter(pem) {
                let root = root.map_err(|error| bad(error.to_string()))?;
                roots.add(root).map_err(|error| bad(error.to_string()))?;
            }
        }
        Ok(Self {
            roots: Arc::new(roots),
            time: Arc::new(WallTime(clock)),
            algorithms: super::provider().signature_verification_algorithms,
            lately: Mutex::default(),
        })
    }

    pub(super) fn check(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Result<(), TlsFailure> {
        let now = self.time.0.wall();
        let key = key(chain, name);
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lately.get(&key)
            && now < found.until
        {
            return found.result;
        }
        let result = self.verify(chain, name, unix_time(now));
        if limits::CHECKED_CHAINS_MAX <= lately.len() {
            lately.clear();
        }
        let until = now + limits::CHECKED_CHAIN_FOR;
        lately.insert(key, Found { result, until });
        result
    }

    fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsFailure> {
        let (leaf, intermediates) = chain
            .split_first()
            .ok_or(TlsFailure::CertificateNotTrusted)?;
        let of = |error: rustls::Error| failure::of_tls(&error);
        let leaf = ParsedCertificate::try_from(leaf).map_err(of)?;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )
        .map_err(of)?;
        verify_server_name(&leaf, name).map_err(of)
    }
}

/// The time of day of the world, for the TLS library.
pub(super) struct WallTime(pub(super) Arc<dyn Clock>);

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.wall()))
    }
}

impl fmt::Debug for WallTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WallTime")
    }
}

fn unix_time(at: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn key(chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut part = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    part(name.to_str().as_bytes());
    chain.iter().for_each(|certificate| part(certificate));
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}
