//! The doctor's checks: what was observed comes in, findings with their remedies go out.
//! Looks at nothing itself. What was not observed (`None`, or no answer kept) gives no finding.
//!
//! ```text
//! questions(&facts) -> DNS questions to ask, until none is left
//! Facts -> examine(&facts) -> Vec<Finding>, the most effective first -> Score
//! explain("ip.ptr4.exists") -> what it is, why it matters
//! ```

mod address;
mod clients;
mod dkim;
mod dmarc;
mod dns;
mod facts;
mod finding;
mod health;
mod host;
pub mod limits;
mod message;
mod parse;
mod ports;
mod questions;
mod reputation;
mod score;
mod smtp;
mod spf;
mod tls;
mod transport;

pub use facts::{
    AcmeWay, AddressFacts, Answer, BackupFacts, Certificate, ClientFacts, DnsFacts, Facts,
    FilterFacts, HealthFacts, Listed, ListingFacts, Nameserver, PortFacts, PostFacts,
    ProviderFacts, Registration, ReputationFacts, ResolverFacts, SenderFacts, SettingFacts,
    SmtpFacts, SpfResult, StoppedFacts, StsFacts, TlsFacts, Weight, ZoneFacts,
};
pub use finding::{Change, Check, Finding, Fix, Group, Light, Severity, Who};
pub use message::{MessageContext, judge};
pub use questions::{ROUNDS_MAX, questions};
pub use score::{Score, score};

use finding::Found;

/// All checks of the server and its domains, in the order of their groups.
pub fn all() -> impl Iterator<Item = &'static Check> {
    tables().into_iter().flatten()
}

fn tables() -> [&'static [Check]; 14] {
    [
        dns::CHECKS,
        host::CHECKS,
        address::CHECKS,
        ports::CHECKS,
        tls::CHECKS,
        transport::CHECKS,
        smtp::CHECKS,
        spf::CHECKS,
        dkim::CHECKS,
        dmarc::CHECKS,
        reputation::CHECKS,
        clients::CHECKS,
        health::CHECKS,
        message::CHECKS,
    ]
}

/// What a check is and why it matters.
pub fn explain(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}

/// Everything that is wrong, the most effective remedy first.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut found = Found::default();
    for check in all() {
        found.start(check);
        (check.run)(facts, &mut found);
    }
    score::order(found.into_findings())
}
