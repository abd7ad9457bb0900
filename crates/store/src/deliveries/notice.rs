//! The notice board: what the operator is to be told, each matter once. Who tells them, and how, is for others.

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::limits::{NOTICES_AGE_MILLIS, NOTICES_SHOWN_MAX};
use crate::{Change, StoreError, View};

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// What sort of matter it is, such as `incident-opened`.
    pub kind: String,
    /// Names the very matter: while it is known, it is not told again.
    pub topic: String,
    /// What happened, in a line.
    pub title: String,
    /// What it means and what to do, to be read or pasted.
    pub fix: String,
    pub created: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub id: i64,
    pub kind: String,
    pub topic: String,
    pub title: String,
    pub fix: String,
    pub created: UnixMillis,
    /// When the operator was told.
    pub told: Option<UnixMillis>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, topic, title, fix, created, told FROM notice ",
            $rest
        )
    };
}

impl View<'_> {
    /// What the operator was not told yet, oldest first.
    pub fn notices_to_tell(&self) -> Result<Vec<Notice>, StoreError> {
        let sql = columns!("WHERE told IS NULL ORDER BY id LIMIT ?1");
        self.sql.all(sql, &[Param::Int(NOTICES_SHOWN_MAX)], read)
    }

    /// As [`View::notices_to_tell`], without what the doctor found.
    pub fn urgent_notices_to_tell(&self) -> Result<Vec<Notice>, StoreError> {
        let sql = columns!("WHERE told IS NULL AND kind NOT LIKE 'finding%' ORDER BY id LIMIT ?1");
        self.sql.all(sql, &[Param::Int(NOTICES_SHOWN_MAX)], read)
    }

    /// All that are kept, newest first.
    pub fn notices(&self) -> Result<Vec<Notice>, StoreError> {
        let sql = columns!("ORDER BY id DESC LIMIT ?1");
        self.sql.all(sql, &[Param::Int(NOTICES_SHOWN_MAX)], read)
    }
}

impl Change<'_> {
    /// False if the matter is on the board already, told or not.
    pub fn add_notice(&mut self, notice: &NewNotice) -> Result<bool, StoreError> {
        let sql = "INSERT INTO notice (kind, topic, title, fix, created) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO NOTHING";
        let params = [
            Param::Text(&notice.kind),
            Param::Text(&notice.topic),
            Param::Text(&notice.title),
            Param::Text(&notice.fix),
            Param::Int(notice.created.0),
        ];
        Ok(self.sql.execute(sql, &params)? == 1)
    }

    pub fn note_told(&mut self, id: i64, at: UnixMillis) -> Result<(), StoreError> {
        let sql = "UPDATE notice SET told = ?2 WHERE id = ?1";
        self.sql
            .execute(sql, &[Param::Int(id), Param::Int(at.0)])
            .map(drop)
    }

    /// The matter is over: when it comes again it is new. False if it was not there.
    pub fn drop_notice(&mut self, topic: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM notice WHERE topic = ?1";
        Ok(self.sql.execute(sql, &[Param::Text(topic)])? == 1)
    }

    pub(crate) fn trim_notices(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let sql = "DELETE FROM notice WHERE created < ?1";
        let before = now.0.saturating_sub(NOTICES_AGE_MILLIS);
        self.sql.execute(sql, &[Param::Int(before)]).map(drop)
    }
}

fn read(row: &Row<'_>) -> SqlResult<Notice> {
    Ok(Notice {
        id: row.int(0)?,
        kind: row.text(1)?.to_owned(),
        topic: row.text(2)?.to_owned(),
        title: row.text(3)?.to_owned(),
        fix: row.text(4)?.to_owned(),
        created: UnixMillis(row.int(5)?),
        told: row.opt_int(6)?.map(UnixMillis),
    })
}
