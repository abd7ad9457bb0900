//! Why a command is not carried out, and who must act; the one place where that becomes an answer.

use std::borrow::Cow;

use store::{MailboxError, MessageError, StoreError};
use wire::imap::write::Status;
use world::{Ended, Panicked};

/// The text after `OK`.
#[derive(Debug)]
pub(super) enum Done {
    /// "FETCH completed."
    Plain,
    Text(String),
}

pub(super) type Outcome = Result<Done, Refusal>;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The client must act: `NO`, perhaps with a response code.
    #[error("{0}")]
    No(Cow<'static, str>),
    /// The command makes no sense here: `BAD`.
    #[error("{0}")]
    Bad(Cow<'static, str>),
    /// Time or the operator must act.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody is there to answer to.
    #[error(transparent)]
    Ended(#[from] Ended),
}

impl Refusal {
    pub(super) fn no(text: impl Into<Cow<'static, str>>) -> Self {
        Refusal::No(text.into())
    }

    pub(super) fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Refusal::Bad(text.into())
    }

    pub(super) const NO_MAILBOX: Refusal =
        Refusal::No(Cow::Borrowed("[NONEXISTENT] There is no such mailbox."));
    /// For APPEND, COPY and MOVE (RFC 9051 §6.3.12).
    pub(super) const TRY_CREATE: Refusal =
        Refusal::No(Cow::Borrowed("[TRYCREATE] There is no such mailbox."));
    pub(super) const READ_ONLY: Refusal = Refusal::No(Cow::Borrowed(
        "[READ-ONLY] The mailbox is open for reading.",
    ));

    /// Status and text of the tagged answer.
    pub(super) fn answer(&self) -> (Status, Cow<'static, str>) {
        match self {
            Refusal::No(text) => (Status::No, text.clone()),
            Refusal::Bad(text) => (Status::Bad, text.clone()),
            Refusal::Store(error) => {
                if error.needs_operator() {
                    tracing::error!(%error, "the store refused an IMAP command");
                }
                let text = match error {
                    StoreError::Full => "[UNAVAILABLE] There is no space left on the server.",
                    StoreError::BodyGone => "[EXPUNGEISSUED] A message is gone.",
                    StoreError::Panicked => "[SERVERBUG] The command failed.",
                    _ => "[UNAVAILABLE] This cannot be done now; try again.",
                };
                (Status::No, Cow::Borrowed(text))
            }
            Refusal::Ended(_) => (
                Status::No,
                Cow::Borrowed("[UNAVAILABLE] The connection is over."),
            ),
        }
    }
}

/// As from `MessageError`, where the mailbox is the selected one and not a target.
pub(super) fn in_selected(error: MessageError) -> Refusal {
    match error {
        MessageError::NoSuchMailbox => Refusal::NO_MAILBOX,
        error => error.into(),
    }
}

impl From<Panicked> for Refusal {
    fn from(_: Panicked) -> Self {
        Refusal::Store(StoreError::Panicked)
    }
}

impl From<MailboxError> for Refusal {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::Exists(_) => Refusal::no("[ALREADYEXISTS] The mailbox already exists."),
            MailboxError::NoSuchMailbox(_) => Refusal::NO_MAILBOX,
            MailboxError::BadName(why) => Refusal::no(format!("[CANNOT] A mailbox name {why}.")),
            MailboxError::Inbox => Refusal::no("[CANNOT] INBOX stays."),
            MailboxError::BelowItself => {
                Refusal::no("[CANNOT] A mailbox cannot be moved below itself.")
            }
            MailboxError::TooMany => Refusal::no("[LIMIT] The account has too many mailboxes."),
            MailboxError::Store(error) => Refusal::Store(error),
        }
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::NoSuchAccount => {
                Refusal::no("[AUTHORIZATIONFAILED] The account is gone.")
            }
            MessageError::NoSuchMailbox => Refusal::TRY_CREATE,
            MessageError::OverQuota => Refusal::no("[OVERQUOTA] The account has no room for it."),
            MessageError::NoUidsLeft => Refusal::no("[LIMIT] The mailbox has no UIDs left."),
            MessageError::TooManyKeywords => {
                Refusal::no("[LIMIT] The account has too many keywords.")
            }
            MessageError::BadKeyword(_) => Refusal::no("[CANNOT] That cannot be a keyword."),
            MessageError::Store(error) => Refusal::Store(error),
        }
    }
}
