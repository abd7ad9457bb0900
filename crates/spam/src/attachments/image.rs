//! Images of disks: the files of CDs (ISO 9660, with Joliet's long names); of other images what begins like a program at
//! the beginning of a sector, as every file system has it.

use super::archive::{Entry, Listing, Place};
use super::magic;
use super::numbers::long;
use crate::limits;

const SECTOR: usize = 2048;

pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    if let Some(root) = root(bytes) {
        files(bytes, root, &mut listing);
    }
    if listing.entries.is_empty() {
        listing.entries.extend(program(bytes));
    }
    listing
}

/// A folder: where it lies, how long it is, whether names are UTF-16.
#[derive(Clone, Copy)]
struct Folder {
    start: usize,
    length: usize,
    is_wide: bool,
}

/// Of the descriptors that begin with the sixteenth sector the one with long names, else the first. ECMA-119 §8
fn root(bytes: &[u8]) -> Option<Folder> {
    let mut found = None;
    for sector in 16..32 {
        let descriptor = bytes.get(sector * SECTOR..(sector + 1) * SECTOR)?;
        if &descriptor[1..6] != b"CD001" || descriptor[0] == 255 {
            break;
        }
        let is_wide = descriptor[0] == 2 && &descriptor[88..90] == b"%/";
        if descriptor[0] != 1 && !is_wide {
            continue;
        }
        let root = Folder {
            start: long(descriptor, 158)?.checked_mul(SECTOR)?,
            length: long(descriptor, 166)?,
            is_wide,
        };
        if is_wide || found.is_none() {
            found = Some(root);
        }
    }
    found
}

fn files(bytes: &[u8], root: Folder, listing: &mut Listing) {
    let mut folders = vec![root];
    let mut opened = 0;
    while let Some(folder) = folders.pop() {
        opened += 1;
        if limits::IMAGE_FOLDERS_MAX < opened {
            listing.is_cut = true;
            return;
        }
        let content = bytes.get(folder.start..).unwrap_or_default();
        let content = content.get(..folder.length).unwrap_or(content);
        let mut at = 0;
        while at < content.len() {
            // Records do not reach over the end of a sector.
            let length = usize::from(content[at]);
            if length == 0 {
                at = (at + 1).next_multiple_of(SECTOR);
                continue;
            }
            if let Some(record) = content.get(at..at + length) {
                let Some((entry, is_folder)) = file(record, folder.is_wide) else {
                    at += length;
                    continue;
                };
                if let (true, Place::Stored(start)) = (is_folder, &entry.place) {
                    folders.push(Folder {
                        start: *start,
                        length: entry.size,
                        is_wide: folder.is_wide,
                    });
                } else if listing.push(entry).is_none() {
                    return;
                }
            }
            at += length;
        }
    }
}

/// A record of a folder, and whether it is of a folder itself. ECMA-119 §9.1
fn file(record: &[u8], is_wide: bool) -> Option<(Entry, bool)> {
    let length = usize::from(*record.get(32)?);
    let name = record.get(33..33 + length)?;
    // Itself, and the one that it is in.
    if matches!(name, [0] | [1]) {
        return None;
    }
    let name = match is_wide {
        true => {
            let units = name.chunks_exact(2);
            let units: Vec<u16> = units
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        false => String::from_utf8_lossy(name).into_owned(),
    };
    // `NAME.EXE;1`
    let name = name
        .rsplit_once(';')
        .map_or(name.as_str(), |(name, _)| name);
    let size = long(record, 10)?;
    let entry = Entry {
        name: name.to_owned(),
        size,
        packed: size,
        place: Place::Stored(long(record, 2)?.checked_mul(SECTOR)?),
        ..Entry::default()
    };
    Some((entry, record.get(25)? & 2 != 0))
}

/// The first sector that begins like a program or a shortcut.
fn program(bytes: &[u8]) -> Option<Entry> {
    let sectors = bytes.chunks(512).enumerate().skip(1);
    let mut starts = sectors.map(|(sector, _)| sector * 512);
    let start = starts.find(|start| magic::is_surely_program(&bytes[*start..]))?;
    Some(Entry {
        name: format!("sector {}", start / 512),
        size: usize::MAX,
        place: Place::Stored(start),
        ..Entry::default()
    })
}
