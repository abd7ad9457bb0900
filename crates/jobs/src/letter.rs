//! What the server writes to a user of its own.

use mail::compose::{Person, TextMessage};
use mail::{Address, UnixMillis};
use store::Account;

use crate::OwnMessage;

/// The text of a message to a user, from the domain's own postmaster: every domain has one. RFC 5321 §4.5.1
pub(crate) fn text<'a>(
    account: &Account,
    subject: &'a str,
    text: &'a str,
    message_id: &'a str,
    date: UnixMillis,
) -> TextMessage<'a> {
    let from = Address::new("postmaster", account.address.domain().clone());
    TextMessage {
        from: Person {
            name: Some("Postroad".to_owned()),
            address: from.unwrap_or_else(|_| account.address.clone()),
        },
        to: vec![Person {
            name: None,
            address: account.address.clone(),
        }],
        subject,
        date,
        message_id,
        fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
        text,
    }
}

/// The message, once it is written.
pub(crate) fn message(account: &Account, bytes: Vec<u8>) -> OwnMessage {
    OwnMessage {
        from: None,
        to: vec![account.address.clone()],
        bytes,
        sign_as: account.address.domain().clone(),
    }
}
