//! The milter protocol, version 6, from the mail server's side: one message after another is shown to a filter, which says
//! what is to become of it and how it is to be changed. Sendmail's libmilter is what defines it; no RFC does.
//!
//! [`Client`] is the machine, [`edit`] carries out what a filter wants changed. Neither knows sockets or policies.

mod client;
pub mod edit;
mod flags;
mod packet;
mod reply;
mod telling;
mod work;

pub use client::{Client, Event};
pub use flags::{Actions, Stage, Steps};
pub use reply::{BadReply, Change, Reply};
pub use work::{Connection, Failure, Macros, Origin, Outcome, Recipient, Said, Settings, Work};
