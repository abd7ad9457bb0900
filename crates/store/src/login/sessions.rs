//! Ending the sessions of an account: each log-in belongs to an epoch of its account, and a new epoch ends it.
//! What other nodes end is heard as their other changes are.

use std::collections::{BTreeSet, HashMap};

use mail::UnixMillis;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::LoggedIn;
use crate::engine::Param;
use crate::{AccountId, AccountState, Change, Durability, Store, StoreError, View};

/// The key of what holds for all accounts.
pub(super) const SERVER: i64 = 0;

/// The newest epochs that were heard of, by account. Only accounts whose sessions were ended stand here.
#[derive(Debug)]
pub(crate) struct Sessions {
    epochs: Mutex<HashMap<i64, i64>>,
    expiries: Mutex<Expiries>,
    /// Counts the times that sessions of anybody were ended.
    ends: watch::Sender<u64>,
}

/// Ends of app passwords that sessions wait for: as many at most as there are sessions.
#[derive(Debug, Default)]
struct Expiries {
    /// What time it was when somebody said so last.
    now: i64,
    ahead: BTreeSet<i64>,
}

/// Tells a session when it is over.
#[derive(Clone, Debug)]
pub struct SessionWatch {
    store: Store,
    user: LoggedIn,
    ends: watch::Receiver<u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            epochs: Mutex::default(),
            expiries: Mutex::default(),
            ends: watch::Sender::new(0),
        }
    }
}

impl Sessions {
    pub(crate) fn end(&self, ended: &[(i64, i64)]) {
        if ended.is_empty() {
            return;
        }
        let mut epochs = self.epochs.lock();
        for (account, epoch) in ended {
            let newest = epochs.entry(*account).or_insert(*epoch);
            *newest = (*newest).max(*epoch);
        }
        drop(epochs);
        self.ends.send_modify(|count| *count += 1);
    }

    /// Ends what was opened with passwords that are good no more.
    fn pass_time(&self, now: UnixMillis) {
        let mut expiries = self.expiries.lock();
        expiries.now = now.0;
        let ahead = expiries.ahead.split_off(&now.0.saturating_add(1));
        let gone = std::mem::replace(&mut expiries.ahead, ahead);
        drop(expiries);
        if !gone.is_empty() {
            self.ends.send_modify(|count| *count += 1);
        }
    }

    fn is_over(&self, user: &LoggedIn) -> bool {
        let is_expired = |expires: UnixMillis| expires.0 <= self.expiries.lock().now;
        if user.expires.is_some_and(is_expired) {
            return true;
        }
        let epochs = self.epochs.lock();
        let is_newer = |key, epoch| epochs.get(&key).is_some_and(|newest| epoch < *newest);
        is_newer(user.account.0, user.epochs.0) || is_newer(SERVER, user.epochs.1)
    }
}

impl Store {
    /// Whether what this log-in opened must end: the account was locked, its password changed or expired, or somebody
    /// said so.
    #[must_use]
    pub fn is_over(&self, user: &LoggedIn) -> bool {
        self.inner.shared.sessions.is_over(user)
    }

    /// Watches for the end of what this log-in opened.
    #[must_use]
    pub fn watch_session(&self, user: &LoggedIn) -> SessionWatch {
        let sessions = &self.inner.shared.sessions;
        if let Some(expires) = user.expires {
            sessions.expiries.lock().ahead.insert(expires.0);
        }
        SessionWatch {
            ends: sessions.ends.subscribe(),
            store: self.clone(),
            user: user.clone(),
        }
    }

    /// Says what time it is, every few seconds: ends the sessions of app passwords that have expired.
    pub fn end_expired_sessions(&self, now: UnixMillis) {
        self.inner.shared.sessions.pass_time(now);
    }

    /// Ends all sessions of an account, here and on other nodes.
    pub async fn revoke_sessions(&self, account: AccountId) -> Result<(), StoreError> {
        self.write(Durability::Durable, move |change| {
            change.end_sessions(account)
        })
        .await
    }
}

impl SessionWatch {
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.store.is_over(&self.user)
    }

    /// Waits until the session must end. Cancel-safe.
    pub async fn over(&mut self) {
        while !self.is_over() {
            if self.ends.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl View<'_> {
    /// As [`Store::is_over`], by what is stored: nothing is left to be heard of.
    pub fn is_logged_out(&self, user: &LoggedIn) -> Result<bool, StoreError> {
        let account = self.account(user.account)?;
        if account.is_none_or(|account| account.state != AccountState::Active) {
            return Ok(true);
        }
        let sql = "SELECT account, epoch FROM login_rule WHERE account = ?1 OR account = ?2";
        let keys = [Param::Int(user.account.0), Param::Int(SERVER)];
        let newest = self
            .sql
            .all(sql, &keys, |row| Ok((row.int(0)?, row.int(1)?)))?;
        Ok(newest.into_iter().any(|(key, epoch)| match key {
            SERVER => user.epochs.1 < epoch,
            _ => user.epochs.0 < epoch,
        }))
    }
}

impl Change<'_> {
    /// Ends all sessions of an account when this change is committed. Who still has a password that is good logs in anew.
    pub fn end_sessions(&mut self, account: AccountId) -> Result<(), StoreError> {
        let sql = "INSERT INTO login_rule (account, epoch, protocols_off, app_passwords_only, submission_networks) \
                   VALUES (?1, 1, 0, 0, '') ON CONFLICT (account) DO UPDATE SET epoch = login_rule.epoch + 1 \
                   RETURNING epoch";
        let epoch = self
            .sql
            .one(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        self.effects.note_ended(account, epoch);
        self.bump(account).map(drop)
    }
}
