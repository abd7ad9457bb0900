//! Transport security of destinations: their MTA-STS policies, what the operator demands, and what was
//! learnt of their TLS. What follows from all that for one delivery is decided in `mta`.

mod learnt;
mod requirement;
mod sts;

pub use learnt::LearntTls;
pub use requirement::{BadTlsScope, TlsLevel, TlsRequirement, TlsScope};
pub use sts::StsPolicy;

use crate::{StoreError, View};

/// All that is known of a destination domain, from one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// As it was fetched; it may have ended.
    pub sts: Option<StsPolicy>,
    /// The most specific demand that names the domain.
    pub requirement: Option<TlsRequirement>,
    pub learnt: Vec<LearntTls>,
    /// Whether what was learnt is insisted on.
    pub insist_on_learnt: bool,
}

impl View<'_> {
    pub fn transport(&self, domain: &mail::Domain) -> Result<Transport, StoreError> {
        Ok(Transport {
            sts: self.sts_policy(domain)?,
            requirement: self.tls_requirement(domain)?,
            learnt: self.learnt_tls(domain)?,
            insist_on_learnt: self.insists_on_learnt_tls()?,
        })
    }
}
