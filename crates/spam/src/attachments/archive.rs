//! What is inside archives: names, locks, and contents where they are needed and small.
//! All archives of one message share one budget, so that none can be a bomb.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::magic::Magic;
use super::{rar, sevenz, tnef, zip};
use crate::limits;

/// What an archive names.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// Even the names are locked.
    pub(super) is_locked: bool,
    /// There were more names than are read.
    pub(super) is_cut: bool,
}

/// One file inside an archive.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_locked: bool,
    /// Unpacked, as the archive claims.
    pub(super) size: usize,
    pub(super) packed: usize,
    /// Where the packed content begins, and how it is packed (zip).
    pub(super) place: Option<(usize, usize)>,
    /// Unpacked, where reading the archive gave it.
    pub(super) content: Option<Vec<u8>>,
}

/// How much may still be unpacked of one message.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            bytes: limits::UNPACKED_BYTES_MAX,
        }
    }

    /// How much may be unpacked now; nothing once the budget is spent.
    fn most(&self) -> usize {
        self.bytes.min(limits::UNPACKED_FILE_BYTES_MAX)
    }

    /// What was read counts like what came of it: a stream that yields nothing costs time too.
    fn spend(&mut self, content: &[u8], read: usize) {
        self.bytes = self
            .bytes
            .saturating_sub(content.len())
            .saturating_sub(read);
    }
}

/// Reads the names of an archive. `name` is its own.
pub(super) fn list(bytes: &[u8], magic: Magic, name: &str, budget: &mut Budget) -> Listing {
    match magic {
        Magic::Zip => zip::list(bytes),
        Magic::Gzip => gzip(bytes, name, budget),
        Magic::Tar => tar(bytes),
        Magic::Rar => rar::list(bytes),
        Magic::SevenZip => sevenz::list(bytes),
        Magic::Tnef => tnef::list(bytes),
        // What it is called is all that can be known: `invoice.exe.bz2`.
        Magic::OtherArchive => one(without_ending(name), None),
        _ => Listing::default(),
    }
}

/// The content of an entry, if it can be had.
pub(super) fn content(
    bytes: &[u8],
    magic: Magic,
    entry: &Entry,
    budget: &mut Budget,
) -> Option<Vec<u8>> {
    if let Some(content) = &entry.content {
        return Some(content.clone());
    }
    let most = budget.most();
    if magic != Magic::Zip || most == 0 {
        return None;
    }
    let (content, read) = zip::unpack(bytes, entry, most)?;
    budget.spend(&content, read);
    Some(content)
}

fn one(name: String, content: Option<Vec<u8>>) -> Listing {
    let entry = Entry {
        name,
        content,
        ..Entry::default()
    };
    Listing {
        entries: vec![entry],
        ..Listing::default()
    }
}

/// `x.exe.gz` holds `x.exe`, `x.tgz` holds `x.tar`.
fn without_ending(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if ending.eq_ignore_ascii_case("tgz") => format!("{stem}.tar"),
        Some((stem, _)) => stem.to_owned(),
        None => String::new(),
    }
}

/// A gzip file holds one file, whose name may stand in its header. RFC 1952 §2.3
fn gzip(bytes: &[u8], name: &str, budget: &mut Budget) -> Listing {
    let mut content = Vec::new();
    let most = u64::try_from(budget.most()).unwrap_or(0);
    let mut decoder = MultiGzDecoder::new(bytes);
    // What could be read before an error is as good as the whole.
    let _ = decoder.by_ref().take(most).read_to_end(&mut content);
    budget.spend(&content, bytes.len());
    let named = decoder.header().and_then(|header| header.filename());
    let named = named.map(|name| name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name));
    let inner = named.map_or_else(
        || without_ending(name),
        |name| String::from_utf8_lossy(name).into_owned(),
    );
    one(inner, Some(content))
}

/// Names of a tar archive: a header of 512 bytes before each file, its size in octal.
fn tar(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut at = 0_usize;
    while let Some(header) = bytes.get(at..at.saturating_add(512)) {
        let name = header.get(..100).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if name.is_empty() {
            break;
        }
        if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
            listing.is_cut = true;
            break;
        }
        let size = octal(header.get(124..136).unwrap_or_default());
        let start = at.saturating_add(512);
        let content = bytes.get(start..).unwrap_or_default();
        let most = size.min(limits::UNPACKED_FILE_BYTES_MAX).min(content.len());
        // Contents of a tar are no larger than the tar, but many copies of a large one would be.
        let keep = listing.entries.len() < limits::TAR_CONTENTS_MAX;
        listing.entries.push(Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            size,
            content: keep.then(|| content.get(..most).unwrap_or_default().to_vec()),
            ..Entry::default()
        });
        let Some(padded) = size.checked_next_multiple_of(512) else {
            break;
        };
        at = start.saturating_add(padded);
    }
    listing
}

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
