//! What a remote server's answer means for a recipient: done, try again, or give up.
//! In doubt it is temporary: a wrong 5xx loses mail, a wrong 4xx costs a retry.

use doctor::replies;
use wire::smtp::client::{Failure, Fate, Phase, Unsendable};
use wire::smtp::{EnhancedCode, Reply};

use crate::limits;

/// The result of one attempt for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered(Answer),
    Temporary(Answer),
    Permanent(Answer),
}

/// Who said what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The remote host's name, if one was reached.
    pub(crate) host: Option<String>,
    pub(crate) status: EnhancedCode,
    /// One line: the server's own words, or ours when it said nothing.
    pub(crate) text: String,
    pub(crate) voice: Voice,
    /// A remote server's reply in full, for understanding it.
    pub(crate) said: Option<Said>,
}

/// A reply as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) phase: replies::Phase,
    /// All lines, each with its codes.
    pub(crate) lines: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// The text is a remote server's reply.
    Remote,
    /// The text is our own.
    Ours,
}

impl Verdict {
    pub(crate) fn answer(&self) -> &Answer {
        match self {
            Self::Delivered(answer) | Self::Temporary(answer) | Self::Permanent(answer) => answer,
        }
    }
}

/// From the fate that the machine reports.
pub(crate) fn of_fate(host: &str, fate: &Fate) -> Verdict {
    match fate {
        Fate::Delivered(reply) => Verdict::Delivered(said(host, Phase::EndOfData, reply)),
        Fate::Refused { phase, reply } if is_final(*phase, reply) => {
            Verdict::Permanent(said(host, *phase, reply))
        }
        Fate::Refused { phase, reply } => Verdict::Temporary(said(host, *phase, reply)),
        Fate::NotDelivered { phase, loss } => Verdict::Temporary(ours(
            host,
            EnhancedCode(4, 4, 2),
            format!("{phase}: {loss}"),
        )),
        Fate::InDoubt { loss } => Verdict::Temporary(ours(
            host,
            EnhancedCode(4, 4, 2),
            format!("the whole message was sent, but no answer came: {loss}"),
        )),
    }
}

/// No message came so far as to be offered.
pub(crate) fn of_failure(host: &str, failure: &Failure) -> Verdict {
    match failure {
        // A 5xx before MAIL is about us and that host, not about the message: other hosts or later
        // days may differ.
        Failure::Refused { phase, reply } => Verdict::Temporary(said(host, *phase, reply)),
        Failure::Lost { phase, loss } => Verdict::Temporary(ours(
            host,
            EnhancedCode(4, 4, 2),
            format!("{phase}: {loss}"),
        )),
    }
}

/// The server lacks what the message needs.
pub(crate) fn of_unsendable(host: &str, why: Unsendable) -> Verdict {
    let answer = |status| ours(host, status, why.to_string());
    match why {
        // RFC 6531 §3.5.
        Unsendable::NeedsSmtpUtf8 => Verdict::Permanent(answer(EnhancedCode(5, 6, 7))),
        // RFC 8689 §4.2.1.
        Unsendable::NeedsRequireTls => Verdict::Permanent(answer(EnhancedCode(5, 7, 30))),
        Unsendable::TooBig { .. } => Verdict::Permanent(answer(EnhancedCode(5, 3, 4))),
        // We convert both before; whoever wrote them past that has written no mail.
        Unsendable::NeedsBinaryMime | Unsendable::Nul => {
            Verdict::Permanent(answer(EnhancedCode(5, 6, 1)))
        }
        Unsendable::NoRecipients | Unsendable::NotReady => {
            Verdict::Temporary(answer(EnhancedCode(4, 3, 0)))
        }
    }
}

pub(crate) fn ours(host: &str, status: EnhancedCode, text: String) -> Answer {
    Answer {
        host: Some(host.to_owned()),
        status,
        text,
        voice: Voice::Ours,
        said: None,
    }
}

pub(crate) fn nobody(status: EnhancedCode, text: String) -> Answer {
    Answer {
        host: None,
        status,
        text,
        voice: Voice::Ours,
        said: None,
    }
}

fn said(host: &str, phase: Phase, reply: &Reply) -> Answer {
    Answer {
        host: Some(host.to_owned()),
        status: status_of(reply),
        text: tame(&reply.to_string()),
        voice: Voice::Remote,
        said: Some(Said {
            phase: phase_of(phase),
            lines: lines_of(reply),
        }),
    }
}

fn lines_of(reply: &Reply) -> String {
    let enhanced = reply.enhanced().map(|code| format!(" {code}"));
    let enhanced = enhanced.unwrap_or_default();
    let lines = reply
        .lines()
        .filter(|line| !line.is_empty())
        .take(limits::REPLY_LINES_MAX);
    let mut text = format!("{}{enhanced}", reply.code());
    for (number, line) in lines.enumerate() {
        if number > 0 {
            text.push_str(&format!("\n{}{enhanced}", reply.code()));
        }
        text.push(' ');
        text.push_str(&tame(line));
    }
    text
}

fn phase_of(phase: Phase) -> replies::Phase {
    match phase {
        Phase::Greeting => replies::Phase::Connect,
        Phase::Hello => replies::Phase::Helo,
        Phase::StartTls => replies::Phase::Tls,
        Phase::Mail => replies::Phase::Mail,
        Phase::Rcpt => replies::Phase::Rcpt,
        Phase::Data => replies::Phase::Data,
        Phase::EndOfData => replies::Phase::End,
        Phase::Auth | Phase::Idle | Phase::Quit => replies::Phase::Unknown,
    }
}

/// The peer chose these words: they go into logs and reports, so they are short and printable.
pub(super) fn tame(text: &str) -> String {
    let letters = text.chars().take(limits::REPLY_CHARS_MAX);
    letters
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

fn is_final(phase: Phase, reply: &Reply) -> bool {
    if !reply.is_permanent() {
        return false;
    }
    // RFC 5321 §4.5.3.1.10: old servers say 552 when there are too many recipients.
    let too_many = reply
        .enhanced()
        .is_some_and(|code| (code.1, code.2) == (5, 3));
    match phase {
        Phase::Mail | Phase::Data | Phase::EndOfData => true,
        Phase::Rcpt => !(too_many && matches!(reply.code(), 552 | 452)),
        // 421 and friends between messages, and everything before MAIL.
        _ => false,
    }
}

/// The enhanced code, or the nearest one to a bare code (RFC 3463 §2).
fn status_of(reply: &Reply) -> EnhancedCode {
    let class = match reply.code() / 100 {
        2 => 2,
        5 => 5,
        _ => 4,
    };
    match reply.enhanced() {
        // A class that contradicts the code is believed as the code says (RFC 2034 §4).
        Some(EnhancedCode(_, subject, detail)) => EnhancedCode(class, subject, detail),
        None => match reply.code() {
            550 | 450 | 553 => EnhancedCode(class, 1, 1),
            552 | 452 => EnhancedCode(class, 2, 2),
            _ => EnhancedCode(class, 0, 0),
        },
    }
}

#[cfg(test)]
mod tests;
