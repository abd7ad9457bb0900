//! SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 §6.3.2), with CONDSTORE and QRESYNC (RFC 7162).

use std::sync::Arc;

use store::{
    AccountId, Durability, Happened, Keywords, Mailbox, MailboxId, MessageError, ModSeq, Placement,
    StoreError, Uid, UidSet, View,
};
use wire::imap::{Condstore, MailboxName, Mode, Phase, Qresync, write};

use super::flags;
use super::mailboxes::name_of;
use super::news::{add, flags_changed, ranges};
use super::numbering::Numbering;
use super::refusal::{Done, Outcome, Refusal};
use super::selected::Selected;
use super::session::Session;
use crate::limits::CHANGES_PER_READ;

/// One snapshot of a mailbox.
struct Opened {
    mailbox: Mailbox,
    numbering: Numbering,
    first_unseen: Option<Uid>,
    keywords: Keywords,
    modseq: ModSeq,
    resync: Option<Resync>,
}

/// What changed since the client last saw the mailbox.
struct Resync {
    vanished: UidSet,
    changed: Vec<Placement>,
}

impl Session {
    pub(super) async fn select(
        &mut self,
        mailbox: MailboxName,
        mode: Mode,
        condstore: Condstore,
        qresync: Option<Box<Qresync>>,
    ) -> Outcome {
        let account = self.account()?;
        if qresync.is_some() && !self.enabled.qresync {
            return Err(Refusal::bad("ENABLE QRESYNC first."));
        }
        if self.selected.take().is_some() {
            write::untagged(&mut self.out, "OK [CLOSED] The mailbox is closed.");
        }
        self.set_phase(Phase::Authenticated);
        if condstore == Condstore::Asked {
            self.enabled.condstore = true;
        }
        let name = name_of(&mailbox)?;
        let opened = self
            .access
            .store
            .read(move |view| {
                let Some(mailbox) = view.mailbox_by_name(account, &name)? else {
                    return Ok::<_, StoreError>(None);
                };
                open(view, account, mailbox, qresync.as_deref()).map(Some)
            })
            .await?
            .ok_or(Refusal::NO_MAILBOX)?;
        self.write_opened(account, &opened, mode);
        self.selected = Some(Box::new(Selected {
            account,
            mailbox: opened.mailbox.id,
            mode,
            numbering: Arc::new(opened.numbering),
            modseq: opened.modseq,
            gone: UidSet::new(),
            own: Vec::new(),
            keywords: Arc::new(opened.keywords),
            saved: UidSet::new(),
        }));
        self.set_phase(Phase::Selected);
        Ok(Done::Text(match mode {
            Mode::ReadWrite => "[READ-WRITE] SELECT completed.".to_owned(),
            Mode::ReadOnly => "[READ-ONLY] EXAMINE completed.".to_owned(),
        }))
    }

    fn write_opened(&mut self, account: AccountId, opened: &Opened, mode: Mode) {
        let (dialect, enabled, mailbox) = (self.dialect(), self.enabled, &opened.mailbox);
        let out = &mut self.out;
        out.extend_from_slice(b"* FLAGS (");
        flags::write_all(out, &opened.keywords);
        out.extend_from_slice(b")\r\n");
        write::counted(out, opened.numbering.count(), "EXISTS");
        if !enabled.rev2 {
            // \Recent went with IMAP4rev2; older clients want the line.
            write::counted(out, 0, "RECENT");
            if let Some(seq) = opened
                .first_unseen
                .and_then(|uid| opened.numbering.seq(uid))
            {
                write::untagged(out, &format!("OK [UNSEEN {seq}] The first unseen message."));
            }
        }
        write::untagged(
            out,
            &format!("OK [UIDVALIDITY {}] UIDs are valid.", mailbox.uid_validity),
        );
        out.extend_from_slice(b"* OK [PERMANENTFLAGS (");
        if mode == Mode::ReadWrite {
            flags::write_all(out, &opened.keywords);
            if opened.keywords.has_room() {
                out.extend_from_slice(b" \\*");
            }
        }
        out.extend_from_slice(b")] Flags that stay.\r\n");
        write::untagged(
            out,
            &format!(
                "OK [HIGHESTMODSEQ {}] Changes are counted.",
                mailbox.highest_modseq.0.max(1)
            ),
        );
        write::untagged(
            out,
            &format!("OK [UIDNEXT {}] The next UID.", mailbox.uid_next),
        );
        let id = mailbox_id(account, mailbox.id);
        write::untagged(out, &format!("OK [MAILBOXID ({id})] Ok"));
        if enabled.rev2 {
            out.extend_from_slice(b"* LIST () \"/\" ");
            write::mailbox(out, mailbox.name.as_str(), dialect);
            out.extend_from_slice(b"\r\n");
        }
        if let Some(resync) = &opened.resync {
            if !resync.vanished.is_empty() {
                write::untagged(out, &format!("VANISHED (EARLIER) {}", resync.vanished));
            }
            for row in &resync.changed {
                if let Some(seq) = opened.numbering.seq(row.uid) {
                    flags_changed(out, seq, row, &opened.keywords, enabled);
                }
            }
        }
    }

    /// Leaves the mailbox and removes what is marked as deleted, without a word of each.
    pub(super) async fn close(&mut self) -> Outcome {
        let Some(selected) = self.selected.take() else {
            return Err(Refusal::bad("Select a mailbox first."));
        };
        self.set_phase(Phase::Authenticated);
        if selected.mode == Mode::ReadWrite {
            let (account, mailbox) = (selected.account, selected.mailbox);
            // Only what this client could see: what came meanwhile is not its to remove.
            let uids = selected.numbering.all();
            let expunge = self.access.store.write(Durability::Durable, move |change| {
                change.expunge(account, mailbox, &uids)
            });
            match expunge.await {
                // Deleted by another session: nothing is left to remove.
                Ok(_) | Err(MessageError::NoSuchMailbox) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Done::Plain)
    }

    pub(super) fn unselect(&mut self) -> Done {
        self.selected = None;
        self.set_phase(Phase::Authenticated);
        Done::Plain
    }
}

fn open(
    view: &View<'_>,
    account: AccountId,
    mailbox: Mailbox,
    qresync: Option<&Qresync>,
) -> Result<Opened, StoreError> {
    let numbering = Numbering::of(view.uids(account, mailbox.id)?);
    let resync = match qresync {
        Some(known) if known.uid_validity == mailbox.uid_validity.0 => {
            Some(resync(view, account, &mailbox, &numbering, known)?)
        }
        _ => None,
    };
    let first_unseen = if mailbox.unseen > 0 {
        view.first_unseen(account, mailbox.id)?
    } else {
        None
    };
    Ok(Opened {
        numbering,
        first_unseen,
        keywords: view.keywords(account)?,
        modseq: view.modseq(account)?,
        resync,
        mailbox,
    })
}

fn resync(
    view: &View<'_>,
    account: AccountId,
    mailbox: &Mailbox,
    numbering: &Numbering,
    known: &Qresync,
) -> Result<Resync, StoreError> {
    let since = ModSeq(known.mod_seq);
    let last = mailbox.uid_next.0.saturating_sub(1);
    let wanted = match &known.known {
        Some(set) => set.resolve(last),
        None => vec![1..=last.max(1)],
    };
    let vanished = vanished_since(view, account, mailbox.id, numbering, since, &wanted)?;
    let wanted = numbering.by_uid(&wanted);
    let mut changed = Vec::new();
    if since < mailbox.highest_modseq {
        view.each_placement(account, mailbox.id, Uid::MIN..=Uid::MAX, &mut |row| {
            if since < row.modseq && wanted.contains(row.uid) {
                changed.push(row);
            }
        })?;
    }
    Ok(Resync { vanished, changed })
}

/// UIDs of `wanted` that were expunged after `since`; if the log does not reach back, all of them
/// that are not there, which RFC 7162 §3.2.5 allows.
pub(super) fn vanished_since(
    view: &View<'_>,
    account: AccountId,
    mailbox: MailboxId,
    numbering: &Numbering,
    since: ModSeq,
    wanted: &[std::ops::RangeInclusive<u32>],
) -> Result<UidSet, StoreError> {
    let mut gone = UidSet::new();
    let mut from = since;
    loop {
        let Some(changes) = view.changes(account, Some(mailbox), from, CHANGES_PER_READ)? else {
            return Ok(missing(numbering, wanted));
        };
        let full = changes.len() >= CHANGES_PER_READ;
        for change in changes {
            from = change.modseq;
            if let Happened::Expunged(uids) = change.what {
                add(&mut gone, &uids);
            }
        }
        if !full {
            break;
        }
    }
    Ok(intersection(&gone, wanted))
}

fn intersection(set: &UidSet, wanted: &[std::ops::RangeInclusive<u32>]) -> UidSet {
    let mut both = UidSet::new();
    for range in ranges(set) {
        for other in wanted {
            let (from, to) = (
                (*range.start()).max(*other.start()),
                (*range.end()).min(*other.end()),
            );
            if from <= to {
                both.insert_range(Uid(from)..=Uid(to));
            }
        }
    }
    both
}

/// What of `wanted` the mailbox does not have.
fn missing(numbering: &Numbering, wanted: &[std::ops::RangeInclusive<u32>]) -> UidSet {
    let mut missing = UidSet::new();
    for range in wanted {
        let mut next = *range.start();
        for there in ranges(&numbering.by_uid(std::slice::from_ref(range))) {
            if next < *there.start() {
                missing.insert_range(Uid(next)..=Uid(there.start() - 1));
            }
            next = there.end().saturating_add(1);
        }
        if next <= *range.end() {
            missing.insert_range(Uid(next)..=Uid(*range.end()));
        }
    }
    missing
}

/// MAILBOXID (RFC 8474): the same over renames, never used again.
pub(super) fn mailbox_id(account: AccountId, mailbox: MailboxId) -> String {
    format!("M{account}-{mailbox}")
}
