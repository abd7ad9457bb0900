//! Names inside rar archives (versions 4 and 5), as far as their headers tell. Contents are read where they are not packed.

use super::archive::{Entry, Listing, Place};
use super::numbers::long;
use crate::limits;

const FIVE: &[u8] = b"Rar!\x1a\x07\x01\x00";
const FOUR: &[u8] = b"Rar!\x1a\x07\x00";

pub(super) fn list(bytes: &[u8]) -> Listing {
    if let Some(rest) = bytes.strip_prefix(FIVE) {
        return five(rest);
    }
    bytes.strip_prefix(FOUR).map(four).unwrap_or_default()
}

/// Version 4: CRC, type, flags, size; and for files more.
fn four(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut at = 0_usize;
    while let Some(block) = bytes.get(at..) {
        let Some(head) = block.get(..7) else { break };
        let kind = head[2];
        let flags = u16::from_le_bytes([head[3], head[4]]);
        let size = usize::from(u16::from_le_bytes([head[5], head[6]]));
        // The main header: from here on everything is locked.
        if kind == 0x73 && flags & 0x80 != 0 {
            listing.is_locked = true;
            break;
        }
        let mut data = 0;
        if kind == 0x74 || flags & 0x8000 != 0 {
            data = long(block, 7).unwrap_or(0);
        }
        if kind == 0x74 {
            if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
                listing.is_cut = true;
                break;
            }
            let mut entry = file_of_four(block, flags);
            if let Some(entry) = entry.as_mut().filter(|_| block.get(25) == Some(&0x30)) {
                entry.place = Place::Stored(FOUR.len() + at + size);
            }
            listing.entries.extend(entry);
        }
        if size < 7 || kind == 0x7b {
            break;
        }
        at = at.saturating_add(size).saturating_add(data);
    }
    listing
}

fn file_of_four(block: &[u8], flags: u16) -> Option<Entry> {
    let size = long(block, 11)?;
    let name_len = usize::from(u16::from_le_bytes([*block.get(26)?, *block.get(27)?]));
    let start: usize = if flags & 0x100 != 0 { 40 } else { 32 };
    let name = block.get(start..start.checked_add(name_len)?)?;
    // With Unicode the name is given twice: as bytes, a zero, and packed.
    let name = name.split(|byte| *byte == 0).next()?;
    Some(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        is_locked: flags & 4 != 0,
        size,
        packed: long(block, 7)?,
        ..Entry::default()
    })
}

/// Version 5: CRC, then numbers of variable length.
fn five(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut rest = bytes;
    for blocks in 0.. {
        let Some(block) = rest.get(4..) else { break };
        if blocks >= limits::RAR_BLOCKS_MAX {
            listing.is_cut = true;
            break;
        }
        let mut reader = Reader(block);
        let Some(size) = reader.number() else { break };
        let Some(header) = reader.0.get(..size) else {
            break;
        };
        let after = reader.0.get(size..).unwrap_or_default();
        let mut header = Reader(header);
        let (Some(kind), Some(flags)) = (header.number(), header.number()) else {
            break;
        };
        let extra = if flags & 1 != 0 {
            header.number().unwrap_or(0)
        } else {
            0
        };
        let data = if flags & 2 != 0 {
            header.number().unwrap_or(0)
        } else {
            0
        };
        match kind {
            // The header of encryption: all that follows is locked.
            4 => {
                listing.is_locked = true;
                break;
            }
            5 => break,
            2 if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX => {
                listing.is_cut = true;
                break;
            }
            2 => {
                let start = bytes.len() - after.len() + FIVE.len();
                listing
                    .entries
                    .extend(file_of_five(header, extra, data, start));
            }
            _ => {}
        }
        rest = after.get(data..).unwrap_or_default();
    }
    listing
}

fn file_of_five(
    mut header: Reader<'_>,
    extra: usize,
    packed: usize,
    start: usize,
) -> Option<Entry> {
    let flags = header.number()?;
    let size = header.number()?;
    header.number()?;
    header.0 = header.0.get(if flags & 2 != 0 { 4 } else { 0 }..)?;
    header.0 = header.0.get(if flags & 4 != 0 { 4 } else { 0 }..)?;
    let packing = header.number()?;
    header.number()?;
    let name_len = header.number()?;
    let name = header.0.get(..name_len.min(limits::FILE_NAME_BYTES_MAX))?;
    let records = header.0.get(name_len..).unwrap_or_default();
    let records = records.get(..extra).unwrap_or(records);
    Some(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        is_locked: is_encrypted(records),
        size,
        packed,
        place: match packing >> 7 & 7 {
            0 => Place::Stored(start),
            _ => Place::Nowhere,
        },
    })
}

/// The extra record of type 1 tells of encryption.
fn is_encrypted(records: &[u8]) -> bool {
    let mut reader = Reader(records);
    for _ in 0..limits::RAR_RECORDS_MAX {
        let Some(size) = reader.number() else {
            return false;
        };
        let Some(record) = reader.0.get(..size) else {
            return false;
        };
        if Reader(record).number() == Some(1) {
            return true;
        }
        reader.0 = reader.0.get(size..).unwrap_or_default();
    }
    false
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    /// Seven bits a byte, the lowest first; the highest bit says that more follows.
    fn number(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in 0..9 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= usize::from(byte & 0x7f).checked_shl(shift * 7)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
