//! The outbound queue: messages, their recipients, when each is due, and who is at it now.

use mail::{Address, ReversePath, TraceId, UnixMillis};

use crate::blobs::Kept;
use crate::{Accepted, AccountId, BodyRef, Change, QueueId, StoreError, View};

/// A message to go out.
#[derive(Clone, Debug)]
pub struct NewQueued {
    pub trace: TraceId,
    pub kept: Kept,
    /// Bytes sent before the body, such as DKIM-Signature fields. Not shared with local deliveries.
    pub prefix: Vec<u8>,
    /// Who submitted it; nothing for reports of our own.
    pub account: Option<AccountId>,
    pub reverse_path: ReversePath,
    pub recipients: Vec<NewRecipient>,
    pub dsn: MessageDsn,
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
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    SevenBit,
    EightBit,
    Binary,
}

/// A message in the queue, with the recipients asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: QueueId,
    pub trace: TraceId,
    pub body: BodyRef,
    pub prefix: Vec<u8>,
    pub account: Option<AccountId>,
    pub reverse_path: ReversePath,
    pub recipients: Vec<Recipient>,
    pub dsn: MessageDsn,
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
    Deferred { due: UnixMillis },
    /// Not tried after all (shutdown, another route): due again then, and no attempt is counted.
    Untried { due: UnixMillis },
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

impl View<'_> {
    /// When the next recipient is due: the queue may sleep until then. One that is in flight
    /// counts when its lease ends.
    pub fn next_due(&self, skip: &[mail::Domain]) -> Result<Option<UnixMillis>, StoreError> {
        let _ = skip;
        todo!()
    }

    /// One message with all its recipients.
    pub fn queued(&self, id: QueueId) -> Result<Option<Queued>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Messages with all their recipients, oldest first, after `after`, at most `limit`.
    pub fn queue(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Queued>, StoreError> {
        let _ = (after, limit);
        todo!()
    }

    pub fn queue_counts(&self) -> Result<QueueCounts, StoreError> {
        todo!()
    }
}

impl Change<'_> {
    pub fn enqueue(&mut self, message: &NewQueued) -> Result<Accepted, StoreError> {
        let _ = message;
        todo!()
    }

    /// Takes recipients that are due and leases them to the caller. Each message appears once, with
    /// those of its recipients that were taken.
    pub fn claim_due(&mut self, claim: &Claim) -> Result<Vec<Queued>, StoreError> {
        let _ = claim;
        todo!()
    }

    /// Makes leases last longer while an attempt goes on.
    pub fn extend_lease(&mut self, id: QueueId, numbers: &[u32], until: UnixMillis) -> Result<(), StoreError> {
        let _ = (id, numbers, until);
        todo!()
    }

    /// Notes what an attempt did. When no recipient is left to try, the message leaves the queue.
    /// Reports to the sender are enqueued by the caller in the same change.
    pub fn finish_attempt(&mut self, id: QueueId, attempts: &[Attempt]) -> Result<QueueLeft, StoreError> {
        let _ = (id, attempts);
        todo!()
    }

    /// A report of delay went out (in this same change).
    pub fn note_delay_reported(&mut self, id: QueueId, numbers: &[u32]) -> Result<(), StoreError> {
        let _ = (id, numbers);
        todo!()
    }

    /// Due now. Says how many recipients.
    pub fn retry_queued(&mut self, choice: &Choice, now: UnixMillis) -> Result<u64, StoreError> {
        let _ = (choice, now);
        todo!()
    }

    /// Not tried until released. Those in flight are not touched.
    pub fn hold_queued(&mut self, choice: &Choice) -> Result<u64, StoreError> {
        let _ = choice;
        todo!()
    }

    pub fn release_queued(&mut self, choice: &Choice, now: UnixMillis) -> Result<u64, StoreError> {
        let _ = (choice, now);
        todo!()
    }

    /// Forgets them without a report. Says how many messages left the queue.
    pub fn delete_queued(&mut self, choice: &Choice) -> Result<u64, StoreError> {
        let _ = choice;
        todo!()
    }
}

/// Whether the message is still in the queue after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLeft {
    /// Some recipients are still to be tried.
    Waiting,
    /// All are delivered, failed or forgotten.
    Done,
}
