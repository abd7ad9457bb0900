//! What users of `mailauth` see: signatures that verify, records that can be published.

mod arc_suite;
mod canonical;
mod dkim_rules;
mod dkim_vectors;
mod keys;
mod reports;
mod shared;
mod signer;
mod signing;
mod spf_suite;
mod verifier;
mod zone;
