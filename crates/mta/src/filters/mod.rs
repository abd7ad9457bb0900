//! Programs of others that look at a message before it is taken: clamd for viruses, milters for anything; and, before them, the rules for
//! attachments, which need no program. All see the whole message after its end; see docs/decisions/0010.
//!
//! The order is attachments, clamd, milters: what costs least first. Each milter sees what the former ones changed.

mod attachments;
mod clamd;
mod connect;
mod milter;
mod said;
mod settings;
mod standing;
mod turns;
mod work;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use bytes::Bytes;
use mail::{Address, ReversePath, TraceId, UnixMillis};
use spam::facts::OtherFilter;
use store::AccountId;
use store::held::{HeldFor, NewHeld};
use store::queue::MessageDsn;
use wire::milter::{Change, Said};
use wire::smtp::{EnhancedCode, Reply};

use crate::envelope::Routed;
use crate::receive::{decide_recipient, gather_recipient};
use crate::refusal::{Refusal, WhyKept};
use crate::{Door, Inner, limits};

pub use attachments::{Action, built_in_action};
pub(crate) use milter::Idle;
pub use settings::{
    Filter, FilterAddress, FilterDoors, FilterSettings, WhenTooLarge, WhenUnavailable,
};
pub(crate) use standing::{Standing, note_held};

/// Whose mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Inbound,
    Submission,
}

/// What is to be looked at.
pub(crate) struct Case<'a> {
    pub(crate) way: Way,
    pub(crate) trace: TraceId,
    /// Nothing for what a program of ours submits.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) hello: &'a str,
    /// Confirmed by a forward look-up.
    pub(crate) reverse_name: Option<&'a str>,
    /// Version and cipher.
    pub(crate) tls: Option<&'a str>,
    /// Who is logged in.
    pub(crate) user: Option<(AccountId, &'a Address)>,
    pub(crate) from: &'a ReversePath,
    pub(crate) dsn: &'a MessageDsn,
    pub(crate) smtputf8: bool,
    pub(crate) recipients: &'a [Routed],
    pub(crate) message: &'a Bytes,
    pub(crate) now: UnixMillis,
}

/// What came out for a message that is not refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screened {
    /// As filters changed it; nothing: as it came.
    pub(crate) message: Option<Bytes>,
    pub(crate) from: Option<ReversePath>,
    pub(crate) recipients: Option<Vec<Routed>>,
    /// Recipients that do not get it, and are not among the others any more.
    pub(crate) refused: Vec<(Routed, Refusal)>,
    /// Why it belongs into the junk folder.
    pub(crate) junk: Option<String>,
    /// Why it is not delivered yet.
    pub(crate) hold: Option<NewHeld>,
    /// For the spam verdict.
    pub(crate) said: Vec<OtherFilter>,
    /// The message taken apart, as it is now, if somebody had to look at it.
    pub(crate) sight: Option<std::sync::Arc<spam::Sight>>,
}

/// What the filters of this installation share.
#[derive(Default)]
pub(crate) struct Filters {
    pub(crate) idle: Idle,
    pub(crate) standing: Standing,
    pub(crate) turns: turns::Turns,
}

/// Asks everybody. An error is the answer for all recipients.
pub(crate) async fn screen(inner: &Inner, case: &Case<'_>) -> Result<Screened, Refusal> {
    let mut screening = Screening {
        inner,
        case,
        message: case.message.clone(),
        from: case.from.clone(),
        recipients: case.recipients.to_vec(),
        out: Screened::default(),
        until: inner.world.now() + limits::FILTERS_PATIENCE,
    };
    screening.attachments().await?;
    let settings = &inner.settings.filters;
    if let Some(filter) = &settings.clamd
        && filter.doors.has(case.way)
    {
        screening.clamd(filter).await?;
    }
    for filter in &settings.milters {
        if filter.doors.has(case.way) {
            screening.milter(filter).await?;
        }
    }
    Ok(screening.finish())
}

struct Screening<'a> {
    inner: &'a Inner,
    case: &'a Case<'a>,
    message: Bytes,
    from: ReversePath,
    recipients: Vec<Routed>,
    out: Screened,
    /// All filters together must be done.
    until: Instant,
}

impl Screening<'_> {
    async fn attachments(&mut self) -> Result<(), Refusal> {
        let ruled = attachments::rule(self.inner, self.case, &self.message).await?;
        self.out.junk = ruled.junk;
        self.out.sight = ruled.sight;
        if let Some(mark) = ruled.mark {
            let edited = wire::milter::edit::apply(&self.message, &[mark]);
            self.message = edited.map_or_else(|| self.message.clone(), Bytes::from);
        }
        let refused = ruled.refused.into_iter();
        let refused: Vec<(Address, Refusal)> = refused.collect();
        for (address, refusal) in refused {
            self.refuse(&address, refusal)?;
        }
        if let Some(words) = ruled.hold {
            self.hold(HeldFor::Attachment, "attachment rules", words);
        }
        Ok(())
    }

    async fn clamd(&mut self, filter: &Filter) -> Result<(), Refusal> {
        let scanning = clamd::scan(self.inner, filter, &self.message, self.until);
        match self.in_turn(filter, scanning).await {
            Ok(clamd::Scanned::Clean) => self.inner.filters.standing.up(filter),
            Ok(clamd::Scanned::Found(name)) => {
                self.inner.filters.standing.up(filter);
                standing::note_virus(self.inner, self.case, &name).await;
                return Err(Refusal::Virus(name.into()));
            }
            Err(down) => self.unavailable(filter, down).await?,
        }
        Ok(())
    }

    async fn milter(&mut self, filter: &Filter) -> Result<(), Refusal> {
        let work = work::of(
            self.inner,
            self.case,
            &self.from,
            &self.recipients,
            &self.message,
        );
        let asking = milter::ask(self.inner, filter, work, self.until);
        let outcome = match self.in_turn(filter, asking).await {
            Ok(outcome) => outcome,
            Err(down) => return self.unavailable(filter, down).await,
        };
        self.inner.filters.standing.up(filter);
        match outcome.said {
            Said::Pass => {}
            Said::Refuse(reply) => {
                tracing::info!(
                    target: "message", id = %self.case.trace, filter = filter.name, code = reply.code(), "a filter refuses",
                );
                return Err(self.by_filter(filter, reply));
            }
            Said::Discard => {
                let words = "it wants the message thrown away".to_owned();
                self.hold(HeldFor::Discard, &filter.name, words);
            }
        }
        let before = self.recipients.clone();
        for (number, reply) in outcome.refused {
            if let Some(recipient) = before.get(number) {
                let refusal = self.by_filter(filter, reply);
                self.refuse(&recipient.address, refusal)?;
            }
        }
        self.change(filter, &outcome.changes).await
    }

    /// Asks when it is this message's turn, and remembers whether that was in vain.
    async fn in_turn<T>(
        &self,
        filter: &Filter,
        asking: impl Future<Output = Result<T, Down>>,
    ) -> Result<T, Down> {
        let turns = &self.inner.filters.turns;
        let turn = turns.take(self.inner, filter, self.until).await?;
        let answer = asking.await;
        turn.over(self.inner.world.now(), answer.as_ref().err());
        answer
    }

    fn by_filter(&self, filter: &Filter, reply: Reply) -> Refusal {
        Refusal::Filter {
            name: filter.name.as_str().into(),
            reply: Box::new(reply),
        }
    }

    async fn unavailable(&mut self, filter: &Filter, down: Down) -> Result<(), Refusal> {
        let standing = &self.inner.filters.standing;
        if down.is_size() {
            tracing::warn!(
                target: "message", id = %self.case.trace, filter = filter.name, size = self.message.len(), problem = %down,
                then = ?filter.when_too_large, "a message is too large for a filter",
            );
            standing.note(self.inner, filter, &down).await;
            return match filter.when_too_large {
                WhenTooLarge::Pass => Ok(()),
                WhenTooLarge::Refuse => Err(self.by_filter(filter, too_large())),
                WhenTooLarge::Defer => Err(Refusal::FilterDown(filter.name.as_str().into())),
            };
        }
        tracing::warn!(
            target: "message", id = %self.case.trace, filter = filter.name, at = %filter.at, problem = %down,
            then = ?filter.when_unavailable, "a filter cannot be asked",
        );
        standing.note(self.inner, filter, &down).await;
        match filter.when_unavailable {
            WhenUnavailable::Defer => Err(Refusal::FilterDown(filter.name.as_str().into())),
            WhenUnavailable::Pass => Ok(()),
        }
    }

    /// One recipient does not get it: refused for all if nobody is left, put off for all if it shall come again.
    fn refuse(&mut self, address: &Address, refusal: Refusal) -> Result<(), Refusal> {
        let of_user = self.case.way == Way::Submission;
        if of_user || refusal.reply().code() < 500 {
            return Err(refusal);
        }
        let at = self.recipients.iter().position(|to| to.address == *address);
        if let Some(at) = at {
            let recipient = self.recipients.remove(at);
            self.out.refused.push((recipient, refusal.clone()));
        }
        match self.recipients.is_empty() {
            true => Err(refusal),
            false => Ok(()),
        }
    }

    /// Whom it is for then is written in at the end.
    fn hold(&mut self, cause: HeldFor, filter: &str, words: String) {
        let days = match cause {
            HeldFor::Discard => limits::DISCARDED_DAYS,
            _ => limits::HELD_DAYS,
        };
        // The first reason stands.
        if self.out.hold.is_some() {
            return;
        }
        let case = self.case;
        let subject = mail::header::first(&self.message, "subject");
        self.out.hold = Some(NewHeld {
            trace: case.trace,
            cause,
            filter: filter.to_owned(),
            words,
            account: case.user.map(|(account, _)| account),
            reverse_path: ReversePath::Null,
            recipients: Vec::new(),
            subject: subject.map(mail::words::decode).unwrap_or_default(),
            created: case.now,
            expires: UnixMillis(case.now.0 + days * 86_400_000),
        });
    }

    /// Carries out what a filter wants changed.
    async fn change(&mut self, filter: &Filter, changes: &[Change]) -> Result<(), Refusal> {
        if let Some(said) = said::read(changes) {
            self.out.said.push(OtherFilter {
                name: filter.name.clone(),
                said,
            });
        }
        let (message, all) = (self.message.clone(), changes.to_vec());
        let edit = move || wire::milter::edit::apply(&message, &all);
        let edited = self.inner.compute(self.message.len(), edit).await;
        if let Some(edited) = edited.map_err(|_| Refusal::Bug)? {
            let most = self.inner.settings.message_bytes_max + limits::FILTER_GROWTH_BYTES_MAX;
            if most < edited.len() {
                return self.unavailable(filter, Down::TooLarge).await;
            }
            self.message = edited.into();
        }
        for change in changes {
            match change {
                Change::AddRecipient { address, .. } => self.add_recipient(filter, address).await?,
                Change::DeleteRecipient(address) => {
                    let gone = bare(address);
                    self.recipients
                        .retain(|to| !to.address.to_string().eq_ignore_ascii_case(gone));
                }
                Change::ChangeSender { address, .. } => match ReversePath::parse(bare(address)) {
                    Ok(from) => self.from = from,
                    Err(_) => not_done(filter, "sender", address),
                },
                Change::Quarantine(words) => {
                    self.hold(HeldFor::Quarantine, &filter.name, words.clone());
                }
                _ => {}
            }
        }
        if self.recipients.is_empty() {
            // Nobody is left: kept, as what is to be thrown away.
            let before = self.case.recipients;
            self.hold(
                HeldFor::Discard,
                &filter.name,
                "it took away all recipients".to_owned(),
            );
            self.recipients = before.to_vec();
        }
        Ok(())
    }

    /// As if it had been named in RCPT at the same door: who is nobody's here is not added to mail of strangers.
    async fn add_recipient(&mut self, filter: &Filter, address: &str) -> Result<(), Refusal> {
        let Ok(address) = Address::parse(bare(address)) else {
            not_done(filter, "recipient", address);
            return Ok(());
        };
        let known = self.recipients.iter().any(|to| to.address == address);
        if known || self.inner.settings.recipients_max <= self.recipients.len() {
            return Ok(());
        }
        let door = match self.case.way {
            Way::Inbound => Door::Mx,
            Way::Submission => Door::Submission,
        };
        let to = wire::smtp::ForwardPath::Address(address.clone());
        let facts = gather_recipient(self.inner, &to, self.message.len() as u64).await?;
        match decide_recipient(door, false, self.recipients.len(), facts) {
            Ok((address, way)) => self.recipients.push(Routed {
                address,
                dsn: store::queue::RecipientDsn::default(),
                way,
            }),
            Err(refusal) => {
                tracing::warn!(filter = filter.name, to = %address, reason = %refusal, "a recipient that a filter wants is not added");
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Screened {
        // Later filters may have changed whom it is for.
        if let Some(held) = &mut self.out.hold {
            let recipients = self.recipients.iter();
            held.recipients = recipients.map(|to| to.address.to_string()).collect();
            held.reverse_path = self.from.clone();
        }
        let same = |recipients: &[Routed]| {
            let names = |list: &[Routed]| -> BTreeSet<Address> {
                list.iter().map(|to| to.address.clone()).collect()
            };
            names(recipients) == names(self.case.recipients)
        };
        let is_same = self.message == *self.case.message;
        Screened {
            from: (self.from != *self.case.from).then_some(self.from),
            recipients: (!same(&self.recipients)).then_some(self.recipients),
            message: (!is_same).then_some(self.message),
            sight: self.out.sight.filter(|_| is_same),
            ..self.out
        }
    }
}

/// How a message is held for those who do not get it while others do, where nobody can be told.
pub(crate) fn set_aside(
    trace: TraceId,
    from: &ReversePath,
    message: &[u8],
    why: &Refusal,
    now: UnixMillis,
) -> NewHeld {
    let filter = match why {
        Refusal::Filter { name, .. } => &**name,
        Refusal::NotPassedOn(_, WhyKept::Junk) => "spam filter",
        _ => "attachment rules",
    };
    let subject = mail::header::first(message, "subject");
    NewHeld {
        trace,
        cause: HeldFor::Aside,
        filter: filter.to_owned(),
        words: format!("other recipients have it; {why}"),
        account: None,
        reverse_path: from.clone(),
        recipients: Vec::new(),
        subject: subject.map(mail::words::decode).unwrap_or_default(),
        created: now,
        // Most of it is spam.
        expires: UnixMillis(now.0 + limits::DISCARDED_DAYS * 86_400_000),
    }
}

/// Why a filter could not be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Down {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer in time")]
    Late,
    #[error("messages wait for it longer than their senders do")]
    Busy,
    #[error(
        "it let the last messages wait in vain, and is asked by one at a time until it answers"
    )]
    Rests,
    #[error("{0}")]
    Milter(#[from] wire::milter::Failure),
    #[error("{0}")]
    Clamd(#[from] wire::clamd::Failure),
    #[error("it says: {0}")]
    Says(String),
    #[error("the message is larger than it looks at (StreamMaxLength in clamd.conf)")]
    NotLookedAt,
    #[error("what it made of the message is too large")]
    TooLarge,
}

impl Down {
    /// The message waited for its whole patience.
    fn is_silence(&self) -> bool {
        use wire::{clamd, milter};
        matches!(
            self,
            Self::Late
                | Self::Milter(milter::Failure::TimedOut)
                | Self::Clamd(clamd::Failure::TimedOut)
        )
    }

    /// It is the message's size: the same will happen whenever it comes again, and says nothing of other messages.
    fn is_size(&self) -> bool {
        use wire::milter::Failure;
        matches!(
            self,
            Self::NotLookedAt | Self::TooLarge | Self::Milter(Failure::BodyTooLarge)
        )
    }
}

fn too_large() -> Reply {
    Reply::fixed(
        552,
        EnhancedCode(5, 3, 4),
        "the message is too large to be looked at by a filter of this server; please send a link in place of large files",
    )
}

/// Without angle brackets.
fn bare(address: &str) -> &str {
    let address = address.trim();
    address
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(address)
}

fn not_done(filter: &Filter, what: &str, address: &str) {
    tracing::warn!(
        filter = filter.name,
        what,
        address,
        "a filter wants an address that is none"
    );
}
