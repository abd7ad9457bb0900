//! Bounds of this folder, each with its reason.

/// Terms that cost DNS questions: `include`, `a`, `mx`, `ptr`, `exists`, `redirect`. rfc7208#4.6.4
pub const TERMS_MAX: usize = 10;

/// Questions of `a`, `mx` and `exists` that may have an empty answer. rfc7208#4.6.4
pub const VOID_LOOKUPS_MAX: usize = 2;

/// MX records of one `mx` term; more are a permanent error. rfc7208#4.6.4
pub const MX_NAMES_MAX: usize = 10;

/// PTR records that are looked at; the others are ignored. rfc7208#4.6.4
pub const PTR_NAMES_MAX: usize = 10;

/// Characters of a domain name without its last dot. rfc7208#7.3
pub const NAME_CHARS_MAX: usize = 253;

/// Characters of one label. rfc7208#4.3
pub const LABEL_CHARS_MAX: usize = 63;

/// Bytes of a record that are read. The RFC wants an answer of 512 bytes (rfc7208#3.4); what TCP can
/// carry is bounded here so that no record costs much.
pub const RECORD_BYTES_MAX: usize = 16 * 1_024;

/// Terms in one record. Sixteen kilobytes hold no sensible record with more.
pub const RECORD_TERMS_MAX: usize = 1_000;

/// Bytes of an explanation after expansion: it goes into a reply, whose lines are limited to 512
/// characters (rfc5321#4.5.3.1.5).
pub const EXPLANATION_CHARS_MAX: usize = 450;

/// Bytes of any expanded text, so that a record cannot blow itself up by macros.
pub const EXPANSION_BYTES_MAX: usize = 8 * 1_024;

/// A network with fewer fixed bits is nobody's own: whoever lets it send lets everybody.
pub const WIDE_BITS_V4: u8 = 8;
pub const WIDE_BITS_V6: u8 = 16;
