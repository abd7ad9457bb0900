//! Two databases behind one thin layer: statements are written once, in `?1` form, with BIGINT,
//! TEXT and BLOB values only. Knows no mail.

pub(crate) mod inline;
pub(crate) mod job;
pub(crate) mod lanes;
pub(crate) mod postgres;
pub(crate) mod sql;
pub(crate) mod sqlite;

pub(crate) use job::{Lane, ReadJob, WriteJob};
pub(crate) use sql::{Param, Row, Sql};

use crate::StoreError;

/// What runs jobs.
pub(crate) enum Engine {
    Sqlite(sqlite::Sqlite),
    Inline(inline::Inline),
    Postgres(postgres::Postgres),
}

impl Engine {
    pub(crate) fn write(&self, job: Box<dyn WriteJob>, lane: Lane) {
        match self {
            Self::Sqlite(engine) => engine.write(job, lane),
            Self::Inline(engine) => engine.write(job),
            Self::Postgres(engine) => engine.write(job, lane),
        }
    }

    pub(crate) fn read(&self, job: Box<dyn ReadJob>) {
        match self {
            Self::Sqlite(engine) => engine.read(job),
            Self::Inline(engine) => engine.read(job),
            Self::Postgres(engine) => engine.read(job),
        }
    }

    /// Runs a reading job on this thread where that is possible, else waits for one that does.
    pub(crate) fn read_here(&self, job: Box<dyn ReadJob>) {
        match self {
            Self::Sqlite(engine) => engine.read_here(job),
            Self::Inline(engine) => engine.read(job),
            Self::Postgres(engine) => engine.read(job),
        }
    }

    /// Runs a small reading job on this thread if that needs no waiting, else hands it over.
    pub(crate) fn read_small(&self, job: Box<dyn ReadJob>) {
        match self {
            Self::Sqlite(engine) => engine.read_small(job),
            Self::Inline(engine) => engine.read(job),
            Self::Postgres(engine) => engine.read(job),
        }
    }

    /// How many commits there were, for tests of group commit.
    pub(crate) fn commits(&self) -> u64 {
        match self {
            Self::Sqlite(engine) => engine.commits(),
            Self::Inline(_) | Self::Postgres(_) => 0,
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Self::Sqlite(engine) => engine.close(),
            Self::Inline(engine) => engine.close(),
            Self::Postgres(engine) => engine.close(),
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Inline(_) => "Inline",
            Self::Postgres(_) => "Postgres",
        })
    }
}

pub(crate) type SqlResult<T> = Result<T, StoreError>;
