//! Parameters as a peer gives them.

use store::queue::Notify;

use super::*;

#[test]
fn wishes_of_recipients_are_told_as_in_rcpt() {
    let dsn = |notify: Option<Notify>, original: Option<&str>| RecipientDsn {
        notify,
        original_recipient: original.map(str::to_owned),
    };
    let some = Notify {
        success: true,
        failure: false,
        delay: true,
    };
    for (dsn, expected) in [
        (dsn(None, None), &[][..]),
        (dsn(Some(Notify::NEVER), None), &["NOTIFY=NEVER"][..]),
        (
            dsn(Some(some), Some("rfc822;a+b@c.example")),
            &["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;a+2Bb@c.example"][..],
        ),
    ] {
        assert_eq!(wishes(&dsn), expected);
    }
}
