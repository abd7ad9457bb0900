//! One incident per provider and cause: opened by the first refusal, closed by the first success.
//! Pure: whoever keeps the rows asks here what becomes of them, and tells people only of `Change`s.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::class::{Class, Subject};
use super::classified::Classified;
use super::wait::Scope;

/// Others' senders that are remembered by name; beyond that only counted.
const SENDERS_MAX: usize = 50;

/// Within so many seconds refusals of several providers count as one trouble of ours.
const SAME_TIME_SECS: u64 = 3600;

/// Our mail and one provider do not get on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Incident {
    /// `Classified::incident_key`, with the sender's domain where only that is concerned.
    pub key: String,
    pub provider: String,
    pub class: Class,
    pub rule: String,
    /// Set where the provider is cross with one sender's domain only.
    pub sender_domain: Option<String>,
    pub opened: u64,
    pub last: u64,
    pub closed: Option<u64>,
    pub refusals: u32,
    /// Accounts whose mail it met.
    pub senders: BTreeSet<String>,
    pub tags: Vec<String>,
    /// The first reply, as it came.
    pub sample: String,
}

/// One refusal, as an incident needs it.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    pub at: u64,
    pub sender: &'a str,
    pub sender_domain: &'a str,
    pub reply: &'a str,
}

/// What people are told: each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Opened(Incident),
    /// Counted within an open one; nobody is told.
    Again(Incident),
    Closed(Incident),
}

impl Classified<'_> {
    /// Whether it is about us and a provider, not about one message, recipient or their own trouble.
    pub fn opens_incident(&self) -> bool {
        match self.class {
            Class::Reputation | Class::Authentication | Class::Dns | Class::Tls => true,
            Class::Rate | Class::Policy => matches!(self.subject, Subject::Ip | Subject::Range),
            Class::Content
            | Class::Full
            | Class::NoSuchUser
            | Class::Greylisting
            | Class::Theirs
            | Class::Protocol => false,
        }
    }
}

/// A refusal was met; `open` are the open incidents. `None`: no matter for an incident.
pub fn refused(open: &[Incident], classified: &Classified<'_>, met: Met<'_>) -> Option<Change> {
    if !classified.opens_incident() {
        return None;
    }
    let of_domain = classified.scope == Scope::SenderDomain;
    let sender_domain = of_domain.then(|| met.sender_domain.to_owned());
    let mut key = classified.incident_key();
    if let Some(domain) = &sender_domain {
        key.push('/');
        key.push_str(domain);
    }
    let known = open
        .iter()
        .find(|incident| incident.key == key && incident.closed.is_none());
    let mut incident = known.cloned().unwrap_or_else(|| Incident {
        key,
        provider: classified.provider.clone(),
        class: classified.class,
        rule: classified.rule.to_owned(),
        sender_domain,
        opened: met.at,
        last: met.at,
        closed: None,
        refusals: 0,
        senders: BTreeSet::new(),
        tags: classified.tags.clone(),
        sample: met.reply.to_owned(),
    });
    incident.last = incident.last.max(met.at);
    incident.refusals = incident.refusals.saturating_add(1);
    if incident.senders.len() < SENDERS_MAX {
        incident.senders.insert(met.sender.to_owned());
    }
    Some(match known {
        Some(_) => Change::Again(incident),
        None => Change::Opened(incident),
    })
}

/// The provider took a message of this sender's domain from us, not through a relay: what that closes.
pub fn accepted(open: &[Incident], provider: &str, sender_domain: &str, at: u64) -> Vec<Change> {
    open.iter()
        .filter(|incident| {
            let concerns = incident
                .sender_domain
                .as_ref()
                .is_none_or(|domain| domain == sender_domain);
            // A message that left before the refusal proves nothing.
            incident.closed.is_none()
                && incident.provider == provider
                && concerns
                && incident.last <= at
        })
        .map(|incident| {
            Change::Closed(Incident {
                closed: Some(at),
                ..incident.clone()
            })
        })
        .collect()
}

/// Several providers refuse for our names, encryption or standing within the same hour: the trouble is ours, and the
/// whole list of checks should run at once.
pub fn is_ours(open: &[Incident]) -> bool {
    let about_us = |incident: &&Incident| {
        incident.closed.is_none()
            && matches!(incident.class, Class::Reputation | Class::Dns | Class::Tls)
    };
    open.iter().filter(about_us).any(|one| {
        open.iter().filter(about_us).any(|other| {
            other.provider != one.provider && one.opened.abs_diff(other.opened) <= SAME_TIME_SECS
        })
    })
}
