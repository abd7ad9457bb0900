//! FETCH answers with bodies: a job that reads and renders until a buffer is full, off the event loop.
//! What is too large to hold is handed back to be streamed, and the job goes on behind it.

use std::ops::Range;
use std::sync::Arc;

use mail::{Encoding, Select, Structure, decode_transfer, header_fields};
use store::{BodyRef, Keywords, Store, StoreError};
use wire::imap::{FetchItem, Fields, Label, Partial, Section, SectionText, write};

use super::super::flags;
use super::super::message::Message;
use super::super::refusal::Refusal;
use super::Plan;
use super::row::plain_item;
use crate::limits::{FLUSH_BYTES, READ_ON_THE_SPOT_BYTES, STREAM_BYTES};

/// Rows on their way to the client, and how far it got.
pub(super) struct Bodies {
    store: Store,
    plan: Arc<Plan>,
    keywords: Arc<Keywords>,
    rows: std::vec::IntoIter<Message>,
    current: Option<Current>,
    /// An item that cannot be had: it is NIL, and the command is refused at its end.
    pub(super) refusal: Option<Refusal>,
}

struct Current {
    stored: Message,
    structure: Option<Structure>,
    item: usize,
}

/// What one run of the job made.
pub(super) struct Rendered {
    pub(super) bodies: Bodies,
    pub(super) out: Vec<u8>,
    pub(super) stream: Option<Streamed>,
    /// The store failed in the midst of an answer.
    pub(super) failed: Option<StoreError>,
}

/// Bytes of a literal whose head is written.
pub(super) struct Streamed {
    pub(super) body: BodyRef,
    pub(super) range: Range<u64>,
}

/// An item came to its end, or not.
enum Item {
    Written,
    /// The buffer is full in the midst of a row.
    Pause,
    Stream(Streamed),
}

impl Bodies {
    pub(super) fn new(
        store: Store,
        plan: Arc<Plan>,
        keywords: Arc<Keywords>,
        rows: Vec<Message>,
    ) -> Self {
        Bodies {
            store,
            plan,
            keywords,
            rows: rows.into_iter(),
            current: None,
            refusal: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.current.is_none() && self.rows.len() == 0
    }

    /// Not worth another thread: little is read.
    pub(super) fn is_small(&self) -> bool {
        let bytes: u64 = self
            .rows
            .as_slice()
            .iter()
            .map(|message| message.placement.size)
            .sum();
        self.rows.len() <= 4 && bytes <= READ_ON_THE_SPOT_BYTES
    }

    /// Renders until the buffer is full, all is done, or something must be streamed.
    pub(super) fn render(mut self, mut out: Vec<u8>) -> Rendered {
        while out.len() < FLUSH_BYTES {
            let Some(mut current) = self.take_current(&mut out) else {
                break;
            };
            match self.rest_of_row(&mut current, &mut out) {
                Ok(Item::Written) => {}
                Ok(Item::Pause) => {
                    self.current = Some(current);
                    break;
                }
                Ok(Item::Stream(stream)) => {
                    self.current = Some(current);
                    return Rendered {
                        bodies: self,
                        out,
                        stream: Some(stream),
                        failed: None,
                    };
                }
                Err(error) => {
                    return Rendered {
                        bodies: self,
                        out,
                        stream: None,
                        failed: Some(error),
                    };
                }
            }
        }
        Rendered {
            bodies: self,
            out,
            stream: None,
            failed: None,
        }
    }

    /// The row in hand, or the next one with its answer opened.
    fn take_current(&mut self, out: &mut Vec<u8>) -> Option<Current> {
        if let Some(current) = self.current.take() {
            return Some(current);
        }
        loop {
            let stored = self.rows.next()?;
            let Some(seq) = self.plan.numbering.seq(stored.placement.uid) else {
                continue;
            };
            out.extend_from_slice(b"* ");
            write::number(out, u64::from(seq));
            out.extend_from_slice(b" FETCH (");
            // Flags that this very command changed are told with it.
            let row = &stored.placement;
            if self.plan.marked.contains(row.uid) && !self.plan.items.contains(&FetchItem::Flags) {
                flags::write(out, row, &self.keywords);
                out.push(b' ');
            }
            return Some(Current {
                stored,
                structure: None,
                item: 0,
            });
        }
    }

    fn rest_of_row(
        &mut self,
        current: &mut Current,
        out: &mut Vec<u8>,
    ) -> Result<Item, StoreError> {
        let plan = self.plan.clone();
        while let Some(item) = plan.items.get(current.item) {
            // A row may name the same large part many times.
            if out.len() >= FLUSH_BYTES {
                return Ok(Item::Pause);
            }
            if current.item > 0 {
                out.push(b' ');
            }
            current.item += 1;
            match self.item(current, item, out) {
                Ok(Item::Written) => {}
                Ok(stream) => return Ok(stream),
                Err(Refusal::Store(error)) => return Err(error),
                Err(refusal) => {
                    out.extend_from_slice(b"NIL");
                    self.refusal.get_or_insert(refusal);
                }
            }
        }
        out.extend_from_slice(b")\r\n");
        Ok(Item::Written)
    }

    fn item(
        &self,
        current: &mut Current,
        item: &FetchItem,
        out: &mut Vec<u8>,
    ) -> Result<Item, Refusal> {
        match item {
            FetchItem::Section {
                section,
                partial,
                label,
                ..
            } => self.section(current, section, *partial, *label, out),
            FetchItem::Binary { path, partial, .. } => {
                path_label(out, "BINARY", path);
                partial_label(out, *partial);
                let content = self.decoded(current, path)?;
                binary(
                    out,
                    content.as_deref().map(|content| cut(content, *partial)),
                );
                Ok(Item::Written)
            }
            FetchItem::BinarySize { path } => {
                path_label(out, "BINARY.SIZE", path);
                let content = self.decoded(current, path)?;
                write::number(out, content.map_or(0, |content| content.len() as u64));
                Ok(Item::Written)
            }
            plain => {
                plain_item(
                    out,
                    &self.plan,
                    plain,
                    &current.stored.placement,
                    Some((&current.stored).into()),
                    &self.keywords,
                );
                Ok(Item::Written)
            }
        }
    }

    fn section(
        &self,
        current: &mut Current,
        section: &Section,
        partial: Option<Partial>,
        label: Label,
        out: &mut Vec<u8>,
    ) -> Result<Item, Refusal> {
        section_label(out, section, label, self.plan.dialect);
        partial_label(out, partial);
        let Some(range) = range_of(current, section) else {
            out.extend_from_slice(b"NIL");
            return Ok(Item::Written);
        };
        if let SectionText::HeaderFields { names, choice } = &section.what {
            let Some(header) = self.read(&current.stored, range)? else {
                out.extend_from_slice(b"NIL");
                return Ok(Item::Written);
            };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let fields = header_fields(
                &header,
                match choice {
                    Fields::These => Select::These(&names),
                    Fields::AllBut => Select::AllBut(&names),
                },
            );
            write::literal(out, cut(&fields, partial));
            return Ok(Item::Written);
        }
        let range = cut_range(range, partial);
        let size = range.end - range.start;
        if let Some(body) = current.stored.body.filter(|_| size > STREAM_BYTES) {
            write::literal_head(out, size);
            return Ok(Item::Stream(Streamed { body, range }));
        }
        match self.read(&current.stored, range)? {
            Some(bytes) => write::literal(out, &bytes),
            None => out.extend_from_slice(b"NIL"),
        }
        Ok(Item::Written)
    }

    /// The content of a part without its transfer encoding (RFC 3516 §4.2).
    fn decoded(&self, current: &mut Current, path: &[u32]) -> Result<Option<Vec<u8>>, Refusal> {
        let whole = Section {
            path: path.to_vec(),
            what: SectionText::Whole,
        };
        let Some(range) = range_of(current, &whole) else {
            return Ok(None);
        };
        let encoding = match (path, structure(current)) {
            ([], _) | (_, None) => Encoding::Binary,
            (path, Some(structure)) => structure
                .part(path)
                .map_or(Encoding::Binary, |part| part.encoding),
        };
        if encoding == Encoding::Unknown {
            return Err(Refusal::no(
                "[UNKNOWN-CTE] The part has an encoding that is not known here.",
            ));
        }
        let Some(bytes) = self.read(&current.stored, range)? else {
            return Ok(None);
        };
        Ok(Some(if encoding.is_identity() {
            bytes
        } else {
            decode_transfer(&bytes, encoding).into_owned()
        }))
    }

    /// `None`: expunged meanwhile.
    fn read(&self, stored: &Message, range: Range<u64>) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(body) = &stored.body else {
            return Ok(None);
        };
        match self.store.body_blocking(body, range) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::BodyGone) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn structure(current: &mut Current) -> Option<&Structure> {
    if current.structure.is_none() {
        current.structure = Structure::decode(&current.stored.structure).ok();
    }
    current.structure.as_ref()
}

fn range_of(current: &mut Current, section: &Section) -> Option<Range<u64>> {
    if section.path.is_empty() && section.what == SectionText::Whole {
        return Some(0..current.stored.placement.size);
    }
    let what = match section.what {
        SectionText::Whole => mail::Section::Whole,
        SectionText::Header | SectionText::HeaderFields { .. } => mail::Section::Header,
        SectionText::Text => mail::Section::Text,
        SectionText::Mime => mail::Section::Mime,
    };
    let range = structure(current)?.section(&section.path, what)?;
    Some(range.start as u64..range.end as u64)
}

fn cut_range(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(Partial { offset, count }) = partial else {
        return range;
    };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(count).min(range.end)
}

fn cut(bytes: &[u8], partial: Option<Partial>) -> &[u8] {
    let range = cut_range(0..bytes.len() as u64, partial);
    bytes
        .get(range.start as usize..range.end as usize)
        .unwrap_or_default()
}

/// A string, or a literal8 where a plain literal may not be: NUL bytes.
fn binary(out: &mut Vec<u8>, content: Option<&[u8]>) {
    match content {
        Some(content) => {
            if memchr::memchr(0, content).is_some() {
                out.push(b'~');
            }
            write::literal(out, content);
        }
        None => out.extend_from_slice(b"NIL"),
    }
}

fn section_label(out: &mut Vec<u8>, section: &Section, label: Label, dialect: wire::imap::Dialect) {
    match label {
        Label::Rfc822 => out.extend_from_slice(b"RFC822 "),
        Label::Rfc822Header => out.extend_from_slice(b"RFC822.HEADER "),
        Label::Rfc822Text => out.extend_from_slice(b"RFC822.TEXT "),
        Label::Body => {
            out.extend_from_slice(b"BODY[");
            numbers(out, &section.path);
            let what: &[u8] = match &section.what {
                SectionText::Whole => b"",
                SectionText::Header => b"HEADER",
                SectionText::HeaderFields {
                    choice: Fields::These,
                    ..
                } => b"HEADER.FIELDS",
                SectionText::HeaderFields {
                    choice: Fields::AllBut,
                    ..
                } => b"HEADER.FIELDS.NOT",
                SectionText::Text => b"TEXT",
                SectionText::Mime => b"MIME",
            };
            if !section.path.is_empty() && !what.is_empty() {
                out.push(b'.');
            }
            out.extend_from_slice(what);
            if let SectionText::HeaderFields { names, .. } = &section.what {
                out.extend_from_slice(b" (");
                for (index, name) in names.iter().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    write::astring(out, name, dialect);
                }
                out.push(b')');
            }
            out.extend_from_slice(b"] ");
        }
    }
}

fn path_label(out: &mut Vec<u8>, name: &str, path: &[u32]) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'[');
    numbers(out, path);
    out.extend_from_slice(b"] ");
}

/// `<offset>` stands right behind the bracket.
fn partial_label(out: &mut Vec<u8>, partial: Option<Partial>) {
    if let Some(partial) = partial {
        out.pop();
        out.push(b'<');
        write::number(out, partial.offset);
        out.extend_from_slice(b"> ");
    }
}

fn numbers(out: &mut Vec<u8>, path: &[u32]) {
    for (index, number) in path.iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        write::number(out, u64::from(*number));
    }
}
