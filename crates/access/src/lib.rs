//! Reading mail: IMAP and POP3 sessions over the store.
//! Knows nothing of SMTP: what arrives meets these sessions in the store's change log.

pub mod imap;
pub mod limits;
mod login;
pub mod pop3;
mod settings;

pub use settings::{Access, AccessSettings, ClearTextLogin};
