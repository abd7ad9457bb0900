//! A message whose text comes in two forms: plain, and as a page. RFC 2046 §5.1.4

use super::TextMessage;
use super::text::{push_text_part, push_top};
use super::{people, push_field};
use crate::{transfer, words};

/// A message of plain text with the same as HTML beside it.
#[derive(Clone, Debug)]
pub struct AlternativeMessage<'a> {
    /// Its plain form, with all of the header.
    pub plain: TextMessage<'a>,
    pub html: &'a str,
    /// What divides the parts: a string of letters and digits that is in none of them.
    pub boundary: &'a str,
}

impl AlternativeMessage<'_> {
    /// The whole message.
    pub fn write(&self) -> Vec<u8> {
        let plain = &self.plain;
        let mut out = Vec::with_capacity(1_024 + plain.text.len() + self.html.len());
        push_top(
            &mut out,
            &plain.from,
            &people(&plain.to),
            plain.subject,
            plain.date,
            plain.message_id,
        );
        for (name, value) in &plain.fields {
            push_field(&mut out, name, &words::encode(value));
        }
        let kind = format!("multipart/alternative; boundary=\"{}\"", self.boundary);
        push_field(&mut out, "Content-Type", &kind);
        let divide = |out: &mut Vec<u8>, end: &str| {
            out.extend_from_slice(format!("\r\n--{}{end}\r\n", self.boundary).as_bytes());
        };
        divide(&mut out, "");
        push_text_part(&mut out, plain.text);
        divide(&mut out, "");
        out.extend_from_slice(b"Content-Type: text/html; charset=utf-8\r\n");
        out.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        let html = transfer::encode_quoted_printable(self.html.as_bytes());
        out.extend_from_slice(html.as_bytes());
        divide(&mut out, "--");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::AlternativeMessage;
    use crate::compose::{Person, TextMessage};
    use crate::{Address, Message, UnixMillis};

    #[test]
    fn both_forms_are_found_again() {
        let address = Address::parse("ann@example.org").expect("an address");
        let person = Person {
            name: None,
            address,
        };
        let message = AlternativeMessage {
            plain: TextMessage {
                from: person.clone(),
                to: vec![person],
                subject: "hello",
                date: UnixMillis(0),
                message_id: "1@example.org",
                fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
                text: "plain words",
            },
            html: "<p>page wörds</p>",
            boundary: "b1",
        };
        let bytes = message.write();
        let text = String::from_utf8(bytes.clone()).expect("ASCII");
        assert!(
            text.is_ascii() && text.ends_with("\r\n--b1--\r\n"),
            "{text}"
        );
        assert!(text.contains("plain words") && text.contains("page w=C3=B6rds"));
        let parsed = Message::parse(&bytes);
        let texts: Vec<String> = parsed
            .structure()
            .parts()
            .iter()
            .filter(|part| part.is_shown_text())
            .map(|part| parsed.text(part).trim().to_owned())
            .collect();
        assert_eq!(texts.first().map(String::as_str), Some("plain words"));
    }
}
