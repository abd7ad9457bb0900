//! Figures of judged messages: errors, the area under the curve, what is caught at which price, calibration.

/// A message and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub name: String,
    pub is_spam: bool,
    pub log_odds: f32,
    pub probability: f32,
    pub is_junk: bool,
    pub reasons: Vec<String>,
}

/// Shares of wanted mail that may be lost, at which it is told how much is caught.
pub const PRICES: [f64; 5] = [0.0, 0.001, 0.005, 0.01, 0.02];

/// Where probabilities are cut to be compared with what was true.
const CUTS: [f32; 7] = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999];

/// The figures of one corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub ham: usize,
    pub spam: usize,
    /// Wanted mail that was called junk.
    pub lost: usize,
    /// Unwanted mail that was called junk.
    pub caught: usize,
    pub area: f64,
    /// The share of spam above the score that costs no more ham than each of [`PRICES`].
    pub caught_at: Vec<f64>,
    pub calibration: Vec<Bin>,
}

/// Messages whose probability was in one range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    pub from: f32,
    pub to: f32,
    pub messages: usize,
    pub spam: usize,
    /// The mean of what was said.
    pub said: f64,
}

impl Figures {
    pub fn of(judged: &[Judged]) -> Self {
        let count = |is_spam: bool, junk_only: bool| {
            let of_kind = judged.iter().filter(|one| one.is_spam == is_spam);
            of_kind.filter(|one| one.is_junk || !junk_only).count()
        };
        Self {
            ham: count(false, false),
            spam: count(true, false),
            lost: count(false, true),
            caught: count(true, true),
            area: area(judged),
            caught_at: PRICES
                .iter()
                .map(|price| caught_at(judged, *price))
                .collect(),
            calibration: calibration(judged),
        }
    }

    /// Of ten thousand wanted messages.
    pub fn lost_of_10_000(&self) -> f64 {
        self.lost as f64 * 10_000.0 / self.ham.max(1) as f64
    }

    pub fn caught_share(&self) -> f64 {
        self.caught as f64 / self.spam.max(1) as f64
    }
}

/// The chance that an unwanted message scores above a wanted one; ties count half.
fn area(judged: &[Judged]) -> f64 {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by(|a, b| a.log_odds.total_cmp(&b.log_odds));
    let (mut ham_below, mut won, mut spam) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.log_odds == b.log_odds) {
        let of_spam = tied.iter().filter(|one| one.is_spam).count() as f64;
        let of_ham = tied.len() as f64 - of_spam;
        won += of_spam * (ham_below + of_ham / 2.0);
        ham_below += of_ham;
        spam += of_spam;
    }
    if ham_below == 0.0 || spam == 0.0 {
        0.0
    } else {
        won / (ham_below * spam)
    }
}

fn caught_at(judged: &[Judged], price: f64) -> f64 {
    let scores = |is_spam: bool| {
        let of_kind = judged.iter().filter(move |one| one.is_spam == is_spam);
        of_kind.map(|one| one.log_odds)
    };
    let mut ham: Vec<f32> = scores(false).collect();
    ham.sort_by(|a, b| b.total_cmp(a));
    let may_lose = (price * ham.len() as f64 + 1e-9) as usize;
    let limit = ham.get(may_lose).copied().unwrap_or(f32::NEG_INFINITY);
    let spam = scores(true).count();
    scores(true).filter(|score| *score > limit).count() as f64 / spam.max(1) as f64
}

fn calibration(judged: &[Judged]) -> Vec<Bin> {
    let starts = [0.0].into_iter().chain(CUTS);
    let ends = CUTS.into_iter().chain([1.0]);
    let bin = |(from, to): (f32, f32)| {
        let is_in = |one: &&Judged| from <= one.probability && (one.probability < to || to == 1.0);
        let inside: Vec<&Judged> = judged.iter().filter(is_in).collect();
        let said: f64 = inside.iter().map(|one| f64::from(one.probability)).sum();
        Bin {
            from,
            to,
            messages: inside.len(),
            spam: inside.iter().filter(|one| one.is_spam).count(),
            said: said / inside.len().max(1) as f64,
        }
    };
    let bins = starts.zip(ends).map(bin);
    bins.filter(|bin| bin.messages > 0).collect()
}

/// The most wrong ones of a kind first.
pub fn worst(judged: &[Judged], is_spam: bool, most: usize) -> Vec<&Judged> {
    let wrong = |one: &&Judged| one.is_spam == is_spam && one.is_junk != is_spam;
    let mut wrong: Vec<&Judged> = judged.iter().filter(wrong).collect();
    wrong.sort_by(|a, b| a.log_odds.total_cmp(&b.log_odds));
    if !is_spam {
        wrong.reverse();
    }
    wrong.truncate(most);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(scores: &[(f32, bool)]) -> Vec<Judged> {
        let one = |(log_odds, is_spam): &(f32, bool)| Judged {
            name: log_odds.to_string(),
            is_spam: *is_spam,
            log_odds: *log_odds,
            probability: 1.0 / (1.0 + (-log_odds).exp()),
            is_junk: *log_odds >= 3.0,
            reasons: Vec::new(),
        };
        scores.iter().map(one).collect()
    }

    #[test]
    fn figures() {
        let all = judged(&[
            (-5.0, false),
            (-1.0, true),
            (0.0, false),
            (4.0, true),
            (5.0, false),
            (6.0, true),
        ]);
        let figures = Figures::of(&all);
        assert_eq!(
            (figures.ham, figures.spam, figures.lost, figures.caught),
            (3, 3, 1, 2)
        );
        assert!((figures.area - 6.0 / 9.0).abs() < 1e-9);
        assert!((figures.caught_at[0] - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(worst(&all, false, 5)[0].name, "5");
        assert_eq!(worst(&all, true, 5)[0].name, "-1");
        assert_eq!(
            figures
                .calibration
                .iter()
                .map(|bin| bin.messages)
                .sum::<usize>(),
            6
        );
    }

    #[test]
    fn nothing_to_measure() {
        assert_eq!(Figures::of(&[]).area, 0.0);
        assert_eq!(Figures::of(&judged(&[(1.0, true)])).caught_at[0], 1.0);
    }
}
