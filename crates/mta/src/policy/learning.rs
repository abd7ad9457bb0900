//! Learning which destinations have valid TLS: under which names their hosts stand, and since when. A
//! destination that had it for long may not lose it unnoticed. Rows are in the store; here is what they mean.

use std::sync::PoisonError;

use mail::{Domain, UnixMillis};
use store::transport::LearntTls;
use store::{Change, StoreError};

use super::plan::Secured;
use super::{DomainPolicy, Memory};
use crate::limits;
use crate::route::HostName;

/// What a delivery says of its destination's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// TLS with a valid certificate, by a host of this site.
    Valid { domain: Domain, site: String },
    /// Neither: the count begins anew.
    Lapse { domain: Domain },
}

/// Since when a destination has had valid TLS without exception, if that is long enough to insist on it.
pub(crate) fn settled_since(learnt: &[LearntTls]) -> Option<UnixMillis> {
    let long = learnt
        .iter()
        .filter(|row| limits::LEARNT_AFTER <= row.last.since(row.since));
    long.map(|row| row.since).min()
}

/// The name under which a mail host stands with its neighbours: `*.` and what follows its first label;
/// the host alone where that would be half the internet.
pub(crate) fn site_of(host: &str, domain: &Domain) -> String {
    let labels: Vec<&str> = host.split('.').collect();
    let parent = host.split_once('.').map_or("", |(_, parent)| parent);
    // `mail.co.uk` and its kind: a registry's suffix is nobody's site.
    let registry = match labels.as_slice() {
        [_, second, top] => top.len() == 2 && second.len() <= 3,
        _ => false,
    };
    let own = is_below(parent, domain.as_str());
    if labels.len() < 3 || (registry && !own) {
        return host.to_owned();
    }
    format!("*.{parent}")
}

pub(crate) fn covers(site: &str, host: &str) -> bool {
    match site.strip_prefix("*.") {
        Some(parent) => host != parent && is_below(host, parent),
        None => host.eq_ignore_ascii_case(site),
    }
}

/// The name itself, or one below it.
pub(crate) fn is_below(name: &str, parent: &str) -> bool {
    let rest = name.strip_suffix(parent);
    !parent.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl Memory {
    /// What is to be written down after a delivery, if anything is new.
    pub(crate) fn lesson(
        &self,
        domain: &Domain,
        policy: &DomainPolicy,
        host: &HostName,
        secured: &Secured,
        now: UnixMillis,
    ) -> Option<Lesson> {
        let host = host.name()?;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if secured.encrypted && secured.certificate.is_ok() {
            let site = site_of(host, domain);
            if limits::LESSONS_REMEMBERED_MAX <= noted.len() {
                noted.clear();
            }
            let before = noted.insert((domain.clone(), site.clone()), now.day());
            return (before != Some(now.day())).then(|| Lesson::Valid {
                domain: domain.clone(),
                site,
            });
        }
        // Authenticated in another way: neither proof nor exception.
        if secured.dane {
            return None;
        }
        let before = noted.len();
        noted.retain(|(of, _), _| of != domain);
        let lapsed = noted.len() < before || !policy.learnt.is_empty();
        lapsed.then(|| Lesson::Lapse {
            domain: domain.clone(),
        })
    }
}

impl Lesson {
    /// Within the transaction that notes the delivery.
    pub(crate) fn write(&self, change: &mut Change<'_>, now: UnixMillis) -> Result<(), StoreError> {
        match self {
            Self::Valid { domain, site } => change.note_valid_tls(domain, site, now),
            Self::Lapse { domain } => change.forget_learnt_tls(domain).map(drop),
        }
    }
}

#[cfg(test)]
mod tests;
