//! What people taught, as an opinion of a message: counts of its features in lessons, weighed against what is common
//! in all mail. A few lessons speak at once of mail like theirs, and stay silent of other mail.

use crate::facts::Opinion;

/// How many lessons, or how many of them held a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub spam: u32,
    pub ham: u32,
}

/// The opinion of all lessons together (`totals`) on a message with these features of
/// [`crate::Features::for_learning`]. All of them, also those that no lesson held.
pub fn taught_log_odds(totals: Count, counts: impl Iterator<Item = (u64, Count)>) -> Opinion {
    let mut sum = 0.0;
    let mut all = 0.0_f32;
    for (_, count) in counts {
        all += 1.0;
        sum += weight(totals, count, 0.02);
    }
    if all == 0.0 || totals == Count::default() {
        return Opinion::default();
    }
    Opinion {
        log_odds: (sum / all * 8.0).clamp(-8.0, 8.0),
        confidence: (sum.abs() / all).clamp(0.0, 1.0),
    }
}

/// A feature's log-odds, drawn to nothing by as many lessons as `PRIOR` where everything is as in all mail.
fn weight(totals: Count, count: Count, common: f32) -> f32 {
    const PRIOR: f32 = 5.0;
    let share = |held: u32, of: u32| (held as f32 + PRIOR * common) / (of as f32 + PRIOR);
    (share(count.spam.min(totals.spam), totals.spam) / share(count.ham.min(totals.ham), totals.ham))
        .ln()
}
