//! The SMTP client machine: says who we are, carries one message after another, and tells exactly how
//! far each came for each recipient.
//!
//! Order of use: `step` until [`Event::Ready`]; then [`Client::send`] or [`Client::quit`]; `step` until
//! [`Event::Finished`]; again `send` or `quit`. [`Event::Failed`] means no message was under way; after
//! it, as after an outcome whose `connection` is [`Connection::Lost`], only [`Step::Close`] follows.

mod capabilities;
mod outcome;
mod settings;
mod transaction;

use crate::{Machine, Step, TlsFacts};

pub use capabilities::Capabilities;
pub use outcome::{Connection, Failure, Fate, Loss, Outcome, Phase};
pub use settings::{Patience, Settings, TlsRule};
pub use transaction::{Recipient, Transaction, Unsendable};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server greeted us, knows us, and TLS and login are as wanted. Answer by [`Client::send`]
    /// or [`Client::quit`].
    Ready,
    /// The message is dealt with, for better or worse. Answer by [`Client::send`] or [`Client::quit`],
    /// unless the connection is lost.
    Finished(Outcome),
    /// We never came so far as a message, or the line broke between two. Nothing to answer.
    Failed(Failure),
}

/// One conversation.
pub struct Client {
    settings: Settings,
}

impl Client {
    /// `secret` is fresh randomness for this connection: login nonces are made from it.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Client {
        let _ = secret;
        Client { settings }
    }

    /// What the server offered, in the EHLO answer now in force (inside TLS, once there).
    pub fn capabilities(&self) -> &Capabilities {
        todo!()
    }

    /// Begins a message; call `step` next. What the server cannot take is handed back at once, and
    /// the conversation stands where it stood.
    pub fn send(&mut self, transaction: Transaction) -> Result<(), Unsendable> {
        let _ = transaction;
        todo!()
    }

    /// Ends the conversation politely; call `step` until it closes.
    pub fn quit(&mut self) {
        todo!()
    }

    /// Messages begun on this connection.
    pub fn messages(&self) -> u32 {
        todo!()
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        todo!()
    }

    /// Commands (`> `) and replies (`< `), without bodies and secrets, the first and the last part if
    /// it was long.
    pub fn transcript(&self) -> String {
        todo!()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Machine for Client {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        let _ = bytes;
        todo!()
    }

    fn end_of_input(&mut self) {
        todo!()
    }

    fn timed_out(&mut self) {
        todo!()
    }

    fn tls_started(&mut self, facts: TlsFacts) {
        let _ = facts;
        todo!()
    }

    fn step(&mut self) -> Step<Event> {
        todo!()
    }
}
