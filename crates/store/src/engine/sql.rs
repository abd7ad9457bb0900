//! The one way to run a statement. Which database it is shows only here.
//!
//! Parameters are bound by their number, so `?1` may come twice and in any order. Their types are
//! told to PostgreSQL by the values themselves, so each statement must always get the same kinds.

use std::cell::{Cell, RefCell};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::SqlResult;
use super::postgres::PgSession;
use crate::StoreError;

/// A value to bind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(&'a str),
    OptText(Option<&'a str>),
    Blob(&'a [u8]),
}

/// A row that was found.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row),
}

/// An open transaction or snapshot.
pub(crate) enum Sql<'a> {
    Sqlite(&'a rusqlite::Connection, Trouble),
    Postgres(RefCell<PgSession<'a>>),
}

/// Remembers an error after which the transaction, maybe the connection, is worth nothing, even if
/// the closure swallowed it.
#[derive(Default)]
pub(crate) struct Trouble(Cell<Option<StoreError>>);

impl Trouble {
    pub(crate) fn take(&self) -> Option<StoreError> {
        self.0.take()
    }
}

impl Sql<'_> {
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> SqlResult<u64> {
        match self {
            Self::Sqlite(connection, trouble) => {
                let run = || {
                    let mut statement = connection.prepare_cached(sql)?;
                    bind(&mut statement, params)?;
                    statement.raw_execute()
                };
                run()
                    .map(|rows| rows as u64)
                    .map_err(|e| noted(trouble, &e, sql))
            }
            Self::Postgres(session) => session.borrow_mut().execute(sql, params),
        }
    }

    /// Runs a query and shows each row.
    pub(crate) fn each(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> SqlResult<()>,
    ) -> SqlResult<()> {
        self.each_until(sql, params, |row| each(row).map(|()| false))
    }

    /// Runs a query and shows each row until `enough` says so.
    pub(crate) fn each_until(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        mut enough: impl FnMut(&Row<'_>) -> SqlResult<bool>,
    ) -> SqlResult<()> {
        match self {
            Self::Sqlite(connection, trouble) => {
                let mut statement = connection
                    .prepare_cached(sql)
                    .map_err(|e| noted(trouble, &e, sql))?;
                bind(&mut statement, params).map_err(|e| noted(trouble, &e, sql))?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(|e| noted(trouble, &e, sql))? {
                    if enough(&Row::Sqlite(row))? {
                        break;
                    }
                }
                Ok(())
            }
            Self::Postgres(session) => {
                let rows = session.borrow_mut().query(sql, params)?;
                for row in &rows {
                    if enough(&Row::Postgres(row))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// The first row of a query, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        match self {
            Self::Sqlite(connection, trouble) => {
                let mut statement = connection
                    .prepare_cached(sql)
                    .map_err(|e| noted(trouble, &e, sql))?;
                bind(&mut statement, params).map_err(|e| noted(trouble, &e, sql))?;
                let mut rows = statement.raw_query();
                let found = match rows.next().map_err(|e| noted(trouble, &e, sql))? {
                    Some(row) => Some(read(&Row::Sqlite(row))?),
                    None => return Ok(None),
                };
                // A changing statement with RETURNING has done its work only when it is stepped to its end.
                rows.next().map_err(|e| noted(trouble, &e, sql))?;
                Ok(found)
            }
            Self::Postgres(session) => {
                let rows = session.borrow_mut().query(sql, params)?;
                rows.first()
                    .map(|row| read(&Row::Postgres(row)))
                    .transpose()
            }
        }
    }

    pub(crate) fn all<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// As [`Sql::first`] for a row that must be there.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<T> {
        self.first(sql, params, read)?
            .ok_or_else(|| StoreError::Damaged(format!("a row is missing: {sql}")))
    }
}

impl Row<'_> {
    pub(crate) fn int(&self, at: usize) -> SqlResult<i64> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_i64().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }

    pub(crate) fn opt_int(&self, at: usize) -> SqlResult<Option<i64>> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_i64_or_null().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }

    pub(crate) fn text(&self, at: usize) -> SqlResult<&str> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_str().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }

    pub(crate) fn opt_text(&self, at: usize) -> SqlResult<Option<&str>> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_str_or_null().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }

    pub(crate) fn blob(&self, at: usize) -> SqlResult<&[u8]> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_blob().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }

    pub(crate) fn opt_blob(&self, at: usize) -> SqlResult<Option<&[u8]>> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(at)
                .ok()
                .and_then(|v| v.as_blob_or_null().ok())
                .ok_or_else(|| wrong(at)),
            Self::Postgres(row) => row.try_get(at).map_err(|_| wrong(at)),
        }
    }
}

fn bind(
    statement: &mut rusqlite::CachedStatement<'_>,
    params: &[Param<'_>],
) -> rusqlite::Result<()> {
    for (at, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, param)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let null = ToSqlOutput::Owned(Value::Null);
        Ok(match *self {
            Param::Int(value) | Param::OptInt(Some(value)) => {
                ToSqlOutput::Owned(Value::Integer(value))
            }
            Param::Text(value) | Param::OptText(Some(value)) => {
                ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes()))
            }
            Param::Blob(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Param::OptInt(None) | Param::OptText(None) => null,
        })
    }
}

fn wrong(at: usize) -> StoreError {
    StoreError::Damaged(format!("column {at} of a row is not of its type"))
}

fn noted(trouble: &Trouble, error: &rusqlite::Error, sql: &str) -> StoreError {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch, Unknown};
    let costs_all = !matches!(
        error.sqlite_error_code(),
        Some(ConstraintViolation | TypeMismatch | Unknown)
    );
    let error = of_sqlite(error, sql);
    if costs_all {
        trouble.0.set(Some(error.clone()));
    }
    error
}

/// Who must act on an error of SQLite.
pub(crate) fn of_sqlite(error: &rusqlite::Error, doing: &str) -> StoreError {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase,
    };
    match error.sqlite_error_code() {
        Some(DiskFull) => StoreError::Full,
        Some(DatabaseBusy | DatabaseLocked) => StoreError::Busy,
        Some(DatabaseCorrupt | NotADatabase) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Failed(format!("{error} ({doing})")),
    }
}
