//! Files that are packed one by one: gzip, bzip2, xz, lzma, lzip, zstd; and the meter that bounds what unpacking costs.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::StreamingDecoder;

use super::archive::{Budget, Entry, Listing, Place};
use super::bzip2::Bzip2;
use super::magic::Magic;
use super::{tar, xz};
use crate::limits;

/// How much may still be unpacked of one message. All its copies are one.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    left: Rc<Cell<usize>>,
    ran_out: Rc<Cell<bool>>,
}

impl Meter {
    pub(super) fn new(most: usize) -> Self {
        Self {
            left: Rc::new(Cell::new(most)),
            ran_out: Rc::default(),
        }
    }

    /// Whether something was not unpacked since this was asked last.
    pub(super) fn ran_out(&self) -> bool {
        self.ran_out.take()
    }

    pub(super) fn spend(&self, cost: usize) {
        self.left.set(self.left.get().saturating_sub(cost));
    }

    /// What comes out of `inner` costs `price` a byte.
    pub(super) fn watch<'r>(&self, inner: impl Read + 'r, price: usize) -> Box<dyn Read + 'r> {
        Box::new(Metered {
            inner,
            meter: self.clone(),
            price,
            is_broken: false,
        })
    }
}

/// Ends where the meter does, and says so; an error too leaves something unseen.
struct Metered<R> {
    inner: R,
    meter: Meter,
    price: usize,
    /// After an error nobody knows what a reader does.
    is_broken: bool,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.is_broken {
            return Ok(0);
        }
        let most = out.len().min(self.meter.left.get() / self.price);
        if most == 0 {
            self.meter
                .ran_out
                .set(self.meter.ran_out.get() | !out.is_empty());
            return Ok(0);
        }
        let many = self.inner.read(out.get_mut(..most).unwrap_or_default());
        self.is_broken = many.is_err();
        match &many {
            Ok(many) => self.meter.spend(many * self.price),
            Err(_) if PRICE_LZMA <= self.price => self.meter.ran_out.set(true),
            Err(_) => {}
        }
        many
    }
}

/// Prices go by the time that unpacking takes.
const PRICE_PLAIN: usize = 1;
const PRICE_LZMA: usize = 2;
const PRICE_BZIP2: usize = 4;

/// Deflate; what is read of it costs as well, since a stream can go on for long and yield nothing.
pub(super) fn deflate<'b>(bytes: &'b [u8], meter: &Meter) -> Box<dyn Read + 'b> {
    let packed = meter.watch(bytes, PRICE_PLAIN);
    meter.watch(DeflateDecoder::new(packed), PRICE_PLAIN)
}

pub(super) fn bzip2<'b>(bytes: &'b [u8], meter: &Meter) -> Option<Box<dyn Read + 'b>> {
    meter.spend(bytes.len());
    Some(meter.watch(Bzip2::new(bytes)?, PRICE_BZIP2))
}

pub(super) fn zstd<'b>(bytes: &'b [u8], meter: &Meter) -> Box<dyn Read + 'b> {
    meter.spend(bytes.len());
    let frames = Zstd {
        rest: bytes,
        frame: None,
    };
    meter.watch(frames, PRICE_LZMA)
}

/// By LZMA or LZMA2.
pub(super) fn lzma<'b>(
    bytes: &'b [u8],
    reader: Option<impl Read + 'b>,
    meter: &Meter,
) -> Option<Box<dyn Read + 'b>> {
    meter.spend(bytes.len());
    Some(meter.watch(reader?, PRICE_LZMA))
}

fn open<'b>(bytes: &'b [u8], magic: Magic, meter: &Meter) -> Option<Box<dyn Read + 'b>> {
    match magic {
        Magic::Gzip => {
            let packed = meter.watch(bytes, PRICE_PLAIN);
            Some(meter.watch(MultiGzDecoder::new(packed), PRICE_PLAIN))
        }
        Magic::Bzip2 => bzip2(bytes, meter),
        Magic::Xz => lzma(bytes, xz::Xz::new(bytes), meter),
        Magic::Lzma => lzma(bytes, xz::alone(bytes), meter),
        Magic::Lzip => lzma(bytes, xz::lzip(bytes), meter),
        Magic::Zstd => Some(zstd(bytes, meter)),
        _ => None,
    }
}

/// The one file that is packed, or, if that is a tar archive, the files in it.
pub(super) fn list(bytes: &[u8], magic: Magic, name: &str, budget: &mut Budget) -> Listing {
    let inner = inner_name(bytes, magic).unwrap_or_else(|| without_ending(name));
    let mut entry = Entry {
        name: inner,
        size: usize::MAX,
        ..Entry::default()
    };
    let Some(mut reader) = open(bytes, magic, &budget.meter) else {
        return Listing::of(vec![entry]);
    };
    let mut first = Vec::new();
    let block = u64::try_from(tar::BLOCK).unwrap_or(0);
    let _ = reader.by_ref().take(block).read_to_end(&mut first);
    if tar::is_head(&first) {
        return tar::passing(first.chain(reader), budget);
    }
    let content = budget.take(&mut first.chain(reader), &entry.name, usize::MAX);
    entry.place = Place::Had(content);
    Listing::of(vec![entry])
}

/// `x.exe.gz` holds `x.exe`, `x.tgz` holds `x.tar`.
fn without_ending(name: &str) -> String {
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return String::new();
    };
    let short = ["tgz", "tbz", "tbz2", "txz", "tlz", "tzst"];
    match short.iter().any(|short| ending.eq_ignore_ascii_case(short)) {
        true => format!("{stem}.tar"),
        false => stem.to_owned(),
    }
}

/// A gzip file may name what it holds in its header. RFC 1952 §2.3
fn inner_name(bytes: &[u8], magic: Magic) -> Option<String> {
    let flags = *bytes.get(3).filter(|_| magic == Magic::Gzip)?;
    let mut rest = bytes.get(10..)?;
    if flags & 4 != 0 {
        let length = u16::from_le_bytes(rest.get(..2)?.try_into().ok()?);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    let name = rest.split(|byte| *byte == 0).next()?;
    let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
    (flags & 8 != 0 && !name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// The frames of a `.zst` file, one after the other. RFC 8878 §3.1
struct Zstd<'b> {
    rest: &'b [u8],
    frame: Option<Frame<'b>>,
}

type Frame<'b> = StreamingDecoder<&'b [u8], ruzstd::decoding::FrameDecoder>;

impl Read for Zstd<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let many = frame.read(out)?;
                if 0 < many || out.is_empty() {
                    return Ok(many);
                }
                self.rest = frame.get_ref();
                self.frame = None;
            }
            if self.rest.is_empty() {
                return Ok(0);
            }
            if let Some(after) = after_skippable(self.rest) {
                self.rest = after;
                continue;
            }
            let window = u64::from(limits::DICTIONARY_BYTES_MAX);
            let frame = StreamingDecoder::new_with_max_window_size(self.rest, window);
            self.frame = Some(frame.map_err(io::Error::other)?);
        }
    }
}

/// Frames that hold nothing that is packed. RFC 8878 §3.1.2
fn after_skippable(bytes: &[u8]) -> Option<&[u8]> {
    let [low, 0x2a, 0x4d, 0x18] = bytes.get(..4)? else {
        return None;
    };
    let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let after = 8_usize.checked_add(usize::try_from(length).ok()?)?;
    (low >> 4 == 5).then(|| bytes.get(after..).unwrap_or_default())
}
