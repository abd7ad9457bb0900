//! POP3 as a machine. RFC 1939, 2449, 2595, 3206, 5034, 6856.
//! The machine numbers the messages and keeps the marks; bodies come from the flow (`access`).

pub mod command;
mod maildrop;
pub mod server;

pub use maildrop::{Entry, Maildrop};
