//! The store's handle: read, write, bodies, watches. Opening is in `open.rs`, passwords in `login`.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::blobs::Kept;
use crate::engine::job::{Read, Reply, Write};
use crate::engine::{Engine, Lane};
use crate::shared::Shared;
use crate::{
    Accepted, AccountId, BodyRef, Change, Mode, NoticeWatcher, OpenError, Receipt, StoreError,
    StoreSettings, View, Watcher,
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
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
    pub(crate) mode: Mode,
    pub(crate) tidying: tokio::sync::Mutex<crate::tidy::Rounds>,
}

impl Store {
    /// Opens a store, makes it if there is none, upgrades it if it is older than this program.
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let store = crate::open::open(settings).map(|inner| Self {
            inner: Arc::new(inner),
        })?;
        store.load_bans()?;
        Ok(store)
    }

    /// Runs a closure on a snapshot.
    ///
    /// ```ignore
    /// let mailboxes = store.read(move |view| view.mailboxes(account)).await?;
    /// ```
    pub async fn read<T, E>(
        &self,
        work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.inner
            .engine
            .read(Box::new(Read::new(work, Reply::Task(reply))));
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// As [`Store::read`], on this thread. For small reads this is cheaper than handing them over.
    pub fn read_blocking<T, E>(
        &self,
        work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        self.inner
            .engine
            .read_here(Box::new(Read::new(work, Reply::Thread(reply))));
        answer
            .recv()
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// As [`Store::read`] for a few rows by key: on this thread when the database is embedded and a
    /// connection is free, which is cheaper than waking another thread.
    pub async fn read_small<T, E>(
        &self,
        work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.inner
            .engine
            .read_small(Box::new(Read::new(work, Reply::Task(reply))));
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
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
        self.write_in(Lane::Urgent, durability, work).await
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
        self.write_in(Lane::Bulk, durability, work).await
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
        self.write_in_blocking(Lane::Urgent, durability, work)
    }

    /// As [`Store::write_bulk`], waiting on this thread.
    pub(crate) fn write_bulk_blocking<T, E>(
        &self,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_in_blocking(Lane::Bulk, durability, work)
    }

    fn write_in_blocking<T, E>(
        &self,
        lane: Lane,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        self.inner.engine.write(
            Box::new(Write::new(work, durability, Reply::Thread(reply))),
            lane,
        );
        answer
            .recv()
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
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
        self.write_blocking(Durability::Durable, work)
            .map(Receipt::of)
    }

    /// Makes a body durable; nothing refers to it yet. If nothing ever does, its space comes back
    /// some day. Use it soon: within minutes.
    pub async fn keep(&self, body: impl Into<Bytes>) -> Result<Kept, StoreError> {
        Ok(self.inner.shared.blobs.keep(body.into()).await?)
    }

    /// As [`Store::keep`]; the note (who it is for, which trace id) lies beside the body, so that
    /// lost tables can be rebuilt from the bodies.
    pub async fn keep_noted(
        &self,
        body: impl Into<Bytes>,
        note: impl Into<Bytes>,
    ) -> Result<Kept, StoreError> {
        Ok(self
            .inner
            .shared
            .blobs
            .keep_noted(body.into(), note.into())
            .await?)
    }

    pub fn keep_blocking(&self, body: impl Into<Bytes>) -> Result<Kept, StoreError> {
        Ok(self
            .inner
            .shared
            .blobs
            .keep_blocking(body.into(), Bytes::new())?)
    }

    /// Reads a range of a body, cut to the body's length.
    pub async fn body(&self, body: BodyRef, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.read(move |view| {
            let mut bytes = Vec::new();
            view.read_body(&body, range.clone(), &mut bytes)?;
            Ok(bytes)
        })
        .await
    }

    /// As [`Store::body`], on this thread.
    pub fn body_blocking(&self, body: &BodyRef, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        if let Ok(bytes) = self.inner.shared.blobs.read(&body.location, range.clone()) {
            return Ok(bytes);
        }
        let body = *body;
        self.read_blocking(move |view| {
            let mut bytes = Vec::new();
            view.read_body(&body, range.clone(), &mut bytes)?;
            Ok(bytes)
        })
    }

    /// Watches an account for changes. Take the watcher first, then the snapshot to compare with.
    #[must_use]
    pub fn watch(&self, account: AccountId) -> Watcher {
        self.inner.shared.watch(account)
    }

    #[must_use]
    pub fn watch_queue(&self) -> NoticeWatcher {
        self.inner.shared.watch_queue()
    }

    #[must_use]
    pub fn watch_lessons(&self) -> NoticeWatcher {
        self.inner.shared.watch_lessons()
    }

    /// Log-ins that users are to be told of.
    #[must_use]
    pub fn watch_sign_ins(&self) -> NoticeWatcher {
        self.inner.shared.watch_sign_ins()
    }

    /// How many commits the writer made, for measuring how many changes share one.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.engine.commits()
    }

    /// Waits until all that was asked for is done, then closes files. Later calls say `Closed`.
    pub fn close(&self) {
        self.write_sign_ins();
        self.inner.engine.close();
    }

    /// Waits until the changes that nobody waited for are in the tables: bans, homes and sign-ins are written behind
    /// those who wait.
    pub fn settle(&self) {
        self.inner.shared.unwaited.wait();
    }

    /// As [`Store::write`] for what nobody waits for. A failure is logged.
    pub(crate) fn write_and_forget(
        &self,
        durability: Durability,
        mut work: impl FnMut(&mut Change<'_>) -> Result<(), StoreError> + Send + 'static,
    ) {
        let on_its_way = self.inner.shared.unwaited.begin();
        let logged = move |change: &mut Change<'_>| {
            let _until_dropped = &on_its_way;
            work(change)
                .inspect_err(|error| tracing::warn!(%error, "nobody waited for this change"))
        };
        let (reply, _nobody) = oneshot::channel();
        self.inner.engine.write(
            Box::new(Write::new(logged, durability, Reply::Task(reply))),
            Lane::Bulk,
        );
    }

    async fn write_in<T, E>(
        &self,
        lane: Lane,
        durability: Durability,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.inner.engine.write(
            Box::new(Write::new(work, durability, Reply::Task(reply))),
            lane,
        );
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }
}
