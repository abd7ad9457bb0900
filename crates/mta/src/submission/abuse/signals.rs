//! What can be seen of an account that somebody else uses, each counted against its levels. Pure: no clock, no store.

use store::sending::{Counts, Habits, SendingFacts};

use super::limits;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    FirstTimeInHour,
    FirstTimeInDay,
    KnownInHour,
    RecipientsInDay,
    MessagesInTenMinutes,
    LocalInDay,
    AutomaticInHour,
    Alike,
    FailedShare,
    UnknownInHour,
    BlamedInHour,
    SpamLike,
    ListedLinks,
    NewNetwork,
    ManyNetworks,
    OddHour,
    NewAppPassword,
}

/// What a signal speaks of. What speaks of the same counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Volume,
    Failure,
    Place,
    Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Fine,
    Warn,
    Act,
    /// Volume that no person has.
    Stop,
}

/// A count beside its levels; a level without a number is never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub signal: Signal,
    pub counted: u64,
    /// The same without the message in hand.
    pub before: u64,
    pub warn: Option<u64>,
    pub act: Option<u64>,
    pub stop: Option<u64>,
}

/// A message in hand; all zero for a look without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub counts: Counts,
    /// Some recipient is new, or was new within the day.
    pub to_new: bool,
    /// First-time recipients of late of messages that are like it, without its own.
    pub alike: u64,
}

/// Where and when the account acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// It was seen there some days ago.
    pub is_home: bool,
    /// It is known from elsewhere, and not from there.
    pub is_new: bool,
    pub networks_in_hour: u64,
    /// Of the day, in UTC, if somebody acts at all.
    pub hour: Option<u32>,
    /// It logged in with an app password that was made within a day.
    pub has_new_app_password: bool,
}

/// The limits of an account now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub first_time_in_day: u64,
    pub recipients_in_day: u64,
}

impl Allowed {
    /// Habits are those of somebody at home, by day.
    fn at(facts: &SendingFacts, place: &Place) -> Self {
        match place.is_new || place.is_odd(facts.habits) {
            true => Self::of(&SendingFacts {
                habits: Habits::default(),
                ..facts.clone()
            }),
            false => Self::of(facts),
        }
    }

    pub fn of(facts: &SendingFacts) -> Self {
        let times = match facts.raised_until {
            Some(_) => limits::RAISED_TIMES,
            None => 1,
        };
        let habit = facts.habits.day_usual.saturating_mul(3) / 2;
        let usual = habit.clamp(
            limits::RECIPIENTS_PER_DAY,
            limits::RECIPIENTS_PER_DAY_BY_HABIT_MAX,
        );
        let recipients = facts.limits.recipients.unwrap_or(usual);
        let first_time = facts.limits.first_time;
        let first_time = first_time.unwrap_or(limits::FIRST_TIME_PER_DAY.min(recipients));
        Self {
            first_time_in_day: first_time.saturating_mul(times),
            recipients_in_day: recipients.saturating_mul(times),
        }
    }
}

/// Everything that is counted, with the message in hand.
pub fn measures(facts: &SendingFacts, place: &Place, message: &Message) -> Vec<Measure> {
    let mut list = volume(facts, place, message);
    list.extend(failures(facts));
    list.extend(circumstances(facts, place, message));
    list
}

fn volume(facts: &SendingFacts, place: &Place, message: &Message) -> Vec<Measure> {
    let allowed = Allowed::at(facts, place);
    let (more, less) = (message.counts, facts);
    let widened = |usual: u64, of: u64, standard: u64| match of > standard {
        // Whoever may send more in a day may send a share of it at once.
        true => usual.max(of / 4),
        false => usual,
    };
    let first_hour = match place.is_home {
        true => limits::FIRST_TIME_PER_HOUR_DELAYED_AT_HOME,
        false => limits::FIRST_TIME_PER_HOUR_DELAYED,
    };
    let first = allowed.first_time_in_day;
    let all = allowed.recipients_in_day;
    let habit_hour = facts
        .habits
        .hour_usual
        .saturating_mul(limits::KNOWN_PER_HOUR_HABIT);
    let hour = limits::KNOWN_PER_HOUR_DELAYED.max(habit_hour);
    let local = limits::LOCAL_PER_DAY.max(all.saturating_mul(5));
    let [automatic, automatic_act] = limits::AUTOMATIC_PER_HOUR;
    vec![
        Measure::new(
            Signal::FirstTimeInHour,
            less.hour.first_time,
            more.first_time,
        )
        .warn(widened(first_hour, first, limits::FIRST_TIME_PER_DAY)),
        Measure::new(Signal::FirstTimeInDay, less.day.first_time, more.first_time)
            .warn(
                first.saturating_mul(limits::FIRST_TIME_PER_DAY_DELAYED)
                    / limits::FIRST_TIME_PER_DAY,
            )
            .act(first)
            .stop(first.saturating_add(first / 2)),
        Measure::new(Signal::KnownInHour, known_of(less.hour), known_of(more)).warn(widened(
            hour,
            all,
            limits::RECIPIENTS_PER_DAY,
        )),
        Measure::new(
            Signal::RecipientsInDay,
            less.day.recipients,
            more.recipients,
        )
        .act(all)
        .stop(all.saturating_mul(2)),
        Measure::new(
            Signal::MessagesInTenMinutes,
            less.ten_minutes.messages,
            more.messages,
        )
        .warn(widened(
            limits::MESSAGES_PER_TEN_MINUTES,
            all,
            limits::RECIPIENTS_PER_DAY,
        )),
        Measure::new(Signal::LocalInDay, less.day.local, more.local)
            .act(local)
            .stop(local),
        Measure::new(Signal::AutomaticInHour, less.hour.automatic, more.automatic)
            .warn(automatic)
            .act(automatic_act.max(all / 4)),
    ]
}

fn known_of(counts: Counts) -> u64 {
    counts.recipients.saturating_sub(counts.first_time)
}

fn failures(facts: &SendingFacts) -> Vec<Measure> {
    let hour = facts.hour;
    // Of what was sent today, or where older mail went out (after a release, say) of what had an answer.
    let answered = hour.failed.saturating_add(hour.taken);
    let all = facts.day.recipients.max(answered).max(1);
    let share = match hour.failed >= limits::FAILED_MIN {
        true => hour.failed.saturating_mul(100) / all,
        false => 0,
    };
    // Who is allowed much has more of everything.
    let larger = (Allowed::of(facts).recipients_in_day / limits::RECIPIENTS_PER_DAY).max(1);
    let of = |signal, counted, [warn, act]: [u64; 2], times: u64| {
        Measure::new(signal, counted, 0)
            .warn(warn.saturating_mul(times))
            .act(act.saturating_mul(times))
    };
    vec![
        of(Signal::FailedShare, share, limits::FAILED_PERCENT, 1),
        of(
            Signal::UnknownInHour,
            hour.unknown,
            limits::UNKNOWN_PER_HOUR,
            larger,
        ),
        of(
            Signal::BlamedInHour,
            hour.blamed,
            limits::BLAMED_PER_HOUR,
            larger,
        ),
    ]
}

fn circumstances(facts: &SendingFacts, place: &Place, message: &Message) -> Vec<Measure> {
    let alike = match place.is_home {
        true => limits::ALIKE_AT_HOME,
        false => limits::ALIKE,
    };
    let allowed = Allowed::of(facts).first_time_in_day;
    let larger = (allowed / limits::FIRST_TIME_PER_DAY).max(1);
    let of = |signal, counted, [warn, act]: [u64; 2]| {
        Measure::new(signal, counted, 0).warn(warn).act(act)
    };
    let yes = |signal, is: bool| Measure::new(signal, u64::from(is), 0).warn(0);
    let spam_like = u64::from((facts.verdicts & 0x3ff).count_ones());
    vec![
        Measure::new(Signal::Alike, message.alike, message.counts.first_time)
            .warn(alike[0].saturating_mul(larger))
            .act(alike[1].saturating_mul(larger)),
        of(Signal::SpamLike, spam_like, limits::SPAM_LIKE),
        of(
            Signal::ListedLinks,
            facts.day.listed,
            limits::LISTED_PER_DAY.map(|most| most.saturating_mul(larger)),
        ),
        of(
            Signal::ManyNetworks,
            place.networks_in_hour,
            limits::NETWORKS_PER_HOUR,
        ),
        yes(Signal::NewNetwork, place.is_new),
        yes(Signal::OddHour, place.is_odd(facts.habits)),
        Measure::new(
            Signal::NewAppPassword,
            u64::from(place.is_new && place.has_new_app_password),
            0,
        )
        .warn(0)
        .act(0),
    ]
}

impl Place {
    /// Neither in this hour of the day nor in one beside it did the account send for a month.
    fn is_odd(&self, habits: Habits) -> bool {
        let Some(hour) = self.hour else {
            return false;
        };
        let near = [hour + 23, hour, hour + 1];
        habits.active_days >= limits::ACTIVE_DAYS_MIN
            && near.iter().all(|hour| habits.hours & 1 << (hour % 24) == 0)
    }
}

impl Measure {
    fn new(signal: Signal, before: u64, more: u64) -> Self {
        Self {
            signal,
            counted: before.saturating_add(more),
            before,
            warn: None,
            act: None,
            stop: None,
        }
    }

    fn warn(self, warn: u64) -> Self {
        Self {
            warn: Some(warn),
            ..self
        }
    }

    fn act(self, act: u64) -> Self {
        Self {
            act: Some(act),
            ..self
        }
    }

    fn stop(self, stop: u64) -> Self {
        Self {
            stop: Some(stop),
            ..self
        }
    }

    pub fn level(&self) -> Level {
        let over = |level: Option<u64>| level.is_some_and(|level| self.counted > level);
        // One message alone, however large, is asked about first.
        let was_over = self.act.is_some_and(|act| self.before > act);
        if over(self.stop) && was_over {
            Level::Stop
        } else if over(self.act) {
            Level::Act
        } else if over(self.warn) {
            Level::Warn
        } else {
            Level::Fine
        }
    }
}

impl Signal {
    pub fn kind(self) -> Kind {
        match self {
            Self::FirstTimeInHour
            | Self::FirstTimeInDay
            | Self::KnownInHour
            | Self::RecipientsInDay
            | Self::MessagesInTenMinutes
            | Self::LocalInDay
            | Self::AutomaticInHour => Kind::Volume,
            Self::FailedShare | Self::UnknownInHour | Self::BlamedInHour => Kind::Failure,
            Self::NewNetwork | Self::ManyNetworks | Self::OddHour | Self::NewAppPassword => {
                Kind::Place
            }
            Self::Alike | Self::SpamLike | Self::ListedLinks => Kind::Content,
        }
    }

    /// As it stands in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstTimeInHour => "new recipients in an hour",
            Self::FirstTimeInDay => "new recipients in a day",
            Self::KnownInHour => "known recipients in an hour",
            Self::RecipientsInDay => "recipients in a day",
            Self::MessagesInTenMinutes => "messages in ten minutes",
            Self::LocalInDay => "recipients at this server in a day",
            Self::AutomaticInHour => "automatic messages in an hour",
            Self::Alike => "new recipients of like messages in ten minutes",
            Self::FailedShare => "per cent of recipients that refused for good",
            Self::UnknownInHour => "recipients that do not exist, in an hour",
            Self::BlamedInHour => "refusals in an hour that call it spam",
            Self::SpamLike => "of the last ten messages look like spam",
            Self::ListedLinks => "messages in a day with a link that block lists have",
            Self::NewNetwork => "from a new network",
            Self::ManyNetworks => "networks in an hour",
            Self::OddHour => "at an hour that the account never used",
            Self::NewAppPassword => "with a new app password from a new network",
        }
    }
}
