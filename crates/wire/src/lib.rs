//! Conversations: SMTP, IMAP, POP3, SASL, milters and clamd as machines. Knows no socket, no clock and no storage.
//! What carries the bytes is `world::Talk`; what answers the machines' questions is `mta` and `access`.

pub mod clamd;
pub mod imap;
pub mod limits;
mod line;
mod machine;
pub mod milter;
pub mod pop3;
pub mod sasl;
pub mod smtp;
pub mod stuffing;

pub use machine::{Authentication, Machine, Step, TlsFacts, TlsFailure};
