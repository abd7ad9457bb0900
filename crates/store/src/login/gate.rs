//! What is remembered in memory about log-ins: who failed, who was right, and how many hash now. All of it is bounded, and
//! nothing of it is a password.

use aws_lc_rs::constant_time;
use mail::{Address, UnixMillis};
use parking_lot::Mutex;

use super::credential::{Cost, Credential};
use super::journal::Journal;
use super::lanes::Lanes;
use super::scram::{ScramKeys, ScramPair};
use super::throttle::Throttle;
use super::workspace::Workspaces;
use crate::accounts::folded;
use crate::bans::{Network, Recent};
use crate::limits::{
    FAMILIAR_NETWORKS_MAX, GUESS_REMEMBERED_MILLIS, GUESSES_REMEMBERED_MAX, SCRAM_SALT_BYTES,
    VERIFIED_MAX, VERIFIED_MILLIS,
};
use crate::sealing::{Sealing, random};
use crate::{AccountId, Mode, StoreError};

pub(crate) struct Gate {
    pub(super) cost: Cost,
    pub(super) nobody: Credential,
    pub(super) lanes: Lanes,
    pub(super) workspaces: Workspaces,
    pub(super) journal: Journal,
    /// Known to this process alone: what is remembered of passwords is of no use elsewhere.
    secret: [u8; 32],
    fake_salts: [u8; 32],
    app_passwords: [u8; 32],
    throttle: Mutex<Throttle>,
    verified: Mutex<Recent<AccountId, Verified>>,
    /// Wrong guesses, and when each was last made.
    guesses: Mutex<Recent<Guess, i64>>,
}

/// A wrong password with everything that made it wrong, hashed.
pub(super) type Guess = [u8; 32];

/// What a log-in that was right left behind.
#[derive(Default)]
struct Verified {
    /// SCRAM leaves none.
    password: Option<VerifiedPassword>,
    /// Where it came from; from there it is taken even while others behind the same address fail.
    familiar: Vec<Network>,
}

/// The password, hashed, and which stored credential it was right for.
#[derive(Clone, Copy)]
struct VerifiedPassword {
    password: [u8; 32],
    credential: [u8; 32],
    until: i64,
}

impl Gate {
    pub(crate) fn new(sealing: &Sealing, mode: Mode) -> Result<Self, StoreError> {
        let cost = Cost::of(mode);
        Ok(Self {
            cost,
            nobody: Credential::nobody(cost),
            lanes: Lanes::default(),
            workspaces: Workspaces::default(),
            journal: Journal::default(),
            secret: random()?,
            fake_salts: sealing.derive("postroad 2026 made-up SCRAM salts"),
            app_passwords: sealing.derive("postroad 2026 app passwords"),
            throttle: Mutex::default(),
            verified: Mutex::new(Recent::new(VERIFIED_MAX)),
            guesses: Mutex::new(Recent::new(GUESSES_REMEMBERED_MAX)),
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

    /// Whether this password was right not long ago, for the same stored credential. If it was, that holds on.
    pub(super) fn is_verified(
        &self,
        account: AccountId,
        sealed: &[u8],
        password: &str,
        now: UnixMillis,
    ) -> bool {
        let (credential, password) = (self.digest(sealed), self.digest(password.as_bytes()));
        let mut verified = self.verified.lock();
        if verified.get(&account).is_none() {
            return false;
        }
        let Some(known) = &mut verified.touch(account, Verified::default).password else {
            return false;
        };
        let is_right = now.0 < known.until
            && known.credential == credential
            && constant_time::verify_slices_are_equal(&known.password, &password).is_ok();
        if is_right {
            known.until = now.0 + VERIFIED_MILLIS;
        }
        is_right
    }

    /// After a password was found to be right by hashing it.
    pub(super) fn remember_password(
        &self,
        account: AccountId,
        sealed: &[u8],
        password: &str,
        now: UnixMillis,
    ) {
        let password = VerifiedPassword {
            password: self.digest(password.as_bytes()),
            credential: self.digest(sealed),
            until: now.0 + VERIFIED_MILLIS,
        };
        let mut verified = self.verified.lock();
        verified.touch(account, Verified::default).password = Some(password);
    }

    /// After a log-in.
    pub(super) fn remember_network(&self, account: AccountId, network: Network) {
        let mut verified = self.verified.lock();
        let known = verified.touch(account, Verified::default);
        if !known.familiar.contains(&network) {
            known.familiar.truncate(FAMILIAR_NETWORKS_MAX - 1);
            known.familiar.insert(0, network);
        }
    }

    /// Whether this guess was found to be wrong today; that it is remembered from now on is not said here.
    pub(super) fn is_known_wrong(&self, guess: &Guess, now: UnixMillis) -> bool {
        let guesses = self.guesses.lock();
        let at = guesses.get(guess);
        at.is_some_and(|at| now.0 < at.saturating_add(GUESS_REMEMBERED_MILLIS))
    }

    pub(super) fn remember_guess(&self, guess: Guess, now: UnixMillis) {
        *self.guesses.lock().touch(guess, || now.0) = now.0;
    }

    /// Of pieces that are told apart by their lengths.
    pub(super) fn guess(&self, pieces: &[&[u8]]) -> Guess {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for piece in pieces {
            hasher.update(&(piece.len() as u64).to_be_bytes());
            hasher.update(piece);
        }
        *hasher.finalize().as_bytes()
    }

    /// A number for something secret, of no use outside of this process.
    pub(super) fn number(&self, text: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest(text.as_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// What is stored of an app password, of the account and without what only makes it readable.
    pub(super) fn app_verifier(&self, account: AccountId, bare: &str) -> [u8; 32] {
        *blake3::Hasher::new_keyed(&self.app_passwords)
            .update(&account.0.to_be_bytes())
            .update(bare.as_bytes())
            .finalize()
            .as_bytes()
    }

    /// Keys for a login that does not exist: always the same, and no password fits them.
    pub(super) fn made_up_keys(&self, login: &str) -> ScramKeys {
        let mut bytes = [0; SCRAM_SALT_BYTES + 64];
        blake3::Hasher::new_keyed(&self.fake_salts)
            .update(canonical(login).as_bytes())
            .finalize_xof()
            .fill(&mut bytes);
        let (salt, rest) = bytes.split_at(SCRAM_SALT_BYTES);
        let mut pair = ScramPair {
            stored_key: [0; 32],
            server_key: [0; 32],
        };
        let (stored, server) = rest.split_at(32);
        pair.stored_key.copy_from_slice(stored);
        pair.server_key.copy_from_slice(server);
        ScramKeys {
            salt: salt.to_vec(),
            iterations: self.cost.scram_iterations(),
            pairs: vec![pair],
        }
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.secret, bytes).as_bytes()
    }
}

/// Logins that would lead to the same account are one, however they are written: else their keys would tell which exist.
fn canonical(login: &str) -> String {
    match Address::parse(login) {
        Ok(address) => format!("{}@{}", folded(address.local()), address.domain()),
        Err(_) => login.to_lowercase(),
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}
