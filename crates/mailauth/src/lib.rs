//! Who sent it: SPF, DKIM signing and verification, and what is built on them.
//! Knows no storage and no clock: the caller brings keys, message and time.

pub mod dkim;
pub mod explain;
pub mod spf;
