//! Conversations: SMTP, IMAP, POP3 and SASL as machines. Knows no socket, no clock and no storage.

mod machine;
pub mod imap;
pub mod pop3;
pub mod sasl;
pub mod smtp;

pub use machine::{Machine, Step, TlsFacts};
