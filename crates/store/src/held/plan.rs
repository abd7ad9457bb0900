//! What is done with a held body on release, as it lies in the database: JSON with names of its own, so that a change of types elsewhere
//! does not change what old rows mean.

use mail::{Address, ReversePath, Summary, TraceId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::blobs::Kept;
use crate::queue::{
    BodyKind, MessageDsn, NewQueued, NewRecipient, Notify, RecipientDsn, Ret, TlsWish,
};
use crate::reports::NewIntake;
use crate::{
    AccountId, Delivery, DeliveryTarget, MailboxId, Marks, Place, QuotaRule, SpecialUse, StoreError,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Plan {
    Deliver(Deliver),
    Queue(Box<Queue>),
    Report(Report),
}

#[derive(Serialize, Deserialize)]
pub(super) struct Deliver {
    trace: String,
    targets: Vec<Target>,
}

#[derive(Serialize, Deserialize)]
struct Target {
    account: i64,
    /// Of a special use; else a number, else the inbox.
    #[serde(default)]
    special: Option<i64>,
    #[serde(default)]
    mailbox: Option<i64>,
    #[serde(default)]
    flags: i64,
    #[serde(default)]
    keywords: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Queue {
    trace: String,
    account: Option<i64>,
    forwarded: bool,
    reverse_path: String,
    recipients: Vec<QueueRecipient>,
    envelope_id: Option<String>,
    full: Option<bool>,
    tls: String,
    needs_smtputf8: bool,
    body: String,
    /// How long it is tried.
    lifetime: i64,
}

#[derive(Serialize, Deserialize)]
struct QueueRecipient {
    address: String,
    /// Success, failure, delay.
    notify: Option<[bool; 3]>,
    original: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    trace: String,
    recipient: String,
    submitter: Option<String>,
}

impl Plan {
    pub(super) fn write(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|error| StoreError::Failed(error.to_string()))
    }

    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))
    }

    pub(super) fn of_delivery(delivery: &Delivery) -> Self {
        let target = |target: &DeliveryTarget| Target {
            account: target.account.0,
            special: match &target.place {
                Place::Use(special) => Some(special.code()),
                _ => None,
            },
            mailbox: match &target.place {
                Place::Mailbox(mailbox) => Some(mailbox.0),
                _ => None,
            },
            flags: target.marks.flags.bits(),
            keywords: target.marks.keywords.clone(),
        };
        Self::Deliver(Deliver {
            trace: delivery.trace.to_string(),
            targets: delivery.targets.iter().map(target).collect(),
        })
    }

    pub(super) fn of_queued(queued: &NewQueued) -> Self {
        let recipient = |recipient: &NewRecipient| QueueRecipient {
            address: recipient.address.to_string(),
            notify: recipient
                .dsn
                .notify
                .map(|notify| [notify.success, notify.failure, notify.delay]),
            original: recipient.dsn.original_recipient.clone(),
        };
        let from = queued.reverse_path.address().map(ToString::to_string);
        Self::Queue(Box::new(Queue {
            trace: queued.trace.to_string(),
            account: queued.account.map(|account| account.0),
            forwarded: queued.forwarded,
            reverse_path: from.unwrap_or_default(),
            recipients: queued.recipients.iter().map(recipient).collect(),
            envelope_id: queued.dsn.envelope_id.clone(),
            full: queued.dsn.ret.map(|ret| ret == Ret::Full),
            tls: match queued.tls {
                TlsWish::Policies => "policies",
                TlsWish::Required => "required",
                TlsWish::Waived => "waived",
            }
            .to_owned(),
            needs_smtputf8: queued.needs_smtputf8,
            body: match queued.body {
                BodyKind::SevenBit => "7bit",
                BodyKind::EightBit => "8bit",
                BodyKind::Binary => "binary",
            }
            .to_owned(),
            lifetime: queued.expires.0.saturating_sub(queued.created.0),
        }))
    }

    pub(super) fn of_intake(intake: &NewIntake) -> Self {
        Self::Report(Report {
            trace: intake.trace.to_string(),
            recipient: intake.recipient.to_string(),
            submitter: intake.submitter.clone(),
        })
    }
}

impl Deliver {
    /// One for each account: one that is gone does not keep the others from theirs.
    pub(super) fn deliveries(
        self,
        kept: &Kept,
        summary: &Summary,
        now: UnixMillis,
    ) -> Result<Vec<Delivery>, StoreError> {
        let trace = trace(&self.trace)?;
        let delivery = |target: Target| Delivery {
            trace,
            kept: kept.clone(),
            summary: summary.clone(),
            targets: vec![DeliveryTarget {
                account: AccountId(target.account),
                place: match (target.special.and_then(SpecialUse::of_code), target.mailbox) {
                    (Some(special), _) => Place::Use(special),
                    (None, Some(mailbox)) => Place::Mailbox(MailboxId(mailbox)),
                    (None, None) => Place::Inbox,
                },
                marks: Marks {
                    flags: crate::Flags::of_bits(target.flags),
                    keywords: target.keywords,
                },
            }],
            quota: QuotaRule::Overrun,
            received: now,
        };
        Ok(self.targets.into_iter().map(delivery).collect())
    }
}

impl Queue {
    pub(super) fn queued(
        self,
        kept: Kept,
        prefix: Vec<u8>,
        now: UnixMillis,
    ) -> Result<NewQueued, StoreError> {
        let recipient = |recipient: QueueRecipient| {
            Ok(NewRecipient {
                address: address(&recipient.address)?,
                dsn: RecipientDsn {
                    notify: recipient.notify.map(|[success, failure, delay]| Notify {
                        success,
                        failure,
                        delay,
                    }),
                    original_recipient: recipient.original,
                },
                due: now,
            })
        };
        let recipients = self.recipients.into_iter().map(recipient);
        Ok(NewQueued {
            trace: trace(&self.trace)?,
            kept,
            prefix,
            account: self.account.map(AccountId),
            forwarded: self.forwarded,
            reverse_path: ReversePath::parse(&self.reverse_path)
                .map_err(|_| damaged(&self.reverse_path))?,
            recipients: recipients.collect::<Result<_, StoreError>>()?,
            dsn: MessageDsn {
                envelope_id: self.envelope_id,
                ret: self
                    .full
                    .map(|full| if full { Ret::Full } else { Ret::Headers }),
            },
            tls: match self.tls.as_str() {
                "required" => TlsWish::Required,
                "waived" => TlsWish::Waived,
                _ => TlsWish::Policies,
            },
            needs_smtputf8: self.needs_smtputf8,
            body: match self.body.as_str() {
                "7bit" => BodyKind::SevenBit,
                "8bit" => BodyKind::EightBit,
                _ => BodyKind::Binary,
            },
            created: now,
            expires: UnixMillis(now.0.saturating_add(self.lifetime)),
        })
    }
}

impl Report {
    pub(super) fn intake(self, kept: Kept, now: UnixMillis) -> Result<NewIntake, StoreError> {
        Ok(NewIntake {
            trace: trace(&self.trace)?,
            kept,
            recipient: address(&self.recipient)?,
            submitter: self.submitter,
            received: now,
        })
    }
}

fn trace(text: &str) -> Result<TraceId, StoreError> {
    text.parse().map_err(|_| damaged(text))
}

fn address(text: &str) -> Result<Address, StoreError> {
    Address::parse(text).map_err(|_| damaged(text))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("the plan for a held message: {what}"))
}
