//! Tar archives: a header of 512 bytes before each file, its size in octal. Long names stand in files of their own
//! before the file that they name.

use std::io::Read;

use super::archive::{Budget, Entry, Listing, Place};
use super::inspect::wants_content;
use super::names;
use crate::limits;

pub(super) const BLOCK: usize = 512;

/// Whether an archive begins so: its sum is right.
pub(super) fn is_head(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else {
        return false;
    };
    let sum = |at: usize, byte: u8| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(byte),
    };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| sum(at, *byte))
        .sum();
    let is_right = usize::try_from(sum).is_ok_and(|sum| sum == octal(&block[148..156]));
    block[0] != 0 && (is_right || &block[257..262] == b"ustar")
}

/// One that lies open: contents are not copied.
pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut long = None;
    let mut at = 0_usize;
    while let Some(head) = bytes.get(at..).and_then(Head::of) {
        let start = at + BLOCK;
        let content = bytes.get(start..).unwrap_or_default();
        let content = content.get(..head.size).unwrap_or(content);
        match head.names_next(content) {
            Some(name) => long = Some(name).filter(|name| !name.is_empty()).or(long),
            None if limits::ARCHIVE_NAMES_MAX <= listing.entries.len() => {
                listing.is_cut = true;
                break;
            }
            None => listing.entries.push(Entry {
                name: long.take().unwrap_or(head.name),
                size: head.size,
                packed: head.size,
                place: Place::Stored(start),
                ..Entry::default()
            }),
        }
        let Some(next) = head.size.checked_next_multiple_of(BLOCK) else {
            break;
        };
        at = start.saturating_add(next);
    }
    listing
}

/// One that comes unpacked bit by bit: the beginnings of its first files are kept.
pub(super) fn passing(mut reader: impl Read, budget: &mut Budget) -> Listing {
    let mut listing = Listing::default();
    let mut long = None;
    let mut block = Vec::new();
    loop {
        block.clear();
        let _ = some(&mut reader, BLOCK).read_to_end(&mut block);
        let Some(head) = Head::of(&block) else {
            break;
        };
        if limits::ARCHIVE_NAMES_MAX <= listing.entries.len() {
            listing.is_cut = true;
            break;
        }
        let mut file = some(&mut reader, head.size);
        if head.is_name() {
            let mut content = Vec::new();
            let most = head.size.min(limits::TAR_NAME_BYTES_MAX);
            let _ = some(&mut file, most).read_to_end(&mut content);
            let name = head.names_next(&content);
            long = name.filter(|name| !name.is_empty()).or(long);
        } else {
            let name = long.take().unwrap_or(head.name);
            // An archive among many files is looked into all the same.
            let is_looked_at = listing.entries.len() < limits::TAR_CONTENTS_MAX
                || names::class(&name) == names::Ending::Archive;
            let place = match is_looked_at && wants_content(&name) {
                true => Place::Had(budget.take(&mut file, &name, head.size)),
                false => Place::Nowhere,
            };
            listing.entries.push(Entry {
                name,
                size: head.size,
                place,
                ..Entry::default()
            });
        }
        let _ = std::io::copy(&mut file, &mut std::io::sink());
        let padding = head.size.next_multiple_of(BLOCK).saturating_sub(head.size);
        let _ = std::io::copy(&mut some(&mut reader, padding), &mut std::io::sink());
    }
    listing
}

fn some<R: Read>(reader: &mut R, most: usize) -> std::io::Take<&mut R> {
    reader.take(u64::try_from(most).unwrap_or(u64::MAX))
}

struct Head {
    name: String,
    size: usize,
    kind: u8,
}

impl Head {
    /// `None` at the end.
    fn of(block: &[u8]) -> Option<Self> {
        let block = block.get(..BLOCK)?;
        let name = block[..100].split(|byte| *byte == 0).next()?;
        (!name.is_empty()).then(|| Self {
            name: String::from_utf8_lossy(name).into_owned(),
            size: octal(&block[124..136]).min(SIZE_MAX),
            kind: block[156],
        })
    }

    fn is_name(&self) -> bool {
        matches!(self.kind, b'L' | b'x')
    }

    /// The name of the next file, if this content is one: GNU's whole, or POSIX's line `26 path=...`.
    fn names_next(&self, content: &[u8]) -> Option<String> {
        let content = content.get(..limits::TAR_NAME_BYTES_MAX).unwrap_or(content);
        let mut text = String::from_utf8_lossy(content).into_owned();
        match self.kind {
            b'L' => {
                text.truncate(text.find('\0').unwrap_or(text.len()));
                Some(text)
            }
            b'x' => {
                let path = text.lines().find_map(|line| line.split_once(" path="));
                Some(path.map_or_else(String::new, |(_, path)| path.to_owned()))
            }
            _ => None,
        }
    }
}

/// No file is larger; sums with it do not overflow.
const SIZE_MAX: usize = usize::MAX >> 2;

fn octal(field: &[u8]) -> usize {
    let digits = field.iter().skip_while(|byte| **byte == b' ');
    digits
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .fold(0, |value: usize, digit| {
            value
                .saturating_mul(8)
                .saturating_add(usize::from(digit - b'0'))
        })
}
