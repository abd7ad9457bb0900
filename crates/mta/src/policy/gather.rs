//! The facts about a destination domain, found while its mail hosts are looked up.

use mail::Domain;
use store::StoreError;
use store::transport::{LearntTls, TlsRequirement, Transport};

use super::sts::{self, InForce, Trouble};
use crate::Inner;

/// What is demanded of the way to a domain, by itself and by us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DomainPolicy {
    pub(crate) sts: Option<InForce>,
    /// Why there is no MTA-STS policy, or no newer one, although the domain announces it.
    pub(crate) sts_trouble: Option<Trouble>,
    pub(crate) requirement: Option<TlsRequirement>,
    pub(crate) learnt: Vec<LearntTls>,
    pub(crate) insist_on_learnt: bool,
    /// DNSSEC proves the names of the mail hosts.
    pub(crate) mx_secure: bool,
}

/// Everything but what the look-up of the mail hosts shows.
pub(crate) async fn gather(inner: &Inner, domain: &Domain) -> Result<DomainPolicy, StoreError> {
    if domain.literal().is_some() {
        return Ok(DomainPolicy::default());
    }
    let known = domain.clone();
    let Transport {
        sts,
        requirement,
        learnt,
        insist_on_learnt,
    } = inner
        .store
        .read_small(move |view| view.transport(&known))
        .await?;
    let found = sts::find(inner, domain, sts).await;
    Ok(DomainPolicy {
        sts: found.in_force,
        sts_trouble: found.trouble,
        requirement,
        learnt,
        insist_on_learnt,
        mx_secure: false,
    })
}
