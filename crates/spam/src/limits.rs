//! The bounds of this room, each with its reason.
//! A hostile message may cost what an ordinary long one costs, and no more.

/// How much of a message's header is looked at. Real ones end below 20 KB; long chains of relays at 64.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most header fields that are looked at.
pub const FIELDS_MAX: usize = 400;

/// Longest value of a header field that is kept; the rest is cut. A field of many recipients may be long.
pub const FIELD_BYTES_MAX: usize = 4 * 1024;

/// Most mailboxes kept of From, Reply-To or To.
pub const MAILBOXES_MAX: usize = 20;

/// How much of one text part is decoded, as it lies in the message: newsletters carry 100 KB of markup.
pub const TEXT_SOURCE_BYTES_MAX: usize = 256 * 1024;

/// How much text that a reader sees is kept of all parts together. What the message wants is said by then.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// How much text that a reader does not see is kept.
pub const HIDDEN_BYTES_MAX: usize = 16 * 1024;

/// Most links kept.
pub const LINKS_MAX: usize = 300;

/// Longest target of a link; the rest is cut. Tracking links have 1 KB.
pub const LINK_TARGET_BYTES_MAX: usize = 2 * 1024;

/// Longest shown text of a link.
pub const LINK_TEXT_BYTES_MAX: usize = 300;

/// Most parts that are looked at.
pub const PARTS_MAX: usize = 100;

/// How much of one attached file is decoded.
pub const ATTACHMENT_BYTES_MAX: usize = 1024 * 1024;

/// How much of all attached files together is decoded.
pub const ATTACHMENTS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Deepest nesting of elements that hide their content that is followed.
pub const HIDING_DEPTH_MAX: usize = 100;

/// Most tags of a page whose order is looked at.
pub const TAGS_MAX: usize = 1_500;

/// Most words of a text that become features: about eight pages.
pub const WORDS_MAX: usize = 4_000;

/// Most features of one message.
pub const FEATURES_MAX: usize = 8_192;

/// Most features of one message that learning keeps: each is a row for an account.
pub const LEARNING_FEATURES_MAX: usize = 600;
