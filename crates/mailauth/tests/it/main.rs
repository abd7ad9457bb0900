//! What users of `mailauth` see: signatures that verify, records that can be published.

mod canonical;
mod corpora;
mod keys;
mod reports;
mod shared;
mod signing;
mod spf_suite;
mod verifier;
mod zone;
