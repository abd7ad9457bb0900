//! The list of checks, the score and the order of findings.

use std::collections::BTreeSet;

use doctor::Kind;
use doctor::checks::{Light, Severity, all, examine, explain, score};

use super::world::{DOMAIN, HOST, V4, correct, put, reverse};

#[test]
fn every_check_has_an_id_of_its_own_and_says_why() {
    let mut ids = BTreeSet::new();
    for check in all() {
        assert!(ids.insert(check.id), "{} is there twice", check.id);
        assert!(check.why.ends_with('.'), "{}: {}", check.id, check.why);
        assert!(
            check.title.len() < 70 && check.why.len() < 140,
            "{}",
            check.id
        );
        assert!(!check.title.ends_with('.'), "{}", check.id);
    }
    println!("{} checks", ids.len());
    assert!(ids.len() >= 200, "{}", ids.len());
    assert_eq!(
        explain("ip.ptr4.exists").unwrap().group,
        doctor::checks::Group::Address
    );
    assert!(explain("no.such").is_none());
}

#[test]
fn points_go_by_severity_and_the_worst_comes_first() {
    let mut facts = correct();
    put(&mut facts, DOMAIN, Kind::Caa, &[]);
    put(&mut facts, &reverse(V4), Kind::Ptr, &[]);
    facts.smtp.vrfy_silent = Some(false);
    let findings = examine(&facts);
    let ids: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["ip.ptr4.exists", "smtp.vrfy", "dns.caa"]);
    let score = score(&findings);
    assert_eq!(score.points, 100 - 15 - 5 - 1);
    assert_eq!(score.lights.get(&Light::Send), Some(&Severity::Error));
    assert_eq!(score.lights.get(&Light::Trusted), Some(&Severity::Warning));
    assert_eq!(score.lights.get(&Light::Receive), None);
}

#[test]
fn what_mends_more_comes_first() {
    let mut facts = correct();
    // One remedy (a rotated key) for two findings, another for one.
    let sender = facts.senders.get_mut(DOMAIN).unwrap();
    sender.key_created = Some(0);
    sender.dkim_aligned = Some(false);
    facts.smtp.refuses_unknown = Some(false);
    let findings = examine(&facts);
    assert_eq!(findings.len(), 3);
    assert!(findings[0].cost >= findings[2].cost);
}

#[test]
fn a_very_bad_world_has_no_points_left() {
    let mut facts = correct();
    for name in [DOMAIN, HOST] {
        for kind in [Kind::Mx, Kind::Txt, Kind::A, Kind::Aaaa] {
            put(&mut facts, name, kind, &[]);
        }
    }
    facts.smtp.open_relay = Some(vec!["a%b".to_owned()]);
    facts.addresses[0].port25_out = Some(false);
    facts.addresses[0].dynamic = Some(true);
    assert_eq!(score(&examine(&facts)).points, 0);
}
