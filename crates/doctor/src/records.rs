//! Which DNS records a mail domain should have and which it should not have any more, each with its reason in one sentence.
//! How they look in a zone file is in `zone.rs`; whether they are there is not asked here.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What is known of one domain and of the host that carries its mail. Names are in A-label form, without
/// the dot at the end.
#[derive(Clone, Debug)]
pub struct DomainFacts {
    pub domain: String,
    /// The name that the server says in its greeting and that its certificate carries.
    pub host: String,
    /// The addresses from which the host is reached and from which it sends. May be empty when unknown.
    pub addresses: Vec<IpAddr>,
    /// The public half of each signing key that is known.
    pub dkim: Vec<DkimFact>,
    /// Who takes the reports of other servers.
    pub reports: ReportAddresses,
    pub sending: Sending,
    pub services: Services,
    /// What is served at `mta-sts.DOMAIN`; `None` when nothing is.
    pub mta_sts: Option<MtaStsFact>,
    /// The keys of the certificates that mail servers are shown (RFC 6698), as SHA-256 of the public key.
    pub certificate_keys: Vec<[u8; 32]>,
    /// Who makes our certificates, by its name in CAA records, such as `letsencrypt.org`; `None` where nobody is asked or its
    /// name is not known.
    pub authority: Option<String>,
}

/// One DKIM key: its selector and the text of its record (RFC 6376 §3.6.1).
#[derive(Clone, Debug)]
pub struct DkimFact {
    pub selector: String,
    pub record: String,
    pub stage: DkimStage,
}

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimStage {
    /// Signs once its record has been seen.
    Coming,
    Active,
    /// Does not sign any more; what it signed is still on the way.
    Kept,
    /// Nobody needs it.
    Retired,
}

/// The addresses of the domain at which reports are read.
#[derive(Clone, Debug)]
pub struct ReportAddresses {
    pub dmarc: String,
    pub tls: String,
}

/// The domain's MTA-STS policy (RFC 8461).
#[derive(Clone, Debug)]
pub struct MtaStsFact {
    /// Another one whenever the policy is another.
    pub id: String,
    /// `testing`, `enforce` or `none`.
    pub mode: &'static str,
}

/// How mail of the domain leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// From the host's own addresses only.
    Direct,
    /// Some or all through somebody else's server, whose addresses we do not know.
    ThroughRelay,
}

/// The ports on which mail programs find the encrypted services; `None` when one is off.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    pub submissions: Option<u16>,
    pub imaps: Option<u16>,
    pub pop3s: Option<u16>,
}

/// The type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    Mx,
    A,
    Aaaa,
    Txt,
    Srv,
    Ptr,
    Cname,
    Tlsa,
    Ns,
    Soa,
    Caa,
}

/// What is to be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It should be there.
    Publish,
    /// It was needed once; now it should go.
    Remove,
}

/// A record that should exist, or should not exist any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWish {
    /// The full name, without the dot at the end.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub ttl: u32,
    /// What the record holds: for TXT the bare text, whole; names in other kinds end with a dot.
    pub value: String,
    pub action: Action,
    /// Why it is needed, in one sentence.
    pub why: String,
}

/// An hour: long enough to be cached, short enough that a mistake is gone before lunch.
const TTL_SECS: u32 = 3600;

/// All records of the domain, in the order in which a person would enter them.
pub fn for_domain(facts: &DomainFacts) -> Vec<RecordWish> {
    let mut wishes = vec![wish(
        &facts.domain,
        Kind::Mx,
        format!("10 {}.", facts.host),
        format!(
            "Tells the world that mail for {} goes to this server.",
            facts.domain
        ),
    )];
    wishes.extend(addresses(facts));
    wishes.extend(sender_policy(facts));
    wishes.extend(signing_keys(facts));
    wishes.extend(policy(facts));
    wishes.extend(transport(facts));
    wishes.extend(certificate_authority(facts));
    wishes.extend(services(facts));
    wishes.extend(client_setup(facts));
    wishes.extend(reverse_names(facts));
    wishes
}

fn addresses(facts: &DomainFacts) -> impl Iterator<Item = RecordWish> {
    facts.addresses.iter().map(|address| {
        let kind = if address.is_ipv4() {
            Kind::A
        } else {
            Kind::Aaaa
        };
        wish(
            &facts.host,
            kind,
            address.to_string(),
            "Where the server is found.".to_owned(),
        )
    })
}

/// SPF for the domain and, because bounces carry no sender, for the name in HELO (RFC 7208 §2.4).
fn sender_policy(facts: &DomainFacts) -> Vec<RecordWish> {
    let (policy, why) = match facts.sending {
        Sending::Direct => (
            "v=spf1 mx -all",
            "SPF: says that mail of this domain comes from its mail server and from nowhere else.",
        ),
        Sending::ThroughRelay => (
            "v=spf1 mx ~all",
            "SPF: mail also leaves through a relay, so add the include that the relay's manual names before ~all.",
        ),
    };
    let mut wishes = vec![wish(
        &facts.domain,
        Kind::Txt,
        policy.to_owned(),
        why.to_owned(),
    )];
    if facts.host != facts.domain {
        wishes.push(wish(
            &facts.host,
            Kind::Txt,
            "v=spf1 a -all".to_owned(),
            "SPF for the server's own name, which stands in for the sender of delivery reports."
                .to_owned(),
        ));
    }
    wishes
}

fn signing_keys(facts: &DomainFacts) -> impl Iterator<Item = RecordWish> {
    facts.dkim.iter().map(|key| {
        let (action, why) = match key.stage {
            DkimStage::Active => (
                Action::Publish,
                "DKIM: the key with which receivers check the signature on mail from this domain.",
            ),
            DkimStage::Coming => (
                Action::Publish,
                "DKIM: a new key, which signs only when this record has been seen for an hour, so publish it now.",
            ),
            DkimStage::Kept => (
                Action::Publish,
                "DKIM: the key before, kept until seven days after its last use because mail that it signed is still on the way.",
            ),
            DkimStage::Retired => (
                Action::Remove,
                "DKIM: an old key that nobody needs any more, so remove this record.",
            ),
        };
        RecordWish {
            action,
            ..wish(
                &format!("{}._domainkey.{}", key.selector, facts.domain),
                Kind::Txt,
                key.record.clone(),
                why.to_owned(),
            )
        }
    })
}

/// p=none asks for nothing but attention while the set-up is young. np=reject is safe at once: nobody sends
/// from names that do not exist (RFC 9989).
fn policy(facts: &DomainFacts) -> [RecordWish; 1] {
    [wish(
        &format!("_dmarc.{}", facts.domain),
        Kind::Txt,
        format!("v=DMARC1; p=none; np=reject; rua=mailto:{0}; ruf=mailto:{0}", facts.reports.dmarc),
        "DMARC: big providers ask for it and report who sends in your name; begin with p=none, and tighten when all your mail passes.".to_owned(),
    )]
}

/// What other servers need to reach this one over TLS and nobody else, and whom they tell when they cannot.
fn transport(facts: &DomainFacts) -> Vec<RecordWish> {
    let domain = &facts.domain;
    let mut wishes = vec![wish(
        &format!("_smtp._tls.{domain}"),
        Kind::Txt,
        format!("v=TLSRPTv1; rua=mailto:{}", facts.reports.tls),
        "TLS reports: other servers tell you when they cannot reach yours encrypted.".to_owned(),
    )];
    if let Some(policy) = &facts.mta_sts {
        wishes.push(wish(
            &format!("mta-sts.{domain}"),
            Kind::Cname,
            format!("{}.", facts.host),
            format!("MTA-STS: where senders fetch the policy by HTTPS, for which a certificate must carry the name mta-sts.{domain}."),
        ));
        wishes.push(wish(
            &format!("_mta-sts.{domain}"),
            Kind::Txt,
            format!("v=STSv1; id={}", policy.id),
            format!("MTA-STS: says that there is a policy (mode {}), with an id that changes when the policy does.", policy.mode),
        ));
    }
    let mut pins: Vec<String> = facts.certificate_keys.iter().map(pin).collect();
    pins.dedup();
    wishes.extend(pins.into_iter().map(|value| {
        wish(
            &format!("_25._tcp.{}", facts.host),
            Kind::Tlsa,
            value,
            "DANE: pins the key of this server's certificate, only for a zone signed with DNSSEC; when the key changes, this must change first."
                .to_owned(),
        )
    }));
    wishes
}

/// The key itself (3), by its public part (1), as SHA-256 (1): outlives a renewal that keeps the key (RFC 7672 §3.1.1).
fn pin(hash: &[u8; 32]) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("3 1 1 {hex}")
}

/// Only this one may make certificates for the domain and what is below it (RFC 8659).
fn certificate_authority(facts: &DomainFacts) -> Option<RecordWish> {
    facts.authority.as_ref().map(|authority| {
        wish(
            &facts.domain,
            Kind::Caa,
            format!("0 issue \"{authority}\""),
            format!("CAA: lets {authority} make certificates for this domain, and nobody else who is not named beside it."),
        )
    })
}

/// Where Thunderbird and Outlook look for settings; both are served by HTTPS beside the MTA-STS policy.
fn client_setup(facts: &DomainFacts) -> Vec<RecordWish> {
    if facts.mta_sts.is_none() {
        return Vec::new();
    }
    let programs = [
        ("autoconfig", "Thunderbird and others"),
        ("autodiscover", "Outlook"),
    ];
    programs
        .into_iter()
        .map(|(label, who)| {
            wish(
                &format!("{label}.{}", facts.domain),
                Kind::Cname,
                format!("{}.", facts.host),
                format!("Where {who} the settings of an account, so that nobody has to type them."),
            )
        })
        // The host itself may have such a name, and a name that leads to itself leads nowhere.
        .filter(|wish| wish.name != facts.host)
        .collect()
}

/// RFC 6186 and RFC 8314 §5.1. POP3 has the higher number: a program that knows both should take IMAP.
fn services(facts: &DomainFacts) -> Vec<RecordWish> {
    let offered = [
        ("_submissions._tcp", 0, facts.services.submissions, "send"),
        ("_imaps._tcp", 0, facts.services.imaps, "read"),
        ("_pop3s._tcp", 10, facts.services.pop3s, "fetch"),
    ];
    offered
        .into_iter()
        .filter_map(|(service, priority, port, verb)| {
            port.map(|port| {
                wish(
                    &format!("{service}.{}", facts.domain),
                    Kind::Srv,
                    format!("{priority} 1 {port} {}.", facts.host),
                    format!("Lets mail programs find by themselves where to {verb} mail."),
                )
            })
        })
        .collect()
}

fn reverse_names(facts: &DomainFacts) -> impl Iterator<Item = RecordWish> {
    facts.addresses.iter().filter(|address| !address.is_loopback()).map(|address| {
        wish(
            &reverse_name(*address),
            Kind::Ptr,
            format!("{}.", facts.host),
            "Reverse name: set at the provider of the address; many servers refuse mail from an address without it."
                .to_owned(),
        )
    })
}

fn wish(name: &str, kind: Kind, value: String, why: String) -> RecordWish {
    RecordWish {
        name: name.to_owned(),
        kind,
        ttl: TTL_SECS,
        value,
        action: Action::Publish,
        why,
    }
}

/// The name under which the reverse record of an address lies (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::with_capacity(72);
            for octet in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Mx => "MX",
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Txt => "TXT",
            Kind::Srv => "SRV",
            Kind::Ptr => "PTR",
            Kind::Cname => "CNAME",
            Kind::Tlsa => "TLSA",
            Kind::Ns => "NS",
            Kind::Soa => "SOA",
            Kind::Caa => "CAA",
        })
    }
}
