//! What some lessons of one account change in the counts, put together first: a feature that comes in many of them is one
//! row to change, and many rows are changed by one statement, which spares PostgreSQL a round trip each.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use mail::UnixMillis;

use super::Class;
use super::read::{Count, counted, pieces};
use super::voices::{Reach, Voices, voice_of};
use crate::engine::{Param, Row};
use crate::{AccountId, Change, StoreError};

/// Lessons more or less, to be written by [`Change::settle`].
#[derive(Debug)]
pub(super) struct Ledger {
    account: AccountId,
    totals: Steps,
    /// In the order of the table, so that two nodes never wait for each other in a circle.
    features: BTreeMap<i64, Steps>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steps {
    junk: i64,
    wanted: i64,
}

impl Ledger {
    pub(super) fn new(account: AccountId) -> Self {
        Self {
            account,
            totals: Steps::default(),
            features: BTreeMap::new(),
        }
    }

    /// One lesson more.
    pub(super) fn add(&mut self, set: &[u64], class: Class) {
        self.note(set, class, 1);
    }

    /// One lesson less.
    pub(super) fn take_back(&mut self, set: &[u64], class: Class) {
        self.note(set, class, -1);
    }

    fn note(&mut self, set: &[u64], class: Class, step: i64) {
        self.totals.note(class, step);
        for feature in set {
            let steps = self.features.entry(*feature as i64).or_default();
            steps.note(class, step);
        }
    }
}

impl Steps {
    fn note(&mut self, class: Class, step: i64) {
        match class {
            Class::Junk => self.junk += step,
            Class::Wanted => self.wanted += step,
        }
    }

    fn after(self, before: Count) -> Count {
        Count {
            junk: counted(i64::from(before.junk) + self.junk),
            wanted: counted(i64::from(before.wanted) + self.wanted),
        }
    }
}

impl Change<'_> {
    /// Writes what a ledger holds: into the counts of the account, and into those of all as far as the account is heard.
    pub(super) fn settle(&mut self, ledger: Ledger, now: UnixMillis) -> Result<(), StoreError> {
        let account = ledger.account;
        let mut steps = ledger.features;
        steps.retain(|_, steps| *steps != Steps::default());
        if steps.is_empty() && ledger.totals == Steps::default() {
            return Ok(());
        }
        let reach = self.settle_totals(account, ledger.totals, now)?;
        let features: Vec<i64> = steps.keys().copied().collect();
        let known: HashMap<u64, Count> = self.taught_by(account, &features)?.into_iter().collect();
        let (mut put, mut gone, mut for_all) = (Vec::new(), Vec::new(), Vec::new());
        for (feature, steps) in steps {
            let before = known.get(&(feature as u64)).copied().unwrap_or_default();
            let after = steps.after(before);
            if before == after {
                continue;
            }
            match after == Count::default() {
                true => gone.push(feature),
                false => put.push([feature, after.junk.into(), after.wanted.into()]),
            }
            let change = voice_of(after).minus(voice_of(before));
            if reach.covers(feature) && change != Voices::default() {
                for_all.push((feature, change));
            }
        }
        self.put_taught(account, &put)?;
        self.forget_taught(account, &gone)?;
        self.add_voices(&for_all)
    }

    fn settle_totals(
        &mut self,
        account: AccountId,
        steps: Steps,
        now: UnixMillis,
    ) -> Result<Reach, StoreError> {
        let (before, reach) = match self.taught_total(account)? {
            Some(found) => found,
            None => (Count::default(), self.first_reach(account, now)?),
        };
        let after = steps.after(before);
        let sql = "INSERT INTO taught_total (account, junk, wanted, heard_below) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (account) DO UPDATE SET junk = excluded.junk, wanted = excluded.wanted";
        let params = [
            Param::Int(account.0),
            Param::Int(after.junk.into()),
            Param::Int(after.wanted.into()),
            Param::OptInt(reach.stored()),
        ];
        self.sql.execute(sql, &params)?;
        if reach.is_heard() {
            self.add_total_voice(voice_of(after).minus(voice_of(before)))?;
        }
        Ok(reach)
    }

    /// How often an account taught, and how far it is heard.
    pub(super) fn taught_total(
        &self,
        account: AccountId,
    ) -> Result<Option<(Count, Reach)>, StoreError> {
        let sql = "SELECT junk, wanted, heard_below FROM taught_total WHERE account = ?1";
        let read = |row: &Row<'_>| {
            let count = Count {
                junk: counted(row.int(0)?),
                wanted: counted(row.int(1)?),
            };
            Ok((count, Reach::of_stored(row.opt_int(2)?)))
        };
        self.sql.first(sql, &[Param::Int(account.0)], read)
    }

    /// Feature, junk, wanted.
    fn put_taught(&mut self, account: AccountId, rows: &[[i64; 3]]) -> Result<(), StoreError> {
        for (sql, rows) in PUT_TAUGHT.pieces(rows) {
            let own = rows.iter().flatten().map(|value| Param::Int(*value));
            let params: Vec<Param<'_>> = [Param::Int(account.0)].into_iter().chain(own).collect();
            self.sql.execute(sql, &params)?;
        }
        Ok(())
    }

    pub(super) fn forget_taught(
        &mut self,
        account: AccountId,
        features: &[i64],
    ) -> Result<(), StoreError> {
        for piece in pieces(features, account.0) {
            self.sql.execute(super::read::FORGET_TAUGHT, &piece)?;
        }
        Ok(())
    }

    /// By difference: others may add to the same rows at this moment. Features without double.
    pub(super) fn add_voices(&mut self, changes: &[(i64, Voices)]) -> Result<(), StoreError> {
        self.add_voices_of(0, changes)
    }

    pub(super) fn add_total_voice(&mut self, change: Voices) -> Result<(), StoreError> {
        match change == Voices::default() {
            true => Ok(()),
            false => self.add_voices_of(1, &[(0, change)]),
        }
    }

    fn add_voices_of(
        &mut self,
        is_total: i64,
        changes: &[(i64, Voices)],
    ) -> Result<(), StoreError> {
        for (sql, changes) in ADD_VOICES.pieces(changes) {
            let values = changes.iter().flat_map(|(feature, change)| {
                [
                    *feature,
                    change.junk,
                    change.wanted,
                    change.junk_by,
                    change.wanted_by,
                ]
            });
            let params: Vec<Param<'_>> = [is_total]
                .into_iter()
                .chain(values)
                .map(Param::Int)
                .collect();
            self.sql.execute(sql, &params)?;
        }
        let less = changes
            .iter()
            .filter(|(_, change)| change.junk_by < 0 || change.wanted_by < 0);
        let less: Vec<i64> = less.map(|(feature, _)| *feature).collect();
        for piece in pieces(&less, is_total) {
            self.sql.execute(super::read::FORGET_SILENT, &piece)?;
        }
        Ok(())
    }
}

/// One statement for many rows, in some sizes. The first parameter is the same for all rows.
struct Rows {
    statements: LazyLock<Vec<(usize, String)>>,
}

impl Rows {
    const fn new(make: fn() -> Vec<(usize, String)>) -> Self {
        Self {
            statements: LazyLock::new(make),
        }
    }

    /// The rows piece by piece, each with the statement that takes so many: the largest that fits.
    fn pieces<'r, T>(
        &'static self,
        mut rows: &'r [T],
    ) -> impl Iterator<Item = (&'static str, &'r [T])> {
        std::iter::from_fn(move || {
            let fitting = |(count, _): &&(usize, String)| *count <= rows.len();
            let (count, sql) = self.statements.iter().find(fitting)?;
            let (piece, rest) = rows.split_at(*count);
            rows = rest;
            Some((sql.as_str(), piece))
        })
    }
}

/// How many rows one statement takes, the most first. More than 64 in one is no faster.
const ROWS_AT_ONCE: [usize; 3] = [64, 8, 1];

static PUT_TAUGHT: Rows = Rows::new(|| {
    in_sizes(
        "INSERT INTO taught (account, feature, junk, wanted) VALUES ",
        3,
        " ON CONFLICT (account, feature) DO UPDATE SET junk = excluded.junk, wanted = excluded.wanted",
    )
});

static ADD_VOICES: Rows = Rows::new(|| {
    in_sizes(
        "INSERT INTO taught_by_all (is_total, feature, junk, wanted, junk_by, wanted_by) VALUES ",
        5,
        " ON CONFLICT (is_total, feature) DO UPDATE SET junk = taught_by_all.junk + excluded.junk, \
         wanted = taught_by_all.wanted + excluded.wanted, junk_by = taught_by_all.junk_by + excluded.junk_by, \
         wanted_by = taught_by_all.wanted_by + excluded.wanted_by",
    )
});

/// Statements with so many columns of their own in each row.
fn in_sizes(head: &str, columns: usize, tail: &str) -> Vec<(usize, String)> {
    let row = |at: usize| {
        let own = (0..columns).map(|column| format!("?{}", 2 + at * columns + column));
        let own: Vec<String> = own.collect();
        format!("(?1, {})", own.join(", "))
    };
    let sized = |count: usize| {
        let rows: Vec<String> = (0..count).map(row).collect();
        (count, format!("{head}{}{tail}", rows.join(", ")))
    };
    ROWS_AT_ONCE.into_iter().map(sized).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_piece() {
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 200] {
            let rows: Vec<usize> = (0..count).collect();
            let pieces: Vec<_> = PUT_TAUGHT.pieces(&rows).collect();
            let together: Vec<usize> = pieces.iter().flat_map(|(_, rows)| rows.to_vec()).collect();
            assert_eq!(together, rows);
            for (sql, rows) in pieces {
                let last = format!("?{}) ON", 1 + 3 * rows.len());
                assert!(sql.contains(&last), "{sql}");
            }
        }
    }

    #[test]
    fn statements_read_well() {
        let (_, one) = in_sizes("A ", 2, " Z").pop().unwrap();
        assert_eq!(one, "A (?1, ?2, ?3) Z");
        let eight = &in_sizes("A ", 1, " Z")[1].1;
        assert!(eight.starts_with("A (?1, ?2), (?1, ?3), "), "{eight}");
    }
}
