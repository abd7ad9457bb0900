//! Summaries hold what a message says, and survive being stored.

use proptest::prelude::*;

use super::*;

const MESSAGE: &[u8] = b"From: a@b\r\nDate: Sat, 21 Nov 2026 11:28:00 +0000\r\nSubject: Re: Hello\r\n\
Message-ID: <m@x>\r\nIn-Reply-To: <i@x> <j@x>\r\nReferences: <r@x>\r\n <i@x>\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\n\r\n> quoted\r\nFirst   words.\r\n--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n";

#[test]
fn a_summary_holds_what_is_needed_later() {
    let summary = Summary::of(MESSAGE);
    assert_eq!(summary.sent, Some(UnixMillis::from_secs(1_795_260_480)));
    assert_eq!(summary.thread.message_id.as_deref(), Some("m@x"));
    assert_eq!(summary.thread.references, ["r@x", "i@x"]);
    assert_eq!(summary.thread.base_subject, "Hello");
    assert!(summary.thread.is_reply_or_forward && summary.has_attachment);
    assert_eq!(summary.preview, "First words.");
    assert_eq!(
        crate::Structure::decode(&summary.structure),
        Ok(crate::Structure::of(MESSAGE))
    );
}

#[test]
fn without_references_the_first_answered_id_counts() {
    let summary = Summary::of(b"In-Reply-To: <i@x> <j@x>\r\nReferences: none\r\n\r\n");
    assert_eq!(summary.thread.references, ["i@x"]);
}

#[test]
fn the_stored_form_is_checked() {
    let summary = Summary::of(MESSAGE);
    let stored = summary.encode();
    assert_eq!(Summary::decode(&stored), Ok(summary));
    assert_eq!(Summary::decode(&[7]), Err(SummaryError::Version(7)));
    for len in 0..stored.len() {
        assert_eq!(Summary::decode(&stored[..len]), Err(SummaryError::Damaged));
    }
}

proptest! {
    #[test]
    fn stored_and_read_back(bytes in prop::collection::vec(any::<u8>(), 0..200), secs: i64) {
        let mut summary = Summary::of(&bytes);
        summary.sent = Some(UnixMillis(secs));
        prop_assert_eq!(Summary::decode(&summary.encode()), Ok(summary));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Summary::decode(&bytes);
    }
}
