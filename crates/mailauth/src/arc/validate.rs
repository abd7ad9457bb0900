//! Validating a chain whose structure is right (RFC 8617 §5.2 steps 4 to 7): the newest message
//! signature, then every seal; and since which link the message is unchanged.

use aws_lc_rs::digest::{self, Digest};
use world::Dns;

use super::chain::{Chain, Link, NoChain, collect};
use super::{Arc, ChainState, Reason, Set};
use crate::dkim::body::BodyHashes;
use crate::dkim::canonicalize::{Form, field, unsigned_field};
use crate::dkim::lookup::{Found, Keys, fetch, key_name};
use crate::dkim::message::{Message, strict};
use crate::dkim::public_key::KeyRecord;
use crate::dkim::signature::{Flavor, Signature};
use crate::dkim::verify::{Claim, decide};
use crate::dkim::{self, DkimResult};
use crate::explain::Notes;

/// Validates the chain of a message. `now` is in seconds since 1970.
pub async fn validate(dns: &dyn Dns, message: &[u8], now: u64, notes: &mut Notes) -> Arc {
    let message = strict(message);
    let message = Message::split(&message);
    let arc = match collect(&message) {
        Ok(chain) => signatures(dns, &message, chain, now, notes).await,
        Err(NoChain { why, highest }) => Arc {
            cv: match why {
                Reason::NoSets => ChainState::None,
                _ => ChainState::Fail,
            },
            why,
            sets: Vec::new(),
            oldest_pass: None,
            highest,
        },
    };
    notes.say(|| format!("ARC says {}: {}.", arc.cv.as_str(), arc.why));
    arc
}

async fn signatures(
    dns: &dyn Dns,
    message: &Message<'_>,
    mut chain: Chain<'_>,
    now: u64,
    notes: &mut Notes,
) -> Arc {
    for link in &chain {
        notes.say(|| in_words(&link.set));
    }
    let mut claims: Vec<Claim> = chain
        .iter()
        .map(|link| Claim::read(message, link.message_signature, Flavor::ArcMessage, now))
        .collect();
    let newest = claims.pop();
    let wishes = || claims.iter().chain(&newest).filter_map(Claim::signature);
    let wanted: Vec<_> = wishes().map(Signature::wish).collect();
    let bodies = BodyHashes::of(message.body, &wanted);
    let names = newest.iter().filter_map(Claim::signature).map(message_key);
    let names = names.chain(chain.iter().map(|link| seal_key(&link.set)));
    let mut keys = fetch(dns, names.collect(), notes).await;
    let mut why = Reason::Intact;
    if let (Some(claim), Some(link)) = (newest, chain.last_mut()) {
        let verdict = said(message, claim, &keys, &bodies, link.set.instance, notes);
        link.set.message_signature = verdict.result;
        if let Some(reason) = message_reason(&verdict, link.set.instance) {
            why = reason;
        }
    }
    if why == Reason::Intact {
        why = seals(message, &chain, &keys, notes);
    }
    let mut oldest_pass = None;
    if why == Reason::Intact {
        let names = claims.iter().filter_map(Claim::signature).map(message_key);
        let missing = names.filter(|name| !keys.contains_key(name)).collect();
        keys.extend(fetch(dns, missing, notes).await);
        oldest_pass = Some(unchanged_since(
            message, &mut chain, claims, &keys, &bodies, notes,
        ));
    }
    Arc {
        cv: match why {
            Reason::Intact => ChainState::Pass,
            _ => ChainState::Fail,
        },
        why,
        highest: chain.last().map_or(0, |link| link.set.instance),
        sets: chain.into_iter().map(|link| link.set).collect(),
        oldest_pass,
    }
}

/// Step 5: the lowest link whose message signature still fits, all above it too; 0 for all.
fn unchanged_since(
    message: &Message<'_>,
    chain: &mut Chain<'_>,
    claims: Vec<Claim>,
    keys: &Keys,
    bodies: &BodyHashes,
    notes: &mut Notes,
) -> u8 {
    let mut oldest_pass = 0;
    for (claim, link) in claims.into_iter().zip(chain.iter_mut()) {
        let verdict = said(message, claim, keys, bodies, link.set.instance, notes);
        link.set.message_signature = verdict.result;
        if !verdict.passed() {
            oldest_pass = link.set.instance.saturating_add(1);
        }
    }
    oldest_pass
}

fn said(
    message: &Message<'_>,
    claim: Claim,
    keys: &Keys,
    bodies: &BodyHashes,
    instance: u8,
    notes: &mut Notes,
) -> dkim::Verdict {
    notes.say(|| format!("The message signature of i={instance}:"));
    notes.deeper();
    let covers_seal = claim
        .signature()
        .is_some_and(|signature| signature.signed.iter().any(|name| name == "arc-seal"));
    let mut verdict = decide(message, claim, keys, bodies, notes);
    if covers_seal {
        // RFC 8617 §4.1.2: the seal is made after it, and covers it.
        notes.say(|| "it covers ARC-Seal fields, which it must not".to_owned());
        verdict.result = DkimResult::PermError;
        verdict.reason = dkim::Reason::TagBad("h");
    }
    notes.back();
    verdict
}

/// What a message signature that does not pass means for the chain.
fn message_reason(verdict: &dkim::Verdict, instance: u8) -> Option<Reason> {
    match verdict.reason {
        dkim::Reason::Good => None,
        dkim::Reason::Dns(_) => Some(Reason::Dns { instance }),
        dkim::Reason::BodyChanged | dkim::Reason::BodyCut | dkim::Reason::SignatureWrong => {
            Some(Reason::MessageChanged { instance })
        }
        _ => Some(Reason::BadMessageSignature { instance }),
    }
}

/// Step 6: every seal, from the newest down.
fn seals(message: &Message<'_>, chain: &Chain<'_>, keys: &Keys, notes: &mut Notes) -> Reason {
    let mut unknown = None;
    for (index, link) in chain.iter().enumerate().rev() {
        let instance = link.set.instance;
        let name = seal_key(&link.set);
        let fits = match keys.get(&name) {
            Some(Found::Trouble(why)) => {
                notes.say(|| {
                    format!("The seal i={instance}: its key could not be looked up ({why}).")
                });
                unknown = Some(Reason::Dns { instance });
                continue;
            }
            Some(Found::Records(records)) => {
                let digest = seal_digest(message, chain.get(..=index).unwrap_or_default());
                let keys = records.iter().filter_map(|record| record.key.as_ref().ok());
                keys.into_iter().any(|key| is_signed(key, link, &digest))
            }
            Some(Found::Nothing) | None => false,
        };
        notes.say(|| {
            let fits = if fits { "fits" } else { "does not fit" };
            format!(
                "The seal i={instance} of {} {fits} (key {name}).",
                link.set.domain
            )
        });
        if !fits {
            return Reason::BadSeal { instance };
        }
    }
    unknown.unwrap_or(Reason::Intact)
}

fn is_signed(record: &KeyRecord, link: &Link<'_>, digest: &Digest) -> bool {
    record.algorithm == link.signed.algorithm
        && record.sha256
        && record.mail
        && record
            .key
            .as_ref()
            .is_some_and(|key| key.signed(digest, &link.signed.signature))
}

/// What the last seal of these links covers: all sets up to its own, relaxed. RFC 8617 §5.1.1.
fn seal_digest(message: &Message<'_>, links: &[Link<'_>]) -> Digest {
    let mut text = Vec::with_capacity(4_096);
    for (at, link) in links.iter().enumerate() {
        for index in [link.results, link.message_signature] {
            if let Some(found) = message.fields.get(index) {
                field(Form::Relaxed, found, &mut text);
            }
        }
        let Some(own) = message.fields.get(link.seal) else {
            continue;
        };
        if at + 1 < links.len() {
            field(Form::Relaxed, own, &mut text);
        } else {
            let place = link.signed.list.place("b").unwrap_or_default();
            unsigned_field(Form::Relaxed, own, &place, &mut text);
        }
    }
    digest::digest(&digest::SHA256, &text)
}

fn seal_key(set: &Set) -> String {
    key_name(&set.selector, &set.domain)
}

fn message_key(signature: &Signature) -> String {
    key_name(&signature.selector, &signature.domain)
}

fn in_words(set: &Set) -> String {
    let mut text = format!(
        "Set i={}: sealed by {}, who found the chain before it \"{}\"",
        set.instance,
        set.domain,
        set.cv.as_str()
    );
    let said: Vec<String> = set
        .results
        .results
        .iter()
        .map(|result| format!("{}={}", result.method, result.result))
        .collect();
    if !said.is_empty() {
        text.push_str(&format!(" and says it saw {}", said.join(", ")));
    }
    text.push('.');
    text
}
