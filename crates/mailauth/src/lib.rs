//! Who sent it: DKIM signing. Verification, SPF, DMARC and ARC have their place here.
//! Knows no storage and no clock: the caller brings keys, message and time.

pub mod dkim;
