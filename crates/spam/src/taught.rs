//! What people taught, as an opinion of a message: counts of its features in lessons, weighed against what is common
//! in all mail. A few lessons speak at once of mail like theirs, and stay silent of other mail.

use crate::Model;
use crate::facts::Opinion;

/// How many lessons, or how many of them held a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub spam: u32,
    pub ham: u32,
}

/// What all mail together counts against the lessons, in lessons. While a kind was hardly taught, this stands for it.
const BACKGROUND: f32 = 6.0;

/// Features that no message of a lesson shares say nothing, but make a message less like them; so many are forgiven.
const FORGIVEN: f32 = 15.0;

/// The mean weight at which a message is as good as one of the lessons.
const ALIKE: f32 = 1.2;

/// The largest opinion.
const LOG_ODDS_MAX: f32 = 9.0;

/// The opinion of all lessons together (`totals`) on a message with these features of
/// [`crate::Features::for_learning`]. All of them, also those that no lesson held.
pub fn taught_log_odds(totals: Count, counts: impl Iterator<Item = (u64, Count)>) -> Opinion {
    if totals == Count::default() {
        return Opinion::default();
    }
    let model = Model::built_in();
    let (mut sum, mut all) = (0.0_f32, 0.0_f32);
    for (feature, count) in counts {
        all += 1.0;
        sum += weight(totals, count, model.commonness(feature));
    }
    if all == 0.0 {
        return Opinion::default();
    }
    // The mean, not the sum: features of one message come together, and are no witnesses of their own.
    let mean = sum / (all + FORGIVEN);
    let likeness = (mean.abs() / ALIKE).min(1.0);
    Opinion {
        log_odds: (5.0 * mean).clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX),
        confidence: likeness,
    }
}

/// A feature's log-odds. Lessons that lack are filled up with what all mail has of it, so that a word that everybody
/// uses says nothing even if only junk was taught.
fn weight(totals: Count, count: Count, common: f32) -> f32 {
    if count == Count::default() {
        return 0.0;
    }
    let share =
        |held: u32, of: u32| (held.min(of) as f32 + BACKGROUND * common) / (of as f32 + BACKGROUND);
    (share(count.spam, totals.spam) / share(count.ham, totals.ham)).ln()
}

#[cfg(test)]
mod tests;
