//! From bytes to the MIME tree: one walk over the message, without recursion.
//! Header fields are cut in `mime/head.rs`; what the tree answers is in `structure.rs`.

use memchr::memmem::Finder;

use crate::defect::{Defect, Defects};
use crate::envelope;
use crate::limits::{
    BOUNDARY_BYTES_MAX, LANGUAGES_MAX, MIME_DEPTH_MAX, MIME_PARTS_MAX, PART_FIELD_BYTES_MAX,
};
use crate::parameters::{self, Parameterised};
use crate::structure::{Kind, Part, Structure};
use crate::transfer::Encoding;

mod head;

pub(crate) use head::Head;

/// What a walk over a message finds.
pub(crate) struct Scan<'a> {
    pub structure: Structure,
    /// Of the message itself.
    pub head: Head<'a>,
    pub defects: Defects,
}

/// Reads a message. Never fails.
pub(crate) fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut scanner = Scanner {
        bytes,
        line_start: Finder::new(b"\n--"),
        parts: Vec::new(),
        open: Vec::new(),
        at: 0,
        defects: Defects::default(),
    };
    let head = scanner.begin(0, Unlabelled::Text);
    while let Some(delimiter) = scanner.next_delimiter() {
        scanner.cross(&delimiter);
    }
    scanner.close(0, bytes.len());
    Scan {
        structure: Structure {
            parts: scanner.parts,
        },
        head,
        defects: scanner.defects,
    }
}

/// What a part without `Content-Type` is. RFC 2045 §5.2, RFC 2046 §5.1.5.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlabelled {
    Text,
    Message,
}

/// A part whose end is not known yet.
struct Open {
    part: usize,
    /// Of a multipart that is not closed; empty otherwise.
    boundary: Vec<u8>,
    is_closed: bool,
    children: Unlabelled,
}

/// A line that separates or ends the parts of `open[level]`.
struct Delimiter {
    level: usize,
    start: usize,
    /// After its line end.
    end: usize,
    is_last: bool,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    line_start: Finder<'static>,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// Always the beginning of a line.
    at: usize,
    defects: Defects,
}

impl<'a> Scanner<'a> {
    /// Opens the part that begins here, and the messages that begin with it. Gives the first part's head.
    fn begin(&mut self, start: usize, unlabelled: Unlabelled) -> Head<'a> {
        let first = self.begin_one(start, unlabelled);
        // A message inside begins at once, and may itself be of type message.
        while let Some(Part {
            kind: Kind::Message { child: None, .. },
            encoding,
            ..
        }) = self.parts.last()
        {
            if !encoding.is_identity() {
                self.defects.add(Defect::EncodingForbidden);
                break;
            }
            if self.open.len() > MIME_DEPTH_MAX {
                self.defects.add(Defect::TooDeep);
                break;
            }
            if self.parts.len() >= MIME_PARTS_MAX {
                self.defects.add(Defect::TooManyParts);
                break;
            }
            let outer = self.parts.len() - 1;
            let head = self.begin_one(self.at, Unlabelled::Text);
            if let Some(Part {
                kind: Kind::Message { envelope, .. },
                ..
            }) = self.parts.get_mut(outer)
            {
                *envelope = envelope::write(&head.envelope);
            }
        }
        first
    }

    fn begin_one(&mut self, start: usize, unlabelled: Unlabelled) -> Head<'a> {
        let mut defects = self.defects;
        let head = Head::read(self.bytes, start, &mut defects, |at| {
            self.delimiter_at(at).is_some()
        });
        self.defects = defects;
        let mut part = part_of(&head, start, unlabelled, &mut self.defects);
        let index = self.parts.len();
        if let Some(parent) = self
            .open
            .last()
            .and_then(|parent| self.parts.get_mut(parent.part))
        {
            match &mut parent.kind {
                Kind::Multipart { children } => children.push(index),
                Kind::Message { child, .. } => *child = Some(index),
                Kind::Leaf => {}
            }
        }
        let mut boundary = Vec::new();
        if let Kind::Multipart { .. } = part.kind {
            boundary = boundary_of(&part);
            if boundary.is_empty() {
                self.defects.add(Defect::BoundaryMissing);
                take_for_text(&mut part);
            } else if self.open.len() >= MIME_DEPTH_MAX {
                self.defects.add(Defect::TooDeep);
                take_for_text(&mut part);
                boundary.clear();
            }
        }
        let children = if part.is("multipart", "digest") {
            Unlabelled::Message
        } else {
            Unlabelled::Text
        };
        self.parts.push(part);
        self.open.push(Open {
            part: index,
            boundary,
            is_closed: false,
            children,
        });
        self.at = head.body_start;
        head
    }

    fn next_delimiter(&self) -> Option<Delimiter> {
        if self.open.iter().all(|open| open.boundary.is_empty()) {
            return None;
        }
        if let Some(found) = self.delimiter_at(self.at) {
            return Some(found);
        }
        let rest = self.bytes.get(self.at..)?;
        self.line_start
            .find_iter(rest)
            .find_map(|newline| self.delimiter_at(self.at + newline + 1))
    }

    /// The delimiter standing at this beginning of a line. What follows it on the line does not matter (RFC 2046
    /// §5.1.1), but one boundary may begin with another: a character that boundaries are made of must not follow.
    fn delimiter_at(&self, at: usize) -> Option<Delimiter> {
        let line = self.bytes.get(at..)?.strip_prefix(b"--")?;
        self.open
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, open)| !open.boundary.is_empty())
            .find_map(|(level, open)| {
                let tail = line.strip_prefix(&*open.boundary)?;
                let (tail, is_last) = match tail.strip_prefix(b"--") {
                    Some(tail) => (tail, true),
                    None => (tail, false),
                };
                if tail.first().is_some_and(|&byte| is_boundary_char(byte)) {
                    return None;
                }
                let rest =
                    memchr::memchr(b'\n', tail).map_or(0, |newline| tail.len() - newline - 1);
                Some(Delimiter {
                    level,
                    start: at,
                    end: self.bytes.len() - rest,
                    is_last,
                })
            })
    }

    fn cross(&mut self, delimiter: &Delimiter) {
        // The line end before a delimiter belongs to it. RFC 2046 §5.1.1.
        let before = self.bytes.get(..delimiter.start).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let end = before.strip_suffix(b"\r").unwrap_or(before).len();
        self.close(delimiter.level + 1, end);
        self.at = delimiter.end;
        let Some(open) = self.open.last_mut() else {
            return;
        };
        if delimiter.is_last {
            open.is_closed = true;
            open.boundary.clear();
            return;
        }
        let children = open.children;
        if self.parts.len() >= MIME_PARTS_MAX {
            self.defects.add(Defect::TooManyParts);
            for open in &mut self.open {
                open.boundary.clear();
            }
            return;
        }
        self.begin(delimiter.end, children);
    }

    /// Ends all parts from this level on.
    fn close(&mut self, level: usize, end: usize) {
        while self.open.len() > level {
            let Some(open) = self.open.pop() else { return };
            let Some(part) = self.parts.get_mut(open.part) else {
                return;
            };
            // An empty part's end may lie before its beginning: the line end between two delimiters is the later one's.
            part.header.start = part.header.start.min(end);
            part.header.end = part.header.end.min(end);
            part.body.start = part.body.start.min(end);
            part.body.end = end;
            if let Kind::Multipart { children } = &part.kind {
                if children.is_empty() {
                    self.defects.add(Defect::MultipartEmpty);
                    take_for_text(part);
                } else if !open.is_closed {
                    self.defects.add(Defect::MultipartUnclosed);
                }
            }
            if part.media_type == "text" || matches!(part.kind, Kind::Message { .. }) {
                let body = self.bytes.get(part.body.clone()).unwrap_or_default();
                part.lines = memchr::memchr_iter(b'\n', body).count();
            }
        }
    }
}

fn part_of(head: &Head<'_>, start: usize, unlabelled: Unlabelled, defects: &mut Defects) -> Part {
    let (encoding, encoding_name) = encoding_of(head, defects);
    let disposition = head
        .disposition
        .map(parameters::parse)
        .filter(|parsed| !parsed.value.is_empty());
    let (disposition, disposition_parameters) = match disposition {
        Some(Parameterised { value, parameters }) => (Some(value), parameters),
        None => (None, Vec::new()),
    };
    let owned = |value: Option<&[u8]>| {
        value.map(|value| {
            let mut text = crate::header::unfold(value).into_owned();
            text.truncate(PART_FIELD_BYTES_MAX);
            text
        })
    };
    let mut part = Part {
        header: start..head.body_start,
        body: head.body_start..head.body_start,
        lines: 0,
        kind: Kind::Leaf,
        media_type: String::new(),
        media_subtype: String::new(),
        parameters: Vec::new(),
        id: owned(head.id),
        description: owned(head.description),
        encoding,
        encoding_name,
        md5: owned(head.md5),
        disposition,
        disposition_parameters,
        languages: head.languages.map(languages_of).unwrap_or_default(),
        location: owned(head.location),
    };
    set_type(&mut part, head.content_type, unlabelled, defects);
    part
}

fn set_type(
    part: &mut Part,
    content_type: Option<&[u8]>,
    unlabelled: Unlabelled,
    defects: &mut Defects,
) {
    let parsed = content_type.map(parameters::parse);
    let Some(Parameterised { value, parameters }) = parsed else {
        match unlabelled {
            Unlabelled::Text => take_for_text(part),
            Unlabelled::Message => {
                set_media(part, "message", "rfc822");
                part.kind = Kind::Message {
                    envelope: envelope::EMPTY.to_vec(),
                    child: None,
                };
            }
        }
        return;
    };
    part.parameters = parameters;
    match value.split_once('/') {
        Some((media_type, media_subtype)) if is_token(media_type) && is_token(media_subtype) => {
            set_media(part, media_type, media_subtype);
        }
        // RFC 2045 §5.2 has it so.
        _ => {
            defects.add(Defect::ContentTypeMalformed);
            set_media(part, "text", "plain");
        }
    }
    part.kind = match (part.media_type.as_str(), part.media_subtype.as_str()) {
        ("multipart", _) => {
            if !part.encoding.is_identity() {
                defects.add(Defect::EncodingForbidden);
            }
            Kind::Multipart {
                children: Vec::new(),
            }
        }
        ("message", "rfc822" | "global") => Kind::Message {
            envelope: envelope::EMPTY.to_vec(),
            child: None,
        },
        _ => Kind::Leaf,
    };
}

/// What a part is that says nothing, or nothing of sense, about itself. RFC 2045 §5.2.
fn take_for_text(part: &mut Part) {
    part.kind = Kind::Leaf;
    set_media(part, "text", "plain");
    part.parameters = vec![("charset".to_owned(), b"us-ascii".to_vec())];
}

fn set_media(part: &mut Part, media_type: &str, media_subtype: &str) {
    media_type.clone_into(&mut part.media_type);
    media_subtype.clone_into(&mut part.media_subtype);
}

fn is_token(text: &str) -> bool {
    let is_token_char = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_char)
}

fn encoding_of(head: &Head<'_>, defects: &mut Defects) -> (Encoding, Option<String>) {
    let name = head.encoding.map(|value| {
        let mut cursor = crate::lexer::Cursor::new(value);
        cursor.skip_cfws();
        cursor.take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b'('))
    });
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return (Encoding::SevenBit, None);
    };
    let encoding = Encoding::parse(name);
    let is_standard = encoding.as_str().as_bytes().eq_ignore_ascii_case(name);
    if encoding == Encoding::Unknown {
        defects.add(Defect::EncodingUnknown);
    }
    (
        encoding,
        (!is_standard).then(|| String::from_utf8_lossy(name).to_ascii_lowercase()),
    )
}

fn boundary_of(part: &Part) -> Vec<u8> {
    let raw = part
        .parameters
        .iter()
        .find(|(name, _)| name == "boundary")
        .map(|(_, value)| value.clone());
    let mut boundary = raw
        .or_else(|| part.parameter("boundary").map(String::into_bytes))
        .unwrap_or_default();
    boundary.truncate(boundary.trim_ascii_end().len());
    if boundary.len() > BOUNDARY_BYTES_MAX {
        boundary.clear();
    }
    boundary
}

/// `bcharsnospace` of RFC 2046 §5.1.1.
fn is_boundary_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte)
}

fn languages_of(value: &[u8]) -> Vec<Vec<u8>> {
    let languages = value
        .split(|&byte| byte == b',')
        .map(|language| crate::header::unfold(language).into_owned());
    languages
        .filter(|language| !language.is_empty())
        .take(LANGUAGES_MAX)
        .collect()
}

#[cfg(test)]
mod tests;
