//! Names and contents inside zip archives, read from their directory, or from the local headers where the
//! directory is cut off. A small reader: it trusts no length and unpacks no more than it is told.

use memchr::memmem;

use super::archive::{Entry, Listing, Place};
use crate::limits;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// The record at the end, with the longest remark.
const END_LENGTH_MAX: usize = 22 + 0xffff;

/// Everything the archive names, with the place of its content.
pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = directory(bytes);
    if listing.entries.is_empty() {
        listing = local_headers(bytes);
    }
    listing
}

/// The archive at the end of something else, by the record at its end.
pub(super) fn behind(bytes: &[u8]) -> Option<&[u8]> {
    let from = bytes.len().saturating_sub(END_LENGTH_MAX);
    let end = from + memmem::rfind(&bytes[from..], END)?;
    let before = u32_at(bytes, end + 12)?.checked_add(u32_at(bytes, end + 16)?)?;
    bytes.get(end.checked_sub(before)?..)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(pair.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

/// By the central directory: what unpacking programs believe.
fn directory(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    for at in memmem::find_iter(bytes, CENTRAL) {
        if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
            listing.is_cut = true;
            break;
        }
        listing.entries.extend(central(bytes, at));
    }
    listing
}

fn central(bytes: &[u8], at: usize) -> Option<Entry> {
    let flags = u16_at(bytes, at + 8)?;
    let method = u16_at(bytes, at + 10)?;
    let packed = u32_at(bytes, at + 20)?;
    let size = u32_at(bytes, at + 24)?;
    let name_len = u16_at(bytes, at + 28)?;
    let local = u32_at(bytes, at + 42)?;
    let name = bytes.get(at + 46..(at + 46).checked_add(name_len)?)?;
    // Where the content begins is said by the local header, whose name may differ.
    let start = (bytes.get(local..)?.starts_with(LOCAL)).then(|| {
        let names = u16_at(bytes, local + 26)? + u16_at(bytes, local + 28)?;
        local.checked_add(30 + names)
    });
    Some(Entry {
        name: text(name),
        is_locked: flags & 1 != 0,
        size,
        packed,
        place: place(start.flatten(), method, packed),
    })
}

/// By the headers before each content: all there is of an archive that was cut.
fn local_headers(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    for at in memmem::find_iter(bytes, LOCAL) {
        if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
            listing.is_cut = true;
            break;
        }
        listing.entries.extend(local(bytes, at));
    }
    listing
}

fn local(bytes: &[u8], at: usize) -> Option<Entry> {
    let flags = u16_at(bytes, at + 6)?;
    let method = u16_at(bytes, at + 8)?;
    let packed = u32_at(bytes, at + 18)?;
    let size = u32_at(bytes, at + 22)?;
    let name_len = u16_at(bytes, at + 26)?;
    let extra = u16_at(bytes, at + 28)?;
    let name = bytes.get(at + 30..(at + 30).checked_add(name_len)?)?;
    let start = (at + 30).checked_add(name_len + extra)?;
    Some(Entry {
        name: text(name),
        is_locked: flags & 1 != 0,
        size,
        packed,
        place: place(Some(start), method, packed),
    })
}

fn text(name: &[u8]) -> String {
    let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
    String::from_utf8_lossy(name).into_owned()
}

/// Packed in another way than by deflate: not read. Not packed, and without a length: nobody knows where it ends.
fn place(start: Option<usize>, method: usize, packed: usize) -> Place {
    match (start, method) {
        (Some(start), 0) if 0 < packed => Place::Stored(start),
        (Some(start), 8) => Place::Deflated(start),
        _ => Place::Nowhere,
    }
}
