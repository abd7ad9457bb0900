//! Who sent it: SPF, DKIM signing and verification, and what is built on them.
//! Knows no storage and no clock: the caller brings keys, message and time.

pub mod arc;
pub mod dane;
pub mod dkim;
pub mod dmarc;
pub mod explain;
pub mod iprev;
pub mod mta_sts;
pub mod report;
pub mod results;
pub mod spf;
pub mod tlsrpt_record;
pub mod verdict;
