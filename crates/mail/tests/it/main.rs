//! The mail room against data from outside: message corpora, address suites, other programs' expectations.

mod archives;
mod corpora;
mod imap_grammar;
mod isemail;
mod messages;
mod mime4j;
