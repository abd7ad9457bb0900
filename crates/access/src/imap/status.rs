//! STATUS (RFC 9051 §6.3.11): counts of a mailbox that need not be selected.

use store::{AccountId, Flags, Mailbox, MailboxId, StoreError, Uid, View};
use wire::imap::{Dialect, MailboxName, StatusItem, write};

use super::mailboxes::name_of;
use super::refusal::{Done, Outcome, Refusal};
use super::select::mailbox_id;
use super::session::Session;

impl Session {
    pub(super) async fn status(&mut self, mailbox: MailboxName, items: Vec<StatusItem>) -> Outcome {
        let account = self.account()?;
        if items.contains(&StatusItem::HighestModSeq) {
            self.enabled.condstore = true;
        }
        let name = name_of(&mailbox)?;
        let wants_deleted_bytes = items.contains(&StatusItem::DeletedStorage);
        let (mailbox, deleted_bytes) = self
            .access
            .store
            .read_small(move |view| {
                let Some(mailbox) = view.mailbox_by_name(account, &name)? else {
                    return Ok::<_, StoreError>(None);
                };
                let bytes = if wants_deleted_bytes {
                    deleted_bytes(view, account, &mailbox)?
                } else {
                    0
                };
                Ok(Some((mailbox, bytes)))
            })
            .await?
            .ok_or(Refusal::NO_MAILBOX)?;
        let (dialect, limit) = (self.dialect(), self.access.settings.message_bytes_max);
        Status {
            account,
            mailbox: &mailbox,
            deleted_bytes,
            append_bytes_max: limit,
        }
        .write(&mut self.out, &items, dialect);
        Ok(Done::Plain)
    }
}

/// What a STATUS line says.
pub(super) struct Status<'a> {
    pub(super) account: AccountId,
    pub(super) mailbox: &'a Mailbox,
    pub(super) deleted_bytes: u64,
    pub(super) append_bytes_max: usize,
}

impl Status<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, items: &[StatusItem], dialect: Dialect) {
        out.extend_from_slice(b"* STATUS ");
        write::mailbox(out, self.mailbox.name.as_str(), dialect);
        out.extend_from_slice(b" (");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            self.item(out, *item);
        }
        out.extend_from_slice(b")\r\n");
    }

    fn item(&self, out: &mut Vec<u8>, item: StatusItem) {
        let mailbox = self.mailbox;
        let (name, value) = match item {
            StatusItem::Messages => ("MESSAGES", u64::from(mailbox.messages)),
            StatusItem::Recent => ("RECENT", 0),
            StatusItem::UidNext => ("UIDNEXT", u64::from(mailbox.uid_next.0)),
            StatusItem::UidValidity => ("UIDVALIDITY", u64::from(mailbox.uid_validity.0)),
            StatusItem::Unseen => ("UNSEEN", u64::from(mailbox.unseen)),
            StatusItem::Deleted => ("DELETED", u64::from(mailbox.deleted)),
            StatusItem::DeletedStorage => ("DELETED-STORAGE", self.deleted_bytes),
            StatusItem::Size => ("SIZE", mailbox.bytes),
            StatusItem::HighestModSeq => ("HIGHESTMODSEQ", mailbox.highest_modseq.0.max(1)),
            StatusItem::AppendLimit => ("APPENDLIMIT", self.append_bytes_max as u64),
            StatusItem::MailboxId => {
                out.extend_from_slice(
                    format!("MAILBOXID ({})", mailbox_id(self.account, mailbox.id)).as_bytes(),
                );
                return;
            }
        };
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
        write::number(out, value);
    }
}

/// Only asked for seldom, so it is counted and not kept.
pub(super) fn deleted_bytes(
    view: &View<'_>,
    account: AccountId,
    mailbox: &Mailbox,
) -> Result<u64, StoreError> {
    let id: MailboxId = mailbox.id;
    let mut bytes = 0;
    if mailbox.deleted > 0 {
        view.each_placement(account, id, Uid::MIN..=Uid::MAX, &mut |row| {
            if row.flags.has(Flags::DELETED) {
                bytes += row.size;
            }
        })?;
    }
    Ok(bytes)
}
