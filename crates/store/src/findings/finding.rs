//! Findings over time: since when each is known, and when it was well again.

use mail::UnixMillis;

use crate::deliveries::NewNotice;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{FINDINGS_AGE_MILLIS, FINDINGS_MAX};
use crate::{Change, StoreError, View};

/// What one examination found of one matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub check: String,
    /// Domain, address, port: what it is about.
    pub about: String,
    /// `error`, `warning` or `improvement`.
    pub severity: String,
    pub seen: String,
    pub fix: String,
}

/// A finding as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFinding {
    pub observed: Observed,
    /// Since when, this time.
    pub first_seen: UnixMillis,
    pub last_seen: UnixMillis,
    pub resolved: Option<UnixMillis>,
}

/// What an examination changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    pub fresh: Vec<Observed>,
    pub resolved: Vec<Observed>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT check_id, about, severity, seen, fix, first_seen, last_seen, resolved FROM finding ",
            $rest
        )
    };
}

impl View<'_> {
    /// What is wrong now, as far as is known.
    pub fn open_findings(&self) -> Result<Vec<KnownFinding>, StoreError> {
        let sql = columns!("WHERE resolved IS NULL ORDER BY check_id, about LIMIT ?1");
        self.sql.all(sql, &[Param::Int(FINDINGS_MAX)], read)
    }

    /// All that is remembered, the newest first.
    pub fn findings(&self) -> Result<Vec<KnownFinding>, StoreError> {
        let sql = columns!("ORDER BY last_seen DESC, check_id, about LIMIT ?1");
        self.sql.all(sql, &[Param::Int(FINDINGS_MAX)], read)
    }
}

impl Change<'_> {
    /// Notes an examination, and puts on the notice board what is new and what is well again. What `is_unknown` says of
    /// could not be looked at this time: it stays as it was.
    pub fn note_examination(
        &mut self,
        observed: &[Observed],
        is_unknown: &dyn Fn(&str) -> bool,
        now: UnixMillis,
    ) -> Result<Examined, StoreError> {
        let open = self.open_findings()?;
        let mut examined = Examined::default();
        let most = usize::try_from(FINDINGS_MAX).unwrap_or(usize::MAX);
        for one in observed.iter().take(most) {
            let is_open = open.iter().any(|known| is_same(&known.observed, one));
            self.keep_finding(one, is_open, now)?;
            if !is_open {
                self.board("finding", one, &one.fix, now)?;
                examined.fresh.push(one.clone());
            }
        }
        for known in open {
            let one = known.observed;
            let is_still = observed.iter().any(|other| is_same(other, &one));
            if is_still || is_unknown(&one.check) {
                continue;
            }
            let sql = "UPDATE finding SET resolved = ?3 WHERE check_id = ?1 AND about = ?2";
            let key = [
                Param::Text(&one.check),
                Param::Text(&one.about),
                Param::Int(now.0),
            ];
            self.sql.execute(sql, &key)?;
            self.board("finding-resolved", &one, "Nothing is left to do.", now)?;
            examined.resolved.push(one);
        }
        let sql = "DELETE FROM finding WHERE resolved < ?1";
        let before = now.0.saturating_sub(FINDINGS_AGE_MILLIS);
        self.sql.execute(sql, &[Param::Int(before)])?;
        Ok(examined)
    }

    fn keep_finding(
        &mut self,
        one: &Observed,
        is_open: bool,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO finding (check_id, about, severity, seen, fix, first_seen, last_seen) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
                   ON CONFLICT (check_id, about) DO UPDATE SET severity = excluded.severity, seen = excluded.seen, \
                   fix = excluded.fix, last_seen = excluded.last_seen, resolved = NULL, \
                   first_seen = CASE WHEN ?7 = 1 THEN finding.first_seen ELSE excluded.first_seen END";
        let params = [
            Param::Text(&one.check),
            Param::Text(&one.about),
            Param::Text(&one.severity),
            Param::Text(&one.seen),
            Param::Text(&one.fix),
            Param::Int(now.0),
            Param::Int(is_open.into()),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    fn board(
        &mut self,
        kind: &str,
        one: &Observed,
        fix: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let title = match kind {
            "finding" => format!("{}: {}: {}", one.severity, one.about, one.seen),
            _ => format!("well again: {}: {}", one.about, one.seen),
        };
        let notice = NewNotice {
            kind: kind.to_owned(),
            topic: format!("{kind}/{}/{}/{}", one.check, one.about, now.0),
            title,
            fix: format!("{fix}\n({})", one.check),
            created: now,
        };
        self.add_notice(&notice).map(drop)
    }
}

fn is_same(a: &Observed, b: &Observed) -> bool {
    a.check == b.check && a.about == b.about
}

fn read(row: &Row<'_>) -> SqlResult<KnownFinding> {
    Ok(KnownFinding {
        observed: Observed {
            check: row.text(0)?.to_owned(),
            about: row.text(1)?.to_owned(),
            severity: row.text(2)?.to_owned(),
            seen: row.text(3)?.to_owned(),
            fix: row.text(4)?.to_owned(),
        },
        first_seen: UnixMillis(row.int(5)?),
        last_seen: UnixMillis(row.int(6)?),
        resolved: row.opt_int(7)?.map(UnixMillis),
    })
}
