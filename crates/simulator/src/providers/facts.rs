//! When a rule's condition holds. Decides only: the books are kept in `books.rs`.

use std::time::{Duration, Instant};

use mailauth::dmarc::{DmarcResult, Policy};
use mailauth::spf::SpfResult;

use super::books::{Books, Mailbox};
use super::model::{Condition, Model, Point, Rule};
use super::visit::{DomainState, Seen, Visit};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The first rule that applies at this point of the conversation.
pub(super) fn first<'m>(
    model: &'m Model,
    point: Point,
    books: &mut Books,
    visit: &Visit,
    now: Instant,
) -> Option<&'m Rule> {
    let mut holds = |rule: &&Rule| {
        rule.at == point
            && rule
                .when
                .iter()
                .all(|condition| holds(*condition, model, books, visit, now))
    };
    model.rule.iter().find(|rule| holds(rule))
}

fn holds(
    condition: Condition,
    model: &Model,
    books: &mut Books,
    visit: &Visit,
    now: Instant,
) -> bool {
    use Condition as Is;
    let ip = visit.ip();
    match condition {
        Is::Trouble => books.has_trouble,
        Is::AddressBlocked => books.blocked_addresses.contains(&ip),
        Is::RangeBlocked => books.blocked_ranges.iter().any(|range| range.has(ip)),
        Is::Listed => books.listed.contains(&ip),
        Is::DialUp => books.dial_up.contains(&ip) || visit.has_generic_name(),
        Is::Stranger => model.limits.default_deny && books.is_stranger(model, ip, now),
        Is::AddressPoor => books.address_points(model, ip, now) < model.reputation.poor,
        Is::AddressBad => books.address_points(model, ip, now) < model.reputation.bad,
        Is::RangePoor => books.range_points(model, ip, now) < model.reputation.poor,
        Is::RangeBad => books.range_points(model, ip, now) < model.reputation.bad,
        Is::OverConnections => books.connections_allowed(model, ip, now) < books.open(ip),
        Is::OverMessages => model.limits.per_connection <= visit.messages,
        Is::OverMinute => books.is_over_minute(model, ip, now),
        Is::OverDay => books.is_over_day(model, ip, now),
        Is::ManyUnknown => model.limits.unknown_per_hour <= books.unknown(ip, now),
        Is::HeloChanges => books.helo_changes(ip, &visit.helo),
        Is::NoPtr => visit.has_no_name(),
        Is::GenericPtr => visit.has_generic_name(),
        Is::PtrNotHelo => visit
            .name
            .confirmed_name()
            .is_some_and(|name| !name.eq_ignore_ascii_case(&visit.helo)),
        Is::Ipv6 => ip.is_ipv6(),
        Is::NoTls => visit.tls.is_none(),
        Is::NoSuchUser => books.mailbox(&visit.recipient) == Mailbox::Unknown,
        Is::Full => books.mailbox(&visit.recipient) == Mailbox::Full,
        Is::Inactive => books.mailbox(&visit.recipient) == Mailbox::Inactive,
        Is::OverRecipientHour => {
            model.limits.recipient_per_hour <= books.to_recipient(&visit.recipient, now)
        }
        Is::SeveralDomains => 1 < visit.domains(),
        Is::NoSenderDomain => sender_is(visit, DomainState::Missing),
        Is::NullMx => sender_is(visit, DomainState::NullMx),
        Is::SpfFail => visit.spf() == Some(SpfResult::Fail),
        _ => visit
            .message
            .as_ref()
            .is_some_and(|seen| holds_of(condition, model, books, seen, now)),
    }
}

/// What only the message shows.
fn holds_of(
    condition: Condition,
    model: &Model,
    books: &mut Books,
    seen: &Seen,
    now: Instant,
) -> bool {
    use Condition as Is;
    let dmarc = &seen.verdict.dmarc;
    let wishes = |policy| dmarc.result == DmarcResult::Fail && dmarc.wish == policy;
    match condition {
        Is::Bulk => books.is_bulk(&seen.organisation),
        Is::OverDomainHour => {
            model.limits.domain_per_hour <= books.of_domain(&seen.organisation, now)
        }
        Is::SameMessageId => {
            !seen.id.is_empty() && model.limits.same_message_id <= books.times_seen(&seen.id)
        }
        Is::NoSpf => !seen.has_spf(),
        Is::NoDkim => !seen.has_dkim(),
        Is::NoAuthentication => !seen.has_spf() && !seen.has_dkim(),
        Is::NotAllPass => !(seen.has_spf() && seen.has_dkim() && dmarc.result == DmarcResult::Pass),
        Is::NoDmarc => dmarc.published.is_none() && dmarc.result == DmarcResult::None,
        Is::NotAligned => !seen.is_aligned(),
        Is::DmarcReject => wishes(Policy::Reject),
        Is::DmarcQuarantine => wishes(Policy::Quarantine),
        Is::DnsTrouble => {
            seen.verdict.temporary().is_some()
                || (seen.verdict.spf.result == SpfResult::TempError && !seen.has_dkim())
        }
        Is::Spam => seen.is_spam,
        Is::Phishing => seen.is_phishing,
        Is::Malformed => seen.is_malformed,
        Is::TooLarge => model.limits.size < seen.size,
        _ => false,
    }
}

/// The envelope's, and the author's once it is known.
fn sender_is(visit: &Visit, state: DomainState) -> bool {
    match (&visit.message, &visit.envelope) {
        (Some(seen), _) => seen.author == state,
        (None, Some(envelope)) => envelope.domain == state,
        (None, None) => false,
    }
}
