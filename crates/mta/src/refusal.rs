//! Why mail is not taken, as values with reasons; and, in one place, what an SMTP peer is told.

use mail::submission::PrepareError;
use mail::{Address, UnixMillis, date};
use store::StoreError;
use wire::smtp::{EnhancedCode, Reply};

use crate::forward::SrsProblem;

/// Who must act on a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The sender: 5xx.
    Peer,
    /// Nobody, it passes: 4xx.
    Time,
    /// Whoever runs this server: 4xx, and an alert.
    Operator,
    /// Us: 4xx, and an error in the log.
    Bug,
}

/// Why mail is not taken, now or at all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is not known here; please check the address")]
    NoSuchUser(Address),
    #[error(
        "{0} does not belong to this server, which takes mail for others from its own users only: \
         please log in first"
    )]
    RelayDenied(Address),
    #[error("the mailbox of {0} is out of use for now")]
    Disabled(Address),
    #[error("the mailbox of {0} is full")]
    OverQuota(Address),
    #[error("one recipient at a time for mail with an empty sender")]
    NullSenderManyRecipients,
    #[error("{0} is not one of your addresses: you may send as those only")]
    NotYours(Address),
    #[error("{0}")]
    Unfit(PrepareError),
    #[error("the message goes in circles: it has passed {hosts} servers")]
    Loop { hosts: usize },
    #[error("the message goes in circles: it has passed this server {times} times")]
    OwnLoop { times: usize },
    #[error("too many connections from your address at once")]
    TooManyFromAddress,
    #[error("too many new connections from your address; please come back in some minutes")]
    TooOften,
    #[error("too much mail from your address in a short time; please send the rest later")]
    TooMuchMail,
    #[error("too many of the addresses you tried are not known here; please come back later")]
    TooManyUnknown,
    #[error("you greeted this server with its own name; please say your own in EHLO")]
    OurName,
    #[error("your address is shut out for some time: it {}", .cause.words())]
    Banned { cause: store::bans::Cause },
    /// Greylisting.
    #[error(
        "this sender is not known here and {why}; please try again in {minutes} minutes, as mail servers do by \
         themselves, and the message will be taken"
    )]
    ComeAgain { why: &'static str, minutes: u64 },
    #[error("too many connections at once; please try again soon")]
    TooManyConnections,
    #[error("too many connections of your account at once")]
    TooManyOfAccount,
    #[error("the name or the password is wrong")]
    WrongLogin,
    #[error("your log-in has ended; please log in again")]
    LoggedOut,
    #[error("too many failed log-ins; please wait some minutes")]
    Throttled,
    #[error("this server has much to do; please try again soon")]
    NoMemory,
    #[error("no space is left here; please try again later")]
    DiskFull,
    #[error("mail cannot be stored now; please try again later")]
    Store,
    #[error("an error of this server; please try again later")]
    Bug,
    #[error("the message has no recipients")]
    NoRecipients,
    #[error("{address} was the return address of mail that this server passed on; {problem}")]
    ReturnAddress {
        address: Address,
        problem: SrsProblem,
    },
    /// By the policy of its author's domain, in words for its sender, a line each.
    #[error("{}", .0.replace('\n', " "))]
    Policy(Box<str>),
    #[error("{0}")]
    DnsTrouble(Box<str>),
    #[error(
        "mail for {0} would be passed on to another server, which does not take what {1}; it is refused \
         here, so that its sender knows"
    )]
    NotPassedOn(Address, WhyKept),
    #[error("the message goes in circles: it was passed on for {0} before")]
    ForwardLoop(Address),
    #[error("too many reports wait to be read here; please try again later")]
    TooManyReports,
    #[error("the report is larger than what is read here")]
    ReportTooLarge,
    #[error(
        "sending from this account is locked since {}: somebody else may be using it. A message in your inbox says why, \
         and how it is released",
        date::format(*since)
    )]
    SendingLocked { since: UnixMillis },
    #[error("it holds a virus: {0}")]
    Virus(Box<str>),
    #[error("{0}")]
    Attachment(Box<str>),
    /// In the words of a filter of this installation.
    #[error("{}", .reply.text().replace('\n', " "))]
    Filter { name: Box<str>, reply: Box<Reply> },
    #[error("the message cannot be looked at now ({0}); please try again later")]
    FilterDown(Box<str>),
    #[error("no room is left for messages like this one; please try again later")]
    QuarantineFull,
}

/// Why a message does not leave for another server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyKept {
    /// What the spam filter says: it may be wrong.
    #[error("looks like junk")]
    Junk,
    #[error("holds attachments of this kind")]
    Attachments,
    /// Its author's domain does not stand behind it; in words.
    #[error("{0}")]
    Sender(Box<str>),
}

impl Refusal {
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoSuchUser(_)
            | Self::RelayDenied(_)
            | Self::NotYours(_)
            | Self::Unfit(_)
            | Self::Loop { .. }
            | Self::OwnLoop { .. }
            | Self::OurName
            | Self::WrongLogin
            | Self::NoRecipients
            | Self::ReturnAddress { .. }
            | Self::Policy(_)
            | Self::NotPassedOn(..)
            | Self::ForwardLoop(_)
            | Self::ReportTooLarge
            | Self::SendingLocked { .. }
            | Self::Virus(_)
            | Self::Attachment(_) => Blame::Peer,
            Self::Filter { reply, .. } if reply.code() < 500 => Blame::Time,
            Self::Filter { .. } => Blame::Peer,
            Self::Disabled(_)
            | Self::OverQuota(_)
            | Self::NullSenderManyRecipients
            | Self::TooManyFromAddress
            | Self::TooOften
            | Self::TooMuchMail
            | Self::TooManyUnknown
            | Self::Banned { .. }
            | Self::ComeAgain { .. }
            | Self::TooManyConnections
            | Self::TooManyOfAccount
            | Self::LoggedOut
            | Self::Throttled
            | Self::NoMemory
            | Self::DnsTrouble(_)
            | Self::TooManyReports => Blame::Time,
            Self::DiskFull | Self::Store | Self::FilterDown(_) | Self::QuarantineFull => {
                Blame::Operator
            }
            Self::Bug => Blame::Bug,
        }
    }

    /// What an SMTP peer is told. The codes are those of RFC 5321 §4.2 and RFC 3463.
    pub fn reply(&self) -> Reply {
        let (code, status) = match self {
            Self::NoSuchUser(_) => (550, EnhancedCode(5, 1, 1)),
            Self::RelayDenied(_) => (550, EnhancedCode(5, 7, 1)),
            Self::Disabled(_) => (450, EnhancedCode(4, 2, 1)),
            Self::OverQuota(_) => (452, EnhancedCode(4, 2, 2)),
            Self::NullSenderManyRecipients => (452, EnhancedCode(4, 5, 3)),
            Self::NotYours(_) => (553, EnhancedCode(5, 7, 1)),
            Self::Unfit(_) => (554, EnhancedCode(5, 6, 0)),
            Self::Loop { .. } | Self::OwnLoop { .. } => (554, EnhancedCode(5, 4, 6)),
            Self::TooManyFromAddress
            | Self::TooManyOfAccount
            | Self::TooOften
            | Self::Banned { .. }
            | Self::LoggedOut
            | Self::Throttled => (421, EnhancedCode(4, 7, 0)),
            Self::TooMuchMail | Self::TooManyUnknown => (450, EnhancedCode(4, 7, 1)),
            Self::ComeAgain { .. } => (451, EnhancedCode(4, 7, 1)),
            Self::OurName => (550, EnhancedCode(5, 7, 1)),
            Self::TooManyConnections => (421, EnhancedCode(4, 3, 2)),
            Self::WrongLogin => (535, EnhancedCode(5, 7, 8)),
            Self::NoMemory | Self::DiskFull => (452, EnhancedCode(4, 3, 1)),
            Self::Store | Self::Bug => (451, EnhancedCode(4, 3, 0)),
            Self::NoRecipients => (554, EnhancedCode(5, 5, 1)),
            Self::ReturnAddress { .. } | Self::Policy(_) | Self::NotPassedOn(..) => {
                (550, EnhancedCode(5, 7, 1))
            }
            Self::DnsTrouble(_) => (451, EnhancedCode(4, 7, 0)),
            Self::ForwardLoop(_) => (554, EnhancedCode(5, 4, 6)),
            Self::TooManyReports => (452, EnhancedCode(4, 3, 1)),
            Self::SendingLocked { .. } => (550, EnhancedCode(5, 7, 1)),
            Self::ReportTooLarge => (552, EnhancedCode(5, 3, 4)),
            Self::Virus(_) | Self::Attachment(_) => (554, EnhancedCode(5, 7, 1)),
            Self::Filter { reply, .. } => return reply.as_ref().clone(),
            Self::FilterDown(_) => (451, EnhancedCode(4, 7, 1)),
            Self::QuarantineFull => (452, EnhancedCode(4, 3, 1)),
        };
        let text = match self {
            Self::Policy(lines) => lines.to_string(),
            other => other.to_string(),
        };
        Reply::new(code, status, text)
    }
}

impl From<world::NoRoom> for Refusal {
    fn from(_: world::NoRoom) -> Self {
        Self::NoMemory
    }
}

/// Store trouble is never the sender's fault. Says what happened in the log, not to the peer.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.needs_operator() {
            tracing::error!(%error, "the store refused");
        }
        match error {
            StoreError::Full => Self::DiskFull,
            StoreError::Panicked => Self::Bug,
            _ => Self::Store,
        }
    }
}

impl From<store::MessageError> for Refusal {
    fn from(error: store::MessageError) -> Self {
        match error {
            store::MessageError::Store(error) => error.into(),
            // An account vanished between RCPT and the end of DATA: the next try hears 550.
            other => {
                tracing::warn!(error = %other, "a delivery could not be filed");
                Self::Store
            }
        }
    }
}

impl From<store::reports::TakeReportError> for Refusal {
    fn from(error: store::reports::TakeReportError) -> Self {
        use store::reports::TakeReportError as Error;
        match error {
            Error::TooManyWaiting => Self::TooManyReports,
            Error::TooLarge => Self::ReportTooLarge,
            // The domain was removed a moment ago.
            Error::NoReportAddress(address) => Self::NoSuchUser(address),
            Error::Store(error) => error.into(),
        }
    }
}

impl From<store::held::HoldError> for Refusal {
    fn from(error: store::held::HoldError) -> Self {
        match error {
            store::held::HoldError::Full => {
                tracing::error!(
                    "the quarantine is full: look at it with: postroad quarantine list"
                );
                Self::QuarantineFull
            }
            store::held::HoldError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
