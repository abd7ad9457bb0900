//! From verdicts to what is written down and told.

use std::sync::Arc;

use super::*;
use crate::queue::classify::{Answer, nobody};
use mail::{Address, ReversePath, TraceId};
use store::blobs::{Hash, Location};
use store::queue::{BodyKind, MessageDsn, Notify, Queued, RecipientDsn, RecipientState};
use store::{BlobId, BodyRef, QueueId};
use wire::smtp::EnhancedCode;

const HOUR: i64 = 3_600_000;

fn recipient(attempts: u32, notify: Option<Notify>, delay_reported: bool) -> Recipient {
    Recipient {
        number: 0,
        address: Address::parse("bob@there.example").unwrap(),
        dsn: RecipientDsn {
            notify,
            original_recipient: None,
        },
        state: RecipientState::InFlight,
        due: UnixMillis(0),
        attempts,
        last_reply: None,
        last_host: None,
        last_attempt: None,
        delay_reported,
    }
}

fn job(recipient: &Recipient) -> Job {
    let location = Location {
        segment: 1,
        offset: 0,
        length: 1,
    };
    let message = Queued {
        id: QueueId(1),
        trace: TraceId::from_random([0; 10]),
        body: BodyRef {
            blob: BlobId(1),
            location,
            hash: Hash::of(b"x"),
            size: 1,
        },
        prefix: Vec::new(),
        account: None,
        forwarded: false,
        reverse_path: ReversePath::Address(Address::parse("ann@us.example").unwrap()),
        recipients: Vec::new(),
        dsn: MessageDsn::default(),
        tls: store::queue::TlsWish::Policies,
        needs_smtputf8: false,
        body_kind: BodyKind::SevenBit,
        created: UnixMillis(0),
        expires: UnixMillis(120 * HOUR),
    };
    Job {
        message: Arc::new(message),
        recipients: vec![recipient.clone()],
    }
}

fn answer() -> Answer {
    nobody(EnhancedCode(4, 4, 1), "words".to_owned())
}

#[track_caller]
fn check(recipient: &Recipient, verdict: Verdict, now: i64, outcome: &str, kind: Option<Kind>) {
    let delivered = Delivered::Silently;
    let decision = decide(
        &job(recipient),
        recipient,
        &verdict,
        Ruling::Usual,
        delivered,
        UnixMillis(now),
        0,
    );
    let got = match decision.attempt.outcome {
        Outcome::Delivered => "delivered",
        Outcome::Failed => "failed",
        Outcome::Deferred { due } => {
            assert!(due.0 > now);
            "deferred"
        }
        Outcome::Untried { .. } => "untried",
    };
    assert_eq!(
        (got, decision.report.map(|(kind, _)| kind)),
        (outcome, kind),
        "{verdict:?}"
    );
}

#[test]
fn outcomes_and_reports() {
    let plain = recipient(0, None, false);
    check(&plain, Verdict::Delivered(answer()), 1, "delivered", None);
    check(
        &plain,
        Verdict::Permanent(answer()),
        1,
        "failed",
        Some(Kind::Failed),
    );
    check(&plain, Verdict::Temporary(answer()), 1, "deferred", None);
    check(
        &plain,
        Verdict::Temporary(answer()),
        5 * HOUR,
        "deferred",
        Some(Kind::Delayed),
    );
    check(
        &plain,
        Verdict::Temporary(answer()),
        120 * HOUR,
        "failed",
        Some(Kind::Failed),
    );
    let told_before = recipient(9, None, true);
    check(
        &told_before,
        Verdict::Temporary(answer()),
        6 * HOUR,
        "deferred",
        None,
    );
}

#[test]
fn notify_is_honoured() {
    let never = recipient(0, Some(Notify::NEVER), false);
    check(&never, Verdict::Permanent(answer()), 1, "failed", None);
    check(
        &never,
        Verdict::Temporary(answer()),
        5 * HOUR,
        "deferred",
        None,
    );
    let success = Notify {
        success: true,
        failure: false,
        delay: false,
    };
    let success = recipient(0, Some(success), false);
    check(
        &success,
        Verdict::Delivered(answer()),
        1,
        "delivered",
        Some(Kind::Relayed),
    );
    check(&success, Verdict::Permanent(answer()), 1, "failed", None);
}

#[test]
fn a_server_that_reports_itself_is_left_to_it() {
    let success = Notify {
        success: true,
        failure: true,
        delay: false,
    };
    let recipient = recipient(0, Some(success), false);
    let verdict = Verdict::Delivered(answer());
    let decision = decide(
        &job(&recipient),
        &recipient,
        &verdict,
        Ruling::Usual,
        Delivered::ServerReports,
        UnixMillis(1),
        0,
    );
    assert!(decision.report.is_none());
}
