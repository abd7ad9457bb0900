//! Setting the main password of an account.

use mail::UnixMillis;

use super::credential::Credential;
use crate::engine::Param;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};
use crate::sealing::Sealing;
use crate::{AccountError, AccountId, Change, Durability, NewAccount, Store, StoreError, View};

/// The kind of credential that the main password is.
pub(super) const MAIN_PASSWORD: i64 = 1;

impl Store {
    /// Makes an account with its mailboxes: INBOX, Drafts, Sent, Junk, Trash, Archive.
    pub async fn add_account(
        &self,
        account: NewAccount,
        now: UnixMillis,
    ) -> Result<AccountId, AccountError> {
        check_password(&account.password)?;
        let (password, cost) = (account.password.clone(), self.inner.shared.gate.cost);
        let credential = self
            .hash(move |memory| Credential::of(&password, None, cost, memory))
            .await?;
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
        let gate = &self.inner.shared.gate;
        let credential = Credential::of(&account.password, None, gate.cost, &gate.workspaces)?;
        self.write_blocking(Durability::Durable, move |change| {
            add_account(change, &account, &credential, now)
        })
    }

    /// Sets a password; the old one is of no use from the next log-in on, and what it opened ends.
    pub async fn set_password(
        &self,
        account: AccountId,
        password: String,
        now: UnixMillis,
    ) -> Result<(), AccountError> {
        check_password(&password)?;
        let salt = self
            .read_small(move |view| view.scram_salt(account))
            .await?;
        let cost = self.inner.shared.gate.cost;
        let credential = self
            .hash(move |memory| Credential::of(&password, salt.as_deref(), cost, memory))
            .await?;
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
        let salt = self.read_blocking(move |view| view.scram_salt(account))?;
        let gate = &self.inner.shared.gate;
        let credential = Credential::of(&password, salt.as_deref(), gate.cost, &gate.workspaces)?;
        self.write_blocking(Durability::Durable, move |change| {
            set_credential(change, account, &credential, now)
        })
    }
}

impl View<'_> {
    /// The main password's verifier.
    pub(super) fn main_credential(
        &self,
        account: AccountId,
    ) -> Result<Option<Credential>, StoreError> {
        let sql = "SELECT secret FROM credential WHERE account = ?1 AND kind = ?2";
        let key = [Param::Int(account.0), Param::Int(MAIN_PASSWORD)];
        let sealed = self.sql.first(sql, &key, |row| Ok(row.blob(0)?.to_vec()))?;
        sealed
            .map(|sealed| open(&self.shared.sealing, account, &sealed))
            .transpose()
    }

    /// When the main password was set.
    pub fn password_changed(&self, account: AccountId) -> Result<Option<UnixMillis>, StoreError> {
        let sql = "SELECT changed FROM credential WHERE account = ?1 AND kind = ?2";
        let key = [Param::Int(account.0), Param::Int(MAIN_PASSWORD)];
        self.sql.first(sql, &key, |row| Ok(UnixMillis(row.int(0)?)))
    }

    /// The salt that all passwords of the account are made with in SCRAM.
    fn scram_salt(&self, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let main = self.main_credential(account)?;
        main.map(|main| Ok(main.scram().salt()?.salt)).transpose()
    }
}

/// Unseals a stored verifier.
pub(super) fn open(
    sealing: &Sealing,
    account: AccountId,
    sealed: &[u8],
) -> Result<Credential, StoreError> {
    let plain = sealing.unseal(&purpose(account), sealed)?;
    serde_json::from_slice(&plain).map_err(|e| StoreError::Damaged(format!("a credential: {e}")))
}

fn add_account(
    change: &mut Change<'_>,
    account: &NewAccount,
    credential: &Credential,
    now: UnixMillis,
) -> Result<AccountId, AccountError> {
    let id = change.insert_account(account, now)?;
    put_credential(change, id, credential, now)?;
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
    put_credential(change, account, credential, now)?;
    Ok(change.end_sessions(account)?)
}

fn put_credential(
    change: &mut Change<'_>,
    account: AccountId,
    credential: &Credential,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let plain = serde_json::to_vec(credential).map_err(|e| StoreError::Failed(e.to_string()))?;
    let sealed = change.shared.sealing.seal(&purpose(account), &plain)?;
    let sql = "INSERT INTO credential (account, kind, changed, secret) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, kind) DO UPDATE SET changed = excluded.changed, secret = excluded.secret";
    let params = [
        Param::Int(account.0),
        Param::Int(MAIN_PASSWORD),
        Param::Int(now.0),
        Param::Blob(&sealed),
    ];
    change.sql.execute(sql, &params).map(drop)
}

/// What no verifier can be made of. Whether a password is a good one is for whoever asks for it to say.
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
