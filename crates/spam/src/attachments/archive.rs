//! What is inside archives: names, locks, and contents where they are needed and small.
//! All archives of one message share one budget, so that none can be a bomb.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::magic::{self, Magic};
use super::names::{self, Ending};
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
    /// `content` is not all of it.
    pub(super) is_cut: bool,
}

/// How much may still be unpacked of one message.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
    /// For what is read whole.
    whole: usize,
    /// For what is unpacked only to get past it.
    passed: usize,
    /// Something was not looked at since there was nothing left.
    is_spent: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            bytes: limits::UNPACKED_BYTES_MAX,
            whole: limits::UNPACKED_WHOLE_BYTES_MAX,
            passed: limits::PASSED_OVER_BYTES_MAX,
            is_spent: false,
        }
    }

    /// Whether something was left out since this was asked last.
    pub(super) fn left_out(&mut self) -> bool {
        std::mem::take(&mut self.is_spent)
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

/// The content of an entry, as much of it as its sort needs, and whether there is more; `None` if it cannot be had.
pub(super) fn content(
    bytes: &[u8],
    magic: Magic,
    entry: &Entry,
    budget: &mut Budget,
) -> Option<(Vec<u8>, bool)> {
    if let Some(content) = &entry.content {
        return Some((content.clone(), entry.is_cut));
    }
    if !matches!(magic, Magic::Zip | Magic::Tar) || entry.place.is_none() {
        return None;
    }
    let most = budget.most().min(limits::UNPACKED_HEAD_BYTES);
    if most == 0 {
        budget.is_spent = true;
        return None;
    }
    let (head, read) = zip::unpack(bytes, entry, most)?;
    budget.spend(&head, read);
    if head.len() < most {
        return Some((head, false));
    }
    match magic::of(&head) {
        Some(magic) if magic.is_read_whole() => {
            Some(whole(&mut budget.whole, &mut budget.is_spent, |most| {
                zip::unpack(bytes, entry, most).unwrap_or((head, 0))
            }))
        }
        None if names::class(&entry.name) != Ending::Page => Some((head, true)),
        Some(Magic::Picture | Magic::Program | Magic::Shortcut | Magic::DiskImage) => {
            Some((head, true))
        }
        _ => {
            let most = budget.most();
            let (content, read) = zip::unpack(bytes, entry, most)?;
            budget.spend(&content, read);
            let is_cut = content.len() >= most;
            Some((content, is_cut))
        }
    }
}

/// Reads with the bound for what is read whole.
fn whole(
    left: &mut usize,
    is_spent: &mut bool,
    read: impl FnOnce(usize) -> (Vec<u8>, usize),
) -> (Vec<u8>, bool) {
    let most = *left;
    let (content, taken) = read(most);
    *left = left.saturating_sub(content.len()).saturating_sub(taken);
    let is_cut = content.len() >= most;
    *is_spent |= is_cut;
    (content, is_cut)
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
    let most = budget.most();
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut content = read_some(&mut decoder, most);
    budget.spend(
        &content,
        bytes.len().saturating_sub(decoder.get_ref().len()),
    );
    let mut is_cut = content.len() >= most;
    budget.is_spent |= most == 0;
    let named = decoder.header().and_then(|header| header.filename());
    let named = named.map(|name| name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name));
    let inner = named.map_or_else(
        || without_ending(name),
        |name| String::from_utf8_lossy(name).into_owned(),
    );
    match magic::of(&content) {
        Some(Magic::Tar) if is_cut => return passing_tar(MultiGzDecoder::new(bytes), budget),
        Some(magic) if is_cut && magic.is_read_whole() => {
            (content, is_cut) = whole(&mut budget.whole, &mut budget.is_spent, |most| {
                let mut decoder = MultiGzDecoder::new(bytes);
                let content = read_some(&mut decoder, most);
                (content, bytes.len() - decoder.get_ref().len())
            });
        }
        _ => {}
    }
    let mut listing = one(inner, Some(content));
    for entry in &mut listing.entries {
        entry.is_cut = is_cut;
    }
    listing
}

/// What could be read before an error is as good as the whole.
fn read_some(reader: &mut impl Read, most: usize) -> Vec<u8> {
    let mut content = Vec::new();
    let most = u64::try_from(most).unwrap_or(0);
    let _ = reader.take(most).read_to_end(&mut content);
    content
}

/// Names of a tar archive: a header of 512 bytes before each file, its size in octal.
fn tar(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut at = 0_usize;
    while let Some(header) = bytes.get(at..at.saturating_add(TAR_BLOCK)) {
        let Some((name, size)) = tar_header(header) else {
            break;
        };
        if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
            listing.is_cut = true;
            break;
        }
        let start = at.saturating_add(TAR_BLOCK);
        listing.entries.push(Entry {
            name,
            size,
            packed: size,
            // As zip calls what is not packed.
            place: Some((start, 0)),
            ..Entry::default()
        });
        let Some(padded) = size.checked_next_multiple_of(TAR_BLOCK) else {
            break;
        };
        at = start.saturating_add(padded);
    }
    listing
}

/// The same of one that comes unpacked bit by bit, too large to be kept: the beginnings of its first files are.
fn passing_tar(mut reader: impl Read, budget: &mut Budget) -> Listing {
    let mut listing = Listing::default();
    loop {
        let header = read_some(&mut reader, TAR_BLOCK.min(budget.passed));
        budget.passed -= header.len();
        let Some((name, size)) = tar_header(&header) else {
            break;
        };
        if listing.entries.len() >= limits::ARCHIVE_NAMES_MAX {
            listing.is_cut = true;
            break;
        }
        let padded = size.checked_next_multiple_of(TAR_BLOCK).unwrap_or(size);
        let most = match listing.entries.len() < limits::TAR_CONTENTS_MAX {
            true => size.min(budget.most()).min(budget.passed),
            false => 0,
        };
        let content = read_some(&mut reader, most);
        budget.spend(&content, 0);
        budget.passed -= content.len();
        let rest = padded.saturating_sub(content.len()).min(budget.passed);
        let rest = u64::try_from(rest).unwrap_or(0);
        let passed = std::io::copy(&mut reader.by_ref().take(rest), &mut std::io::sink());
        budget.passed -= usize::try_from(passed.unwrap_or(0)).unwrap_or(budget.passed);
        listing.entries.push(Entry {
            name,
            size,
            is_cut: content.len() < size,
            content: Some(content),
            ..Entry::default()
        });
    }
    listing.is_cut |= budget.passed < TAR_BLOCK;
    listing
}

const TAR_BLOCK: usize = 512;

/// Name and size of the next file; `None` at the end.
fn tar_header(header: &[u8]) -> Option<(String, usize)> {
    let name = header.get(..100)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let size = octal(header.get(124..136)?);
    let name = String::from_utf8_lossy(name).into_owned();
    (!name.is_empty() && header.len() == TAR_BLOCK).then_some((name, size))
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
