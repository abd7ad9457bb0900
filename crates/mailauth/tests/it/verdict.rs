//! Whole messages: all checks together, the field that tells of them, and a DNS in trouble.

use std::net::IpAddr;

use mail::ReversePath;
use mailauth::dkim::{self, Algorithm, SigningKey};
use mailauth::dmarc::{DmarcResult, Policy};
use mailauth::iprev::{IprevReason, IprevResult};
use mailauth::results;
use mailauth::spf::{Sender, SpfResult};
use mailauth::verdict::{self, Trouble, UntilLate, Verdict};
use mailauth::{arc, iprev};
use world::{Answer, BoxFuture, Dns, DnsError, Kind};

use crate::zone::{Zone, now};

const NOW: u64 = 1_800_000_000;
const TEXT: &str = "From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: hello\r\n\
                    Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nhello\r\n";

/// A sender that does everything right.
struct World {
    zone: Zone,
    key: SigningKey,
}

fn world() -> World {
    let der = dkim::generate(Algorithm::Ed25519Sha256).unwrap();
    let key = SigningKey::from_pkcs8("example.com", "s1", &der).unwrap();
    let zone = Zone::new()
        .ptr("192.0.2.1", "mail.example.com")
        .address("mail.example.com", "192.0.2.1")
        .txt("mail.example.com", "v=spf1 a -all")
        .txt("example.com", "v=spf1 ip4:192.0.2.0/24 -all")
        .txt(
            "s1._domainkey.example.com",
            &dkim::public_record(&der).unwrap(),
        )
        .txt("_dmarc.example.com", "v=DMARC1; p=reject");
    World { zone, key }
}

fn signed(world: &World) -> Vec<u8> {
    let signature = dkim::sign(TEXT.as_bytes(), &[&world.key], NOW).unwrap();
    [signature, TEXT.as_bytes().to_vec()].concat()
}

fn look(dns: &dyn Dns, ip: &str, message: &[u8]) -> Verdict {
    let mail_from = ReversePath::parse("ann@example.com").unwrap();
    let sender = Sender {
        ip: ip.parse().unwrap(),
        helo: "mail.example.com",
        mail_from: &mail_from,
        receiver: "mx.example.org",
        now: NOW,
    };
    let early = now(verdict::early(dns, &sender));
    now(verdict::message(dns, early, message, NOW))
}

fn field(verdict: &Verdict) -> String {
    String::from_utf8(results::write("mx.example.org", verdict)).unwrap()
}

#[test]
fn a_sender_that_does_everything_right() {
    let world = world();
    let verdict = look(&world.zone, "192.0.2.1", &signed(&world));
    assert_eq!(verdict.iprev.confirmed_name(), Some("mail.example.com"));
    assert_eq!(verdict.helo.result, SpfResult::Pass);
    assert_eq!(verdict.spf.result, SpfResult::Pass);
    assert!(verdict.dkim[0].passed());
    assert_eq!(verdict.dmarc.result, DmarcResult::Pass);
    assert!(verdict.dmarc.spf_aligned && verdict.dmarc.dkim_aligned);
    assert_eq!(verdict.temporary(), None);
    let field = field(&verdict);
    let start = verdict.dkim[0].signature_start.clone();
    let wanted = [
        "Authentication-Results: mx.example.org;".to_owned(),
        "\tiprev=pass (mail.example.com) policy.iprev=192.0.2.1;".to_owned(),
        "\tspf=pass (matched ip4:192.0.2.0/24) smtp.mailfrom=example.com;".to_owned(),
        "\tspf=pass (matched a) smtp.helo=mail.example.com;".to_owned(),
        "\tdkim=pass (256-bit key) header.d=example.com header.i=@example.com".to_owned(),
        format!("\t header.s=s1 header.a=ed25519-sha256 header.b={start};"),
        "\tarc=none;".to_owned(),
        "\tdmarc=pass (aligned, p=reject at example.com) header.from=example.com".to_owned(),
        "\t policy.dmarc=reject".to_owned(),
    ];
    let unquoted = field
        .replace("header.b=\"", "header.b=")
        .replace("\";", ";");
    assert_eq!(unquoted, wanted.join("\r\n") + "\r\n");
}

#[test]
fn what_is_written_is_read_again() {
    let world = world();
    let verdict = look(&world.zone, "192.0.2.9", &signed(&world));
    let field = field(&verdict);
    let value = field.strip_prefix("Authentication-Results:").unwrap();
    let read = results::parse(value.as_bytes()).unwrap();
    assert_eq!(read.authserv_id, "mx.example.org");
    let methods: Vec<&str> = read.results.iter().map(|one| one.method.as_str()).collect();
    assert_eq!(methods, ["iprev", "spf", "spf", "dkim", "arc", "dmarc"]);
    let dmarc = read.of("dmarc").next().unwrap();
    assert_eq!(dmarc.property("header", "from"), Some("example.com"));
    assert!(field.lines().all(|line| line.len() <= 78), "{field}");
    assert_eq!(results::forged(field.as_bytes(), "MX.example.ORG").len(), 1);
    let summary = results::summary(&verdict);
    let again = results::parse(format!("mx.example.org; {summary}").as_bytes()).unwrap();
    assert_eq!(again, read);
}

#[test]
fn nobody_writes_into_our_field() {
    let world = world();
    let hostile = [
        "DKIM-Signature: v=1; a=x\"; dmarc=pass header.from=bank.example; c=; d=ev\"il; s=)(; i=\"); spf=pass (@evil.example; h=from; bh=AA; b=\"(;)\r\n",
        "DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s=x; i=a b;c=d@evil.example; h=from; bh=AA==; b=);dmarc=pass\r\n",
    ];
    for signature in hostile {
        let message = format!("{signature}{TEXT}");
        let mut verdict = look(&world.zone, "198.51.100.7", message.as_bytes());
        // Names from the DNS and from the client could be worse than those checks let through.
        verdict.iprev.name = Some("x); dmarc=pass\r\nX: (".to_owned());
        verdict.helo.domain = "a\"; dmarc=pass (\r\n".to_owned();
        verdict.helo.result = SpfResult::Fail;
        verdict.spf.matched = Some("exists:%{i}).x; dkim=pass header.d=bank.example (".to_owned());
        let field = field(&verdict);
        let read = results::parse(field.split_once(':').unwrap().1.as_bytes()).unwrap();
        let methods: Vec<&str> = read.results.iter().map(|one| one.method.as_str()).collect();
        assert_eq!(
            methods,
            ["iprev", "spf", "spf", "dkim", "arc", "dmarc"],
            "{field}"
        );
        assert_eq!(read.of("dmarc").next().unwrap().result, "fail");
        assert!(field.is_ascii());
        let lines: Vec<&str> = field
            .split("\r\n")
            .skip(1)
            .filter(|line| !line.is_empty())
            .collect();
        assert!(lines.iter().all(|line| line.starts_with('\t')), "{field}");
        assert!(
            !field
                .trim_end()
                .replace("\r\n\t", "")
                .contains(['\r', '\n'])
        );
    }
}

#[test]
fn a_forgery_is_told_from_its_model() {
    let world = world();
    let verdict = look(&world.zone, "198.51.100.7", TEXT.as_bytes());
    assert_eq!(verdict.iprev.result, IprevResult::Fail);
    assert_eq!(
        (verdict.dmarc.result, verdict.dmarc.wish),
        (DmarcResult::Fail, Policy::Reject)
    );
    assert_eq!(verdict.temporary(), None, "that is certain");
    // A copy of a true message with another text.
    let changed = String::from_utf8(signed(&world))
        .unwrap()
        .replace("\r\n\r\nhello", "\r\n\r\npay");
    let verdict = look(&world.zone, "198.51.100.7", changed.as_bytes());
    assert_eq!(verdict.dmarc.wish, Policy::Reject);
    // The true message, passed on by somebody: the signature still holds.
    let verdict = look(&world.zone, "198.51.100.7", &signed(&world));
    assert_eq!(verdict.spf.result, SpfResult::Fail);
    assert_eq!(verdict.dmarc.result, DmarcResult::Pass);
}

/// BINARYMIME carries bare line ends: what is one long field for a signature is a letter for readers.
#[test]
fn torn_lines_hide_no_other_letter_before_a_true_one() {
    let world = world();
    let other = "From: Boss <boss@example.com>XSubject: payXXsend moneyX";
    for line_end in ["\n", "\r"] {
        let other = other.replace('X', line_end);
        let before = format!("X-A: 1\r\nX-B: 2{line_end}{other}\r\n");
        let message = [before.into_bytes(), signed(&world)].concat();
        let verdict = look(&world.zone, "198.51.100.7", &message);
        let dkim = verdict.dkim.first().unwrap();
        assert_eq!(
            (dkim.result, &dkim.reason),
            (dkim::DkimResult::Policy, &dkim::Reason::TornLines)
        );
        assert_ne!(verdict.dmarc.result, DmarcResult::Pass);
    }
    // In the body they are what was signed, or not.
    let letter = TEXT.replace("\r\n\r\nhello", "\r\n\r\nhel\nlo");
    let signature = dkim::sign(letter.as_bytes(), &[&world.key], NOW).unwrap();
    let message = [signature, letter.into_bytes()].concat();
    assert!(look(&world.zone, "198.51.100.7", &message).dkim[0].passed());
}

#[test]
fn a_chain_is_not_ended_because_the_dns_was_silent_for_a_moment() {
    let world = world();
    let sealer = arc::Sealer {
        key: &world.key,
        authserv_id: "mx.example.com",
        now: NOW,
    };
    let validate = |dns: &dyn Dns, message: &[u8]| {
        now(arc::validate(
            dns,
            message,
            NOW,
            &mut mailauth::explain::Notes::off(),
        ))
    };
    let first = arc::seal(TEXT.as_bytes(), &sealer, "dmarc=pass", &arc::Arc::none()).unwrap();
    let message = [first, TEXT.as_bytes().to_vec()].concat();
    let whole = validate(&world.zone, &message);
    assert!(arc::seal(&message, &sealer, "dmarc=pass", &whole).is_some());
    let silent = Zone::new().error("s1._domainkey.example.com", DnsError::TimedOut);
    let unknown = validate(&silent, &message);
    assert!(unknown.is_temporary());
    assert_eq!(arc::seal(&message, &sealer, "dmarc=none", &unknown), None);
}

/// Each seal covers all sets before it: what is far larger than any chain is not hashed again and again.
#[test]
fn a_chain_of_megabytes_is_not_read() {
    let set = |size: usize| {
        let said = format!("ARC-Authentication-Results: i=1; {}\r\n", "x".repeat(size));
        let message = said + TEXT;
        now(arc::validate(
            &world().zone,
            message.as_bytes(),
            NOW,
            &mut mailauth::explain::Notes::off(),
        ))
    };
    assert_eq!(set(1_000).why, arc::Reason::IncompleteSet { instance: 1 });
    assert_eq!(set(1_000_000).why, arc::Reason::Unreadable);
}

/// Where the record lies, what does not come, and what that hides.
const TROUBLES: [(&str, &str, Option<Trouble>); 6] = [
    ("the policy", "_dmarc.example.com", None),
    (
        "the key, where SPF passes",
        "s1._domainkey.example.com",
        None,
    ),
    (
        "the key, where SPF fails",
        "s1._domainkey.example.com",
        Some(Trouble::Authentication),
    ),
    (
        "the policy, where nothing passes",
        "_dmarc.example.com",
        Some(Trouble::Policy),
    ),
    (
        "the SPF record, where the signature holds",
        "example.com",
        None,
    ),
    ("the host's name", "1.2.0.192.in-addr.arpa", None),
];

#[test]
fn trouble_of_the_dns_puts_off_only_where_it_matters() {
    for (what, name, trouble) in TROUBLES {
        let world = world();
        let message = match trouble {
            Some(Trouble::Policy) => TEXT.as_bytes().to_vec(),
            _ => signed(&world),
        };
        let ip = if trouble.is_some() {
            "198.51.100.7"
        } else {
            "192.0.2.1"
        };
        let dns = Failing {
            zone: &world.zone,
            name,
        };
        let verdict = look(&dns, ip, &message);
        assert_eq!(verdict.temporary(), trouble, "{what}");
        assert_eq!(
            verdict.dmarc.wish,
            Policy::None,
            "{what}: nothing is refused"
        );
    }
}

#[test]
fn a_domain_that_wishes_for_nothing_puts_nothing_off() {
    let mut world = world();
    world.zone = Zone::new()
        .txt("_dmarc.example.com", "v=DMARC1; p=reject; t=n")
        .txt("_dmarc.example.com.", "ignored");
    let message = signed(&world);
    let zone = Zone::new()
        .txt("_dmarc.example.com", "v=DMARC1; p=quarantine; t=y")
        .error("example.com", DnsError::ServerFailure);
    let verdict = look(&zone, "192.0.2.1", &message);
    assert_eq!(verdict.dmarc.result, DmarcResult::TempError);
    assert_eq!(verdict.temporary(), None);
}

#[test]
fn a_broken_link_of_the_chain_matters_only_to_what_fails() {
    let world = world();
    let der = dkim::generate(Algorithm::Ed25519Sha256).unwrap();
    let key = SigningKey::from_pkcs8("list.example", "arc", &der).unwrap();
    let seen = look(&world.zone, "192.0.2.1", &signed(&world));
    let sealer = arc::Sealer {
        key: &key,
        authserv_id: "list.example",
        now: NOW,
    };
    let changed = TEXT.replace("hello\r\n", "hello\r\n-- \r\nthe list\r\n");
    let seal = arc::seal(
        changed.as_bytes(),
        &sealer,
        &results::summary(&seen),
        &seen.arc,
    )
    .unwrap();
    let sent = [seal.as_slice(), changed.as_bytes()].concat();
    let record = dkim::public_record(&der).unwrap();
    let zone = |world: World| world.zone.txt("arc._domainkey.list.example", &record);
    let zone = zone(world);
    let verdict = look(&zone, "203.0.113.5", &sent);
    assert_eq!(verdict.arc.cv, arc::ChainState::Pass, "{}", verdict.arc.why);
    assert_eq!(verdict.dmarc.wish, Policy::Reject);
    let vouched = verdict
        .arc
        .vouched(|domain| domain == "list.example")
        .unwrap();
    assert_eq!(vouched.results.of("dmarc").next().unwrap().result, "pass");
    assert_eq!(verdict.arc.vouched(|_| false), None);
    let dns = Failing {
        zone: &zone,
        name: "arc._domainkey.list.example",
    };
    let verdict = look(&dns, "203.0.113.5", &sent);
    assert_eq!(verdict.temporary(), Some(Trouble::Chain));
    assert!(
        verdict.arc.vouched(|_| true).is_none(),
        "what is not known vouches for nobody"
    );
}

#[test]
fn a_deadline_keeps_what_is_known() {
    let world = world();
    let silent = Silent {
        zone: &world.zone,
        name: "_dmarc.example.com",
    };
    let late = UntilLate::new(&silent, Box::pin(std::future::ready(())));
    let verdict = look(&late, "192.0.2.1", &signed(&world));
    assert!(
        verdict.dkim[0].passed(),
        "answers that are there count, however late it is"
    );
    assert_eq!(verdict.spf.result, SpfResult::Pass);
    assert_eq!(verdict.dmarc.result, DmarcResult::TempError);
    assert_eq!(
        verdict.temporary(),
        None,
        "an exact pass satisfies any policy"
    );
}

#[test]
fn reverse_names() {
    let zone = Zone::new()
        .ptr("192.0.2.1", "mail.example.com")
        .address("mail.example.com", "192.0.2.1")
        .ptr("192.0.2.2", "mail.example.com")
        .ptr("192.0.2.4", "gone.example.com")
        .ptr("192.0.2.4", "two.example.com.")
        .address("two.example.com", "192.0.2.4")
        .ptr("192.0.2.5", "a b..c")
        .ptr("192.0.2.6", "slow.example.com")
        .error("slow.example.com", DnsError::TimedOut)
        .ptr("2001:db8::1", "six.example.com")
        .address("six.example.com", "2001:db8::1")
        .error(
            &world::reverse_name("192.0.2.7".parse().unwrap()),
            DnsError::ServerFailure,
        );
    let cases = [
        (
            "192.0.2.1",
            IprevResult::Pass,
            None,
            Some("mail.example.com"),
        ),
        (
            "::ffff:192.0.2.1",
            IprevResult::Pass,
            None,
            Some("mail.example.com"),
        ),
        (
            "192.0.2.2",
            IprevResult::Fail,
            Some(IprevReason::NotConfirmed),
            Some("mail.example.com"),
        ),
        (
            "192.0.2.3",
            IprevResult::Fail,
            Some(IprevReason::NoName),
            None,
        ),
        (
            "192.0.2.4",
            IprevResult::Pass,
            None,
            Some("two.example.com"),
        ),
        (
            "192.0.2.5",
            IprevResult::Fail,
            Some(IprevReason::NoName),
            None,
        ),
        (
            "192.0.2.6",
            IprevResult::TempError,
            Some(IprevReason::Dns),
            Some("slow.example.com"),
        ),
        (
            "192.0.2.7",
            IprevResult::TempError,
            Some(IprevReason::Dns),
            None,
        ),
        (
            "2001:db8::1",
            IprevResult::Pass,
            None,
            Some("six.example.com"),
        ),
    ];
    for (ip, result, reason, name) in cases {
        let ip: IpAddr = ip.parse().unwrap();
        let found = now(iprev::check(
            &zone,
            ip,
            &mut mailauth::explain::Notes::off(),
        ));
        assert_eq!(
            (found.result, found.reason, found.name.as_deref()),
            (result, reason, name),
            "{ip}"
        );
    }
    let mut zone = Zone::new();
    for number in 0..100 {
        zone = zone.ptr("192.0.2.1", &format!("n{number}.example.com"));
    }
    now(iprev::check(
        &zone,
        "192.0.2.1".parse().unwrap(),
        &mut mailauth::explain::Notes::off(),
    ));
    assert!(
        zone.asked().len() <= 11,
        "names of a hostile reverse zone are not all followed"
    );
}

/// One name fails, the others answer.
struct Failing<'a> {
    zone: &'a Zone,
    name: &'a str,
}

impl Dns for Failing<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        match name == self.name {
            true => Box::pin(std::future::ready(Err(DnsError::ServerFailure))),
            false => self.zone.ask(name, kind),
        }
    }
}

/// One name never answers.
struct Silent<'a> {
    zone: &'a Zone,
    name: &'a str,
}

impl Dns for Silent<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        match name == self.name {
            true => Box::pin(std::future::pending()),
            false => self.zone.ask(name, kind),
        }
    }
}
