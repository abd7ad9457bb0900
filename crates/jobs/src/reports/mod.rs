//! Reports sent and received: DMARC aggregate reports and TLS reports both ways, failure reports only in.
//!
//! Failure reports (`ruf`) are never sent: they would tell the domain's owner, who may be anybody, what one of
//! our users received from whom (RFC 9991 §7 leaves it to the receiver; the large ones do not send any either).

pub mod limits;

mod build;
mod destinations;
mod forget;
mod read;
mod reading;
mod sending;
mod sources;

use std::sync::Arc;

use crate::Job;

/// The jobs of this folder.
pub(crate) fn jobs() -> Vec<Arc<dyn Job>> {
    vec![
        Arc::new(reading::Reading),
        Arc::new(sending::Sending),
        Arc::new(forget::Forgetting),
    ]
}

#[cfg(test)]
mod tests;
