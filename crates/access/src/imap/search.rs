//! SEARCH (RFC 9051 §6.4.4), with ESEARCH, SEARCHRES, WITHIN: rows decide what they can, bodies are
//! opened only for the rest, in jobs off the event loop.

mod answer;
mod deep;
mod test;

use std::sync::Arc;

use store::{Placement, StoreError, UidSet};
use wire::imap::{Search, SearchKey, SearchReturn};

use super::refusal::{Outcome, Refusal};
use super::session::Session;
use crate::limits::ROWS_PER_READ;
use test::{Context, Test, Verdict};

/// Messages that match, ascending, with what answers may need.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) uids: Vec<store::Uid>,
    /// Of each, when the search asked for MODSEQ.
    modseqs: Vec<u64>,
}

impl Matches {
    /// The newest change among the messages that the answer names (RFC 7162 §3.1.5, §3.1.10).
    pub(super) fn modseq(&self, want: Option<SearchReturn>) -> Option<u64> {
        match want.filter(|want| names_ends_only(*want)) {
            Some(want) => {
                let first = self.modseqs.first().filter(|_| want.min);
                let last = self.modseqs.last().filter(|_| want.max);
                first.max(last).copied()
            }
            None => self.modseqs.iter().max().copied(),
        }
    }
}

/// MIN or MAX, and nothing that speaks of all.
fn names_ends_only(want: SearchReturn) -> bool {
    (want.min || want.max) && !want.all && !want.count
}

impl Session {
    pub(super) async fn search(&mut self, search: Search) -> Outcome {
        let found = self.find(&search.key).await?;
        if search.want.is_some_and(|want| want.save) {
            self.save_result(&search, &found)?;
        }
        self.write_search(&search, &found)
    }

    /// All messages that match, by UID.
    pub(super) async fn find(&mut self, key: &SearchKey) -> Result<Matches, Refusal> {
        if asks_modseq(key) {
            self.enable_condstore().await?;
        }
        let now = self.now();
        let selected = self.selected()?;
        let context = Context { selected, now };
        let test = Arc::new(Test::compile(key, &context));
        let range = test.uids(&selected.numbering.all());
        let mut uids = Vec::new();
        let mut open = UidSet::new();
        let mut modseqs = Vec::new();
        let (account, mailbox, numbering) = (
            selected.account,
            selected.mailbox,
            selected.numbering.clone(),
        );
        for piece in numbering.pieces(&range, ROWS_PER_READ) {
            let (test, range) = (test.clone(), range.clone());
            let rows = self
                .access
                .store
                .read(move |view| {
                    let mut rows: Vec<(Placement, Verdict)> = Vec::new();
                    for part in &piece {
                        view.each_placement(account, mailbox, part.clone(), &mut |row| {
                            if !range.contains(row.uid) {
                                return;
                            }
                            match test.row(&row) {
                                Verdict::No => {}
                                verdict => rows.push((row, verdict)),
                            }
                        })?;
                    }
                    Ok::<_, StoreError>(rows)
                })
                .await?;
            for (row, verdict) in rows {
                match verdict {
                    Verdict::Yes => uids.push(row.uid),
                    _ => open.insert(row.uid),
                }
                modseqs.push((row.uid, row.modseq));
            }
        }
        if !open.is_empty() {
            uids.extend(self.open_bodies(test, &open).await?);
            uids.sort_unstable();
        }
        let mut found = Matches {
            uids,
            modseqs: Vec::new(),
        };
        if asks_modseq(key) {
            let named = modseqs
                .iter()
                .filter(|(uid, _)| found.uids.binary_search(uid).is_ok());
            found.modseqs = named.map(|(_, modseq)| modseq.0).collect();
        }
        Ok(found)
    }

    /// RFC 5182 §2.1: with MIN or MAX alone only that one is kept.
    fn save_result(&mut self, search: &Search, found: &Matches) -> Result<(), Refusal> {
        let Some(want) = search.want else {
            return Ok(());
        };
        let ends_only = names_ends_only(want);
        let mut saved = UidSet::new();
        if ends_only {
            saved.extend(found.uids.first().copied().filter(|_| want.min));
            saved.extend(found.uids.last().copied().filter(|_| want.max));
        } else {
            saved.extend(found.uids.iter().copied());
        }
        self.selected()?.saved = saved;
        Ok(())
    }
}

/// Whether MODSEQ stands anywhere in the program; bounded as the program is.
fn asks_modseq(key: &SearchKey) -> bool {
    match key {
        SearchKey::ModSeq(_) => true,
        SearchKey::Not(inner) => asks_modseq(inner),
        SearchKey::Or(both) => asks_modseq(&both.0) || asks_modseq(&both.1),
        SearchKey::And(keys) => keys.iter().any(asks_modseq),
        _ => false,
    }
}
