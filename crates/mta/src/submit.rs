//! One set of rules for every door through which our users send mail.

use mail::{Address, ReversePath};
use store::queue::{BodyKind, MessageDsn, RecipientDsn};
use store::{LoggedIn, StoreError};

/// A message of an authenticated user, with its envelope.
#[derive(Clone, Debug)]
pub struct Submission {
    pub user: LoggedIn,
    pub reverse_path: ReversePath,
    pub recipients: Vec<SubmissionRecipient>,
    pub dsn: MessageDsn,
    pub body: BodyKind,
    pub smtputf8: bool,
    /// As it came: completed and cleaned by the rules.
    pub message: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct SubmissionRecipient {
    pub address: Address,
    pub dsn: RecipientDsn,
}

/// Why a submission is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("you may not send as {0}")]
    NotYours(Address),
    #[error(transparent)]
    Store(#[from] StoreError),
}
