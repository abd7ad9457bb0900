//! Who is heard: tables, and what no few may do whatever they say.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(junk: (i64, i64), wanted: (i64, i64), heard: Option<(u32, u32)>) {
    check_of(2, junk, wanted, heard);
}

#[track_caller]
fn check_of(needed: i64, junk: (i64, i64), wanted: (i64, i64), heard: Option<(u32, u32)>) {
    let voices = Voices {
        junk: junk.0,
        wanted: wanted.0,
        junk_by: junk.1,
        wanted_by: wanted.1,
    };
    let heard = heard.map(|(junk, wanted)| Count { junk, wanted });
    assert_eq!(voices.heard(needed), heard, "{voices:?}");
}

#[test]
fn one_account_alone_is_not_heard() {
    check((3, 1), (0, 0), None);
    check((3, 1), (1, 1), None);
    check((2, 2), (0, 0), Some((2, 0)));
    check((0, 0), (6, 2), Some((0, 6)));
}

#[test]
fn one_account_alone_turns_nothing_round() {
    check((3, 1), (2, 2), Some((1, 2)));
    check((2, 2), (3, 1), Some((2, 1)));
    check((3, 1), (9, 4), Some((2, 9)));
    check((5, 2), (4, 2), Some((5, 4)));
}

#[test]
fn a_few_of_many_are_not_heard() {
    check_of(5, (12, 4), (0, 0), None);
    check_of(5, (15, 5), (0, 0), Some((15, 0)));
    check_of(5, (6, 2), (5, 5), Some((2, 5)));
}

#[test]
fn how_many_are_needed() {
    let all = [0, 1, 2, 3, 8, 9, 16, 25, 63, 64, 10_000];
    let expected = [2, 2, 2, 2, 2, 3, 4, 5, 7, 8, 8];
    assert_eq!(all.map(needed), expected);
}

fn count() -> impl Strategy<Value = Count> {
    (0..6_u32, 0..6_u32).prop_map(|(junk, wanted)| Count { junk, wanted })
}

fn sum(counts: &[Count]) -> Voices {
    counts.iter().fold(Voices::default(), |sum, count| {
        sum.minus(Voices::default().minus(voice_of(*count)))
    })
}

proptest! {
    /// Fewer than are needed add nothing where nobody else spoke, and never turn round what the others say of a feature.
    #[test]
    fn too_few_never_turn_what_others_say(
        honest in proptest::collection::vec(count(), 2..60),
        hostile in proptest::collection::vec((0..1_000_u32, 0..1_000_u32), 1..8),
    ) {
        let teachers = (honest.len() + hostile.len()) as i64;
        let needed = needed(teachers);
        let hostile: Vec<Count> = hostile
            .into_iter()
            .take((needed - 1) as usize)
            .map(|(junk, wanted)| Count { junk, wanted })
            .collect();
        let silent = sum(&hostile);
        prop_assert_eq!(silent.heard(needed), None);
        // The honest ones agree, and are enough.
        let agreeing: Vec<Count> = honest.iter().map(|count| Count { junk: count.junk, wanted: 0 }).collect();
        let before = sum(&agreeing);
        if let Some(was) = before.heard(needed) {
            let all: Vec<Count> = agreeing.iter().chain(&hostile).copied().collect();
            let is = sum(&all).heard(needed).expect("they are still enough");
            prop_assert!(was.junk <= is.junk);
            prop_assert!(is.wanted <= is.junk, "{is:?}");
        }
    }

    /// However often one account says something, it counts as often as the bound says.
    #[test]
    fn the_loudest_account_counts_like_three(count in 3..1_000_000_u32) {
        let loud = Count { junk: count, wanted: count };
        prop_assert_eq!(voice_of(loud), voice_of(Count { junk: 3, wanted: 3 }));
    }

    /// More teachers never need fewer; and who is needed can be had.
    #[test]
    fn needs_grow_and_can_be_met(teachers in 2..100_000_i64) {
        prop_assert!(needed(teachers) <= needed(teachers + 1));
        prop_assert!(needed(teachers) <= teachers);
    }
}
