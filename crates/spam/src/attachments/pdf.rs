//! PDF: what starts a program, and files that are attached to it. Objects may lie packed in streams of objects.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;
use memchr::memmem;

use super::Kind;
use super::archive::{Budget, Entry, Listing, Place};
use crate::limits;

/// What is dangerous about it, and what it holds.
pub(super) fn look(bytes: &[u8], budget: &mut Budget) -> (Vec<(Kind, String)>, Listing) {
    let objects = packed_objects(bytes, budget);
    let has = |mark: &[u8]| {
        let packed = memmem::find(&objects, mark);
        packed.is_some() || memmem::find(bytes, mark).is_some()
    };
    let mut found = Vec::new();
    let by_itself = has(b"/OpenAction") || has(b"/AA");
    // A program that has a file written and started, and a page that starts one when it is opened.
    if has(b"/Launch") && by_itself || has(b"exportDataObject") && has(b"nLaunch") {
        found.push((Kind::Shortcut, String::new()));
    }
    let mut listing = Listing::default();
    if has(b"/EmbeddedFile") {
        for text in [bytes, &objects] {
            names(text, &mut listing);
        }
        contents(bytes, budget, &mut listing);
    }
    (found, listing)
}

/// The streams of objects, unpacked.
fn packed_objects(bytes: &[u8], budget: &mut Budget) -> Vec<u8> {
    let mut out = Vec::new();
    let streams = memmem::find_iter(bytes, b"/ObjStm");
    for at in streams.take(limits::PDF_STREAMS_MAX) {
        let Some(packed) = stream(bytes, at) else {
            continue;
        };
        let packed = budget.meter.watch(packed, 1);
        let unpacked = budget.meter.watch(ZlibDecoder::new(packed), 1);
        let left = limits::PDF_OBJECTS_BYTES_MAX - out.len();
        let most = limits::PDF_STREAM_BYTES_MAX.min(left);
        // What could be read before an error is as good as the whole.
        let _ = unpacked
            .take(u64::try_from(most).unwrap_or(0))
            .read_to_end(&mut out);
    }
    out
}

/// What lies behind the next `stream`, which follows its description.
fn stream(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let near = rest.get(..limits::PDF_NEAR_BYTES).unwrap_or(rest);
    let rest = rest.get(memmem::find(near, b"stream")? + 6..)?;
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    Some(rest.strip_prefix(b"\n").unwrap_or(rest))
}

/// `/F (name)` and `/UF (name)` beside `/EF`.
fn names(text: &[u8], listing: &mut Listing) {
    for at in memmem::find_iter(text, b"/EF").take(limits::PDF_STREAMS_MAX) {
        let start = at.saturating_sub(limits::PDF_NEAR_BYTES);
        let near = text.get(start..at.saturating_add(limits::PDF_NEAR_BYTES));
        let near = near.unwrap_or(&text[start..]);
        for mark in [b"/F".as_slice(), b"/UF"] {
            for at in memmem::find_iter(near, mark) {
                let rest = near
                    .get(at + mark.len()..)
                    .unwrap_or_default()
                    .trim_ascii_start();
                let Some(name) = rest.strip_prefix(b"(").and_then(string) else {
                    continue;
                };
                if listing.entries.iter().any(|known| known.name == name) {
                    continue;
                }
                let entry = Entry {
                    name,
                    place: Place::Had((Cow::default(), false)),
                    ..Entry::default()
                };
                if listing.push(entry).is_none() {
                    return;
                }
            }
        }
    }
}

/// Up to the bracket that closes it; UTF-16 with its mark, or bytes.
fn string(rest: &[u8]) -> Option<String> {
    let rest = rest.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(rest);
    let text = &rest[..memchr::memchr(b')', rest)?];
    Some(match text.strip_prefix(b"\xfe\xff") {
        Some(wide) => {
            let units = wide.chunks_exact(2);
            let units: Vec<u16> = units
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        None => String::from_utf8_lossy(text).into_owned(),
    })
}

fn contents(bytes: &[u8], budget: &mut Budget, listing: &mut Listing) {
    let mark = b"/EmbeddedFile";
    let mut many = 0;
    for at in memmem::find_iter(bytes, mark) {
        // `/EmbeddedFiles` is the list of their names.
        let is_list = bytes.get(at + mark.len()) == Some(&b's');
        let Some(packed) = stream(bytes, at).filter(|_| !is_list) else {
            continue;
        };
        many += 1;
        if limits::PDF_STREAMS_MAX < many {
            listing.is_cut = true;
            return;
        }
        // zlib begins so, whatever the description says.
        let is_packed = packed.first() == Some(&0x78);
        let end = memmem::find(packed, b"endstream").unwrap_or(packed.len());
        let packed = &packed[..end];
        let content = match is_packed {
            true => {
                let packed = budget.meter.watch(packed, 1);
                let mut unpacked = budget.meter.watch(ZlibDecoder::new(packed), 1);
                budget.take(&mut unpacked, "", usize::MAX)
            }
            false => {
                let mut packed = packed;
                budget.take(&mut packed, "", usize::MAX)
            }
        };
        let entry = Entry {
            name: format!("file {many}"),
            place: Place::Had(content),
            ..Entry::default()
        };
        if listing.push(entry).is_none() {
            return;
        }
    }
}
