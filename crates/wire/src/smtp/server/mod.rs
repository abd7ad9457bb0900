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

mod auth;
mod body;
mod commands;
mod event;
mod replies;
mod settings;
mod tally;

use crate::limits;
use crate::line::{Input, Line};
#[cfg(doc)]
use crate::sasl::server::Question;
use crate::sasl::{self, ScramKeys};
use crate::smtp::{Body, Reply};
use crate::{Machine, Step, TlsFacts};
use body::{Chunk, Chunks, DataBody};
use tally::Tally;

pub use event::{Ending, Event, Mistake, Phase};
pub use settings::{AuthRule, Role, Settings, StartTlsRule};

/// One conversation.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    secret: [u8; 32],
    nonces: u32,
    input: Input,
    out: Vec<u8>,
    /// An event made by an answer, to be handed out by the next `step`.
    pending: Option<Event>,
    state: State,
    tls: Option<TlsFacts>,
    hello: Option<Hello>,
    login: Option<String>,
    transaction: Option<Transaction>,
    /// MAIL or a chunk was refused: what its group still says is refused too, without blame.
    group_refused: bool,
    tally: Tally,
    stopping: bool,
    at_end: bool,
    /// Went on before it had heard the answer to its first EHLO or HELO.
    spoke_ahead: bool,
    ending: Option<Ending>,
}

#[derive(Debug)]
enum State {
    /// The greeting is not out.
    Greeting,
    /// Between commands.
    Command,
    /// The flow owes an answer.
    Asked(Asked),
    /// The peer owes a line of a login.
    Auth(Box<sasl::server::Exchange>),
    /// Inside DATA.
    Data(Box<DataBody>),
    /// Inside the content of a BDAT.
    Chunk(Chunk),
    /// 220 is said; the handshake must follow.
    StartTls,
    Closed,
}

#[derive(Debug)]
enum Asked {
    Auth(Box<sasl::server::Exchange>),
    Verified { login: String },
    Mail(Transaction),
    Rcpt,
    Data,
    FirstChunk { size: u64, last: bool },
    Message,
}

#[derive(Clone, Debug)]
struct Hello {
    name: String,
    extended: bool,
}

#[derive(Debug)]
struct Transaction {
    recipients: usize,
    body: Body,
    smtputf8: bool,
    declared: u64,
    /// Once the first BDAT is accepted.
    chunks: Option<Box<Chunks>>,
}

impl Server {
    /// `secret` is fresh randomness for this connection: login nonces are made from it.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Server {
        Server {
            settings,
            secret,
            nonces: 0,
            input: Input::default(),
            out: Vec::new(),
            pending: None,
            state: State::Greeting,
            tls: None,
            hello: None,
            login: None,
            transaction: None,
            group_refused: false,
            tally: Tally::default(),
            stopping: false,
            at_end: false,
            spoke_ahead: false,
            ending: None,
        }
    }

    /// Before the first `step`: greet with this reply (554 or 421) and close. RFC 5321 §3.1.
    pub fn turn_away(&mut self, reply: Reply) {
        self.close(&reply, Ending::TurnedAway);
    }

    /// The silence before the greeting may end: the peer is known by now. One that spoke already is
    /// refused all the same.
    pub fn greet_now(&mut self) {
        if matches!(self.state, State::Greeting) && !self.stopping && self.input.is_empty() {
            self.greet();
        }
    }

    /// Whether the greeting is held back to see who does not wait for it.
    pub fn is_silent(&self) -> bool {
        matches!(self.state, State::Greeting) && self.settings.greeting_delay.is_some()
    }

    /// Whether the peer sent commands in a row before it could know that this is understood here
    /// (RFC 2920 §3.1): programs that do not listen to answers do.
    pub fn spoke_ahead(&self) -> bool {
        self.spoke_ahead
    }

    /// Yes to [`Event::Mail`], [`Event::Rcpt`], [`Event::Data`], [`Event::Verified`].
    pub fn accept(&mut self) {
        match self.take_asked() {
            Some(Asked::Verified { login }) => {
                self.login = Some(login);
                self.say(&replies::LOGGED_IN);
            }
            Some(Asked::Mail(transaction)) => {
                self.transaction = Some(transaction);
                self.say(&replies::SENDER_OK);
            }
            Some(Asked::Rcpt) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients += 1;
                }
                self.say(&replies::RECIPIENT_OK);
            }
            Some(Asked::Data) => self.begin_data(),
            Some(Asked::FirstChunk { size, last }) => self.begin_chunks(size, last),
            Some(asked @ (Asked::Auth(_) | Asked::Message)) => self.state = State::Asked(asked),
            None => {}
        }
    }

    /// No to any of these or to [`Event::Auth`]. A reply of 421 also closes the connection.
    pub fn refuse(&mut self, reply: Reply) {
        let Some(asked) = self.take_asked() else {
            return;
        };
        match asked {
            Asked::FirstChunk { size, .. } if reply.code() != 421 => {
                self.transaction = None;
                self.drain_chunk(size, reply);
                return;
            }
            // A client that goes on with RSET finds the same; one that does not is not stuck.
            Asked::Message | Asked::Data => self.transaction = None,
            Asked::Mail(_) => self.group_refused = true,
            _ => {}
        }
        if reply.code() == 421 {
            return self.close(&reply, Ending::TurnedAway);
        }
        self.say(&reply);
        let too_many = match asked {
            Asked::Rcpt => self.tally.refused_recipient(),
            Asked::Auth(_) | Asked::Verified { .. } if reply.is_permanent() => {
                self.tally.auth_failure()
            }
            Asked::Mail(_) => self.tally.error(),
            _ => false,
        };
        if too_many {
            self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
        }
    }

    /// The answer to [`Event::Message`]: 250 only for what is safely kept. 421 also closes.
    pub fn finish(&mut self, reply: Reply) {
        match self.take_asked() {
            Some(Asked::Message) => {}
            Some(asked) => {
                self.state = State::Asked(asked);
                return;
            }
            None => return,
        }
        self.transaction = None;
        if reply.code() == 421 {
            return self.close(&reply, Ending::TurnedAway);
        }
        self.tally.message();
        self.say(&reply);
    }

    /// The answer to [`Question::Password`].
    pub fn password_was(&mut self, right: bool) {
        self.auth_answer(|exchange| exchange.password_was(right));
    }

    /// The answer to [`Question::Scram`].
    pub fn scram_keys(&mut self, keys: ScramKeys) {
        self.auth_answer(|exchange| exchange.scram_keys(keys));
    }

    /// Say 421 4.3.2 at the next boundary between commands (at once, if the peer is silent) and close.
    /// A body under way is still taken.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Say 421 4.4.2 and close: the flow found the peer too slow.
    pub fn too_slow(&mut self) {
        self.close(&replies::TOO_SLOW, Ending::TooSlow);
    }

    /// There is no memory for the rest of the body: closes with this reply, which the client takes for
    /// the answer to its message.
    pub fn turn_out(&mut self, reply: Reply) {
        self.close(&reply, Ending::TurnedAway);
    }

    /// Bytes of the body under way that have come so far (0 outside a body).
    pub fn bytes_received(&self) -> u64 {
        match &self.state {
            State::Data(body) => body.received(),
            State::Chunk(chunk) => self.chunk_bytes_before() + chunk.received(),
            _ => self.chunk_bytes_before(),
        }
    }

    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Closed => Phase::Closed,
            State::Data(_) | State::Chunk(_) => Phase::Body,
            // Between two chunks the first one is still held.
            _ if self.holds_chunks() => Phase::Body,
            _ if self.transaction.is_some() => Phase::Envelope,
            _ => Phase::Idle,
        }
    }

    fn holds_chunks(&self) -> bool {
        self.transaction
            .as_ref()
            .is_some_and(|transaction| transaction.chunks.is_some())
    }

    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The name given in EHLO or HELO.
    pub fn hello(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| hello.name.as_str())
    }

    /// The user who logged in, as accepted.
    pub fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// The `with` word of the Received field for the transaction under way: `ESMTPSA`,
    /// `UTF8SMTPS`… RFC 3848, RFC 6531 §4.3.
    pub fn protocol(&self) -> &'static str {
        let international = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.smtputf8);
        match (international, self.tls.is_some(), self.login.is_some()) {
            (true, true, true) => "UTF8SMTPSA",
            (true, true, false) => "UTF8SMTPS",
            (true, false, true) => "UTF8SMTPA",
            (true, false, false) => "UTF8SMTP",
            (false, true, true) => "ESMTPSA",
            (false, true, false) => "ESMTPS",
            (false, false, true) => "ESMTPA",
            (false, false, false) if self.hello.as_ref().is_some_and(|hello| !hello.extended) => {
                "SMTP"
            }
            (false, false, false) => "ESMTP",
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn say(&mut self, reply: &Reply) {
        reply.write_to(&mut self.out);
    }

    /// The last word. What was pending before it is still sent.
    fn close(&mut self, reply: &Reply, ending: Ending) {
        if self.ending.is_none() {
            self.say(reply);
        }
        self.hang_up(ending);
    }

    fn hang_up(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
        self.state = State::Closed;
        self.pending = None;
        self.transaction = None;
        self.input.clear();
    }

    /// What the flow was asked; the conversation then stands between commands.
    fn take_asked(&mut self) -> Option<Asked> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asked(asked) => Some(asked),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn greet(&mut self) {
        let greeting = format!("{} ESMTP Postroad", self.settings.hostname);
        self.say(&Reply::plain(220, greeting));
        self.state = State::Command;
    }

    /// Takes the next line if it is there, and acts on it.
    fn next_line(&mut self) -> Option<Step<Event>> {
        if self.stopping {
            self.close(&replies::STOPPING, Ending::Stopping);
            return None;
        }
        let in_auth = matches!(self.state, State::Auth(_));
        let limit = if in_auth
            || self
                .input
                .rest()
                .get(..5)
                .is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
        {
            limits::AUTH_LINE_BYTES_MAX
        } else {
            limits::SMTP_COMMAND_BYTES_MAX
        };
        match self.input.line() {
            Line::Bad(fault) => self.close(&replies::bad_line(fault), Ending::BadFraming),
            Line::Partial { length } if length > limits::OVERLONG_LINE_BYTES_MAX => {
                self.close(&replies::LINE_TOO_LONG, Ending::BadFraming);
            }
            Line::Partial { .. } => return Some(self.wait(self.settings.command_patience)),
            Line::Whole(range) if range.end + 2 > limit => {
                self.input.consume(range.end + 2);
                self.overlong(in_auth);
            }
            Line::Whole(range) => {
                let line = self.input.get(&range).to_vec();
                self.input.consume(range.end + 2);
                if in_auth {
                    self.auth_line(&line);
                } else {
                    return self.command(&line);
                }
            }
        }
        None
    }

    fn overlong(&mut self, in_auth: bool) {
        if in_auth {
            self.state = State::Command;
        }
        self.error(&if in_auth {
            replies::AUTH_LINE_TOO_LONG
        } else {
            replies::LINE_TOO_LONG
        });
    }

    /// Replies first; then the peer's turn, if it is still there.
    fn wait(&mut self, patience: std::time::Duration) -> Step<Event> {
        if !self.out.is_empty() {
            return Step::Send(std::mem::take(&mut self.out));
        }
        if self.at_end {
            self.hang_up(Ending::Gone);
            return Step::Close;
        }
        Step::NeedInput { patience }
    }

    /// One thing at a time; `None` means: look again.
    fn advance(&mut self) -> Option<Step<Event>> {
        match &self.state {
            State::Greeting if self.stopping => self.close(&replies::STOPPING, Ending::Stopping),
            State::Greeting => match self.settings.greeting_delay {
                Some(delay) if self.input.is_empty() => return Some(self.wait(delay)),
                Some(_) => self.close(&replies::EARLY, Ending::EarlyTalk),
                None => self.greet(),
            },
            State::Command | State::Auth(_) => return self.next_line(),
            State::Asked(_) => return Some(self.wait(self.settings.command_patience)),
            State::Data(_) => return self.advance_data(),
            State::Chunk(_) => return self.advance_chunk(),
            State::StartTls if self.out.is_empty() => return Some(Step::StartTls),
            State::Closed if self.out.is_empty() => return Some(Step::Close),
            State::StartTls | State::Closed => {
                return Some(Step::Send(std::mem::take(&mut self.out)));
            }
        }
        None
    }
}

impl Machine for Server {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Closed => {}
            State::StartTls if bytes.is_empty() => {}
            State::StartTls => self.hang_up(Ending::InjectedBeforeTls),
            // The hot path: content goes from the carrier's buffer into the message, nowhere else.
            State::Data(_) if self.input.is_empty() => self.take_data(bytes),
            State::Chunk(_) if self.input.is_empty() => self.take_chunk(bytes),
            _ if self.input.len() + bytes.len() > limits::INPUT_BYTES_MAX => {
                self.close(&replies::TOO_MUCH_INPUT, Ending::BadFraming);
            }
            _ => self.input.push(bytes),
        }
    }

    fn end_of_input(&mut self) {
        self.at_end = true;
    }

    fn timed_out(&mut self) {
        match self.state {
            State::Closed => {}
            State::Greeting if !self.stopping && self.settings.greeting_delay.is_some() => {
                self.greet()
            }
            _ => self.close(&replies::TIMED_OUT, Ending::TimedOut),
        }
    }

    fn tls_started(&mut self, facts: TlsFacts) {
        self.tls = Some(facts);
        if matches!(self.state, State::StartTls) {
            // RFC 3207 §4.2: what was learnt in clear text is forgotten.
            self.input.clear();
            self.hello = None;
            self.login = None;
            self.transaction = None;
            self.state = State::Command;
        }
    }

    fn step(&mut self) -> Step<Event> {
        loop {
            if self.out.len() >= limits::REPLY_BYTES_BATCH {
                return Step::Send(std::mem::take(&mut self.out));
            }
            if let Some(event) = self.pending.take() {
                return Step::Event(event);
            }
            if let Some(step) = self.advance() {
                return step;
            }
        }
    }
}
