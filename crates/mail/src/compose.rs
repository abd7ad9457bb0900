//! Writing messages and trace header fields. What is written here is ASCII with CRLF wherever it can be.
//! Who may send, and whether, is decided elsewhere.

mod report;
mod text;
mod trace_fields;

pub use report::{Action, DeliveryReport, Original, RecipientReport};
pub use text::TextMessage;
pub use trace_fields::{Received, ReceivedFrom, return_path};

use crate::Address;

/// A display name with its address, for From and To.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    pub address: Address,
}
