//! The embedded database: one thread writes, all that wait in one transaction with a savepoint
//! each, answered together after one commit; a few connections read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::lanes::{Lanes, Refused};
use super::sql::{Trouble, of_sqlite};
use super::{Lane, ReadJob, Sql, WriteJob};
use crate::limits::{JOBS_PER_COMMIT, READERS};
use crate::shared::{Effects, Shared};
use crate::view::{Change, View};
use crate::{Durability, StoreError};

pub(crate) struct Sqlite {
    writes: Arc<Lanes<Box<dyn WriteJob>>>,
    reads: Arc<Lanes<Box<dyn ReadJob>>>,
    readers: Arc<Readers>,
    commits: Arc<AtomicU64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Sqlite {
    /// Starts the threads on a database whose schema is right.
    pub(crate) fn start(
        path: &Path,
        writer: Connection,
        shared: &Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let readers = Arc::new(Readers::open(path, shared)?);
        let engine = Self {
            writes: Arc::new(Lanes::new()),
            reads: Arc::new(Lanes::new()),
            readers,
            commits: Arc::new(AtomicU64::new(0)),
            threads: Mutex::new(Vec::new()),
        };
        let mut writer = Writer {
            path: path.to_owned(),
            connection: Some(writer),
            full_sync: None,
            shared: Arc::clone(shared),
            commits: Arc::clone(&engine.commits),
        };
        let writes = Arc::clone(&engine.writes);
        engine.spawn("store-writer", move || {
            while let Some(batch) = writes.take(JOBS_PER_COMMIT) {
                writer.work(batch);
            }
        })?;
        for _ in 0..READERS {
            let (reads, readers) = (Arc::clone(&engine.reads), Arc::clone(&engine.readers));
            engine.spawn("store-reader", move || {
                while let Some(batch) = reads.take(1) {
                    batch.into_iter().for_each(|job| readers.run(job));
                }
            })?;
        }
        Ok(engine)
    }

    pub(crate) fn write(&self, job: Box<dyn WriteJob>, lane: Lane) {
        match self.writes.put(job, lane) {
            Ok(()) => {}
            Err(Refused::Closed(job)) => job.answer(Err(StoreError::Closed)),
            Err(Refused::Crowded(job)) => job.answer(Err(StoreError::Busy)),
        }
    }

    pub(crate) fn read(&self, job: Box<dyn ReadJob>) {
        match self.reads.put(job, Lane::Urgent) {
            Ok(()) => {}
            Err(Refused::Closed(job)) => job.run(Err(StoreError::Closed)),
            Err(Refused::Crowded(job)) => job.run(Err(StoreError::Busy)),
        }
    }

    pub(crate) fn read_here(&self, job: Box<dyn ReadJob>) {
        self.readers.run(job);
    }

    pub(crate) fn read_small(&self, job: Box<dyn ReadJob>) {
        match self.readers.try_take() {
            Some(connection) => self.readers.run_on(connection, job),
            None => self.read(job),
        }
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) fn close(&self) {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            // The last handle may be dropped on one of these very threads.
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
        self.readers.close();
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread =
            thread.map_err(|e| StoreError::Failed(format!("starting the thread {name}: {e}")))?;
        self.threads.lock().push(thread);
        Ok(())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens the connection that changes things.
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, 8 * 1024)?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

/// As [`open_writer`] for simulations: nothing is synced, and one connection does all.
pub(crate) fn open_unsynced(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, 4 * 1024)?;
    connection.execute_batch("PRAGMA synchronous = OFF;")?;
    Ok(connection)
}

fn open(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(256);
    // Without it each binding of a parameter that the planner looked at makes SQLite parse the
    // statement again (STAT4 is built in): an eighth of all time under load.
    connection.set_db_config(
        rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG,
        true,
    )?;
    // auto_vacuum counts only before the first table. The log of 4,000 pages is 16 MB: large enough
    // that hot pages are written back once for many commits.
    connection.execute_batch(&format!(
        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
         PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{cache_kib}; PRAGMA foreign_keys = OFF;"
    ))?;
    Ok(connection)
}

/// Runs one reading job on a connection, on a snapshot of its own.
pub(super) fn read_on(connection: &Connection, shared: &Shared, job: Box<dyn ReadJob>) {
    if let Err(e) = run(connection, "BEGIN") {
        job.run(Err(e));
        return;
    }
    let view = View::new(Sql::Sqlite(connection, Trouble::default()), shared);
    job.run(Ok(&view));
    drop(view);
    if let Err(e) = run(connection, "COMMIT") {
        tracing::warn!("ending a snapshot: {e}");
    }
}

/// Runs jobs as one transaction with a savepoint each. On an error nothing of it was kept.
pub(super) fn write_on(
    connection: &Connection,
    shared: &Shared,
    batch: &mut [Box<dyn WriteJob>],
) -> Result<Effects, StoreError> {
    let mut all = Effects::default();
    run(connection, "BEGIN IMMEDIATE")?;
    let work = || {
        for job in batch {
            run(connection, "SAVEPOINT job")?;
            let mut change = Change::new(Sql::Sqlite(connection, Trouble::default()), shared);
            let good = job.run(&mut change);
            let (trouble, effects) = change.end();
            if let Some(trouble) = trouble {
                return Err(trouble);
            }
            if good {
                all.merge(effects);
            } else {
                run(connection, "ROLLBACK TO job")?;
            }
            run(connection, "RELEASE job")?;
        }
        run(connection, "COMMIT")
    };
    match work() {
        Ok(()) => Ok(all),
        Err(e) => {
            if !connection.is_autocommit()
                && let Err(worse) = run(connection, "ROLLBACK")
            {
                tracing::error!("taking back a transaction: {worse}");
            }
            Err(e)
        }
    }
}

fn run(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.raw_execute())
        .map(drop)
        .map_err(|e| of_sqlite(&e, sql))
}

/// The one who changes things.
struct Writer {
    path: PathBuf,
    /// Nothing after a failure of the disk, until opening succeeds again.
    connection: Option<Connection>,
    /// How the connection syncs now; nothing when it is not known.
    full_sync: Option<bool>,
    shared: Arc<Shared>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    fn work(&mut self, mut batch: Vec<Box<dyn WriteJob>>) {
        match self.try_work(&mut batch) {
            Ok(effects) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                // Watchers first: who has an answer finds it in what the watcher knows.
                self.shared.apply(effects);
                batch.into_iter().for_each(|job| job.answer(Ok(())));
            }
            Err(e) => {
                tracing::error!(changes = batch.len(), "the store could not commit: {e}");
                if !matches!(e, StoreError::Full | StoreError::Busy) {
                    self.connection = None;
                }
                batch.into_iter().for_each(|job| job.answer(Err(e.clone())));
            }
        }
    }

    fn try_work(&mut self, batch: &mut [Box<dyn WriteJob>]) -> Result<Effects, StoreError> {
        let durable = batch
            .iter()
            .any(|job| job.durability() == Durability::Durable);
        self.reopen_if_lost()?;
        let Some(connection) = &self.connection else {
            return Err(StoreError::Closed);
        };
        if self.full_sync != Some(durable) {
            let sql = if durable {
                "PRAGMA synchronous = FULL"
            } else {
                "PRAGMA synchronous = NORMAL"
            };
            connection
                .execute_batch(sql)
                .map_err(|e| of_sqlite(&e, sql))?;
            self.full_sync = Some(durable);
        }
        write_on(connection, &self.shared, batch)
    }

    /// After a failed sync the kernel may say that pages are clean which never reached the disk.
    /// So the log is not trusted: what it holds is written into the database anew, and synced there.
    fn reopen_if_lost(&mut self) -> Result<(), StoreError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let connection =
            open_writer(&self.path).map_err(|e| of_sqlite(&e, "opening the database again"))?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let mut busy = 0;
        connection
            .query_row(checkpoint, [], |row| {
                busy = row.get(0)?;
                Ok(())
            })
            .map_err(|e| of_sqlite(&e, checkpoint))?;
        if busy != 0 {
            return Err(StoreError::Busy);
        }
        self.full_sync = None;
        self.connection = Some(connection);
        tracing::warn!("the database was opened again after a failure");
        Ok(())
    }
}

/// Connections that read; whoever finds none free waits.
#[derive(Debug)]
struct Readers {
    free: Mutex<Vec<Connection>>,
    news: Condvar,
    shared: Arc<Shared>,
    closed: std::sync::atomic::AtomicBool,
}

impl Readers {
    fn open(path: &Path, shared: &Arc<Shared>) -> Result<Self, StoreError> {
        let open_one = || -> rusqlite::Result<Connection> {
            let connection = open(path, 2 * 1024)?;
            connection.execute_batch("PRAGMA query_only = ON;")?;
            Ok(connection)
        };
        let free: Result<Vec<_>, _> = (0..READERS).map(|_| open_one()).collect();
        let free = free.map_err(|e| of_sqlite(&e, "opening a reader"))?;
        let closed = std::sync::atomic::AtomicBool::new(false);
        Ok(Self {
            free: Mutex::new(free),
            news: Condvar::new(),
            shared: Arc::clone(shared),
            closed,
        })
    }

    fn run(&self, job: Box<dyn ReadJob>) {
        match self.take() {
            Some(connection) => self.run_on(connection, job),
            None => job.run(Err(StoreError::Closed)),
        }
    }

    fn run_on(&self, connection: Connection, job: Box<dyn ReadJob>) {
        read_on(&connection, &self.shared, job);
        if !self.closed.load(Ordering::Acquire) {
            self.free.lock().push(connection);
        }
        self.news.notify_one();
    }

    fn try_take(&self) -> Option<Connection> {
        self.free.lock().pop()
    }

    fn take(&self) -> Option<Connection> {
        let mut free = self.free.lock();
        loop {
            if self.closed.load(Ordering::Acquire) {
                return None;
            }
            if let Some(connection) = free.pop() {
                return Some(connection);
            }
            self.news.wait(&mut free);
        }
    }

    fn close(&self) {
        let mut free = self.free.lock();
        self.closed.store(true, Ordering::Release);
        free.clear();
        drop(free);
        self.news.notify_all();
    }
}
