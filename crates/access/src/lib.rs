//! Reading mail: IMAP and POP3 sessions over the store.

pub mod imap;
pub mod pop3;
