//! IMAP's ENVELOPE, written from raw header fields. RFC 9051 §7.5.2.
//! Encoded words stay encoded: decoding is the client's.

use crate::header::unfold;
use crate::imap_string::{push_nstring, push_string};
use crate::limits::ENVELOPE_LIST_BYTES_MAX;
use crate::mailboxes::{self, Entry, Mailbox};

/// The raw values that an envelope is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnvelopeFields<'a> {
    pub date: Option<&'a [u8]>,
    pub subject: Option<&'a [u8]>,
    pub from: Option<&'a [u8]>,
    pub sender: Option<&'a [u8]>,
    pub reply_to: Option<&'a [u8]>,
    /// Repeated fields are taken together.
    pub to: Vec<&'a [u8]>,
    pub cc: Vec<&'a [u8]>,
    pub bcc: Vec<&'a [u8]>,
    pub in_reply_to: Option<&'a [u8]>,
    pub message_id: Option<&'a [u8]>,
}

/// Of a message that could not be opened.
pub(crate) const EMPTY: &[u8] = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

/// The parenthesised list, ready to send.
pub(crate) fn write(fields: &EnvelopeFields<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.push(b'(');
    push_text(&mut out, fields.date);
    out.push(b' ');
    push_text(&mut out, fields.subject);
    out.push(b' ');
    let from = out.len();
    push_addresses(&mut out, fields.from.as_slice());
    let from = from..out.len();
    // Absent or empty, these two are who it is from.
    for value in [fields.sender, fields.reply_to] {
        out.push(b' ');
        if !push_addresses(&mut out, value.as_slice()) {
            out.truncate(out.len() - b"NIL".len());
            out.extend_from_within(from.clone());
        }
    }
    for values in [&fields.to, &fields.cc, &fields.bcc] {
        out.push(b' ');
        push_addresses(&mut out, values);
    }
    out.push(b' ');
    push_text(&mut out, fields.in_reply_to);
    out.push(b' ');
    push_text(&mut out, fields.message_id);
    out.push(b')');
    out
}

/// NIL if there is no such field, an empty string if there is nothing in it.
fn push_text(out: &mut Vec<u8>, value: Option<&[u8]>) {
    push_nstring(out, value.map(unfold).as_deref());
}

/// The list, or NIL if there is no address; tells which.
fn push_addresses(out: &mut Vec<u8>, values: &[&[u8]]) -> bool {
    let start = out.len();
    out.push(b'(');
    for entry in values.iter().flat_map(|value| mailboxes::parse(value)) {
        if out.len() - start > ENVELOPE_LIST_BYTES_MAX {
            break;
        }
        match entry {
            Entry::Mailbox(mailbox) => push_mailbox(out, &mailbox),
            Entry::Group { name, members } => {
                out.extend_from_slice(b"(NIL NIL ");
                push_string(out, &unfold(&name));
                out.extend_from_slice(b" NIL)");
                for member in &members {
                    push_mailbox(out, member);
                }
                out.extend_from_slice(b"(NIL NIL NIL NIL)");
            }
        }
    }
    if out.len() == start + 1 {
        out.truncate(start);
        out.extend_from_slice(b"NIL");
        return false;
    }
    out.push(b')');
    true
}

/// `(name route mailbox host)`. A mailbox without host gets an empty one: NIL would open a group.
fn push_mailbox(out: &mut Vec<u8>, mailbox: &Mailbox<'_>) {
    out.push(b'(');
    push_nstring(out, mailbox.name.as_deref().filter(|name| !name.is_empty()));
    out.push(b' ');
    push_nstring(out, mailbox.route.as_deref());
    out.push(b' ');
    push_string(out, &mailbox.local);
    out.push(b' ');
    push_string(out, &mailbox.domain);
    out.push(b')');
}

#[cfg(test)]
mod tests;
