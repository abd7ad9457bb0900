//! The tree as it is stored: parts in the order of the tree, each with what differs from the usual.
//! A change of the form gets a new version byte; old ones stay readable.

use super::{Kind, Part, Structure};
use crate::limits::{LANGUAGES_MAX, MIME_DEPTH_MAX, MIME_PARTS_MAX, PARAMETERS_MAX};
use crate::parameters::Parameters;
use crate::stored::{Reader, push_bytes, push_len};
use crate::transfer::Encoding;

const VERSION: u8 = 1;

/// What a part has beside its type and its place.
const HAS_PARAMETERS: u8 = 1;
const HAS_ID: u8 = 2;
const HAS_DESCRIPTION: u8 = 4;
const HAS_ENCODING_NAME: u8 = 8;
const HAS_MD5: u8 = 16;
const HAS_DISPOSITION: u8 = 32;
const HAS_LANGUAGES: u8 = 64;
const HAS_LOCATION: u8 = 128;

/// The stored bytes are of another version, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    #[error("the stored structure has version {0}, which this program does not know")]
    Version(u8),
    #[error("the stored structure is damaged")]
    Damaged,
}

impl Structure {
    /// Compact and versioned; [`Structure::decode`] reads it back.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 * self.parts.len());
        out.push(VERSION);
        for part in &self.parts {
            push_part(&mut out, part);
        }
        out
    }

    pub fn decode(stored: &[u8]) -> Result<Self, StructureError> {
        match stored.split_first() {
            Some((&VERSION, rest)) => read_parts(rest).ok_or(StructureError::Damaged),
            Some((&version, _)) => Err(StructureError::Version(version)),
            None => Err(StructureError::Damaged),
        }
    }
}

fn push_part(out: &mut Vec<u8>, part: &Part) {
    let inside = match &part.kind {
        Kind::Leaf => 0,
        Kind::Multipart { .. } => 1,
        Kind::Message { child: None, .. } => 2,
        Kind::Message { child: Some(_), .. } => 3,
    };
    let has = |condition: bool, flag: u8| if condition { flag } else { 0 };
    out.push(inside << 4 | encoding_number(part.encoding));
    out.push(
        has(!part.parameters.is_empty(), HAS_PARAMETERS)
            | has(part.id.is_some(), HAS_ID)
            | has(part.description.is_some(), HAS_DESCRIPTION)
            | has(part.encoding_name.is_some(), HAS_ENCODING_NAME)
            | has(part.md5.is_some(), HAS_MD5)
            | has(part.disposition.is_some(), HAS_DISPOSITION)
            | has(!part.languages.is_empty(), HAS_LANGUAGES)
            | has(part.location.is_some(), HAS_LOCATION),
    );
    push_len(out, part.header.start);
    push_len(out, part.header.len());
    push_len(out, part.body.start.saturating_sub(part.header.end));
    push_len(out, part.body.len());
    push_len(out, part.lines);
    push_bytes(out, part.media_type.as_bytes());
    push_bytes(out, part.media_subtype.as_bytes());
    match &part.kind {
        Kind::Leaf => {}
        Kind::Multipart { children } => push_len(out, children.len()),
        Kind::Message { envelope, .. } => push_bytes(out, envelope),
    }
    if !part.parameters.is_empty() {
        push_parameters(out, &part.parameters);
    }
    let encoding_name = part.encoding_name.as_ref().map(String::as_bytes);
    for bytes in [
        part.id.as_deref(),
        part.description.as_deref(),
        encoding_name,
        part.md5.as_deref(),
    ]
    .into_iter()
    .flatten()
    {
        push_bytes(out, bytes);
    }
    if let Some(disposition) = &part.disposition {
        push_bytes(out, disposition.as_bytes());
        push_parameters(out, &part.disposition_parameters);
    }
    if !part.languages.is_empty() {
        push_len(out, part.languages.len());
        for language in &part.languages {
            push_bytes(out, language);
        }
    }
    if let Some(location) = &part.location {
        push_bytes(out, location);
    }
}

fn push_parameters(out: &mut Vec<u8>, parameters: &Parameters) {
    push_len(out, parameters.len());
    for (name, value) in parameters {
        push_bytes(out, name.as_bytes());
        push_bytes(out, value);
    }
}

/// A part whose children are still to come.
struct Open {
    at: usize,
    missing: usize,
}

fn read_parts(stored: &[u8]) -> Option<Structure> {
    let mut reader = Reader::new(stored);
    let mut parts: Vec<Part> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    loop {
        let at = parts.len();
        let (part, missing) = read_part(&mut reader)?;
        if at >= MIME_PARTS_MAX || open.len() > MIME_DEPTH_MAX {
            return None;
        }
        parts.push(part);
        if let Some(parent) = open.last_mut() {
            parent.missing -= 1;
            match &mut parts.get_mut(parent.at)?.kind {
                Kind::Multipart { children } => children.push(at),
                Kind::Message { child, .. } => *child = Some(at),
                Kind::Leaf => return None,
            }
        }
        if missing > 0 {
            open.push(Open { at, missing });
        }
        while open.last().is_some_and(|parent| parent.missing == 0) {
            open.pop();
        }
        if open.is_empty() {
            return reader.is_at_end().then_some(Structure { parts });
        }
    }
}

fn read_part(reader: &mut Reader<'_>) -> Option<(Part, usize)> {
    let shape = reader.byte()?;
    let has = reader.byte()?;
    let header_start = reader.len()?;
    let header_end = header_start.checked_add(reader.len()?)?;
    let body_start = header_end.checked_add(reader.len()?)?;
    let body_end = body_start.checked_add(reader.len()?)?;
    let lines = reader.len()?;
    let media_type = reader.text()?;
    let media_subtype = reader.text()?;
    let (kind, missing) = read_kind(shape >> 4, reader)?;
    let has = |flag: u8| has & flag != 0;
    let encoding = encoding_of(shape & 15)?;
    // In the order in which they were written.
    let parameters = if has(HAS_PARAMETERS) {
        read_parameters(reader)?
    } else {
        Vec::new()
    };
    let id = optional(has(HAS_ID), || bytes(reader))?;
    let description = optional(has(HAS_DESCRIPTION), || bytes(reader))?;
    let encoding_name = optional(has(HAS_ENCODING_NAME), || reader.text())?;
    let md5 = optional(has(HAS_MD5), || bytes(reader))?;
    let disposition = optional(has(HAS_DISPOSITION), || {
        Some((reader.text()?, read_parameters(reader)?))
    })?;
    let languages = optional(has(HAS_LANGUAGES), || read_languages(reader))?.unwrap_or_default();
    let location = optional(has(HAS_LOCATION), || bytes(reader))?;
    let (disposition, disposition_parameters) = disposition.unzip();
    let part = Part {
        header: header_start..header_end,
        body: body_start..body_end,
        lines,
        kind,
        media_type,
        media_subtype,
        parameters,
        id,
        description,
        encoding,
        encoding_name,
        md5,
        disposition,
        disposition_parameters: disposition_parameters.unwrap_or_default(),
        languages,
        location,
    };
    Some((part, missing))
}

/// What is inside, and how many parts of it are to follow.
fn read_kind(inside: u8, reader: &mut Reader<'_>) -> Option<(Kind, usize)> {
    match inside {
        0 => Some((Kind::Leaf, 0)),
        1 => {
            let count = reader
                .len()
                .filter(|count| (1..=MIME_PARTS_MAX).contains(count))?;
            let children = Vec::with_capacity(count);
            Some((Kind::Multipart { children }, count))
        }
        2 | 3 => {
            let envelope = reader.bytes()?.to_vec();
            let child = None;
            Some((Kind::Message { envelope, child }, usize::from(inside) - 2))
        }
        _ => None,
    }
}

/// Nothing if it is not there; no answer if it should be and cannot be read.
fn optional<T>(is_there: bool, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if is_there {
        read().map(Some)
    } else {
        Some(None)
    }
}

fn bytes(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    reader.bytes().map(<[u8]>::to_vec)
}

fn read_languages(reader: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let count = reader.len().filter(|count| *count <= LANGUAGES_MAX)?;
    (0..count).map(|_| bytes(reader)).collect()
}

fn read_parameters(reader: &mut Reader<'_>) -> Option<Parameters> {
    let count = reader.len().filter(|count| *count <= PARAMETERS_MAX)?;
    (0..count)
        .map(|_| Some((reader.text()?, reader.bytes()?.to_vec())))
        .collect()
}

/// Numbers are for ever: they are on disk.
const ENCODINGS: [Encoding; 7] = [
    Encoding::SevenBit,
    Encoding::EightBit,
    Encoding::Binary,
    Encoding::QuotedPrintable,
    Encoding::Base64,
    Encoding::Uuencode,
    Encoding::Unknown,
];

fn encoding_number(encoding: Encoding) -> u8 {
    ENCODINGS
        .iter()
        .position(|known| *known == encoding)
        .unwrap_or(0) as u8
}

fn encoding_of(number: u8) -> Option<Encoding> {
    ENCODINGS.get(usize::from(number)).copied()
}
