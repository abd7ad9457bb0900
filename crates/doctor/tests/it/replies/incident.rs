//! One incident per provider and cause, and nobody is told twice.

use doctor::replies::incident::{Change, Met, accepted, is_ours, refused};
use doctor::replies::{Class, Incident, Phase, Refusal, classify};

const BLOCK: &str = "550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Part of their network is on our block list (S3150).";
const OUTLOOK: &str = "a.olc.protection.outlook.com";

fn meet(
    open: &mut Vec<Incident>,
    host: &str,
    reply: &str,
    sender: &str,
    at: u64,
) -> Option<&'static str> {
    let refusal = Refusal::read(host, "", Phase::End, reply);
    let answer = classify(&refusal);
    let (_, sender_domain) = sender.split_once('@').unwrap();
    let met = Met {
        at,
        sender,
        sender_domain,
        reply,
    };
    match refused(open, &answer, met)? {
        Change::Opened(incident) => {
            open.push(incident);
            Some("opened")
        }
        Change::Again(incident) => {
            let old = open.iter_mut().find(|old| old.key == incident.key).unwrap();
            *old = incident;
            Some("again")
        }
        Change::Closed(_) => Some("closed"),
    }
}

#[test]
fn many_refusals_of_one_cause_are_one_incident() {
    let mut open = Vec::new();
    assert_eq!(
        meet(&mut open, OUTLOOK, BLOCK, "ada@example.org", 100),
        Some("opened")
    );
    for at in 101..150 {
        assert_eq!(
            meet(&mut open, OUTLOOK, BLOCK, "bob@example.org", at),
            Some("again")
        );
    }
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].refusals, open[0].opened, open[0].last),
        (50, 100, 149)
    );
    assert_eq!(open[0].senders.len(), 2);
    assert_eq!(open[0].tags, ["s3150"]);
    // Another cause at the same provider is another incident; other providers too.
    let busy = "451 4.7.650 The mail server [203.0.113.9] has been temporarily rate limited due to IP reputation. (S775)";
    assert_eq!(
        meet(&mut open, OUTLOOK, busy, "ada@example.org", 150),
        Some("opened")
    );
    assert_eq!(open.len(), 2);
}

#[test]
fn the_first_success_closes_it() {
    let mut open = Vec::new();
    meet(&mut open, OUTLOOK, BLOCK, "ada@example.org", 100);
    let provider = open[0].provider.clone();
    assert!(accepted(&open, "Gmail and Google Workspace", "example.org", 200).is_empty());
    // What left before the refusal proves nothing.
    assert!(accepted(&open, &provider, "example.org", 99).is_empty());
    let closed = accepted(&open, &provider, "example.org", 200);
    assert!(matches!(&closed[..], [Change::Closed(one)] if one.closed == Some(200)));
}

#[test]
fn trouble_of_one_domain_is_closed_by_that_domain_only() {
    let mut open = Vec::new();
    let reply = "550-5.7.26 Unauthenticated email from example.org is not accepted due to\n550 5.7.26 domain's DMARC policy.";
    let google = "gmail-smtp-in.l.google.com";
    assert_eq!(
        meet(&mut open, google, reply, "ada@example.org", 1),
        Some("opened")
    );
    assert_eq!(
        meet(&mut open, google, reply, "eve@other.example", 2),
        Some("opened")
    );
    let provider = open[0].provider.clone();
    assert_eq!(accepted(&open, &provider, "other.example", 3).len(), 1);
    assert_eq!(open[0].class, Class::Authentication);
}

#[test]
fn what_is_about_one_message_or_recipient_is_no_incident() {
    let mut open = Vec::new();
    for reply in [
        "550 5.1.1 User unknown",
        "552 5.2.2 mailbox full",
        "550 5.7.1 message rejected as spam",
        "450 4.2.0 Greylisted",
        "451 4.3.0 internal error",
        "552 5.3.4 message too large",
    ] {
        assert_eq!(
            meet(&mut open, "mx.example.net", reply, "ada@example.org", 1),
            None,
            "{reply}"
        );
    }
}

#[test]
fn two_providers_within_an_hour_mean_that_the_trouble_is_ours() {
    let mut open = Vec::new();
    meet(&mut open, OUTLOOK, BLOCK, "ada@example.org", 100);
    assert!(!is_ours(&open));
    let listed =
        "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org";
    meet(&mut open, "mx.example.net", listed, "ada@example.org", 9000);
    assert!(!is_ours(&open));
    meet(
        &mut open,
        "mx.other.example",
        listed,
        "ada@example.org",
        1200,
    );
    assert!(is_ours(&open));
}
