//! Checking log-ins, and setting passwords.

use std::net::IpAddr;
use std::sync::Arc;

use mail::{Address, UnixMillis};

use super::credential::Credential;
use super::throttle::Network;
use super::workspace::Workspaces;
use super::{LoggedIn, LoginError, ScramKeys};
use crate::accounts::folded;
use crate::engine::Param;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};
use crate::{
    Account, AccountError, AccountId, AccountState, Change, Durability, Mode, NewAccount, Store,
    StoreError, View,
};

/// The one kind of credential there is so far.
const PASSWORD: i64 = 1;

impl Store {
    /// Checks a password. `login` is the account's address (an alias will do as well); unknown ones
    /// take as long as known ones.
    pub async fn log_in(
        &self,
        login: &str,
        password: &str,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<LoggedIn, LoginError> {
        let network = Network::of(peer);
        let gate = &self.inner.shared.gate;
        let holder = self.holder(login).await?;
        self.check_open(holder.as_ref(), network, now)?;
        if let Some(holder) = &holder
            && gate.is_verified(holder.account.id, &holder.sealed, password)
        {
            gate.remember(holder.account.id, None, network);
            return Ok(holder.logged_in());
        }
        let credential = match &holder {
            Some(holder) => holder.credential.clone(),
            None => gate.nobody.clone(),
        };
        let guess = password.to_owned();
        let fits = self
            .hash(move |memory| {
                Ok(guess.len() <= PASSWORD_BYTES_MAX && credential.fits(&guess, memory)?)
            })
            .await?;
        match holder {
            Some(holder) if fits => {
                gate.remember(holder.account.id, Some((&holder.sealed, password)), network);
                Ok(holder.logged_in())
            }
            _ => {
                gate.note_failure(network, now);
                Err(LoginError::Wrong)
            }
        }
    }

    /// The keys for a SCRAM exchange. An unknown login gets made-up ones, the same each time, with
    /// which the exchange fails at its end.
    pub async fn scram_keys(
        &self,
        login: &str,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<ScramKeys, LoginError> {
        let holder = self.holder(login).await?;
        self.check_open(holder.as_ref(), Network::of(peer), now)?;
        match holder {
            Some(holder) => Ok(holder.credential.scram_keys()?),
            None => Ok(self.inner.shared.gate.made_up_keys(login)),
        }
    }

    /// After the machine verified a SCRAM proof against `keys`, which [`Store::scram_keys`] gave
    /// for this login. Keys that are not (any more) the account's make no [`LoggedIn`].
    pub async fn log_in_scram(
        &self,
        login: &str,
        keys: &ScramKeys,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<LoggedIn, LoginError> {
        match self.holder(login).await? {
            Some(holder) if holder.credential.scram_keys()? == *keys => {
                self.inner
                    .shared
                    .gate
                    .remember(holder.account.id, None, Network::of(peer));
                Ok(holder.logged_in())
            }
            _ => {
                self.scram_failed(login, peer, now);
                Err(LoginError::Wrong)
            }
        }
    }

    /// A SCRAM exchange ended with a wrong proof: counts as a failed log-in.
    pub fn scram_failed(&self, login: &str, peer: IpAddr, now: UnixMillis) {
        tracing::debug!(login, %peer, "a SCRAM proof was wrong");
        self.inner.shared.gate.note_failure(Network::of(peer), now);
    }

    /// Makes an account with its mailboxes: INBOX, Drafts, Sent, Junk, Trash, Archive.
    pub async fn add_account(
        &self,
        account: NewAccount,
        now: UnixMillis,
    ) -> Result<AccountId, AccountError> {
        let credential = self.new_credential(account.password.clone()).await?;
        self.write(Durability::Durable, move |change| {
            add_account(change, &account, &credential, now)
        })
        .await
    }

    pub fn add_account_blocking(
        &self,
        account: NewAccount,
        now: UnixMillis,
    ) -> Result<AccountId, AccountError> {
        check_password(&account.password)?;
        let credential = Credential::of(
            &account.password,
            self.inner.shared.gate.cost,
            &self.inner.shared.gate.workspaces,
        )?;
        self.write_blocking(Durability::Durable, move |change| {
            add_account(change, &account, &credential, now)
        })
    }

    /// Sets a password; the old one is of no use from the next log-in on.
    pub async fn set_password(
        &self,
        account: AccountId,
        password: String,
        now: UnixMillis,
    ) -> Result<(), AccountError> {
        let credential = self.new_credential(password).await?;
        self.write(Durability::Durable, move |change| {
            set_credential(change, account, &credential, now)
        })
        .await
    }

    pub fn set_password_blocking(
        &self,
        account: AccountId,
        password: String,
        now: UnixMillis,
    ) -> Result<(), AccountError> {
        check_password(&password)?;
        let credential = Credential::of(
            &password,
            self.inner.shared.gate.cost,
            &self.inner.shared.gate.workspaces,
        )?;
        self.write_blocking(Durability::Durable, move |change| {
            set_credential(change, account, &credential, now)
        })
    }

    /// Whether a network has tries left, or is familiar with this very account.
    fn check_open(
        &self,
        holder: Option<&Holder>,
        network: Network,
        now: UnixMillis,
    ) -> Result<(), LoginError> {
        let gate = &self.inner.shared.gate;
        let familiar = || holder.is_some_and(|holder| gate.is_familiar(holder.account.id, network));
        match gate.closed_until(network, now) {
            Some(until) if !familiar() => Err(LoginError::Throttled { until }),
            _ => Ok(()),
        }
    }

    async fn new_credential(&self, password: String) -> Result<Credential, AccountError> {
        check_password(&password)?;
        let cost = self.inner.shared.gate.cost;
        Ok(self
            .hash(move |memory| Credential::of(&password, cost, memory))
            .await?)
    }

    /// Runs slow hashing beside the tasks, a few at a time: memory and processor stay bounded.
    async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workspaces) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.inner.mode == Mode::Inline {
            return work(&self.inner.shared.gate.workspaces);
        }
        let _turn = self
            .inner
            .shared
            .gate
            .hashing
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let shared = Arc::clone(&self.inner.shared);
        tokio::task::spawn_blocking(move || work(&shared.gate.workspaces))
            .await
            .map_err(|_| StoreError::Panicked)?
    }

    /// Who has this login, if there is an active account.
    async fn holder(&self, login: &str) -> Result<Option<Holder>, StoreError> {
        let Ok(address) = Address::parse(login) else {
            return Ok(None);
        };
        self.read_small(move |view| view.holder(&address)).await
    }
}

struct Holder {
    account: Account,
    epochs: (i64, i64),
    sealed: Vec<u8>,
    credential: Credential,
}

impl Holder {
    fn logged_in(&self) -> LoggedIn {
        LoggedIn {
            account: self.account.id,
            address: self.account.address.clone(),
            epochs: self.epochs,
        }
    }
}

impl View<'_> {
    fn holder(&self, address: &Address) -> Result<Option<Holder>, StoreError> {
        let account = match self.account_by_address(address)? {
            Some(account) => Some(account),
            None => self.account_of_alias(address)?,
        };
        let Some(account) = account.filter(|account| account.state == AccountState::Active) else {
            return Ok(None);
        };
        let sql = "SELECT secret FROM credential WHERE account = ?1 AND kind = ?2";
        let key = [Param::Int(account.id.0), Param::Int(PASSWORD)];
        let Some(sealed) = self.sql.first(sql, &key, |row| Ok(row.blob(0)?.to_vec()))? else {
            return Ok(None);
        };
        let plain = self.shared.sealing.unseal(&purpose(account.id), &sealed)?;
        let credential = serde_json::from_slice(&plain)
            .map_err(|e| StoreError::Damaged(format!("a credential: {e}")))?;
        Ok(Some(Holder {
            epochs: self.epochs(account.id)?,
            account,
            sealed,
            credential,
        }))
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

fn add_account(
    change: &mut Change<'_>,
    account: &NewAccount,
    credential: &Credential,
    now: UnixMillis,
) -> Result<AccountId, AccountError> {
    let id = change.insert_account(account, now)?;
    set_credential(change, id, credential, now)?;
    Ok(id)
}

fn set_credential(
    change: &mut Change<'_>,
    account: AccountId,
    credential: &Credential,
    now: UnixMillis,
) -> Result<(), AccountError> {
    if change.account(account)?.is_none() {
        return Err(AccountError::NoSuchAccount(account.to_string()));
    }
    let plain = serde_json::to_vec(credential).map_err(|e| StoreError::Failed(e.to_string()))?;
    let sealed = change.shared.sealing.seal(&purpose(account), &plain)?;
    let sql = "INSERT INTO credential (account, kind, changed, secret) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, kind) DO UPDATE SET changed = excluded.changed, secret = excluded.secret";
    let params = [
        Param::Int(account.0),
        Param::Int(PASSWORD),
        Param::Int(now.0),
        Param::Blob(&sealed),
    ];
    change.sql.execute(sql, &params)?;
    change.end_sessions(account)?;
    Ok(())
}

fn check_password(password: &str) -> Result<(), AccountError> {
    if password.len() < PASSWORD_BYTES_MIN {
        return Err(AccountError::BadPassword("is too short"));
    }
    if PASSWORD_BYTES_MAX < password.len() {
        return Err(AccountError::BadPassword("is too long"));
    }
    if password.contains(['\0', '\r', '\n']) {
        return Err(AccountError::BadPassword(
            "has characters that no mail program can send",
        ));
    }
    Ok(())
}

fn purpose(account: AccountId) -> String {
    format!("password of account {account}")
}
