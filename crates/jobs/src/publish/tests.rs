//! Records as text and back.

use doctor::Kind;

use super::text::{of_record, to_record};

#[test]
fn records_survive_the_way_to_the_dns_and_back() {
    let cases = [
        (Kind::A, "192.0.2.1"),
        (Kind::Aaaa, "2001:db8::1"),
        (Kind::Mx, "10 mail.example.org."),
        (Kind::Mx, "0 ."),
        (Kind::Txt, "v=spf1 mx -all"),
        (Kind::Srv, "0 1 993 mail.example.org."),
        (Kind::Cname, "mail.example.org."),
        (Kind::Tlsa, "3 1 1 00ff2a"),
        (Kind::Caa, "0 issue \"letsencrypt.org\""),
        (Kind::Caa, "128 issue \";\""),
        (Kind::Ptr, "mail.example.org."),
    ];
    for (kind, text) in cases {
        let record = to_record(kind, text).unwrap();
        assert_eq!(of_record(&record), text, "{kind}");
    }
    let long = "x".repeat(600);
    assert_eq!(of_record(&to_record(Kind::Txt, &long).unwrap()), long);
}

#[test]
fn what_is_no_record_is_refused() {
    for (kind, text) in [
        (Kind::A, "2001:db8::1"),
        (Kind::Mx, "mail.example.org."),
        (Kind::Tlsa, "3 1 1 2a2"),
        (Kind::Caa, "0 issue letsencrypt.org"),
        (Kind::Soa, "a. b. 1 1"),
    ] {
        assert_eq!(to_record(kind, text), None, "{kind} {text}");
    }
}
