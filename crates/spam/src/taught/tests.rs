//! A few lessons speak of mail like theirs and of no other.

use std::collections::HashMap;

use super::*;
use crate::{Features, Sight};

fn features(message: &str) -> Vec<u64> {
    Features::of(&Sight::of(message.as_bytes())).for_learning()
}

#[derive(Default)]
struct Lessons {
    totals: Count,
    counts: HashMap<u64, Count>,
}

impl Lessons {
    fn teach(&mut self, message: &str, is_spam: bool) {
        let note = |count: &mut Count| {
            if is_spam {
                count.spam += 1;
            } else {
                count.ham += 1;
            }
        };
        note(&mut self.totals);
        for feature in features(message) {
            note(self.counts.entry(feature).or_default());
        }
    }

    fn voice(&self, message: &str) -> f32 {
        let count = |feature: u64| {
            (
                feature,
                self.counts.get(&feature).copied().unwrap_or_default(),
            )
        };
        let opinion = taught_log_odds(self.totals, features(message).into_iter().map(count));
        opinion.log_odds * opinion.confidence
    }
}

fn offer(number: u32) -> String {
    format!(
        "From: Bargain Boats <sales{number}@boats.example>\nSubject: Fishing boats reduced again {number}\n\nDear \
         friend, our fishing boats and outboard motors are reduced again this week. Visit the harbour and choose one. \
         http://boats.example/offer/{number}\n"
    )
}

const FRIEND: &str = "From: Anna Weber <anna@weber.example>\nSubject: Dinner on Friday\n\nDear friend, will you come \
    to us this week on Friday? The children ask for you, and there is something to celebrate. Anna\n";

#[test]
fn nothing_taught_nothing_said() {
    assert_eq!(Lessons::default().voice(FRIEND), 0.0);
}

#[test]
fn three_lessons_of_junk_speak_of_their_like_only() {
    let mut lessons = Lessons::default();
    (1..=3).for_each(|number| lessons.teach(&offer(number), true));
    assert!(
        lessons.voice(&offer(7)) > 5.0,
        "{}",
        lessons.voice(&offer(7))
    );
    assert!(
        lessons.voice(FRIEND).abs() < 0.5,
        "{}",
        lessons.voice(FRIEND)
    );
}

#[test]
fn a_mistake_is_mended_at_once() {
    let mut lessons = Lessons::default();
    lessons.teach(&offer(1), false);
    assert!(
        lessons.voice(&offer(2)) < -1.5,
        "{}",
        lessons.voice(&offer(2))
    );
    assert!(lessons.voice(FRIEND).abs() < 0.5);
}

#[test]
fn opinions_are_bounded_and_change_with_lessons() {
    let mut lessons = Lessons::default();
    (0..200).for_each(|number| lessons.teach(&offer(number), true));
    let before = lessons.voice(&offer(999));
    assert!(before <= LOG_ODDS_MAX);
    (0..200).for_each(|number| lessons.teach(&offer(number), false));
    assert!(lessons.voice(&offer(999)).abs() < 1.0);
}
