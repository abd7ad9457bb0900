//! Relays for single providers: servers of others that take our mail where we are not believed. Passwords are sealed.

use std::fmt;

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

#[derive(Clone, PartialEq, Eq)]
pub struct ProviderRelay {
    /// The group of mail hosts.
    pub provider: String,
    pub host: String,
    pub port: u16,
    pub protection: RelayProtection,
    /// User and password.
    pub login: Option<(String, String)>,
    /// All mail for the provider goes by it; else only while the provider refuses us.
    pub always: bool,
    pub created: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayProtection {
    /// TLS from the first byte, certificate verified.
    Implicit,
    /// STARTTLS, certificate verified.
    StartTls,
    /// STARTTLS when offered.
    Opportunistic,
}

const COLUMNS: &str = "SELECT provider, host, port, security, user_name, password, use_always, created \
                       FROM provider_relay ORDER BY provider";
const COLUMNS_OF_ONE: &str = "SELECT provider, host, port, security, user_name, password, use_always, created \
                              FROM provider_relay WHERE provider = ?1";

impl View<'_> {
    pub fn provider_relay(&self, provider: &str) -> Result<Option<ProviderRelay>, StoreError> {
        self.sql
            .first(COLUMNS_OF_ONE, &[Param::Text(provider)], |row| {
                self.read_relay(row)
            })
    }

    /// The host alone: nothing is unsealed for it.
    pub fn provider_relay_host(&self, provider: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT host FROM provider_relay WHERE provider = ?1";
        self.sql.first(sql, &[Param::Text(provider)], |row| {
            Ok(row.text(0)?.to_owned())
        })
    }

    pub fn provider_relays(&self) -> Result<Vec<ProviderRelay>, StoreError> {
        self.sql.all(COLUMNS, &[], |row| self.read_relay(row))
    }

    fn read_relay(&self, row: &Row<'_>) -> SqlResult<ProviderRelay> {
        let provider = row.text(0)?.to_owned();
        let login = match (row.opt_text(4)?, row.opt_blob(5)?) {
            (Some(user), Some(sealed)) => {
                let plain = self.shared.sealing.unseal(&purpose(&provider), sealed)?;
                let password = String::from_utf8(plain)
                    .map_err(|_| StoreError::Damaged("the password of a relay".to_owned()))?;
                Some((user.to_owned(), password))
            }
            _ => None,
        };
        Ok(ProviderRelay {
            host: row.text(1)?.to_owned(),
            port: u16::try_from(row.int(2)?).unwrap_or_default(),
            protection: RelayProtection::of_code(row.int(3)?),
            login,
            always: row.int(6)? != 0,
            created: UnixMillis(row.int(7)?),
            provider,
        })
    }
}

impl Change<'_> {
    /// In place of one for the same provider.
    pub fn keep_provider_relay(&mut self, relay: &ProviderRelay) -> Result<(), StoreError> {
        let password = match &relay.login {
            Some((_, password)) => Some(
                self.shared
                    .sealing
                    .seal(&purpose(&relay.provider), password.as_bytes())?,
            ),
            None => None,
        };
        self.forget_provider_relay(&relay.provider)?;
        let sql = "INSERT INTO provider_relay (provider, host, port, security, use_always, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let params = [
            Param::Text(&relay.provider),
            Param::Text(&relay.host),
            Param::Int(relay.port.into()),
            Param::Int(relay.protection.code()),
            Param::Int(i64::from(relay.always)),
            Param::Int(relay.created.0),
        ];
        self.sql.execute(sql, &params)?;
        if let (Some((user, _)), Some(password)) = (&relay.login, &password) {
            let sql = "UPDATE provider_relay SET user_name = ?2, password = ?3 WHERE provider = ?1";
            let params = [
                Param::Text(&relay.provider),
                Param::Text(user),
                Param::Blob(password),
            ];
            self.sql.execute(sql, &params)?;
        }
        self.effects.note_queue();
        Ok(())
    }

    /// False if there was none.
    pub fn forget_provider_relay(&mut self, provider: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM provider_relay WHERE provider = ?1";
        self.effects.note_queue();
        Ok(self.sql.execute(sql, &[Param::Text(provider)])? == 1)
    }
}

fn purpose(provider: &str) -> String {
    format!("relay password {provider}")
}

impl RelayProtection {
    fn code(self) -> i64 {
        match self {
            Self::Implicit => 1,
            Self::StartTls => 2,
            Self::Opportunistic => 3,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Implicit,
            3 => Self::Opportunistic,
            _ => Self::StartTls,
        }
    }
}

impl fmt::Debug for ProviderRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderRelay")
            .field("provider", &self.provider)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("always", &self.always)
            .finish_non_exhaustive()
    }
}
