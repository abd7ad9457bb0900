//! What threading by references and by subject needs. RFC 5256.
//! The threads themselves are made where the mailbox is known.

/// A message's place in conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadKeys {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// The messages this one answers, oldest first: References, or else the first id of In-Reply-To. RFC 5256 §3.
    pub references: Vec<String>,
    /// Decoded, and without "Re:", "Fwd:", "[list]" and the like. RFC 5256 §2.1.
    pub base_subject: String,
    /// Whether something was taken away that marks a reply or a forward.
    pub is_reply_or_forward: bool,
}

/// The base subject of a raw `Subject` value, and whether it marked a reply or forward. RFC 5256 §2.1.
pub fn base_subject(_value: &[u8]) -> (String, bool) {
    todo!()
}

/// The message-ids in a raw value, without angle brackets, in order.
pub fn message_ids(_value: &[u8]) -> Vec<String> {
    todo!()
}
