//! Mailboxes of an account: names, numbers, counts, subscriptions.

mod edit;
mod read;

use std::fmt;

use crate::limits::{MAILBOX_LEVELS_MAX, MAILBOX_NAME_BYTES_MAX};
use crate::{MailboxId, ModSeq, StoreError, Uid, UidValidity};

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
        Ok(Self(if first.eq_ignore_ascii_case("INBOX") {
            format!("INBOX{rest}")
        } else {
            text.to_owned()
        }))
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
        self.0
            .rsplit_once(Self::SEPARATOR)
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&other.0)
            .is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
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

/// What each account begins with.
pub(crate) const STANDARD_MAILBOXES: &[(&str, SpecialUse)] = &[
    ("INBOX", SpecialUse::Inbox),
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Junk", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
    ("Archive", SpecialUse::Archive),
];

impl SpecialUse {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Inbox => 1,
            Self::Drafts => 2,
            Self::Sent => 3,
            Self::Junk => 4,
            Self::Trash => 5,
            Self::Archive => 6,
        }
    }

    pub(crate) fn of_code(code: i64) -> Option<Self> {
        [
            Self::Inbox,
            Self::Drafts,
            Self::Sent,
            Self::Junk,
            Self::Trash,
            Self::Archive,
        ]
        .into_iter()
        .find(|use_| use_.code() == code)
    }
}
