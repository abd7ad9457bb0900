//! The reports as people read them.

use super::*;
use mail::Address;

fn told(status: &str, reply: Option<&str>, notice: Option<&str>) -> Told {
    Told {
        address: Address::parse("bob@there.example").unwrap(),
        original_recipient: None,
        status: status.to_owned(),
        host: Some("mx.there.example".to_owned()),
        reply: reply.map(str::to_owned),
        notice: notice.map(str::to_owned),
        last_attempt: None,
        retry_until: Some(UnixMillis(1_763_719_200_000)),
        words: None,
    }
}

#[track_caller]
fn check(kind: Kind, told: Told, title: &str, want: &str) {
    let context = Context {
        kind,
        told: &[told],
        host: "mail.us.example",
        subject: "Lunch?",
        arrival: UnixMillis(1_763_287_200_000),
        trace: TraceId::from_random([0; 10]),
    };
    let (got_title, got) = of(&context);
    assert_eq!(got_title, title);
    assert_eq!(got, want);
}

#[test]
fn failure() {
    check(
        Kind::Failed,
        told("5.1.1", Some("550 5.1.1 no such user"), None),
        "Your message could not be delivered",
        "Hello,

your message could not be delivered to:

  bob@there.example

  This address does not exist there. Please check it for typing mistakes, or ask the
  person for the right one.

  The server mx.there.example said:
  550 5.1.1 no such user

The message was \"Lunch?\", which we took from you on
Sun, 16 Nov 2025 10:00:00 +0000.

-- 
This was written by the mail server mail.us.example. Its number for your message is
0000000000000000; your postmaster may ask for it.
",
    );
}

#[test]
fn delay() {
    check(
        Kind::Delayed,
        told(
            "4.4.2",
            None,
            Some("greeting: the server did not answer in time"),
        ),
        "Your message is late",
        "Hello,

your message could not be delivered yet to:

  bob@there.example

  The server there did not take it so far. This is often over soon. We go on trying,
  and you need not do anything.

  What we saw of the server mx.there.example:
  greeting: the server did not answer in time

We go on trying until Fri, 21 Nov 2025 10:00:00 +0000. If it fails you will hear from us.
The message was \"Lunch?\", which we took from you on
Sun, 16 Nov 2025 10:00:00 +0000.

-- 
This was written by the mail server mail.us.example. Its number for your message is
0000000000000000; your postmaster may ask for it.
",
    );
}

#[test]
fn success() {
    check(
        Kind::Relayed,
        told("2.0.0", Some("250 2.0.0 ok"), None),
        "Your message was handed on",
        "Hello,

as you wished to know: your message was handed on to the mail server of:

  bob@there.example

That server does not tell us whether it was delivered.
The message was \"Lunch?\", which we took from you on
Sun, 16 Nov 2025 10:00:00 +0000.

-- 
This was written by the mail server mail.us.example. Its number for your message is
0000000000000000; your postmaster may ask for it.
",
    );
}

/// What we held back ourselves is told as such; the same status in a server's own words is not.
#[test]
fn unsafe_ways() {
    let notice = "the server's certificate has expired; the MTA-STS policy of there.example forbids sending so; the mail waits";
    let table = [
        (Kind::Delayed, "4.7.5", "is not safe at the moment"),
        (Kind::Delayed, "4.7.10", "is not safe at the moment"),
        (Kind::Failed, "4.7.5", "never a safe way"),
        (Kind::Failed, "5.7.10", "(REQUIRETLS)"),
        (Kind::Failed, "5.7.30", "(REQUIRETLS)"),
    ];
    for (kind, status, wanted) in table {
        let ours = meaning(kind, &told(status, None, Some(notice)));
        assert!(ours.contains(wanted), "{status}: {ours}");
        let theirs = meaning(kind, &told(status, Some("550 5.7.10 no"), None));
        assert!(!theirs.contains(wanted), "{status}: {theirs}");
    }
}
