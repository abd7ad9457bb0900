//! Messages and where they lie: deliver, append, copy, move, flags, expunge, and reading them.

mod copy;
mod deliver;
mod edit;
mod find;
mod keywords;
mod read;
mod remove;

pub(crate) use deliver::hash_of_id;
pub use find::FoundMessage;
pub(crate) use read::read_body;

use mail::{Summary, TraceId, UnixMillis};

use crate::blobs::Kept;
use crate::{
    AccountId, BodyRef, Flags, KeywordSet, MailboxId, Marks, MessageId, ModSeq, SpecialUse,
    StoreError, Uid, UidSet, UidValidity,
};

/// A message for local accounts, once for all of them.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub trace: TraceId,
    pub kept: Kept,
    pub summary: Summary,
    pub targets: Vec<DeliveryTarget>,
    pub quota: QuotaRule,
    /// When it arrived: INTERNALDATE.
    pub received: UnixMillis,
}

#[derive(Clone, Debug)]
pub struct DeliveryTarget {
    pub account: AccountId,
    pub place: Place,
    pub marks: Marks,
}

/// Which mailbox. What does not exist (any more) becomes INBOX: mail is not lost for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Inbox,
    Mailbox(MailboxId),
    Use(SpecialUse),
}

/// What a full account means for this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaRule {
    /// Accounts without room are left out and named in [`Accepted::over_quota`].
    Refuse,
    /// Room was checked for each recipient when it was named, and the message cannot be refused
    /// for one of them alone: let it in.
    Overrun,
}

/// Where a recipient finds the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub account: AccountId,
    pub mailbox: MailboxId,
    pub uid: Uid,
    pub message: MessageId,
    pub modseq: ModSeq,
}

/// A message a client stores. RFC 9051 §6.3.12.
#[derive(Clone, Debug)]
pub struct Append {
    pub account: AccountId,
    pub mailbox: MailboxId,
    pub trace: TraceId,
    pub kept: Kept,
    pub summary: Summary,
    pub marks: Marks,
    pub internal_date: UnixMillis,
    pub now: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub uid_validity: UidValidity,
    pub uid: Uid,
    pub message: MessageId,
    pub modseq: ModSeq,
}

/// COPYUID: which became which, in the same order. RFC 4315 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub uid_validity: UidValidity,
    pub pairs: Vec<(Uid, Uid)>,
    /// The number of the arrival in the target; nothing if nothing was copied.
    pub arrived: Option<ModSeq>,
    /// The number of the removal from the source, for a move.
    pub expunged: Option<ModSeq>,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expunged {
    pub uids: UidSet,
    /// The change's number; nothing if nothing was removed.
    pub modseq: Option<ModSeq>,
}

/// What a change of flags did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagOutcome {
    /// Messages whose flags are different now, ascending.
    pub changed: Vec<Placement>,
    /// Messages that were as asked for already, ascending.
    pub same: Vec<Placement>,
    /// Messages left alone because of UNCHANGEDSINCE.
    pub conflicts: UidSet,
    /// The change's number; nothing if all was as it should be.
    pub modseq: Option<ModSeq>,
}

/// One message in one mailbox: all that FETCH FLAGS, SEARCH by flag, date or size need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub uid: Uid,
    pub message: MessageId,
    pub flags: Flags,
    pub keywords: KeywordSet,
    pub modseq: ModSeq,
    /// INTERNALDATE.
    pub internal_date: UnixMillis,
    /// When it came into this mailbox. RFC 8514.
    pub saved: UnixMillis,
    pub size: u64,
}

/// A placement with what was learnt on arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub placement: Placement,
    pub body: BodyRef,
    /// The IMAP ENVELOPE, ready to be sent.
    pub envelope: Vec<u8>,
    /// For `mail::Structure::decode`.
    pub structure: Vec<u8>,
    pub sent: Option<UnixMillis>,
    /// The oldest known message of the conversation. Fit for THREADID (RFC 8474).
    pub thread: MessageId,
    pub preview: String,
    pub has_attachment: bool,
    pub trace: TraceId,
}

/// Which columns of a message a reader wants; the rest comes empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    pub envelope: bool,
    pub structure: bool,
    pub preview: bool,
    /// Where the body lies.
    pub body: bool,
}

/// As [`Stored`], shown in passing, without a copy.
#[derive(Debug)]
pub struct StoredRow<'a> {
    pub placement: Placement,
    /// There if it was asked for.
    pub body: Option<BodyRef>,
    pub envelope: &'a [u8],
    pub structure: &'a [u8],
    pub preview: &'a str,
    pub sent: Option<UnixMillis>,
    pub thread: MessageId,
    pub has_attachment: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("there is no such account")]
    NoSuchAccount,
    #[error("there is no such mailbox")]
    NoSuchMailbox,
    #[error("the account has no room for it")]
    OverQuota,
    #[error("the mailbox has no UIDs left")]
    NoUidsLeft,
    #[error("the account has too many keywords")]
    TooManyKeywords,
    #[error("{0:?} cannot be a keyword")]
    BadKeyword(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}
