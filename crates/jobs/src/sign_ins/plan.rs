//! Which log-ins a user is told of, and when. Pure.

use mail::UnixMillis;
use spam::domains::registrable;
use store::{LastTold, SignInNews};

use super::limits::SPAN;

/// A log-in with the name of its address, if that leads to the address and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub news: SignInNews,
    pub name: Option<String>,
}

/// Whether another message may be written now: two in a span of time.
pub(super) fn is_due(told: LastTold, now: UnixMillis) -> bool {
    let [_, before] = told;
    before.is_none_or(|before| SPAN <= now.since(before))
}

/// Divides log-ins into those to tell of, and those from a provider that the account is known from anyway: many give their
/// customers other addresses every day, far from one another, and only the name of an address shows whose it is.
pub(super) fn divide(all: Vec<Named>, familiar: &[String]) -> (Vec<Named>, Vec<Named>) {
    let providers: Vec<&str> = familiar.iter().filter_map(|name| provider(name)).collect();
    all.into_iter().partition(|one| {
        let provider = one.name.as_deref().and_then(provider);
        provider.is_none_or(|provider| !providers.contains(&provider))
    })
}

/// The domain of whoever names the addresses. A name right below a public suffix is its own customer's: many a host for rent.
fn provider(name: &str) -> Option<&str> {
    let name = name.trim_end_matches('.');
    let domain = registrable(name);
    (domain.contains('.') && domain.len() < name.len()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use store::{PasswordUsed, Protocol, neighbourhood_of};

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn named(peer: &str, name: Option<&str>) -> Named {
        let peer = peer.parse().expect("an address");
        Named {
            news: SignInNews {
                neighbourhood: neighbourhood_of(peer),
                at: UnixMillis(0),
                protocol: Protocol::Imap,
                used: PasswordUsed::Main,
                peer,
                client: String::new(),
            },
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn two_in_a_day() {
        let now = UnixMillis(100 * HOUR);
        let ago = |hours: i64| Some(UnixMillis(now.0 - hours * HOUR));
        for (told, due) in [
            ([None, None], true),
            ([ago(0), None], true),
            ([ago(0), ago(23)], false),
            ([ago(0), ago(24)], true),
            ([ago(30), ago(40)], true),
        ] {
            assert_eq!(is_due(told, now), due, "{told:?}");
        }
    }

    #[test]
    fn a_provider_is_known_by_its_names() {
        let familiar = [
            "p4fd0.dip0.isp.example".to_owned(),
            "a.b.example".to_owned(),
        ];
        for (name, is_told) in [
            (None, true),
            (Some("p91ab.dip0.isp.example"), false),
            (Some("host.elsewhere.example"), true),
            // Whoever holds these names is not one house.
            (Some("isp.example"), true),
            (Some("example"), true),
        ] {
            let (told, quiet) = divide(vec![named("203.0.113.9", name)], &familiar);
            assert_eq!(
                (told.len(), quiet.len()),
                (is_told.into(), (!is_told).into()),
                "{name:?}"
            );
        }
    }
}
