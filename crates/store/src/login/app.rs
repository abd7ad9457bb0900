//! App passwords: one for each device, made by us, with bounds of their own. They have a hundred bits, so nobody guesses
//! one, however fast a guess is: a keyed hash is all that is kept, and a log-in costs no more than a look at an index.

use std::net::IpAddr;

use mail::UnixMillis;

use super::credential::{ScramCredential, ScramSalt};
use super::history::MAIN;
use super::journal::Entry;
use super::network::{join, split};
use super::protocol::{Protocol, Protocols};
use super::rules::AppPasswordBounds;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{APP_PASSWORD_NAME_BYTES_MAX, APP_PASSWORDS_MAX, LOGIN_NETWORKS_MAX};
use crate::sealing::random;
use crate::{AccountId, Change, Durability, Store, StoreError, View};

/// What is known of one, without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// What its owner calls the device.
    pub name: String,
    pub bounds: AppPasswordBounds,
    pub created: UnixMillis,
    pub used: Option<AppPasswordUse>,
}

/// The last log-in with it, to within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPasswordUse {
    pub at: UnixMillis,
    pub peer: Option<IpAddr>,
    pub protocol: Protocol,
    pub client: String,
}

/// One to be made.
#[derive(Clone, Debug)]
pub struct NewAppPassword {
    pub name: String,
    pub bounds: AppPasswordBounds,
}

#[derive(Debug, thiserror::Error)]
pub enum AppPasswordError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountId),
    #[error("there is an app password `{0}` already; remove it first, or choose another name")]
    Exists(String),
    #[error("this cannot be an app password's name: {0}")]
    BadName(&'static str),
    #[error("the account has {APP_PASSWORDS_MAX} app passwords; remove some first")]
    TooMany,
    #[error("more than {LOGIN_NETWORKS_MAX} networks; name larger ones")]
    TooManyNetworks,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Without letters that are mistaken for one another: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const GROUP_CHARS: usize = 4;
/// 100 bits.
const CHARS: usize = 20;

/// A password of 5 bits for each byte of randomness, in groups that can be read aloud.
#[must_use]
pub fn readable_password(random: &[u8]) -> String {
    let groups = random.chunks(GROUP_CHARS).map(|group| {
        let chars = group.iter();
        let chars = chars.filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
        chars.map(|byte| char::from(*byte)).collect::<String>()
    });
    groups.collect::<Vec<_>>().join("-")
}

/// Without what only makes it readable; nothing if it cannot be one of ours.
pub(super) fn bare(password: &str) -> Option<String> {
    let bare: String = password
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .take(CHARS + 1)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_ours = bare.len() == CHARS && bare.bytes().all(|byte| ALPHABET.contains(&byte));
    is_ours.then_some(bare)
}

impl Store {
    /// Makes an app password and says it: it cannot be read again.
    pub async fn add_app_password(
        &self,
        account: AccountId,
        new: NewAppPassword,
        now: UnixMillis,
    ) -> Result<String, AppPasswordError> {
        check(&new)?;
        let salt = self.read(move |view| salt_of(view, account)).await?;
        let made = Made::new(self, account, &salt)?;
        let password = made.password.clone();
        self.write(Durability::Durable, move |change| {
            change.insert_app_password(account, &new, &made, now)
        })
        .await?;
        Ok(password)
    }

    pub fn add_app_password_blocking(
        &self,
        account: AccountId,
        new: NewAppPassword,
        now: UnixMillis,
    ) -> Result<String, AppPasswordError> {
        check(&new)?;
        let salt = self.read_blocking(move |view| salt_of(view, account))?;
        let made = Made::new(self, account, &salt)?;
        let password = made.password.clone();
        self.write_blocking(Durability::Durable, move |change| {
            change.insert_app_password(account, &new, &made, now)
        })?;
        Ok(password)
    }
}

/// A password and what is stored of it.
struct Made {
    password: String,
    verifier: [u8; 32],
    sealed: Vec<u8>,
}

impl Made {
    fn new(store: &Store, account: AccountId, salt: &ScramSalt) -> Result<Self, StoreError> {
        let password = readable_password(&random::<CHARS>()?);
        let bare = bare(&password).unwrap_or_default();
        // With SCRAM only what is typed counts: both ways to type it are good.
        let keys = [
            ScramCredential::of(&password, salt)?,
            ScramCredential::of(&bare, salt)?,
        ];
        let plain = serde_json::to_vec(&keys).map_err(|e| StoreError::Failed(e.to_string()))?;
        let shared = &store.inner.shared;
        Ok(Self {
            verifier: shared.gate.app_verifier(account, &bare),
            sealed: shared.sealing.seal(&purpose(account), &plain)?,
            password,
        })
    }
}

fn salt_of(view: &View<'_>, account: AccountId) -> Result<ScramSalt, AppPasswordError> {
    let main = view.main_credential(account)?;
    let main = main.ok_or(AppPasswordError::NoSuchAccount(account))?;
    Ok(main.scram().salt()?)
}

fn check(new: &NewAppPassword) -> Result<(), AppPasswordError> {
    let name = &new.name;
    if name.trim().is_empty() || name == MAIN {
        return Err(AppPasswordError::BadName("call it after the device"));
    }
    if APP_PASSWORD_NAME_BYTES_MAX < name.len() {
        return Err(AppPasswordError::BadName("it is too long"));
    }
    if name.chars().any(char::is_control) {
        return Err(AppPasswordError::BadName("it has control characters"));
    }
    if LOGIN_NETWORKS_MAX < new.bounds.networks.len() {
        return Err(AppPasswordError::TooManyNetworks);
    }
    Ok(())
}

impl View<'_> {
    /// An account's app passwords, the oldest first.
    pub fn app_passwords(&self, account: AccountId) -> Result<Vec<AppPassword>, StoreError> {
        let sql = "SELECT name, protocols, networks, created, expires, used, used_peer, used_protocol, used_client \
                   FROM app_password WHERE account = ?1 ORDER BY id";
        self.sql
            .all(sql, &[Param::Int(account.0)], read_app_password)
    }
}

impl Change<'_> {
    fn insert_app_password(
        &mut self,
        account: AccountId,
        new: &NewAppPassword,
        made: &Made,
        now: UnixMillis,
    ) -> Result<(), AppPasswordError> {
        if self.account(account)?.is_none() {
            return Err(AppPasswordError::NoSuchAccount(account));
        }
        let count = "SELECT COUNT(*) FROM app_password WHERE account = ?1";
        let count = self
            .sql
            .one(count, &[Param::Int(account.0)], |row| row.int(0))?;
        if APP_PASSWORDS_MAX <= count {
            return Err(AppPasswordError::TooMany);
        }
        let sql = "INSERT INTO app_password (account, name, verifier, secret, protocols, networks, created, expires) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
        let networks = join(&new.bounds.networks);
        let params = [
            Param::Int(account.0),
            Param::Text(&new.name),
            Param::Blob(&made.verifier),
            Param::Blob(&made.sealed),
            Param::Int(new.bounds.protocols.code()),
            Param::Text(&networks),
            Param::Int(now.0),
            Param::OptInt(new.bounds.expires.map(|expires| expires.0)),
        ];
        match self.sql.execute(sql, &params)? {
            0 => Err(AppPasswordError::Exists(new.name.clone())),
            _ => Ok(()),
        }
    }

    /// Revokes one, and ends the account's sessions. False if there is none of this name.
    pub fn remove_app_password(
        &mut self,
        account: AccountId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM app_password WHERE account = ?1 AND name = ?2";
        let params = [Param::Int(account.0), Param::Text(name)];
        let gone = self.sql.execute(sql, &params)?;
        if 0 < gone {
            self.end_sessions(account)?;
        }
        Ok(0 < gone)
    }

    /// Revokes those made since then, and ends the account's sessions if there were any. Says their names.
    pub fn remove_app_passwords_since(
        &mut self,
        account: AccountId,
        since: UnixMillis,
    ) -> Result<Vec<String>, StoreError> {
        let params = [Param::Int(account.0), Param::Int(since.0)];
        let sql = "SELECT name FROM app_password WHERE account = ?1 AND created >= ?2 ORDER BY id";
        let names = self
            .sql
            .all(sql, &params, |row| Ok(row.text(0)?.to_owned()))?;
        let sql = "DELETE FROM app_password WHERE account = ?1 AND created >= ?2";
        self.sql.execute(sql, &params)?;
        if !names.is_empty() {
            self.end_sessions(account)?;
        }
        Ok(names)
    }

    /// What was counted for a while may be written after what came later.
    pub(super) fn note_app_password_use(
        &mut self,
        account: AccountId,
        name: &str,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE app_password SET used = ?3, used_peer = ?4, used_protocol = ?5, used_client = ?6 \
                   WHERE account = ?1 AND name = ?2 AND (used IS NULL OR used <= ?3)";
        let peer = entry.visit.peer.to_canonical().to_string();
        let params = [
            Param::Int(account.0),
            Param::Text(name),
            Param::Int(entry.last.0),
            Param::Text(&peer),
            Param::Int(entry.visit.protocol.code()),
            Param::Text(&entry.client),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

pub(super) fn purpose(account: AccountId) -> String {
    format!("app password of account {account}")
}

fn read_app_password(row: &Row<'_>) -> SqlResult<AppPassword> {
    let used = match row.opt_int(5)? {
        None => None,
        Some(at) => Some(AppPasswordUse {
            at: UnixMillis(at),
            peer: row.opt_text(6)?.and_then(|peer| peer.parse().ok()),
            protocol: Protocol::of_code(row.opt_int(7)?.unwrap_or(0)),
            client: row.opt_text(8)?.unwrap_or_default().to_owned(),
        }),
    };
    Ok(AppPassword {
        name: row.text(0)?.to_owned(),
        bounds: AppPasswordBounds {
            protocols: Protocols::of_code(row.int(1)?),
            networks: split(row.text(2)?)?,
            expires: row.opt_int(4)?.map(UnixMillis),
        },
        created: UnixMillis(row.int(3)?),
        used,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_counts_for_five_bits() {
        let mut letters = ALPHABET.to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 32);
    }

    #[test]
    fn what_is_typed_is_understood() {
        let password = readable_password(&[7; CHARS]);
        assert_eq!(password.len(), CHARS + CHARS / GROUP_CHARS - 1);
        let stripped = bare(&password).expect("ours");
        for typed in [
            password.replace('-', " "),
            password.to_uppercase(),
            stripped.clone(),
        ] {
            assert_eq!(bare(&typed).as_deref(), Some(stripped.as_str()), "{typed}");
        }
        for other in [
            "",
            "correct horse battery",
            &"1".repeat(CHARS),
            &"a".repeat(CHARS + 1),
        ] {
            assert_eq!(bare(other), None, "{other}");
        }
    }
}
