//! Collecting the ARC sets of a message and checking their structure (RFC 8617 §5.2 steps 1 to 3).

use mail::Domain;

use super::limits::{BYTES_MAX, FIELDS_MAX, INSTANCES_MAX};
use super::{ChainState, Reason, Set};
use crate::dkim::message::{Field, Message};
use crate::dkim::tags::{self, TagList};
use crate::dkim::{Algorithm, DkimResult};
use crate::results;

/// The three fields, in the order in which seals cover them (RFC 8617 §5.1.1).
pub(super) const RESULTS: &str = "ARC-Authentication-Results";
pub(super) const MESSAGE_SIGNATURE: &str = "ARC-Message-Signature";
pub(super) const SEAL: &str = "ARC-Seal";

/// One set, found in the message.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub set: Set,
    /// Where its fields lie among those of the message.
    pub results: usize,
    pub message_signature: usize,
    pub seal: usize,
    pub signed: Seal<'a>,
}

/// What an ARC-Seal holds beside what its [`Set`] tells.
#[derive(Debug)]
pub(super) struct Seal<'a> {
    pub algorithm: Algorithm,
    pub signature: Vec<u8>,
    pub list: TagList<'a>,
}

/// A chain whose structure is right, oldest link first; never empty.
pub(super) type Chain<'a> = Vec<Link<'a>>;

/// Why there is no chain to validate, and the highest instance that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoChain {
    pub why: Reason,
    pub highest: u8,
}

/// The fields with one instance, before it is known that each is there once.
#[derive(Default)]
struct Found {
    results: Vec<usize>,
    message_signatures: Vec<usize>,
    seals: Vec<usize>,
}

/// Collects and checks.
pub(super) fn collect<'a>(message: &Message<'a>) -> Result<Chain<'a>, NoChain> {
    let mut found: Vec<Found> = Vec::new();
    let mut problem = None;
    let is_arc = |field: &Field<'_>| {
        [RESULTS, MESSAGE_SIGNATURE, SEAL]
            .iter()
            .any(|name| field.is(name))
    };
    let fields = message.fields.iter().enumerate();
    let mut bytes = 0;
    for (count, (index, field)) in fields.filter(|(_, field)| is_arc(field)).enumerate() {
        if count == FIELDS_MAX {
            problem = Some(Reason::TooManySets);
            break;
        }
        bytes += field.raw.len();
        if BYTES_MAX < bytes {
            problem = Some(Reason::Unreadable);
            break;
        }
        let Some(instance) = instance(field) else {
            problem = Some(Reason::Unreadable);
            continue;
        };
        let place = usize::from(instance);
        if found.len() < place {
            found.resize_with(place, Found::default);
        }
        if let Some(set) = found.get_mut(place - 1) {
            match field {
                field if field.is(RESULTS) => set.results.push(index),
                field if field.is(MESSAGE_SIGNATURE) => set.message_signatures.push(index),
                _ => set.seals.push(index),
            }
        }
    }
    let highest = u8::try_from(found.len()).unwrap_or(INSTANCES_MAX);
    let no_chain = |why| NoChain { why, highest };
    if message.too_many {
        // Beyond the fields that are looked at there may be others that belong to the chain.
        return Err(no_chain(if found.is_empty() {
            Reason::NoSets
        } else {
            Reason::Unreadable
        }));
    }
    if let Some(why) = problem {
        return Err(no_chain(why));
    }
    if found.is_empty() {
        return Err(no_chain(Reason::NoSets));
    }
    sealed_as_failed(message, &found).map_err(no_chain)?;
    let links = (1..=highest).zip(&found);
    links
        .map(|(instance, found)| link(message, instance, found))
        .collect::<Result<_, _>>()
        .map_err(no_chain)
}

/// The `i=` of an ARC field: 1 to 50.
fn instance(field: &Field<'_>) -> Option<u8> {
    let text = if field.is(RESULTS) {
        split_results(field.value)?.0
    } else {
        TagList::parse(field.value).ok()?.get("i")?
    };
    if text.len() > 2 {
        return None;
    }
    let number = u8::try_from(tags::number(text)?).ok()?;
    (1..=INSTANCES_MAX).contains(&number).then_some(number)
}

/// The instance of an ARC-Authentication-Results field, and what follows. RFC 8617 §4.1.1.
fn split_results(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b';', value)?;
    let (head, rest) = value.split_at(end);
    let equals = memchr::memchr(b'=', head)?;
    let (name, number) = head.split_at(equals);
    if name.trim_ascii() != b"i" {
        return None;
    }
    Some((number.get(1..)?.trim_ascii(), rest.get(1..)?))
}

/// RFC 8617 §5.2 step 2: what the last sealer found broken stays so.
fn sealed_as_failed(message: &Message<'_>, found: &[Found]) -> Result<(), Reason> {
    let newest = found.last().and_then(|set| set.seals.first());
    let field = newest.and_then(|index| message.fields.get(*index));
    let list = field.and_then(|field| TagList::parse(field.value).ok());
    match list.and_then(|list| list.get("cv")) {
        Some(b"fail") => Err(Reason::SealedAsFailed {
            instance: u8::try_from(found.len()).unwrap_or(INSTANCES_MAX),
        }),
        _ => Ok(()),
    }
}

/// RFC 8617 §5.2 step 3, for one set.
fn link<'a>(message: &Message<'a>, instance: u8, found: &Found) -> Result<Link<'a>, Reason> {
    let ([results], [message_signature], [seal]) = (
        found.results.as_slice(),
        found.message_signatures.as_slice(),
        found.seals.as_slice(),
    ) else {
        return Err(Reason::IncompleteSet { instance });
    };
    let value = |index: usize| {
        message
            .fields
            .get(index)
            .map_or(&[][..], |field| field.value)
    };
    let (set, signed) = read_seal(value(*seal), instance)?;
    match (instance, set.cv) {
        (1, ChainState::None) | (2.., ChainState::Pass) => {}
        (_, ChainState::Fail) => return Err(Reason::SealedAsFailed { instance }),
        _ => return Err(Reason::WrongState { instance }),
    }
    let said = split_results(value(*results)).map_or(&[][..], |(_, said)| said);
    Ok(Link {
        set: Set {
            results: results::parse_or_empty(said),
            ..set
        },
        results: *results,
        message_signature: *message_signature,
        seal: *seal,
        signed,
    })
}

fn read_seal(value: &[u8], instance: u8) -> Result<(Set, Seal<'_>), Reason> {
    let bad = Reason::BadSeal { instance };
    let list = TagList::parse(value).map_err(|_| bad)?;
    // RFC 8617 §4.1.3: a seal covers the chain and nothing else.
    if list.get("h").is_some() {
        return Err(bad);
    }
    let name = |tag: &str| {
        let text = std::str::from_utf8(list.get(tag)?).ok()?;
        Some(Domain::parse(text).ok()?.as_str().to_owned())
    };
    let cv = match list.get("cv") {
        Some(b"none") => ChainState::None,
        Some(b"pass") => ChainState::Pass,
        Some(b"fail") => ChainState::Fail,
        _ => return Err(Reason::WrongState { instance }),
    };
    let at = list.get("t").map(tags::number);
    let algorithm = [Algorithm::RsaSha256, Algorithm::Ed25519Sha256]
        .into_iter()
        .find(|algorithm| list.get("a") == Some(algorithm.signature_name().as_bytes()));
    let signature = list
        .get("b")
        .and_then(tags::base64)
        .filter(|signature| !signature.is_empty());
    let (Some(domain), Some(selector), Some(algorithm), Some(signature)) =
        (name("d"), name("s"), algorithm, signature)
    else {
        return Err(bad);
    };
    if at == Some(None) {
        return Err(bad);
    }
    let set = Set {
        instance,
        domain,
        selector,
        at: at.flatten(),
        cv,
        message_signature: DkimResult::None,
        results: results::Results::default(),
    };
    let seal = Seal {
        algorithm,
        signature,
        list,
    };
    Ok((set, seal))
}
