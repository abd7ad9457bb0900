//! The outbound queue: messages, their recipients, when each is due, and who is at it now.

mod attempt;
mod claim;
mod enqueue;
mod operator;
mod read;

use mail::{Address, ReversePath, TraceId, UnixMillis};

use crate::blobs::Kept;
use crate::engine::SqlResult;
use crate::{AccountId, BodyRef, QueueId, StoreError};

/// When a recipient is due whom the operator holds: an alarm's end does not release it.
pub(crate) const HELD_BY_HAND: i64 = 0;

/// A message to go out.
#[derive(Clone, Debug)]
pub struct NewQueued {
    pub trace: TraceId,
    pub kept: Kept,
    /// Bytes sent before the body, such as DKIM-Signature fields. Not shared with local deliveries.
    pub prefix: Vec<u8>,
    /// Who submitted it; nothing for reports of our own.
    pub account: Option<AccountId>,
    /// Passed on for others: nobody here wrote it, so it is never changed or signed as if one had.
    pub forwarded: bool,
    pub reverse_path: ReversePath,
    pub recipients: Vec<NewRecipient>,
    pub dsn: MessageDsn,
    pub tls: TlsWish,
    pub needs_smtputf8: bool,
    pub body: BodyKind,
    pub created: UnixMillis,
    /// When trying ends.
    pub expires: UnixMillis,
}

#[derive(Clone, Debug)]
pub struct NewRecipient {
    pub address: Address,
    pub dsn: RecipientDsn,
    pub due: UnixMillis,
}

/// RFC 3461 §4.3, §4.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageDsn {
    pub envelope_id: Option<String>,
    pub ret: Option<Ret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    Full,
    Headers,
}

/// RFC 3461 §4.1, §4.2. Nothing said means failure and delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientDsn {
    pub notify: Option<Notify>,
    /// With its address type, as it came: `rfc822;ann@example.org`.
    pub original_recipient: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

impl Notify {
    pub const NEVER: Self = Self {
        success: false,
        failure: false,
        delay: false,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    SevenBit,
    EightBit,
    Binary,
}

/// What the sender wishes for the way of this message. RFC 8689.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsWish {
    /// What the policies of both ends say.
    #[default]
    Policies,
    /// REQUIRETLS: from here on only over authenticated TLS, and only to servers that promise the same.
    Required,
    /// `TLS-Required: No`: arriving matters more than secrecy.
    Waived,
}

/// A message in the queue, with the recipients asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: QueueId,
    pub trace: TraceId,
    pub body: BodyRef,
    pub prefix: Vec<u8>,
    pub account: Option<AccountId>,
    /// As in [`NewQueued`].
    pub forwarded: bool,
    pub reverse_path: ReversePath,
    pub recipients: Vec<Recipient>,
    pub dsn: MessageDsn,
    pub tls: TlsWish,
    pub needs_smtputf8: bool,
    pub body_kind: BodyKind,
    pub created: UnixMillis,
    pub expires: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Its number within the message.
    pub number: u32,
    pub address: Address,
    pub dsn: RecipientDsn,
    pub state: RecipientState,
    /// When it is tried next; for one in flight, when its lease ends.
    pub due: UnixMillis,
    pub attempts: u32,
    /// The newest reply, as text: `450 4.2.1 busy`, or what went wrong without one.
    pub last_reply: Option<String>,
    /// Who said it.
    pub last_host: Option<String>,
    pub last_attempt: Option<UnixMillis>,
    /// A report of delay was sent.
    pub delay_reported: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientState {
    Waiting,
    InFlight,
    /// Waits for the operator to release it.
    Held,
    Delivered,
    Failed,
}

/// Which due recipients to take.
#[derive(Clone, Debug)]
pub struct Claim {
    pub now: UnixMillis,
    /// Until when they are ours; after that anyone may take them again.
    pub lease_until: UnixMillis,
    /// Most recipients.
    pub limit: usize,
    /// Destination domains that have as much as they can take for now.
    pub skip: Vec<mail::Domain>,
}

/// What one attempt did for one recipient.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: u32,
    pub at: UnixMillis,
    pub host: Option<String>,
    pub reply: String,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Failed,
    /// Try again then.
    Deferred {
        due: UnixMillis,
    },
    /// Not tried after all (shutdown, another route): due again then, and no attempt is counted.
    Untried {
        due: UnixMillis,
    },
}

/// Which recipients an operator means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    Message(QueueId),
    Domain(mail::Domain),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    pub messages: u64,
    pub waiting: u64,
    pub in_flight: u64,
    pub held: u64,
}

/// Whether the message is still in the queue after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLeft {
    /// Some recipients are still to be tried.
    Waiting,
    /// All are delivered, failed or forgotten.
    Done,
}

impl RecipientState {
    /// Waiting and in flight come first: the index of what is due goes by that.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::InFlight => 1,
            Self::Held => 2,
            Self::Delivered => 3,
            Self::Failed => 4,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::InFlight),
            2 => Ok(Self::Held),
            3 => Ok(Self::Delivered),
            4 => Ok(Self::Failed),
            _ => Err(StoreError::Damaged(format!(
                "the state {code} of a recipient"
            ))),
        }
    }
}

impl Notify {
    fn code(self) -> i64 {
        i64::from(self.success) | i64::from(self.failure) << 1 | i64::from(self.delay) << 2
    }

    fn of_code(code: i64) -> Self {
        Self {
            success: code & 1 != 0,
            failure: code & 2 != 0,
            delay: code & 4 != 0,
        }
    }
}

impl Ret {
    fn code(self) -> i64 {
        match self {
            Self::Full => 1,
            Self::Headers => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        if code == 1 { Self::Full } else { Self::Headers }
    }
}

impl TlsWish {
    fn code(self) -> i64 {
        match self {
            Self::Policies => 0,
            Self::Required => 1,
            Self::Waived => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Required,
            2 => Self::Waived,
            _ => Self::Policies,
        }
    }
}

impl BodyKind {
    fn code(self) -> i64 {
        match self {
            Self::SevenBit => 7,
            Self::EightBit => 8,
            Self::Binary => 9,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            7 => Self::SevenBit,
            8 => Self::EightBit,
            _ => Self::Binary,
        }
    }
}
