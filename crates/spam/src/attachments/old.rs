//! Archives of old that are seen in mail still: ARJ, LHA, ACE. Names, locks, and contents that are not packed.

use super::archive::{Entry, Listing, Place};
use super::numbers::{long, short};
use crate::limits;

fn text(name: &[u8]) -> String {
    let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
    String::from_utf8_lossy(name).into_owned()
}

/// Goes from file to file; what is given for each: the entry, if it is one, and how long all of it is.
fn walk(bytes: &[u8], next: impl Fn(&[u8], usize) -> Option<(Option<Entry>, usize)>) -> Listing {
    let mut listing = Listing::default();
    let mut at = 0_usize;
    for _ in 0..limits::RAR_BLOCKS_MAX {
        let Some((entry, length)) = bytes.get(at..).and_then(|rest| next(rest, at)) else {
            break;
        };
        if let Some(entry) = entry
            && listing.push(entry).is_none()
        {
            break;
        }
        at = at.saturating_add(length.max(1));
    }
    listing.is_cut |= listing.entries.is_empty();
    listing
}

/// The mark, the header's length, the header: its own length up to the name, versions, flags, method; a sum; more headers.
pub(super) fn arj(bytes: &[u8]) -> Listing {
    walk(bytes, |rest: &[u8], at: usize| {
        if !rest.starts_with(b"\x60\xea") {
            return None;
        }
        let length = short(rest, 2).filter(|length| 0 < *length)?;
        let header = rest.get(4..4 + length)?;
        // The first is the archive's own.
        if at == 0 {
            return Some((None, after_arj(rest, 8 + length)?));
        }
        let name = header.get(usize::from(*header.first()?)..)?;
        let start = after_arj(rest, 8 + length)?;
        let (packed, size) = (long(header, 12)?, long(header, 16)?);
        let entry = Entry {
            name: text(name.split(|byte| *byte == 0).next()?),
            is_locked: header.get(4)? & 1 != 0,
            size,
            packed,
            place: match header.get(5)? {
                0 => Place::Stored(at + start),
                _ => Place::Nowhere,
            },
        };
        Some((Some(entry), start.checked_add(packed)?))
    })
}

fn after_arj(rest: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match short(rest, at)? {
            0 => return Some(at + 2),
            length => at += 2 + length + 4,
        }
    }
}

/// Levels 0 and 1: one byte for the header's length, a sum, the method; level 2: two bytes; more headers behind.
pub(super) fn lha(bytes: &[u8]) -> Listing {
    walk(bytes, |rest, at| {
        let method = rest.get(2..7).filter(|method| method.starts_with(b"-l"))?;
        let (packed, size) = (long(rest, 7)?, long(rest, 11)?);
        let level = *rest.get(20)?;
        let mut name = String::new();
        let (mut more, mut start) = match level {
            0 | 1 => {
                let length = usize::from(*rest.get(21)?);
                name = text(rest.get(22..22 + length)?);
                let after = 2 + usize::from(*rest.first()?);
                (after.checked_sub(2)?, after)
            }
            _ => (24, short(rest, 0)?),
        };
        let mut extra = 0;
        for _ in 0..limits::RAR_RECORDS_MAX * 4 {
            let length = short(rest, more).filter(|length| level != 0 && 3 <= *length);
            let Some(length) = length else { break };
            let record = rest.get(more + 2..more + length)?;
            // Also with another header before the name.
            if record[0] == 1 {
                name = text(&record[1..]);
            }
            (more, extra) = (more + length, extra + length);
        }
        // At level 1 those headers count as content.
        if level == 1 {
            start += extra;
        }
        let content = match level {
            1 => packed.saturating_sub(extra),
            _ => packed,
        };
        let entry = Entry {
            name,
            size,
            packed: content,
            place: match method {
                b"-lh0-" | b"-lz4-" => Place::Stored(at + start),
                _ => Place::Nowhere,
            },
            ..Entry::default()
        };
        let is_folder = method == b"-lhd-";
        Some(((!is_folder).then_some(entry), start.checked_add(content)?))
    })
}

/// A sum, the header's length, its kind (0 the archive's, 1 a file's), flags.
pub(super) fn ace(bytes: &[u8]) -> Listing {
    walk(bytes, |rest, at| {
        let length = short(rest, 2)?.checked_add(4)?;
        let (kind, flags) = (*rest.get(4)?, short(rest, 5)?);
        let packed = match flags & 1 {
            0 => 0,
            _ => long(rest, 7)?,
        };
        let after = length.checked_add(packed)?;
        if at == 0 || kind != 1 {
            return Some((None, after));
        }
        let name = short(rest, 33)?;
        let entry = Entry {
            name: text(rest.get(35..35 + name)?),
            is_locked: flags & 0x4000 != 0,
            size: long(rest, 11)?,
            packed,
            place: match rest.get(27)? {
                0 => Place::Stored(at + length),
                _ => Place::Nowhere,
            },
        };
        Some((Some(entry), after))
    })
}
