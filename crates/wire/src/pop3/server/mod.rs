//! The POP3 server machine: commands in, questions out.
//!
//! For [`Event::Retrieve`] the flow calls [`Server::begin_message`], takes the bytes `step` would send
//! next by [`Server::take_out`], writes them and the body straight to the stream (through
//! [`crate::stuffing::Stuffer`], whose end is the answer's end), and goes on with `step`; or it calls
//! [`Server::refuse`].

mod authorization;
mod transaction;

use std::time::Duration;

use super::command::{BadCommand, Command};
use super::maildrop::{Maildrop, Marked};
use crate::limits;
use crate::line::{Input, Line};
use crate::sasl::ScramKeys;
use crate::sasl::server::{Exchange, Question};
use crate::smtp::server::StartTlsRule;
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
    /// In CAPA, once logged in.
    pub version: String,
    pub stls: StartTlsRule,
    pub login: LoginRule,
    pub patience: Duration,
}

/// Why a login or a command fails for no fault of its form. RFC 2449 §8, RFC 3206.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// `[AUTH]`: wrong login or password.
    Auth,
    /// `[IN-USE]`: another session has the mailbox.
    InUse,
    /// `[LOGIN-DELAY]`: too many failures, come back later.
    LoginDelay,
    /// The message was removed meanwhile, by IMAP.
    Gone,
    /// `[SYS/TEMP]`
    Temporary,
    /// `[SYS/PERM]`
    Permanent,
}

impl Trouble {
    fn text(self) -> &'static str {
        match self {
            Trouble::Auth => "[AUTH] Wrong login or password",
            Trouble::InUse => "[IN-USE] Another session has this mailbox",
            Trouble::LoginDelay => "[LOGIN-DELAY] Too many failures, try again later",
            Trouble::Gone => "The message is no longer there",
            Trouble::Temporary => "[SYS/TEMP] Not now, try again later",
            Trouble::Permanent => "[SYS/PERM] This cannot be done",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Answer by [`Server::password_was`], [`Server::scram_keys`] or [`Server::refuse`].
    Auth(Question),
    /// The peer has proved who it is, with this one of the keys (0 for a password). Answer by [`Server::open`] or [`Server::refuse`].
    Verified { login: String, key: usize },
    /// RETR (`lines` is `None`) or TOP (headers, and so many lines of the body): the entry at `index`.
    /// Answer by [`Server::begin_message`] or [`Server::refuse`].
    Retrieve { index: usize, lines: Option<u64> },
    /// QUIT after a session: remove the entries at these places, for good. Answer by
    /// [`Server::updated`] or [`Server::refuse`]. Only this removes anything.
    Update { delete: Vec<usize> },
}

/// One conversation.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    secret: [u8; 32],
    nonces: u32,
    input: Input,
    out: Vec<u8>,
    pending: Option<Event>,
    state: State,
    tls: Option<TlsFacts>,
    errors: u32,
    auth_failures: u32,
    stopping: bool,
    at_end: bool,
}

#[derive(Debug)]
enum State {
    Greeting,
    Authorization {
        /// Named by USER, waiting for PASS.
        user: Option<String>,
    },
    /// The peer owes a line of a login.
    Auth(Box<Exchange>),
    /// The flow owes an answer.
    AskedAuth(Login),
    AskedOpen,
    Transaction(Marked),
    AskedMessage(Marked, Option<u64>, u64),
    AskedUpdate,
    StartTls,
    Closed,
}

/// How the peer logs in.
#[derive(Debug)]
enum Login {
    UserPass { user: String },
    Sasl(Box<Exchange>),
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
            errors: 0,
            auth_failures: 0,
            stopping: false,
            at_end: false,
        }
    }

    /// Yes to [`Event::Verified`]: the session begins.
    pub fn open(&mut self, maildrop: Maildrop) {
        if !matches!(self.state, State::AskedOpen) {
            return;
        }
        let marked = Marked::new(maildrop);
        let (count, octets) = marked.totals();
        self.ok(&format!("{count} messages, {octets} octets"));
        self.state = State::Transaction(marked);
    }

    /// Yes to [`Event::Retrieve`]: the body follows.
    pub fn begin_message(&mut self) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::AskedMessage(marked, lines, octets) => {
                match lines {
                    None => self.ok(&format!("{octets} octets")),
                    Some(_) => self.ok("Top of message follows"),
                }
                self.state = State::Transaction(marked);
            }
            other => self.state = other,
        }
    }

    /// What `step` would send next, to be followed by something the flow writes itself.
    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Yes to [`Event::Update`].
    pub fn updated(&mut self) {
        if matches!(self.state, State::AskedUpdate) {
            self.ok("Bye");
            self.hang_up();
        }
    }

    /// No to any event.
    pub fn refuse(&mut self, trouble: Trouble) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::AskedAuth(_) | State::AskedOpen => self.login_failed(trouble),
            State::AskedMessage(marked, ..) => {
                self.state = State::Transaction(marked);
                self.err(trouble.text());
            }
            State::AskedUpdate => {
                self.err("[SYS/TEMP] Some messages were not removed");
                self.hang_up();
            }
            other => self.state = other,
        }
    }

    /// The answer to [`Question::Password`].
    pub fn password_was(&mut self, right: bool) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::AskedAuth(Login::UserPass { user }) if right => {
                self.state = State::AskedOpen;
                self.pending = Some(Event::Verified {
                    login: user,
                    key: 0,
                });
            }
            State::AskedAuth(Login::UserPass { .. }) => self.login_failed(Trouble::Auth),
            State::AskedAuth(Login::Sasl(mut exchange)) => {
                let turn = exchange.password_was(right);
                self.turn(exchange, turn);
            }
            other => self.state = other,
        }
    }

    /// The answer to [`Question::Scram`].
    pub fn scram_keys(&mut self, keys: ScramKeys) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::AskedAuth(Login::Sasl(mut exchange)) => {
                let turn = exchange.scram_keys(keys);
                self.turn(exchange, turn);
            }
            other => self.state = other,
        }
    }

    /// Say goodbye at the next boundary between commands and close, deleting nothing.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Say this and close, whatever is going on. Nothing is removed.
    pub fn end(&mut self, text: &str) {
        self.farewell(text);
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn ok(&mut self, text: &str) {
        self.line("+OK ", text);
    }

    fn err(&mut self, text: &str) {
        self.line("-ERR ", text);
    }

    fn line(&mut self, mark: &str, text: &str) {
        self.out.extend_from_slice(mark.as_bytes());
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// The peer did wrong; too much of it ends the conversation.
    fn error(&mut self, text: &str) {
        self.err(text);
        self.errors += 1;
        if self.errors >= limits::COMMAND_ERRORS_MAX {
            self.farewell("[SYS/PERM] Too many errors, closing");
        }
    }

    fn farewell(&mut self, text: &str) {
        self.err(text);
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.state = State::Closed;
        self.pending = None;
        self.input.clear();
    }

    /// Replies first; then the peer's turn, if it is still there.
    fn wait(&mut self) -> Step<Event> {
        if !self.out.is_empty() {
            return Step::Send(self.take_out());
        }
        if self.at_end {
            // The line was cut without QUIT: nothing is removed. RFC 1939 §3.
            self.hang_up();
            return Step::Close;
        }
        let patience = match self.state {
            State::Authorization { .. } | State::Auth(_) => {
                self.settings.patience.min(limits::POP3_LOGIN_PATIENCE)
            }
            _ => self.settings.patience,
        };
        Step::NeedInput { patience }
    }

    fn next_line(&mut self) -> Option<Step<Event>> {
        if self.stopping {
            self.farewell("[SYS/TEMP] This server is going down, try again soon");
            return None;
        }
        let in_auth = matches!(self.state, State::Auth(_));
        let auth_command = self
            .input
            .rest()
            .get(..5)
            .is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        let limit = match in_auth || auth_command {
            true => limits::AUTH_LINE_BYTES_MAX,
            false => limits::POP3_COMMAND_BYTES_MAX,
        };
        match self.input.line() {
            Line::Bad(fault) => self.farewell(&format!("[SYS/PERM] {fault}")),
            Line::Partial { length } if length > limit => {
                self.farewell("[SYS/PERM] The line is too long")
            }
            Line::Partial { .. } => return Some(self.wait()),
            Line::Whole(range) if range.end + 2 > limit => {
                self.farewell("[SYS/PERM] The line is too long")
            }
            Line::Whole(range) => {
                let line = self.input.get(&range).to_vec();
                self.input.consume(range.end + 2);
                match in_auth {
                    true => self.auth_line(&line),
                    false => self.command(&line),
                }
            }
        }
        None
    }

    fn command(&mut self, line: &[u8]) {
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(bad @ (BadCommand::Unknown | BadCommand::Arguments | BadCommand::NotUtf8)) => {
                return self.error(&bad.to_string());
            }
        };
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Authorization { user } => self.authorization(user, command),
            State::Transaction(marked) => self.transaction(marked, command),
            other => self.state = other,
        }
    }
}

impl Machine for Server {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            State::Closed => {}
            State::StartTls if bytes.is_empty() => {}
            // Nobody says anything between STLS and the handshake but an attacker.
            State::StartTls => self.hang_up(),
            _ if self.input.len() + bytes.len() > limits::INPUT_BYTES_MAX => {
                self.farewell("[SYS/PERM] Too much input at once");
            }
            _ => self.input.push(bytes),
        }
    }

    fn end_of_input(&mut self) {
        self.at_end = true;
    }

    fn timed_out(&mut self) {
        // RFC 1939 §3: closed without removing anything and without a word.
        self.hang_up();
    }

    fn tls_started(&mut self, facts: TlsFacts) {
        self.tls = Some(facts);
        if matches!(self.state, State::StartTls) {
            self.input.clear();
            self.state = State::Authorization { user: None };
        }
    }

    fn step(&mut self) -> Step<Event> {
        loop {
            if self.out.len() >= limits::REPLY_BYTES_BATCH {
                return Step::Send(self.take_out());
            }
            if let Some(event) = self.pending.take() {
                return Step::Event(event);
            }
            let step = match self.state {
                State::Greeting => {
                    let greeting = format!("{} POP3 server ready", self.settings.hostname);
                    self.ok(&greeting);
                    self.state = State::Authorization { user: None };
                    None
                }
                State::Authorization { .. } | State::Auth(_) | State::Transaction(_) => {
                    self.next_line()
                }
                State::StartTls if self.out.is_empty() => Some(Step::StartTls),
                State::Closed if self.out.is_empty() => Some(Step::Close),
                State::StartTls | State::Closed => Some(Step::Send(self.take_out())),
                _ => Some(self.wait()),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }
}
