//! Files inside the containers of old Office documents and Outlook messages (OLE): packages that open with a click, and
//! what is attached to a message. [MS-CFB]; trusts no number and no chain.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::archive::{Entry, Listing, Place};
use crate::limits;

/// Chains end with numbers from here on.
const END: u32 = 0xffff_fffa;
/// Streams that are shorter lie in small sectors.
const SMALL: usize = 4096;
const SMALL_SECTOR: usize = 64;

pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let Some(container) = Container::read(bytes) else {
        return listing;
    };
    let parents = container.parents();
    let parent = |of: usize| parents.get(of).copied().flatten().unwrap_or(0);
    let mut names = BTreeMap::new();
    for (at, stream) in container.streams.iter().enumerate() {
        // What a message calls its attachments.
        if matches!(
            stream.name.as_str(),
            "__substg1.0_3707001F" | "__substg1.0_3704001F"
        ) {
            let name = utf16(&container.content(bytes, stream, 2 * limits::FILE_NAME_BYTES_MAX));
            names.entry(parent(at)).or_insert(name);
        }
    }
    let mut left = limits::OLE_STREAMS_BYTES_MAX;
    for (at, stream) in container.streams.iter().enumerate() {
        let is_package = stream.name == "\u{1}Ole10Native";
        if !is_package && stream.name != "__substg1.0_37010102" {
            continue;
        }
        let content = container.content(bytes, stream, left);
        left -= content.len();
        let is_cut = content.len() < stream.size;
        let entry = match is_package {
            true => package(&content),
            false => Some(Entry {
                name: names.remove(&parent(at)).unwrap_or_default(),
                size: stream.size,
                packed: stream.size,
                place: Place::Had((Cow::Owned(content), is_cut)),
                ..Entry::default()
            }),
        };
        if let Some(entry) = entry
            && listing.push(entry).is_none()
        {
            break;
        }
    }
    listing
}

/// What is in a package: a length, a mark, two names, numbers, a third name, the length again, the content. [MS-OLEDS] §2.3.6
/// speaks of the outer length alone.
pub(super) fn package(content: &[u8]) -> Option<Entry> {
    let rest = content.get(6..)?;
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let (label, path) = (parts.next()?, parts.next()?);
    let rest = parts.next()?.get(4..)?;
    let length = usize::try_from(u32::from_le_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
    let rest = rest.get(4_usize.checked_add(length)?..)?;
    let size = usize::try_from(u32::from_le_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
    let file = rest.get(4..)?;
    let file = file.get(..size).unwrap_or(file);
    let text = |name: &[u8]| {
        let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
        String::from_utf8_lossy(name).into_owned()
    };
    // The label may say anything; what is started is called as the path is.
    let name = if path.is_empty() {
        text(label)
    } else {
        text(path)
    };
    Some(Entry {
        name,
        size,
        packed: size,
        place: Place::Had((Cow::Owned(file.to_vec()), file.len() < size)),
        ..Entry::default()
    })
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2);
    let units: Vec<u16> = units
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let end = units.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(&units[..end.unwrap_or(units.len())])
}

struct Container {
    sector: usize,
    /// Which sector follows each.
    table: Vec<u32>,
    small_table: Vec<u32>,
    /// Where the small sectors lie.
    small: Vec<u8>,
    streams: Vec<Stream>,
}

/// One record of the directory: streams, and folders of them.
struct Stream {
    name: String,
    start: u32,
    size: usize,
    /// The tree of names in a folder, and what is in this one.
    near: [u32; 2],
    child: u32,
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let fours = bytes.chunks_exact(4);
    fours
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect()
}

impl Container {
    fn read(bytes: &[u8]) -> Option<Self> {
        let shift = u32::from(*bytes.get(30)?);
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut container = Self {
            sector: 1 << shift,
            table: Vec::new(),
            small_table: Vec::new(),
            small: Vec::new(),
            streams: Vec::new(),
        };
        // The first sectors of the table are named in the header, further ones in sectors of their own.
        let mut places = numbers(bytes.get(76..512)?);
        let mut next = long(bytes, 68)?;
        for _ in 0..limits::OLE_TABLES_MAX {
            let Some(sector) = container.at(bytes, next) else {
                break;
            };
            let more = numbers(sector);
            let (last, more) = more.split_last()?;
            places.extend(more);
            next = *last;
        }
        for place in places.into_iter().filter(|place| *place < END) {
            let Some(sector) = container.at(bytes, place) else {
                break;
            };
            container.table.extend(numbers(sector));
        }
        let directory = container.chain(bytes, long(bytes, 48)?, limits::OLE_DIRECTORY_BYTES_MAX);
        let small_table = container.chain(bytes, long(bytes, 60)?, limits::OLE_DIRECTORY_BYTES_MAX);
        container.small_table = numbers(&small_table);
        container.streams = directory.chunks_exact(128).filter_map(stream).collect();
        let root = container.streams.first()?;
        container.small = container.chain(bytes, root.start, limits::OLE_SMALL_BYTES_MAX);
        Some(container)
    }

    fn at<'b>(&self, bytes: &'b [u8], number: u32) -> Option<&'b [u8]> {
        let start = usize::try_from(number)
            .ok()?
            .checked_add(1)?
            .checked_mul(self.sector)?;
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        Some(rest.get(..self.sector).unwrap_or(rest))
    }

    /// Sectors that follow one another, `most` bytes of them; none is longer than the file.
    fn chain(&self, bytes: &[u8], mut number: u32, most: usize) -> Vec<u8> {
        let most = most.min(bytes.len());
        let mut out = Vec::new();
        while out.len() < most && number < END {
            let Some(sector) = self.at(bytes, number) else {
                break;
            };
            out.extend_from_slice(sector);
            let next = usize::try_from(number)
                .ok()
                .and_then(|at| self.table.get(at));
            number = next.copied().unwrap_or(END);
        }
        out.truncate(most);
        out
    }

    fn content(&self, bytes: &[u8], stream: &Stream, most: usize) -> Vec<u8> {
        let most = most.min(stream.size);
        if SMALL <= stream.size {
            return self.chain(bytes, stream.start, most);
        }
        let mut out = Vec::new();
        let mut number = stream.start;
        while out.len() < most && number < END {
            let Ok(at) = usize::try_from(number) else {
                break;
            };
            let start = at.saturating_mul(SMALL_SECTOR);
            let Some(sector) = self.small.get(start..start.saturating_add(SMALL_SECTOR)) else {
                break;
            };
            out.extend_from_slice(sector);
            number = self.small_table.get(at).copied().unwrap_or(END);
        }
        out.truncate(most);
        out
    }

    /// In which folder each is: whose tree of names leads to it first.
    fn parents(&self) -> Vec<Option<usize>> {
        let mut parents = vec![None; self.streams.len()];
        for (at, folder) in self.streams.iter().enumerate() {
            let mut open = vec![folder.child];
            while let Some(number) = open.pop() {
                let place = usize::try_from(number).ok();
                let place = place.and_then(|place| Some((place, parents.get_mut(place)?)));
                if let Some((place, parent @ None)) = place {
                    *parent = Some(at);
                    open.extend(self.streams[place].near);
                }
            }
        }
        parents
    }
}

fn stream(record: &[u8]) -> Option<Stream> {
    let length = usize::from(u16::from_le_bytes([*record.get(64)?, *record.get(65)?]));
    let name = record.get(..length.clamp(2, 64) - 2)?;
    Some(Stream {
        name: utf16(name),
        start: long(record, 116)?,
        size: usize::try_from(long(record, 120)?).ok()?,
        near: [long(record, 68)?, long(record, 72)?],
        child: long(record, 76)?,
    })
}
