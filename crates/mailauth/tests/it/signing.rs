//! Signing: both signatures verify, changes break them, and what must not be signed is not.
//! Judged by the program's own verification and by the small verifier that shares little with it.

use mailauth::dkim::{Algorithm, SignError, SigningKey, generate, public_record, sign};
use mailauth::dkim::{Verdict, verify as judge};
use mailauth::explain::Notes;
use proptest::prelude::*;
use std::sync::LazyLock;

use crate::verifier::{Record, signatures, tag, verify};
use crate::zone::{Zone, now};

static KEYS: LazyLock<[(SigningKey, String); 2]> = LazyLock::new(|| {
    [
        (Algorithm::RsaSha256, "r1"),
        (Algorithm::Ed25519Sha256, "e1"),
    ]
    .map(|(algorithm, selector)| {
        let der = generate(algorithm).unwrap();
        let key = SigningKey::from_pkcs8("example.org", selector, &der).unwrap();
        (key, public_record(&der).unwrap())
    })
});

const MESSAGE: &[u8] = b"Received: from a by b\r\nFrom: Ann <ann@example.org>\r\n\
    To: bob@example.net\r\nSubject: a  folded\r\n\tsubject\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\
    Message-ID: <1@example.org>\r\n\r\nHello  there \r\n\r\n.dot\r\n\r\n\r\n";

fn signed(message: &[u8]) -> Vec<u8> {
    let keys: Vec<&SigningKey> = KEYS.iter().map(|(key, _)| key).collect();
    let mut out = sign(message, &keys, 1_763_719_200).unwrap();
    out.extend_from_slice(message);
    out
}

/// What the small verifier says; the program must say the same.
fn check(message: &[u8]) -> Vec<Result<(), &'static str>> {
    let small = by_the_small_verifier(message);
    let passed: Vec<bool> = verdicts(message).iter().map(Verdict::passed).collect();
    let small_passed: Vec<bool> = small.iter().map(Result::is_ok).collect();
    // A From that was added is refused by policy before the signature is looked at: both say no.
    assert_eq!(passed, small_passed, "{}", message.escape_ascii());
    small
}

fn verdicts(message: &[u8]) -> Vec<Verdict> {
    let zone = KEYS.iter().fold(Zone::new(), |zone, (key, record)| {
        let name = format!("{}._domainkey.example.org", key.selector());
        zone.txt(&name, record)
    });
    now(judge(&zone, message, 1_763_719_200, &mut Notes::off()))
}

fn by_the_small_verifier(message: &[u8]) -> Vec<Result<(), &'static str>> {
    signatures(message)
        .iter()
        .map(|signature| {
            let selector = tag(&String::from_utf8_lossy(signature), "s").unwrap();
            let (_, record) = KEYS
                .iter()
                .find(|(key, _)| key.selector() == selector)
                .unwrap();
            verify(message, signature, &Record::parse(record).unwrap())
        })
        .collect()
}

fn replaced(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap();
    assert!(text.contains(from));
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn both_signatures_verify() {
    assert_eq!(check(&signed(MESSAGE)), [Ok(()), Ok(())]);
}

#[test]
fn lines_are_short() {
    let text = String::from_utf8(signed(MESSAGE)).unwrap();
    for line in text.split("\r\n") {
        assert!(line.len() <= 100, "{line}");
    }
}

#[test]
fn what_relays_may_do_keeps_them_valid() {
    let message = signed(MESSAGE);
    let with_trace = [b"Received: from x by y\r\n", &message[..]].concat();
    assert_eq!(check(&with_trace), [Ok(()), Ok(())]);
    assert_eq!(
        check(&replaced(&message, "Hello  there ", "Hello there")),
        [Ok(()), Ok(())]
    );
    assert_eq!(
        check(&replaced(&message, "a  folded\r\n\t", "a folded ")),
        [Ok(()), Ok(())]
    );
}

#[test]
fn changes_break_them() {
    let message = signed(MESSAGE);
    for (from, to) in [
        ("Hello", "Hallo"),
        ("bob@", "rob@"),
        ("From: Ann", "From: Eve"),
        // Oversigned: a field added later is noticed (RFC 6376 §8.15).
        ("To: bob", "From: eve@example.com\r\nTo: bob"),
        ("To: bob", "Cc: eve@example.com\r\nTo: bob"),
        ("To: bob", "Reply-To: eve@example.com\r\nTo: bob"),
        ("To: bob", "MIME-Version: 1.0\r\nTo: bob"),
    ] {
        let results = check(&replaced(&message, from, to));
        assert!(
            results.iter().all(Result::is_err),
            "{from} -> {to}: {results:?}"
        );
    }
}

#[test]
fn trace_fields_are_not_signed() {
    for signature in signatures(&signed(MESSAGE)) {
        let names = tag(&String::from_utf8_lossy(&signature), "h")
            .unwrap()
            .to_lowercase();
        for never in [
            "received",
            "return-path",
            "dkim-signature",
            "authentication-results",
            "bcc",
        ] {
            assert!(
                !names.split(':').any(|name| name == never),
                "{never} in {names}"
            );
        }
    }
}

#[test]
fn what_cannot_be_signed() {
    let keys: Vec<&SigningKey> = KEYS.iter().map(|(key, _)| key).collect();
    assert_eq!(
        sign(b"Subject: x\r\n\r\nbody\r\n", &keys, 0),
        Err(SignError::NoFrom)
    );
    assert_eq!(sign(b"", &keys, 0), Err(SignError::NoFrom));
    assert_eq!(sign(MESSAGE, &[], 0), Ok(Vec::new()));
}

/// Any byte of what is signed, changed to any other, breaks both signatures, or is white space that the
/// relaxed form forgives.
#[test]
fn no_byte_can_be_changed() {
    let message = signed(b"From: Ann <ann@example.org>\r\nTo: b@example.net\r\nSubject: Hi\r\n\r\nOne\r\n\r\nTwo\r\n");
    let fields = memchr::memmem::find(&message, b"From: Ann").unwrap();
    let mut changed = message.clone();
    for at in 0..message.len() {
        for bits in [0x01, 0x02, 0x20, 0x80] {
            changed[at] ^= bits;
            let passed = verdicts(&changed).iter().filter(|it| it.passed()).count();
            // A signature covers its own field, but not that of the other.
            let most = if at < fields { 1 } else { 0 };
            assert!(
                passed <= most || forgiven(&message, &changed),
                "byte {at}: {}",
                changed.escape_ascii()
            );
            changed[at] = message[at];
        }
    }
}

/// Whether two messages are the same but for the letters' case in names and for white space.
fn forgiven(one: &[u8], two: &[u8]) -> bool {
    let plain = |message: &[u8]| -> Vec<u8> {
        let (fields, body) = crate::verifier::fields(message);
        let mut out = Vec::new();
        for (name, value) in fields {
            mailauth::dkim::relaxed_field(name.as_bytes(), &value, &mut out);
        }
        out.extend_from_slice(&mailauth::dkim::BodyHash::of(&body));
        out
    };
    plain(one) == plain(two)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_body_verifies(body in "[ -~ \t\r\n]{0,400}", subject in "[ -~]{0,100}") {
        let message = format!("From: a@example.org\r\nSubject: {subject}\r\n\r\n{body}");
        prop_assert_eq!(check(&signed(message.as_bytes())), [Ok(()), Ok(())]);
    }

    /// Whatever stands there, it is judged and not crashed over.
    #[test]
    fn nothing_panics(
        tags in "[ -~\r\n\t;=é]{0,120}",
        middle in prop::sample::select(vec!["v=1;", "a=rsa-sha256;", "h=from;", "d=example.org; s=r1;"]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut message = format!("DKIM-Signature: {middle}{tags}\r\n").into_bytes();
        message.extend_from_slice(&rest);
        prop_assert!(!verdicts(&message).iter().any(Verdict::passed));
    }
}
