//! Names of rows: small numbers that cannot be taken for one another.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// An account. Never used again for another one.
    AccountId(i64)
);
number!(
    /// A mailbox of an account. It keeps its number when it is renamed. Fit for MAILBOXID (RFC 8474)
    /// together with the account's number.
    MailboxId(i64)
);
number!(
    /// A message of an account; copies in several mailboxes are one message. Unique over all
    /// accounts, so that it is fit for EMAILID (RFC 8474) as it is.
    MessageId(i64)
);
number!(
    /// A body on disk, which messages of several accounts and the queue may share.
    BlobId(i64)
);
number!(
    /// A message in the outbound queue.
    QueueId(i64)
);
number!(
    /// The account's clock of changes: each change takes the next number. RFC 7162.
    ModSeq(u64)
);
number!(
    /// RFC 9051 §2.3.1.1: strictly ascending within a mailbox.
    Uid(u32)
);
number!(
    /// RFC 9051 §2.3.1.1.
    UidValidity(u32)
);

impl MailboxId {
    /// Each account's INBOX, from its first moment to its last.
    pub const INBOX: Self = Self(1);
}

impl ModSeq {
    pub const ZERO: Self = Self(0);
}

impl Uid {
    pub const MIN: Self = Self(1);
    pub const MAX: Self = Self(u32::MAX);
}
