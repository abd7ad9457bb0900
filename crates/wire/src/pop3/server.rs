//! The POP3 server machine: commands in, questions out.
//!
//! For [`Event::Retrieve`] the flow calls [`Server::begin_message`], writes the answer's first line as
//! `step` sends it, then the body, stuffed by [`crate::stuffing::Stuffer`] straight to the stream, and
//! goes on with `step`; or it calls [`Server::refuse`].

use std::time::Duration;

use super::Maildrop;
use crate::sasl::{ScramKeys, server::Question};
use crate::{Machine, Step, TlsFacts};

/// When may a client log in?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRule {
    OverTls,
    /// Also in clear text: for loopback, tests and those who ask for it.
    Always,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// In the greeting.
    pub hostname: String,
    pub version: String,
    pub stls: crate::smtp::server::StartTlsRule,
    pub login: LoginRule,
    pub patience: Duration,
}

/// Why a login or a command fails for no fault of the client's. RFC 2449 §8, RFC 3206.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// `[AUTH]`: wrong login or password.
    Auth,
    /// `[IN-USE]`: another session has the mailbox.
    InUse,
    /// `[LOGIN-DELAY]`: too many failures, come back later.
    LoginDelay,
    /// `[SYS/TEMP]`
    Temporary,
    /// `[SYS/PERM]`
    Permanent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Answer by [`Server::password_was`], [`Server::scram_keys`] or [`Server::refuse`].
    Auth(Question),
    /// The peer has proved who it is. Answer by [`Server::open`] or [`Server::refuse`].
    Verified { login: String },
    /// RETR (`lines` is `None`) or TOP: the entry at `index`. Answer by [`Server::begin_message`] or
    /// [`Server::refuse`].
    Retrieve { index: usize, lines: Option<u64> },
    /// QUIT after a session: remove the entries at these places, for good. Answer by
    /// [`Server::updated`] or [`Server::refuse`].
    Update { delete: Vec<usize> },
}

pub struct Server {
    settings: Settings,
}

impl Server {
    pub fn new(settings: Settings, secret: [u8; 32]) -> Server {
        let _ = secret;
        Server { settings }
    }

    pub fn password_was(&mut self, right: bool) {
        let _ = right;
        todo!()
    }

    pub fn scram_keys(&mut self, keys: ScramKeys) {
        let _ = keys;
        todo!()
    }

    /// Yes to [`Event::Verified`]: the session begins.
    pub fn open(&mut self, maildrop: Maildrop) {
        let _ = maildrop;
        todo!()
    }

    pub fn begin_message(&mut self) {
        todo!()
    }

    /// Yes to [`Event::Update`].
    pub fn updated(&mut self) {
        todo!()
    }

    pub fn refuse(&mut self, trouble: Trouble) {
        let _ = trouble;
        todo!()
    }

    /// Say goodbye at the next boundary between commands and close, deleting nothing.
    pub fn stop(&mut self) {
        todo!()
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
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
