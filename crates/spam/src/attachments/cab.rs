//! Cabinets of Windows (`.cab`): names, and contents where they are not packed or packed by MSZIP, which is deflate in
//! blocks of 32 KB. LZX and Quantum are not undone.

use super::numbers::{long, short};
use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use super::archive::{Entry, Folders, Listing, Place};
use super::packed::Meter;
use crate::limits;

/// What a block becomes, and how far back one reaches into those before it.
const BLOCK_MAX: usize = 32 * 1024;

/// Files that are packed as one.
#[derive(Debug)]
pub(super) struct Folder {
    start: usize,
    blocks: usize,
    /// 0: not at all; 1: MSZIP.
    packing: u16,
    /// What stands between a block's header and its content.
    reserved: usize,
}

pub(super) fn list(bytes: &[u8]) -> Listing {
    read(bytes).unwrap_or_else(|| Listing {
        is_cut: true,
        ..Listing::default()
    })
}

fn read(bytes: &[u8]) -> Option<Listing> {
    let mut at = long(bytes, 16)?;
    let (folders, files, flags) = (short(bytes, 26)?, short(bytes, 28)?, short(bytes, 30)?);
    let mut next = 36;
    let (mut of_folder, mut of_block) = (0, 0);
    if flags & 4 != 0 {
        of_folder = usize::from(*bytes.get(38)?);
        of_block = usize::from(*bytes.get(39)?);
        next = 40 + short(bytes, 36)?;
    }
    // Names of the cabinet before and the one after, and of their disks.
    for flag in [1, 2] {
        for _ in 0..2 * usize::from(flags & flag != 0) {
            next += name(bytes, next)?.len() + 1;
        }
    }
    let mut all = Vec::new();
    for _ in 0..folders {
        all.push(Folder {
            start: long(bytes, next)?,
            blocks: short(bytes, next + 4)?,
            packing: u16::try_from(short(bytes, next + 6)? & 15).ok()?,
            reserved: of_block,
        });
        next += 8 + of_folder;
    }
    let mut listing = Listing::default();
    for _ in 0..files {
        let Some(name) = at.checked_add(16).and_then(|at| name(bytes, at)) else {
            listing.is_cut = true;
            break;
        };
        let size = long(bytes, at)?;
        let entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            size,
            packed: size,
            place: Place::Folder(short(bytes, at + 8)?, long(bytes, at + 4)?),
            ..Entry::default()
        };
        at += 17 + name.len();
        if listing.push(entry).is_none() {
            break;
        }
    }
    listing.folders = Folders::Cab(all);
    Some(listing)
}

/// Up to a zero.
fn name(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let rest = rest.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(rest);
    Some(&rest[..memchr::memchr(0, rest)?])
}

impl Folder {
    pub(super) fn open<'b>(&self, bytes: &'b [u8], meter: &Meter) -> Option<Box<dyn Read + 'b>> {
        if 1 < self.packing {
            return None;
        }
        let blocks = Blocks {
            rest: bytes.get(self.start..)?,
            left: self.blocks,
            is_packed: self.packing == 1,
            reserved: self.reserved,
            block: Vec::new(),
            at: 0,
        };
        Some(meter.watch(blocks, 1))
    }
}

/// The blocks of a folder, one after the other.
struct Blocks<'b> {
    rest: &'b [u8],
    left: usize,
    is_packed: bool,
    reserved: usize,
    /// The block that is being read; it is the next one's past.
    block: Vec<u8>,
    at: usize,
}

impl Blocks<'_> {
    /// A sum, the length, the length unpacked.
    fn next(&mut self) -> Option<()> {
        let length = short(self.rest, 4)?;
        let start = 8 + self.reserved;
        let packed = self.rest.get(start..start.checked_add(length)?)?;
        self.rest = self.rest.get(start + length..)?;
        self.left -= 1;
        self.at = 0;
        if !self.is_packed {
            self.block = packed.to_vec();
            return Some(());
        }
        // What came before is put in front, as a block of deflate that is not packed.
        let before = u16::try_from(self.block.len()).ok()?;
        let mut head = vec![0];
        head.extend(before.to_le_bytes());
        head.extend((!before).to_le_bytes());
        head.extend(&self.block);
        let packed = packed.strip_prefix(b"CK")?;
        let mut all = Vec::new();
        let most = u64::try_from(self.block.len() + BLOCK_MAX).ok()?;
        let decoder = DeflateDecoder::new(head.as_slice().chain(packed));
        let _ = decoder.take(most).read_to_end(&mut all);
        self.block = all.split_off(self.block.len().min(all.len()));
        (!self.block.is_empty()).then_some(())
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            if self.left == 0 || out.is_empty() {
                return Ok(0);
            }
            self.next().ok_or(io::ErrorKind::InvalidData)?;
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let many = rest.len().min(out.len());
        out[..many].copy_from_slice(&rest[..many]);
        self.at += many;
        Ok(many)
    }
}
