//! What a server offered in its answer to EHLO. RFC 5321 §4.1.1.1.

use crate::sasl::Mechanism;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The server's name as it gave it.
    pub name: String,
    /// Did it answer EHLO, or only HELO?
    pub extended: bool,
    pub pipelining: bool,
    pub eight_bit_mime: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    pub enhanced_status_codes: bool,
    pub chunking: bool,
    pub binary_mime: bool,
    pub starttls: bool,
    pub require_tls: bool,
    /// `SIZE`: `Some(0)` means offered without a number.
    pub size: Option<u64>,
    pub auth: Vec<Mechanism>,
    /// LIMITS, RFC 9422.
    pub recipients_max: Option<usize>,
    pub messages_max: Option<u32>,
}
