//! What SCRAM-SHA-256 needs to know of an account, and a log-in that is under way. RFC 5802 §3, RFC 7677.
//!
//! All passwords of an account share salt and iterations, so one exchange takes any of them: the proof says which. Keys
//! that the rules would not admit from this peer are not given out at all: by the server's signature a peer would learn
//! that a password is right.

use std::fmt;

use mail::{Address, UnixMillis};

use super::check::Failure;
use super::credential::Credential;
use super::holder::{AppKeys, Holder};
use super::rules::Barred;
use super::{LoggedIn, LoginError, PasswordUsed, Visit};
use crate::{AccountId, Store, StoreError};

/// Salt and iterations, and the keys of each password that is good here. There is always one pair at least.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub pairs: Vec<ScramPair>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct ScramPair {
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

/// A SCRAM exchange under way: what the peer is to prove, and what it would prove by it.
#[derive(Debug)]
pub struct ScramAttempt {
    keys: ScramKeys,
    /// One for each pair, and until when it is good; none for made-up ones.
    passwords: Vec<(PasswordUsed, Option<UnixMillis>)>,
    login: String,
    account: Option<AccountId>,
    visit: Visit,
    /// Why a password was left out, if one was.
    barred: Option<Barred>,
}

impl ScramAttempt {
    /// For the exchange.
    #[must_use]
    pub fn keys(&self) -> &ScramKeys {
        &self.keys
    }
}

impl Store {
    /// Begins a SCRAM exchange. An unknown login gets made-up keys, the same each time, with which the exchange fails at
    /// its end.
    pub async fn begin_scram(
        &self,
        login: &str,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<ScramAttempt, LoginError> {
        self.check_ban(visit.peer, now)?;
        let (attempt, holder) = self.scram_attempt(login, visit, now).await?;
        self.check_open(holder.as_ref(), visit, now)?;
        Ok(attempt)
    }

    /// After the machine verified a proof against this one of the keys. What is not (any more) good makes no [`LoggedIn`].
    pub async fn finish_scram(
        &self,
        attempt: ScramAttempt,
        key: usize,
        now: UnixMillis,
    ) -> Result<LoggedIn, LoginError> {
        // Between the two looks a password may have been changed, or revoked.
        let (again, holder) = self
            .scram_attempt(&attempt.login, attempt.visit, now)
            .await?;
        let pair = attempt.keys.pairs.get(key);
        let place = pair.and_then(|pair| again.keys.pairs.iter().position(|other| other == pair));
        let used = place.and_then(|place| again.passwords.get(place).cloned());
        match (holder, used) {
            (Some(holder), Some(used)) => Ok(self.admitted(&holder, used, attempt.visit, now)),
            _ => {
                self.scram_failed(&attempt, now);
                Err(LoginError::Wrong)
            }
        }
    }

    /// A SCRAM exchange ended with a wrong proof, or never: counts as a failed log-in.
    pub fn scram_failed(&self, attempt: &ScramAttempt, now: UnixMillis) {
        let failure = Failure {
            login: &attempt.login,
            password: None,
            is_repeated: false,
            barred: attempt.barred,
        };
        self.note_failure(attempt.account, &failure, attempt.visit, now);
    }

    async fn scram_attempt(
        &self,
        login: &str,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<(ScramAttempt, Option<Holder>), StoreError> {
        let mut attempt = ScramAttempt {
            keys: self.inner.shared.gate.made_up_keys(login),
            passwords: Vec::new(),
            login: login.to_owned(),
            account: None,
            visit,
            barred: None,
        };
        let Ok(address) = Address::parse(login) else {
            return Ok((attempt, None));
        };
        let found = self
            .read_small(move |view| view.scram_holder(&address))
            .await?;
        let Some((holder, app_keys)) = found else {
            return Ok((attempt, None));
        };
        attempt.account = Some(holder.account.id);
        fill(&mut attempt, &holder, &app_keys, now)?;
        Ok((attempt, Some(holder)))
    }
}

/// Takes what the account has in place of what was made up.
fn fill(
    attempt: &mut ScramAttempt,
    holder: &Holder,
    app_keys: &[AppKeys],
    now: UnixMillis,
) -> Result<(), StoreError> {
    let Some(main) = holder.main.as_ref().map(Credential::scram) else {
        return Ok(());
    };
    let salt = main.salt()?;
    let mut pairs = Vec::new();
    match holder.admit(None, attempt.visit, now) {
        Ok(()) => pairs.push((main.pair()?, (PasswordUsed::Main, None))),
        Err(barred) => attempt.barred = Some(barred),
    }
    for app in app_keys {
        if let Err(barred) = holder.admit(Some(&app.bounds), attempt.visit, now) {
            attempt.barred.get_or_insert(barred);
            continue;
        }
        for keys in &app.keys {
            // Made with the salt of a main password of long ago, they need an exchange of their own: not offered.
            if keys.salt()? == salt {
                let used = PasswordUsed::App(app.name.clone());
                pairs.push((keys.pair()?, (used, app.bounds.expires)));
            }
        }
    }
    attempt.keys.salt = salt.salt;
    attempt.keys.iterations = salt.iterations;
    if !pairs.is_empty() {
        (attempt.keys.pairs, attempt.passwords) = pairs.into_iter().unzip();
    }
    Ok(())
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys")
    }
}

impl fmt::Debug for ScramPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramPair")
    }
}
