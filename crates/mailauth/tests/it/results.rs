//! Authentication-Results: what is written can be read, and nobody else writes in our name.

use mailauth::results::{forged, parse};

fn property(value: &str, method: &str, ptype: &str, name: &str) -> Option<String> {
    let results = parse(value.as_bytes()).unwrap();
    let found = results.of(method).next()?.property(ptype, name)?;
    Some(found.to_owned())
}

#[test]
fn fields_of_others_are_read() {
    // RFC 8601 appendix B.5 and B.6.
    let value = " example.com;\r\n\tsender-id=fail header.from=example.com;\r\n\t\
                 dkim=pass (good signature) header.d=example.com; dkim=fail reason=\"bad; really\"\r\n\theader.i=@other.example";
    let results = parse(value.as_bytes()).unwrap();
    assert_eq!(results.authserv_id, "example.com");
    let dkim: Vec<_> = results.of("dkim").collect();
    assert_eq!(dkim[0].result, "pass");
    assert_eq!(dkim[0].property("header", "d"), Some("example.com"));
    assert_eq!(dkim[1].reason.as_deref(), Some("bad; really"));
    assert_eq!(dkim[1].property("header", "i"), Some("@other.example"));
    // What is found in the wild.
    let gmail = "mx.google.com;\r\n       dkim=pass header.i=@gmail.com header.s=20230601 header.b=Ab/C+d==;\r\n       \
                 spf=pass (google.com: domain of x@gmail.com designates 2001:db8::1 as permitted sender) smtp.mailfrom=x@gmail.com;\r\n       \
                 dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=gmail.com";
    assert_eq!(
        property(gmail, "dkim", "header", "b").as_deref(),
        Some("Ab/C+d==")
    );
    assert_eq!(
        property(gmail, "spf", "smtp", "mailfrom").as_deref(),
        Some("x@gmail.com")
    );
    assert_eq!(
        property(gmail, "dmarc", "header", "from").as_deref(),
        Some("gmail.com")
    );
    let odd = "(c) \"mx.example\" (c) 1 (c); DKIM / 1 = Pass (a (nested \\) one)) header . d = \"ex ample\" ; none; =x; spf=";
    let results = parse(odd.as_bytes()).unwrap();
    assert_eq!(results.authserv_id, "mx.example");
    assert_eq!(results.results.len(), 1);
    assert_eq!(
        property(odd, "dkim", "header", "d").as_deref(),
        Some("ex ample")
    );
    assert_eq!(parse(b"mx.example; none").unwrap().results, []);
}

#[test]
fn hostile_fields_end_soon() {
    for value in [
        &b""[..],
        b";",
        b"(",
        b"\"",
        b"a;b=\"",
        b"a (",
        b"\\",
        b"\"\\",
    ] {
        let _ = parse(value);
    }
    assert_eq!(parse("(".repeat(100_000).as_bytes()), None);
    let many = format!("x;{}", "dkim=pass;".repeat(100_000));
    assert!(parse(many.as_bytes()).unwrap().results.len() <= 100);
    let long = format!("x; dkim=pass {}", "header.d=x ".repeat(100_000));
    assert!(parse(long.as_bytes()).unwrap().results[0].properties.len() <= 30);
}

#[test]
fn fields_in_our_name_are_found() {
    let ours = [
        "Authentication-Results: mx.example.org; spf=pass",
        "authentication-results : MX.Example.ORG; spf=pass",
        "Authentication-Results: mx.example.org 1; spf=pass",
        "Authentication-Results: mx.example.org/1; spf=pass",
        "Authentication-Results: mx.example.org.; spf=pass",
        "Authentication-Results: (c) mx.example.org (d); spf=pass",
        "Authentication-Results: \"mx.example.org\"; spf=pass",
        "Authentication-Results: \"mx.exam\\ple.org\"; spf=pass",
        "Authentication-Results:\r\n\tmx.example.org;\r\n\tspf=pass",
        "Authentication-Results: mx.(c)example.org; spf=pass",
        "Authentication-Results: mx.example.org",
        "Authentication-Results: evil.example mx.example.org; spf=pass",
        // It cannot be read, but somebody might.
        "Authentication-Results: (mx.example.org; spf=pass",
    ];
    for field in ours {
        let message = format!("Received: x\r\n{field}\r\nFrom: a@b.example\r\n\r\nbody\r\n");
        let found = forged(message.as_bytes(), "mx.example.org");
        assert_eq!(found.len(), 1, "{field}");
        assert_eq!(
            &message[found[0].clone()],
            format!("{field}\r\n"),
            "the whole field goes"
        );
    }
    let others = [
        "Authentication-Results: mx.example.com; spf=pass",
        "Authentication-Results: sub.mx.example.org; spf=pass",
        "Authentication-Results: evil.example; spf=pass smtp.helo=mx.example.org",
        "X-Authentication-Results: mx.example.org; spf=pass",
        "ARC-Authentication-Results: i=1; mx.example.org; spf=pass",
        "Subject: Authentication-Results: mx.example.org; spf=pass",
    ];
    for field in others {
        let message = format!("{field}\r\n\r\nAuthentication-Results: mx.example.org; x=y\r\n");
        assert_eq!(forged(message.as_bytes(), "mx.example.org"), [], "{field}");
    }
    // As A-labels or as people write it.
    let message = "Authentication-Results: mx.bücher.example; spf=pass\r\n\r\n";
    assert_eq!(
        forged(message.as_bytes(), "mx.xn--bcher-kva.example").len(),
        1
    );
}
