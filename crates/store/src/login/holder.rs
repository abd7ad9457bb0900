//! Who has a login, read in one look: the account, its verifiers, and what bounds them.

use mail::{Address, UnixMillis};

use super::app::purpose as app_purpose;
use super::credential::{Credential, ScramCredential};
use super::network::split;
use super::protocol::Protocols;
use super::rules::{self, AppPasswordBounds, Barred, LoginRules, RulesOf};
use super::sessions::SERVER;
use super::{Visit, passwords};
use crate::accounts::folded;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::APP_PASSWORDS_MAX;
use crate::{Account, AccountId, AccountState, StoreError, View};

/// The account that a login names.
pub(super) struct Holder {
    pub(super) account: Account,
    /// The stored verifier of the main password, for telling whether it is still the same.
    pub(super) sealed: Vec<u8>,
    pub(super) main: Option<Credential>,
    /// The app password that was given, if one was.
    pub(super) app: Option<(Box<str>, AppPasswordBounds)>,
    pub(super) epochs: (i64, i64),
    server: LoginRules,
    rules: LoginRules,
}

/// An app password's keys for SCRAM: as it is printed, and without what makes it readable.
pub(super) struct AppKeys {
    pub(super) name: Box<str>,
    pub(super) bounds: AppPasswordBounds,
    pub(super) keys: Vec<ScramCredential>,
}

impl Holder {
    /// Whether a right password of this account is taken: the main one, or the app password with these bounds.
    pub(super) fn admit(
        &self,
        bounds: Option<&AppPasswordBounds>,
        visit: Visit,
        now: UnixMillis,
    ) -> Result<(), Barred> {
        rules::admit(&rules::Facts {
            is_active: self.account.state == AccountState::Active,
            server: &self.server,
            account: &self.rules,
            bounds,
            protocol: visit.protocol,
            peer: visit.peer,
            now,
        })
    }
}

impl View<'_> {
    /// The account of a login: its own address, or an alias that leads to it alone. `password` is looked for among
    /// the app passwords.
    pub(super) fn holder(
        &self,
        address: &Address,
        password: Option<&str>,
    ) -> Result<Option<Holder>, StoreError> {
        let account = match self.account_by_address(address)? {
            Some(account) => Some(account),
            None => self.account_of_alias(address)?,
        };
        let Some(account) = account else {
            return Ok(None);
        };
        let sql = "SELECT secret FROM credential WHERE account = ?1 AND kind = ?2";
        let key = [
            Param::Int(account.id.0),
            Param::Int(passwords::MAIN_PASSWORD),
        ];
        let Some(sealed) = self.sql.first(sql, &key, |row| Ok(row.blob(0)?.to_vec()))? else {
            return Ok(None);
        };
        let app = match password {
            Some(password) => self.app_password_like(account.id, password)?,
            None => None,
        };
        let mut holder = Holder {
            account,
            sealed,
            main: None,
            app,
            epochs: (0, 0),
            server: LoginRules::default(),
            rules: LoginRules::default(),
        };
        self.read_login_rules(&mut holder)?;
        Ok(Some(holder))
    }

    /// As [`View::holder`], with all keys for SCRAM.
    pub(super) fn scram_holder(
        &self,
        address: &Address,
    ) -> Result<Option<(Holder, Vec<AppKeys>)>, StoreError> {
        let Some(mut holder) = self.holder(address, None)? else {
            return Ok(None);
        };
        holder.main = Some(self.open_main(&holder)?);
        let account = holder.account.id;
        let sql = "SELECT name, protocols, networks, expires, secret FROM app_password WHERE account = ?1 ORDER BY id LIMIT ?2";
        let params = [Param::Int(account.0), Param::Int(APP_PASSWORDS_MAX)];
        let keys = self.sql.all(sql, &params, |row| {
            let plain = self
                .shared
                .sealing
                .unseal(&app_purpose(account), row.blob(4)?)?;
            let keys = serde_json::from_slice(&plain)
                .map_err(|e| StoreError::Damaged(format!("an app password: {e}")))?;
            Ok(AppKeys {
                name: row.text(0)?.into(),
                bounds: read_bounds(row)?,
                keys,
            })
        })?;
        Ok(Some((holder, keys)))
    }

    /// The verifier of the main password.
    pub(super) fn open_main(&self, holder: &Holder) -> Result<Credential, StoreError> {
        passwords::open(&self.shared.sealing, holder.account.id, &holder.sealed)
    }

    /// The app password that this is, typed with or without what makes it readable.
    fn app_password_like(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<Option<(Box<str>, AppPasswordBounds)>, StoreError> {
        let Some(bare) = super::app::bare(password) else {
            return Ok(None);
        };
        let verifier = self.shared.gate.app_verifier(account, &bare);
        let sql = "SELECT name, protocols, networks, expires FROM app_password WHERE account = ?1 AND verifier = ?2";
        let params = [Param::Int(account.0), Param::Blob(&verifier)];
        self.sql.first(sql, &params, |row| {
            Ok((row.text(0)?.into(), read_bounds(row)?))
        })
    }

    /// Of the account and of the server, with their epochs.
    fn read_login_rules(&self, holder: &mut Holder) -> Result<(), StoreError> {
        let sql = "SELECT account, epoch, protocols_off, app_passwords_only, submission_networks FROM login_rule \
                   WHERE account = ?1 OR account = ?2";
        let own = RulesOf::Account(holder.account.id).key();
        let keys = [Param::Int(own), Param::Int(SERVER)];
        self.sql.each(sql, &keys, |row| {
            let found = rules::read_rules(row, 2)?;
            match row.int(0)? {
                SERVER => (holder.epochs.1, holder.server) = (row.int(1)?, found),
                _ => (holder.epochs.0, holder.rules) = (row.int(1)?, found),
            }
            Ok(())
        })
    }

    /// An alias that leads to one account only is as good a login as the account's own address.
    fn account_of_alias(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let sql =
            "SELECT account FROM alias WHERE domain = ?1 AND local = ?2 AND local <> '' LIMIT 2";
        let local = folded(address.local());
        let key = [Param::Text(address.domain().as_str()), Param::Text(&local)];
        match self.sql.all(sql, &key, |row| row.int(0))?.as_slice() {
            [account] => self.account(AccountId(*account)),
            _ => Ok(None),
        }
    }
}

/// Columns 1 to 3: protocols, networks, end.
fn read_bounds(row: &Row<'_>) -> SqlResult<AppPasswordBounds> {
    Ok(AppPasswordBounds {
        protocols: Protocols::of_code(row.int(1)?),
        networks: split(row.text(2)?)?,
        expires: row.opt_int(3)?.map(UnixMillis),
    })
}
