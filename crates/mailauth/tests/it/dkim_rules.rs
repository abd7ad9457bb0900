//! What makes a signature good, and every way in which it is not (RFC 6376 §6, RFC 8301, RFC 8463).

use mailauth::dkim::{DkimResult, Verdict, verify};
use mailauth::explain::Notes;
use world::{DnsError, Kind};

use crate::signer::{Form, Wanted, ed25519_public, rsa_public, wanted, zone};
use crate::zone::{Zone, now};

const MESSAGE: &str = "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\n\
    Subject: a  folded\r\n\tsubject \r\n\r\nHello  there \r\n\r\nBye\r\n\r\n\r\n";
const NOW: u64 = 1_763_719_200;

fn judge(zone: &Zone, message: &str) -> Vec<Verdict> {
    now(verify(zone, message.as_bytes(), NOW, &mut Notes::off()))
}

#[track_caller]
fn one(zone: &Zone, message: &str) -> Verdict {
    let mut verdicts = judge(zone, message);
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

#[track_caller]
fn check(message: &str, result: DkimResult, why: &str) {
    let verdict = one(&zone(), message);
    let found = (verdict.result, verdict.reason.to_string());
    assert_eq!(found, (result, why.to_owned()), "{message}");
}

#[test]
fn forms_and_algorithms() {
    for rsa in [true, false] {
        for header in [Form::Simple, Form::Relaxed] {
            for body in [Form::Simple, Form::Relaxed] {
                for message in [
                    MESSAGE,
                    "From: a\r\nSubject: no body\r\n",
                    "From: a\r\nSubject: empty body\r\n\r\n",
                    "From: a\r\nSubject:\r\n\r\n\r\n\r\n",
                    "from : odd name\r\nSUBJECT:x\r\n\r\nno line end",
                    "From: a\r\n b\r\n\tc\r\n\r\n \t \r\nx \t y\r\n \r\n",
                ] {
                    let signed = wanted(rsa).forms(header, body).sign(message);
                    let verdict = one(&zone(), &signed);
                    assert!(
                        verdict.passed(),
                        "{header:?}/{body:?} {signed}: {verdict:?}"
                    );
                    assert!(verdict.covers_whole_body);
                    assert_eq!(verdict.bits, Some(if rsa { 2_048 } else { 256 }));
                }
            }
        }
    }
}

/// What may change on the way: nothing in the simple forms, white space in the relaxed ones.
#[test]
fn what_each_form_forgives() {
    let changes = [
        ("a  folded\r\n\tsubject ", "a folded subject"),
        ("Subject: a", "SUBJECT:a"),
    ];
    let body_changes = [("Hello  there ", "Hello there"), ("Bye\r\n", "Bye \r\n")];
    for (form, forgives) in [(Form::Simple, false), (Form::Relaxed, true)] {
        for (changes, signature) in [
            (&changes, wanted(true).forms(form, Form::Simple)),
            (&body_changes, wanted(true).forms(Form::Simple, form)),
        ] {
            let signed = signature.sign(MESSAGE);
            for (from, to) in changes {
                let changed = signed.replacen(from, to, 1);
                assert_ne!(changed, signed);
                assert_eq!(one(&zone(), &changed).passed(), forgives, "{from} {to}");
            }
            // Empty lines at the end do not count in either form.
            assert!(one(&zone(), &format!("{signed}\r\n\r\n")).passed());
            assert!(!one(&zone(), &format!("{signed}x\r\n")).passed());
        }
    }
}

#[test]
fn tags_of_signatures() {
    use DkimResult::{Pass, PermError, Policy};
    let good = "the signature is good";
    let later = (NOW + 3_600).to_string();
    let past = (NOW - 3_600).to_string();
    let future = (NOW + 3 * 86_400).to_string();
    let signed = |tag: &str, value: Option<&str>| wanted(true).tag(tag, value).sign(MESSAGE);
    let huge = "9".repeat(76);
    for (tag, value, result, why) in [
        ("v", Some("2"), PermError, "it is not version 1"),
        ("v", Some("1.0"), PermError, "it is not version 1"),
        ("a", None, PermError, "the tag a= is missing"),
        ("d", None, PermError, "the tag d= is missing"),
        ("s", None, PermError, "the tag s= is missing"),
        (
            "a",
            Some("rsa-sha1"),
            Policy,
            "rsa-sha1 does not count any more (RFC 8301)",
        ),
        (
            "a",
            Some("dsa-sha256"),
            PermError,
            "the algorithm dsa-sha256 is not known",
        ),
        (
            "d",
            Some("exa mple.org"),
            PermError,
            "the value of the tag d= cannot be read",
        ),
        (
            "d",
            Some(""),
            PermError,
            "the value of the tag d= cannot be read",
        ),
        (
            "s",
            Some("a..b"),
            PermError,
            "the value of the tag s= cannot be read",
        ),
        ("s", Some("none"), PermError, "there is no key record"),
        ("i", Some("@example.org"), Pass, good),
        ("i", Some("ann=20b@Mail.EXAMPLE.org"), Pass, good),
        (
            "i",
            Some("@example.com"),
            PermError,
            "i= does not belong to d=",
        ),
        (
            "i",
            Some("@badexample.org"),
            PermError,
            "i= does not belong to d=",
        ),
        (
            "i",
            Some("example.org"),
            PermError,
            "the value of the tag i= cannot be read",
        ),
        ("q", Some("dns/txt"), Pass, good),
        ("q", Some("http : dns/txt"), Pass, good),
        (
            "q",
            Some("http"),
            PermError,
            "the key cannot be fetched in the way that q= asks for",
        ),
        ("t", Some(&past), Pass, good),
        ("t", Some(&later), Pass, good),
        (
            "t",
            Some(&future),
            Policy,
            "the signature was made in the future",
        ),
        (
            "t",
            Some("-1"),
            PermError,
            "the value of the tag t= cannot be read",
        ),
        (
            "t",
            Some(&huge),
            Policy,
            "the signature was made in the future",
        ),
        ("x", Some(&later), Pass, good),
        ("x", Some(&past), Policy, "the signature has expired"),
        ("x", Some(&huge), Pass, good),
        (
            "x",
            Some("soon"),
            PermError,
            "the value of the tag x= cannot be read",
        ),
        ("z", Some("From:someone=20else|To:x"), Pass, good),
        ("unknown_9", Some("anything / at # all"), Pass, good),
        (
            "l",
            Some("ten"),
            PermError,
            "the value of the tag l= cannot be read",
        ),
    ] {
        check(&signed(tag, value), result, why);
    }
    let both = wanted(true).tag("t", Some(&later)).tag("x", Some(&later));
    check(&both.sign(MESSAGE), PermError, "x= is not later than t=");
    // Signatures from before RFC 4871.
    check(&signed("v", None), Pass, good);
}

#[test]
fn tag_lists() {
    use DkimResult::PermError;
    let signed = wanted(true).sign(MESSAGE);
    for (from, to, why) in [
        ("s=r;", "s=r; s=r;", "the tag s= is there twice"),
        ("s=r;", "s=r;;", "the signature is not a list of tags"),
        ("s=r;", "s=r; junk;", "the signature is not a list of tags"),
        ("s=r;", "s=r; 9=x;", "the signature is not a list of tags"),
        ("s=r;", "s=r; a b=x;", "the signature is not a list of tags"),
        (
            "c=relaxed/relaxed",
            "c=relaxed/nowsp",
            "the canonical form nowsp is not known",
        ),
        (
            "c=relaxed/relaxed",
            "c=nowsp",
            "the canonical form nowsp is not known",
        ),
        ("h=From:Subject", "h=Subject", "h= does not name From"),
        (
            "h=From:Subject",
            "h=Fr om:Subject",
            "the value of the tag h= cannot be read",
        ),
        ("bh=", "bx=", "the tag bh= is missing"),
        ("bh=", "bh=AAAA", "the value of the tag bh= cannot be read"),
        (
            "\r\n b=",
            "\r\n b=*",
            "the value of the tag b= cannot be read",
        ),
        ("\r\n b=", "\r\n y=", "the tag b= is missing"),
    ] {
        assert!(signed.contains(from));
        check(&signed.replacen(from, to, 1), PermError, why);
    }
    // Nothing at all, and a last semicolon.
    check(
        "DKIM-Signature:\r\nFrom: a\r\n\r\n",
        PermError,
        "the signature is not a list of tags",
    );
    let (field, rest) = signed.split_once("\r\nFrom").unwrap();
    check(
        &format!("{field}; \r\nFrom{rest}"),
        DkimResult::Fail,
        "the signature does not fit the header",
    );
}

/// White space around `:` in `h=`, and inside of `b=`.
#[test]
fn white_space_in_values() {
    let signature = wanted(true).names("From : \r\n\tSubject");
    assert!(one(&zone(), &signature.sign(MESSAGE)).passed());
    let signed = wanted(false).sign(MESSAGE);
    let b = signed.find("\r\n b=").unwrap() + 20;
    let folded = format!("{}\r\n\t {}", &signed[..b], &signed[b..]);
    assert!(one(&zone(), &folded).passed(), "{folded}");
}

#[test]
fn lengths() {
    use DkimResult::{Fail, Pass};
    let canonical = "Hello there\r\n\r\nBye\r\n".len();
    let part = wanted(true).length(11).sign(MESSAGE);
    let verdict = one(&zone(), &part);
    assert!(verdict.passed() && !verdict.covers_whole_body);
    let more = format!("{part}and buy our pills\r\n");
    let verdict = one(&zone(), &more);
    assert!(
        verdict.passed() && !verdict.covers_whole_body,
        "as RFC 6376 §8.2 warns"
    );
    let whole = wanted(true).length(canonical).sign(MESSAGE);
    let verdict = one(&zone(), &whole);
    assert!(verdict.passed() && verdict.covers_whole_body);
    let none = wanted(true).length(0).sign(MESSAGE);
    assert!(one(&zone(), &none).passed());
    check(
        &whole.replacen("Bye\r\n", "", 1),
        Fail,
        "the body is shorter than what was signed",
    );
    check(
        &part.replacen("Hello", "Hallo", 1),
        Fail,
        "the body was changed after signing",
    );
    // A body shorter than l= when it was signed: the hash is right, the claim is not.
    check(
        &wanted(true).length(999).sign(MESSAGE),
        Fail,
        "the body is shorter than what was signed",
    );
    let simple = wanted(true)
        .forms(Form::Simple, Form::Simple)
        .length(5)
        .sign(MESSAGE);
    check(&simple, Pass, "the signature is good");
}

#[test]
fn from_fields() {
    use DkimResult::{Fail, Policy};
    let signed = wanted(true).sign(MESSAGE);
    let added = signed.replacen("From: Ann", "From: eve@example.com\r\nFrom: Ann", 1);
    check(
        &added,
        Policy,
        "the message has a From field that is not signed",
    );
    let below = signed.replacen("To:", "From: eve@example.com\r\nTo:", 1);
    check(
        &below,
        Policy,
        "the message has a From field that is not signed",
    );
    let over = wanted(true).names("From:From:Subject").sign(MESSAGE);
    assert!(one(&zone(), &over).passed());
    let added = over.replacen("From: Ann", "From: eve@example.com\r\nFrom: Ann", 1);
    check(&added, Fail, "the signature does not fit the header");
    let two = MESSAGE.replacen("To:", "From: second@example.org\r\nTo:", 1);
    let both = wanted(true).names("from:from:subject").sign(&two);
    assert!(
        one(&zone(), &both).passed(),
        "both are signed; DMARC has its own opinion"
    );
}

/// Several fields of one name are signed from the bottom up (RFC 6376 §5.4.2).
#[test]
fn repeated_fields() {
    let message = MESSAGE.replacen("To:", "X: 1\r\nX: 2\r\nTo:", 1);
    let last = wanted(true).names("From:X").sign(&message);
    assert!(one(&zone(), &last).passed());
    assert!(one(&zone(), &last.replacen("X: 1", "X: 9", 1)).passed());
    assert!(!one(&zone(), &last.replacen("X: 2", "X: 9", 1)).passed());
    let absent = wanted(true).names("From:X:X:X").sign(&message);
    assert!(one(&zone(), &absent).passed());
    assert!(!one(&zone(), &absent.replacen("X: 1", "X: 0\r\nX: 1", 1)).passed());
}

#[track_caller]
fn with_record(record: &str, signature: &Wanted, result: DkimResult, why: &str) -> Verdict {
    let zone = Zone::new()
        .txt("r._domainkey.example.org", record)
        .txt("e._domainkey.example.org", record);
    let verdict = one(&zone, &signature.sign(MESSAGE));
    let found = (verdict.result, verdict.reason.to_string());
    assert_eq!(found, (result, why.to_owned()), "{record}");
    verdict
}

#[test]
fn key_records() {
    use DkimResult::{Pass, PermError, Policy};
    let good = "the signature is good";
    let rsa = rsa_public();
    let folded = format!("{} \r\n\t{}", &rsa[..50], &rsa[50..]);
    let at = |record: &str, result, why: &str| with_record(record, &wanted(true), result, why);
    for record in [
        "p=KEY",
        "v=DKIM1; p=KEY",
        "k=rsa;p=KEY;",
        " v = DKIM1 ; k = rsa ; p = KEY ; ",
    ] {
        at(&record.replace("KEY", &rsa), Pass, good);
    }
    at(&format!("v=DKIM1; p={folded}"), Pass, good);
    at(
        &format!("v=DKIM1; h=sha1:sha256; s=web:email; n=a note; g=; x=y; p={rsa}"),
        Pass,
        good,
    );
    at(&format!("v=DKIM1; s=*; t=x:y; p={rsa}"), Pass, good);
    let unreadable = |why: &str| format!("the key record cannot be read: {why}");
    for (record, why) in [
        (
            "v=DKIM2; p=KEY",
            unreadable("v= is not DKIM1 or not the first tag"),
        ),
        (
            "p=KEY; v=DKIM1",
            unreadable("v= is not DKIM1 or not the first tag"),
        ),
        (
            "v=DKIM1; k=dsa; p=KEY",
            unreadable("k= names a kind of key that is not known"),
        ),
        ("v=DKIM1; k=rsa", unreadable("p= is missing")),
        (
            "v=spf1 -all",
            unreadable("v= is not DKIM1 or not the first tag"),
        ),
        ("", unreadable("it is not a list of tags")),
        ("hello", unreadable("it is not a list of tags")),
        ("v=DKIM1; p=KEY; p=KEY", unreadable("a tag is there twice")),
        ("v=DKIM1; p=***", unreadable("p= is not base64")),
        ("v=DKIM1; p=AAAA", unreadable("p= holds no public key")),
        ("v=DKIM1; p=", "the key was revoked".to_owned()),
        ("v=DKIM1; p= ;", "the key was revoked".to_owned()),
        (
            "v=DKIM1; h=sha1; p=KEY",
            "the key is not for SHA-256".to_owned(),
        ),
        (
            "v=DKIM1; s=tlsrpt; p=KEY",
            "the key is not for mail".to_owned(),
        ),
    ] {
        at(&record.replace("KEY", &rsa), PermError, &why);
    }
    let other = format!("v=DKIM1; k=ed25519; p={}", ed25519_public());
    at(&other, PermError, "the key is for another algorithm");
    let long = format!("v=DKIM1; n={}; p={rsa}", "x".repeat(5_000));
    at(
        &long,
        PermError,
        &unreadable("it is longer than what is read"),
    );
    // 768 bits, from the public vectors of mail-dkim.
    let short = "k=rsa; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALSQ1y/+tHT1d9XvpiVap4Z+GFaydEmDgfC48m3wLLmDqfKBADWYIqrCnfKPvZPzGYzo+aJMEiAOTtiNxPWYToiTfJlTpn2YyEEz6OUIXw0uc+NfEQviN4QQr0jVX9yRjwIDAQAB";
    let verdict = at(short, Policy, "the RSA key has 768 bits, fewer than 1024");
    assert_eq!(verdict.bits, Some(768));
}

#[test]
fn flags_of_keys() {
    use DkimResult::{Fail, Pass, PermError};
    let strict = format!("v=DKIM1; t=s; p={}", rsa_public());
    let same = wanted(true).tag("i", Some("ann@example.org"));
    with_record(&strict, &same, Pass, "the signature is good");
    let below = wanted(true).tag("i", Some("ann@sub.example.org"));
    let why = "the key forbids i= to name a subdomain of d=";
    with_record(&strict, &below, PermError, why);
    let testing = format!("v=DKIM1; t=y; p={}", rsa_public());
    let verdict = with_record(&testing, &wanted(true), Pass, "the signature is good");
    assert!(verdict.testing);
    let zone = Zone::new().txt("r._domainkey.example.org", &testing);
    let changed = wanted(true).sign(MESSAGE).replacen("Hello", "Hallo", 1);
    let verdict = one(&zone, &changed);
    assert_eq!((verdict.result, verdict.testing), (Fail, true));
}

#[test]
fn dns_answers() {
    use DkimResult::{Fail, Pass, PermError, TempError};
    let signed = wanted(true).sign(MESSAGE);
    let name = "r._domainkey.example.org";
    let result = |zone: Zone, message: &str| one(&zone, message).result;
    assert_eq!(result(Zone::new(), &signed), PermError, "no such name");
    let other = Zone::new().address(name, "192.0.2.1");
    assert_eq!(result(other, &signed), PermError, "no such record");
    for error in [DnsError::TimedOut, DnsError::ServerFailure, DnsError::Bogus] {
        let zone = Zone::new().error(name, error.clone());
        assert_eq!(result(zone, &signed), TempError);
        // What is wrong already need not wait for the key.
        let zone = Zone::new().error(name, error);
        assert_eq!(result(zone, &signed.replacen("Bye", "By", 1)), Fail);
    }
    // Two records where one should be: any that fits will do.
    let record = format!("v=DKIM1; p={}", rsa_public());
    for other in ["v=spf1 -all", "v=DKIM1; p=", "v=DKIM1; k=ed25519; p=AAAA"] {
        let zone = Zone::new().txt(name, other).txt(name, &record);
        assert_eq!(result(zone, &signed), Pass, "{other}");
        let zone = Zone::new().txt(name, &record).txt(name, other);
        assert_eq!(result(zone, &signed), Pass, "{other}");
    }
}

#[test]
fn many_signatures() {
    let one = wanted(true).sign(MESSAGE);
    let two = wanted(false)
        .forms(Form::Simple, Form::Simple)
        .field(MESSAGE)
        + &one;
    let zone = zone();
    let verdicts = judge(&zone, &two);
    assert!(verdicts.iter().all(Verdict::passed));
    let starts: Vec<&str> = verdicts
        .iter()
        .map(|it| it.signature_start.as_str())
        .collect();
    assert!(starts[0] != starts[1] && starts[0].len() == 8);
    let keys = ["e._domainkey.example.org", "r._domainkey.example.org"];
    let wanted_questions = keys.map(|name| (name.to_owned(), Kind::Txt)).to_vec();
    assert_eq!(zone.asked(), wanted_questions);
    // A hundred copies cost one question and give no more verdicts than the bound.
    let many = wanted(true).field(MESSAGE).repeat(100) + MESSAGE;
    let verdicts = judge(&zone, &many);
    assert_eq!(verdicts.len(), 10);
    assert!(verdicts.iter().all(Verdict::passed));
    assert_eq!(zone.asked().len(), 1);
}

#[test]
fn files_with_unix_line_ends() {
    let signed = wanted(true).sign(MESSAGE);
    assert!(one(&zone(), &signed.replace("\r\n", "\n")).passed());
    // Among strict line ends a bare one is a character.
    assert!(!one(&zone(), &signed.replacen("\r\n\r\nBye", "\r\n\nBye", 1)).passed());
}

#[test]
fn names_beyond_ascii() {
    let record = format!("v=DKIM1; p={}", rsa_public());
    let zone = Zone::new().txt("r._domainkey.xn--bcher-kva.example", &record);
    let signature = wanted(true).tag("d", Some("bücher.example"));
    let verdict = one(&zone, &signature.clone().sign(MESSAGE));
    assert!(verdict.passed(), "{verdict:?}");
    assert_eq!(verdict.domain, "xn--bcher-kva.example");
    let identity = signature.tag("i", Some("@mail.bücher.example"));
    assert!(one(&zone, &identity.sign(MESSAGE)).passed());
}

#[test]
fn steps_tell_what_was_read() {
    let mut notes = Notes::on();
    let signed = wanted(true).length(5).sign(MESSAGE);
    now(verify(&zone(), signed.as_bytes(), NOW, &mut notes));
    let steps = notes.into_steps();
    let asked: Vec<_> = steps
        .iter()
        .filter_map(|step| step.asked.as_ref())
        .collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].name, "r._domainkey.example.org");
    assert!(asked[0].answer.contains("v=DKIM1"));
    let story: String = steps.iter().map(|step| step.text.clone() + "\n").collect();
    assert!(story.contains("pass (the signature is good)"), "{story}");
    assert!(story.contains("anybody may add text"), "{story}");
}

/// Each name in `h=` is looked for among all fields: many of both would cost more than any real mail.
#[test]
fn long_lists_of_names_over_long_headers_are_not_walked() {
    let fields: String = (0..900)
        .map(|number| format!("X-{number}: a\r\n"))
        .collect();
    let message = format!("{fields}{MESSAGE}");
    let names = |count| format!("from:subject{}", ":x-none".repeat(count));
    let few = wanted(true).names(&names(40)).sign(&message);
    assert!(one(&zone(), &few).passed());
    let many = wanted(true).names(&names(400)).sign(&message);
    check(&many, DkimResult::Policy, "the header has too many fields");
    let many = wanted(true).names(&names(400)).sign(MESSAGE);
    assert!(one(&zone(), &many).passed());
}
