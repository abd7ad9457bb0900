//! The SMTP client machine: says who we are, carries one message after another, and tells exactly how
//! far each came for each recipient.
//!
//! Order of use: `step` until [`Event::Ready`]; then [`Client::send`] or [`Client::quit`]; `step` until
//! [`Event::Finished`]; again `send` or `quit`. [`Event::Failed`] means no message was under way; after
//! it, as after an outcome whose `connection` is [`Connection::Lost`], only [`Step::Close`] follows.
//!
//! A server that says more than it was asked, or says it too early, is not trusted any further: what a
//! reply means is a matter of order alone, so an extra one could make a loss look like a delivery.

mod capabilities;
mod carrying;
mod opening;
mod outcome;
mod replies;
mod settings;
mod transaction;
mod transcript;

use std::time::Duration;

use crate::sasl::client::Exchange;
use crate::smtp::Reply;
use crate::{Machine, Step, TlsFacts};
use carrying::Carrying;
use replies::{Bad, Replies};
use transcript::Transcript;

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
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    secret: [u8; 32],
    state: State,
    replies: Replies,
    out: Vec<u8>,
    pending: Option<Event>,
    tls: Option<TlsFacts>,
    capabilities: Capabilities,
    messages: u32,
    /// The server still has a sender it was given in vain: RSET goes before the next MAIL.
    needs_reset: bool,
    at_end: bool,
    transcript: Transcript,
}

#[derive(Debug)]
enum State {
    Greeting,
    Ehlo,
    /// EHLO was refused.
    Helo,
    /// STARTTLS is said.
    StartTls,
    /// 220 came; the carrier shakes hands.
    Handshake,
    Auth(Box<Login>),
    /// Ready for a message, or between two.
    Idle,
    Carrying(Box<Carrying>),
    Quit,
    Closed,
}

#[derive(Debug)]
struct Login {
    exchange: Exchange,
    /// The first message, if it was too long to stand beside the mechanism's name.
    held: Option<Vec<u8>>,
}

impl Client {
    /// `secret` is fresh randomness for this connection: login nonces are made from it.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Client {
        Client {
            settings,
            secret,
            state: State::Greeting,
            replies: Replies::default(),
            out: Vec::new(),
            pending: None,
            tls: None,
            capabilities: Capabilities::default(),
            messages: 0,
            needs_reset: false,
            at_end: false,
            transcript: Transcript::default(),
        }
    }

    /// What the server offered, in the EHLO answer now in force (inside TLS, once there).
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Begins a message; call `step` next. What the server cannot take is handed back at once, and
    /// the conversation stands where it stood.
    pub fn send(&mut self, transaction: Transaction) -> Result<(), Unsendable> {
        if !matches!(self.state, State::Idle) || self.pending.is_some() {
            return Err(Unsendable::NotReady);
        }
        transaction.check(&self.capabilities)?;
        if transaction.require_tls && self.tls.is_none() {
            return Err(Unsendable::NeedsRequireTls);
        }
        self.messages = self.messages.saturating_add(1);
        self.begin_carrying(transaction);
        Ok(())
    }

    /// Ends the conversation politely; call `step` until it closes.
    pub fn quit(&mut self) {
        if matches!(self.state, State::Idle) {
            self.say("QUIT");
            self.state = State::Quit;
        } else if !matches!(self.state, State::Closed | State::Quit) {
            self.state = State::Closed;
        }
    }

    /// Messages begun on this connection.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// Commands (`> `) and replies (`< `), without bodies and secrets, the first and the last part if
    /// it was long.
    pub fn transcript(&self) -> String {
        self.transcript.text()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One command line, of our own making: it holds no line end (addresses are parsed, free text is
    /// xtext, our name is cleaned).
    fn say(&mut self, line: &str) {
        debug_assert!(!line.contains(['\r', '\n']), "a command is one line");
        self.transcript.sent(line);
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn phase(&self) -> Phase {
        match &self.state {
            State::Greeting => Phase::Greeting,
            State::Ehlo | State::Helo => Phase::Hello,
            State::StartTls | State::Handshake => Phase::StartTls,
            State::Auth(_) => Phase::Auth,
            State::Idle => Phase::Idle,
            State::Carrying(carrying) => carrying.phase(),
            State::Quit | State::Closed => Phase::Quit,
        }
    }

    fn patience(&self) -> Duration {
        let patience = &self.settings.patience;
        match self.phase() {
            Phase::Greeting => patience.greeting,
            Phase::Hello | Phase::StartTls | Phase::Auth => patience.hello,
            Phase::Idle | Phase::Mail => patience.mail,
            Phase::Rcpt => patience.rcpt,
            Phase::Data => patience.data,
            Phase::EndOfData => patience.end_of_data,
            Phase::Quit => patience.quit,
        }
    }

    /// The server said no, where there is no message to say it of.
    fn refused(&mut self, reply: Reply) {
        let phase = self.phase();
        self.fail(Failure::Refused { phase, reply });
    }

    /// It broke.
    fn lost(&mut self, loss: Loss) {
        self.lost_in(self.phase(), loss);
    }

    fn lost_in(&mut self, phase: Phase, loss: Loss) {
        self.transcript.note(&loss.to_string());
        match &self.state {
            State::Closed => {}
            State::Quit => self.state = State::Closed,
            State::Carrying(_) => self.carrying_lost(phase, loss),
            _ => self.fail(Failure::Lost { phase, loss }),
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.out.clear();
        self.state = State::Closed;
        self.pending = Some(Event::Failed(failure));
    }

    fn bad_reply(&mut self, bad: Bad) {
        self.lost(match bad {
            Bad::NotSmtp => Loss::NotSmtp,
            Bad::TooMuch => Loss::TooMuch,
        });
    }

    fn reply(&mut self, reply: Reply) {
        self.transcript.received(&reply);
        match &self.state {
            State::Carrying(_) => self.carrying_reply(reply),
            // Whatever it says now, we go.
            State::Quit => self.state = State::Closed,
            State::Idle if reply.code() == 421 => self.refused(reply),
            State::Idle | State::Handshake | State::Closed => self.lost(Loss::NotSmtp),
            _ => self.opening_reply(reply),
        }
    }

    /// Looks at what came, and else waits for more.
    fn listen(&mut self) -> Option<Step<Event>> {
        match self.replies.next() {
            Ok(Some(reply)) => self.reply(reply),
            Ok(None) if !self.out.is_empty() => {
                return Some(Step::Send(std::mem::take(&mut self.out)));
            }
            Ok(None) if self.at_end => self.lost(Loss::Closed),
            Ok(None) => {
                return Some(Step::NeedInput {
                    patience: self.patience(),
                });
            }
            Err(bad) => self.bad_reply(bad),
        }
        None
    }
}

impl Machine for Client {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            State::Closed => {}
            State::Handshake if !bytes.is_empty() => self.lost(Loss::InjectedBeforeTls),
            _ => {
                if let Err(bad) = self.replies.push(bytes) {
                    self.bad_reply(bad);
                }
            }
        }
    }

    fn end_of_input(&mut self) {
        self.at_end = true;
    }

    fn timed_out(&mut self) {
        self.lost(Loss::TimedOut);
    }

    fn tls_started(&mut self, facts: TlsFacts) {
        self.transcript
            .note(&format!("TLS: {} {}", facts.version, facts.cipher));
        self.tls = Some(facts);
        if matches!(self.state, State::Handshake) {
            // What was said in clear text counts no more. RFC 3207 §4.2.
            self.replies.clear();
            self.capabilities = Capabilities::default();
            self.say_ehlo();
        }
    }

    fn step(&mut self) -> Step<Event> {
        loop {
            if let Some(event) = self.pending.take() {
                return Step::Event(event);
            }
            let step = match &self.state {
                State::Handshake if self.out.is_empty() => Some(Step::StartTls),
                State::Closed if self.out.is_empty() => Some(Step::Close),
                State::Handshake | State::Closed => Some(Step::Send(std::mem::take(&mut self.out))),
                State::Carrying(_) => self.advance_carrying(),
                _ => self.listen(),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }
}
