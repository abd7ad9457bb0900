//! What closures get: a snapshot to read, a transaction to change. The verbs are beside what they
//! are about, in `accounts.rs`, `mailboxes.rs`, `messages.rs` and so on.

use std::fmt;
use std::ops::{Deref, Range};

use crate::engine::Sql;
use crate::engine::postgres::PgSession;
use crate::shared::{Effects, Shared};
use crate::{BodyRef, StoreError};

/// A snapshot: all reads through it see the same moment.
pub struct View<'a> {
    pub(crate) sql: Sql<'a>,
    pub(crate) shared: &'a Shared,
}

/// A transaction. It reads as a [`View`] does and sees its own changes.
pub struct Change<'a> {
    view: View<'a>,
    pub(crate) effects: Effects,
}

impl<'a> View<'a> {
    pub(crate) fn new(sql: Sql<'a>, shared: &'a Shared) -> Self {
        Self { sql, shared }
    }

    /// Reads a range of a body within the snapshot, appended to a buffer.
    pub fn read_body(
        &self,
        body: &BodyRef,
        range: Range<u64>,
        to: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let before = to.len();
        match self
            .shared
            .blobs
            .read_into(&body.location, range.clone(), to)
        {
            Ok(()) => Ok(()),
            // It may have been moved since the handle was made.
            Err(_) => {
                to.truncate(before);
                let now = self.body(body.blob)?.ok_or(StoreError::BodyGone)?;
                Ok(self.shared.blobs.read_into(&now.location, range, to)?)
            }
        }
    }
}

impl<'a> Change<'a> {
    pub(crate) fn new(sql: Sql<'a>, shared: &'a Shared) -> Self {
        Self {
            view: View::new(sql, shared),
            effects: Effects::default(),
        }
    }

    /// What befell the embedded database meanwhile, and what is to be told after the commit.
    pub(crate) fn end(self) -> (Option<StoreError>, Effects) {
        let trouble = match &self.view.sql {
            Sql::Sqlite(_, trouble) => trouble.take(),
            Sql::Postgres(_) => None,
        };
        (trouble, self.effects)
    }

    /// The transaction back, if it is one of PostgreSQL.
    pub(crate) fn end_postgres(self) -> (Option<PgSession<'a>>, Effects) {
        match self.view.sql {
            Sql::Sqlite(..) => (None, self.effects),
            Sql::Postgres(session) => (Some(session.into_inner()), self.effects),
        }
    }
}

impl<'a> Deref for Change<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}
