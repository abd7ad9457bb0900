//! Asking what the checks want to know leads to all answers they need, in few rounds.

use std::collections::BTreeSet;

use doctor::Kind;
use doctor::checks::{Answer, DnsFacts, ROUNDS_MAX, examine, questions};

use super::world::{V4, correct, put, reverse};

/// Asks until nothing is left; answers come from `world`.
fn ask_all(world: &doctor::checks::Facts) -> (doctor::checks::Facts, usize) {
    let mut facts = world.clone();
    facts.dns = DnsFacts::default();
    let mut rounds = 0;
    loop {
        let wanted = questions(&facts);
        if wanted.is_empty() {
            return (facts, rounds);
        }
        rounds += 1;
        assert!(rounds <= ROUNDS_MAX);
        for (name, kind) in wanted {
            let answer = world.dns.get(&name, kind).cloned();
            let answer = answer.unwrap_or(Answer::NoName { secure: true });
            facts.dns.put(&name, kind, answer);
        }
    }
}

#[test]
fn every_record_that_matters_is_asked_for() {
    let world = correct();
    let (facts, _) = ask_all(&world);
    let left = examine(&facts);
    assert!(left.is_empty(), "{left:#?}");
    let asked: BTreeSet<_> = facts
        .dns
        .iter()
        .map(|(name, kind, _)| (name.to_owned(), kind))
        .collect();
    for (name, kind, _) in world.dns.iter() {
        // Where the policy and the settings are fetched is tried by fetching them.
        let by_https = kind == Kind::Cname && !name.starts_with("mail.");
        assert!(
            by_https || asked.contains(&(name.to_owned(), kind)),
            "{name} {kind} is not asked for"
        );
    }
}

#[test]
fn names_in_answers_are_followed() {
    let mut world = correct();
    put(
        &mut world,
        &reverse(V4),
        Kind::Ptr,
        &["stranger.example.net"],
    );
    put(
        &mut world,
        "stranger.example.net",
        Kind::A,
        &["198.51.100.9"],
    );
    let (facts, rounds) = ask_all(&world);
    assert!(rounds >= 2);
    let ids: Vec<_> = examine(&facts).iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["ip.fcrdns"]);
}
