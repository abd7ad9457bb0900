//! Makes the tables and upgrades older ones, step by step, each step in a transaction of its own.
//! A step, once released, is never edited: later changes are further steps.

use crate::OpenError;

const STEPS: &[&str] = &[
    include_str!("0001.sql"),
    include_str!("0002.sql"),
    include_str!("0003.sql"),
    include_str!("0004.sql"),
    include_str!("0005.sql"),
    include_str!("0006.sql"),
    include_str!("0007.sql"),
    include_str!("0008.sql"),
    include_str!("0009.sql"),
    include_str!("0010.sql"),
    include_str!("0011.sql"),
    include_str!("0012.sql"),
    include_str!("0013.sql"),
    include_str!("0014.sql"),
    include_str!("0015.sql"),
    include_str!("0016.sql"),
    include_str!("0017.sql"),
];

/// The schema this program writes.
pub(crate) const VERSION: i64 = STEPS.len() as i64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A connection that is being set up.
pub(crate) trait Setup {
    fn dialect(&self) -> Dialect;
    /// Runs statements; the error is text for the operator.
    fn run(&mut self, sql: &str) -> Result<(), String>;
    /// The value of `meta` with this name.
    fn meta(&mut self, name: &str) -> Result<Option<String>, String>;
    fn set_meta(&mut self, name: &str, value: &str) -> Result<(), String>;
}

/// Brings a database to [`VERSION`].
pub(crate) fn upgrade(db: &mut dyn Setup, place: &str) -> Result<(), OpenError> {
    let database = |problem| OpenError::Database {
        place: place.to_owned(),
        problem,
    };
    let meta = in_dialect(
        "CREATE TABLE IF NOT EXISTS meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);",
        db.dialect(),
    );
    locked(db, &mut |db| db.run(&meta)).map_err(database)?;
    let mut found = version(db).map_err(database)?;
    if VERSION < found {
        return Err(OpenError::TooNew {
            place: place.to_owned(),
            found,
            known: VERSION,
        });
    }
    while found < VERSION {
        let to = found + 1;
        let failed = |problem| OpenError::Migration {
            place: place.to_owned(),
            to,
            problem,
        };
        locked(db, &mut |db| step(db, to)).map_err(failed)?;
        tracing::info!(
            schema = to,
            "the database has been brought to a newer schema"
        );
        found = version(db).map_err(database)?;
    }
    Ok(())
}

fn version(db: &mut dyn Setup) -> Result<i64, String> {
    match db.meta("schema_version")? {
        None => Ok(0),
        Some(text) => text
            .parse()
            .map_err(|_| format!("the schema version `{text}` is no number")),
    }
}

fn step(db: &mut dyn Setup, to: i64) -> Result<(), String> {
    // Another node may have taken this step while we waited for the lock.
    if to <= version(db)? {
        return Ok(());
    }
    let text = usize::try_from(to - 1)
        .ok()
        .and_then(|at| STEPS.get(at))
        .ok_or("there is no such step")?;
    let sql = in_dialect(text, db.dialect());
    db.run(&sql)?;
    db.set_meta("schema_version", &to.to_string())
}

fn locked(
    db: &mut dyn Setup,
    work: &mut dyn FnMut(&mut dyn Setup) -> Result<(), String>,
) -> Result<(), String> {
    match db.dialect() {
        Dialect::Sqlite => db.run("BEGIN IMMEDIATE;")?,
        // Any number will do, as long as all nodes use the same.
        Dialect::Postgres => db.run("BEGIN; SELECT pg_advisory_xact_lock(7081936);")?,
    }
    let done = work(db);
    let end = db.run(if done.is_ok() { "COMMIT;" } else { "ROLLBACK;" });
    done.and(end)
}

fn in_dialect(text: &str, dialect: Dialect) -> String {
    let (ours, theirs) = match dialect {
        Dialect::Sqlite => ("--@sqlite", "--@postgres"),
        Dialect::Postgres => ("--@postgres", "--@sqlite"),
    };
    let lines = text.lines().filter(|line| !line.starts_with(theirs));
    let sql: String = lines
        .flat_map(|line| [line.strip_prefix(ours).unwrap_or(line), "\n"])
        .collect();
    match dialect {
        Dialect::Sqlite => sql,
        // Names are compared and sorted by their bytes, as the embedded database does.
        Dialect::Postgres => sql
            .replace(") WITHOUT ROWID", ")")
            .replace(" BLOB", " BYTEA")
            .replace(" TEXT", " TEXT COLLATE \"C\""),
    }
}

impl Setup for rusqlite::Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn run(&mut self, sql: &str) -> Result<(), String> {
        self.execute_batch(sql).map_err(|e| e.to_string())
    }

    fn meta(&mut self, name: &str) -> Result<Option<String>, String> {
        use rusqlite::OptionalExtension as _;
        let found = self.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
            row.get(0)
        });
        found.optional().map_err(|e| e.to_string())
    }

    fn set_meta(&mut self, name: &str, value: &str) -> Result<(), String> {
        let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.execute(sql, [name, value])
            .map(drop)
            .map_err(|e| e.to_string())
    }
}

impl Setup for postgres::Client {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn run(&mut self, sql: &str) -> Result<(), String> {
        self.batch_execute(sql).map_err(|e| plain(&e))
    }

    fn meta(&mut self, name: &str) -> Result<Option<String>, String> {
        let found = self
            .query_opt("SELECT value FROM meta WHERE name = $1", &[&name])
            .map_err(|e| plain(&e))?;
        Ok(found.map(|row| row.get(0)))
    }

    fn set_meta(&mut self, name: &str, value: &str) -> Result<(), String> {
        let sql = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.execute(sql, &[&name, &value])
            .map(drop)
            .map_err(|e| plain(&e))
    }
}

fn plain(error: &postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |db| db.message().to_owned())
}
