//! How well real refusals are understood: at least 95 of 100 as their labels say, averaged over classes.

use std::collections::BTreeMap;
use std::fmt::Write;

use doctor::replies::{Class, classify};

use super::corpus::{self, Part, Sample};
use super::labels;

/// Right answers and all, by label.
#[derive(Default)]
struct Score {
    by_label: BTreeMap<String, (usize, usize)>,
    table: BTreeMap<(Class, Option<Class>), usize>,
    first: (usize, usize),
}

impl Score {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>, show: bool) -> Self {
        let mut score = Self::default();
        for sample in samples {
            let answer = sample.refusal.as_ref().map(classify);
            let class = answer.as_ref().map(|answer| answer.class);
            let right = class.is_some_and(|class| sample.accepted.contains(&class));
            let entry = score.by_label.entry(sample.label.clone()).or_default();
            entry.0 += usize::from(right);
            entry.1 += 1;
            score.first.0 += usize::from(class == sample.accepted.first().copied());
            score.first.1 += 1;
            // A label that covers several of our classes counts for the one that was answered.
            let row = class.filter(|_| right).unwrap_or(sample.accepted[0]);
            *score.table.entry((row, class)).or_default() += 1;
            if show && !right {
                let said = sample.refusal.as_ref();
                println!(
                    "  {} {} -> {:?} by {} | {:.400}",
                    sample.label,
                    sample.name,
                    class,
                    answer.map_or("", |answer| answer.rule),
                    said.map_or(String::new(), |said| format!(
                        "{:?} {} {}",
                        said.code,
                        said.enhanced.map_or(String::new(), |code| code.to_string()),
                        said.text()
                    ))
                );
            }
        }
        score
    }

    fn macro_over_labels(&self) -> f64 {
        let shares = self
            .by_label
            .values()
            .map(|(right, all)| *right as f64 / *all as f64);
        100.0 * shares.sum::<f64>() / self.by_label.len().max(1) as f64
    }

    fn macro_over_classes(&self) -> f64 {
        let mut shares = Vec::new();
        for class in Class::ALL {
            let row = self.table.iter().filter(|((row, _), _)| *row == class);
            let all: usize = row.clone().map(|(_, count)| count).sum();
            let right = self.table.get(&(class, Some(class))).copied().unwrap_or(0);
            if all > 0 {
                shares.push(right as f64 / all as f64);
            }
        }
        100.0 * shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }

    fn micro(&self) -> f64 {
        let right: usize = self.by_label.values().map(|(right, _)| right).sum();
        let all: usize = self.by_label.values().map(|(_, all)| all).sum();
        100.0 * right as f64 / all.max(1) as f64
    }

    fn count(&self) -> usize {
        self.by_label.values().map(|(_, all)| all).sum()
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: {} refusals, macro over classes {:.1} %, over labels {:.1} %, all {:.1} %, usual class {}/{}",
            self.count(),
            self.macro_over_classes(),
            self.macro_over_labels(),
            self.micro(),
            self.first.0,
            self.first.1
        );
    }

    /// Rows: what the label means; columns: what was answered.
    fn confusion(&self) -> String {
        let mut text = String::from("| label \\ answer |");
        for class in Class::ALL {
            write!(text, " {} |", class.as_str()).unwrap();
        }
        text.push_str(" none |\n|---|");
        text.push_str(&"---|".repeat(Class::ALL.len() + 1));
        text.push('\n');
        for row in Class::ALL {
            write!(text, "| {} |", row.as_str()).unwrap();
            for column in Class::ALL.map(Some).into_iter().chain([None]) {
                let count = self.table.get(&(row, column)).copied().unwrap_or(0);
                let cell = if count == 0 {
                    String::new()
                } else {
                    count.to_string()
                };
                write!(text, " {cell} |").unwrap();
            }
            text.push('\n');
        }
        text
    }
}

fn measure(name: &str, samples: &[Sample]) -> Option<(Score, Score)> {
    if samples.is_empty() {
        return None;
    }
    let show_held = std::env::var_os("SHOW_HELD").is_some();
    let part = |wanted: Part| {
        samples
            .iter()
            .filter(move |sample| corpus::part_of(&sample.name) == wanted)
    };
    println!("{name}:");
    let developed = Score::of(part(Part::Development), true);
    developed.print("  developed on");
    Score::of(part(Part::Second), true).print("  second part");
    let held = Score::of(part(Part::Held), show_held);
    held.print("  held back");
    Some((developed, held))
}

/// The goal: bounces and quoted replies together, as labelled, averaged over classes.
#[test]
fn real_refusals_are_classified_as_labelled() {
    let mut samples = corpus::sisimai();
    samples.extend(corpus::zonemta());
    if samples.is_empty() {
        return;
    }
    let whole = Score::of(samples.iter(), false);
    whole.print("bounces and quoted replies");
    println!("{}", whole.confusion());
    assert!(whole.macro_over_classes() >= 95.0);
    assert!(whole.micro() >= 95.0);
}

#[test]
fn bounces_are_classified_as_labelled() {
    let samples = corpus::sisimai();
    let Some((developed, _)) = measure("bounces", &samples) else {
        return;
    };
    assert!(developed.micro() >= 95.0);
    let whole = Score::of(samples.iter(), false);
    whole.print("whole");
    assert!(whole.micro() >= 93.0 && whole.macro_over_labels() >= 93.0);
    let sure = samples
        .iter()
        .filter(|sample| !labels::is_doubtful(&sample.name, &sample.label));
    let sure = Score::of(sure, true);
    sure.print("without doubtful labels");
    assert!(sure.macro_over_classes() >= 95.0 && sure.macro_over_labels() >= 95.0);
}

#[test]
fn quoted_replies_are_classified_as_labelled() {
    let samples = corpus::zonemta();
    if let Some((_, held)) = measure("replies quoted by ZoneMTA", &samples) {
        assert!(held.macro_over_classes() >= 95.0);
    }
}

#[test]
fn rules_of_other_servers_agree() {
    let samples = corpus::rules();
    if let Some((developed, held)) = measure("rules of ZoneMTA and KumoMTA", &samples) {
        // Agreement between rule books, not truth: they differ among themselves, too.
        assert!(developed.micro() >= 90.0 && held.micro() >= 90.0);
    }
}
