//! What is stored of a password: an argon2id hash for doors that get the password itself, SCRAM keys
//! for those that do not. Both sealed in one row.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{constant_time, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use super::scram::ScramPair;
use super::workspace::Workspaces;
use crate::limits::{ARGON2_KIB, ARGON2_PASSES, SCRAM_ITERATIONS, SCRAM_SALT_BYTES};
use crate::sealing::random;
use crate::{Mode, StoreError};

/// How expensive a guess is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    argon2_kib: u32,
    argon2_passes: u32,
    scram_iterations: u32,
}

/// As it is stored, sealed. Everything a later version needs to check it stands in it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    argon2_kib: u32,
    argon2_passes: u32,
    argon2_salt: String,
    argon2_hash: String,
    #[serde(flatten)]
    scram: ScramCredential,
}

/// Salt, rounds and the two keys, as they are stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ScramCredential {
    scram_salt: String,
    scram_iterations: u32,
    scram_stored_key: String,
    scram_server_key: String,
}

/// What all passwords of an account have in common in SCRAM, so that one exchange serves any of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ScramSalt {
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
}

impl Cost {
    pub(crate) fn of(mode: Mode) -> Self {
        match mode {
            Mode::Threads => Self {
                argon2_kib: ARGON2_KIB,
                argon2_passes: ARGON2_PASSES,
                scram_iterations: SCRAM_ITERATIONS,
            },
            // In a simulation nobody guesses.
            Mode::Inline => Self {
                argon2_kib: 8,
                argon2_passes: 1,
                scram_iterations: 4096,
            },
        }
    }

    pub(crate) fn scram_iterations(self) -> u32 {
        self.scram_iterations
    }
}

impl Credential {
    /// Slow on purpose. `salt` is the one the account has, if it has one: what other passwords of it were made with stays
    /// good.
    pub(crate) fn of(
        password: &str,
        salt: Option<&[u8]>,
        cost: Cost,
        memory: &Workspaces,
    ) -> Result<Self, StoreError> {
        let argon2_salt = random::<16>()?;
        let hash = argon2id(
            password,
            &argon2_salt,
            cost.argon2_kib,
            cost.argon2_passes,
            memory,
        )?;
        let fresh = random::<SCRAM_SALT_BYTES>()?;
        let salt = ScramSalt {
            salt: salt.unwrap_or(&fresh).to_vec(),
            iterations: cost.scram_iterations,
        };
        Ok(Self {
            argon2_kib: cost.argon2_kib,
            argon2_passes: cost.argon2_passes,
            argon2_salt: STANDARD_NO_PAD.encode(argon2_salt),
            argon2_hash: STANDARD_NO_PAD.encode(hash),
            scram: ScramCredential::of(password, &salt)?,
        })
    }

    /// One that no password fits, to spend the same time on unknown logins.
    pub(crate) fn nobody(cost: Cost) -> Self {
        Self {
            argon2_kib: cost.argon2_kib,
            argon2_passes: cost.argon2_passes,
            argon2_salt: STANDARD_NO_PAD.encode([0; 16]),
            argon2_hash: String::new(),
            scram: ScramCredential {
                scram_salt: String::new(),
                scram_iterations: cost.scram_iterations,
                scram_stored_key: String::new(),
                scram_server_key: String::new(),
            },
        }
    }

    /// Slow on purpose.
    pub(crate) fn fits(&self, password: &str, memory: &Workspaces) -> Result<bool, StoreError> {
        let hash = argon2id(
            password,
            &decode(&self.argon2_salt)?,
            self.argon2_kib,
            self.argon2_passes,
            memory,
        )?;
        Ok(constant_time::verify_slices_are_equal(&hash, &decode(&self.argon2_hash)?).is_ok())
    }

    pub(crate) fn scram(&self) -> &ScramCredential {
        &self.scram
    }
}

impl ScramCredential {
    /// Takes some milliseconds: the rounds are what slows down guesses.
    pub(crate) fn of(password: &str, salt: &ScramSalt) -> Result<Self, StoreError> {
        let keys = scram_keys(password, &salt.salt, salt.iterations)?;
        Ok(Self {
            scram_salt: STANDARD_NO_PAD.encode(&salt.salt),
            scram_iterations: salt.iterations,
            scram_stored_key: STANDARD_NO_PAD.encode(keys.stored_key),
            scram_server_key: STANDARD_NO_PAD.encode(keys.server_key),
        })
    }

    pub(crate) fn salt(&self) -> Result<ScramSalt, StoreError> {
        Ok(ScramSalt {
            salt: decode(&self.scram_salt)?,
            iterations: self.scram_iterations,
        })
    }

    pub(crate) fn pair(&self) -> Result<ScramPair, StoreError> {
        let key = |text: &str| decode(text)?.try_into().map_err(|_| damaged());
        Ok(ScramPair {
            stored_key: key(&self.scram_stored_key)?,
            server_key: key(&self.scram_server_key)?,
        })
    }
}

/// RFC 5802 §3.
fn scram_keys(password: &str, salt: &[u8], iterations: u32) -> Result<ScramPair, StoreError> {
    let rounds = std::num::NonZeroU32::new(iterations).ok_or_else(damaged)?;
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest(&SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    Ok(ScramPair {
        stored_key: stored_key.as_ref().try_into().map_err(|_| damaged())?,
        server_key: server_key.as_ref().try_into().map_err(|_| damaged())?,
    })
}

fn argon2id(
    password: &str,
    salt: &[u8],
    kib: u32,
    passes: u32,
    memory: &Workspaces,
) -> Result<[u8; 32], StoreError> {
    let failed = |e: argon2::Error| StoreError::Failed(format!("hashing a password: {e}"));
    let params = Params::new(kib, passes, 1, Some(32)).map_err(failed)?;
    let blocks = params.block_count();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; 32];
    memory
        .lend(blocks, |memory| {
            hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, memory)
        })
        .map_err(failed)?;
    Ok(hash)
}

fn decode(text: &str) -> Result<Vec<u8>, StoreError> {
    STANDARD_NO_PAD.decode(text).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged("a stored credential".to_owned())
}
