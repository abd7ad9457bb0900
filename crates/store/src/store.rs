//! The store's handle: open, read, write, bodies, watches.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use mail::UnixMillis;

use crate::blobs::Kept;
use crate::{
    Accepted, AccountError, AccountId, BodyRef, Change, FlagEdit, FlagOutcome, MailboxId, MessageError, ModSeq, NewAccount, OpenError,
    QueueWatcher, Receipt, StoreError, StoreSettings, UidSet, View, Watcher,
};

/// How sure a change must be before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk, whatever happens to the power.
    Durable,
    /// Survives the end of the process, but not of the power: changes of flags.
    Relaxed,
}

/// The store of one data directory. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<()>,
}

impl Store {
    /// Opens a store, makes it if there is none, upgrades it if it is older than this program.
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let _ = settings;
        todo!()
    }

    /// Runs a closure on a snapshot.
    ///
    /// ```ignore
    /// let mailboxes = store.read(move |view| view.mailboxes(account)).await?;
    /// ```
    pub async fn read<T, E>(&self, work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = work;
        todo!()
    }

    /// As [`Store::read`], on this thread.
    pub fn read_blocking<T, E>(&self, work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = work;
        todo!()
    }

    /// Runs a closure as one transaction, answered after the commit. An error takes all of it back.
    pub async fn write<T, E>(
        &self,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = (durability, work);
        todo!()
    }

    /// As [`Store::write`], waiting on this thread.
    pub fn write_blocking<T, E>(
        &self,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = (durability, work);
        todo!()
    }

    /// As [`Store::write`] for work in bulk: changes that others wait for go first.
    pub async fn write_bulk<T, E>(
        &self,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = (durability, work);
        todo!()
    }

    /// A durable transaction that takes a message in. The only maker of a [`Receipt`].
    ///
    /// ```ignore
    /// let receipt = store.accept(move |change| change.deliver(&delivery)).await?;
    /// ```
    pub async fn accept<E>(
        &self,
        work: impl FnMut(&mut Change<'_>) -> Result<Accepted, E> + Send + 'static,
    ) -> Result<Receipt, E>
    where
        E: From<StoreError> + Send + 'static,
    {
        self.write(Durability::Durable, work).await.map(Receipt::of)
    }

    /// As [`Store::accept`], waiting on this thread.
    pub fn accept_blocking<E>(
        &self,
        work: impl FnMut(&mut Change<'_>) -> Result<Accepted, E> + Send + 'static,
    ) -> Result<Receipt, E>
    where
        E: From<StoreError> + Send + 'static,
    {
        self.write_blocking(Durability::Durable, work).map(Receipt::of)
    }

    /// Makes a body durable; nothing refers to it yet. If nothing ever does, its space comes back
    /// some day.
    pub async fn keep(&self, body: impl Into<Bytes>) -> Result<Kept, StoreError> {
        let _ = body.into();
        todo!()
    }

    pub fn keep_blocking(&self, body: impl Into<Bytes>) -> Result<Kept, StoreError> {
        let _ = body.into();
        todo!()
    }

    /// Reads a range of a body, cut to the body's length.
    pub async fn body(&self, body: BodyRef, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let _ = (body, range);
        todo!()
    }

    pub fn body_blocking(&self, body: &BodyRef, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let _ = (body, range);
        todo!()
    }

    #[must_use]
    pub fn watch(&self, account: AccountId) -> Watcher {
        let _ = account;
        todo!()
    }

    #[must_use]
    pub fn watch_queue(&self) -> QueueWatcher {
        todo!()
    }

    /// Makes an account with its mailboxes: INBOX, Drafts, Sent, Junk, Trash, Archive.
    pub async fn add_account(&self, account: NewAccount, now: UnixMillis) -> Result<AccountId, AccountError> {
        let _ = (account, now);
        todo!()
    }

    pub fn add_account_blocking(&self, account: NewAccount, now: UnixMillis) -> Result<AccountId, AccountError> {
        let _ = (account, now);
        todo!()
    }

    /// Sets a password; verified log-ins with the old one are forgotten.
    pub async fn set_password(&self, account: AccountId, password: String, now: UnixMillis) -> Result<(), AccountError> {
        let _ = (account, password, now);
        todo!()
    }

    pub fn set_password_blocking(&self, account: AccountId, password: String, now: UnixMillis) -> Result<(), AccountError> {
        let _ = (account, password, now);
        todo!()
    }

    /// Changes flags of a set of any size, in pieces, deliveries going first. Not durable against a
    /// power cut before the next durable change.
    pub async fn edit_flags(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: UidSet,
        edit: FlagEdit,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagOutcome, MessageError> {
        let _ = (account, mailbox, uids, edit, unchanged_since);
        todo!()
    }

    /// Housekeeping that is never urgent: space of bodies that nothing refers to, old change log,
    /// free pages. Call it now and then (every few minutes); it works in small pieces.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// Waits until all that was asked for is done, then closes files. Later calls say `Closed`.
    pub fn close(&self) {
        let _ = &self.inner;
        todo!()
    }
}
