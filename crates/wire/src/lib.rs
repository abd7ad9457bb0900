//! Conversations: SMTP, IMAP, POP3 and SASL as machines. Knows no socket, no clock and no storage.
//! What carries the bytes is `world::Talk`; what answers the machines' questions is `mta` and `access`.

pub mod imap;
pub mod limits;
mod line;
mod machine;
pub mod pop3;
pub mod sasl;
pub mod smtp;
pub mod stuffing;

pub use machine::{Authentication, Machine, Step, TlsFacts, TlsFailure};
