//! What reports are packed in: gzip, zip, zlib, base64 that nobody undid. What something is, its first
//! bytes say; names and media types are too often wrong. Every kind of unpacking has an end.

use std::io::{Cursor, Read};

use flate2::bufread::{GzDecoder, ZlibDecoder};

use super::limits::{RATIO_FREE_BYTES, RATIO_MAX, UNPACKED_BYTES_MAX, ZIP_ENTRIES_MAX};

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zip,
    Zlib,
    Base64,
}

/// Why something packed was not unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    #[error("it is damaged, and nothing of it can be read")]
    Damaged,
    #[error("unpacked it is larger than we read")]
    TooLarge,
    #[error("it grows beyond all measure when unpacked")]
    Bomb,
    #[error("it is encrypted")]
    Encrypted,
    #[error("it holds nothing")]
    Empty,
}

/// What was inside, with its name in a zip file.
pub(crate) struct Unpacked {
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
    /// It ended too early or its checksum is wrong; this is what came out of it.
    pub(crate) damaged: bool,
}

/// Room for unpacked bytes, over a whole message.
pub(crate) struct Room(usize);

impl Room {
    pub(crate) fn new() -> Self {
        Self(UNPACKED_BYTES_MAX)
    }
}

pub(crate) fn packing(bytes: &[u8]) -> Option<Packing> {
    match bytes {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Packing::Zip),
        // RFC 1950 §2.2: deflate, and a header that is a multiple of 31.
        [first @ 0x78, second, ..] if u16::from_be_bytes([*first, *second]) % 31 == 0 => {
            Some(Packing::Zlib)
        }
        _ if bytes.starts_with(b"H4sI") || bytes.starts_with(b"UEsDB") => Some(Packing::Base64),
        _ => None,
    }
}

/// Undoes one layer.
pub(crate) fn unpack(
    packing: Packing,
    bytes: &[u8],
    room: &mut Room,
) -> Result<Vec<Unpacked>, UnpackError> {
    match packing {
        Packing::Gzip => gzip(bytes, room).map(|unpacked| vec![unpacked]),
        Packing::Zip => zip(bytes, room),
        Packing::Zlib => read(ZlibDecoder::new(bytes), bytes.len(), room)
            .and_then(some_bytes)
            .map(|unpacked| vec![unpacked]),
        Packing::Base64 => {
            let decoded = mail::decode_transfer(bytes, mail::Encoding::Base64);
            Ok(vec![Unpacked {
                name: None,
                bytes: decoded.into_owned(),
                damaged: false,
            }])
        }
    }
}

/// One member after the other; what follows the last one (line ends, padding) is no part of it.
fn gzip(bytes: &[u8], room: &mut Room) -> Result<Unpacked, UnpackError> {
    let mut whole = Unpacked {
        name: None,
        bytes: Vec::new(),
        damaged: false,
    };
    let mut rest = bytes;
    while rest.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(rest);
        let member = read(&mut decoder, rest.len(), room)?;
        whole.bytes.extend_from_slice(&member.bytes);
        whole.damaged |= member.damaged;
        let after = decoder.into_inner();
        if member.damaged || after.len() == rest.len() {
            break;
        }
        rest = after;
    }
    some_bytes(whole)
}

fn zip(bytes: &[u8], room: &mut Room) -> Result<Vec<Unpacked>, UnpackError> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return zip_without_directory(bytes, room);
    };
    let mut inside = Vec::new();
    let mut problem = UnpackError::Empty;
    for at in 0..archive.len().min(ZIP_ENTRIES_MAX) {
        let entry = match archive.by_index(at) {
            Ok(entry) if entry.is_dir() => continue,
            Ok(entry) => entry,
            Err(zip::result::ZipError::UnsupportedArchive(why)) if why.contains("assword") => {
                problem = UnpackError::Encrypted;
                continue;
            }
            Err(_) => {
                problem = UnpackError::Damaged;
                continue;
            }
        };
        let name = entry
            .name()
            .map_or_else(|_| String::new(), |name| super::tidy(&name, 200));
        let packed = usize::try_from(entry.compressed_size()).unwrap_or(usize::MAX);
        match read(entry, packed.min(bytes.len()), room).and_then(some_bytes) {
            Ok(unpacked) => inside.push(Unpacked {
                name: Some(name).filter(|name| !name.is_empty()),
                ..unpacked
            }),
            Err(why @ (UnpackError::TooLarge | UnpackError::Bomb)) => return Err(why),
            Err(why) => problem = why,
        }
    }
    if inside.is_empty() {
        return Err(problem);
    }
    Ok(inside)
}

/// A zip file whose end is missing: the first entry is read from its own header.
fn zip_without_directory(bytes: &[u8], room: &mut Room) -> Result<Vec<Unpacked>, UnpackError> {
    let mut reader = bytes;
    let entry = zip::read::read_zipfile_from_stream(&mut reader);
    let Ok(Some(entry)) = entry else {
        return Err(UnpackError::Damaged);
    };
    let unpacked = read(entry, bytes.len(), room).and_then(some_bytes)?;
    Ok(vec![Unpacked {
        damaged: true,
        ..unpacked
    }])
}

/// Reads to the end, the first error, or a bound.
fn read(mut from: impl Read, packed: usize, room: &mut Room) -> Result<Unpacked, UnpackError> {
    let ratio_max = packed.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
    let bytes_max = ratio_max.min(room.0);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    let damaged = loop {
        match from.read(&mut piece) {
            Ok(0) => break false,
            Ok(read) => bytes.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(_) => break true,
        }
        if bytes_max < bytes.len() {
            return Err(if bytes_max == room.0 {
                UnpackError::TooLarge
            } else {
                UnpackError::Bomb
            });
        }
    };
    room.0 -= bytes.len();
    Ok(Unpacked {
        name: None,
        bytes,
        damaged,
    })
}

fn some_bytes(unpacked: Unpacked) -> Result<Unpacked, UnpackError> {
    match (unpacked.bytes.is_empty(), unpacked.damaged) {
        (true, true) => Err(UnpackError::Damaged),
        (true, false) => Err(UnpackError::Empty),
        (false, _) => Ok(unpacked),
    }
}
