//! Verifying all signatures of a message (RFC 6376 §6).

use std::sync::Arc;

use futures_util::future::join;
use world::Dns;

use super::body::{BodyDigest, BodyHashes};
use super::limits::SIGNATURES_MAX;
use super::lookup::{Found, Keys, Record, fetch, key_name};
use super::message::{Message, strict};
use super::public_key::{KeyRecord, PublicKey};
use super::signature::{Flavor, Signature};
use super::verdict::{Reason, Verdict};
use crate::explain::Notes;

/// Judges the signatures of a message, in the order of its header, up to a bound. A message without
/// signatures gives an empty list. `now` is in seconds since 1970.
pub async fn verify(dns: &dyn Dns, message: &[u8], now: u64, notes: &mut Notes) -> Vec<Verdict> {
    let message = strict(message);
    let message = Message::split(&message);
    let fields = message.fields.iter().enumerate();
    let claims: Vec<Claim> = fields
        .filter(|(_, field)| field.is("dkim-signature"))
        .take(SIGNATURES_MAX)
        .map(|(index, _)| Claim::read(&message, index, Flavor::Dkim, now))
        .collect();
    judge(dns, &message, claims, notes).await
}

/// One signature that wants to be believed.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Of its field.
    index: usize,
    verdict: Verdict,
    /// `None`: it has an error, which stands in the verdict.
    signature: Option<Signature>,
}

impl Claim {
    pub fn read(message: &Message<'_>, index: usize, flavor: Flavor, now: u64) -> Self {
        let mut verdict = Verdict::blank();
        let read = if message.too_many {
            Err(Reason::TooManyFields)
        } else if message.torn_lines {
            Err(Reason::TornLines)
        } else {
            Signature::read(message, index, flavor, now, &mut verdict)
        };
        let signature = match read {
            Ok(signature) => Some(signature),
            Err(reason) => {
                verdict.decide(reason);
                None
            }
        };
        Self {
            index,
            verdict,
            signature,
        }
    }

    /// What was read, if it has no error.
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }
}

/// Fetches the keys, hashes the body, and decides. The verdicts are in the order of the claims.
pub(crate) async fn judge(
    dns: &dyn Dns,
    message: &Message<'_>,
    claims: Vec<Claim>,
    notes: &mut Notes,
) -> Vec<Verdict> {
    let signatures = || claims.iter().filter_map(|claim| claim.signature.as_ref());
    let names = signatures().map(|it| key_name(&it.selector, &it.domain));
    let wishes: Vec<_> = signatures().map(Signature::wish).collect();
    // The body is hashed while the questions are on their way.
    let hashing = async { BodyHashes::of(message.body, &wishes) };
    let (keys, bodies) = join(fetch(dns, names.collect(), notes), hashing).await;
    let judged = claims
        .into_iter()
        .map(|claim| decide(message, claim, &keys, &bodies, notes));
    judged.collect()
}

/// Judges one claim by what was fetched and hashed for it.
pub(crate) fn decide(
    message: &Message<'_>,
    claim: Claim,
    keys: &Keys,
    bodies: &BodyHashes,
    notes: &mut Notes,
) -> Verdict {
    let mut verdict = claim.verdict;
    if let Some(signature) = &claim.signature {
        let body = bodies.get(signature.wish());
        verdict.covers_whole_body = body.is_some_and(|body| body.whole);
        let name = key_name(&signature.selector, &signature.domain);
        let reason = match keys.get(&name) {
            Some(Found::Records(records)) => with_records(records, &mut verdict, |key| {
                with_key(message, claim.index, signature, body, key)
            }),
            // A changed body needs no key to be noticed.
            Some(Found::Trouble(why)) => match body_problem(signature, body) {
                Some(reason) => reason,
                None => Reason::Dns(why.clone()),
            },
            Some(Found::Nothing) | None => Reason::NoKey,
        };
        verdict.decide(reason);
    }
    explain(message, &verdict, claim.signature.as_ref(), bodies, notes);
    verdict
}

/// Tries the records of one name until one is good. Otherwise the last complaint about a key that fits
/// counts more than one about a record that does not.
fn with_records(
    records: &[Arc<Record>],
    verdict: &mut Verdict,
    check: impl Fn(&KeyRecord) -> Reason,
) -> Reason {
    let mut worst: Option<Reason> = None;
    for record in records {
        let reason = match &record.key {
            Ok(key) => check(key),
            Err(problem) => Reason::KeyUnreadable(*problem),
        };
        let unreadable = matches!(reason, Reason::KeyUnreadable(_) | Reason::KeyOfOtherKind);
        if unreadable && worst.is_some() {
            continue;
        }
        verdict.record = Some(record.text.clone());
        if let Ok(key) = &record.key {
            verdict.testing = key.testing;
            verdict.bits = key.key.as_ref().map(PublicKey::bits);
        }
        if reason == Reason::Good {
            return reason;
        }
        worst = Some(reason);
    }
    worst.unwrap_or(Reason::NoKey)
}

/// RFC 6376 §6.1.2 and §6.1.3.
fn with_key(
    message: &Message<'_>,
    index: usize,
    signature: &Signature,
    body: Option<BodyDigest>,
    record: &KeyRecord,
) -> Reason {
    if record.algorithm != signature.algorithm {
        return Reason::KeyOfOtherKind;
    }
    if !record.sha256 {
        return Reason::KeyHash;
    }
    if !record.mail {
        return Reason::KeyService;
    }
    let Some(key) = &record.key else {
        return Reason::KeyRevoked;
    };
    if record.strict && signature.identity_domain != signature.domain {
        return Reason::KeyStrict;
    }
    if let Some(reason) = body_problem(signature, body) {
        return reason;
    }
    if let PublicKey::RsaOutOfBounds { bits } = key {
        return match *bits < super::limits::RSA_BITS_MIN {
            true => Reason::KeyTooShort(*bits),
            false => Reason::KeyTooLong(*bits),
        };
    }
    match key.signed(&signature.header_digest(message, index), &signature.bytes) {
        true => Reason::Good,
        false => Reason::SignatureWrong,
    }
}

fn body_problem(signature: &Signature, body: Option<BodyDigest>) -> Option<Reason> {
    match body {
        None => Some(Reason::BodyCut),
        Some(body) if body.hash[..] != signature.body_hash[..] => Some(Reason::BodyChanged),
        Some(_) => None,
    }
}

fn explain(
    message: &Message<'_>,
    verdict: &Verdict,
    signature: Option<&Signature>,
    bodies: &BodyHashes,
    notes: &mut Notes,
) {
    notes.say(|| {
        format!(
            "signature b={}… of d={} s={} a={}: {} ({})",
            verdict.signature_start,
            verdict.domain,
            verdict.selector,
            verdict.algorithm_name,
            verdict.result,
            verdict.reason
        )
    });
    let (Some(signature), true) = (signature, notes.wanted()) else {
        return;
    };
    notes.deeper();
    notes.say(|| {
        format!(
            "header in {:?} form, body in {:?} form; signed fields: {}",
            signature.header_form, signature.body_form, signature.signed
        )
    });
    notes.say(|| body_in_words(signature, bodies.get(signature.wish())));
    let there = |name: &&str| message.fields.iter().any(|field| field.is(name));
    let absent = signature.signed.iter().filter(|name| !there(name));
    let empty: Vec<&str> = absent.collect();
    if !empty.is_empty() {
        notes.say(|| format!("signed as absent: {}", empty.join(", ")));
    }
    notes.back();
}

fn body_in_words(signature: &Signature, body: Option<BodyDigest>) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let claimed = STANDARD.encode(&signature.body_hash);
    let length = match (signature.length, body) {
        (Some(length), Some(body)) if body.whole => format!(" (l={length}, which is all of it)"),
        (Some(length), _) => format!(" (the first {length} bytes only: anybody may add text)"),
        (None, _) => String::new(),
    };
    match body {
        None => format!("the body is shorter than l={:?}", signature.length),
        Some(body) if body.hash[..] == signature.body_hash[..] => {
            format!("the body hash is as signed, {claimed}{length}")
        }
        Some(body) => format!(
            "the body hash is {}{length}, signed was {claimed}",
            STANDARD.encode(body.hash)
        ),
    }
}
