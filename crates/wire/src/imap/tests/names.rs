//! Modified UTF-7: RFC 3501 §5.1.3.

use super::super::mutf7;

#[track_caller]
fn check(name: &str, encoded: &str) {
    let mut out = Vec::new();
    mutf7::encode(name, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), encoded);
    assert_eq!(mutf7::decode(encoded.as_bytes()).as_deref(), Some(name));
}

#[test]
fn both_ways() {
    check("INBOX", "INBOX");
    check("Entwürfe", "Entw&APw-rfe");
    check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
    check("A&B", "A&-B");
    check("päö", "p&AOQA9g-");
    check("🦀", "&2D7dgA-");
}

#[test]
fn what_is_malformed_is_no_name() {
    for text in [
        "&", "&AO", "&AOQ", "&*-", "&AOR-", "&2D4-", "a\x7f", "\u{e4}", "&AAA-&A-",
    ] {
        if text == "&AOR-" {
            // Bits of the padding are set.
            assert_eq!(mutf7::decode(text.as_bytes()), None);
            continue;
        }
        assert_eq!(mutf7::decode(text.as_bytes()), None, "{text}");
    }
}
