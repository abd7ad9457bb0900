//! A message of plain text.

use super::{Person, people, push_field};
use crate::limits::LINE_BYTES_MAX;
use crate::{UnixMillis, date, transfer, words};

/// A message of plain text, to be written.
#[derive(Clone, Debug)]
pub struct TextMessage<'a> {
    pub from: Person,
    pub to: Vec<Person>,
    pub subject: &'a str,
    pub date: UnixMillis,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// More fields, such as `Auto-Submitted`; values as text.
    pub fields: Vec<(&'static str, String)>,
    /// Any line ends.
    pub text: &'a str,
}

impl TextMessage<'_> {
    /// The whole message.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.text.len());
        push_top(
            &mut out,
            &self.from,
            &people(&self.to),
            self.subject,
            self.date,
            self.message_id,
        );
        for (name, value) in &self.fields {
            push_field(&mut out, name, &words::encode(value));
        }
        push_text_part(&mut out, self.text);
        out
    }
}

/// The fields every message of ours begins with.
pub(super) fn push_top(
    out: &mut Vec<u8>,
    from: &Person,
    to: &str,
    subject: &str,
    at: UnixMillis,
    message_id: &str,
) {
    push_field(out, "Date", &date::format(at));
    push_field(out, "From", &from.header_value());
    if !to.is_empty() {
        push_field(out, "To", to);
    }
    push_field(out, "Subject", &words::encode(subject));
    push_field(out, "Message-ID", &format!("<{message_id}>"));
    push_field(out, "MIME-Version", "1.0");
}

/// The rest of a header, the empty line, and the text in the plainest encoding it fits.
pub(super) fn push_text_part(out: &mut Vec<u8>, text: &str) {
    let text = with_crlf(text);
    let is_plain = text
        .bytes()
        .all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~'))
        && text.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX);
    if is_plain {
        out.extend_from_slice(b"Content-Type: text/plain; charset=us-ascii\r\n\r\n");
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\n");
    out.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    out.extend_from_slice(transfer::encode_quoted_printable(text.as_bytes()).as_bytes());
}

/// Every line ended by CRLF, the last one too.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    for line in text.lines() {
        out.push_str(&line.replace('\r', " "));
        out.push_str("\r\n");
    }
    out
}
