//! clamd's protocol, from the client's side: one command for a connection, its answer ends with NUL. The message is sent in pieces
//! (INSTREAM): each with its length before it, an empty one at the end. clamd closes in the midst of what is too large for it; what it said
//! before that is still heard.

use bytes::Bytes;

use crate::limits::{CLAMD_ANSWER_BYTES_MAX, CLAMD_PATIENCE, CLAMD_PIECE_BYTES};
use crate::{Machine, Step, TlsFacts};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Whether it is there.
    Ping,
    Version,
    /// To look at this.
    Scan(Bytes),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Answer(Answer),
    /// No answer that means anything.
    Failed(Failure),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Pong,
    Version(String),
    Clean,
    /// By the name that the signature has.
    Found(String),
    /// Larger than clamd takes (`StreamMaxLength`).
    TooLarge,
    /// Its own words.
    Error(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("it closed the connection without an answer")]
    Closed,
    #[error("it did not answer in time")]
    TimedOut,
    #[error("its answer is none of clamd")]
    NotClamd,
}

#[derive(Debug)]
pub struct Client {
    command: Command,
    state: State,
    input: Vec<u8>,
    pending: Option<Event>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Begin,
    /// The piece that begins at this byte is next.
    Sending(usize),
    Waiting,
    Closed,
}

impl Client {
    pub fn new(command: Command) -> Self {
        Self {
            command,
            state: State::Begin,
            input: Vec::new(),
            pending: None,
        }
    }

    fn end(&mut self, event: Event) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.pending = Some(event);
        }
    }

    fn read(&mut self) {
        let Some(end) = memchr::memchr2(0, b'\n', &self.input) else {
            if CLAMD_ANSWER_BYTES_MAX < self.input.len() {
                self.end(Event::Failed(Failure::NotClamd));
            }
            return;
        };
        let line = String::from_utf8_lossy(self.input.get(..end).unwrap_or_default());
        let event = match parse(&self.command, &line) {
            Some(answer) => Event::Answer(answer),
            None => Event::Failed(Failure::NotClamd),
        };
        self.end(event);
    }
}

impl Machine for Client {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        let room = (CLAMD_ANSWER_BYTES_MAX + 1).saturating_sub(self.input.len());
        self.input.extend(bytes.iter().take(room));
        self.read();
    }

    fn end_of_input(&mut self) {
        self.end(Event::Failed(Failure::Closed));
    }

    fn timed_out(&mut self) {
        self.end(Event::Failed(Failure::TimedOut));
    }

    fn tls_started(&mut self, _facts: TlsFacts) {}

    fn step(&mut self) -> Step<Event> {
        if let Some(event) = self.pending.take() {
            return Step::Event(event);
        }
        match (&self.state, &self.command) {
            (State::Begin, Command::Scan(_)) => {
                self.state = State::Sending(0);
                Step::Send(b"zINSTREAM\0".to_vec())
            }
            (State::Begin, command) => {
                let word: &[u8] = match command {
                    Command::Ping => b"zPING\0",
                    _ => b"zVERSION\0",
                };
                self.state = State::Waiting;
                Step::Send(word.to_vec())
            }
            (State::Sending(at), Command::Scan(message)) => {
                let rest = message.get(*at..).unwrap_or_default();
                let piece = rest.get(..CLAMD_PIECE_BYTES).unwrap_or(rest);
                let bytes = piece_of(piece);
                self.state = match piece {
                    [] => State::Waiting,
                    _ => State::Sending(at + piece.len()),
                };
                Step::Send(bytes)
            }
            (State::Closed, _) => Step::Close,
            (State::Sending(_) | State::Waiting, _) => Step::NeedInput {
                patience: CLAMD_PATIENCE,
            },
        }
    }
}

/// With its length before it; an empty one is the end.
fn piece_of(piece: &[u8]) -> Vec<u8> {
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(piece.len() + 4);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(piece);
    bytes
}

/// `stream: Eicar-Signature FOUND`, `stream: OK`, `INSTREAM size limit exceeded. ERROR`.
fn parse(command: &Command, line: &str) -> Option<Answer> {
    let line = line.trim();
    let words = line.strip_prefix("stream: ").unwrap_or(line);
    if let Some(problem) = words.strip_suffix(" ERROR") {
        return Some(match problem.contains("size limit exceeded") {
            true => Answer::TooLarge,
            false => Answer::Error(plain(problem)),
        });
    }
    match command {
        Command::Ping => (words == "PONG").then_some(Answer::Pong),
        Command::Version => words
            .starts_with("ClamAV")
            .then(|| Answer::Version(plain(words))),
        Command::Scan(_) => match words.strip_suffix(" FOUND") {
            Some(name) => Some(Answer::Found(plain(name))),
            None => (words == "OK").then_some(Answer::Clean),
        },
    }
}

/// Fit for a log and a reply.
fn plain(text: &str) -> String {
    let good = |letter: char| letter.is_ascii_graphic() || letter == ' ';
    text.chars()
        .filter(|letter| good(*letter))
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
