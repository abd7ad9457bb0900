//! Messages and where they lie: deliver, append, copy, move, flags, expunge, and reading them.

use std::ops::RangeInclusive;

use mail::{Summary, TraceId, UnixMillis};

use crate::blobs::Kept;
use crate::{
    Accepted, AccountId, BodyRef, Change, FlagEdit, Flags, KeywordSet, Keywords, MailboxId, Marks, MessageId, ModSeq, SpecialUse,
    StoreError, Uid, UidSet, UidValidity, View,
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
    /// The newest change of the account after this.
    pub modseq: ModSeq,
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

impl View<'_> {
    /// All UIDs of a mailbox, ascending: the session's numbering.
    pub fn uids(&self, account: AccountId, mailbox: MailboxId) -> Result<Vec<Uid>, StoreError> {
        let _ = (account, mailbox);
        todo!()
    }

    /// Placements in a range of UIDs, ascending, at most `limit` of them (and at most
    /// [`crate::limits::PLACEMENTS_PER_READ`]): ask again behind the last one for more.
    pub fn placements(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        limit: usize,
    ) -> Result<Vec<Placement>, StoreError> {
        let _ = (account, mailbox, range, limit);
        todo!()
    }

    /// As [`View::placements`] without a bound and without a vector in between.
    pub fn each_placement(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        each: &mut dyn FnMut(Placement),
    ) -> Result<(), StoreError> {
        let _ = (account, mailbox, range, each);
        todo!()
    }

    /// Placements with envelope, structure and body, in a range, at most `limit` of them (and at
    /// most [`crate::limits::MESSAGES_PER_READ`]).
    pub fn messages(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let _ = (account, mailbox, range, limit);
        todo!()
    }

    pub fn message(&self, account: AccountId, mailbox: MailboxId, uid: Uid) -> Result<Option<Stored>, StoreError> {
        let _ = (account, mailbox, uid);
        todo!()
    }

    /// The first message without \Seen. RFC 3501 §7.1 UNSEEN.
    pub fn first_unseen(&self, account: AccountId, mailbox: MailboxId) -> Result<Option<Uid>, StoreError> {
        let _ = (account, mailbox);
        todo!()
    }

    /// The account's dictionary of keywords.
    pub fn keywords(&self, account: AccountId) -> Result<Keywords, StoreError> {
        let _ = account;
        todo!()
    }

    /// A body by the number that [`BodyRef`] carries, where it lies now.
    pub fn body(&self, blob: crate::BlobId) -> Result<Option<BodyRef>, StoreError> {
        let _ = blob;
        todo!()
    }
}

impl Change<'_> {
    /// Files a message for each target; all share one body. Targets that do not exist (any more)
    /// are an error. With [`QuotaRule::Refuse`] and no room anywhere the error is `OverQuota`.
    pub fn deliver(&mut self, delivery: &Delivery) -> Result<Accepted, MessageError> {
        let _ = delivery;
        todo!()
    }

    pub fn append(&mut self, append: &Append) -> Result<Appended, MessageError> {
        let _ = append;
        todo!()
    }

    /// Copies messages with flags, keywords and dates, all or none. UIDs that do not exist are
    /// passed over. RFC 9051 §6.4.7.
    pub fn copy(
        &mut self,
        account: AccountId,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        now: UnixMillis,
    ) -> Result<Copied, MessageError> {
        let _ = (account, from, uids, to, now);
        todo!()
    }

    /// As copy and expunge, in one step. RFC 6851.
    pub fn move_to(
        &mut self,
        account: AccountId,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        now: UnixMillis,
    ) -> Result<Copied, MessageError> {
        let _ = (account, from, uids, to, now);
        todo!()
    }

    /// Changes flags of all existing messages of the set. For large sets see
    /// [`crate::Store::edit_flags`], which lets deliveries pass in between.
    pub fn edit_flags(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
        edit: &FlagEdit,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagOutcome, MessageError> {
        let _ = (account, mailbox, uids, edit, unchanged_since);
        todo!()
    }

    /// Removes those messages of the set that have \Deleted. RFC 9051 §6.4.9 (UID EXPUNGE).
    pub fn expunge(&mut self, account: AccountId, mailbox: MailboxId, uids: &UidSet) -> Result<UidSet, MessageError> {
        let _ = (account, mailbox, uids);
        todo!()
    }

    /// Removes messages whatever their flags: POP3 DELE, webmail.
    pub fn remove(&mut self, account: AccountId, mailbox: MailboxId, uids: &UidSet) -> Result<UidSet, MessageError> {
        let _ = (account, mailbox, uids);
        todo!()
    }
}
