//! Bounds of this folder, each with its reason.

/// Highest instance of a set. RFC 8617 §4.2.1.
pub const INSTANCES_MAX: u8 = 50;

/// ARC fields of one message that are read: three for each instance.
pub const FIELDS_MAX: usize = 3 * INSTANCES_MAX as usize;

/// Columns of a folded line, without its white space: within the 78 that RFC 5322 §2.1.1 recommends.
pub const FOLD_COLUMNS: usize = 72;

/// Bytes of all ARC fields of one message. Each seal covers all sets before it, so that the work grows with
/// the square; fifty real sets of five kilobytes stay below the half.
pub const BYTES_MAX: usize = 512 * 1_024;
