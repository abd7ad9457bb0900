//! Our own reports: from the jobs that write them to the queue that sends them.

use jobs::{OwnMessage, Post, PostError};
use mail::ReversePath;
use mta::Mta;
use world::BoxFuture;

pub(super) struct Outbox {
    mta: Mta,
}

impl Outbox {
    pub(super) fn new(mta: Mta) -> Self {
        Self { mta }
    }
}

impl Post for Outbox {
    fn post(&self, message: OwnMessage) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async move {
            let own = mta::OwnMessage {
                from: message.from.map_or(ReversePath::Null, ReversePath::Address),
                to: message.to,
                bytes: message.bytes,
                sign_as: message.sign_as,
            };
            match self.mta.post(own).await {
                Ok(_receipt) => Ok(()),
                Err(refusal) if refusal.blame() == mta::Blame::Peer => {
                    Err(PostError::Refused(refusal.to_string()))
                }
                Err(refusal) => Err(PostError::Later(refusal.to_string())),
            }
        })
    }
}
