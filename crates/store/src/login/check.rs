//! Checking a password: banned or throttled, right or wrong, admitted or not. A peer hears one answer to all of the
//! last four, after the same time.

use std::net::IpAddr;
use std::sync::Arc;

use mail::{Address, UnixMillis};

use super::gate::Guess;
use super::holder::Holder;
use super::lanes::{Crowded, Guest};
use super::rules::{AppPasswordBounds, Barred};
use super::workspace::Workspaces;
use super::{LoggedIn, LoginError, PasswordUsed, SignInOutcome, Visit, passwords};
use crate::bans::{Blame, Network, Scope};
use crate::limits::{CROWDED_MILLIS, PASSWORD_BYTES_MAX};
use crate::{AccountId, Mode, Store, StoreError};

/// A log-in that came to nothing.
pub(super) struct Failure<'a> {
    pub(super) login: &'a str,
    /// SCRAM shows none.
    pub(super) password: Option<&'a str>,
    /// The same was tried before: a program that was not told of a new password, not a guesser.
    pub(super) is_repeated: bool,
    /// The password was right, and not taken.
    pub(super) barred: Option<Barred>,
}

/// What a password turned out to be.
enum Found {
    Right {
        used: PasswordUsed,
        /// Of an app password.
        bounds: Option<AppPasswordBounds>,
        /// It took its time to find out.
        was_slow: bool,
    },
    Wrong {
        is_repeated: bool,
    },
}

impl Store {
    /// Checks a password. `login` is the account's address (an alias will do as well); unknown ones
    /// take as long as known ones.
    pub async fn log_in(
        &self,
        login: &str,
        password: &str,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<LoggedIn, LoginError> {
        self.check_ban(visit.peer, now)?;
        let holder = self.holder(login, password).await?;
        self.check_open(holder.as_ref(), visit, now)?;
        let guess = self.guess(holder.as_ref(), login, password, visit);
        let found = self
            .look_at(holder.as_ref(), password, &guess, visit, now)
            .await?;
        let (is_repeated, barred) = match (found, &holder) {
            (
                Found::Right {
                    used,
                    bounds,
                    was_slow,
                },
                Some(holder),
            ) => match holder.admit(bounds.as_ref(), visit, now) {
                Ok(()) => {
                    let expires = bounds.and_then(|bounds| bounds.expires);
                    return Ok(self.admitted(holder, (used, expires), visit, now));
                }
                Err(barred) => {
                    let is_repeated = self.inner.shared.gate.is_known_wrong(&guess, now);
                    // By the time it takes a right password that is not taken must look like a wrong one.
                    if !was_slow && !is_repeated {
                        let guest = self.guest(Some(holder), visit).await?;
                        self.hash_main(None, password, guest, now).await?;
                    }
                    (is_repeated, Some(barred))
                }
            },
            (Found::Right { .. }, None) => (false, None),
            (Found::Wrong { is_repeated }, _) => (is_repeated, None),
        };
        self.inner.shared.gate.remember_guess(guess, now);
        let failure = Failure {
            login,
            password: Some(password),
            is_repeated,
            barred,
        };
        let account = holder.as_ref().map(|holder| holder.account.id);
        self.note_failure(account, &failure, visit, now);
        Err(LoginError::Wrong)
    }

    /// Whether the password is one of the account's, and which. Slow where it must be.
    async fn look_at(
        &self,
        holder: Option<&Holder>,
        password: &str,
        guess: &Guess,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<Found, LoginError> {
        let gate = &self.inner.shared.gate;
        if let Some((name, bounds)) = holder.and_then(|holder| holder.app.as_ref()) {
            return Ok(Found::Right {
                used: PasswordUsed::App(name.clone()),
                bounds: Some(bounds.clone()),
                was_slow: false,
            });
        }
        if let Some(holder) = holder
            && gate.is_verified(holder.account.id, &holder.sealed, password, now)
        {
            return Ok(Found::Right {
                used: PasswordUsed::Main,
                bounds: None,
                was_slow: false,
            });
        }
        if gate.is_known_wrong(guess, now) {
            return Ok(Found::Wrong { is_repeated: true });
        }
        let guest = self.guest(holder, visit).await?;
        let fits = self.hash_main(holder, password, guest, now).await?;
        Ok(match holder {
            Some(holder) if fits => {
                gate.remember_password(holder.account.id, &holder.sealed, password, now);
                Found::Right {
                    used: PasswordUsed::Main,
                    bounds: None,
                    was_slow: true,
                }
            }
            _ => Found::Wrong { is_repeated: false },
        })
    }

    /// Hashes the password as the account's verifier wants it; for nobody's account just as long.
    async fn hash_main(
        &self,
        holder: Option<&Holder>,
        password: &str,
        guest: Guest,
        now: UnixMillis,
    ) -> Result<bool, LoginError> {
        let shared = &self.inner.shared;
        let credential = match holder {
            Some(holder) => passwords::open(&shared.sealing, holder.account.id, &holder.sealed)?,
            None => shared.gate.nobody.clone(),
        };
        let guess = password.to_owned();
        let work = move |memory: &Workspaces| {
            Ok(guess.len() <= PASSWORD_BYTES_MAX && credential.fits(&guess, memory)?)
        };
        let hashed = self.hash_as(guest, work).await?;
        // Said to whoever comes from elsewhere, whatever the login: it tells nothing of accounts.
        hashed.map_err(|Crowded| LoginError::Throttled {
            until: UnixMillis(now.0 + CROWDED_MILLIS),
        })
    }

    /// Whether somebody comes from where the account was used before. It is looked up for unknown logins as well: that takes
    /// the same time.
    async fn guest(&self, holder: Option<&Holder>, visit: Visit) -> Result<Guest, StoreError> {
        let account = holder.map_or(AccountId(0), |holder| holder.account.id);
        let gate = &self.inner.shared.gate;
        let is_known = gate.is_familiar(account, Network::of(visit.peer))
            || self
                .read_small(move |view| view.has_signed_in_from(account, visit.peer))
                .await?;
        Ok(match is_known {
            true => Guest::Known,
            false => Guest::Stranger,
        })
    }

    /// Everything that makes this guess right or wrong; when any of it changes, it is another guess.
    fn guess(&self, holder: Option<&Holder>, login: &str, password: &str, visit: Visit) -> Guess {
        let peer = visit.peer.to_canonical().to_string();
        let protocol = visit.protocol.code().to_be_bytes();
        let folded = login.to_lowercase();
        let (who, state) = match holder {
            Some(holder) => {
                let state = [holder.epochs.0, holder.epochs.1];
                let state = state.map(i64::to_be_bytes).concat();
                (
                    holder.account.id.to_string(),
                    [&state, holder.sealed.as_slice()].concat(),
                )
            }
            None => (folded, Vec::new()),
        };
        let pieces = [
            who.as_bytes(),
            &state,
            password.as_bytes(),
            peer.as_bytes(),
            &protocol,
        ];
        self.inner.shared.gate.guess(&pieces)
    }

    pub(super) fn admitted(
        &self,
        holder: &Holder,
        (used, expires): (PasswordUsed, Option<UnixMillis>),
        visit: Visit,
        now: UnixMillis,
    ) -> LoggedIn {
        let account = holder.account.id;
        let network = Network::of(visit.peer);
        self.inner.shared.gate.remember_network(account, network);
        self.praise(visit.peer, now);
        LoggedIn {
            account,
            address: holder.account.address.clone(),
            used,
            expires,
            epochs: holder.epochs,
        }
    }

    /// Counts a failure against the peer, and among the sign-ins of the account.
    pub(super) fn note_failure(
        &self,
        account: Option<AccountId>,
        failure: &Failure<'_>,
        visit: Visit,
        now: UnixMillis,
    ) {
        let gate = &self.inner.shared.gate;
        let network = Network::of(visit.peer);
        if !failure.is_repeated {
            gate.note_failure(network, now);
        }
        let login = gate.number(&failure.login.to_lowercase());
        let password = failure.password.map(|password| gate.number(password));
        let blame = match account {
            Some(account) => Blame::WrongPassword {
                login,
                password,
                familiar: gate.is_familiar(account, network),
            },
            None => Blame::UnknownLogin { login, password },
        };
        self.blame(visit.peer, blame, now);
        tracing::info!(
            login = failure.login, peer = %visit.peer, protocol = %visit.protocol,
            reason = failure.barred.map_or_else(|| "wrong".to_owned(), |barred| barred.to_string()),
            "log-in failed"
        );
        if let Some(account) = account {
            let outcome = match failure.barred {
                Some(barred) => SignInOutcome::Barred(barred),
                None => SignInOutcome::Wrong,
            };
            self.note_failed_sign_in(account, outcome, visit, now);
        }
    }

    /// A connection that was there before the ban must not go on guessing.
    pub(super) fn check_ban(&self, peer: IpAddr, now: UnixMillis) -> Result<(), LoginError> {
        match self.banned(peer, now) {
            Some(banned) if banned.scope == Scope::Everything => Err(LoginError::Throttled {
                until: banned.until,
            }),
            _ => Ok(()),
        }
    }

    /// Whether a network has tries left and did not try many names, or is familiar with this very account.
    pub(super) fn check_open(
        &self,
        holder: Option<&Holder>,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<(), LoginError> {
        let gate = &self.inner.shared.gate;
        let network = Network::of(visit.peer);
        let familiar = || holder.is_some_and(|holder| gate.is_familiar(holder.account.id, network));
        let throttled = gate.closed_until(network, now);
        match throttled.max(self.closed_to_others(visit.peer, now)) {
            Some(until) if !familiar() => Err(LoginError::Throttled { until }),
            _ => Ok(()),
        }
    }

    /// Runs slow hashing beside the tasks, a few at a time: memory and processor stay bounded.
    pub(super) async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workspaces) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let hashed = self.hash_as(Guest::Known, work).await?;
        hashed.map_err(|Crowded| StoreError::Closed)
    }

    async fn hash_as<T: Send + 'static>(
        &self,
        guest: Guest,
        work: impl FnOnce(&Workspaces) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Result<T, Crowded>, StoreError> {
        let gate = &self.inner.shared.gate;
        if self.inner.mode == Mode::Inline {
            return work(&gate.workspaces).map(Ok);
        }
        let _turn = match gate.lanes.turn(guest).await? {
            Ok(turn) => turn,
            Err(crowded) => return Ok(Err(crowded)),
        };
        let shared = Arc::clone(&self.inner.shared);
        let hashed = tokio::task::spawn_blocking(move || work(&shared.gate.workspaces));
        hashed.await.map_err(|_| StoreError::Panicked)?.map(Ok)
    }

    /// Who has this login, and whether the password is an app password of theirs.
    async fn holder(&self, login: &str, password: &str) -> Result<Option<Holder>, StoreError> {
        let Ok(address) = Address::parse(login) else {
            return Ok(None);
        };
        let password = password.to_owned();
        self.read_small(move |view| view.holder(&address, Some(&password)))
            .await
    }
}

#[cfg(test)]
mod tests;
