//! 7z archives: names and contents, also where the header is packed. After `7zFormat.txt` of the LZMA SDK; trusts no number.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::archive::{Budget, Entry, Folders, Listing, Place};
use super::packed::{self, Meter};
use super::xz;
use crate::limits;

/// Methods by their numbers.
const COPY: &[u8] = &[0x00];
const LZMA: &[u8] = &[0x03, 0x01, 0x01];
const LZMA2: &[u8] = &[0x21];
const DEFLATE: &[u8] = &[0x04, 0x01, 0x08];
const BZIP2: &[u8] = &[0x04, 0x02, 0x02];
const ZSTD: &[u8] = &[0x04, 0xf7, 0x11, 0x01];
/// AES-256 with SHA-256.
const AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];

pub(super) fn list(bytes: &[u8], budget: &mut Budget) -> Listing {
    let mut unseen = Listing {
        is_cut: true,
        ..Listing::default()
    };
    let Some(header) = header(bytes) else {
        // An archive of nothing has no header.
        unseen.is_cut = bytes.get(20..28) != Some(&[0; 8]);
        return unseen;
    };
    let mut unpacked = header.to_vec();
    for _ in 0..limits::HEADERS_PACKED_MAX {
        let mut reader = Reader(&unpacked);
        match reader.byte() {
            Some(1) => return files(reader).unwrap_or(unseen),
            // A packed header: its description is open.
            Some(0x17) => {}
            _ => return unseen,
        }
        let Some(streams) = Streams::read(&mut reader) else {
            return unseen;
        };
        let Some(folder) = streams.folders.first() else {
            return unseen;
        };
        if folder.is_locked() {
            unseen.is_locked = true;
            unseen.is_cut = false;
            return unseen;
        }
        let Some(stream) = folder.open(bytes, &budget.meter) else {
            return unseen;
        };
        let mut next = Vec::new();
        let most = folder.size().min(limits::HEADER_UNPACKED_BYTES_MAX);
        let _ = stream
            .take(u64::try_from(most).unwrap_or(0))
            .read_to_end(&mut next);
        unpacked = next;
    }
    unseen
}

/// The start header tells where the header lies.
fn header(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| -> Option<usize> {
        let eight = bytes.get(at..at + 8)?;
        usize::try_from(u64::from_le_bytes(eight.try_into().ok()?)).ok()
    };
    let start = number(12)?.checked_add(32)?;
    let end = start.checked_add(number(20)?)?;
    bytes.get(start..end).filter(|header| !header.is_empty())
}

/// One packed stream after the other, and the files in them.
#[derive(Debug, Default)]
struct Streams {
    folders: Vec<Folder>,
    /// Of each folder the sizes of its files.
    files: Vec<Vec<usize>>,
}

/// Files that are packed as one.
#[derive(Debug, Default)]
pub(super) struct Folder {
    coders: Vec<Coder>,
    /// Which input gets which output.
    binds: Vec<(usize, usize)>,
    /// Inputs that come from the archive.
    packed: Vec<usize>,
    /// Of each coder.
    sizes: Vec<usize>,
    /// Where the packed streams lie, and how long they are.
    places: Vec<(usize, usize)>,
    /// Its sum is known, so that none is given of its only file.
    has_sum: bool,
}

#[derive(Debug)]
struct Coder {
    method: Vec<u8>,
    settings: Vec<u8>,
    inputs: usize,
}

impl Folder {
    fn is_locked(&self) -> bool {
        self.coders.iter().any(|coder| coder.method == AES)
    }

    /// What comes out in the end.
    fn last(&self) -> Option<usize> {
        (0..self.coders.len()).find(|coder| !self.binds.iter().any(|(_, output)| output == coder))
    }

    fn size(&self) -> usize {
        let size = self.last().and_then(|last| self.sizes.get(last));
        size.copied().unwrap_or(0)
    }

    /// What unpacks it. Filters for programs' code are not undone: they change addresses only.
    pub(super) fn open<'b>(&self, bytes: &'b [u8], meter: &Meter) -> Option<Box<dyn Read + 'b>> {
        let mut at = self.last()?;
        for _ in 0..=self.coders.len() {
            let coder = self.coders.get(at)?;
            let before: usize = self.coders.iter().take(at).map(|coder| coder.inputs).sum();
            let stream = self.packed.iter().position(|input| *input == before);
            let is_filter = !matches!(
                coder.method.as_slice(),
                COPY | LZMA | LZMA2 | DEFLATE | BZIP2 | ZSTD
            );
            match (stream, is_filter) {
                (Some(stream), false) => {
                    let (start, length) = *self.places.get(stream)?;
                    let packed = bytes.get(start..)?;
                    let packed = packed.get(..length).unwrap_or(packed);
                    return coder.open(packed, *self.sizes.get(at)?, meter);
                }
                // One way of packing within another: nobody does.
                (None, false) => return None,
                (_, true) if !is_harmless(&coder.method) => return None,
                (Some(stream), true) => {
                    let (start, _) = *self.places.get(stream)?;
                    return Some(meter.watch(bytes.get(start..)?, 1));
                }
                (None, true) => {
                    let bind = self.binds.iter().find(|(input, _)| *input == before);
                    at = bind?.1;
                }
            }
        }
        None
    }
}

/// BCJ, BCJ2, those for other machines, and differences (which are rare, and do not hide names).
fn is_harmless(method: &[u8]) -> bool {
    matches!(method, [0x03, 0x03, ..] | [0x03] | [0x04..=0x0b])
}

impl Coder {
    fn open<'b>(&self, packed: &'b [u8], size: usize, meter: &Meter) -> Option<Box<dyn Read + 'b>> {
        match self.method.as_slice() {
            COPY => Some(meter.watch(packed, 1)),
            DEFLATE => {
                meter.spend(packed.len());
                Some(meter.watch(DeflateDecoder::new(packed), 1))
            }
            BZIP2 => packed::bzip2(packed, meter),
            ZSTD => Some(packed::zstd(packed, meter)),
            LZMA2 => {
                let dictionary = xz::dictionary(*self.settings.first()?)?;
                packed::lzma(packed, Some(xz::lzma2(packed, dictionary)), meter)
            }
            LZMA => {
                let dictionary = self.settings.get(1..5)?.try_into().ok()?;
                let properties = *self.settings.first()?;
                let size = u64::try_from(size).ok()?;
                let reader = xz::lzma(packed, properties, u32::from_le_bytes(dictionary), size);
                packed::lzma(packed, reader, meter)
            }
            _ => None,
        }
    }
}

impl Streams {
    /// Where they lie (6), how they are packed (7), and what files they hold (8).
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut streams = Self::default();
        let mut packs = Vec::new();
        let mut is_split = false;
        loop {
            match reader.byte()? {
                0 => break,
                6 => packs = pack_places(reader)?,
                7 => streams.folders = folders(reader)?,
                8 => {
                    streams.files = split(reader, &streams.folders)?;
                    is_split = true;
                }
                _ => return None,
            }
        }
        let mut packs = packs.into_iter();
        for folder in &mut streams.folders {
            let many = folder.packed.len();
            folder.places = packs.by_ref().take(many).collect();
        }
        if !is_split {
            let folders = streams.folders.iter();
            streams.files = folders.map(|folder| vec![folder.size()]).collect();
        }
        Some(streams)
    }
}

fn pack_places(reader: &mut Reader<'_>) -> Option<Vec<(usize, usize)>> {
    let mut at = reader.number()?.checked_add(32)?;
    let many = reader.count()?;
    let mut places = Vec::new();
    loop {
        match reader.byte()? {
            0 => return Some(places),
            9 => {
                for _ in 0..many {
                    let size = reader.number()?;
                    places.push((at, size));
                    at = at.checked_add(size)?;
                }
            }
            10 => {
                reader.sums(many)?;
            }
            _ => return None,
        }
    }
}

fn folders(reader: &mut Reader<'_>) -> Option<Vec<Folder>> {
    if reader.byte()? != 11 {
        return None;
    }
    let many = reader.count()?;
    // Not elsewhere.
    if reader.byte()? != 0 {
        return None;
    }
    let mut folders = Vec::new();
    for _ in 0..many {
        folders.push(folder(reader)?);
    }
    loop {
        match reader.byte()? {
            0 => return Some(folders),
            12 => {
                for folder in &mut folders {
                    for _ in 0..folder.coders.len() {
                        folder.sizes.push(reader.number()?);
                    }
                }
            }
            10 => {
                let sums = reader.sums(many)?;
                for (folder, has_sum) in folders.iter_mut().zip(sums) {
                    folder.has_sum = has_sum;
                }
            }
            _ => return None,
        }
    }
}

fn folder(reader: &mut Reader<'_>) -> Option<Folder> {
    let mut folder = Folder::default();
    let coders = reader.number()?;
    if !(1..=limits::CODERS_MAX).contains(&coders) {
        return None;
    }
    let mut inputs = 0_usize;
    for _ in 0..coders {
        let flags = reader.byte()?;
        let method = reader.bytes(usize::from(flags & 15))?.to_vec();
        let mut of_coder = 1;
        if flags & 0x10 != 0 {
            of_coder = reader.number()?;
            // Coders with several outputs were never made.
            if reader.number()? != 1 || !(1..=limits::CODERS_MAX).contains(&of_coder) {
                return None;
            }
        }
        let mut settings = Vec::new();
        if flags & 0x20 != 0 {
            let length = reader.number()?;
            settings = reader.bytes(length)?.to_vec();
        }
        inputs += of_coder;
        folder.coders.push(Coder {
            method,
            settings,
            inputs: of_coder,
        });
    }
    for _ in 1..coders {
        folder.binds.push((reader.number()?, reader.number()?));
    }
    match inputs.checked_sub(coders - 1)? {
        1 => {
            let free = (0..inputs).find(|at| !folder.binds.iter().any(|(input, _)| input == at));
            folder.packed.push(free?);
        }
        many => {
            for _ in 0..many {
                folder.packed.push(reader.number()?);
            }
        }
    }
    Some(folder)
}

/// How many files each folder holds, and how large they are: the last one's size is what is left.
fn split(reader: &mut Reader<'_>, folders: &[Folder]) -> Option<Vec<Vec<usize>>> {
    let mut many = vec![1; folders.len()];
    let mut kind = reader.byte()?;
    if kind == 13 {
        for many in &mut many {
            *many = reader.count()?;
        }
        kind = reader.byte()?;
    }
    // Each alone may be little.
    if limits::SEVENZ_FILES_MAX < many.iter().sum() {
        return None;
    }
    let mut sizes = Vec::new();
    for (many, folder) in many.iter().zip(folders) {
        let mut left = folder.size();
        let mut of_folder = Vec::new();
        for _ in 1..*many {
            let size = if kind == 9 { reader.number()? } else { 0 };
            left = left.saturating_sub(size);
            of_folder.push(size);
        }
        if 0 < *many {
            of_folder.push(left);
        }
        sizes.push(of_folder);
    }
    if kind == 9 {
        kind = reader.byte()?;
    }
    while kind != 0 {
        if kind != 10 {
            return None;
        }
        let unknown = many.iter().zip(folders);
        let unknown = unknown.filter(|(many, folder)| **many != 1 || !folder.has_sum);
        reader.sums(unknown.map(|(many, _)| *many).sum())?;
        kind = reader.byte()?;
    }
    Some(sizes)
}

/// An open header.
fn files(mut reader: Reader<'_>) -> Option<Listing> {
    let mut streams = Streams::default();
    let mut kind = reader.byte()?;
    if kind == 2 {
        while reader.byte()? != 0 {
            let length = reader.number()?;
            reader.bytes(length)?;
        }
        kind = reader.byte()?;
    }
    if kind == 3 {
        Streams::read(&mut reader)?;
        kind = reader.byte()?;
    }
    if kind == 4 {
        streams = Streams::read(&mut reader)?;
        kind = reader.byte()?;
    }
    if kind != 5 {
        return None;
    }
    named(&mut reader, streams)
}

fn named(reader: &mut Reader<'_>, streams: Streams) -> Option<Listing> {
    let many = reader.count()?;
    let mut names = Vec::new();
    let mut is_empty = vec![false; many];
    loop {
        let kind = reader.byte()?;
        if kind == 0 {
            break;
        }
        let length = reader.number()?;
        let mut property = Reader(reader.bytes(length)?);
        match kind {
            // Folders of the file system, and empty files.
            14 => is_empty = property.bits(many)?,
            17 if property.byte()? == 0 => names = property.names(),
            _ => {}
        }
    }
    let mut listing = Listing::default();
    let mut places = streams
        .files
        .iter()
        .enumerate()
        .flat_map(|(folder, sizes)| {
            let mut at = 0_usize;
            sizes.iter().map(move |size| {
                let place = (folder, at, *size);
                at = at.saturating_add(*size);
                place
            })
        });
    for (at, is_empty) in is_empty.iter().enumerate() {
        let mut entry = Entry {
            name: names.get(at).cloned().unwrap_or_default(),
            ..Entry::default()
        };
        if !is_empty && let Some((folder, offset, size)) = places.next() {
            entry.size = size;
            entry.place = Place::Folder(folder, offset);
            entry.is_locked = streams.folders.get(folder).is_some_and(Folder::is_locked);
            entry.packed = size;
        }
        if listing.push(entry).is_none() {
            break;
        }
    }
    listing.folders = Folders::SevenZip(streams.folders);
    Some(listing)
}

#[derive(Clone, Copy)]
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn bytes(&mut self, many: usize) -> Option<&'b [u8]> {
        let bytes = self.0.get(..many)?;
        self.0 = self.0.get(many..)?;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    /// The first byte's highest bits say how many bytes follow.
    fn number(&mut self) -> Option<usize> {
        let first = self.byte()?;
        let more = first.leading_ones().min(8);
        let mut eight = [0; 8];
        let low = self.bytes(usize::try_from(more).ok()?)?;
        eight[..low.len()].copy_from_slice(low);
        let mask = 0x7f_u64.checked_shr(more).unwrap_or(0);
        let high = u64::from(first) & mask;
        let value = u64::from_le_bytes(eight) | high.checked_shl(8 * more).unwrap_or(0);
        usize::try_from(value).ok()
    }

    /// How many of something: each takes at least a bit.
    fn count(&mut self) -> Option<usize> {
        let many = self.number()?;
        (many <= limits::SEVENZ_FILES_MAX).then_some(many)
    }

    fn bits(&mut self, many: usize) -> Option<Vec<bool>> {
        let bytes = self.bytes(many.div_ceil(8))?;
        let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1 == 1;
        Some((0..many).map(bit).collect())
    }

    /// Passes over sums; of which things there are some.
    fn sums(&mut self, many: usize) -> Option<Vec<bool>> {
        let defined = match self.byte()? {
            0 => self.bits(many)?,
            _ if many <= self.0.len() => vec![true; many],
            _ => return None,
        };
        let all = defined.iter().filter(|bit| **bit).count();
        self.bytes(all.checked_mul(4)?)?;
        Some(defined)
    }

    /// Each ended by a zero, in UTF-16.
    fn names(&self) -> Vec<String> {
        let units = self.0.chunks_exact(2);
        let units: Vec<u16> = units
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let names = units
            .split(|unit| *unit == 0)
            .take(limits::ARCHIVE_NAMES_MAX + 1);
        let bounded = names.map(|name| name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name));
        bounded.map(String::from_utf16_lossy).collect()
    }
}
