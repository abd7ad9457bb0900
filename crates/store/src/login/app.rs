//! App passwords: one for each device, made by us, with bounds of their own. They have a hundred bits, so nobody guesses
//! one, however fast a guess is: a keyed hash is all that is kept, and a log-in costs no more than a look at an index.

use std::net::IpAddr;

use mail::UnixMillis;

use super::network::split;
use super::protocol::{Protocol, Protocols};
use super::rules::AppPasswordBounds;
use crate::engine::{Param, Row, SqlResult};
use crate::{AccountId, Change, StoreError, View};

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
