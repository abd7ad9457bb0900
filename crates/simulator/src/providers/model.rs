//! What a provider's data file says: names, limits, reputation, and rules with their replies.
//! Only data: `facts.rs` says when a condition holds.

use serde::Deserialize;

use super::range::Range;

/// One provider, as `crates/simulator/providers/*.toml` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    pub id: String,
    /// As `knowledge/providers.toml` calls it.
    pub group: String,
    /// When the real one was last looked at.
    pub date: String,
    pub exchange: Vec<Exchange>,
    /// Several lines where the real one says several, here and in all replies.
    pub greeting: String,
    pub ehlo: Vec<String>,
    pub taken: String,
    pub limits: Limits,
    pub reputation: Reputation,
    pub tier: Vec<Tier>,
    pub rule: Vec<Rule>,
}

/// Domains and the hosts that take their mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub domains: Vec<String>,
    /// Preference and name.
    pub hosts: Vec<(u16, String)>,
}

/// Limits that do not depend on reputation. What is missing is not limited.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Messages on one connection.
    pub per_connection: usize,
    /// Recipients in a day from one organisational domain that make it a bulk sender for ever.
    pub bulk_per_day: usize,
    /// After a rate limit the address must be silent for so long; then one connection, and one
    /// more for each success.
    pub penalty_secs: u64,
    pub domain_per_hour: usize,
    pub recipient_per_hour: usize,
    /// Messages with the same Message-ID.
    pub same_message_id: usize,
    /// Unknown recipients in an hour.
    pub unknown_per_hour: usize,
    pub size: usize,
    /// Strangers are refused until the postmaster lets them in.
    pub default_deny: bool,
    /// Who was silent for so many days is a stranger again.
    pub forget_days: u64,
    /// The sizes of a range that is remembered as one.
    pub range_v4: u8,
    pub range_v6: u8,
    pub spam_words: Vec<String>,
    pub phishing_words: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_connection: usize::MAX,
            bulk_per_day: usize::MAX,
            penalty_secs: 0,
            domain_per_hour: usize::MAX,
            recipient_per_hour: usize::MAX,
            same_message_id: usize::MAX,
            unknown_per_hour: usize::MAX,
            size: 50 << 20,
            default_deny: false,
            forget_days: u64::MAX,
            range_v4: 24,
            range_v6: 64,
            spam_words: Vec::new(),
            phishing_words: Vec::new(),
        }
    }
}

impl Limits {
    pub(super) fn range_of(&self, address: std::net::IpAddr) -> Range {
        let prefix = match address {
            std::net::IpAddr::V4(_) => self.range_v4,
            std::net::IpAddr::V6(_) => self.range_v6,
        };
        Range::around(address, prefix)
    }
}

/// Points from 0 to 100.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reputation {
    /// Of an address, or a range, never seen.
    pub start: f64,
    /// For an authenticated message that was taken into the inbox, and the most of it in a day.
    pub good: f64,
    pub good_per_day: f64,
    /// For a user who says "spam".
    pub complaint: f64,
    /// Of a quiet address below the start, per day.
    pub heals_per_day: f64,
    /// Who was silent for so many days is new again.
    pub cold_days: u64,
    /// How much of what an address does counts for its range.
    pub range_share: f64,
    pub poor: f64,
    pub bad: f64,
}

/// What an address may do that has so many points (or more).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tier {
    pub from: f64,
    pub connections: usize,
    pub per_minute: usize,
    pub per_day: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    pub id: String,
    pub at: Point,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// As the real one words it; with `{ip}`, `{helo}` and so on. Without it the connection is closed
    /// without a word, or the message taken into the spam folder.
    pub reply: Option<String>,
    /// How `knowledge/replies.toml` should understand the reply.
    pub class: Option<String>,
    #[serde(default)]
    pub close: bool,
    #[serde(default)]
    pub spam: bool,
    /// Points that the address loses.
    #[serde(default)]
    pub cost: f64,
}

/// A point of the conversation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Instead of the greeting.
    Connect,
    Ehlo,
    Mail,
    Recipient,
    /// After the message.
    End,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The provider has trouble of its own.
    Trouble,
    AddressBlocked,
    RangeBlocked,
    AddressPoor,
    AddressBad,
    RangePoor,
    RangeBad,
    /// On a public block list that the provider asks.
    Listed,
    /// In dynamic space, by list or by the look of its name.
    DialUp,
    /// Not let in yet, or too long ago.
    Stranger,
    /// No reverse name that leads back.
    NoPtr,
    GenericPtr,
    PtrNotHelo,
    HeloChanges,
    Ipv6,
    NoTls,
    OverConnections,
    OverMessages,
    OverMinute,
    OverDay,
    OverDomainHour,
    OverRecipientHour,
    SameMessageId,
    ManyUnknown,
    Bulk,
    SpfFail,
    NoSpf,
    NoDkim,
    /// Neither SPF nor DKIM passes.
    NoAuthentication,
    /// SPF, DKIM and DMARC do not all pass.
    NotAllPass,
    NoDmarc,
    NotAligned,
    DmarcReject,
    DmarcQuarantine,
    /// The names of the sender could not be looked up.
    DnsTrouble,
    NoSuchUser,
    Full,
    Inactive,
    SeveralDomains,
    NoSenderDomain,
    NullMx,
    Spam,
    Phishing,
    /// More than one, or none, of what there must be one of.
    Malformed,
    TooLarge,
}

const FILES: [&str; 6] = [
    include_str!("../../providers/gmail.toml"),
    include_str!("../../providers/microsoft.toml"),
    include_str!("../../providers/yahoo.toml"),
    include_str!("../../providers/apple.toml"),
    include_str!("../../providers/gmx.toml"),
    include_str!("../../providers/t-online.toml"),
];

impl Model {
    /// # Panics
    /// When there is none of that name, or its file is wrong.
    pub fn built_in(id: &str) -> Self {
        let model = Self::all().into_iter().find(|model| model.id == id);
        model.unwrap_or_else(|| panic!("no provider is called {id:?}"))
    }

    /// # Panics
    /// When a file is wrong.
    pub fn all() -> Vec<Self> {
        let parse = |text: &&str| toml::from_str(text).unwrap_or_else(|why| panic!("{why}"));
        FILES.iter().map(parse).collect()
    }

    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.exchange
            .iter()
            .flat_map(|exchange| exchange.domains.iter().map(String::as_str))
    }

    pub(super) fn tier(&self, points: f64) -> &Tier {
        let fits = |tier: &&Tier| tier.from <= points;
        let tier = self.tier.iter().rev().find(fits).or(self.tier.first());
        tier.expect("a provider's file has a tier")
    }
}
