//! Whole sessions over in-memory connections against a store in a temporary directory.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod client;
mod house;
mod imap;
mod pop3;
