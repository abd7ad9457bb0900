//! Names inside 7z archives where the header lies open. Most are packed (LZMA), which is not undone here; but
//! whether a password is needed is to be seen in both.

use memchr::memmem;

use super::archive::{Entry, Listing};
use crate::limits;

/// The method's number of AES-256 with SHA-256.
const AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];

pub(super) fn list(bytes: &[u8]) -> Listing {
    let Some(header) = header(bytes) else {
        return Listing::default();
    };
    match header.first() {
        Some(0x01) => Listing {
            entries: names(header),
            is_locked: memmem::find(header, AES).is_some(),
            is_cut: false,
        },
        // A packed header; its description is open.
        Some(0x17) => Listing {
            is_locked: memmem::find(header, AES).is_some(),
            ..Listing::default()
        },
        _ => Listing::default(),
    }
}

/// The start header tells where the header lies.
fn header(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| -> Option<usize> {
        let eight = bytes.get(at..at + 8)?;
        usize::try_from(u64::from_le_bytes(eight.try_into().ok()?)).ok()
    };
    let start = number(12)?.checked_add(32)?;
    let end = start.checked_add(number(20)?)?;
    bytes.get(start..end)
}

/// Names are UTF-16, each ended by a zero, after the property 0x11 and its size.
fn names(header: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for at in memchr::memchr_iter(0x11, header).take(limits::SEVENZ_TRIES_MAX) {
        // Property, size (one or two bytes), not external, then the names.
        let Some(rest) = header.get(at + 1..) else {
            continue;
        };
        let skip = match rest.first() {
            Some(first) if first & 0x80 == 0 => 1,
            Some(_) => 2,
            None => continue,
        };
        let Some((0, text)) = rest
            .get(skip..)
            .and_then(|rest| rest.split_first().map(|(flag, text)| (*flag, text)))
        else {
            continue;
        };
        let units = text
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let mut name = Vec::new();
        for unit in units.take(limits::ARCHIVE_NAMES_MAX * 16) {
            if unit != 0 {
                name.push(unit);
                continue;
            }
            let Ok(text) = String::from_utf16(&name) else {
                break;
            };
            name.clear();
            let is_name = !text.is_empty() && !text.contains(char::is_control);
            if !is_name || entries.len() >= limits::ARCHIVE_NAMES_MAX {
                break;
            }
            entries.push(Entry {
                name: text,
                ..Entry::default()
            });
        }
        if !entries.is_empty() {
            break;
        }
    }
    entries
}
