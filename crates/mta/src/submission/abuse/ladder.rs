//! From what was counted to what is done, one step at a time: wait, hold and ask, lock. Pure.
//!
//! Volume decides; what else is strange makes it a step sharper, or two. Strange circumstances without volume are a person on
//! a journey.

use store::sending::SendingState;

use super::limits;
use super::signals::{Kind, Level, Measure, Message, Signal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Go,
    /// It waits in the queue for some minutes; an alarm meanwhile overtakes it.
    Delay,
    /// It waits until somebody says that it is well.
    Hold,
    /// All of the account waits, and no more is taken.
    Lock,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) step: Step,
    /// What was over a level, the decisive ones first.
    pub(crate) reasons: Vec<Measure>,
}

/// For a message that an account submits.
pub(crate) fn decide(state: SendingState, message: &Message, measures: &[Measure]) -> Decision {
    let concerned = |measure: &&Measure| concerns(measure.signal, message);
    let volume: Vec<Measure> = measures.iter().filter(concerned).copied().collect();
    let decision = climb(&volume, measures, message.to_new);
    match state {
        // Who waits for an answer about new people may still write to the others.
        SendingState::Asking { .. } if message.to_new => Decision {
            step: decision.step.max(Step::Hold),
            ..decision
        },
        _ => decision,
    }
}

/// After outcomes: only failures and listed links may raise an alarm, with whatever else is seen.
pub(crate) fn decide_outcome(measures: &[Measure]) -> Decision {
    let volume: Vec<Measure> = measures
        .iter()
        .filter(|measure| measure.signal.kind() == Kind::Volume)
        .copied()
        .collect();
    let failing = strongest(measures, Kind::Failure).max(of(measures, Signal::ListedLinks));
    match failing > Level::Fine {
        true => climb(&volume, measures, true),
        false => Decision {
            step: Step::Go,
            reasons: Vec::new(),
        },
    }
}

fn climb(volume: &[Measure], measures: &[Measure], to_new: bool) -> Decision {
    let mut level = strongest(volume, Kind::Volume);
    let alike = of(measures, Signal::Alike);
    if to_new && alike > Level::Fine {
        level = level.max(Level::Warn);
    }
    let failure = strongest(measures, Kind::Failure);
    let listed = of(measures, Signal::ListedLinks);
    let evidence = points(failure)
        + points(of(measures, Signal::SpamLike))
        + points(listed)
        + u32::from(alike >= Level::Act)
        + places(measures);
    let first_time = measures
        .iter()
        .find(|measure| measure.signal == Signal::FirstTimeInDay)
        .map_or(0, |measure| measure.counted);
    let step = match (level, evidence) {
        (Level::Stop, _) | (Level::Act, 2..) | (Level::Warn, 4..) => Step::Lock,
        (Level::Act, _) | (Level::Warn, 2..) => Step::Hold,
        (Level::Fine, _)
            if failure.max(listed) >= Level::Act && first_time >= limits::FIRST_TIME_MIN =>
        {
            Step::Hold
        }
        (Level::Warn, _) => Step::Delay,
        (Level::Fine, _) if to_new && of(measures, Signal::SpamLike) >= Level::Act => Step::Delay,
        (Level::Fine, _) => Step::Go,
    };
    Decision {
        step,
        reasons: reasons(volume, measures),
    }
}

/// Whether a count has to do with the message in hand: an answer to a friend is not held for an invitation to many.
fn concerns(signal: Signal, message: &Message) -> bool {
    match signal {
        Signal::FirstTimeInHour | Signal::FirstTimeInDay => message.to_new,
        Signal::KnownInHour | Signal::RecipientsInDay | Signal::MessagesInTenMinutes => {
            message.counts.recipients > 0
        }
        Signal::LocalInDay => message.counts.local > 0,
        Signal::AutomaticInHour => message.counts.automatic > 0,
        _ => false,
    }
}

/// Each place counts, but not without end: somebody on a journey has a new network at an odd hour.
fn places(measures: &[Measure]) -> u32 {
    let of_place = measures
        .iter()
        .filter(|measure| measure.signal.kind() == Kind::Place);
    of_place
        .map(|measure| points(measure.level()))
        .sum::<u32>()
        .min(PLACES_MAX)
}

const PLACES_MAX: u32 = 3;

fn points(level: Level) -> u32 {
    match level {
        Level::Fine => 0,
        Level::Warn => 1,
        Level::Act | Level::Stop => 2,
    }
}

fn strongest(measures: &[Measure], kind: Kind) -> Level {
    let of_kind = measures
        .iter()
        .filter(|measure| measure.signal.kind() == kind);
    of_kind.map(Measure::level).max().unwrap_or(Level::Fine)
}

fn of(measures: &[Measure], signal: Signal) -> Level {
    measures
        .iter()
        .find(|measure| measure.signal == signal)
        .map_or(Level::Fine, Measure::level)
}

fn reasons(volume: &[Measure], measures: &[Measure]) -> Vec<Measure> {
    let others = measures
        .iter()
        .filter(|measure| measure.signal.kind() != Kind::Volume);
    let mut over: Vec<Measure> = volume
        .iter()
        .chain(others)
        .filter(|measure| measure.level() > Level::Fine)
        .copied()
        .collect();
    over.sort_by_key(|measure| std::cmp::Reverse(measure.level()));
    over
}
