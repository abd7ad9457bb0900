//! Stored messages, and what is believed of them.

use super::{StoredOrigin, author, is_aligned, of_stored};

const RETURN: &str = "Return-Path: <x@there.example>\r\n";
const RECEIVED: &str = "Received: from by (mx.there.example [192.0.2.7])\r\n\tby mx.here.example with ESMTPS (TLS1.3 [203.0.113.1]))\r\n\tid ABC\r\n";
const REST: &str = "From: Ann <Ann@There.Example>\r\nSubject: hi\r\n\r\nhello\r\n";

fn stored(results: &str) -> String {
    format!("{RETURN}Authentication-Results: {results}\r\n{RECEIVED}{REST}")
}

#[track_caller]
fn check(message: &str, confirmed: bool) {
    let want = StoredOrigin {
        ip: "192.0.2.7".parse().ok(),
        author: Some("Ann@there.example".to_owned()),
        confirmed,
        domain: confirmed.then(|| "there.example".to_owned()),
    };
    assert_eq!(
        of_stored(message.as_bytes(), "mx.here.example"),
        want,
        "{message}"
    );
}

#[test]
fn who_proved_to_have_sent_it() {
    check(
        &stored("mx.here.example; dmarc=pass header.from=there.example"),
        true,
    );
    check(
        &stored("mx.here.example;\r\n\tdkim=pass header.d=mail.there.example;\r\n\tdmarc=none"),
        true,
    );
    check(
        &stored("mx.here.example; spf=pass (dmarc=pass) smtp.mailfrom=x@there.example; dmarc=none"),
        true,
    );
    check(
        &stored("mx.here.example; spf=pass smtp.mailfrom=elsewhere.example; dmarc=none"),
        false,
    );
    check(
        &stored("mx.here.example; spf=pass smtp.mailfrom=there.example; dmarc=fail"),
        false,
    );
    check(
        &stored(
            "mx.here.example; dkim=fail header.d=there.example; dmarc=none (dmarc=pass; dmarc=pass)",
        ),
        false,
    );
}

#[test]
fn fields_of_others_are_not_believed() {
    let nobody = StoredOrigin::default();
    for message in [
        format!("{RECEIVED}{REST}").replace("by mx.here.example", "by mx.evil.example"),
        format!("Subject: first\r\n{RECEIVED}{REST}"),
        stored("mx.evil.example; dmarc=pass"),
        format!("{RETURN}Received: by mx.here.example with local\r\n{RECEIVED}{REST}"),
        REST.to_owned(),
        String::new(),
    ] {
        assert_eq!(
            of_stored(message.as_bytes(), "mx.here.example"),
            nobody,
            "{message}"
        );
    }
    let below =
        format!("{RETURN}{RECEIVED}Authentication-Results: mx.here.example; dmarc=pass\r\n{REST}");
    check(&below, false);
}

#[test]
fn who_is_its_author() {
    let of = |header: &str| author(format!("{header}\r\n\r\n").as_bytes());
    assert_eq!(of("From: a@b.example"), Some("a@b.example".to_owned()));
    assert_eq!(of("From: a@b.example, c@d.example"), None);
    assert_eq!(of("From: a@b.example\r\nFrom: c@d.example"), None);
    assert_eq!(of("From: nobody"), None);
}

#[test]
fn which_domains_stand_for_another() {
    for (author, passed, want) in [
        ("a.example", "a.example", true),
        ("news.a.example", "a.example", true),
        ("a.example", "mail.a.example", true),
        ("a.example", "b.example", false),
        ("a.example", "nota.example", false),
        ("a.example", "example", false),
        ("a.example", "", false),
    ] {
        assert_eq!(is_aligned(author, passed), want, "{author} {passed}");
    }
}
