//! What is packed by LZMA outside of 7z: `.xz`, `.lz`, `.lzma`. The containers are read here, so that no length in them
//! decides how much memory is taken.

use std::io::{self, Read};

use lzma_rust2::{Action, Lzma2Stream, LzmaReader, Status};

use crate::limits;

/// LZMA2 by its number.
const LZMA2: u64 = 0x21;

/// The blocks of an `.xz` file, one after the other.
pub(super) struct Xz<'b> {
    rest: &'b [u8],
    /// How long the sum behind each block is.
    check: usize,
    block: Option<Lzma2<'b>>,
}

impl<'b> Xz<'b> {
    /// `None` if it is not xz.
    pub(super) fn new(bytes: &'b [u8]) -> Option<Self> {
        let (check, rest) = stream_head(bytes)?;
        Some(Self {
            rest,
            check,
            block: None,
        })
    }

    /// Whether there is another block; `None` if it is broken.
    fn next(&mut self) -> Option<bool> {
        while *self.rest.first()? == 0 {
            let after = after_index(self.rest)?;
            // Streams are padded to four bytes.
            let zeros = after.iter().take_while(|byte| **byte == 0).count();
            let Some((check, rest)) = stream_head(&after[zeros..]) else {
                return Some(false);
            };
            (self.check, self.rest) = (check, rest);
        }
        let header = (usize::from(*self.rest.first()?) + 1) * 4;
        let dictionary = block_head(self.rest.get(1..header)?)?;
        let packed = self.rest.get(header..)?;
        let length = lzma2_length(packed)?;
        self.block = Some(lzma2(packed.get(..length)?, dictionary));
        let padded = length.next_multiple_of(4);
        // What is cut off is read as far as it goes.
        self.rest = packed
            .get(padded.checked_add(self.check)?..)
            .unwrap_or_default();
        Some(true)
    }
}

impl Read for Xz<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(block) = &mut self.block {
                let many = block.read(out)?;
                if 0 < many || out.is_empty() {
                    return Ok(many);
                }
                self.block = None;
            }
            match self.next() {
                Some(true) => {}
                Some(false) => return Ok(0),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

/// How long the sums are, and what follows.
fn stream_head(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let rest = bytes.strip_prefix(b"\xfd7zXZ\x00")?;
    let check = match rest.get(1)? & 15 {
        0 => 0,
        kind => 4 << ((kind - 1) / 3),
    };
    Some((check, rest.get(6..)?))
}

/// The index (an empty byte, the number of records, two numbers for each, padding, a sum) and the foot.
fn after_index(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(1..)?;
    let records = number(&mut rest)?;
    for _ in 0..records {
        number(&mut rest)?;
        number(&mut rest)?;
    }
    let length = (bytes.len() - rest.len()).next_multiple_of(4);
    bytes.get(length + 4 + 12..)
}

/// The size of the dictionary. Filters for programs' code (BCJ) are not undone: they change addresses only.
fn block_head(mut header: &[u8]) -> Option<u32> {
    let (flags, rest) = header.split_first()?;
    header = rest;
    for flag in [0x40, 0x80] {
        if flags & flag != 0 {
            number(&mut header)?;
        }
    }
    for _ in 0..=flags & 3 {
        let id = number(&mut header)?;
        let length = usize::try_from(number(&mut header)?).ok()?;
        let settings = header.get(..length)?;
        header = header.get(length..)?;
        if id == LZMA2 {
            return dictionary(*settings.first()?);
        }
    }
    None
}

/// The size of a dictionary as LZMA2 writes it.
pub(super) fn dictionary(bits: u8) -> Option<u32> {
    match bits {
        0..40 => Some((2 | u32::from(bits & 1)) << (bits / 2 + 11)),
        40 => Some(u32::MAX),
        _ => None,
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follows.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in 0..9 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (shift * 7);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Goes from chunk to chunk by their heads. What is cut off ends where the bytes do.
fn lzma2_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        let control = match bytes.get(at) {
            Some(0) => return Some(at + 1),
            Some(control) => *control,
            None => return Some(bytes.len()),
        };
        let size = |from: usize| -> Option<usize> {
            let pair = bytes.get(at + from..at + from + 2)?;
            Some(usize::from(u16::from_be_bytes(pair.try_into().ok()?)) + 1)
        };
        let length = match control {
            1 | 2 => 3 + size(1)?,
            0x80.. => 5 + usize::from(0xc0 <= control) + size(3)?,
            _ => return None,
        };
        at = at.checked_add(length)?;
    }
}

/// Bare LZMA2. A stream that neither takes nor gives anything is broken.
pub(super) struct Lzma2<'b> {
    stream: Lzma2Stream,
    rest: &'b [u8],
    is_done: bool,
}

pub(super) fn lzma2(packed: &[u8], dictionary: u32) -> Lzma2<'_> {
    let dictionary = dictionary.clamp(1 << 12, limits::DICTIONARY_BYTES_MAX);
    Lzma2 {
        stream: Lzma2Stream::new(dictionary),
        rest: packed,
        is_done: false,
    }
}

impl Read for Lzma2<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.is_done && !out.is_empty() {
            let step = self.stream.process(self.rest, out, Action::Finish)?;
            self.rest = self.rest.get(step.bytes_consumed..).unwrap_or_default();
            self.is_done = step.status == Status::StreamEnd;
            if 0 < step.bytes_produced {
                return Ok(step.bytes_produced);
            }
            if step.bytes_consumed == 0 && !self.is_done {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(0)
    }
}

/// Bare LZMA; of properties that need megabytes for their tables nobody makes use.
pub(super) fn lzma(
    packed: &[u8],
    properties: u8,
    dictionary: u32,
    size: u64,
) -> Option<LzmaReader<&[u8]>> {
    let bits = properties % 45;
    if 4 < bits % 9 + bits / 9 {
        return None;
    }
    let dictionary = dictionary.clamp(1 << 12, limits::DICTIONARY_BYTES_MAX);
    LzmaReader::new_with_props(packed, size, properties, dictionary, None).ok()
}

/// `.lzma`: properties, dictionary, size.
pub(super) fn alone(bytes: &[u8]) -> Option<LzmaReader<&[u8]>> {
    let dictionary = u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?);
    let size = u64::from_le_bytes(bytes.get(5..13)?.try_into().ok()?);
    lzma(bytes.get(13..)?, *bytes.first()?, dictionary, size)
}

/// `.lz`: the mark, a version, the dictionary as a power of two; LZMA with its usual properties, ended by a mark.
pub(super) fn lzip(bytes: &[u8]) -> Option<LzmaReader<&[u8]>> {
    let bits = bytes.get(5)? & 31;
    lzma(
        bytes.get(6..)?,
        93,
        1_u32.checked_shl(bits.into())?,
        u64::MAX,
    )
}
