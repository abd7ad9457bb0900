//! Bounds of this folder, each with its reason.

/// Results of one field that are read; a message with ten signatures has fifteen.
pub const RESULTS_MAX: usize = 100;

/// Properties of one result that are read; DKIM has six.
pub const PROPERTIES_MAX: usize = 30;

/// Nested comments that are read; deeper ones make the field unreadable.
pub const COMMENT_DEPTH_MAX: usize = 20;

/// Bytes of a field that are read: a field of this size is no honest one.
pub const FIELD_BYTES_MAX: usize = 65_536;

/// Columns of a folded line, as RFC 5322 §2.1.1 recommends.
pub const FOLD_COLUMNS: usize = 78;

/// Characters of a stranger's text that we repeat in our field. Names have at most 255.
pub const VALUE_CHARS_MAX: usize = 320;
