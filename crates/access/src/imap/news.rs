//! What other sessions did to the selected mailbox, told at command boundaries and while idling.
//! Gather from the change log on one snapshot, then bring the numbering up to date and say it.

use std::sync::Arc;

use store::{
    AccountId, Happened, Keywords, MailboxId, ModSeq, Placement, StoreError, UidSet, View,
};
use wire::imap::write;

use super::flags;
use super::numbering::Numbering;
use super::selected::Selected;
use super::session::{Enabled, Session};
use crate::limits::CHANGES_PER_READ;

/// Whether numbers may move now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expunges {
    Tell,
    Hold,
}

/// What a snapshot says beyond what the session knows.
#[derive(Debug)]
struct News {
    modseq: ModSeq,
    arrived: UidSet,
    gone: UidSet,
    flagged: Vec<Placement>,
    keywords: Option<Keywords>,
}

impl Session {
    /// Appends the news to the answer.
    pub(super) async fn news(&mut self, expunges: Expunges) -> Result<(), StoreError> {
        let (Some(selected), Some(login)) = (&mut self.selected, &self.login) else {
            return Ok(());
        };
        let newest = login.watcher.newest();
        if selected.modseq < newest && selected.made_all_up_to(newest) {
            selected.modseq = newest;
            selected.own.clear();
        }
        if selected.modseq < newest {
            let question = Question::of(selected);
            let news = self
                .access
                .store
                .read_small(move |view| question.ask(view))
                .await?;
            take_in(selected, news, self.enabled, expunges, &mut self.out);
        } else if expunges == Expunges::Tell && !selected.gone.is_empty() {
            tell_gone(selected, self.enabled, &mut self.out);
        }
        Ok(())
    }
}

struct Question {
    account: AccountId,
    mailbox: MailboxId,
    since: ModSeq,
    own: Vec<ModSeq>,
    numbering: Arc<Numbering>,
    keywords: Arc<Keywords>,
}

impl Question {
    fn of(selected: &Selected) -> Self {
        Question {
            account: selected.account,
            mailbox: selected.mailbox,
            since: selected.modseq,
            own: selected.own.clone(),
            numbering: selected.numbering.clone(),
            keywords: selected.keywords.clone(),
        }
    }

    fn ask(&self, view: &View<'_>) -> Result<News, StoreError> {
        let modseq = view.modseq(self.account)?;
        let mut news = News {
            modseq,
            arrived: UidSet::new(),
            gone: UidSet::new(),
            flagged: Vec::new(),
            keywords: None,
        };
        let mut touched = UidSet::new();
        if self.read_log(view, &mut news, &mut touched)? {
            let mut known = self.numbering.by_uid(&ranges(&touched));
            if !news.gone.is_empty() {
                known = known
                    .iter()
                    .filter(|uid| !news.gone.contains(*uid))
                    .collect();
            }
            self.read_flags(view, &known, &mut news)?;
        } else {
            self.compare(view, &mut news)?;
        }
        if !news
            .flagged
            .iter()
            .all(|row| flags::knows_all(&self.keywords, row))
        {
            news.keywords = Some(view.keywords(self.account)?);
        }
        Ok(news)
    }

    /// Whether the log reached back far enough.
    fn read_log(
        &self,
        view: &View<'_>,
        news: &mut News,
        touched: &mut UidSet,
    ) -> Result<bool, StoreError> {
        let mut since = self.since;
        loop {
            let Some(changes) =
                view.changes(self.account, Some(self.mailbox), since, CHANGES_PER_READ)?
            else {
                return Ok(false);
            };
            let full = changes.len() >= CHANGES_PER_READ;
            for change in changes {
                since = change.modseq;
                match change.what {
                    Happened::Arrived(uids) => add(&mut news.arrived, &uids),
                    Happened::Expunged(uids) => add(&mut news.gone, &uids),
                    Happened::Flagged(uids) if !self.own.contains(&change.modseq) => {
                        add(touched, &uids)
                    }
                    Happened::MailboxDeleted => add(&mut news.gone, &UidSet::all()),
                    _ => {}
                }
            }
            if !full {
                return Ok(true);
            }
        }
    }

    fn read_flags(
        &self,
        view: &View<'_>,
        known: &UidSet,
        news: &mut News,
    ) -> Result<(), StoreError> {
        for range in self
            .numbering
            .pieces(known, usize::MAX)
            .into_iter()
            .flatten()
        {
            view.each_placement(self.account, self.mailbox, range, &mut |row| {
                if known.contains(row.uid) {
                    news.flagged.push(row);
                }
            })?;
        }
        Ok(())
    }

    /// Without the log: the mailbox as it is against the numbering.
    fn compare(&self, view: &View<'_>, news: &mut News) -> Result<(), StoreError> {
        let uids: UidSet = view.uids(self.account, self.mailbox)?.into_iter().collect();
        news.gone = self
            .numbering
            .all()
            .iter()
            .filter(|uid| !uids.contains(*uid))
            .collect();
        let last = self.numbering.last_uid();
        news.arrived = uids
            .iter()
            .filter(|uid| last.is_none_or(|last| last < *uid))
            .collect();
        view.each_placement(
            self.account,
            self.mailbox,
            store::Uid::MIN..=store::Uid::MAX,
            &mut |row| {
                if self.since < row.modseq
                    && self.numbering.seq(row.uid).is_some()
                    && !self.own.contains(&row.modseq)
                {
                    news.flagged.push(row);
                }
            },
        )
    }
}

fn take_in(
    selected: &mut Selected,
    news: News,
    enabled: Enabled,
    expunges: Expunges,
    out: &mut Vec<u8>,
) {
    selected.modseq = news.modseq;
    selected.own.clear();
    let numbering = Arc::make_mut(&mut selected.numbering);
    let before = numbering.count();
    for range in news.gone.ranges() {
        add(
            &mut selected.gone,
            &numbering.by_uid(&[range.start().0..=range.end().0]),
        );
    }
    for range in news.arrived.ranges() {
        for uid in range.start().0..=range.end().0 {
            // What came and went between two commands was never there for this client.
            if !news.gone.contains(store::Uid(uid)) {
                numbering.push(store::Uid(uid));
            }
        }
    }
    let grown = numbering.count() > before;
    if expunges == Expunges::Tell {
        tell_gone(selected, enabled, out);
    }
    if grown {
        write::counted(out, selected.numbering.count(), "EXISTS");
    }
    if let Some(keywords) = news.keywords {
        selected.keywords = Arc::new(keywords);
        out.extend_from_slice(b"* FLAGS (");
        flags::write_all(out, &selected.keywords);
        out.extend_from_slice(b")\r\n");
    }
    for row in &news.flagged {
        if let Some(seq) = selected.numbering.seq(row.uid) {
            flags_changed(out, seq, row, &selected.keywords, enabled);
        }
    }
}

/// EXPUNGE for each, or one VANISHED with QRESYNC (RFC 7162 §3.2.10).
fn tell_gone(selected: &mut Selected, enabled: Enabled, out: &mut Vec<u8>) {
    let gone = std::mem::take(&mut selected.gone);
    if gone.is_empty() {
        return;
    }
    remove(selected, &gone, enabled, out);
}

/// Takes messages out of the numbering and says so.
pub(super) fn remove(selected: &mut Selected, gone: &UidSet, enabled: Enabled, out: &mut Vec<u8>) {
    let known = selected.numbering.by_uid(&ranges(gone));
    let numbers = Arc::make_mut(&mut selected.numbering).remove(&known);
    if enabled.qresync {
        if !known.is_empty() {
            write::untagged(out, &format!("VANISHED {known}"));
        }
    } else {
        for number in numbers {
            write::counted(out, number, "EXPUNGE");
        }
    }
    if !selected.saved.is_empty() {
        selected.saved = selected
            .saved
            .iter()
            .filter(|uid| !known.contains(*uid))
            .collect();
    }
}

/// `* 3 FETCH (FLAGS (\Seen))`, with what the client's extensions ask for.
pub(super) fn flags_changed(
    out: &mut Vec<u8>,
    seq: u32,
    row: &Placement,
    keywords: &Keywords,
    enabled: Enabled,
) {
    out.extend_from_slice(b"* ");
    write::number(out, u64::from(seq));
    out.extend_from_slice(b" FETCH (");
    if enabled.qresync || enabled.rev2 {
        out.extend_from_slice(b"UID ");
        write::number(out, u64::from(row.uid.0));
        out.push(b' ');
    }
    flags::write(out, row, keywords);
    if enabled.condstore {
        out.extend_from_slice(b" MODSEQ (");
        write::number(out, row.modseq.0);
        out.push(b')');
    }
    out.extend_from_slice(b")\r\n");
}

pub(super) fn add(set: &mut UidSet, more: &UidSet) {
    for range in more.ranges() {
        set.insert_range(range);
    }
}

pub(super) fn ranges(set: &UidSet) -> Vec<std::ops::RangeInclusive<u32>> {
    set.ranges()
        .map(|range| range.start().0..=range.end().0)
        .collect()
}
