//! Makes the signing keys of a domain: one RSA, which everybody checks, and one Ed25519, which is short.

use mail::UnixMillis;
use mailauth::dkim::{Algorithm, KeyError, generate, public_record};
use store::{DkimAlgorithm, DkimState, NewDkimKey};

const BOTH: [DkimAlgorithm; 2] = [DkimAlgorithm::RsaSha256, DkimAlgorithm::Ed25519Sha256];

#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error("a DKIM key: {0}")]
    Key(#[from] KeyError),
}

/// A key of each kind. The selectors carry the month and are none of `taken`.
pub fn new_pair(
    state: DkimState,
    taken: &[String],
    now: UnixMillis,
) -> Result<Vec<NewDkimKey>, PairError> {
    new_keys(&BOTH, state, taken, now)
}

/// A key of each of these kinds.
pub fn new_keys(
    kinds: &[DkimAlgorithm],
    state: DkimState,
    taken: &[String],
    now: UnixMillis,
) -> Result<Vec<NewDkimKey>, PairError> {
    kinds
        .iter()
        .map(|kind| {
            let private = generate(algorithm(*kind))?;
            let public = mailauth::dkim::public_key(&private)?;
            Ok(NewDkimKey {
                selector: selector(*kind, taken, now),
                algorithm: *kind,
                private,
                public,
                state,
            })
        })
        .collect()
}

/// The text of the DNS record of a stored key.
pub fn record(private: &[u8]) -> Result<String, PairError> {
    Ok(public_record(private)?)
}

fn algorithm(kind: DkimAlgorithm) -> Algorithm {
    match kind {
        DkimAlgorithm::RsaSha256 => Algorithm::RsaSha256,
        DkimAlgorithm::Ed25519Sha256 => Algorithm::Ed25519Sha256,
    }
}

/// `pr2611r`, then `pr2611r2`: an old name never comes back while its key is known.
fn selector(kind: DkimAlgorithm, taken: &[String], now: UnixMillis) -> String {
    let letter = match kind {
        DkimAlgorithm::RsaSha256 => 'r',
        DkimAlgorithm::Ed25519Sha256 => 'e',
    };
    let (year, month, _) = mail::date::civil(now);
    let name = format!("pr{:02}{month:02}{letter}", year.rem_euclid(100));
    let further = (2_u32..).map(|number| format!("{name}{number}"));
    let free = std::iter::once(name.clone())
        .chain(further)
        .find(|name| !taken.contains(name));
    free.unwrap_or(name)
}
