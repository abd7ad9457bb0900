//! SPF: names that are checked, looked up and shown, and the macros that make them (RFC 7208 §4.3, §7).

use mailauth::spf::SpfResult::{Fail, None as Nothing, Pass};

use crate::spf_cases::{IP, around, ask};
use crate::zone::Zone;

#[test]
fn names_that_cannot_be_checked() {
    let zone = around(b"v=spf1 -all");
    let long = format!("{}.example.org", "a".repeat(64));
    for domain in [
        "",
        "localhost",
        "org.",
        "a..example.org",
        ".example.org",
        "[192.0.2.1]",
        "OEMCOMPUTER",
        &long,
    ] {
        let found = ask(&zone, IP, domain, "");
        assert_eq!(found.result, Nothing, "{domain}");
        assert_eq!(found.domain, "");
        let found = ask(&zone, IP, "h.example", &format!("a@{domain}"));
        assert_eq!(found.result, Nothing, "{domain}");
    }
    for domain in ["EXAMPLE.org", "example.org."] {
        let found = ask(&zone, IP, "h.example", &format!("a@{domain}"));
        assert_eq!((found.result, found.domain.as_str()), (Fail, "example.org"));
    }
    let zone = Zone::new().txt("xn--bcher-kva.example", "v=spf1 -all");
    let found = ask(&zone, IP, "bücher.example", "");
    assert_eq!(
        (found.result, found.domain.as_str()),
        (Fail, "xn--bcher-kva.example")
    );
}

/// Names in terms that cannot exist match nothing; macros may make them.
#[test]
fn names_that_cannot_exist() {
    let long = "a".repeat(64);
    for (record, result) in [
        (format!("v=spf1 a:{long}.example.org -all").as_str(), Fail),
        ("v=spf1 a:mail.example...org -all", Fail),
        ("v=spf1 mx:.example.org -all", Fail),
        ("v=spf1 exists:a..%{d} -all", Fail),
        ("v=spf1 ptr:a..%{d} -all", Fail),
    ] {
        let found = ask(&around(record.as_bytes()), IP, "h", "a@example.org");
        assert_eq!(found.result, result, "{record}");
    }
    let zone = around(b"v=spf1 a:%{H}.bar -all");
    for helo in [&long, "JUMPIN' JUPITER", "[192.0.2.1]", ""] {
        assert_eq!(ask(&zone, IP, helo, "a@example.org").result, Fail, "{helo}");
    }
    // A name beyond 253 characters loses labels on the left. rfc7208#7.3
    let many = "x.".repeat(130);
    let zone = around(format!("v=spf1 exists:{many}host.example.org -all").as_bytes());
    let tail = format!("{}host.example.org", "x.".repeat(118));
    assert_eq!(tail.len(), 252);
    let zone = zone.address(&tail, "127.0.0.2");
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, Pass);
}

/// The examples of RFC 7208 §7.4, read from an explanation.
#[test]
fn macros() {
    let explain = |text: &str, ip: &str, mail_from: &str| {
        let zone = Zone::new()
            .txt("email.example.com", "v=spf1 -all exp=exp.example.com")
            .txt("example.com", "v=spf1 -all exp=exp.example.com")
            .txt("exp.example.com", text)
            .ptr("192.0.2.3", "mx.example.org");
        ask(&zone, ip, "helo.example", mail_from).explanation
    };
    for (text, want) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{D2R}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        (
            "%{ir}.%{v}._spf.%{d2}",
            "3.2.0.192.in-addr._spf.example.com",
        ),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        (
            "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
            "3.2.0.192.in-addr.strong.lp._spf.example.com",
        ),
        ("%{S}", "strong-bad%40email.example.com"),
        (
            "%{h} %{c} %{r} %{t}",
            "helo.example 192.0.2.3 mx.receiver.example 1763719200",
        ),
        ("100%% of %{p}%_or%-so", "100% of unknown or%20so"),
        (
            "see  http://x.example/?a=%{S}&b;",
            "see  http://x.example/?a=strong-bad%40email.example.com&b;",
        ),
    ] {
        let found = explain(text, "192.0.2.3", "strong-bad@email.example.com");
        assert_eq!(found.as_deref(), Some(want), "{text}");
    }
    let six = "2001:db8::cb01";
    let nibbles = "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1";
    assert_eq!(
        explain("%{i}", six, "a@example.com").as_deref(),
        Some(nibbles)
    );
    assert_eq!(
        explain("%{v} %{c}", six, "a@example.com").as_deref(),
        Some("ip6 2001:db8::cb01")
    );
    let escaped = explain("%{L}", "192.0.2.3", "jack&jill=up~_.-@example.com");
    assert_eq!(escaped.as_deref(), Some("jack%26jill%3Dup~_.-"));
    let odd = explain(
        "%{l} in implementation",
        "192.0.2.3",
        "Macro Error@example.com",
    );
    assert_eq!(odd.as_deref(), Some("Macro Error in implementation"));
    // Nobody before the @ is postmaster.
    assert_eq!(
        explain("%{s}", "192.0.2.3", "@example.com").as_deref(),
        Some("postmaster@example.com")
    );
    // Letters beyond ASCII never match, and are never shown. RFC 8616 §4
    assert_eq!(explain("%{l}", "192.0.2.3", "jös@example.com"), None);
    let zone = around("v=spf1 exists:%{l}.example.org exists:host.example.org -all".as_bytes());
    assert_eq!(ask(&zone, IP, "h", "jös@example.org").result, Pass);
}

#[test]
fn validated_names() {
    let record = b"v=spf1 exists:%{p}.is.example.net -all";
    let name = |zone: Zone| {
        let zone = zone.txt_bytes("example.org", record);
        ask(&zone, IP, "h", "a@example.org");
        let asked = zone.asked();
        let (name, _) = asked.last().unwrap();
        name.strip_suffix(".is.example.net").unwrap().to_owned()
    };
    assert_eq!(name(Zone::new()), "unknown");
    let lying = Zone::new()
        .ptr(IP, "mx.example.net")
        .address("mx.example.net", "192.0.2.7");
    assert_eq!(name(lying), "unknown");
    let several = |zone: Zone, names: &[&str]| {
        names
            .iter()
            .fold(zone, |zone, name| zone.ptr(IP, name).address(name, IP))
    };
    assert_eq!(
        name(several(Zone::new(), &["b.example.net", "a.example.net"])),
        "b.example.net"
    );
    let below = several(Zone::new(), &["b.example.net", "mx.example.org"]);
    assert_eq!(name(below), "mx.example.org");
    let itself = several(Zone::new(), &["mx.example.org", "example.org"]);
    assert_eq!(name(itself), "example.org");
}

/// rfc7208#6.2
#[test]
fn explanations() {
    let explain = |texts: &[&[u8]]| {
        let zone = around(b"v=spf1 -all exp=exp.example.org");
        let zone = texts
            .iter()
            .fold(zone, |zone, text| zone.txt_bytes("exp.example.org", text));
        let found = ask(&zone, IP, "h", "a@example.org");
        assert_eq!(found.result, Fail);
        found.explanation
    };
    assert_eq!(explain(&[b"See  me."]).as_deref(), Some("See  me."));
    let long = [b'x'; 5_000];
    let blowing = "%{s}".repeat(2_000);
    let texts: [&[&[u8]]; 9] = [
        &[],
        &[b"one", b"two"],
        &[b"The %{x}-files."],
        &[b"100% sure"],
        &[b"\xEF\xBB\xBFExplanation"],
        &[b"two\r\nlines"],
        &[b""],
        &[&long],
        &[blowing.as_bytes()],
    ];
    for texts in texts {
        assert_eq!(explain(texts), None, "{texts:?}");
    }
    let zone = around(b"v=spf1 -all exp=slow.example.org");
    assert_eq!(ask(&zone, IP, "h", "a@example.org").explanation, None);
    let zone = around(b"v=spf1 ~all exp=why.example.org");
    assert_eq!(ask(&zone, IP, "h", "a@example.org").explanation, None);
}
