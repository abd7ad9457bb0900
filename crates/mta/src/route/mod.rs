//! The way out for a destination domain: a relay, or the hosts that its MX records name.
//! Facts are gathered in `lookup.rs`; here they become a route, without asking anybody.

mod lookup;

use std::fmt;
use std::net::IpAddr;

use mail::Domain;
use store::queue::TlsWish;
use world::Random;

use crate::limits;
use crate::policy::DomainPolicy;
use crate::queue::RelayUse;
use crate::settings::Relay;

pub(crate) use lookup::{addresses_of, find};

/// What shares one window and its idle connections: hosts that take mail for many domains are one
/// destination, because their limits count per host, not per domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Destination {
    Relay {
        host: String,
        port: u16,
    },
    /// The most preferred hosts, in order of their names, joined.
    Hosts(String),
}

/// The way out for one domain: where to, and how safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) domain: Domain,
    pub(crate) route: Route,
    pub(crate) policy: DomainPolicy,
    pub(crate) group: Group,
}

/// Whose servers they are. Quotas, blocks and relays belong to that, not to the recipient's domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// What its pace is kept under: the provider's id, or the hosts themselves.
    pub(crate) lane: String,
    /// The id in the list of providers.
    pub(crate) provider: Option<String>,
    /// Connections that it is known to bear.
    pub(crate) connections: Option<u16>,
    /// Takes its mail where it refuses ours, or always.
    pub(crate) relay: Option<(Relay, RelayUse)>,
    /// Mail that it refuses for our reputation is kept.
    pub(crate) hold: bool,
}

impl Group {
    /// By the best host, or by the domain where a relay stands before all.
    pub(crate) fn of(domain: &Domain, route: &Route) -> Self {
        let host = match route {
            Route::Hosts(hosts) => hosts.first().and_then(|host| host.host.name()),
            Route::Relay(_) => None,
        };
        let known = doctor::replies::built_in();
        let found = known.provider_of(host.unwrap_or_default(), domain.as_str());
        Self {
            lane: match found {
                Some(provider) => provider.id.clone(),
                None => route.destination().to_string(),
            },
            provider: found.map(|provider| provider.id.clone()),
            connections: found.and_then(|provider| provider.connections),
            relay: None,
            hold: true,
        }
    }

    /// The name in events and incidents.
    pub(crate) fn label<'a>(&'a self, domain: &'a Domain) -> &'a str {
        self.provider.as_deref().unwrap_or(domain.as_str())
    }

    pub(crate) fn relay_use(&self) -> RelayUse {
        self.relay
            .as_ref()
            .map_or(RelayUse::None, |(_, when)| *when)
    }
}

impl Way {
    /// Somebody else's server takes it in the provider's stead.
    pub(crate) fn is_relayed(&self) -> bool {
        matches!(self.route, Route::Relay(_))
    }

    /// The same by the group's relay, if it has one.
    pub(crate) fn by_relay(&self) -> Option<Self> {
        let (relay, _) = self.group.relay.as_ref()?;
        Some(Self {
            domain: self.domain.clone(),
            route: Route::Relay(relay.clone()),
            // What is demanded of the way to a relay stands in its settings.
            policy: DomainPolicy::default(),
            group: self.group.clone(),
        })
    }
}

impl Way {
    /// Whether the TLSA records of its hosts matter.
    pub(crate) fn asks_for_tlsa(&self, wish: TlsWish) -> bool {
        self.policy.mx_secure && wish != TlsWish::Waived
    }
}

/// Where mail for a domain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Relay(Relay),
    /// Never empty; most preferred first.
    Hosts(Vec<MxHost>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MxHost {
    pub(crate) preference: u16,
    pub(crate) host: HostName,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostName {
    Name(String),
    /// An address literal: user@[192.0.2.1].
    Address(IpAddr),
}

/// What the DNS says of a domain, as far as mail is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MxFacts {
    /// Preference and name, as answered.
    Mx(Vec<(u16, String)>),
    /// No MX records, but an address: the domain itself is its mail host. RFC 5321 §5.1.
    AddressOnly,
    /// The domain exists and has neither.
    Nothing,
    NoSuchDomain,
}

/// Why there is no way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unroutable {
    #[error("the domain {0} does not exist")]
    NoSuchDomain(Domain),
    #[error("the domain {0} has no mail server")]
    NoMailHost(Domain),
    /// RFC 7505.
    #[error("the domain {0} says that it takes no mail at all (null MX)")]
    NullMx(Domain),
    #[error("the DNS sends mail for {0} to this very server, which does not serve that domain")]
    LoopsBack(Domain),
    #[error("the DNS does not say where mail for {domain} goes: {error}")]
    Dns {
        domain: Domain,
        error: world::DnsError,
    },
    #[error("what this server demands of the way cannot be read now: {0}")]
    Store(String),
}

impl Unroutable {
    pub(crate) fn is_permanent(&self) -> bool {
        !matches!(self, Self::Dns { .. } | Self::Store(_))
    }

    /// RFC 3463 §3.2, §3.5; RFC 7505 §4.2.
    pub(crate) fn status(&self) -> (u8, u16, u16) {
        match self {
            Self::NoSuchDomain(_) => (5, 1, 2),
            Self::NoMailHost(_) => (5, 4, 4),
            Self::NullMx(_) => (5, 1, 10),
            Self::LoopsBack(_) => (5, 4, 6),
            Self::Dns { .. } => (4, 4, 3),
            Self::Store(_) => (4, 3, 0),
        }
    }
}

/// From facts to hosts in order of preference.
pub(crate) fn plan(domain: &Domain, facts: MxFacts, own: &Domain) -> Result<Route, Unroutable> {
    let mut hosts = match facts {
        MxFacts::NoSuchDomain => return Err(Unroutable::NoSuchDomain(domain.clone())),
        MxFacts::Nothing => return Err(Unroutable::NoMailHost(domain.clone())),
        MxFacts::AddressOnly => vec![(0, domain.as_str().to_owned())],
        // A host with a single MX of "." takes no mail at all. RFC 7505 §3.
        MxFacts::Mx(hosts) if hosts.iter().all(|(_, host)| is_null(host)) => {
            return Err(Unroutable::NullMx(domain.clone()));
        }
        MxFacts::Mx(hosts) => hosts,
    };
    hosts.retain(|(_, host)| !is_null(host));
    // RFC 5321 §5.1: from our own place in the list on, everything leads back to us.
    if let Some(ours) = hosts
        .iter()
        .filter(|(_, host)| is_own(host, own))
        .map(|(p, _)| *p)
        .min()
    {
        hosts.retain(|(preference, _)| *preference < ours);
    }
    if hosts.is_empty() {
        return Err(Unroutable::LoopsBack(domain.clone()));
    }
    let mut hosts: Vec<MxHost> = hosts
        .into_iter()
        .map(|(preference, name)| MxHost {
            preference,
            host: HostName::of(&name),
        })
        .collect();
    hosts.sort();
    hosts.dedup_by(|a, b| a.host == b.host);
    hosts.truncate(limits::MX_HOSTS_MAX);
    Ok(Route::Hosts(hosts))
}

impl Route {
    pub(crate) fn destination(&self) -> Destination {
        match self {
            Self::Relay(relay) => Destination::Relay {
                host: relay.host.clone(),
                port: relay.port,
            },
            Self::Hosts(hosts) => {
                let best = hosts.first().map(|host| host.preference);
                let names: Vec<String> = hosts
                    .iter()
                    .filter(|host| Some(host.preference) == best)
                    .map(|host| host.host.to_string())
                    .collect();
                Destination::Hosts(names.join(","))
            }
        }
    }
}

/// Hosts by preference, those of equal preference in random order. RFC 5321 §5.1.
pub(crate) fn in_turn(hosts: &[MxHost], random: &dyn Random) -> Vec<HostName> {
    let mut keyed: Vec<(u16, u64, &HostName)> = hosts
        .iter()
        .map(|host| (host.preference, random.below(u64::MAX), &host.host))
        .collect();
    keyed.sort();
    keyed.into_iter().map(|(_, _, host)| host.clone()).collect()
}

fn is_null(host: &str) -> bool {
    host.is_empty() || host == "."
}

fn is_own(host: &str, own: &Domain) -> bool {
    host.trim_end_matches('.')
        .eq_ignore_ascii_case(own.as_str())
}

impl HostName {
    /// Some write an address where a name belongs; it does no harm to understand it.
    pub(crate) fn of(name: &str) -> Self {
        let name = name.trim_end_matches('.');
        match name.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(name.to_ascii_lowercase()),
        }
    }
}

impl HostName {
    /// `None` for an address.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay { host, port } => write!(f, "relay {host}:{port}"),
            Self::Hosts(names) => f.write_str(names),
        }
    }
}

#[cfg(test)]
mod tests;
