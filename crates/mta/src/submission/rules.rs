//! In whose name a user may write: only in their own.

use mail::Address;
use mail::submission::Prepared;

use crate::refusal::Refusal;

/// The addresses in whose name a message speaks: all of From, and Sender.
pub(super) fn names(prepared: &Prepared) -> Vec<&Address> {
    prepared.authors.iter().chain(&prepared.sender).collect()
}

/// `strange` are the addresses that the user does not own.
pub(super) fn decide(strange: &[Address]) -> Result<(), Refusal> {
    match strange.first() {
        None => Ok(()),
        Some(address) => Err(Refusal::NotYours(address.clone())),
    }
}
