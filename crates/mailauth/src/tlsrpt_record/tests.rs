//! Records as RFC 8460 shows them, and wrong ones.

use super::*;

fn of(texts: &[&str]) -> Result<Option<Vec<Destination>>, RecordError> {
    Record::of_texts(texts).map(|found| found.map(|record| record.rua))
}

fn mail(address: &str) -> Destination {
    Destination::Mail(mail::Address::parse(address).unwrap())
}

#[test]
fn addresses() {
    assert_eq!(
        of(&["v=TLSRPTv1;rua=mailto:reports@example.com"]),
        Ok(Some(vec![mail("reports@example.com")]))
    );
    // What is in no shape for an address is passed over.
    let record = "v=TLSRPTv1; rua=https://r.example.com/v1/tlsrpt , mailto:a%2Bb@example.com?subject=x, mailto:x;";
    let https = Destination::Https("https://r.example.com/v1/tlsrpt".into());
    assert_eq!(
        of(&["x", record]),
        Ok(Some(vec![https, mail("a+b@example.com")]))
    );
    assert_eq!(of(&["v=TLSRPTv2; rua=mailto:a@b.test"]), Ok(None));
    assert_eq!(of(&[]), Ok(None));
}

#[test]
fn wrong_records() {
    let twice = [
        "v=TLSRPTv1;rua=mailto:a@b.test",
        "v=TLSRPTv1;rua=mailto:a@b.test",
    ];
    assert_eq!(of(&twice), Err(RecordError::Several));
    assert_eq!(of(&["v=TLSRPTv1;"]), Err(RecordError::NoAddress));
    assert_eq!(
        of(&["v=TLSRPTv1; rua=http://a.test/x"]),
        Err(RecordError::NoAddress)
    );
    assert_eq!(
        of(&["v=TLSRPTv1; rua=mailto:nobody"]),
        Err(RecordError::NoAddress)
    );
    assert_eq!(of(&["v=TLSRPTv1; rua"]), Err(RecordError::Malformed));
    assert_eq!(
        of(&["v=TLSRPTv1; rua=mailto:%zz@b.test"]),
        Err(RecordError::NoAddress)
    );
}
