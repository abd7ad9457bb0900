//! What users of `mailauth` see: signatures that verify, records that can be published.

mod canonical;
mod corpora;
mod keys;
mod signing;
mod verifier;
