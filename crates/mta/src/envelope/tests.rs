//! The note beside a body names the trace id and the recipients, within the store's bound.

use super::*;

#[test]
fn a_note_names_recipients_and_keeps_its_bound() {
    let trace: TraceId = "B3QV7AA3A324RD9Z".parse().unwrap();
    let to = |text: &str| Routed {
        address: Address::parse(text).unwrap(),
        dsn: RecipientDsn::default(),
        way: Way::Remote,
    };
    let two = [to("ann@here.test"), to("bob@there.test")];
    assert_eq!(
        note(trace, &two),
        "trace=B3QV7AA3A324RD9Z;to=ann@here.test,bob@there.test,"
    );
    let many = vec![to("somebody.with.a.long.name@far.example"); 5_000];
    let long = note(trace, &many);
    assert!(long.len() <= NOTE_BYTES_MAX && NOTE_BYTES_MAX - 100 < long.len());
    assert!(long.ends_with("far.example,"), "no address is cut in two");
}
