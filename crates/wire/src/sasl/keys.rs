//! What a server keeps to check SCRAM-SHA-256 without keeping the password. RFC 5802 §3, RFC 7677.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};

use super::prep::prepared;

/// Salt, iterations and the two keys. Whoever has these can pose as the server, not as the user.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
    /// Of further passwords that are as good, made with the same salt and iterations: the proof says which one the peer has.
    pub others: Vec<KeyPair>,
}

impl ScramKeys {
    /// Of all passwords of a user. Without any the exchange fails at its end, as with a wrong password.
    pub fn of(salt: Vec<u8>, iterations: u32, keys: impl IntoIterator<Item = KeyPair>) -> Self {
        let nobody = KeyPair {
            stored_key: [0; 32],
            server_key: [0; 32],
        };
        let mut keys = keys.into_iter();
        let first = keys.next().unwrap_or(nobody);
        Self {
            salt,
            iterations,
            stored_key: first.stored_key,
            server_key: first.server_key,
            others: keys.collect(),
        }
    }
}

/// The keys of one password. RFC 5802 §3.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

impl ScramKeys {
    /// Costs `iterations` HMACs: call it off the hot path. Zero iterations count as one.
    pub fn derive(password: &str, salt: &[u8], iterations: u32) -> ScramKeys {
        let salted = salted_password(password, salt, iterations);
        ScramKeys {
            salt: salt.to_vec(),
            iterations,
            stored_key: sha256(&client_key(&salted)),
            server_key: hmac_sha256(&salted, b"Server Key"),
            others: Vec::new(),
        }
    }

    /// All of them, the first one before the others.
    pub(super) fn pairs(&self) -> impl Iterator<Item = ([u8; 32], [u8; 32])> {
        let others = self.others.iter();
        let others = others.map(|pair| (pair.stored_key, pair.server_key));
        std::iter::once((self.stored_key, self.server_key)).chain(others)
    }

    /// Is this the password the keys were made from? In constant time.
    pub fn check(&self, password: &str) -> bool {
        let other = ScramKeys::derive(password, &self.salt, self.iterations);
        equal(&other.stored_key, &self.stored_key)
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair")
    }
}

impl std::fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScramKeys")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// `SaltedPassword := Hi(Normalize(password), salt, i)`. RFC 5802 §3.
pub(super) fn salted_password(password: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut salted = [0; 32];
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        prepared(password).as_bytes(),
        &mut salted,
    );
    salted
}

pub(super) fn client_key(salted: &[u8; 32]) -> [u8; 32] {
    hmac_sha256(salted, b"Client Key")
}

pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    first_32(tag.as_ref())
}

pub(super) fn sha256(message: &[u8]) -> [u8; 32] {
    first_32(digest::digest(&digest::SHA256, message).as_ref())
}

pub(super) fn equal(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

pub(super) fn xor(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut out = *left;
    out.iter_mut()
        .zip(right)
        .for_each(|(byte, other)| *byte ^= other);
    out
}

fn first_32(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut()
        .zip(bytes)
        .for_each(|(byte, from)| *byte = *from);
    out
}
