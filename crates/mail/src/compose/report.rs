//! Delivery status notifications: multipart/report of RFC 3462 and RFC 3464, internationalised by RFC 6533.
//! When one is due, and to whom, is decided elsewhere.

use super::text::{push_text_part, push_top};
use super::{Person, push_field};
use crate::{Address, UnixMillis, date, header, transfer};

/// What happened to one recipient. RFC 3464 §2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    Relayed,
    Expanded,
}

/// How much of the original message comes back. RFC 3461 §4.3 (RET).
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// Given the whole message or its header: only the header is returned.
    Headers(&'a [u8]),
    Full(&'a [u8]),
}

/// One recipient's part of the report.
#[derive(Clone, Debug)]
pub struct RecipientReport<'a> {
    pub recipient: &'a Address,
    /// ORCPT as it was given: `rfc822;ann@example.org`.
    pub original_recipient: Option<&'a str>,
    pub action: Action,
    /// `5.1.1`
    pub status: &'a str,
    /// The host that said it.
    pub remote_host: Option<&'a str>,
    /// Its reply, word for word: `550 5.1.1 no such user`.
    pub reply: Option<&'a str>,
    pub last_attempt: Option<UnixMillis>,
    /// For delays: when we give up.
    pub retry_until: Option<UnixMillis>,
}

/// A delivery status notification, to be written.
#[derive(Clone, Debug)]
pub struct DeliveryReport<'a> {
    pub from: Person,
    /// The reverse-path of the message in question.
    pub to: &'a Address,
    pub subject: &'a str,
    /// What happened, in plain words, for a person.
    pub words: &'a str,
    pub date: UnixMillis,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Unique text for the boundary, such as a trace id.
    pub unique: &'a str,
    /// Our host name.
    pub reporting_host: &'a str,
    /// When the message came to us.
    pub arrival: Option<UnixMillis>,
    /// ENVID as it was given. RFC 3461 §4.4.
    pub envelope_id: Option<&'a str>,
    pub recipients: Vec<RecipientReport<'a>>,
    pub original: Original<'a>,
}

impl DeliveryReport<'_> {
    /// The whole message. It is ASCII, unless a non-ASCII original is returned in full (then it needs 8BITMIME) or
    /// `to` itself needs SMTPUTF8.
    pub fn write(&self) -> Vec<u8> {
        // "=_" cannot come up in quoted-printable. RFC 2046 §5.1.1.
        let unique: String = self
            .unique
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40)
            .collect();
        let boundary = format!("=_{unique}_report");
        let mut out = Vec::with_capacity(4 * 1024);
        push_top(
            &mut out,
            &self.from,
            &format!("<{}>", self.to),
            self.subject,
            self.date,
            self.message_id,
        );
        // RFC 3834 §5.
        push_field(&mut out, "Auto-Submitted", "auto-replied");
        let content_type =
            format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\"");
        push_field(&mut out, "Content-Type", &content_type);
        if matches!(self.original, Original::Full(bytes) if !bytes.is_ascii()) {
            push_field(&mut out, "Content-Transfer-Encoding", "8bit");
        }
        push_delimiter(&mut out, &boundary);
        push_text_part(&mut out, self.words);
        push_delimiter(&mut out, &boundary);
        self.push_status(&mut out);
        push_delimiter(&mut out, &boundary);
        self.push_original(&mut out);
        push_delimiter(&mut out, &format!("{boundary}--"));
        out
    }

    /// The part for programs. RFC 3464 §2. Always message/delivery-status with addresses in ASCII, as RFC 6533 §3
    /// allows: so the report passes wherever its recipient is.
    fn push_status(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Content-Type: message/delivery-status\r\n\r\n");
        if let Some(envelope_id) = self.envelope_id {
            push_field(out, "Original-Envelope-Id", &ascii_only(envelope_id));
        }
        push_field(
            out,
            "Reporting-MTA",
            &format!("dns; {}", ascii_only(self.reporting_host)),
        );
        if let Some(arrival) = self.arrival {
            push_field(out, "Arrival-Date", &date::format(arrival));
        }
        for recipient in &self.recipients {
            out.extend_from_slice(b"\r\n");
            recipient.push(out);
        }
    }

    fn push_original(&self, out: &mut Vec<u8>) {
        let (is_full, bytes) = match self.original {
            Original::Headers(bytes) => {
                (false, bytes.get(header::extent(bytes)).unwrap_or_default())
            }
            Original::Full(bytes) => (true, bytes),
        };
        let is_utf8 = self.is_internationalised(bytes);
        match (is_full, bytes.is_ascii()) {
            (true, true) => out.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\n"),
            (true, false) => {
                // A composite type may not be encoded. RFC 2046 §5.2.1; RFC 6533 §4 for the other.
                let media = if is_utf8 {
                    "message/global"
                } else {
                    "message/rfc822"
                };
                let fields =
                    format!("Content-Type: {media}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
                out.extend_from_slice(fields.as_bytes());
            }
            (false, true) => out.extend_from_slice(b"Content-Type: text/rfc822-headers\r\n\r\n"),
            (false, false) => {
                let media = if is_utf8 {
                    "message/global-headers"
                } else {
                    "text/rfc822-headers"
                };
                let fields = format!(
                    "Content-Type: {media}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                );
                out.extend_from_slice(fields.as_bytes());
                out.extend_from_slice(transfer::encode_quoted_printable(bytes).as_bytes());
                return;
            }
        }
        out.extend_from_slice(bytes);
    }

    /// Whether the original is a message of RFC 6532, not one with stray bytes.
    fn is_internationalised(&self, bytes: &[u8]) -> bool {
        let head = bytes.get(header::extent(bytes)).unwrap_or_default();
        !head.is_ascii() && std::str::from_utf8(head).is_ok()
    }
}

impl RecipientReport<'_> {
    fn push(&self, out: &mut Vec<u8>) {
        if let Some(original) = self.original_recipient {
            push_field(out, "Original-Recipient", &typed_original(original));
        }
        push_field(out, "Final-Recipient", &typed_address(self.recipient));
        push_field(out, "Action", self.action.as_str());
        push_field(out, "Status", self.status);
        if let Some(host) = self.remote_host {
            push_field(out, "Remote-MTA", &format!("dns; {}", ascii_only(host)));
        }
        if let Some(reply) = self.reply {
            push_field(
                out,
                "Diagnostic-Code",
                &format!("smtp; {}", ascii_only(reply)),
            );
        }
        if let Some(at) = self.last_attempt {
            push_field(out, "Last-Attempt-Date", &date::format(at));
        }
        if let Some(at) = self.retry_until {
            push_field(out, "Will-Retry-Until", &date::format(at));
        }
    }
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

fn push_delimiter(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `rfc822;…`, or `utf-8;…` with everything beyond ASCII as `\x{…}`. RFC 6533 §3.
fn typed_address(address: &Address) -> String {
    match address.ascii() {
        Some(ascii) => format!("rfc822; {ascii}"),
        None => format!("utf-8; {}", unitext(&address.to_string())),
    }
}

/// ORCPT comes with its type; its xtext is undone by whoever parsed the command.
fn typed_original(original: &str) -> String {
    match original.split_once(';') {
        Some((kind, address)) if address.is_ascii() => format!("{}; {address}", ascii_only(kind)),
        Some((kind, address)) => format!("{}; {}", ascii_only(kind), unitext(address)),
        None => format!("rfc822; {}", unitext(original)),
    }
}

/// `utf-8-addr-xtext`: also what xtext itself would have to escape. RFC 6533 §3.
fn unitext(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii_graphic() && !matches!(c, '\\' | '+' | '=') {
            out.push(c);
        } else {
            out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
        }
    }
    out
}

fn ascii_only(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else if c.is_control() {
                ' '
            } else {
                '?'
            }
        })
        .collect()
}
