//! One body in a segment: a fixed header, the note, the body.
//! The header guards itself with a CRC, the body is guarded by its BLAKE3 hash.

use std::fs;
use std::path::Path;

use super::{BlobError, Location, NOTE_BYTES_MAX};

/// Length of the header before each body.
pub const HEADER_BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"\x89POSTRD\n";
const VERSION: u32 = 1;

/// BLAKE3 of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// A record found by reading a segment without the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub location: Location,
    pub hash: Hash,
    pub note: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
struct Header {
    note_bytes: usize,
    body_bytes: usize,
    hash: Hash,
}

/// Layout, little-endian: magic 8, version 4, note length 4, body length 8, hash 32, zero 4, CRC-32 4.
pub fn header(note_bytes: usize, body_bytes: usize, hash: &Hash) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    out[..8].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&VERSION.to_le_bytes());
    out[12..16].copy_from_slice(&u32::try_from(note_bytes).unwrap_or(u32::MAX).to_le_bytes());
    out[16..24].copy_from_slice(&(body_bytes as u64).to_le_bytes());
    out[24..56].copy_from_slice(&hash.0);
    let crc = crc32fast::hash(&out[..60]);
    out[60..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Reads all whole records of a segment. What a crash tore is skipped by looking for the next
/// header: a torn record was never acknowledged, but those after it may have been.
pub fn recover(path: &Path, segment: i64) -> Result<Vec<Recovered>, BlobError> {
    let bytes = fs::read(path).map_err(|e| BlobError::of("reading the segment", path, e))?;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = memchr::memmem::find(&bytes[at..], &MAGIC) {
        at += step;
        match whole_record(&bytes[at..]) {
            Some((header, note)) => {
                let body_at = at + HEADER_BYTES + header.note_bytes;
                found.push(Recovered {
                    location: Location {
                        segment,
                        offset: body_at as i64,
                        length: header.body_bytes as i64,
                    },
                    hash: header.hash,
                    note: note.to_vec(),
                });
                at = body_at + header.body_bytes;
            }
            None => at += MAGIC.len(),
        }
    }
    Ok(found)
}

fn whole_record(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let header = parse_header(bytes)?;
    let note = bytes.get(HEADER_BYTES..)?.get(..header.note_bytes)?;
    let body = bytes
        .get(HEADER_BYTES + header.note_bytes..)?
        .get(..header.body_bytes)?;
    (Hash::of(body) == header.hash).then_some((header, note))
}

fn parse_header(bytes: &[u8]) -> Option<Header> {
    let head = bytes.get(..HEADER_BYTES)?;
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let guarded = crc32fast::hash(head.get(..60)?) == word(60)?;
    if !guarded || !head.starts_with(&MAGIC) || word(8)? != VERSION {
        return None;
    }
    let note_bytes = word(12)? as usize;
    let body_bytes = u64::from_le_bytes(head.get(16..24)?.try_into().ok()?);
    let hash = Hash(head.get(24..56)?.try_into().ok()?);
    (note_bytes <= NOTE_BYTES_MAX).then_some(Header {
        note_bytes,
        body_bytes: usize::try_from(body_bytes).ok()?,
        hash,
    })
}
