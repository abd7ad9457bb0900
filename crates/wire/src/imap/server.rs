//! The server's side of an IMAP connection: greeting, framing, states, TLS, login, IDLE.
//! Commands go to the caller as values; what they do is not known here.

mod login;

use std::time::Duration;

use super::capability::Offer;
use super::command::{Command, Phase, Tagged};
use super::framing::{Bounds, Framing, Literals, Progress, is_append};
use super::input::{Dialect, ParseError};
use super::limits::{
    BAD_COMMANDS_MAX, BAD_COMMANDS_STRANGER_MAX, CLIENT_CHARS_MAX, IDLE_PATIENCE, LINE_BYTES_MAX,
    LITERAL_PATIENCE, LITERALS_FREE_BYTES, LOGIN_PATIENCE, MULTIAPPEND_FACTOR, STRANGER_BYTES_MAX,
    STRING_LITERAL_BYTES_MAX,
};
use super::write::{self, Status};
use super::{parse, parse::Unreadable};
use crate::sasl::server::Question;
use crate::{Machine, Step, TlsFacts};
use login::{Authenticating, Waiting};

/// What one connection is told at its start.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The name in the greeting.
    pub hostname: String,
    pub offer: Offer,
    /// Fresh printable randomness without commas, at least 18 bytes' worth, for SCRAM.
    pub nonce: String,
}

/// What the caller must answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Carry it out, write the answer, then call [`Server::done`], [`Server::idle`] or [`Server::bye`].
    Command(Tagged),
    /// Answer by [`Server::password_was`], [`Server::scram_keys`] or [`Server::login_unavailable`].
    Ask(Question),
    /// The peer has proved to be this user, with this one of the keys (0 for a password). Answer by [`Server::logged_in`] or [`Server::login_unavailable`].
    Verified { login: String, key: usize },
    /// The literals of the command under way want so much memory in all. Answer by
    /// [`Server::room_granted`] or [`Server::room_denied`]. The room is held until the command is
    /// carried out, or until [`Event::RoomFree`].
    Room { bytes: usize },
    /// The command for which room was granted came to nothing. Let go of it, then [`Server::done`].
    RoomFree,
    /// The client ended IDLE. As a command: write the last news and the tagged answer, then [`Server::done`].
    IdleDone { tag: String },
}

/// The machine. Buffers are bounded by the state: a stranger gets little.
#[derive(Debug)]
pub struct Server {
    settings: Box<ServerSettings>,
    phase: Phase,
    dialect: Dialect,
    tls: Option<TlsFacts>,
    state: State,
    framing: Framing,
    /// A whole line lies in `framing`.
    line_ready: bool,
    /// The caller holds room for the literals of the command under way.
    room_held: bool,
    /// Bytes that came before their turn.
    ahead: Vec<u8>,
    out: Vec<u8>,
    bad_commands: u32,
    logins_failed: u32,
    logins_begun: u32,
    peer_closed: bool,
    /// As the client called itself (ID, RFC 2971).
    client: Option<Box<str>>,
}

#[derive(Debug)]
enum State {
    Greeting,
    Reading,
    /// The next step hands this out.
    Pending(Box<Event>),
    /// The caller has an event in hand.
    Busy,
    Idling {
        tag: String,
    },
    Authenticating(Box<Authenticating>),
    StartTls,
    Handshaking,
    Closing,
}

impl Server {
    pub fn new(settings: ServerSettings) -> Self {
        Server {
            settings: Box::new(settings),
            phase: Phase::NotAuthenticated,
            dialect: Dialect::Rev1,
            tls: None,
            state: State::Greeting,
            framing: Framing::default(),
            line_ready: false,
            room_held: false,
            ahead: Vec::new(),
            out: Vec::new(),
            bad_commands: 0,
            logins_failed: 0,
            logins_begun: 0,
            peer_closed: false,
            client: None,
        }
    }

    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// What the client calls itself, if it said: name and version. RFC 2971.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Between authenticated and selected the caller moves the state.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// From the next command on (ENABLE IMAP4rev2, UTF8=ACCEPT).
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// The command is answered: read the next.
    pub fn done(&mut self) {
        self.state = State::Reading;
    }

    /// The literal may come.
    pub fn room_granted(&mut self) {
        self.state = State::Reading;
        self.room_held = true;
        let progress = self.framing.grant();
        self.progressed(progress);
    }

    /// There is no memory for the literal now: the command is refused for the time being. A client that
    /// asked need not send it; what comes unasked is thrown away.
    pub fn room_denied(&mut self) {
        self.state = State::Reading;
        let progress = self.framing.deny();
        if progress == Progress::LiteralRefused {
            self.no_room();
        } else {
            self.free_room();
        }
    }

    /// IDLE is accepted (RFC 2177): the client is told to wait, and ends it by DONE.
    pub fn idle(&mut self, tag: String) {
        self.out.extend_from_slice(b"+ idling\r\n");
        self.state = State::Idling { tag };
    }

    /// Says goodbye and closes, whatever is going on.
    pub fn bye(&mut self, text: &str) {
        write::untagged(&mut self.out, &format!("BYE {text}"));
        self.state = State::Closing;
    }

    /// A command is not half read and none waits: the moment to stop.
    pub fn is_between_commands(&self) -> bool {
        matches!(self.state, State::Reading | State::Idling { .. }) && self.framing.is_empty()
    }

    fn bounds(&self) -> Bounds {
        if self.phase == Phase::NotAuthenticated {
            return Bounds {
                line_bytes_max: STRANGER_BYTES_MAX,
                string_bytes_max: STRANGER_BYTES_MAX,
                message_bytes_max: STRANGER_BYTES_MAX,
                literals_bytes_max: STRANGER_BYTES_MAX,
                literals_free_bytes: STRANGER_BYTES_MAX,
            };
        }
        let message_bytes_max = self.settings.offer.append_bytes_max;
        Bounds {
            line_bytes_max: LINE_BYTES_MAX,
            string_bytes_max: STRING_LITERAL_BYTES_MAX,
            message_bytes_max,
            literals_bytes_max: message_bytes_max
                .saturating_mul(MULTIAPPEND_FACTOR)
                .max(STRING_LITERAL_BYTES_MAX * 4),
            literals_free_bytes: LITERALS_FREE_BYTES,
        }
    }

    fn is_reading(&self) -> bool {
        let for_peer = |auth: &Authenticating| matches!(auth.turn, Waiting::ForPeer);
        !self.line_ready
            && match &self.state {
                State::Reading | State::Idling { .. } => true,
                State::Authenticating(auth) => for_peer(auth),
                _ => false,
            }
    }

    /// Feeds the framing as far as one command goes; says how many bytes it took.
    fn feed(&mut self, bytes: &[u8]) -> usize {
        let bounds = self.bounds();
        let literals = if matches!(self.state, State::Reading) {
            Literals::Read
        } else {
            Literals::None
        };
        let mut taken = 0;
        while self.is_reading() {
            let rest = bytes.get(taken..).unwrap_or_default();
            let (count, progress) = self.framing.feed(rest, literals, &bounds);
            taken += count;
            if progress == Progress::More {
                break;
            }
            self.progressed(progress);
        }
        taken
    }

    fn progressed(&mut self, progress: Progress) {
        match progress {
            Progress::More => {}
            Progress::Ask => {
                let bytes = self.framing.literal_bytes();
                self.state = State::Pending(Box::new(Event::Room { bytes }));
            }
            Progress::Continue => self.out.extend_from_slice(b"+ Ok\r\n"),
            Progress::Complete => self.line_ready = true,
            Progress::Drained => self.no_room(),
            Progress::LineTooLong => self.bye("[TOOBIG] The command line is too long."),
            Progress::LiteralRefused if self.framing.is_draining() => self.no_room(),
            Progress::LiteralRefused => self.refuse_literal(),
            Progress::LiteralOnItsWay => {
                // RFC 7888 §4: what is on its way cannot be stopped otherwise.
                self.refuse_literal();
                self.bye("[TOOBIG] The literal is too large.");
            }
        }
    }

    /// A refusal that passes. Whoever sent the command did nothing wrong.
    fn no_room(&mut self) {
        let (text, _) = self.framing.take();
        let tag = parse::tag_of(&text).unwrap_or_else(|| "*".to_owned());
        write::tagged(
            &mut self.out,
            &tag,
            Status::No,
            "[LIMIT] The server has no memory for this now; try again soon.",
        );
        self.free_room();
    }

    /// The caller need not hold room any longer.
    fn free_room(&mut self) {
        if std::mem::take(&mut self.room_held) && matches!(self.state, State::Reading) {
            self.state = State::Pending(Box::new(Event::RoomFree));
        }
    }

    /// RFC 7889 §4 for messages, RFC 7888 §4 for the rest.
    fn refuse_literal(&mut self) {
        let (text, _) = self.framing.take();
        let tag = parse::tag_of(&text).unwrap_or_else(|| "*".to_owned());
        let status = if is_append(&text) {
            Status::No
        } else {
            Status::Bad
        };
        write::tagged(
            &mut self.out,
            &tag,
            status,
            "[TOOBIG] The literal is too large.",
        );
        self.count_bad_command();
        self.free_room();
    }

    fn line(&mut self) {
        self.line_ready = false;
        let (text, literals) = self.framing.take();
        match std::mem::replace(&mut self.state, State::Reading) {
            State::Idling { tag } => self.idle_line(tag, &text),
            State::Authenticating(auth) => self.sasl_line(auth, &text),
            _ => {
                self.command_line(&text, literals);
                // If the command went to the caller, so did its room.
                self.free_room();
            }
        }
    }

    fn idle_line(&mut self, tag: String, text: &[u8]) {
        if text.eq_ignore_ascii_case(b"DONE") {
            self.state = State::Pending(Box::new(Event::IdleDone { tag }));
        } else {
            write::tagged(&mut self.out, &tag, Status::Bad, "DONE was expected.");
            self.count_bad_command();
        }
    }

    fn command_line(&mut self, text: &[u8], literals: Vec<Vec<u8>>) {
        match parse::command(text, literals, self.dialect) {
            Ok(Tagged { tag, command }) => self.command(tag, command),
            Err(Unreadable {
                tag: Some(tag),
                error,
            }) => {
                let (status, code) = match error {
                    ParseError::BadCharset => (Status::No, "[BADCHARSET (US-ASCII UTF-8)] "),
                    ParseError::NotUtf7 => (Status::No, "[CANNOT] "),
                    ParseError::Syntax(_) | ParseError::UnknownCommand | ParseError::NotUtf8 => {
                        (Status::Bad, "")
                    }
                };
                write::tagged(&mut self.out, &tag, status, &format!("{code}{error}"));
                self.count_bad_command();
            }
            Err(Unreadable { tag: None, error }) => {
                write::untagged(&mut self.out, &format!("BAD {error}"));
                self.count_bad_command();
            }
        }
    }

    fn count_bad_command(&mut self) {
        self.bad_commands += 1;
        let max = match self.phase {
            Phase::NotAuthenticated => BAD_COMMANDS_STRANGER_MAX,
            _ => BAD_COMMANDS_MAX,
        };
        if self.bad_commands >= max && !matches!(self.state, State::Closing) {
            self.bye("Too many commands that cannot be read.");
        }
    }

    fn command(&mut self, tag: String, command: Command) {
        let (lowest, highest) = command.phases();
        if self.phase < lowest || highest < self.phase {
            let text = match (self.phase, lowest) {
                (Phase::NotAuthenticated, _) => "Log in first.",
                (_, Phase::Selected) => "Select a mailbox first.",
                _ => "You are logged in already.",
            };
            write::tagged(&mut self.out, &tag, Status::Bad, text);
            self.count_bad_command();
            return;
        }
        match command {
            Command::Capability => {
                self.out.extend_from_slice(b"* CAPABILITY ");
                self.settings
                    .offer
                    .write(self.phase, self.tls.as_ref(), &mut self.out);
                self.out.extend_from_slice(b"\r\n");
                self.completed(&tag, "CAPABILITY");
            }
            Command::Noop if self.phase == Phase::NotAuthenticated => self.completed(&tag, "NOOP"),
            Command::Logout => {
                write::untagged(&mut self.out, "BYE Until next time.");
                self.completed(&tag, "LOGOUT");
                self.state = State::Closing;
            }
            Command::Id(pairs) => {
                self.client = client_of(&pairs).or(self.client.take());
                write::untagged(&mut self.out, "ID (\"name\" \"Postroad\")");
                self.completed(&tag, "ID");
            }
            Command::StartTls => self.start_tls(&tag),
            Command::Login { login, password } => self.login(tag, login, password),
            Command::Authenticate { mechanism, initial } => {
                self.authenticate(tag, &mechanism, initial.as_deref())
            }
            command => {
                self.bad_commands = 0;
                self.state = State::Pending(Box::new(Event::Command(Tagged { tag, command })));
            }
        }
    }

    fn completed(&mut self, tag: &str, name: &str) {
        write::tagged(
            &mut self.out,
            tag,
            Status::Ok,
            &format!("{name} completed."),
        );
    }

    /// RFC 9051 §6.2.1, §11.1. What was sent along in clear text might be somebody else's: a client
    /// that does so is not served.
    fn start_tls(&mut self, tag: &str) {
        if self.tls.is_some() || !self.settings.offer.starttls {
            write::tagged(&mut self.out, tag, Status::Bad, "TLS is not on offer.");
            self.count_bad_command();
        } else if !self.ahead.is_empty() {
            write::tagged(
                &mut self.out,
                tag,
                Status::Bad,
                "Nothing may follow STARTTLS before TLS.",
            );
            self.bye("Nothing may follow STARTTLS before TLS.");
        } else {
            write::tagged(&mut self.out, tag, Status::Ok, "Begin TLS negotiation now.");
            self.state = State::StartTls;
        }
    }

    fn greet(&mut self) {
        self.state = State::Reading;
        self.out.extend_from_slice(b"* OK [CAPABILITY ");
        self.settings
            .offer
            .write(self.phase, self.tls.as_ref(), &mut self.out);
        self.out.extend_from_slice(b"] ");
        self.out
            .extend_from_slice(self.settings.hostname.as_bytes());
        self.out.extend_from_slice(b" IMAP server ready.\r\n");
    }

    fn patience(&self) -> Duration {
        match self.phase {
            Phase::NotAuthenticated => LOGIN_PATIENCE,
            _ if self.framing.in_literal() => LITERAL_PATIENCE,
            _ => IDLE_PATIENCE,
        }
    }

    /// Takes from what came early. Says whether anything moved.
    fn take_ahead(&mut self) -> bool {
        if self.ahead.is_empty() || !self.is_reading() {
            return false;
        }
        let ahead = std::mem::take(&mut self.ahead);
        let taken = self.feed(&ahead);
        self.ahead = ahead;
        self.ahead.drain(..taken.min(self.ahead.len()));
        if self.ahead.is_empty() {
            self.ahead = Vec::new();
        }
        taken > 0 || self.line_ready
    }
}

/// `Thunderbird 128.1`, of what stands in ID; the rest is nobody's business here.
fn client_of(pairs: &[(String, Option<String>)]) -> Option<Box<str>> {
    let value = |wanted: &str| {
        let found = pairs
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.as_deref())
    };
    let name = value("name")?;
    let shown = match value("version") {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    };
    let shown: String = shown.chars().take(CLIENT_CHARS_MAX).collect();
    Some(shown.into())
}

impl Machine for Server {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            State::Closing | State::StartTls | State::Handshaking => {}
            _ if self.ahead.is_empty() => {
                let taken = self.feed(bytes);
                if !matches!(self.state, State::Closing) {
                    self.ahead
                        .extend_from_slice(bytes.get(taken..).unwrap_or_default());
                }
            }
            _ => self.ahead.extend_from_slice(bytes),
        }
    }

    fn end_of_input(&mut self) {
        self.peer_closed = true;
    }

    fn timed_out(&mut self) {
        self.bye("Nothing came for too long.");
    }

    /// Whatever was known from before TLS is forgotten.
    fn tls_started(&mut self, facts: TlsFacts) {
        self.tls = Some(facts);
        self.framing = Framing::default();
        self.line_ready = false;
        self.ahead = Vec::new();
        self.logins_begun = 0;
        if !matches!(self.state, State::Greeting) {
            self.state = State::Reading;
        }
    }

    fn step(&mut self) -> Step<Event> {
        loop {
            if !self.out.is_empty() {
                return Step::Send(std::mem::take(&mut self.out));
            }
            match &mut self.state {
                State::Greeting => {
                    self.greet();
                    continue;
                }
                State::StartTls => {
                    self.state = State::Handshaking;
                    return Step::StartTls;
                }
                State::Closing => return Step::Close,
                State::Busy | State::Handshaking => {
                    return Step::NeedInput {
                        patience: LOGIN_PATIENCE,
                    };
                }
                State::Authenticating(auth) => {
                    match std::mem::replace(&mut auth.turn, Waiting::ForCaller) {
                        Waiting::Event(event) => return Step::Event(event),
                        Waiting::ForPeer => auth.turn = Waiting::ForPeer,
                        Waiting::ForCaller => {
                            return Step::NeedInput {
                                patience: LOGIN_PATIENCE,
                            };
                        }
                    }
                }
                State::Pending(_) => {
                    if let State::Pending(event) = std::mem::replace(&mut self.state, State::Busy) {
                        return Step::Event(*event);
                    }
                }
                State::Reading | State::Idling { .. } => {}
            }
            if self.line_ready {
                self.line();
            } else if !self.take_ahead() && self.out.is_empty() {
                if self.peer_closed {
                    self.state = State::Closing;
                    continue;
                }
                return Step::NeedInput {
                    patience: self.patience(),
                };
            }
        }
    }
}
