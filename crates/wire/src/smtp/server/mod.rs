//! The SMTP server machine: commands in, questions out, replies in the right order and form.
//!
//! Drive it like any [`Machine`]. Each [`Event`] names the calls that answer it; `step` must not be
//! called before. What belongs to one message (sender, recipients) the flow keeps, and starts anew at
//! each [`Event::Mail`]: RSET, EHLO and STARTTLS need no event of their own.
//!
//! Decided here: order of commands, syntax, strict line ends, sizes, counts, error limits, STARTTLS,
//! base64 and order of AUTH. Decided by the flow: who may log in, send and receive, and what a message
//! is worth. The machine has no clock: against a peer that drips bytes, the flow watches
//! [`Server::bytes_received`] while [`Server::phase`] is [`Phase::Body`], and calls [`Server::too_slow`].
//!
//! A body sent along with DATA without waiting for 354 is taken like any other (RFC 2920 §3.1 forbids
//! it to clients; swallowing it in step is safer than guessing); after a refused DATA its lines are
//! wrong commands, and a few of them end the session.

mod settings;

use crate::sasl::{ScramKeys, server::Question};
use crate::smtp::{ForwardPath, MailParams, RcptParams, Reply};
use crate::{Machine, Step, TlsFacts};
use mail::ReversePath;

pub use settings::{AuthRule, Role, Settings, StartTlsRule};

/// What the flow must decide or may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// EHLO or HELO, already answered. Nothing to answer: call `step` again.
    Hello { name: String, extended: bool },
    /// A login needs a look at the store. Answer by [`Server::password_was`], [`Server::scram_keys`],
    /// or [`Server::refuse`] if the store cannot say now.
    Auth(Question),
    /// The peer has proved who it is. Answer by [`Server::accept`] or [`Server::refuse`].
    Verified { login: String },
    /// A new transaction. Answer by [`Server::accept`] or [`Server::refuse`].
    Mail { from: ReversePath, params: MailParams },
    /// Answer by [`Server::accept`] or [`Server::refuse`].
    Rcpt { to: ForwardPath, params: RcptParams },
    /// DATA, or the first BDAT, with at least one accepted recipient. Answer by [`Server::accept`] or
    /// [`Server::refuse`].
    Data,
    /// The whole body, dots undone. Answer by [`Server::finish`].
    Message(Vec<u8>),
}

/// Where the conversation stands, for patience and for graceful stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of a transaction.
    Idle,
    /// Between MAIL and the body.
    Envelope,
    /// Inside DATA or BDAT.
    Body,
    Closed,
}

/// Why the conversation ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Quit,
    /// The peer closed or cut the line.
    Gone,
    TimedOut,
    /// Too slow, by the flow's judgement.
    TooSlow,
    TooManyErrors,
    /// Spoke before the greeting.
    EarlyTalk,
    /// Line ends or bytes that another server could read differently.
    BadFraming,
    /// Something stood behind STARTTLS in clear text.
    InjectedBeforeTls,
    /// We are stopping.
    Stopping,
    /// The flow refused the connection or asked to close it.
    TurnedAway,
}

/// One conversation.
pub struct Server {
    settings: Settings,
}

impl Server {
    /// `secret` is fresh randomness for this connection: login nonces are made from it.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Server {
        let _ = secret;
        Server { settings }
    }

    /// Before the first `step`: greet with this reply (554 or 421) and close. RFC 5321 §3.1.
    pub fn turn_away(&mut self, reply: Reply) {
        let _ = reply;
        todo!()
    }

    /// Yes to [`Event::Mail`], [`Event::Rcpt`], [`Event::Data`], [`Event::Verified`].
    pub fn accept(&mut self) {
        todo!()
    }

    /// No to any of these or to [`Event::Auth`]. A reply of 421 also closes the connection.
    pub fn refuse(&mut self, reply: Reply) {
        let _ = reply;
        todo!()
    }

    /// The answer to [`Event::Message`]: 250 only for what is safely kept. 421 also closes.
    pub fn finish(&mut self, reply: Reply) {
        let _ = reply;
        todo!()
    }

    /// The answer to [`Question::Password`].
    pub fn password_was(&mut self, right: bool) {
        let _ = right;
        todo!()
    }

    /// The answer to [`Question::Scram`].
    pub fn scram_keys(&mut self, keys: ScramKeys) {
        let _ = keys;
        todo!()
    }

    /// Say 421 4.3.2 at the next boundary between commands (at once, if the peer is silent) and close.
    /// A body under way is still taken.
    pub fn stop(&mut self) {
        todo!()
    }

    /// Say 421 4.4.2 and close: the flow found the peer too slow.
    pub fn too_slow(&mut self) {
        todo!()
    }

    /// Bytes of the body under way that have come so far (0 outside a body).
    pub fn bytes_received(&self) -> u64 {
        todo!()
    }

    pub fn phase(&self) -> Phase {
        todo!()
    }

    pub fn ending(&self) -> Option<Ending> {
        todo!()
    }

    /// The name given in EHLO or HELO.
    pub fn hello(&self) -> Option<&str> {
        todo!()
    }

    /// The user who logged in, as accepted.
    pub fn login(&self) -> Option<&str> {
        todo!()
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        todo!()
    }

    /// The `with` word of the Received field for the transaction under way: `ESMTPSA`,
    /// `UTF8SMTPS`… RFC 3848, RFC 6531 §4.3.
    pub fn protocol(&self) -> &'static str {
        todo!()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Machine for Server {
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
