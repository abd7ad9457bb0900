//! Mailboxes of an account: names, numbers, counts, subscriptions.

use std::fmt;

use mail::UnixMillis;

use crate::limits::{MAILBOX_LEVELS_MAX, MAILBOX_NAME_BYTES_MAX};
use crate::{AccountId, Change, MailboxId, ModSeq, StoreError, Uid, UidValidity, View};

/// A mailbox name that is safe to store and to show: UTF-8, levels divided by `/`, no empty level,
/// no control character; `INBOX` in any case is `INBOX` (also as the first level).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// RFC 6154 has no attribute for it; it is the mailbox with [`MailboxId::INBOX`].
    Inbox,
    Drafts,
    Sent,
    Junk,
    Trash,
    Archive,
}

/// A mailbox with its counts, all from one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub id: MailboxId,
    pub name: MailboxName,
    pub special_use: Option<SpecialUse>,
    pub subscribed: bool,
    pub uid_validity: UidValidity,
    pub uid_next: Uid,
    pub highest_modseq: ModSeq,
    pub messages: u32,
    pub unseen: u32,
    /// With the \Deleted flag (STATUS DELETED, RFC 9051).
    pub deleted: u32,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    #[error("the mailbox {0} already exists")]
    Exists(MailboxName),
    #[error("there is no mailbox {0}")]
    NoSuchMailbox(String),
    #[error("a mailbox name {0}")]
    BadName(&'static str),
    #[error("INBOX cannot be removed")]
    Inbox,
    #[error("a mailbox cannot be moved below itself")]
    BelowItself,
    #[error("the account has too many mailboxes")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MailboxName {
    /// What divides levels.
    pub const SEPARATOR: char = '/';

    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        if text.is_empty() {
            return Err(MailboxError::BadName("cannot be empty"));
        }
        if MAILBOX_NAME_BYTES_MAX < text.len() {
            return Err(MailboxError::BadName("cannot be that long"));
        }
        if text.chars().any(char::is_control) {
            return Err(MailboxError::BadName("cannot have control characters"));
        }
        if text.split(Self::SEPARATOR).any(str::is_empty) {
            return Err(MailboxError::BadName("cannot have an empty level"));
        }
        if MAILBOX_LEVELS_MAX < text.split(Self::SEPARATOR).count() {
            return Err(MailboxError::BadName("cannot have that many levels"));
        }
        let (first, rest) = text.split_at(text.find(Self::SEPARATOR).unwrap_or(text.len()));
        Ok(Self(if first.eq_ignore_ascii_case("INBOX") { format!("INBOX{rest}") } else { text.to_owned() }))
    }

    #[must_use]
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name one level up.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once(Self::SEPARATOR).map(|(parent, _)| Self(parent.to_owned()))
    }

    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
    }

    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl View<'_> {
    /// All mailboxes with their counts, by name; one query, whatever their number.
    pub fn mailboxes(&self, account: AccountId) -> Result<Vec<Mailbox>, StoreError> {
        let _ = account;
        todo!()
    }

    pub fn mailbox(&self, account: AccountId, id: MailboxId) -> Result<Option<Mailbox>, StoreError> {
        let _ = (account, id);
        todo!()
    }

    pub fn mailbox_by_name(&self, account: AccountId, name: &MailboxName) -> Result<Option<Mailbox>, StoreError> {
        let _ = (account, name);
        todo!()
    }

    pub fn mailbox_by_use(&self, account: AccountId, special: SpecialUse) -> Result<Option<Mailbox>, StoreError> {
        let _ = (account, special);
        todo!()
    }

    /// Subscribed names, by name; some may have no mailbox (any more). RFC 9051 §6.3.7.
    pub fn subscriptions(&self, account: AccountId) -> Result<Vec<MailboxName>, StoreError> {
        let _ = account;
        todo!()
    }
}

impl Change<'_> {
    /// Makes a mailbox, and those above it that are missing. RFC 9051 §6.3.4.
    pub fn create_mailbox(
        &mut self,
        account: AccountId,
        name: &MailboxName,
        special: Option<SpecialUse>,
        now: UnixMillis,
    ) -> Result<MailboxId, MailboxError> {
        let _ = (account, name, special, now);
        todo!()
    }

    /// Renames a mailbox and all below it. Renaming INBOX makes a new mailbox and moves INBOX's
    /// messages there; INBOX stays, empty. RFC 9051 §6.3.6. Subscriptions follow.
    pub fn rename_mailbox(
        &mut self,
        account: AccountId,
        from: &MailboxName,
        to: &MailboxName,
        now: UnixMillis,
    ) -> Result<(), MailboxError> {
        let _ = (account, from, to, now);
        todo!()
    }

    /// Removes a mailbox and its messages; those below it stay. Its name, made again, has another
    /// UIDVALIDITY. Subscriptions stay. RFC 9051 §6.3.5.
    pub fn delete_mailbox(&mut self, account: AccountId, name: &MailboxName) -> Result<(), MailboxError> {
        let _ = (account, name);
        todo!()
    }

    pub fn subscribe(&mut self, account: AccountId, name: &MailboxName) -> Result<(), MailboxError> {
        let _ = (account, name);
        todo!()
    }

    pub fn unsubscribe(&mut self, account: AccountId, name: &MailboxName) -> Result<(), MailboxError> {
        let _ = (account, name);
        todo!()
    }

    /// Moves a special use to this mailbox, or takes it away from all. RFC 6154.
    pub fn set_special_use(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        special: Option<SpecialUse>,
    ) -> Result<(), MailboxError> {
        let _ = (account, mailbox, special);
        todo!()
    }
}
