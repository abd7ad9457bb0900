//! Letting a held message go. What cannot be done stays held, and is told of; nothing else is lost for it.

use mail::{Summary, UnixMillis};

use super::Part;
use super::plan::Plan;
use crate::blobs::Kept;
use crate::engine::Param;
use crate::sending::SendingState;
use crate::{AccountId, BodyRef, Change, Delivery, MessageError, StoreError};

/// What a release did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    pub mailboxes: usize,
    pub queued: usize,
    /// Accounts that are not there any more.
    pub gone: usize,
    /// The account that sent it is not there any more.
    pub sender_gone: bool,
    /// Bodies that are not on the disk any more.
    pub lost: usize,
    /// Some of it could not be done and is still held.
    pub is_held: bool,
}

/// Why a held message is not released. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// What it sent may not be its user's.
    #[error("the sending of the account that it is from is stopped")]
    SendingStopped(AccountId),
    #[error("it cannot be filed: {0}")]
    Unfiled(MessageError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Change<'_> {
    /// Does what would have been done when it came. `summarize` says what is learnt of a body that is filed. Nothing if it is
    /// not there.
    pub fn release_quarantined(
        &mut self,
        id: i64,
        now: UnixMillis,
        summarize: impl Fn(&[u8]) -> Summary,
    ) -> Result<Option<Released>, ReleaseError> {
        if !self.take_held(id)? {
            return Ok(None);
        }
        let Some(held) = self.held_one(id)? else {
            return Ok(None);
        };
        let mut released = Released::default();
        if let Some(sender) = held.account {
            self.check_sender(sender)?;
            released.sender_gone = self.account(sender)?.is_none();
        }
        for part in self.parts(id)? {
            let (number, blob) = (part.number, part.blob);
            if self.release_part(part, now, &summarize, &mut released)? {
                let sql = "DELETE FROM held_part WHERE held = ?1 AND number = ?2";
                self.sql
                    .execute(sql, &[Param::Int(id), Param::Int(number)])?;
                self.release_body(blob.0, 1)?;
            } else {
                released.is_held = true;
            }
        }
        if !released.is_held {
            self.delete_quarantined(id)?;
        }
        Ok(Some(released))
    }

    /// False if it could not be done.
    fn release_part(
        &mut self,
        part: Part,
        now: UnixMillis,
        summarize: &impl Fn(&[u8]) -> Summary,
        released: &mut Released,
    ) -> Result<bool, ReleaseError> {
        let whole = matches!(part.plan, Plan::Deliver(_));
        let body = match self.body(part.blob)? {
            Some(body) => self.held_bytes(&body, whole)?.map(|bytes| (body, bytes)),
            None => None,
        };
        let Some((body, bytes)) = body else {
            released.lost += 1;
            return Ok(false);
        };
        let kept = Kept {
            location: body.location,
            hash: body.hash,
            size: body.size,
        };
        match part.plan {
            Plan::Deliver(plan) => {
                let all = plan.deliveries(&kept, &summarize(&bytes), now)?;
                return self.release_to(&all, released);
            }
            Plan::Queue(plan) => {
                let mut message = plan.queued(kept, part.prefix, now)?;
                if let Some(sender) = message.account {
                    self.check_sender(sender)?;
                    if self.account(sender)?.is_none() {
                        released.sender_gone = true;
                        message.account = None;
                    }
                }
                released.queued += self.enqueue(&message)?.queued().len();
            }
            Plan::Report(plan) => {
                // A report address that is gone has nothing to read it.
                let _ = self.take_report(&plan.intake(kept, now)?);
            }
        }
        Ok(true)
    }

    /// False if nobody is left whom it is for.
    fn release_to(
        &mut self,
        all: &[Delivery],
        released: &mut Released,
    ) -> Result<bool, ReleaseError> {
        let mut filed = 0;
        for delivery in all {
            let mut is_gone = false;
            for target in &delivery.targets {
                is_gone |= self.account(target.account)?.is_none();
            }
            if is_gone {
                released.gone += 1;
                continue;
            }
            match self.deliver(delivery) {
                Ok(accepted) => filed += accepted.delivered().len(),
                Err(MessageError::Store(error)) => return Err(error.into()),
                Err(error) => return Err(ReleaseError::Unfiled(error)),
            }
        }
        released.mailboxes += filed;
        Ok(filed > 0)
    }

    /// What is to be read of a body, all of it or its beginning; nothing if it is not where it should be.
    fn held_bytes(&self, body: &BodyRef, whole: bool) -> Result<Option<Vec<u8>>, StoreError> {
        let end = if whole { body.size } else { body.size.min(1) };
        let mut bytes = Vec::new();
        match self.read_body(body, 0..end, &mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(StoreError::BodyGone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn check_sender(&self, account: AccountId) -> Result<(), ReleaseError> {
        match self.sending_state(account)? {
            SendingState::Free => Ok(()),
            _ => Err(ReleaseError::SendingStopped(account)),
        }
    }
}
