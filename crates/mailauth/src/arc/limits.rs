//! Bounds of this folder, each with its reason.

/// Highest instance of a set. RFC 8617 §4.2.1.
pub const INSTANCES_MAX: u8 = 50;

/// ARC fields of one message that are read: three for each instance.
pub const FIELDS_MAX: usize = 3 * INSTANCES_MAX as usize;
