//! One unit of the queue's work: a message and those of its recipients that go to one destination.

use std::sync::Arc;

use mail::{Address, Domain, UnixMillis};
use store::QueueId;
use store::queue::{Queued, Recipient};

use crate::limits;

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) message: Arc<Queued>,
    pub(crate) recipients: Vec<Recipient>,
}

impl Job {
    pub(crate) fn id(&self) -> QueueId {
        self.message.id
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.recipients
            .iter()
            .map(|recipient| recipient.number)
            .collect()
    }

    /// Whether the next server must know SMTPUTF8 for it. RFC 6531 §3.4.
    pub(crate) fn needs_smtputf8(&self) -> bool {
        let utf8 = |address: &Address| address.needs_smtputf8();
        self.message.needs_smtputf8
            || self.message.reverse_path.address().is_some_and(utf8)
            || self
                .recipients
                .iter()
                .any(|recipient| utf8(&recipient.address))
    }

    /// When the oldest of it was due.
    pub(crate) fn created(&self) -> UnixMillis {
        self.message.created
    }
}

/// Cuts a claimed message into jobs, one for each domain and kind of address, none too large. A recipient
/// that needs SMTPUTF8 must not take the others down with it.
pub(crate) fn split(mut queued: Queued) -> Vec<(Domain, Job)> {
    let mut groups: Vec<(Domain, bool, Vec<Recipient>)> = Vec::new();
    for recipient in std::mem::take(&mut queued.recipients) {
        let domain = recipient.address.domain();
        let utf8 = recipient.address.needs_smtputf8();
        let group = groups.iter_mut().find(|(of, kind, list)| {
            of == domain && *kind == utf8 && list.len() < limits::RECIPIENTS_PER_TRANSACTION_MAX
        });
        match group {
            Some((_, _, list)) => list.push(recipient),
            None => groups.push((domain.clone(), utf8, vec![recipient])),
        }
    }
    let message = Arc::new(queued);
    groups
        .into_iter()
        .map(|(domain, _, recipients)| {
            (
                domain,
                Job {
                    message: message.clone(),
                    recipients,
                },
            )
        })
        .collect()
}
