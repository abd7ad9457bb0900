//! Mail that a program sends by itself makes nobody a correspondent: who is answered by a notice of absence, told that a message
//! was read, or asked to take an address off a list is often a stranger, and chose to be. Pure.

use mail::header;

/// Whether nobody wrote this to anybody: an answer or notice of a program (RFC 3834 §5), a report such as a receipt
/// (RFC 8098 §3), or the letter that leaves a mailing list (RFC 2369 §3.2). `recipients` as their local parts.
pub(super) fn is_automatic<'a>(
    message: &[u8],
    null_sender: bool,
    recipients: impl IntoIterator<Item = &'a str>,
) -> bool {
    null_sender
        || says_so(message)
        || is_report(message)
        || leaves_a_list(message, &recipients.into_iter().collect::<Vec<_>>())
}

fn says_so(message: &[u8]) -> bool {
    let field = word(message, "Auto-Submitted");
    !field.is_empty() && field != "no"
}

fn is_report(message: &[u8]) -> bool {
    word(message, "Content-Type") == "multipart/report"
}

/// To a single recipient, and only to say so.
fn leaves_a_list(message: &[u8], recipients: &[&str]) -> bool {
    let [recipient] = recipients else {
        return false;
    };
    let recipient = recipient.to_ascii_lowercase();
    let subject = text(message, "Subject").to_ascii_lowercase();
    let mut words = subject.split_whitespace();
    recipient.contains("unsub")
        || matches!(words.next(), Some("unsubscribe" | "unsub" | "signoff"))
            && words.next().is_none_or(|_| words.next().is_none())
}

fn text(message: &[u8], name: &str) -> String {
    let value = header::first(message, name).map(header::unfold);
    value.map_or_else(String::new, |value| {
        String::from_utf8_lossy(&value).trim().to_owned()
    })
}

/// What stands before the parameters, in lower case.
fn word(message: &[u8], name: &str) -> String {
    let text = text(message, name);
    let end = text.find([';', '(', ' ', '\t']).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_send_is_told_from_what_people_write() {
        for (header, null_sender, to, want) in [
            ("Subject: lunch?", false, "bob", false),
            ("Auto-Submitted: no", false, "bob", false),
            ("Auto-Submitted: No (a person)", false, "bob", false),
            ("Auto-Submitted: auto-replied", false, "bob", true),
            (
                "auto-submitted:\r\n auto-generated; owner=x",
                false,
                "bob",
                true,
            ),
            (
                "Content-Type: Multipart/Report; report-type=disposition-notification",
                false,
                "bob",
                true,
            ),
            (
                "Content-Type: multipart/mixed; boundary=report",
                false,
                "bob",
                false,
            ),
            ("Subject: Read: lunch?", true, "bob", true),
            ("Subject: unsubscribe", false, "list-leave", true),
            ("Subject: Unsubscribe members", false, "majordomo", true),
            (
                "Subject: unsubscribe me from this thread please",
                false,
                "bob",
                false,
            ),
            ("Subject: hello", false, "UNSUB-81723", true),
        ] {
            let message = format!("From: ann@here.test\r\n{header}\r\n\r\ntext\r\n");
            let got = is_automatic(message.as_bytes(), null_sender, [to]);
            assert_eq!(got, want, "{header} to {to}");
        }
        let many = is_automatic(b"Subject: unsubscribe\r\n\r\n", false, ["unsub", "bob"]);
        assert!(!many, "somebody else is to read it");
    }
}
