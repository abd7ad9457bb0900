//! Which header fields a signature covers, and in which order (RFC 6376 §5.4).
//! Trace fields are never signed: later hosts add and change them.

use super::message::Message;

/// Signed once more often than they occur, so that nobody can add another one later
/// (RFC 6376 §8.15): a second From or Subject would be shown while the signature still holds.
pub const OVERSIGNED: [&str; 11] = [
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
];

/// Signed as often as they occur: lists and forwarders may add their own.
pub const SIGNED_WHEN_PRESENT: [&str; 21] = [
    "Sender",
    "In-Reply-To",
    "References",
    "Content-ID",
    "Content-Description",
    "Content-Language",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Auto-Submitted",
];

/// The parts of a message that a signature needs: where the body starts, and the fields to sign.
pub struct SelectedFields<'a> {
    /// Name and value of each field to hash, in the order of `names`.
    pub fields: Vec<(&'a [u8], &'a [u8])>,
    /// The value of the `h=` tag, names in the order of hashing, oversigned ones included.
    pub names: Vec<&'static str>,
    pub body: &'a [u8],
    pub has_from: bool,
    /// Fields beyond the bound: such a message is not signed.
    pub too_many: bool,
}

/// Chooses what to sign. Instances of one field are taken from the bottom up (RFC 6376 §5.4.2).
pub fn select(message: &[u8]) -> SelectedFields<'_> {
    let message = Message::split(message);
    let mut selected = SelectedFields {
        fields: Vec::with_capacity(24),
        names: Vec::with_capacity(40),
        body: message.body,
        has_from: false,
        too_many: message.too_many,
    };
    for name in OVERSIGNED {
        let count = selected.take_all(&message, name);
        if name == "From" {
            selected.has_from = count > 0;
        }
        selected.names.push(name);
    }
    for name in SIGNED_WHEN_PRESENT {
        selected.take_all(&message, name);
    }
    selected
}

impl<'a> SelectedFields<'a> {
    fn take_all(&mut self, message: &Message<'a>, name: &'static str) -> usize {
        let mut count = 0;
        for field in message.fields.iter().rev() {
            if field.is(name) {
                self.fields.push((field.name, field.value));
                self.names.push(name);
                count += 1;
            }
        }
        count
    }
}
