//! `Received` and `Return-Path`: what each hop puts on top. RFC 5321 §4.4.

use std::net::IpAddr;

use super::push_field;
use crate::{Address, Domain, ReversePath, TraceId, UnixMillis, date};

/// Longest piece of a client's own words in a trace field.
const HELLO_CHARS_MAX: usize = 255;

/// Whom a message came from, for `Received`.
#[derive(Clone, Debug)]
pub struct ReceivedFrom<'a> {
    /// What the client called itself in EHLO; what has no place in the field is replaced.
    pub hello: &'a str,
    /// The name of its address, if it was looked up and confirmed.
    pub name: Option<&'a str>,
    pub ip: IpAddr,
}

/// A `Received` field, to be written.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// `None` for what a user submits: where a person sits is nobody's business.
    pub from: Option<ReceivedFrom<'a>>,
    /// Our host name.
    pub by: &'a str,
    /// `ESMTPSA` and the like. RFC 3848, RFC 6531 §4.3.
    pub with: &'a str,
    /// `TLS1.3 TLS_AES_128_GCM_SHA256`, as a comment.
    pub tls: Option<&'a str>,
    pub id: TraceId,
    /// Only when there is a single recipient, lest one learns of another.
    pub recipient: Option<&'a Address>,
    pub date: UnixMillis,
}

impl Received<'_> {
    /// The field, folded, with its line end.
    pub fn write(&self) -> Vec<u8> {
        let mut lines: Vec<String> = Vec::with_capacity(5);
        if let Some(from) = &self.from {
            let literal = Domain::of_ip(from.ip);
            let info = match from.name {
                Some(name) => format!("({} {literal})", clean(name)),
                None => format!("({literal})"),
            };
            lines.push(format!("from {} {info}", clean(from.hello)));
        }
        let tls = self
            .tls
            .map(|tls| format!(" ({})", clean_comment(tls)))
            .unwrap_or_default();
        lines.push(format!(
            "by {} with {}{tls}",
            clean(self.by),
            clean(self.with)
        ));
        match self.recipient {
            Some(recipient) => {
                lines.push(format!("id {}", self.id));
                lines.push(format!("for <{recipient}>; {}", date::format(self.date)));
            }
            None => lines.push(format!("id {}; {}", self.id, date::format(self.date))),
        }
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"Received: ");
        out.extend_from_slice(lines.join("\r\n\t").as_bytes());
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// `Return-Path: <…>` with its line end. RFC 5321 §4.4.
pub fn return_path(path: &ReversePath) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    push_field(&mut out, "Return-Path", &format!("<{path}>"));
    out
}

/// A word of the field: whatever could end or fake a clause becomes a question mark.
fn clean(word: &str) -> String {
    let is_safe =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '/' | '+');
    let cleaned: String = word
        .chars()
        .take(HELLO_CHARS_MAX)
        .map(|c| if is_safe(c) { c } else { '?' })
        .collect();
    if cleaned.is_empty() {
        "unknown".to_owned()
    } else {
        cleaned
    }
}

fn clean_comment(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_graphic() && !"()\\".contains(c) || c == ' ';
    text.chars()
        .take(HELLO_CHARS_MAX)
        .map(|c| if is_safe(c) { c } else { '?' })
        .collect()
}
