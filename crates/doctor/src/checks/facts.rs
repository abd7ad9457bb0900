//! What was observed, for the checks to judge. Filled by whoever can look: DNS questions, probes over sockets,
//! the store's figures, the machine's state. Plain data.
//!
//! `None` (or a DNS question that is not in `DnsFacts`) means *not observed*: no check says anything about it, neither
//! good nor bad. Times are seconds since 1970. Names are A-labels without the last dot, in lower case.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::records::{DomainFacts, Kind};

/// All that was observed in one examination.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub now: u64,
    /// The server's name: greeting, EHLO, certificate, reverse name.
    pub host: String,
    /// What is configured, per domain: what its records should be follows from it (`records::for_domain`).
    pub domains: Vec<DomainFacts>,
    /// Domains that are ours and send and take no mail.
    pub parked: Vec<String>,
    /// Names below our domains that appear as senders in the log, with what envelopes are used.
    pub sending_names: Vec<String>,
    /// Domain of rewritten senders, when mail is forwarded.
    pub srs_domain: Option<String>,
    pub dns: DnsFacts,
    /// By domain.
    pub zones: BTreeMap<String, ZoneFacts>,
    /// By registered domain.
    pub registrations: BTreeMap<String, Registration>,
    pub resolver: ResolverFacts,
    /// Our own addresses, those we send from.
    pub addresses: Vec<AddressFacts>,
    pub settings: SettingFacts,
    /// By number.
    pub ports: BTreeMap<u16, PortFacts>,
    pub tls: TlsFacts,
    pub smtp: SmtpFacts,
    /// By domain.
    pub senders: BTreeMap<String, SenderFacts>,
    pub reputation: ReputationFacts,
    /// By domain.
    pub clients: BTreeMap<String, ClientFacts>,
    pub health: HealthFacts,
}

/// What the name servers answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// In presentation form: `10 mail.example.org`, TXT as one text, names without the last dot.
    Values {
        values: Vec<String>,
        ttl: u32,
        /// Validated by DNSSEC.
        secure: bool,
    },
    /// The name is there, no record of this type.
    Empty { secure: bool },
    /// NXDOMAIN.
    NoName { secure: bool },
    /// SERVFAIL, refused or no answer in time.
    Failed,
    /// DNSSEC says that it is forged or broken.
    Bogus,
}

/// Answers by name and type. A question that was not asked is not in it.
#[derive(Clone, Debug, Default)]
pub struct DnsFacts {
    answers: BTreeMap<(String, Kind), Answer>,
}

impl DnsFacts {
    pub fn put(&mut self, name: &str, kind: Kind, answer: Answer) {
        self.answers
            .insert((name.to_ascii_lowercase(), kind), answer);
    }

    pub fn get(&self, name: &str, kind: Kind) -> Option<&Answer> {
        self.answers.get(&(name.to_ascii_lowercase(), kind))
    }

    pub fn forget(&mut self, name: &str, kind: Kind) {
        self.answers.remove(&(name.to_ascii_lowercase(), kind));
    }

    /// The values, none where there are none. `None`: not asked, or no answer that can be trusted.
    pub fn values(&self, name: &str, kind: Kind) -> Option<&[String]> {
        match self.get(name, kind)? {
            Answer::Values { values, .. } => Some(values),
            Answer::Empty { .. } | Answer::NoName { .. } => Some(&[]),
            Answer::Failed | Answer::Bogus => None,
        }
    }

    pub fn is_secure(&self, name: &str, kind: Kind) -> Option<bool> {
        match self.get(name, kind)? {
            Answer::Values { secure, .. }
            | Answer::Empty { secure }
            | Answer::NoName { secure } => Some(*secure),
            Answer::Failed | Answer::Bogus => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Kind, &Answer)> {
        self.answers
            .iter()
            .map(|((name, kind), answer)| (name.as_str(), *kind, answer))
    }
}

/// One authoritative name server of a zone, asked directly.
#[derive(Clone, Debug, Default)]
pub struct Nameserver {
    pub name: String,
    pub addresses: Vec<IpAddr>,
    pub serial: Option<u32>,
    /// The MX set it gives, sorted.
    pub mx: Option<Vec<String>>,
    pub answers_tcp: Option<bool>,
    /// Whether it already gives the DKIM record that is about to be used.
    pub has_coming_key: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct ZoneFacts {
    pub nameservers: Option<Vec<Nameserver>>,
    /// Names of the servers as the parent zone and as the zone itself says, sorted.
    pub parent_ns: Option<Vec<String>>,
    pub own_ns: Option<Vec<String>>,
    /// Addresses that the parent gives for name servers inside the zone, when they differ: name, parent's, zone's.
    pub wrong_glue: Option<Vec<(String, String, String)>>,
    /// When the earliest DNSSEC signature over the mail records ends.
    pub signature_ends: Option<u64>,
    /// Whether a random name under the zone has an answer.
    pub wildcard: Option<bool>,
    /// Public resolvers that still see something else than the zone's own servers.
    pub stale_resolvers: Option<Vec<String>>,
}

/// What the registry says of a domain (RDAP).
#[derive(Clone, Debug, Default)]
pub struct Registration {
    pub created: Option<u64>,
    pub expires: Option<u64>,
    pub transfer_locked: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct ResolverFacts {
    /// Whether questions leave from this machine itself, and not from a public resolver.
    pub is_own: Option<bool>,
    /// Whether a name that is broken on purpose is refused.
    pub validates: Option<bool>,
    pub millis: Option<u32>,
    /// Whether the machine's own tables turn the host name into a loopback address.
    pub host_is_loopback: Option<bool>,
}

/// One address of ours.
#[derive(Clone, Debug)]
pub struct AddressFacts {
    pub address: IpAddr,
    /// Mail leaves from it.
    pub sends: bool,
    /// Whether a connection to port 25 of others succeeds from it.
    pub port25_out: Option<bool>,
    /// What a big provider's server said when reached over port 25 from here is what it says everywhere.
    pub smtp_untouched: Option<bool>,
    /// The address as others see it.
    pub seen_outside: Option<IpAddr>,
    /// The address when the server was set up.
    pub at_setup: Option<IpAddr>,
    /// Named by a list of dynamic addresses.
    pub dynamic: Option<bool>,
    /// Its IPv6 /64 is ours alone.
    pub own_64: Option<bool>,
    /// Kind of network: `hosting`, `business`, `access`.
    pub network: Option<String>,
    /// The hoster's network as a whole is listed as bad.
    pub bad_neighbours: Option<bool>,
    pub has_abuse_contact: Option<bool>,
    pub route_signed: Option<bool>,
}

impl AddressFacts {
    /// Nothing observed yet.
    pub fn new(address: IpAddr) -> Self {
        Self {
            address,
            sends: true,
            port25_out: None,
            smtp_untouched: None,
            seen_outside: None,
            at_setup: None,
            dynamic: None,
            own_64: None,
            network: None,
            bad_neighbours: None,
            has_abuse_contact: None,
            route_signed: None,
        }
    }
}

/// What the configuration says, where a check asks for it.
#[derive(Clone, Debug, Default)]
pub struct SettingFacts {
    pub ehlo: Option<String>,
    pub sends_ipv6: Option<bool>,
    pub acme: Option<AcmeWay>,
    pub relay_ready: Option<bool>,
    /// Sent through a relay for some destination.
    pub one_domain_per_transaction: Option<bool>,
    pub hop_limit: Option<u16>,
    /// The certificate authority's name in CAA, such as `letsencrypt.org`.
    pub ca: Option<String>,
    pub operator_alert: Option<bool>,
    pub tls_required_for_big: Option<bool>,
    pub ssh_password: Option<bool>,
    pub header_default: Option<bool>,
}

/// How certificates are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcmeWay {
    Http01,
    TlsAlpn01,
    Dns01,
}

/// A port as seen from outside.
#[derive(Clone, Debug, Default)]
pub struct PortFacts {
    pub reachable_v4: Option<bool>,
    pub reachable_v6: Option<bool>,
    /// It is meant to be reached.
    pub wanted: bool,
    /// Lets people log in without encryption.
    pub login_in_clear: Option<bool>,
    /// For port 53: answers questions about other people's names to everybody.
    pub recursive: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct Certificate {
    pub names: Vec<String>,
    pub not_after: u64,
    /// Accepted by a client that knows the public authorities.
    pub trusted: bool,
    /// `rsa` or `ecdsa` or `ed25519`.
    pub key: String,
    pub bits: u16,
    /// SHA-256 of the public key.
    pub key_hash: [u8; 32],
    pub weak_signature: bool,
}

#[derive(Clone, Debug, Default)]
pub struct TlsFacts {
    pub starttls_25: Option<bool>,
    /// The certificate on port 25.
    pub certificate: Option<Certificate>,
    /// Ports that show another certificate than the one that is loaded.
    pub other_certificate: Option<Vec<u16>>,
    pub versions: Option<Vec<String>>,
    pub weak_ciphers: Option<Vec<String>>,
    pub insecure_renegotiation: Option<bool>,
    pub early_data: Option<bool>,
    pub extended_master_secret: Option<bool>,
    /// A command sent before TLS was obeyed after it.
    pub injection: Option<bool>,
    /// Share of mail to the big providers that left over TLS.
    pub outbound_share: Option<f64>,
    /// By domain.
    pub sts: BTreeMap<String, StsFacts>,
    pub requiretls: Option<bool>,
    /// Days since the key changed without two TLSA records in between.
    pub unannounced_key_change: Option<bool>,
    /// The address in TLS-RPT takes mail.
    pub tls_report_address_works: Option<bool>,
}

/// The MTA-STS policy as senders fetch it.
#[derive(Clone, Debug, Default)]
pub struct StsFacts {
    /// What went wrong when fetching, if anything.
    pub fault: Option<String>,
    pub mode: String,
    pub mx: Vec<String>,
    pub max_age: u32,
    pub in_testing_since: Option<u64>,
    /// The text changed and the id did not.
    pub id_stale: bool,
}

/// What port 25 and submission did when probed. `Some(true)` is always the good answer.
#[derive(Clone, Debug, Default)]
pub struct SmtpFacts {
    pub banner: Option<String>,
    pub banner_millis: Option<u32>,
    pub dialogue_millis: Option<u32>,
    /// The tricks by which a stranger got a foreign recipient accepted.
    pub open_relay: Option<Vec<String>>,
    pub no_auth_before_tls: Option<bool>,
    pub no_auth_on_25: Option<bool>,
    pub refuses_unknown: Option<bool>,
    pub no_backscatter: Option<bool>,
    pub takes_null_sender: Option<bool>,
    /// Role addresses that nobody gets: `postmaster@example.org`.
    pub missing_roles: Option<Vec<String>>,
    pub size: Option<u64>,
    pub missing_extensions: Option<Vec<String>>,
    pub refuses_smuggling: Option<bool>,
    pub vrfy_silent: Option<bool>,
    /// Big providers whose mail our own rules refused lately.
    pub refused_providers: Option<Vec<String>>,
    pub dsn_ok: Option<bool>,
    pub autoresponse_ok: Option<bool>,
    pub outgoing_normalised: Option<bool>,
}

/// Outcome of SPF for one sending address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpfResult {
    Pass,
    /// Anything else.
    Other,
}

/// What is known of a domain's authentication beyond its records.
#[derive(Clone, Debug, Default)]
pub struct SenderFacts {
    /// By sending address.
    pub spf: Option<Vec<(IpAddr, SpfResult)>>,
    pub spf_lookups: Option<usize>,
    pub spf_void: Option<usize>,
    /// Names of includes that do not resolve.
    pub spf_dead_includes: Option<Vec<String>>,
    /// A probe's signature, checked after a real trip.
    pub dkim_self_verify: Option<bool>,
    /// Every signature uses the domain of From.
    pub dkim_aligned: Option<bool>,
    pub key_created: Option<u64>,
    /// Retired selectors whose record still holds a key.
    pub unrevoked: Option<Vec<String>>,
    pub policy_since: Option<u64>,
    pub testing_since: Option<u64>,
    pub last_report: Option<u64>,
    /// Mail was sent in the last week.
    pub sends_mail: Option<bool>,
    /// Share of our own mail that passes and aligns by the reports of others.
    pub pass_rate: Option<f64>,
    /// Addresses that pass for our domain and that nobody has named.
    pub unknown_sources: Option<Vec<IpAddr>>,
    pub envelope_aligned: Option<bool>,
    pub srs_works: Option<bool>,
    pub seal_works: Option<bool>,
}

/// How much a list matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    High,
    Medium,
    Low,
}

/// What a list said; a list that fails its own test says nothing (RFC 5782 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    No,
    Yes,
    /// The list failed its self-test or refused us.
    Broken,
}

/// One list asked about one address or name.
#[derive(Clone, Debug)]
pub struct ListingFacts {
    pub list: String,
    pub subject: String,
    /// The subject is a domain.
    pub is_domain: bool,
    /// Names only new domains.
    pub is_fresh_list: bool,
    pub weight: Weight,
    pub answer: Listed,
    pub removal: String,
}

/// What one provider has done with our mail lately.
#[derive(Clone, Debug, Default)]
pub struct ProviderFacts {
    /// Name as people know it.
    pub name: String,
    pub delivered: u32,
    pub deferred: u32,
    pub refused: u32,
    /// Usual share of deferred mail.
    pub usual_deferred_share: Option<f64>,
    /// Open incident: what it means and what to do.
    pub incident: Option<(String, String)>,
    /// Accepts our connection (probed without sending).
    pub takes_connection: Option<bool>,
    /// The last test messages landed in spam, newest first.
    pub placed_in_spam: Option<Vec<bool>>,
}

#[derive(Clone, Debug, Default)]
pub struct ReputationFacts {
    pub listings: Option<Vec<ListingFacts>>,
    pub providers: Vec<ProviderFacts>,
    /// Messages to Gmail in 24 hours, by registered domain.
    pub gmail_day: Option<BTreeMap<String, u32>>,
    /// Share of sent mail that came back as undeliverable, and how many were sent.
    pub bounce_share: Option<(f64, u32)>,
    pub complaint_share: Option<(f64, u32)>,
    pub allow_listed: Option<bool>,
    pub snds_link_since: Option<u64>,
    pub snds_access_since: Option<u64>,
    pub imprint_reachable: Option<bool>,
    pub safe_browsing_clean: Option<bool>,
    pub manual_lookups_at: Option<u64>,
    pub alerts_outside: Option<bool>,
}

/// How mail programs find their settings.
#[derive(Clone, Debug, Default)]
pub struct ClientFacts {
    /// Fault of the Thunderbird file, if any.
    pub autoconfig: Option<Result<(), String>>,
    /// Fault of the Outlook answer, if any.
    pub autodiscover: Option<Result<(), String>>,
    /// Fault of the Apple profile, if any.
    pub apple_profile: Option<Result<(), String>>,
    /// Step of the test login that failed, if any.
    pub login: Option<Result<(), String>>,
    /// Records that still name the provider before: name and value.
    pub old_records: Option<Vec<(String, String)>>,
}

#[derive(Clone, Debug, Default)]
pub struct BackupFacts {
    pub last_good: Option<u64>,
    pub offsite: Option<bool>,
    pub restore_tested: Option<u64>,
    pub holds_keys: Option<bool>,
}

/// Mail on its way.
#[derive(Clone, Debug, Default)]
pub struct PostFacts {
    pub queued: Option<u32>,
    pub usual_queued: Option<u32>,
    /// Oldest message, and the last reply to it.
    pub oldest: Option<(u64, String)>,
    /// The account that owns most of the queue, and its share.
    pub biggest_owner: Option<(String, f64)>,
    pub canary_ok: Option<bool>,
    pub last_inbound: Option<u64>,
    /// The longest silence that is normal, in seconds.
    pub usual_inbound_gap: Option<u64>,
}

/// An account whose sending an alarm or the operator stopped.
#[derive(Clone, Debug)]
pub struct StoppedFacts {
    pub account: String,
    /// What it sends is refused; else it is taken in and held.
    pub locked: bool,
    pub since: u64,
}

/// A milter or a virus scanner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterFacts {
    pub name: String,
    pub at: String,
    /// Why it cannot be asked.
    pub problem: Option<String>,
    /// Mail waits while it cannot be asked; else it passes unseen.
    pub defers: bool,
}

#[derive(Clone, Debug, Default)]
pub struct HealthFacts {
    /// Free share of each volume.
    pub disks: Option<Vec<(String, f64)>>,
    pub disk_full_in_days: Option<u32>,
    pub memory_free: Option<f64>,
    pub killed_for_memory: Option<bool>,
    pub clock_off_millis: Option<u64>,
    /// Services that do not answer.
    pub silent_services: Option<Vec<String>>,
    pub restarts_last_hour: Option<u32>,
    pub post: PostFacts,
    /// Accounts that do not send.
    pub stopped: Option<Vec<StoppedFacts>>,
    /// Messages that filters and rules hold for the operator: how many, and since when the oldest lies there.
    pub held: Option<(u32, u64)>,
    /// Programs of others that look at each message.
    pub filters: Option<Vec<FilterFacts>>,
    /// Why the kernel's firewall takes no bans, if it is to and does not.
    pub firewall: Option<Option<String>>,
    pub acme_last_error: Option<Option<String>>,
    pub backup: BackupFacts,
    /// A newer version, and whether it mends a security fault.
    pub newer_version: Option<Option<(String, bool)>>,
    pub os_updates: Option<bool>,
    pub reboot_needed: Option<bool>,
    pub login_guard: Option<bool>,
    pub own_address_banned: Option<bool>,
    pub failed_logins_times_usual: Option<f64>,
    pub report_faults: Option<u32>,
    pub alert_tested: Option<u64>,
    pub admins_without_second_factor: Option<Vec<String>>,
    pub readable_secrets: Option<Vec<String>>,
    pub store_sound: Option<bool>,
}
