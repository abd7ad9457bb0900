//! Which key the next certificate holds. A TLSA record names a key (RFC 7671 §5.1), so while one is published the key
//! stays, and a new one waits until its record has been out for longer than any cache keeps the old.

use aws_lc_rs::digest;
use mail::UnixMillis;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use store::StoredCertificate;
use world::{Kind, Record};

use super::plan::Wish;
use crate::{Desk, limits};

/// What the DNS says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// There is no TLSA record at all: any key will do.
    Nothing,
    /// There are records, this key's among them.
    Ours,
    /// There are records, but none for this key.
    Others,
    Unknown,
}

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Fresh,
    Keep,
    Next,
}

/// The rule. `published` is about the next key if there is one, else about the present one.
pub(super) fn decide(
    has_key: bool,
    next_since: Option<UnixMillis>,
    published: Published,
    now: UnixMillis,
) -> Choice {
    match (has_key, next_since, published) {
        (false, None, _) => Choice::Fresh,
        (false, Some(_), _) | (_, Some(_), Published::Nothing) => Choice::Next,
        (true, None, Published::Nothing) => Choice::Fresh,
        (true, Some(since), Published::Ours) if limits::TLSA_AGE <= now.since(since) => {
            Choice::Next
        }
        _ => Choice::Keep,
    }
}

pub(super) async fn choose(
    desk: &Desk,
    wish: &Wish,
    before: Option<&StoredCertificate>,
) -> Result<KeyPair, String> {
    let present = before
        .and_then(|one| one.fetched.as_ref())
        .map(|fetched| &fetched.private_key);
    let next = before.and_then(|one| one.next_key.as_ref());
    let asked_about = next.map(|(key, _)| key).or(present);
    let published = match asked_about {
        Some(key) => published(desk, wish.name(), &read(key)?).await,
        None => Published::Nothing,
    };
    let since = next.map(|(_, since)| *since);
    match (
        decide(present.is_some(), since, published, desk.now()),
        next,
        present,
    ) {
        (Choice::Next, Some((key, _)), _) | (Choice::Keep, _, Some(key)) => read(key),
        _ => KeyPair::generate().map_err(|error| format!("a key could not be made: {error}")),
    }
}

/// A key for a certificate to come, PKCS #8. The error is text for the operator.
pub fn new_certificate_key() -> Result<Vec<u8>, String> {
    let key = KeyPair::generate().map_err(|error| format!("a key could not be made: {error}"))?;
    Ok(key.serialize_der())
}

/// What a TLSA record `3 1 1` holds for this key; `None` if it cannot be read.
pub fn tlsa_of_key(key: &[u8]) -> Option<[u8; 32]> {
    let whole = read(key).ok()?.subject_public_key_info();
    digest::digest(&digest::SHA256, &whole)
        .as_ref()
        .try_into()
        .ok()
}

fn read(key: &[u8]) -> Result<KeyPair, String> {
    KeyPair::try_from(&PrivatePkcs8KeyDer::from(key))
        .map_err(|error| format!("the stored key is damaged: {error}"))
}

async fn published(desk: &Desk, host: &str, key: &KeyPair) -> Published {
    let Ok(answer) = desk
        .world
        .dns
        .ask(&format!("_25._tcp.{host}"), Kind::Tlsa)
        .await
    else {
        return Published::Unknown;
    };
    if answer.records.is_empty() {
        return Published::Nothing;
    }
    let whole = key.subject_public_key_info();
    let hash = digest::digest(&digest::SHA256, &whole);
    let is_ours = |record: &Record| match record {
        Record::Tlsa {
            selector: 1,
            matching: 0,
            data,
            ..
        } => *data == whole,
        Record::Tlsa {
            selector: 1,
            matching: 1,
            data,
            ..
        } => data.as_slice() == hash.as_ref(),
        _ => false,
    };
    if answer.records.iter().any(is_ours) {
        Published::Ours
    } else {
        Published::Others
    }
}
