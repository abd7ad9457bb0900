//! Who sent it: SPF, DKIM signing and verification, and what is built on them.
//! Knows no storage and no clock: the caller brings keys, message and time.

pub mod arc;
pub mod dkim;
pub mod dmarc;
pub mod explain;
pub mod iprev;
pub mod results;
pub mod spf;
pub mod verdict;
