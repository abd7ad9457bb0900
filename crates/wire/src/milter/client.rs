//! The machine: agrees with a filter on what it sees, then tells it one message after another.
//!
//! Order of use: `step` until [`Event::Ready`]; then [`Client::tell`] or [`Client::quit`]; `step` until [`Event::Finished`]; again.
//! After [`Event::Failed`] only [`Step::Close`] follows: a filter that was out of step once is not believed again.

use std::time::Duration;

use super::flags::{VERSION, VERSION_MIN, VERSION_WITH_REUSE};
use super::packet::{Front, Packet, Packets};
use super::reply::{Change, Reply};
use super::telling::{self, Agreed, At, Telling};
use super::work::{Connection, Failure, Outcome, Said, Settings, Work};
use crate::limits::{MILTER_CHANGES_BYTES_MAX, SEND_BYTES_CHUNK};
use crate::smtp::{self, EnhancedCode};
use crate::{Machine, Step, TlsFacts};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Both sides agree. Answer by [`Client::tell`] or [`Client::quit`].
    Ready,
    /// What it says of the message. Answer as for [`Event::Ready`].
    Finished(Outcome),
    /// It is of no use. Nothing to answer.
    Failed(Failure),
}

/// One conversation with one filter.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    state: State,
    agreed: Agreed,
    packets: Packets,
    out: Vec<u8>,
    pending: Option<Event>,
    /// The peer that the filter was told of; another one needs a new beginning.
    known: Option<Peer>,
    /// The filter has a message of which it did not see the end.
    unfinished: bool,
    tellings: u32,
}

/// Who speaks to us, and what the filter was told of the door that they came to: `{daemon_name}`, `{tls_version}`.
#[derive(Debug, PartialEq, Eq)]
struct Peer {
    connection: Connection,
    macros: Vec<(String, String)>,
}

#[derive(Debug)]
enum State {
    Agreeing,
    Idle,
    Telling(Box<Telling>),
    Closing,
    Closed,
}

impl Client {
    pub fn new(settings: Settings) -> Self {
        let mut out = Vec::with_capacity(17);
        Packet::begin(&mut out, b'O')
            .number(VERSION)
            .number(settings.actions.0)
            .number(settings.steps.0)
            .end();
        Self {
            settings,
            state: State::Agreeing,
            agreed: Agreed::default(),
            packets: Packets::default(),
            out,
            pending: None,
            known: None,
            unfinished: false,
            tellings: 0,
        }
    }

    /// Whether this message can follow on this connection.
    pub fn is_fit_for(&self, work: &Work) -> bool {
        let same = |known: &Peer| *known == self.peer(work);
        self.lasts()
            && (self.agreed.version >= VERSION_WITH_REUSE || self.known.as_ref().is_none_or(same))
    }

    fn peer(&self, work: &Work) -> Peer {
        Peer {
            connection: work.connection.clone(),
            macros: telling::greeting(&self.agreed, work),
        }
    }

    /// Whether a message can follow on this connection at all: after [`Event::Finished`] it may be over.
    pub fn lasts(&self) -> bool {
        matches!(self.state, State::Idle) && self.pending.is_none() && self.packets.is_empty()
    }

    /// Messages begun on this connection.
    pub fn tellings(&self) -> u32 {
        self.tellings
    }

    /// Begins a message; call `step` next. Nothing happens where none may begin.
    pub fn tell(&mut self, work: Work) {
        if !self.is_fit_for(&work) {
            return;
        }
        let peer = self.peer(&work);
        let same = self.known.as_ref() == Some(&peer);
        let from = match &self.known {
            None => At::Connect,
            Some(_) if same => At::Mail,
            Some(_) => {
                // Ends this peer and keeps the connection (`SMFIC_QUIT_NC`).
                Packet::begin(&mut self.out, b'K').end();
                At::Connect
            }
        };
        if same && self.unfinished {
            Packet::begin(&mut self.out, b'A').end();
        }
        let told_before = self.known.replace(peer).is_some();
        self.unfinished = true;
        self.tellings += 1;
        self.state = State::Telling(Box::new(Telling::new(work, from, told_before)));
    }

    /// Ends the conversation; call `step` until it closes.
    pub fn quit(&mut self) {
        if matches!(self.state, State::Idle) && self.pending.is_none() {
            Packet::begin(&mut self.out, b'Q').end();
            self.state = State::Closing;
        } else {
            self.state = State::Closed;
        }
    }

    fn patience(&self) -> Duration {
        match &self.state {
            State::Agreeing => self.settings.patience_at_first,
            State::Telling(telling) if telling.asked == Some(At::End) => {
                self.settings.patience_at_end
            }
            _ => self.settings.patience,
        }
    }

    fn fail(&mut self, failure: Failure) {
        if matches!(self.state, State::Idle) {
            // Nobody waits: the next message finds it closed.
            self.state = State::Closed;
        } else if !matches!(self.state, State::Closed | State::Closing) {
            self.state = State::Closed;
            self.pending = Some(Event::Failed(failure));
        }
        self.out.clear();
        self.packets.clear();
    }

    /// Acts on one whole packet, if there is one.
    fn hear(&mut self) -> Result<bool, Failure> {
        let reply = match self.packets.next() {
            Front::Partial => return Ok(false),
            Front::Bad => return Err(Failure::Packet),
            Front::Whole { command, data } => Reply::parse(command, data)?,
        };
        match (&mut self.state, reply) {
            (
                State::Agreeing,
                Reply::Agreed {
                    version,
                    actions,
                    steps,
                    macros,
                },
            ) => {
                if !(VERSION_MIN..=VERSION).contains(&version) {
                    return Err(Failure::Version(version));
                }
                if !self.settings.actions.has(actions) || !self.settings.steps.has(steps) {
                    return Err(Failure::Wants(steps.0, actions.0));
                }
                self.agreed = Agreed {
                    version,
                    actions,
                    steps,
                    macros: macros.into_iter().collect(),
                };
                self.state = State::Idle;
                self.pending = Some(Event::Ready);
            }
            (State::Agreeing, reply) => return Err(unexpected(&reply)),
            (State::Telling(_), reply) => self.told(reply)?,
            // What is left of a conversation that is over.
            (State::Closing | State::Closed, _) => {}
            (State::Idle, reply) => return Err(unexpected(&reply)),
        }
        Ok(true)
    }

    fn told(&mut self, reply: Reply) -> Result<(), Failure> {
        let State::Telling(telling) = &mut self.state else {
            return Ok(());
        };
        let Some(asked) = telling.asked else {
            return Err(unexpected(&reply));
        };
        match reply {
            Reply::Progress => {}
            Reply::Change(change) if asked == At::End => {
                if !self.agreed.actions.has(change.needs()) && !is_tolerated(&self.agreed, &change)
                {
                    return Err(Failure::NotAgreed);
                }
                add(&self.settings, &self.agreed, telling, change)?;
            }
            Reply::Continue => {
                telling.asked = None;
                if asked == At::End {
                    self.finish(Said::Pass);
                }
            }
            Reply::Skip => {
                telling.asked = None;
                if asked == At::End {
                    return Err(Failure::Unexpected("skip"));
                }
                telling.skip(asked);
            }
            Reply::Accept => {
                self.unfinished = asked != At::End;
                self.finish(Said::Pass);
            }
            Reply::Discard => self.finish(Said::Discard),
            Reply::Reject => self.refuse(asked, rejected()),
            Reply::TryLater | Reply::Shutdown => self.refuse(asked, later()),
            Reply::Words(words) => self.refuse(asked, words),
            Reply::Agreed { .. } | Reply::Change(_) => return Err(unexpected(&reply)),
        }
        Ok(())
    }

    /// A refused recipient does not get it; anything else that is refused is so for all.
    fn refuse(&mut self, asked: At, words: smtp::Reply) {
        let State::Telling(telling) = &mut self.state else {
            return;
        };
        match asked {
            At::Recipient(number) => {
                telling.asked = None;
                telling.outcome.refused.push((number, words));
                if telling.outcome.refused.len() == telling.work.recipients.len() {
                    self.finish(Said::Pass);
                }
            }
            _ => self.finish(Said::Refuse(words)),
        }
    }

    fn finish(&mut self, said: Said) {
        if let State::Telling(telling) = std::mem::replace(&mut self.state, State::Idle) {
            let at_end = telling.next == At::Over;
            self.unfinished = !at_end;
            // What is said to the peer's greeting holds for all its messages; the next asks anew.
            if matches!(telling.next, At::Hello | At::Mail) {
                self.known = None;
                self.state = State::Closing;
                self.out.clear();
                Packet::begin(&mut self.out, b'Q').end();
            }
            let mut outcome = telling.outcome;
            if said != Said::Pass {
                outcome.changes.clear();
            }
            outcome.said = said;
            self.pending = Some(Event::Finished(outcome));
        }
        self.packets.clear_if_empty();
    }
}

impl Machine for Client {
    type Event = Event;

    fn receive(&mut self, bytes: &[u8]) {
        if !self.packets.push(bytes) {
            self.fail(Failure::Packet);
        }
    }

    fn end_of_input(&mut self) {
        // What it said before is still heard.
        while self.pending.is_none() {
            match self.hear() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => return self.fail(failure),
            }
        }
        if self.pending.is_none() {
            self.fail(Failure::Closed);
        } else {
            self.state = State::Closed;
        }
    }

    fn timed_out(&mut self) {
        self.fail(Failure::TimedOut);
    }

    fn tls_started(&mut self, _facts: TlsFacts) {}

    fn step(&mut self) -> Step<Event> {
        loop {
            if let Some(event) = self.pending.take() {
                return Step::Event(event);
            }
            match self.hear() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failure) => {
                    self.fail(failure);
                    continue;
                }
            }
            if let State::Telling(telling) = &mut self.state {
                while telling.asked.is_none()
                    && telling.next != At::Over
                    && self.out.len() < SEND_BYTES_CHUNK
                {
                    telling.say(&self.agreed, &mut self.out);
                }
            }
            if !self.out.is_empty() {
                return Step::Send(std::mem::take(&mut self.out));
            }
            return match self.state {
                State::Closed | State::Closing => Step::Close,
                _ => Step::NeedInput {
                    patience: self.patience(),
                },
            };
        }
    }
}

/// `smfi_addrcpt_par` needs a permission of its own; filters are not that exact with parameters that are empty.
fn is_tolerated(agreed: &Agreed, change: &Change) -> bool {
    match change {
        Change::AddRecipient { .. } => {
            agreed.actions.has(super::Actions::ADD_RECIPIENTS)
                || agreed
                    .actions
                    .has(super::Actions::ADD_RECIPIENTS_WITH_PARAMETERS)
        }
        // Sendmail takes an added field from who may change fields.
        Change::AddHeader { .. } | Change::InsertHeader { .. } => {
            agreed.actions.has(super::Actions::CHANGE_HEADERS)
        }
        _ => false,
    }
}

fn add(
    settings: &Settings,
    agreed: &Agreed,
    telling: &mut Telling,
    change: Change,
) -> Result<(), Failure> {
    let changes = &mut telling.outcome.changes;
    let change = match change {
        Change::ReplaceBody(piece) => {
            // All pieces are one change, wherever they come.
            let body = changes.iter_mut().find_map(|change| match change {
                Change::ReplaceBody(body) => Some(body),
                _ => None,
            });
            match body {
                Some(body) if settings.body_bytes_max < body.len() + piece.len() => {
                    return Err(Failure::BodyTooLarge);
                }
                Some(body) => {
                    body.extend_from_slice(&piece);
                    return Ok(());
                }
                None => Change::ReplaceBody(piece),
            }
        }
        other => with_space(other, agreed),
    };
    telling.change_bytes += change.size();
    if settings.changes_max <= changes.len() || MILTER_CHANGES_BYTES_MAX < telling.change_bytes {
        return Err(Failure::TooManyChanges);
    }
    changes.push(change);
    Ok(())
}

/// Where values travel without the space after the colon, it is put back.
fn with_space(mut change: Change, agreed: &Agreed) -> Change {
    if !agreed.steps.has(super::Steps::LEADING_SPACE)
        && let Change::AddHeader { value, .. }
        | Change::InsertHeader { value, .. }
        | Change::ChangeHeader { value, .. } = &mut change
        && !value.is_empty()
    {
        value.insert(0, b' ');
    }
    change
}

fn rejected() -> smtp::Reply {
    smtp::Reply::fixed(
        550,
        EnhancedCode(5, 7, 1),
        "a filter of this server refuses it",
    )
}

fn later() -> smtp::Reply {
    smtp::Reply::fixed(
        451,
        EnhancedCode(4, 7, 1),
        "a filter of this server puts it off; please try again later",
    )
}

fn unexpected(reply: &Reply) -> Failure {
    Failure::Unexpected(match reply {
        Reply::Agreed { .. } => "what it wants to see",
        Reply::Continue => "continue",
        Reply::Accept => "accept",
        Reply::Discard => "discard",
        Reply::Reject => "reject",
        Reply::TryLater => "try later",
        Reply::Skip => "skip",
        Reply::Shutdown => "close the connection",
        Reply::Words(_) => "a reply",
        Reply::Progress => "that it works on it",
        Reply::Change(_) => "a change",
    })
}
