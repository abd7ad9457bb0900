//! One message on its way: MAIL, RCPT, DATA or BDAT, in groups if the server pipelines (RFC 2920), and
//! what each reply means for each recipient.

use std::collections::VecDeque;

use super::{Client, Connection, Event, Fate, Loss, Outcome, Phase, State, Transaction};
use crate::Step;
use crate::limits;
use crate::smtp::{Body, Reply};
use crate::stuffing::Stuffer;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Carrying {
    transaction: Transaction,
    /// What is decided, for each recipient.
    fates: Vec<Standing>,
    /// What the replies to come are about, oldest first.
    awaited: VecDeque<Awaited>,
    next: Next,
    mail_accepted: bool,
    accepted: usize,
    sending: Option<Sending>,
    /// The whole body was handed to the carrier.
    all_sent: bool,
}

#[derive(Clone, Debug)]
enum Standing {
    Unasked,
    Accepted,
    Decided(Fate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Reset,
    Mail,
    Rcpt(usize),
    /// The 354.
    Data,
    /// The last word.
    Body,
    /// The reply to the empty body sent because nobody was to get it.
    Nothing,
}

/// The next command to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Reset,
    Mail,
    Rcpt(usize),
    Data,
    Nothing,
}

/// The body, piece by piece.
#[derive(Debug)]
enum Sending {
    Stuffed { sent: usize, stuffer: Stuffer },
    Counted { sent: usize },
}

impl Carrying {
    pub(super) fn phase(&self) -> Phase {
        if self.sending.is_some() {
            return Phase::Data;
        }
        match self.awaited.front() {
            Some(Awaited::Reset | Awaited::Mail) | None => Phase::Mail,
            Some(Awaited::Rcpt(_)) => Phase::Rcpt,
            Some(Awaited::Data) => Phase::Data,
            Some(Awaited::Body | Awaited::Nothing) => Phase::EndOfData,
        }
    }

    fn is_binary(&self) -> bool {
        self.transaction.body_kind == Body::BinaryMime
    }

    /// For all recipients about whom nothing final is known.
    fn decide_open(&mut self, fate: impl Fn(&Standing) -> Fate) {
        for standing in &mut self.fates {
            if !matches!(standing, Standing::Decided(_)) {
                *standing = Standing::Decided(fate(standing));
            }
        }
    }

    fn decide_accepted(&mut self, fate: &Fate) {
        for standing in &mut self.fates {
            if matches!(standing, Standing::Accepted) {
                *standing = Standing::Decided(fate.clone());
            }
        }
    }
}

impl Client {
    pub(super) fn begin_carrying(&mut self, transaction: Transaction) {
        let recipients = transaction.recipients.len();
        self.state = State::Carrying(Box::new(Carrying {
            transaction,
            fates: vec![Standing::Unasked; recipients],
            awaited: VecDeque::new(),
            next: if self.needs_reset {
                Next::Reset
            } else {
                Next::Mail
            },
            mail_accepted: false,
            accepted: 0,
            sending: None,
            all_sent: false,
        }));
        self.needs_reset = false;
    }

    pub(super) fn advance_carrying(&mut self) -> Option<Step<Event>> {
        let State::Carrying(carrying) = &mut self.state else {
            return None;
        };
        if carrying.sending.is_some() {
            if self.out.is_empty() {
                return self.send_body();
            }
            return Some(Step::Send(std::mem::take(&mut self.out)));
        }
        if let Some(line) = self.next_command() {
            self.say(&line);
            return None;
        }
        let State::Carrying(carrying) = &self.state else {
            return None;
        };
        if carrying.awaited.is_empty() && carrying.next == Next::Nothing {
            self.conclude(Connection::Open);
            return None;
        }
        self.listen()
    }

    /// The next command, if it may be said now.
    fn next_command(&mut self) -> Option<String> {
        let State::Carrying(carrying) = &mut self.state else {
            return None;
        };
        let flight = if self.capabilities.pipelining {
            limits::PIPELINE_COMMANDS_MAX
        } else {
            1
        };
        if carrying.awaited.len() >= flight {
            return None;
        }
        match carrying.next {
            Next::Nothing => None,
            Next::Reset => {
                carrying.awaited.push_back(Awaited::Reset);
                carrying.next = Next::Mail;
                Some("RSET".to_owned())
            }
            Next::Mail => {
                carrying.awaited.push_back(Awaited::Mail);
                carrying.next = Next::Rcpt(0);
                Some(carrying.transaction.mail_command(&self.capabilities))
            }
            Next::Rcpt(index) => {
                let Some(recipient) = carrying.transaction.recipients.get(index) else {
                    carrying.next = Next::Data;
                    return self.next_command();
                };
                carrying.awaited.push_back(Awaited::Rcpt(index));
                carrying.next = Next::Rcpt(index + 1);
                Some(recipient.rcpt_command(&self.capabilities))
            }
            Next::Data => self.next_data(),
        }
    }

    /// DATA closes the group. BDAT brings its content along, so it waits until somebody is to get it.
    fn next_data(&mut self) -> Option<String> {
        let State::Carrying(carrying) = &mut self.state else {
            return None;
        };
        let all_answered = carrying.awaited.is_empty();
        if all_answered && carrying.accepted == 0 {
            carrying.next = Next::Nothing;
            return None;
        }
        if !carrying.is_binary() {
            carrying.awaited.push_back(Awaited::Data);
            carrying.next = Next::Nothing;
            return Some("DATA".to_owned());
        }
        if !all_answered {
            return None;
        }
        carrying.next = Next::Nothing;
        carrying.sending = Some(Sending::Counted { sent: 0 });
        Some(format!("BDAT {} LAST", carrying.transaction.body.len()))
    }

    /// The next piece of the body.
    fn send_body(&mut self) -> Option<Step<Event>> {
        let State::Carrying(carrying) = &mut self.state else {
            return None;
        };
        let body = &carrying.transaction.body;
        let mut out = Vec::new();
        let done = match carrying.sending.as_mut()? {
            Sending::Counted { sent } => {
                let piece = piece(body, *sent);
                *sent += piece.len();
                out.extend_from_slice(piece);
                *sent >= body.len()
            }
            Sending::Stuffed { sent, stuffer } => {
                let piece = piece(body, *sent);
                *sent += piece.len();
                out.reserve(piece.len() + piece.len() / 64 + 16);
                stuffer.push(piece, &mut out);
                let done = *sent >= body.len();
                if done {
                    std::mem::take(stuffer).finish(&mut out);
                }
                done
            }
        };
        if done {
            carrying.sending = None;
            carrying.all_sent = true;
            carrying.awaited.push_back(Awaited::Body);
            let note = format!("({} bytes of message)", body.len());
            self.transcript.sent(&note);
        }
        if out.is_empty() {
            None
        } else {
            Some(Step::Send(out))
        }
    }

    pub(super) fn carrying_reply(&mut self, reply: Reply) {
        let phase = self.phase();
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        let Some(awaited) = carrying.awaited.pop_front() else {
            return self.lost(Loss::NotSmtp);
        };
        if reply.code() == 421 {
            // The server goes away: this is its answer to all that is still open. RFC 5321 §3.8.
            carrying.decide_open(|_| Fate::Refused {
                phase,
                reply: reply.clone(),
            });
            return self.conclude(Connection::Lost);
        }
        match awaited {
            Awaited::Reset if reply.is_positive() => {}
            Awaited::Reset => self.lost_in(phase, Loss::NotSmtp),
            Awaited::Mail => self.mail_reply(reply),
            Awaited::Rcpt(index) => self.rcpt_reply(index, reply),
            Awaited::Data => self.data_reply(reply),
            Awaited::Body => self.body_reply(reply),
            Awaited::Nothing => self.needs_reset = true,
        }
    }

    fn mail_reply(&mut self, reply: Reply) {
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        if reply.is_positive() {
            carrying.mail_accepted = true;
            return;
        }
        carrying.decide_open(|_| Fate::Refused {
            phase: Phase::Mail,
            reply: reply.clone(),
        });
        carrying.next = Next::Nothing;
    }

    fn rcpt_reply(&mut self, index: usize, reply: Reply) {
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        let Some(standing) = carrying.fates.get_mut(index) else {
            return;
        };
        if matches!(standing, Standing::Decided(_)) {
            return;
        }
        if reply.is_positive() {
            *standing = Standing::Accepted;
            carrying.accepted += 1;
        } else {
            *standing = Standing::Decided(Fate::Refused {
                phase: Phase::Rcpt,
                reply,
            });
        }
    }

    fn data_reply(&mut self, reply: Reply) {
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        if reply.code() == 354 {
            if !self.replies.is_empty() {
                // It answers what we have not said.
                return self.lost_in(Phase::Data, Loss::NotSmtp);
            }
            if carrying.accepted > 0 {
                carrying.sending = Some(Sending::Stuffed {
                    sent: 0,
                    stuffer: Stuffer::default(),
                });
            } else {
                // RFC 2920 §3.1: the group said DATA before we knew that nobody was to get it.
                carrying.awaited.push_back(Awaited::Nothing);
                self.out.extend_from_slice(b".\r\n");
                self.transcript.sent("(nothing, for no recipient)");
            }
            return;
        }
        if reply.is_positive() || reply.code() / 100 == 3 {
            return self.lost_in(Phase::Data, Loss::NotSmtp);
        }
        carrying.decide_accepted(&Fate::Refused {
            phase: Phase::Data,
            reply,
        });
        self.needs_reset = true;
    }

    fn body_reply(&mut self, reply: Reply) {
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        let fate = if reply.is_positive() {
            Fate::Delivered(reply)
        } else {
            Fate::Refused {
                phase: Phase::EndOfData,
                reply,
            }
        };
        carrying.decide_accepted(&fate);
    }

    pub(super) fn carrying_lost(&mut self, phase: Phase, loss: Loss) {
        let State::Carrying(carrying) = &mut self.state else {
            return;
        };
        let all_sent = carrying.all_sent;
        carrying.decide_open(|standing| match standing {
            Standing::Accepted if all_sent => Fate::InDoubt { loss: loss.clone() },
            _ => Fate::NotDelivered {
                phase,
                loss: loss.clone(),
            },
        });
        self.conclude(Connection::Lost);
    }

    /// Hands the outcome out.
    fn conclude(&mut self, mut connection: Connection) {
        let State::Carrying(carrying) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        self.needs_reset |= carrying.mail_accepted && !carrying.all_sent;
        if connection == Connection::Open && !self.replies.is_empty() {
            self.transcript
                .note("the server says more than it was asked");
            connection = Connection::Lost;
        }
        if connection == Connection::Lost {
            self.out.clear();
            self.state = State::Closed;
        }
        // Nothing is open any more: every reply has come, or the end has decided for it.
        let fates = carrying.fates.into_iter().map(|standing| match standing {
            Standing::Decided(fate) => fate,
            Standing::Unasked | Standing::Accepted => Fate::NotDelivered {
                phase: Phase::Rcpt,
                loss: Loss::NotSmtp,
            },
        });
        self.pending = Some(Event::Finished(Outcome {
            recipients: fates.collect(),
            connection,
            first: self.messages == 1,
            dsn_passed_on: self.capabilities.dsn,
        }));
    }
}

fn piece(body: &[u8], from: usize) -> &[u8] {
    let to = from
        .saturating_add(limits::SEND_BYTES_CHUNK)
        .min(body.len());
    body.get(from..to).unwrap_or_default()
}
