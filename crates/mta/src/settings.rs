//! What mail in and out is told once at start. No setting is read anywhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mail::Domain;
use store::deliveries::{ProviderRelay, RelayProtection};
use world::TlsServer;

use crate::filters::FilterSettings;
use crate::limits;

/// Whether a password may cross a connection that is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearTextLogin {
    /// AUTH is neither offered nor taken before TLS. The rule for real hosts.
    Refused,
    /// For trials and tests on loopback.
    Allowed,
}

/// Everything that SMTP sessions and the queue need to know of the installation.
#[derive(Clone)]
pub struct MtaSettings {
    /// The name of this host: greeting, EHLO, Received, Message-ID, reports.
    pub hostname: Domain,
    /// The certificates for STARTTLS and implicit TLS. Without it only clear text is spoken.
    pub tls: Option<Arc<TlsServer>>,
    pub clear_text_login: ClearTextLogin,
    /// Largest message, in and out (SIZE, RFC 1870).
    pub message_bytes_max: usize,
    /// Recipients of one message.
    pub recipients_max: usize,
    /// SMTP connections at once, over all doors.
    pub connections_max: usize,
    /// SMTP connections at once from one address.
    pub connections_per_address_max: usize,
    /// Whether the built-in lists in the DNS are asked about mail that comes in.
    pub ask_blocklists: bool,
    pub outbound: OutboundSettings,
    /// Programs of others that look at messages.
    pub filters: FilterSettings,
}

/// How mail leaves.
#[derive(Clone)]
pub struct OutboundSettings {
    /// Where the mail servers of others listen: 25, except in tests.
    pub port: u16,
    /// Source addresses for outgoing connections; none lets the system choose. One of the family of the
    /// destination is taken.
    pub addresses: Vec<IpAddr>,
    /// Where this host takes mail from others: an MX that leads here is a loop.
    pub own_listeners: Vec<SocketAddr>,
    /// Everything goes through it.
    pub relay: Option<Relay>,
    /// Mail for these domains goes through these instead.
    pub relays: BTreeMap<Domain, Relay>,
    /// Further roots (PEM) for relays with a private certificate authority.
    pub roots: Option<Vec<u8>>,
    /// How long a message is tried before its sender is told that it failed.
    pub queue_lifetime: Duration,
}

/// Somebody else's server that takes our mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// A host name or an IP address.
    pub host: String,
    pub port: u16,
    pub security: RelaySecurity,
    pub login: Option<RelayLogin>,
}

/// How the way to a relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelaySecurity {
    /// TLS from the first byte, certificate verified.
    Implicit,
    /// STARTTLS, certificate verified, or nothing is sent.
    StartTls,
    /// STARTTLS when offered, any certificate.
    Opportunistic,
}

#[derive(Clone, PartialEq, Eq)]
pub struct RelayLogin {
    pub user: String,
    pub password: String,
}

impl From<ProviderRelay> for Relay {
    fn from(relay: ProviderRelay) -> Self {
        Self {
            host: relay.host,
            port: relay.port,
            security: match relay.protection {
                RelayProtection::Implicit => RelaySecurity::Implicit,
                RelayProtection::StartTls => RelaySecurity::StartTls,
                RelayProtection::Opportunistic => RelaySecurity::Opportunistic,
            },
            login: relay
                .login
                .map(|(user, password)| RelayLogin { user, password }),
        }
    }
}

impl MtaSettings {
    /// The built-in bounds and ways for a host of this name.
    pub fn new(hostname: Domain) -> Self {
        Self {
            hostname,
            tls: None,
            clear_text_login: ClearTextLogin::Refused,
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            recipients_max: limits::RECIPIENTS_MAX,
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_address_max: limits::CONNECTIONS_PER_ADDRESS_MAX,
            ask_blocklists: false,
            outbound: OutboundSettings::new(),
            filters: FilterSettings::default(),
        }
    }
}

impl OutboundSettings {
    /// Straight to the MX hosts of each domain, for five days (RFC 5321 §4.5.4.1).
    pub fn new() -> Self {
        Self {
            port: 25,
            addresses: Vec::new(),
            own_listeners: Vec::new(),
            relay: None,
            relays: BTreeMap::new(),
            roots: None,
            queue_lifetime: limits::QUEUE_LIFETIME,
        }
    }

    /// The relay for a destination domain, if it does not go straight to its MX hosts.
    pub fn relay_for(&self, domain: &Domain) -> Option<&Relay> {
        self.relays.get(domain).or(self.relay.as_ref())
    }
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RelayLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayLogin")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
