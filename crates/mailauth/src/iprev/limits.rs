//! Bounds of this folder, each with its reason.

/// Reverse names followed. RFC 7208 §4.6.4 uses the same number for `ptr`; an honest host has one
/// or two, and each costs a question.
pub const NAMES_MAX: usize = 10;
