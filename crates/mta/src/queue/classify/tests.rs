//! Answers of other servers and what becomes of the message.

use super::*;
use wire::smtp::client::Loss;

fn reply(code: u16, enhanced: Option<(u8, u16, u16)>) -> Reply {
    Reply::received(
        code,
        enhanced.map(|(a, b, c)| EnhancedCode(a, b, c)),
        "words".to_owned(),
    )
}

#[track_caller]
fn check(fate: &Fate, want: &str, status: (u8, u16, u16)) {
    let verdict = of_fate("mx.example", fate);
    let got = match &verdict {
        Verdict::Delivered(_) => "delivered",
        Verdict::Temporary(_) => "temporary",
        Verdict::Permanent(_) => "permanent",
    };
    assert_eq!(got, want, "{fate:?}");
    assert_eq!(
        verdict.answer().status,
        EnhancedCode(status.0, status.1, status.2),
        "{fate:?}"
    );
}

#[test]
fn by_phase_and_code() {
    let refused = |phase, reply| Fate::Refused { phase, reply };
    check(
        &Fate::Delivered(reply(250, Some((2, 0, 0)))),
        "delivered",
        (2, 0, 0),
    );
    check(
        &refused(Phase::Rcpt, reply(550, Some((5, 1, 1)))),
        "permanent",
        (5, 1, 1),
    );
    check(
        &refused(Phase::Rcpt, reply(550, None)),
        "permanent",
        (5, 1, 1),
    );
    check(
        &refused(Phase::Rcpt, reply(450, Some((4, 2, 0)))),
        "temporary",
        (4, 2, 0),
    );
    check(
        &refused(Phase::Rcpt, reply(552, Some((5, 5, 3)))),
        "temporary",
        (5, 5, 3),
    );
    check(
        &refused(Phase::Rcpt, reply(552, Some((5, 2, 2)))),
        "permanent",
        (5, 2, 2),
    );
    check(
        &refused(Phase::Mail, reply(552, Some((5, 3, 4)))),
        "permanent",
        (5, 3, 4),
    );
    check(
        &refused(Phase::Mail, reply(421, Some((4, 7, 0)))),
        "temporary",
        (4, 7, 0),
    );
    check(
        &refused(Phase::Data, reply(554, None)),
        "permanent",
        (5, 0, 0),
    );
    check(
        &refused(Phase::EndOfData, reply(554, Some((5, 7, 1)))),
        "permanent",
        (5, 7, 1),
    );
    check(
        &refused(Phase::EndOfData, reply(451, None)),
        "temporary",
        (4, 0, 0),
    );
    // The enhanced class contradicts the code: the code counts.
    check(
        &refused(Phase::Rcpt, reply(450, Some((5, 1, 1)))),
        "temporary",
        (4, 1, 1),
    );
    check(
        &refused(Phase::Idle, reply(554, None)),
        "temporary",
        (5, 0, 0),
    );
    let cut = Loss::Closed;
    check(
        &Fate::NotDelivered {
            phase: Phase::Data,
            loss: cut.clone(),
        },
        "temporary",
        (4, 4, 2),
    );
    check(&Fate::InDoubt { loss: cut }, "temporary", (4, 4, 2));
}

#[test]
fn before_mail_nothing_is_final() {
    let failure = Failure::Refused {
        phase: Phase::Greeting,
        reply: reply(554, Some((5, 7, 1))),
    };
    assert!(matches!(of_failure("mx", &failure), Verdict::Temporary(_)));
}

#[test]
fn what_the_server_lacks() {
    let check = |why, status: (u8, u16, u16)| {
        let verdict = of_unsendable("mx", why);
        assert!(matches!(verdict, Verdict::Permanent(_)), "{why}");
        assert_eq!(
            verdict.answer().status,
            EnhancedCode(status.0, status.1, status.2)
        );
    };
    check(Unsendable::NeedsSmtpUtf8, (5, 6, 7));
    check(Unsendable::TooBig { max: 1 }, (5, 3, 4));
}

#[test]
fn the_words_of_others_are_tamed() {
    let essay = format!("line\u{1b}[31m\u{7}{}", "x".repeat(5_000));
    let reply = Reply::received(550, None, essay);
    let verdict = of_fate(
        "mx",
        &Fate::Refused {
            phase: Phase::Rcpt,
            reply,
        },
    );
    let text = &verdict.answer().text;
    assert_eq!(text.chars().count(), limits::REPLY_CHARS_MAX);
    assert!(text.starts_with("550 line?[31m?x"), "{text}");
}
