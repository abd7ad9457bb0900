//! What users of `mailauth` see: signatures that verify, records that can be published.
#![expect(clippy::print_stdout, reason = "tests say what they skip")]

mod arc_suite;
mod canonical;
mod dkim_rules;
mod dkim_vectors;
mod dmarc;
mod keys;
mod reports;
mod results;
mod shared;
mod signer;
mod signing;
mod spf_cases;
mod spf_names;
mod spf_suite;
mod verdict;
mod verifier;
mod zone;
