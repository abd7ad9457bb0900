//! What the command prints, over a table for a DNS.

use std::time::Duration;

use clap::Parser;
use world::{Answer as DnsAnswer, BoxFuture, DnsError, Kind, Record};

use super::*;
use crate::commands::auth::rules::Rules;
use crate::output::{Exit, Form, Loudness, Style};

/// Names with the text of their TXT record, the address of their A record, or a name.
struct Table(&'static [(&'static str, Kind, &'static str)]);

impl Dns for Table {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<DnsAnswer, DnsError>> {
        let ttl = Duration::from_secs(60);
        let rows = self.0.iter().filter(|row| row.0 == name);
        let answer = match rows.clone().find(|row| row.1 == kind) {
            Some((_, _, "SERVFAIL")) => Err(DnsError::ServerFailure),
            Some((_, Kind::Txt, text)) => {
                let record = Record::Txt(vec![text.as_bytes().to_vec()]);
                Ok(DnsAnswer::found(vec![record], ttl))
            }
            Some((_, Kind::A, text)) => Ok(DnsAnswer::found(
                vec![Record::A(text.parse().unwrap())],
                ttl,
            )),
            Some((_, Kind::Ptr, text)) => {
                Ok(DnsAnswer::found(vec![Record::Ptr((*text).to_owned())], ttl))
            }
            Some(other) => panic!("{other:?}"),
            None if rows.count() > 0 => Ok(DnsAnswer::no_data(ttl)),
            None => Ok(DnsAnswer::no_such_name(ttl)),
        };
        Box::pin(std::future::ready(answer))
    }
}

const EXAMPLE: &[(&str, Kind, &str)] = &[
    ("1.2.0.192.in-addr.arpa", Kind::Ptr, "mail.example.com"),
    ("mail.example.com", Kind::A, "192.0.2.1"),
    ("example.com", Kind::Txt, "v=spf1 ip4:192.0.2.1 -all"),
    (
        "_dmarc.example.com",
        Kind::Txt,
        "v=DMARC1; p=reject; sp=quarantine",
    ),
    ("_dmarc.lame.example", Kind::Txt, "SERVFAIL"),
];

const MESSAGE: &str = "Return-Path: <ann@example.com>\r\n\
    Received: from localhost by mx.example.org with LMTP id 2; Fri, 20 Nov 2026 08:00:01 +0000\r\n\
    Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n\tby mx.example.org with ESMTPS id 1;\r\n\tFri, 20 Nov 2026 08:00:00 +0000\r\n\
    From: Ann <ann@example.com>\r\nSubject: x\r\n\r\nhi\r\n";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn run(options: &[&str], message: &str) -> Result<Answer, Failure> {
    let line = ["check", "-"].iter().chain(options);
    let args = Line::parse_from(line).args;
    let rules = Rules::built_in("These are the rules of a new installation.");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(check(
        &Table(EXAMPLE),
        "mx.example.org",
        &rules,
        &args,
        message.as_bytes(),
        1_800_000_000,
    ))
}

fn text(answer: &Answer) -> String {
    let style = Style {
        form: Form::People,
        loudness: Loudness::Normal,
    };
    let mut out = Vec::new();
    answer.print(style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// These lines stand in the text, in this order.
#[track_caller]
fn says(answer: &Answer, lines: &[&str]) {
    let text = text(answer);
    let mut rest = text.as_str();
    for line in lines {
        let Some((_, after)) = rest.split_once(line) else {
            panic!("{line:?} is missing (or not in its place) in:\n{text}");
        };
        rest = after;
    }
}

#[test]
fn every_step_with_its_record() {
    let answer = run(&[], MESSAGE).unwrap();
    assert_eq!(answer.exit, Exit::Done);
    says(
        &answer,
        &[
            "Sent by   192.0.2.1  (from the topmost Received field with an address)",
            "HELO      mail.example.com  (from the same Received field)",
            "MAIL FROM <ann@example.com>  (from Return-Path)",
            "From      Ann <ann@example.com>",
            "Reverse name (iprev): pass",
            "1.2.0.192.in-addr.arpa PTR: mail.example.com",
            "mail.example.com A: 192.0.2.1",
            "mail.example.com leads back to 192.0.2.1.",
            "SPF of the HELO name mail.example.com: none",
            "SPF of MAIL FROM example.com: pass",
            "example.com TXT: \"v=spf1 ip4:192.0.2.1 -all\"",
            "DKIM (no signature): none",
            "ARC: none",
            "DMARC: pass",
            "The author's domain, from the From field, is example.com.",
            "_dmarc.example.com TXT: \"v=DMARC1; p=reject; sp=quarantine\"",
            "The policy is reject, from its own record at example.com.",
            "SPF: example.com is the author's own domain, so it is aligned.",
            "DMARC says pass: aligned.",
            "Postroad would deliver it to the inbox",
            "These are the rules of a new installation.",
            "Authentication-Results: mx.example.org;",
            "dmarc=pass (aligned, p=reject at example.com) header.from=example.com",
        ],
    );
}

#[test]
fn options_come_before_what_the_message_says() {
    let options = [
        "--ip",
        "198.51.100.7",
        "--helo",
        "evil.example",
        "--from",
        "<>",
    ];
    let answer = run(&options, MESSAGE).unwrap();
    assert_eq!(answer.exit, Exit::Findings);
    says(
        &answer,
        &[
            "Sent by   198.51.100.7  (from --ip)",
            "HELO      evil.example  (from --helo)",
            "MAIL FROM <>  (from --from)",
            "Reverse name (iprev): fail",
            "The address has no name.",
            "DMARC: fail",
            "DMARC says fail: neither SPF nor DKIM passed. The domain wishes to see it rejected.",
            "Postroad would put it into the junk folder",
        ],
    );
    // The word of another host would explain nothing.
    let answer = run(&["--ip", "198.51.100.7"], MESSAGE).unwrap();
    says(
        &answer,
        &["HELO      [198.51.100.7]  (from nowhere: the address stands in for it)"],
    );
}

#[test]
fn the_same_for_programs() {
    let answer = run(&["--ip", "198.51.100.7"], MESSAGE).unwrap();
    let value = &answer.value;
    assert_eq!(value["ip"]["value"], "198.51.100.7");
    assert_eq!(value["mail_from"]["from"], "Return-Path");
    assert_eq!(value["spf"]["result"], "fail");
    assert_eq!(value["dmarc"]["result"], "fail");
    assert_eq!(value["dmarc"]["policy_domain"], "example.com");
    assert_eq!(value["dmarc"]["wish"], "reject");
    assert_eq!(value["would"][0]["do"], "junk");
    let asked = &value["dmarc"]["steps"][1]["asked"];
    assert_eq!(asked["name"], "_dmarc.example.com");
    assert_eq!(asked["type"], "TXT");
    assert_eq!(asked["answer"], "\"v=DMARC1; p=reject; sp=quarantine\"");
    let field = value["authentication_results"].as_str().unwrap();
    assert!(field.starts_with("Authentication-Results: mx.example.org;"));
}

#[test]
fn trouble_is_told_as_such() {
    let message = MESSAGE.replace("From: Ann <ann@example.com>", "From: ann@lame.example");
    let answer = run(&[], &message).unwrap();
    assert_eq!(answer.exit, Exit::Findings);
    says(
        &answer,
        &[
            "DMARC: temperror",
            "_dmarc.lame.example TXT: no answer: the DNS server failed (SERVFAIL)",
            "Postroad would ask the sender to come again later",
        ],
    );
}

#[test]
fn messages_without_what_is_needed() {
    let bare = "From: ann@example.com\r\n\r\nhi\r\n";
    let refused = run(&[], bare).unwrap_err();
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.message.contains("--ip"), "{refused}");
    let answer = run(&["--ip", "2001:db8::1"], bare).unwrap();
    says(
        &answer,
        &[
            "HELO      [IPv6:2001:db8::1]",
            "MAIL FROM <>  (from nowhere: taken as null)",
        ],
    );
    let refused = run(&["--ip", "192.0.2.1", "--from", "not an address"], bare).unwrap_err();
    assert_eq!(refused.exit, Exit::Usage);
    // Nothing of a stranger's message reaches the terminal as it is.
    let hostile = "From: \x1b[2J <ann@example.com>\r\n\r\nhi\r\n";
    let answer = run(&["--ip", "192.0.2.1", "--helo", "\x1b]0;x\x07"], hostile).unwrap();
    assert!(!text(&answer).contains('\x1b'), "{}", text(&answer));
}

#[test]
fn received_fields_of_all_kinds() {
    let cases = [
        (
            "from a.example (b.example [192.0.2.9]) by x",
            Some("192.0.2.9"),
        ),
        (
            "from a.example ([IPv6:2001:db8::9]) by x",
            Some("2001:db8::9"),
        ),
        ("from [192.0.2.9] (helo=a.example) by x", Some("192.0.2.9")),
        (
            "from a.example (a.example [unknown] [192.0.2.9]) by x",
            Some("192.0.2.9"),
        ),
        ("by x (Postfix, from userid 0)", None),
        ("from a.example by x [192.0.2.9]", None),
    ];
    for (value, ip) in cases {
        let message = format!(
            "Received: {value}; Fri, 20 Nov 2026 08:00:00 +0000\r\nFrom: a@b.example\r\n\r\n"
        );
        match (run(&[], &message), ip) {
            (Ok(answer), Some(ip)) => assert_eq!(answer.value["ip"]["value"], ip, "{value}"),
            (Err(refused), None) => assert_eq!(refused.exit, Exit::Usage, "{value}"),
            (other, _) => panic!("{value}: {other:?}"),
        }
    }
}
