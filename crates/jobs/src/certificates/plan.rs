//! Which certificates there should be, and when each is due. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use mail::UnixMillis;
use store::{ChallengeKind, StoredCertificate};

use crate::limits;

/// A certificate that there should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The first is the one that it is known by.
    pub(super) names: Vec<String>,
    /// Why it cannot be had now.
    pub(super) problem: Option<String>,
}

impl Wish {
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// When to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    Later(UnixMillis),
}

/// The names below a domain that lead to us if the operator published them.
pub(super) const BELOW: [&str; 4] = ["mta-sts", "autoconfig", "autodiscover", "mail"];

/// One for the host, and one for each domain that has names leading here: a name that is spoiled costs only
/// the certificate of its domain. `leads_here` holds the names that do; `host` is asked for in any case.
pub(super) fn wishes(host: &str, domains: &[String], leads_here: &BTreeSet<String>) -> Vec<Wish> {
    let problem = (!leads_here.contains(host)).then(|| {
        format!("{host} has no address in the DNS that leads to this server; publish the records that `postroad dns show` prints")
    });
    let mut wishes = vec![Wish {
        names: vec![host.to_owned()],
        problem,
    }];
    for domain in domains {
        let names: Vec<String> = BELOW
            .iter()
            .map(|label| format!("{label}.{domain}"))
            .filter(|name| name != host && leads_here.contains(name))
            .collect();
        if !names.is_empty() {
            wishes.push(Wish {
                names,
                problem: None,
            });
        }
    }
    wishes
}

/// Renewed when a third of its life is left, as authorities advise; sooner if it lacks a name. After a failure
/// later and later, because authorities count failures.
pub(super) fn due(wish: &Wish, before: Option<&StoredCertificate>, now: UnixMillis) -> Due {
    let Some(before) = before else {
        return Due::Now;
    };
    let wanted = match &before.fetched {
        Some(fetched) if has_all(before, wish) => {
            let life = fetched.not_after.since(fetched.not_before);
            fetched.not_before.plus(life / 3 * 2)
        }
        _ => now,
    };
    let rested = match before.tried {
        Some(tried) if before.failures != 0 => tried.plus(rest(before.failures)),
        _ => now,
    };
    let at = wanted.max(rested);
    if at <= now { Due::Now } else { Due::Later(at) }
}

fn has_all(before: &StoredCertificate, wish: &Wish) -> bool {
    wish.names.iter().all(|name| before.names.contains(name))
}

/// After so many failures in a row.
fn rest(failures: u64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(16);
    let rest = limits::CERTIFICATE_RETRY_FIRST.saturating_mul(1 << doublings);
    rest.min(limits::CERTIFICATE_RETRY_MAX)
}

/// The way to prove names after so many failures: a port that is shut for the world is not knocked at for ever.
pub(super) fn way(ways: &[ChallengeKind], failures: u64) -> Option<ChallengeKind> {
    let count = u64::try_from(ways.len()).ok().filter(|count| *count != 0)?;
    ways.get(usize::try_from(failures % count).ok()?).copied()
}

/// Nobody can be served with it.
pub(super) fn is_over(one: &StoredCertificate, now: UnixMillis) -> bool {
    one.fetched
        .as_ref()
        .is_none_or(|fetched| fetched.not_after <= now)
}
