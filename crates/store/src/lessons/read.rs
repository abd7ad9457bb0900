//! What was taught about some features: one account's part, and that of all.

use super::voices::{Voices, needed};
use crate::engine::{Param, SqlResult};
use crate::limits::TAUGHT_FEATURES_READ_MAX;
use crate::{AccountId, StoreError, View};

/// In how many lessons of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub junk: u32,
    pub wanted: u32,
}

/// What one teacher, or all together, taught of the features that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lore {
    /// Lessons in all.
    pub totals: Count,
    /// Features that came in lessons, in no order; the others came in none.
    pub counts: Vec<(u64, Count)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taught {
    pub account: Lore,
    /// Of all accounts. Each counts up to a bound, and a feature is here only if enough accounts taught it.
    pub server: Lore,
}

impl Lore {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.totals == Count::default()
    }
}

impl View<'_> {
    /// What was taught about these features. Costs a row's reading where nobody taught anything.
    pub fn taught(&self, account: AccountId, features: &[u64]) -> Result<Taught, StoreError> {
        Ok(Taught {
            account: self.taught_by_account(account, features)?,
            server: self.taught_by_others(features)?,
        })
    }

    /// The account's own part.
    pub fn taught_by_account(
        &self,
        account: AccountId,
        features: &[u64],
    ) -> Result<Lore, StoreError> {
        let mut lore = Lore::default();
        let sql = "SELECT junk, wanted FROM taught_total WHERE account = ?1";
        if let Some(totals) = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok(Count {
                junk: counted(row.int(0)?),
                wanted: counted(row.int(1)?),
            })
        })? {
            lore.totals = totals;
            lore.counts = self.taught_by(account, &read_at_once(features))?;
        }
        Ok(lore)
    }

    /// What all accounts taught: the same for everybody.
    pub fn taught_by_others(&self, features: &[u64]) -> Result<Lore, StoreError> {
        let mut lore = Lore::default();
        let all = self.voices_totals()?;
        let needed = needed(all.teachers());
        if needed <= all.teachers() {
            lore.totals = Count {
                junk: counted(all.junk),
                wanted: counted(all.wanted),
            };
        }
        if !lore.is_empty() {
            let voices = self.voices(&read_at_once(features))?.into_iter();
            lore.counts = voices
                .filter_map(|(feature, voices)| Some((feature as u64, voices.heard(needed)?)))
                .collect();
        }
        Ok(lore)
    }

    pub(super) fn voices_totals(&self) -> SqlResult<Voices> {
        let sql = "SELECT feature, junk, wanted, junk_by, wanted_by FROM taught_by_all WHERE is_total = 1";
        let found = self.sql.first(sql, &[], |row| Ok(read_voices(row)?.1))?;
        Ok(found.unwrap_or_default())
    }

    /// Both sorted by the hash as the table sorts it.
    pub(super) fn taught_by(
        &self,
        account: AccountId,
        features: &[i64],
    ) -> SqlResult<Vec<(u64, Count)>> {
        let mut found = Vec::new();
        for piece in pieces(features, account.0) {
            self.sql.each(TAUGHT, &piece, |row| {
                let count = Count {
                    junk: counted(row.int(1)?),
                    wanted: counted(row.int(2)?),
                };
                found.push((row.int(0)? as u64, count));
                Ok(())
            })?;
        }
        Ok(found)
    }

    pub(super) fn voices(&self, features: &[i64]) -> SqlResult<Vec<(i64, Voices)>> {
        let mut found = Vec::new();
        for piece in pieces(features, 0) {
            self.sql.each(BY_ALL, &piece, |row| {
                found.push(read_voices(row)?);
                Ok(())
            })?;
        }
        Ok(found)
    }
}

fn read_at_once(features: &[u64]) -> Vec<i64> {
    let mut wanted: Vec<i64> = features
        .iter()
        .take(TAUGHT_FEATURES_READ_MAX)
        .map(|feature| *feature as i64)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

fn read_voices(row: &crate::engine::Row<'_>) -> SqlResult<(i64, Voices)> {
    let voices = Voices {
        junk: row.int(1)?,
        wanted: row.int(2)?,
        junk_by: row.int(3)?,
        wanted_by: row.int(4)?,
    };
    Ok((row.int(0)?, voices))
}

pub(super) fn counted(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

/// Parameters for a statement with [`PIECE`] places; the last ones repeat where there are not so many.
pub(super) fn pieces(features: &[i64], first: i64) -> impl Iterator<Item = Vec<Param<'static>>> {
    features.chunks(PIECE).map(move |piece| {
        let last = piece.last().copied().unwrap_or_default();
        let padding = std::iter::repeat_n(&last, PIECE - piece.len());
        let mut params = Vec::with_capacity(PIECE + 1);
        params.push(Param::Int(first));
        params.extend(
            piece
                .iter()
                .chain(padding)
                .map(|feature| Param::Int(*feature)),
        );
        params
    })
}

/// Features in one statement: enough that its fixed cost does not count.
const PIECE: usize = 64;

macro_rules! places {
    () => {
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
         ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, \
         ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56, ?57, ?58, ?59, ?60, ?61, ?62, ?63, ?64, ?65)"
    };
}

const TAUGHT: &str = concat!(
    "SELECT feature, junk, wanted FROM taught WHERE account = ?1 AND feature IN ",
    places!()
);

const BY_ALL: &str = concat!(
    "SELECT feature, junk, wanted, junk_by, wanted_by FROM taught_by_all WHERE is_total = ?1 AND feature IN ",
    places!()
);

/// What an account taught of these.
pub(super) const FORGET_TAUGHT: &str = concat!(
    "DELETE FROM taught WHERE account = ?1 AND feature IN ",
    places!()
);

/// Those that nobody teaches any more.
pub(super) const FORGET_SILENT: &str = concat!(
    "DELETE FROM taught_by_all WHERE is_total = ?1 AND junk_by + wanted_by = 0 AND feature IN ",
    places!()
);
