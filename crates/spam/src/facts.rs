//! What is known of a message from outside of it: who proved to have sent it, what its people did before,
//! what lists and other programs say. All of it is gathered elsewhere; the default is that nothing is known.

use std::net::IpAddr;

use mail::Address;
use serde::{Deserialize, Serialize};

/// How a message came: for the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope<'a> {
    pub peer: Option<IpAddr>,
    /// What the peer called itself; empty where it is not known.
    pub hello: &'a str,
    /// Confirmed by a forward look-up. `Some("")`: it was looked for, and there is none.
    pub reverse_name: Option<&'a str>,
    /// The reverse-path, where it is an address.
    pub from: Option<&'a Address>,
    pub recipients: &'a [Address],
    /// Our own domains, in lower case, beside those of the recipients.
    pub own_domains: &'a [String],
    /// Our own host names: nobody else may use them as a HELO.
    pub own_hosts: &'a [String],
}

/// What outside rooms found out for one recipient. `Default`: nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub authentication: Authentication,
    pub history: History,
    /// What blocklists say of the peer, of the author's domain, of links.
    pub listed: Vec<Listed>,
    pub reputation: Reputation,
    /// What this account taught, of this message.
    pub account_taught: Opinion,
    /// What all accounts taught together.
    pub server_taught: Opinion,
    /// Entries of the allow and block lists that fit.
    pub lists: Vec<ListEntry>,
    /// Milters and virus scanners.
    pub other_filters: Vec<OtherFilter>,
}

/// Whether the author (the domain of From) is who it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// The address in From, lower-case domain.
    pub author: Option<String>,
    pub proof: Proof,
    /// The author's domain is one of ours.
    pub author_is_ours: bool,
    /// SPF passes for the very domain of the reverse-path.
    pub reverse_path_is_proven: bool,
    /// It came by a detour that explains why a signature broke: a mailing list, a trusted forwarder.
    pub detour: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nobody looked, or the DNS did not answer.
    #[default]
    Unknown,
    /// DMARC passes; or, without a DMARC record, SPF or DKIM passes for a domain aligned with From.
    Proven,
    /// Looked at: nothing speaks for the author, and the domain promises nothing (no DMARC record).
    Unproven,
    /// The domain has a DMARC record, and the message fails.
    Failed,
}

/// The account's own past with the author. Counts only where the author is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Messages that this account sent to exactly this address.
    pub written_to_address: u32,
    /// Messages that this account sent to other addresses at this domain.
    pub written_to_domain: u32,
    /// Messages of this address that came to this account, were proven and stayed wanted.
    pub received_wanted: u32,
    /// Messages of this address that ended in Junk by the hand of this account.
    pub received_junk: u32,
    /// Mail of this address came from this network before, each time.
    pub same_network: bool,
    /// It answers (In-Reply-To, References) a message that this account sent.
    pub answers_us: bool,
}

/// One listing of one blocklist. RFC 5782
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub zone: String,
    pub of: ListedOf,
    /// The address or domain that is listed.
    pub subject: String,
    /// See [`crate::blocklist::Blocklist::log_odds`].
    pub weight: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListedOf {
    /// The host that sent it.
    Peer,
    /// The author's domain, the reverse-path's, the HELO's.
    Sender,
    /// A domain that a link leads to.
    Link,
}

/// What this server saw before. `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reputation {
    /// Of the sending host.
    pub address: Option<Standing>,
    /// Of its network.
    pub network: Option<Standing>,
    /// Of the author's registrable domain; weighed only where the author is proven.
    pub domain: Option<Standing>,
}

/// What came before from one address, network or domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// As it is written, for words: `192.0.2.0/24`.
    pub name: String,
    /// Above nothing: junk came. Already small where little came.
    pub log_odds: f32,
}

/// What was learnt says something of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Opinion {
    /// Above nothing: junk.
    pub log_odds: f32,
    /// From nothing (nothing was taught) to one.
    pub confidence: f32,
}

/// An entry of an allow or block list that fits the message. Where several of one list fit by the same name, the narrower
/// comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    pub wish: ListWish,
    pub by: ListBy,
    pub of: ListOf,
    /// The address or domain, as it stands on the list.
    pub entry: String,
    /// The operator wants it to count though nothing proves that name (allow only).
    pub even_unproven: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListWish {
    Allow,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListBy {
    Account,
    Domain,
    Server,
}

/// By which name of the sender an entry fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListOf {
    /// The address in From.
    Author,
    ReversePath,
    /// The host that sent it.
    Peer,
}

impl ListBy {
    pub fn words(self) -> &'static str {
        match self {
            ListBy::Account => "the account",
            ListBy::Domain => "the domain",
            ListBy::Server => "the server",
        }
    }
}

/// What another program said.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherFilter {
    /// `rspamd`, `clamd`.
    pub name: String,
    pub said: FilterSaid,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FilterSaid {
    /// Its score, and from where on it calls a message spam.
    Score {
        score: f32,
        threshold: f32,
    },
    Spam,
    Ham,
    /// The name of what it found.
    Virus(String),
    /// What it wanted to be done with the message that is not one of these (`quarantine: …`).
    Quarantine(String),
}
