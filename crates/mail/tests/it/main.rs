//! The mail room against data from outside: message corpora, address suites, other programs' expectations.
#![allow(clippy::print_stdout)] // tests say what they skip

mod archives;
mod corpora;
mod differential;
mod imap_grammar;
mod isemail;
mod messages;
mod mime4j;
