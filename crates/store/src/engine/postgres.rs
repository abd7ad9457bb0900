//! PostgreSQL: a few threads with a connection each, transactions tried again when they met
//! another, and a listener for what other nodes changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use super::lanes::{Lanes, Refused};
use super::{Lane, Param, ReadJob, Sql, SqlResult, WriteJob};
use crate::limits::{CONFLICT_RETRIES_MAX, POSTGRES_CONNECTIONS};
use crate::shared::{Effects, Shared};
use crate::view::{Change, View};
use crate::{Durability, StoreError};

/// The channel of NOTIFY on which nodes tell each other of changes.
const CHANNEL: &str = "postroad";

pub(crate) struct Postgres {
    jobs: Arc<Lanes<Job>>,
    closed: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

enum Job {
    Write(Box<dyn WriteJob>),
    Read(Box<dyn ReadJob>),
}

impl Postgres {
    pub(crate) fn start(config: &Config, shared: &Arc<Shared>) -> Result<Self, StoreError> {
        let engine = Self {
            jobs: Arc::new(Lanes::new()),
            closed: Arc::new(AtomicBool::new(false)),
            threads: Mutex::new(Vec::new()),
        };
        for _ in 0..POSTGRES_CONNECTIONS {
            let jobs = Arc::clone(&engine.jobs);
            let mut worker = Worker {
                config: config.clone(),
                connection: None,
                shared: Arc::clone(shared),
            };
            engine.spawn("store-worker", move || {
                while let Some(batch) = jobs.take(1) {
                    batch.into_iter().for_each(|job| worker.work(job));
                }
            })?;
        }
        let (config, shared, closed) = (
            config.clone(),
            Arc::clone(shared),
            Arc::clone(&engine.closed),
        );
        engine.spawn("store-listener", move || listen(&config, &shared, &closed))?;
        Ok(engine)
    }

    pub(crate) fn write(&self, job: Box<dyn WriteJob>, lane: Lane) {
        match self.jobs.put(Job::Write(job), lane) {
            Ok(()) => {}
            Err(Refused::Closed(job)) => job.refuse(StoreError::Closed),
            Err(Refused::Crowded(job)) => job.refuse(StoreError::Busy),
        }
    }

    pub(crate) fn read(&self, job: Box<dyn ReadJob>) {
        match self.jobs.put(Job::Read(job), Lane::Urgent) {
            Ok(()) => {}
            Err(Refused::Closed(job)) => job.refuse(StoreError::Closed),
            Err(Refused::Crowded(job)) => job.refuse(StoreError::Busy),
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.jobs.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread =
            thread.map_err(|e| StoreError::Failed(format!("starting the thread {name}: {e}")))?;
        self.threads.lock().push(thread);
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}

impl Job {
    fn refuse(self, error: StoreError) {
        match self {
            Self::Write(job) => job.answer(Err(error)),
            Self::Read(job) => job.run(Err(error)),
        }
    }
}

/// A connection with the statements it has prepared, by the address of their text.
pub(crate) struct PgConnection {
    client: Client,
    statements: HashMap<(usize, usize), Statement>,
}

impl PgConnection {
    pub(crate) fn open(config: &Config) -> Result<Self, postgres::Error> {
        Ok(Self {
            client: config.connect(NoTls)?,
            statements: HashMap::new(),
        })
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// An open transaction; whoever began it ends it.
pub(crate) struct PgSession<'a> {
    client: &'a mut Client,
    statements: &'a mut HashMap<(usize, usize), Statement>,
    fate: Fate,
}

/// What an error means for the whole transaction.
#[derive(Debug)]
pub(crate) enum Fate {
    Good,
    /// It met another one: once more from the start.
    Again,
    Lost(StoreError),
}

impl PgSession<'_> {
    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> SqlResult<u64> {
        let statement = self.prepared(sql, params)?;
        let done = self.client.execute(&statement, &as_sql(params));
        done.map_err(|e| self.failed(&e, sql))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> SqlResult<Vec<postgres::Row>> {
        let statement = self.prepared(sql, params)?;
        let done = self.client.query(&statement, &as_sql(params));
        done.map_err(|e| self.failed(&e, sql))
    }

    fn prepared(&mut self, sql: &'static str, params: &[Param<'_>]) -> SqlResult<Statement> {
        let key = (sql.as_ptr() as usize, sql.len());
        if let Some(statement) = self.statements.get(&key) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = params.iter().map(Param::pg_type).collect();
        let prepared = self.client.prepare_typed(&sql.replace('?', "$"), &types);
        let statement = prepared.map_err(|e| self.failed(&e, sql))?;
        self.statements.insert(key, statement.clone());
        Ok(statement)
    }

    /// After an error PostgreSQL takes the whole transaction back, whatever the closure makes of it.
    fn failed(&mut self, error: &postgres::Error, doing: &str) -> StoreError {
        let store_error = of_postgres(error, doing);
        if matches!(self.fate, Fate::Good) {
            self.fate = if is_conflict(error) {
                Fate::Again
            } else {
                Fate::Lost(store_error.clone())
            };
        }
        store_error
    }
}

struct Worker {
    config: Config,
    connection: Option<PgConnection>,
    shared: Arc<Shared>,
}

impl Worker {
    fn work(&mut self, job: Job) {
        match job {
            Job::Read(job) => self.read(job),
            Job::Write(job) => self.write(job),
        }
    }

    fn read(&mut self, job: Box<dyn ReadJob>) {
        let shared = Arc::clone(&self.shared);
        match self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
            Ok(session) => job.run(Ok(&View::new(Sql::Postgres(session.into()), &shared))),
            Err(e) => return job.run(Err(e)),
        }
        self.take_back();
    }

    fn write(&mut self, mut job: Box<dyn WriteJob>) {
        for _ in 0..CONFLICT_RETRIES_MAX {
            match self.try_write(&mut job) {
                Ok(effects) => {
                    self.shared.apply(effects);
                    return job.answer(Ok(()));
                }
                Err(Fate::Again | Fate::Good) => {}
                Err(Fate::Lost(e)) => return job.answer(Err(e)),
            }
        }
        job.answer(Err(StoreError::Busy));
    }

    fn try_write(&mut self, job: &mut Box<dyn WriteJob>) -> Result<Effects, Fate> {
        let shared = Arc::clone(&self.shared);
        let session = self.begin(match job.durability() {
            Durability::Durable => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Durability::Relaxed => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off"
            }
        });
        let session = session.map_err(Fate::Lost)?;
        let mut change = Change::new(Sql::Postgres(session.into()), &shared);
        let good = job.run(&mut change);
        let (session, effects) = change.end_postgres();
        let fate = session.map_or(Fate::Lost(StoreError::Closed), |session| session.fate);
        if !good || !matches!(fate, Fate::Good) {
            self.take_back();
            // A job that failed without an error of the database has its own error to tell.
            return if matches!(fate, Fate::Good) {
                Ok(Effects::default())
            } else {
                Err(fate)
            };
        }
        self.commit(&effects).inspect_err(|_| self.take_back())?;
        Ok(effects)
    }

    /// Begins a transaction. The server may have gone away since the last one, and come back:
    /// nothing is lost by connecting again, once.
    fn begin(&mut self, sql: &str) -> Result<PgSession<'_>, StoreError> {
        if self
            .connection
            .as_mut()
            .is_some_and(|known| known.client.batch_execute(sql).is_err())
        {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let failed = |e| of_postgres(&e, "connecting");
                let mut fresh = PgConnection::open(&self.config).map_err(failed)?;
                fresh
                    .client
                    .batch_execute(sql)
                    .map_err(|e| of_postgres(&e, sql))?;
                fresh
            }
        };
        let PgConnection { client, statements } = self.connection.insert(connection);
        Ok(PgSession {
            client,
            statements,
            fate: Fate::Good,
        })
    }

    fn commit(&mut self, effects: &Effects) -> Result<(), Fate> {
        let Some(PgConnection { client, .. }) = &mut self.connection else {
            return Err(Fate::Lost(StoreError::Closed));
        };
        if let Some(notice) = effects.notice() {
            let sql = "SELECT pg_notify($1, $2)";
            client
                .execute(sql, &[&CHANNEL, &notice])
                .map_err(|e| fate_of(&e))?;
        }
        client.batch_execute("COMMIT").map_err(|e| fate_of(&e))
    }

    /// Ends a transaction without its changes.
    fn take_back(&mut self) {
        if self
            .connection
            .as_mut()
            .is_some_and(|known| known.client.batch_execute("ROLLBACK").is_err())
        {
            self.connection = None;
        }
    }
}

fn fate_of(error: &postgres::Error) -> Fate {
    if is_conflict(error) {
        Fate::Again
    } else {
        Fate::Lost(of_postgres(error, "a transaction"))
    }
}

fn is_conflict(error: &postgres::Error) -> bool {
    matches!(error.code(), Some(code) if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED)
}

/// Who must act on an error of PostgreSQL.
pub(crate) fn of_postgres(error: &postgres::Error, doing: &str) -> StoreError {
    match error.code() {
        Some(code) if *code == SqlState::DISK_FULL => StoreError::Full,
        Some(code)
            if *code == SqlState::TOO_MANY_CONNECTIONS || *code == SqlState::LOCK_NOT_AVAILABLE =>
        {
            StoreError::Busy
        }
        Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            StoreError::Damaged(error.to_string())
        }
        _ => match error.as_db_error() {
            Some(db) => StoreError::Failed(format!("{} ({doing})", db.message())),
            None => StoreError::Failed(format!("{error} ({doing})")),
        },
    }
}

/// Tells the watchers what other nodes changed. While the connection is away notices are lost, so
/// each new one begins by looking at all that is watched.
fn listen(config: &Config, shared: &Shared, closed: &AtomicBool) {
    while !closed.load(Ordering::Acquire) {
        if let Err(e) = listen_once(config, shared, closed) {
            tracing::warn!("listening for changes of other nodes: {e}");
        }
        for _ in 0..10 {
            if !closed.load(Ordering::Acquire) {
                thread::park_timeout(Duration::from_millis(100));
            }
        }
    }
}

fn listen_once(
    config: &Config,
    shared: &Shared,
    closed: &AtomicBool,
) -> Result<(), postgres::Error> {
    let mut client = config.connect(NoTls)?;
    client.batch_execute(&format!("LISTEN {CHANNEL}"))?;
    for account in shared.watched() {
        if let Some(row) =
            client.query_opt("SELECT modseq FROM ledger WHERE account = $1", &[&account])?
        {
            shared.apply(Effects::changed(account, row.get(0)));
        }
    }
    let ended = client.query("SELECT account, epoch FROM login_rule WHERE epoch > 0", &[])?;
    let ended = ended.iter().map(|row| (row.get(0), row.get(1))).collect();
    shared.apply(Effects::ended(ended));
    shared.apply(Effects::queue());
    while !closed.load(Ordering::Acquire) {
        let mut notifications = client.notifications();
        let mut waiting = notifications.timeout_iter(Duration::from_millis(200));
        while let Some(notice) = waiting.next()? {
            shared.apply(Effects::of_notice(notice.payload()));
        }
    }
    Ok(())
}

fn as_sql<'p>(params: &'p [Param<'p>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect()
}

impl Param<'_> {
    fn pg_type(&self) -> Type {
        match self {
            Param::Int(_) | Param::OptInt(_) => Type::INT8,
            Param::Text(_) | Param::OptText(_) => Type::TEXT,
            Param::Blob(_) => Type::BYTEA,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Param::Int(value) => value.to_sql(ty, out),
            Param::OptInt(value) => value.to_sql(ty, out),
            Param::Text(value) => value.to_sql(ty, out),
            Param::OptText(value) => value.to_sql(ty, out),
            Param::Blob(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}
