//! What is remembered in memory about log-ins: who failed, who was right, and how many hash now.

use std::collections::HashMap;

use aws_lc_rs::constant_time;
use mail::UnixMillis;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::ScramKeys;
use super::credential::{Cost, Credential};
use super::throttle::{Network, Throttle};
use super::workspace::Workspaces;
use crate::limits::{FAMILIAR_NETWORKS_MAX, HASHES_AT_ONCE, SCRAM_SALT_BYTES, VERIFIED_MAX};
use crate::sealing::{Sealing, random};
use crate::{AccountId, Mode, StoreError};

pub(crate) struct Gate {
    pub(super) cost: Cost,
    pub(super) nobody: Credential,
    pub(super) hashing: Semaphore,
    pub(super) workspaces: Workspaces,
    /// Known to this process alone: what is remembered of passwords is of no use elsewhere.
    secret: [u8; 32],
    fake_salts: [u8; 32],
    throttle: Mutex<Throttle>,
    verified: Mutex<HashMap<AccountId, Verified>>,
}

/// What a log-in that was right left behind.
#[derive(Default)]
struct Verified {
    /// The password, and which stored credential it was right for. SCRAM leaves none.
    password: Option<([u8; 32], [u8; 32])>,
    /// Where it came from; from there it is taken even while others behind the same address fail.
    familiar: Vec<Network>,
}

impl Gate {
    pub(crate) fn new(sealing: &Sealing, mode: Mode) -> Result<Self, StoreError> {
        let cost = Cost::of(mode);
        Ok(Self {
            cost,
            nobody: Credential::nobody(cost),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            workspaces: Workspaces::default(),
            secret: random()?,
            fake_salts: sealing.derive("postroad 2026 made-up SCRAM salts"),
            throttle: Mutex::default(),
            verified: Mutex::default(),
        })
    }

    pub(super) fn closed_until(&self, network: Network, now: UnixMillis) -> Option<UnixMillis> {
        self.throttle.lock().closed_until(network, now)
    }

    pub(super) fn note_failure(&self, network: Network, now: UnixMillis) {
        self.throttle.lock().note_failure(network, now);
    }

    /// Whether the account was logged in to from there: then it is not shut out there, whatever
    /// others behind the same address do.
    pub(super) fn is_familiar(&self, account: AccountId, network: Network) -> bool {
        self.verified
            .lock()
            .get(&account)
            .is_some_and(|known| known.familiar.contains(&network))
    }

    /// Whether this password was right before, for the same stored credential.
    pub(super) fn is_verified(&self, account: AccountId, sealed: &[u8], password: &str) -> bool {
        let (credential, password) = (self.digest(sealed), self.digest(password.as_bytes()));
        let verified = self.verified.lock();
        let Some((for_credential, known)) = verified.get(&account).and_then(|known| known.password)
        else {
            return false;
        };
        for_credential == credential
            && constant_time::verify_slices_are_equal(&known, &password).is_ok()
    }

    /// After a log-in that was right; SCRAM has no password to remember.
    pub(super) fn remember(
        &self,
        account: AccountId,
        password: Option<(&[u8], &str)>,
        network: Network,
    ) {
        let password =
            password.map(|(sealed, text)| (self.digest(sealed), self.digest(text.as_bytes())));
        let mut verified = self.verified.lock();
        if VERIFIED_MAX <= verified.len() && !verified.contains_key(&account) {
            verified.clear();
        }
        let known = verified.entry(account).or_default();
        known.password = password.or(known.password);
        known.remember(network);
    }

    /// Keys for a login that does not exist: always the same, and no password fits them.
    pub(super) fn made_up_keys(&self, login: &str) -> ScramKeys {
        let mut bytes = [0; SCRAM_SALT_BYTES + 64];
        blake3::Hasher::new_keyed(&self.fake_salts)
            .update(login.to_lowercase().as_bytes())
            .finalize_xof()
            .fill(&mut bytes);
        let (salt, rest) = bytes.split_at(SCRAM_SALT_BYTES);
        let mut keys = ScramKeys {
            salt: salt.to_vec(),
            iterations: self.cost.scram_iterations(),
            stored_key: [0; 32],
            server_key: [0; 32],
        };
        let (stored, server) = rest.split_at(32);
        keys.stored_key.copy_from_slice(stored);
        keys.server_key.copy_from_slice(server);
        keys
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.secret, bytes).as_bytes()
    }
}

impl Verified {
    fn remember(&mut self, network: Network) {
        if !self.familiar.contains(&network) {
            self.familiar.truncate(FAMILIAR_NETWORKS_MAX - 1);
            self.familiar.insert(0, network);
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}
