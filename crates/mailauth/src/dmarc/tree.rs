//! The DNS tree walk (RFC 9989 §4.10): which names are asked, and which of them is the top of the
//! organisation. Pure: `discovery.rs` brings the records.

use std::collections::BTreeMap;

use super::limits::WALK_QUERIES_MAX;
use super::record::{Psd, Record};

/// What is known of one domain.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Record(Box<Record>),
    /// No record, or several, which is the same (RFC 9989 §4.10 step 2).
    Nothing,
    /// The DNS did not answer.
    Unknown,
}

/// What the DNS said so far, by domain without `_dmarc.`.
pub(super) type Records = BTreeMap<String, Found>;

/// The domains that a walk may have to ask, the longest first: the domain itself, then its last
/// seven labels, and one less each time. RFC 9989 §4.10 steps 3 to 5.
pub(super) fn targets(domain: &str) -> impl Iterator<Item = &str> {
    let labels = domain.split('.').count();
    let above = std::iter::successors(parent(domain), |domain| parent(domain));
    let skipped = labels.saturating_sub(WALK_QUERIES_MAX);
    std::iter::once(domain).chain(above.skip(skipped))
}

fn parent(domain: &str) -> Option<&str> {
    domain.split_once('.').map(|(_, above)| above)
}

/// The end of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walk<'a> {
    /// The organisational domain: the start itself if there is no record anywhere.
    pub org_domain: &'a str,
    /// A public suffix above the organisational domain that has a record (`psd=y`).
    pub suffix: Option<&'a str>,
}

/// Walks from a domain towards the root. `None` if a record that could matter is not known.
/// RFC 9989 §4.10.2.
pub(super) fn walk<'a>(records: &Records, start: &'a str) -> Option<Walk<'a>> {
    let mut shortest = None;
    let mut below = start;
    for target in targets(start) {
        match records.get(target) {
            None | Some(Found::Unknown) => return None,
            Some(Found::Nothing) => {}
            Some(Found::Record(record)) => match record.psd {
                // At the start psd=y only ends the walk: a suffix that sends mail stands for itself.
                Psd::No => return Some(Walk::to(target)),
                Psd::Yes if target == start => return Some(Walk::to(start)),
                Psd::Yes => {
                    let org_domain = one_below(target, start).unwrap_or(below);
                    return Some(Walk {
                        org_domain,
                        suffix: Some(target),
                    });
                }
                Psd::Unknown => shortest = Some(target),
            },
        }
        below = target;
    }
    Some(Walk::to(shortest.unwrap_or(start)))
}

impl<'a> Walk<'a> {
    fn to(org_domain: &'a str) -> Self {
        Self {
            org_domain,
            suffix: None,
        }
    }
}

/// The name one label longer than `above` on the way down to `domain`.
fn one_below<'a>(above: &str, domain: &'a str) -> Option<&'a str> {
    let head = domain.strip_suffix(above)?.strip_suffix('.')?;
    let label = head.rsplit('.').next()?;
    domain.get(head.len().checked_sub(label.len())?..)
}

/// Whether two domains could have the same organisational domain at all: it would be a name above
/// (or equal to) both.
pub(super) fn may_be_related(one: &str, other: &str) -> bool {
    one.rsplit('.').next() == other.rsplit('.').next()
}

#[cfg(test)]
mod tests;
