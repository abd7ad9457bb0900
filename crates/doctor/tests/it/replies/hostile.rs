//! What others send never breaks the reading of it.

use doctor::checks::{MessageContext, judge};
use doctor::replies::{Phase, Refusal, bounce, classify};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_reply_is_classified(reply in "(?s).{0,300}", host in ".{0,40}") {
        let refusal = Refusal::read(&host, &host, Phase::End, &reply);
        let answer = classify(&refusal);
        prop_assert!(!answer.means.is_empty() && !answer.author.is_empty());
    }

    #[test]
    fn anything_like_a_reply_is_classified(
        code in 100_u16..700,
        status in prop::option::of("[0-9]\\.[0-9]{1,4}\\.[0-9]{1,4}"),
        text in "[ -~]{0,120}",
        between in "[- :\n]",
    ) {
        let reply = format!("{code}{between}{} {text}\n{code} {text}", status.unwrap_or_default());
        let refusal = Refusal::read("mx.example.net", "", Phase::Unknown, &reply);
        classify(&refusal);
        prop_assert!(refusal.normal().len() <= 16 * 1024);
    }

    #[test]
    fn any_letter_is_read(
        lines in prop::collection::vec(
            prop_oneof![
                "[ -~]{0,60}",
                "<[a-zü@.]{0,20}>[:.]{0,3} ?[45][0-9]{2}[ -][ -~]{0,30}",
                "(Final-Recipient|Status|Diagnostic-Code|Action): ?[;a-z0-9. @<>-]{0,40}",
                "--b(--)?",
                Just("Content-Type: message/delivery-status".to_owned()),
                "(?s).{0,20}",
            ],
            0..30,
        ),
    ) {
        let letter = format!(
            "From: MAILER-DAEMON\r\nContent-Type: multipart/report; boundary=b\r\n\r\n{}",
            lines.join("\r\n")
        );
        for returned in bounce::read(letter.as_bytes()) {
            classify(&returned.refusal);
        }
        bounce::is_bounce(letter.as_bytes());
        judge(letter.as_bytes(), &MessageContext::default());
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        bounce::read(&bytes);
        bounce::is_bounce(&bytes);
        judge(&bytes, &MessageContext::default());
    }
}
