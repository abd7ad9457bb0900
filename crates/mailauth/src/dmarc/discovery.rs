//! Finding the policy of a message's author (RFC 9989 §4.10.1): asks the DNS, and keeps what was
//! found for the questions of alignment that come later.

use futures_util::future::join_all;
use mail::limits::DOMAIN_BYTES_MAX;
use world::{AnswerStatus, Dns, Kind};

use super::author::Author;
use super::limits::SEVERAL_AUTHORS_MAX;
use super::record::{Policy, Record, RecordError};
use super::tree::{self, Found, Records, Walk};
use super::{NoAuthor, PolicyTag, Published};
use crate::explain::{Notes, printable};

/// What is known of the author's policy before SPF and DKIM have spoken: it can be sought beside
/// them.
#[derive(Debug)]
pub struct Discovery {
    pub(super) state: State,
    pub(super) records: Records,
}

#[derive(Debug)]
pub(super) enum State {
    /// With the strictest that any of several authors' domains wishes.
    NoAuthor(NoAuthor, Policy),
    /// The DNS did not answer.
    Unknown {
        domain: String,
    },
    NoPolicy {
        domain: String,
    },
    /// There is a record, but it must not be applied.
    Unusable {
        domain: String,
    },
    Policy {
        domain: String,
        published: Published,
        /// `np` would say something else, and the DNS did not say whether the domain exists.
        existence_unknown: bool,
    },
}

impl Discovery {
    /// Seeks the policy. One question if the author's domain has its own record, otherwise one more
    /// round of at most seven beside one another.
    pub async fn of(dns: &dyn Dns, author: Author, notes: &mut Notes) -> Self {
        let mut records = Records::new();
        let state = match author.read() {
            Ok(domain) => {
                notes.say(|| format!("The author's domain, from the From field, is {domain}."));
                find(dns, domain, &mut records, notes).await
            }
            Err((problem, several)) => {
                notes
                    .say(|| format!("There is no single author's domain to ask about: {problem}."));
                State::NoAuthor(problem, strictest(dns, several, &mut records, notes).await)
            }
        };
        Self { state, records }
    }
}

/// What the owners of several domains wish at most. Whoever names more than a few, or one whose policy is not known
/// now, is taken for what it looks like: somebody who hides behind a second author.
async fn strictest(
    dns: &dyn Dns,
    domains: Vec<String>,
    records: &mut Records,
    notes: &mut Notes,
) -> Policy {
    if SEVERAL_AUTHORS_MAX < domains.len() {
        return Policy::Quarantine;
    }
    let mut wish = Policy::None;
    for domain in domains {
        wish = wish.max(match find(dns, domain, records, notes).await {
            State::Policy { published, .. } => published.wish(),
            State::Unknown { .. } => Policy::Quarantine,
            State::NoAuthor(..) | State::NoPolicy { .. } | State::Unusable { .. } => Policy::None,
        });
    }
    wish
}

async fn find(dns: &dyn Dns, domain: String, records: &mut Records, notes: &mut Notes) -> State {
    fetch(dns, [domain.as_str()], records, notes).await;
    match records.get(&domain) {
        Some(Found::Record(record)) => {
            let record = record.as_ref().clone();
            let policy = record.p;
            return applied(domain.clone(), domain, record, PolicyTag::P, policy, notes);
        }
        None | Some(Found::Unknown) => return State::Unknown { domain },
        Some(Found::Nothing) => {}
    }
    fetch(dns, tree::targets(&domain), records, notes).await;
    let Some(walk) = tree::walk(records, &domain) else {
        return State::Unknown { domain };
    };
    let Some((above, record)) = record_of(records, walk) else {
        notes.say(|| format!("Neither {domain} nor a domain above it has a DMARC record."));
        return State::NoPolicy { domain };
    };
    inherited(dns, domain.clone(), above.to_owned(), record.clone(), notes).await
}

/// The record of the organisational domain, else that of the public suffix above it.
fn record_of<'a>(records: &'a Records, walk: Walk<'a>) -> Option<(&'a str, &'a Record)> {
    let places = std::iter::once(walk.org_domain).chain(walk.suffix);
    places
        .into_iter()
        .find_map(|place| match records.get(place) {
            Some(Found::Record(record)) => Some((place, record.as_ref())),
            _ => None,
        })
}

/// The policy for a name below the one that has the record. RFC 9989 §4.10.1.
async fn inherited(
    dns: &dyn Dns,
    domain: String,
    above: String,
    record: Record,
    notes: &mut Notes,
) -> State {
    let for_existing = record.sp.unwrap_or(record.p);
    let for_missing = record.np.unwrap_or(for_existing);
    if for_missing == for_existing {
        return applied(domain, above, record, PolicyTag::Sp, for_existing, notes);
    }
    // RFC 9989 §3.2.13: what does not exist is what has NXDOMAIN for an answer, whatever is asked.
    let answer = dns.ask(&domain, Kind::A).await;
    notes.asked(
        "The record has np: does the author's domain exist?",
        &domain,
        Kind::A,
        &answer,
    );
    match answer {
        Ok(answer) if answer.status == AnswerStatus::NoSuchName => {
            applied(domain, above, record, PolicyTag::Np, for_missing, notes)
        }
        Ok(_) => applied(domain, above, record, PolicyTag::Sp, for_existing, notes),
        Err(_) => match applied(domain, above, record, PolicyTag::Sp, for_existing, notes) {
            State::Policy {
                domain, published, ..
            } => State::Policy {
                domain,
                published,
                existence_unknown: true,
            },
            other => other,
        },
    }
}

fn applied(
    domain: String,
    place: String,
    record: Record,
    tag: PolicyTag,
    policy: Policy,
    notes: &mut Notes,
) -> State {
    if !record.is_usable() {
        notes.say(|| {
            format!("The record of {place} has a policy that is none, and no address for reports: it does not count.")
        });
        return State::Unusable { domain };
    }
    let policy = if record.bad_policy {
        Policy::None
    } else {
        policy
    };
    notes.say(|| in_words(&place, &record, tag, policy));
    State::Policy {
        domain,
        published: Published {
            domain: place,
            record,
            tag,
            policy,
        },
        existence_unknown: false,
    }
}

fn in_words(place: &str, record: &Record, tag: PolicyTag, policy: Policy) -> String {
    let whose = match tag {
        PolicyTag::P => "its own record",
        PolicyTag::Sp => "the record above it, for subdomains (sp, or p where there is no sp)",
        PolicyTag::Np => "the record above it, for names that do not exist (np)",
    };
    let testing = if record.testing {
        ", and t=y: it is being tried out, one level less is wished"
    } else {
        ""
    };
    let bad = if record.bad_policy {
        " (a policy tag has an unknown value, so the record counts as p=none)"
    } else {
        ""
    };
    format!(
        "The policy is {}{testing}, from {whose} at {place}{bad}.",
        policy.as_str()
    )
}

/// Asks for the records of those domains that are not known yet, beside one another.
pub(super) async fn fetch(
    dns: &dyn Dns,
    domains: impl IntoIterator<Item = &str>,
    records: &mut Records,
    notes: &mut Notes,
) {
    let mut names = Vec::new();
    for domain in domains {
        if records.contains_key(domain) {
            continue;
        }
        let name = format!("_dmarc.{domain}");
        if DOMAIN_BYTES_MAX < name.len() {
            // No such name can exist.
            records.insert(domain.to_owned(), Found::Nothing);
        } else {
            records.insert(domain.to_owned(), Found::Unknown);
            names.push((domain, name));
        }
    }
    let answers = join_all(names.iter().map(|(_, name)| dns.ask(name, Kind::Txt))).await;
    for ((domain, name), answer) in names.iter().zip(answers) {
        notes.asked("Is there a DMARC record?", name, Kind::Txt, &answer);
        let found = match answer {
            Ok(answer) => read(answer.texts(), name, notes),
            Err(_) => Found::Unknown,
        };
        records.insert((*domain).to_owned(), found);
    }
}

fn read(texts: impl Iterator<Item = Vec<u8>>, name: &str, notes: &mut Notes) -> Found {
    let mut found = Found::Nothing;
    let mut count = 0;
    for text in texts {
        match Record::parse(&text) {
            Ok(record) => {
                count += 1;
                found = Found::Record(Box::new(record));
            }
            Err(RecordError::NoVersion) if !looks_meant(&text) => {}
            Err(error) => notes.say(|| {
                let text = printable(&text);
                format!("\"{text}\" at {name} does not count: {error}.")
            }),
        }
    }
    if count > 1 {
        notes.say(|| format!("There are {count} DMARC records at {name}, so none of them counts."));
        return Found::Nothing;
    }
    found
}

/// Somebody tried to write a DMARC record.
fn looks_meant(text: &[u8]) -> bool {
    text.to_ascii_lowercase()
        .windows(5)
        .any(|part| part == b"dmarc")
}
