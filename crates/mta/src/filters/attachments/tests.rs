//! Tables: what is found, what was chosen, what is done.

use super::*;
use mail::UnixMillis;

fn found(kinds: &[Kind]) -> Vec<Dangerous> {
    let one = |kind: &Kind| Dangerous {
        kind: *kind,
        file: format!("a.zip > {}.bin", kind.name()),
        detail: String::new(),
        part: 1,
        among: 1,
    };
    kinds.iter().map(one).collect()
}

fn rules(chosen: &[(&str, Kind, Action)]) -> Rules {
    let rule = |(domain, kind, action): &(&str, Kind, Action)| AttachmentRule {
        domain: (!domain.is_empty()).then(|| Domain::parse(domain).unwrap()),
        kind: kind.name().to_owned(),
        action: action.name().to_owned(),
        changed: UnixMillis(0),
    };
    Rules::of(&chosen.iter().map(rule).collect::<Vec<_>>())
}

fn to(addresses: &[&str]) -> Vec<(Address, Domain)> {
    let one = |text: &&str| {
        let address = Address::parse(text).unwrap();
        (address.clone(), address.domain().clone())
    };
    addresses.iter().map(one).collect()
}

#[test]
fn what_is_built_in() {
    let both = to(&["a@one.example", "b@two.example"]);
    let ruled = decide(Way::Inbound, &found(&[Kind::Program]), &rules(&[]), &both);
    assert_eq!(ruled.refused.len(), 2);
    let words = ruled.refused[0].1.to_string();
    assert!(
        words.contains("\"a.zip > program.bin\" is a program"),
        "{words}"
    );
    assert!(words.contains("by a link"), "{words}");
    let ruled = decide(
        Way::Inbound,
        &found(&[Kind::Macros, Kind::Page]),
        &rules(&[]),
        &both,
    );
    assert!(ruled.refused.is_empty() && ruled.hold.is_none());
    assert!(ruled.junk.unwrap().contains("macros.bin"));
    // A user has no junk folder at other servers.
    let ruled = decide(Way::Submission, &found(&[Kind::Macros]), &rules(&[]), &both);
    assert!(ruled.junk.is_none() && ruled.refused.is_empty());
    let ruled = decide(
        Way::Inbound,
        &found(&[Kind::LockedArchive]),
        &rules(&[]),
        &both,
    );
    assert!(ruled.junk.is_none() && ruled.mark.is_none());
}

#[test]
fn a_domain_has_its_own_choice_and_else_that_for_all() {
    let both = to(&["a@one.example", "b@two.example"]);
    let chosen = rules(&[
        ("", Kind::Program, Action::Hold),
        ("two.example", Kind::Program, Action::Allow),
        ("one.example", Kind::Script, Action::Refuse),
    ]);
    let ruled = decide(Way::Inbound, &found(&[Kind::Program]), &chosen, &both);
    assert!(ruled.refused.is_empty());
    assert!(ruled.hold.is_some());
    let only = to(&["b@two.example"]);
    let ruled = decide(Way::Inbound, &found(&[Kind::Program]), &chosen, &only);
    assert!(ruled.hold.is_none() && ruled.junk.is_none());
    let chosen = rules(&[("two.example", Kind::Program, Action::Mark)]);
    let ruled = decide(Way::Inbound, &found(&[Kind::Program]), &chosen, &both);
    assert_eq!(
        ruled.refused.len(),
        1,
        "refused for one, marked for the other"
    );
    assert_eq!(ruled.refused[0].0.to_string(), "a@one.example");
    assert!(ruled.mark.is_some());
}

#[test]
fn names_in_replies_are_plain() {
    assert_eq!(plain("a\r\nb\u{202e}c"), "\"a??b?c\"");
    assert!(plain(&"x".repeat(10_000)).len() < 300);
}

#[test]
fn most_mail_is_not_taken_apart() {
    assert!(!may_have_attachments(b"Subject: x\r\n\r\nhello\r\n"));
    assert!(!may_have_attachments(
        b"Content-Type: text/plain\r\n\r\nhello\r\n"
    ));
    assert!(may_have_attachments(
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    ));
    assert!(may_have_attachments(
        b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n"
    ));
    assert!(may_have_attachments(b"S: x\r\n\r\nbegin 644 a.exe\r\n"));
    assert!(may_have_attachments(
        b"Content-Type: application/zip\r\n\r\n"
    ));
    // Of two types nobody knows which one is believed.
    for two in [
        "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\nContent-Type: text/plain\r\n\r\n",
    ] {
        assert!(may_have_attachments(two.as_bytes()), "{two}");
    }
}

#[test]
fn what_could_not_be_looked_into_is_not_refused() {
    let one = to(&["a@one.example"]);
    let ruled = decide(Way::Inbound, &found(&[Kind::TooDeep]), &rules(&[]), &one);
    assert!(ruled.refused.is_empty() && ruled.hold.is_none());
    assert!(
        ruled
            .junk
            .unwrap()
            .contains("could not be looked into whole")
    );
}

#[test]
fn a_script_among_many_files_is_source_code() {
    let one = to(&["a@one.example"]);
    let mut many = found(&[Kind::Script]);
    many[0].among = 200;
    assert!(
        decide(Way::Inbound, &many, &rules(&[]), &one)
            .refused
            .is_empty()
    );
    many[0].among = 2;
    assert_eq!(
        decide(Way::Inbound, &many, &rules(&[]), &one).refused.len(),
        1
    );
    many[0].among = 200;
    let chosen = rules(&[("", Kind::Script, Action::Refuse)]);
    assert_eq!(decide(Way::Inbound, &many, &chosen, &one).refused.len(), 1);
}
