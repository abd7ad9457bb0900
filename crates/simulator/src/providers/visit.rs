//! One connection to a provider as the provider knows it, and what it learns from a message.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use mail::header::{self, Field};
use mailauth::dmarc::organizational_domain;
use mailauth::iprev::{Iprev, IprevReason, IprevResult};
use mailauth::spf::SpfResult;
use mailauth::verdict::{Early, Verdict};
use world::{AnswerStatus, Dns, DnsError, Kind, Record};

use super::model::Limits;

pub(super) struct Visit {
    pub(super) number: usize,
    pub(super) peer: SocketAddr,
    pub(super) name: Iprev,
    pub(super) helo: String,
    pub(super) tls: Option<String>,
    /// Taken on this connection.
    pub(super) messages: usize,
    pub(super) envelope: Option<Envelope>,
    /// The recipient that is asked for now.
    pub(super) recipient: String,
    pub(super) message: Option<Seen>,
}

pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) early: Early,
    pub(super) domain: DomainState,
    pub(super) to: Vec<String>,
}

/// Whether a sender's domain can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DomainState {
    Good,
    Missing,
    /// RFC 7505.
    NullMx,
    Unknown,
}

/// What a message shows.
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// Of the author.
    pub(super) organisation: String,
    pub(super) author: DomainState,
    pub(super) id: String,
    pub(super) size: usize,
    pub(super) is_malformed: bool,
    pub(super) is_spam: bool,
    pub(super) is_phishing: bool,
}

impl Visit {
    pub(super) fn ip(&self) -> IpAddr {
        self.peer.ip()
    }

    pub(super) fn has_no_name(&self) -> bool {
        self.name.result != IprevResult::Pass && self.name.reason != Some(IprevReason::Dns)
    }

    /// A name that a hoster or an access provider made from the address.
    pub(super) fn has_generic_name(&self) -> bool {
        let Some(name) = self.name.confirmed_name() else {
            return false;
        };
        let IpAddr::V4(ip) = self.ip() else {
            return false;
        };
        let [a, b, c, d] = ip.octets();
        let made = [
            format!("{a}-{b}-{c}-{d}"),
            format!("{d}-{c}-{b}-{a}"),
            format!("{a}.{b}.{c}.{d}"),
            format!("{d}.{c}.{b}.{a}"),
        ];
        made.iter().any(|made| name.contains(made.as_str()))
            || ["dyn", "dialup", "pool", "dsl", "dip"]
                .iter()
                .any(|word| name.split(['.', '-']).any(|label| label == *word))
    }

    /// How many domains the recipients have, with the one asked for now.
    pub(super) fn domains(&self) -> usize {
        let taken = self.envelope.iter().flat_map(|envelope| &envelope.to);
        let all = taken.chain([&self.recipient]);
        let domains: BTreeSet<_> = all.map(|address| domain_of(address)).collect();
        domains.len()
    }

    /// Of the reverse-path, or of the HELO name where that is null.
    pub(super) fn spf(&self) -> Option<SpfResult> {
        self.envelope
            .as_ref()
            .map(|envelope| envelope.early.spf.result)
    }
}

impl Seen {
    pub(super) async fn of(
        dns: &dyn Dns,
        limits: &Limits,
        verdict: Verdict,
        message: &[u8],
    ) -> Self {
        let author = verdict.dmarc.domain.clone().unwrap_or_default();
        let organisation = match &verdict.dmarc.org_domain {
            Some(known) => Some(known.clone()),
            None => organizational_domain(dns, &author).await,
        };
        let text = String::from_utf8_lossy(message);
        let has_one_of = |words: &[String]| words.iter().any(|word| text.contains(word.as_str()));
        Self {
            author: domain_state(dns, &author).await,
            organisation: organisation.unwrap_or(author),
            id: only(message, "Message-ID").unwrap_or_default(),
            size: message.len(),
            is_malformed: is_malformed(message),
            is_spam: has_one_of(&limits.spam_words),
            is_phishing: has_one_of(&limits.phishing_words),
            verdict,
        }
    }

    pub(super) fn has_dkim(&self) -> bool {
        self.verdict
            .dkim
            .iter()
            .any(mailauth::dkim::Verdict::passed)
    }

    pub(super) fn has_spf(&self) -> bool {
        self.verdict.spf.result == SpfResult::Pass
    }

    pub(super) fn is_aligned(&self) -> bool {
        self.verdict.dmarc.spf_aligned || self.verdict.dmarc.dkim_aligned
    }
}

pub(super) async fn domain_state(dns: &dyn Dns, domain: &str) -> DomainState {
    if domain.is_empty() {
        return DomainState::Good;
    }
    match dns.ask(domain, Kind::Mx).await {
        Ok(answer) if answer.status == AnswerStatus::NoSuchName => DomainState::Missing,
        Ok(answer) => {
            let is_null = |record: &Record| matches!(record, Record::Mx { exchange, .. } if exchange == "." || exchange.is_empty());
            match answer.records.iter().any(is_null) {
                true => DomainState::NullMx,
                false => DomainState::Good,
            }
        }
        Err(DnsError::TimedOut) => DomainState::Unknown,
        Err(_) => DomainState::Unknown,
    }
}

pub(super) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// RFC 5322 §3.6: what there may be one of, and must be.
fn is_malformed(message: &[u8]) -> bool {
    let fields: Vec<Field<'_>> = header::fields(message).collect();
    let count = |name: &str| fields.iter().filter(|field| field.is(name)).count();
    let single = ["From", "Date", "Message-ID"];
    let at_most = ["Subject", "To", "Cc", "Sender", "Reply-To", "MIME-Version"];
    single.iter().any(|name| count(name) != 1) || at_most.iter().any(|name| 1 < count(name))
}

fn only(message: &[u8], name: &str) -> Option<String> {
    let field = header::fields(message).find(|field| field.is(name))?;
    Some(String::from_utf8_lossy(field.value).trim().to_owned())
}
