//! One FETCH answer: the items that need no body.

use mail::{Extension, Structure};
use store::{Keywords, MessageId, Placement, StoredRow};
use wire::imap::{FetchItem, write};

use super::super::flags;
use super::super::message::Message;
use super::Plan;

/// What is stored beside a placement; empty where it was not read.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    envelope: &'a [u8],
    structure: &'a [u8],
    preview: &'a str,
    thread: MessageId,
}

impl<'a> From<&'a StoredRow<'_>> for Shown<'a> {
    fn from(row: &'a StoredRow<'_>) -> Self {
        Shown {
            envelope: row.envelope,
            structure: row.structure,
            preview: row.preview,
            thread: row.thread,
        }
    }
}

impl<'a> From<&'a Message> for Shown<'a> {
    fn from(message: &'a Message) -> Self {
        Shown {
            envelope: &message.envelope,
            structure: &message.structure,
            preview: &message.preview,
            thread: message.thread,
        }
    }
}

pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn open(out: &'a mut Vec<u8>, seq: u32) -> Self {
        out.extend_from_slice(b"* ");
        write::number(out, u64::from(seq));
        out.extend_from_slice(b" FETCH (");
        let start = out.len();
        Writer { out, start }
    }

    pub(super) fn item(
        &mut self,
        plan: &Plan,
        item: &FetchItem,
        row: &Placement,
        stored: Option<Shown<'_>>,
        keywords: &Keywords,
    ) {
        separate(self.out, self.start);
        plain_item(self.out, plan, item, row, stored, keywords);
    }

    pub(super) fn close(self) {
        self.out.extend_from_slice(b")\r\n");
    }
}

pub(super) fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b' ');
    }
}

/// An item that needs no body. What the row does not have is NIL.
pub(super) fn plain_item(
    out: &mut Vec<u8>,
    plan: &Plan,
    item: &FetchItem,
    row: &Placement,
    stored: Option<Shown<'_>>,
    keywords: &Keywords,
) {
    match item {
        FetchItem::Flags => flags::write(out, row, keywords),
        FetchItem::Uid => numbered(out, b"UID ", u64::from(row.uid.0)),
        FetchItem::Rfc822Size => numbered(out, b"RFC822.SIZE ", row.size),
        FetchItem::InternalDate => {
            out.extend_from_slice(b"INTERNALDATE ");
            write::date_time(out, row.internal_date.secs());
        }
        FetchItem::SaveDate => {
            out.extend_from_slice(b"SAVEDATE ");
            write::date_time(out, row.saved.secs());
        }
        FetchItem::ModSeq => {
            numbered(out, b"MODSEQ (", row.modseq.0);
            out.push(b')');
        }
        FetchItem::EmailId => {
            out.extend_from_slice(format!("EMAILID (E{})", row.message).as_bytes())
        }
        FetchItem::ThreadId => match stored {
            Some(stored) => {
                out.extend_from_slice(format!("THREADID (T{})", stored.thread).as_bytes())
            }
            None => out.extend_from_slice(b"THREADID NIL"),
        },
        FetchItem::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            out.extend_from_slice(stored.map_or(b"NIL", |stored| stored.envelope));
        }
        FetchItem::Body => structure(out, b"BODY ", row, stored, Extension::Without),
        FetchItem::BodyStructure => structure(out, b"BODYSTRUCTURE ", row, stored, Extension::With),
        FetchItem::Preview => {
            out.extend_from_slice(b"PREVIEW ");
            write::string(
                out,
                stored.map_or(b"", |stored| stored.preview.as_bytes()),
                plan.dialect,
            );
        }
        FetchItem::Section { .. } | FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => {}
    }
}

fn structure(
    out: &mut Vec<u8>,
    name: &[u8],
    row: &Placement,
    stored: Option<Shown<'_>>,
    extension: Extension,
) {
    out.extend_from_slice(name);
    match stored.and_then(|stored| Structure::decode(stored.structure).ok()) {
        Some(structure) => out.extend_from_slice(&structure.body_structure(extension)),
        // Only a damaged row comes here: the simplest structure there is.
        None => {
            out.extend_from_slice(b"(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" ");
            write::number(out, row.size);
            out.push(b')');
        }
    }
}

fn numbered(out: &mut Vec<u8>, name: &[u8], number: u64) {
    out.extend_from_slice(name);
    write::number(out, number);
}
