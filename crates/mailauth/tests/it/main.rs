//! What users of `mailauth` see: signatures that verify, records that can be published.

mod canonical;
mod corpora;
mod keys;
mod reports;
mod signing;
mod verifier;
