//! Which TLSA records count.

use super::*;

fn tlsa(usage: u8, selector: u8, matching: u8, length: usize) -> Record {
    Record::Tlsa {
        usage,
        selector,
        matching,
        data: vec![0xab; length],
    }
}

#[test]
fn what_records_are_worth() {
    let table = [
        (vec![], Worth::Nothing),
        (vec![tlsa(3, 1, 1, 32)], Worth::Authentication),
        (vec![tlsa(2, 0, 2, 64)], Worth::Authentication),
        (vec![tlsa(3, 0, 0, 700)], Worth::Authentication),
        // Usages 0 and 1 are not for SMTP.
        (
            vec![tlsa(0, 1, 1, 32), tlsa(1, 1, 1, 32)],
            Worth::Encryption,
        ),
        (vec![tlsa(3, 1, 1, 31)], Worth::Encryption),
        (vec![tlsa(3, 2, 1, 32)], Worth::Encryption),
        (vec![tlsa(3, 1, 3, 32)], Worth::Encryption),
        (vec![tlsa(3, 1, 0, 0)], Worth::Encryption),
        (
            vec![tlsa(1, 1, 1, 32), tlsa(3, 1, 1, 32)],
            Worth::Authentication,
        ),
    ];
    for (records, worth) in table {
        assert_eq!(super::worth(&records), worth, "{records:?}");
    }
}

#[test]
fn written_down() {
    let records = [tlsa(3, 1, 1, 2), tlsa(2, 0, 1, 1), tlsa(3, 1, 1, 2)];
    assert_eq!(texts(&records), ["2 0 1 AB", "3 1 1 ABAB"]);
    assert_eq!(record_name("mx.there.test", 25), "_25._tcp.mx.there.test");
}
