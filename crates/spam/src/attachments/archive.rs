//! What is inside archives: names, locks, and contents where they are needed and small.
//! All archives of one message share one budget, so that none can be a bomb.

use std::borrow::Cow;
use std::io::Read;

use super::magic::{self, Magic};
use super::names::{self, Ending};
use super::packed::Meter;
use super::{cab, document, image, notebook, old, ole, packed, rar, sevenz, tar, tnef, zip};
use crate::limits;

/// What an archive names.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// Even the names are locked.
    pub(super) is_locked: bool,
    /// There were more names than are read, or what names them could not be read.
    pub(super) is_cut: bool,
    /// Where several files are packed together.
    pub(super) folders: Folders,
}

/// One file inside an archive.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_locked: bool,
    /// Unpacked, as the archive claims.
    pub(super) size: usize,
    pub(super) packed: usize,
    pub(super) place: Place,
}

/// Where a content is to be had.
#[derive(Debug, Default)]
pub(super) enum Place {
    /// It is packed in a way that is not read, or was not worth it.
    #[default]
    Nowhere,
    /// It lies open from here on.
    Stored(usize),
    /// Packed by itself from here on.
    Deflated(usize),
    /// In which folder, and how much of what is unpacked comes before it.
    Folder(usize, usize),
    /// Reading the archive gave it.
    Had(Content<'static>),
}

/// As much of a content as its sort needs, and whether there is more.
pub(super) type Content<'c> = (Cow<'c, [u8]>, bool);

/// Files that are packed as one.
#[derive(Debug, Default)]
pub(super) enum Folders {
    #[default]
    None,
    SevenZip(Vec<sevenz::Folder>),
    Cab(Vec<cab::Folder>),
}

impl Listing {
    pub(super) fn of(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }

    /// Takes in one more; `None` once there are too many.
    pub(super) fn push(&mut self, entry: Entry) -> Option<()> {
        if limits::ARCHIVE_NAMES_MAX <= self.entries.len() {
            self.is_cut = true;
            return None;
        }
        self.entries.push(entry);
        Some(())
    }
}

/// How much may still be unpacked of one message.
#[derive(Debug)]
pub(super) struct Budget {
    /// What is kept.
    bytes: usize,
    /// For what is read whole.
    whole: usize,
    /// For all that is unpacked, kept or passed over.
    pub(super) meter: Meter,
    /// Something was not looked at since there was nothing left.
    is_spent: bool,
}

impl Budget {
    /// For attached files of so many bytes. Honest archives become a few times larger; a small one that is a bomb must not
    /// cost more than a moment.
    pub(super) fn new(attached: usize) -> Self {
        let most = attached
            .saturating_mul(limits::UNPACKED_PER_BYTE)
            .saturating_add(limits::UNPACKED_COST_MIN)
            .min(limits::UNPACKED_COST_MAX);
        Self {
            bytes: limits::UNPACKED_BYTES_MAX,
            whole: limits::UNPACKED_WHOLE_BYTES_MAX,
            meter: Meter::new(most),
            is_spent: false,
        }
    }

    /// Whether something was left out since this was asked last.
    pub(super) fn left_out(&mut self) -> bool {
        self.meter.ran_out() | std::mem::take(&mut self.is_spent)
    }

    /// How much may be unpacked now; nothing once the budget is spent.
    fn most(&self) -> usize {
        self.bytes.min(limits::UNPACKED_FILE_BYTES_MAX)
    }

    /// The content of a file called `name`, from a reader that stands at its beginning: a head; more, where that is a page
    /// or the like; all, where that is an archive.
    pub(super) fn take(
        &mut self,
        reader: &mut dyn Read,
        name: &str,
        size: usize,
    ) -> Content<'static> {
        let mut reader = reader.take(u64::try_from(size).unwrap_or(u64::MAX));
        let most = self.most().min(limits::UNPACKED_HEAD_BYTES);
        if most == 0 {
            self.is_spent = true;
            return (Cow::default(), true);
        }
        let mut content = Vec::new();
        read_more(&mut reader, most, &mut content);
        self.bytes = self.bytes.saturating_sub(content.len());
        let head = content.len();
        if head < most {
            return (Cow::Owned(content), false);
        }
        let more = match wanted(&content, name) {
            Wanted::Head => return (Cow::Owned(content), true),
            Wanted::More => {
                let more = self.most().min(limits::UNPACKED_FILE_BYTES_MAX - head);
                read_more(&mut reader, more, &mut content);
                self.bytes = self.bytes.saturating_sub(content.len() - head);
                more
            }
            Wanted::Whole => {
                let more = self.whole;
                read_more(&mut reader, more, &mut content);
                self.whole = self.whole.saturating_sub(content.len() - head);
                self.is_spent |= more <= content.len() - head;
                more
            }
        };
        let is_cut = more <= content.len() - head;
        (Cow::Owned(content), is_cut)
    }

    /// The same of one that lies open: nothing is copied.
    fn borrow<'b>(&mut self, content: &'b [u8]) -> Content<'b> {
        let head = content.get(..limits::UNPACKED_HEAD_BYTES);
        let head = head.unwrap_or(content);
        let is_whole = magic::of(content).is_some_and(Magic::is_read_whole);
        let most = match is_whole {
            true => self.whole,
            false => limits::UNPACKED_FILE_BYTES_MAX,
        };
        let kept = content.get(..most).unwrap_or(content);
        if is_whole {
            self.whole = self.whole.saturating_sub(kept.len());
            self.is_spent |= kept.len() < content.len();
        }
        let kept = if kept.len() < head.len() { head } else { kept };
        (Cow::Borrowed(kept), kept.len() < content.len())
    }
}

/// What could be read before an error is as good as the whole; what that costs is the reader's to know.
fn read_more(reader: &mut impl Read, most: usize, content: &mut Vec<u8>) {
    let most = u64::try_from(most).unwrap_or(0);
    let _ = reader.take(most).read_to_end(content);
}

enum Wanted {
    Head,
    More,
    Whole,
}

fn wanted(head: &[u8], name: &str) -> Wanted {
    match magic::of(head) {
        Some(magic) if magic.is_read_whole() => Wanted::Whole,
        Some(Magic::Picture | Magic::Program | Magic::Shortcut) => Wanted::Head,
        None if names::class(name) != Ending::Page => Wanted::Head,
        _ => Wanted::More,
    }
}

/// Reads the names of an archive. `name` is its own.
pub(super) fn list(bytes: &[u8], magic: Magic, name: &str, budget: &mut Budget) -> Listing {
    match magic {
        Magic::Zip => zip::list(bytes),
        Magic::Tar => tar::list(bytes),
        Magic::Rar => rar::list(bytes),
        Magic::SevenZip => sevenz::list(bytes, budget),
        Magic::Cab => cab::list(bytes),
        Magic::Arj => old::arj(bytes),
        Magic::Lha => old::lha(bytes),
        Magic::Ace => old::ace(bytes),
        Magic::Tnef => tnef::list(bytes),
        Magic::DiskImage => image::list(bytes),
        Magic::Notebook => notebook::list(bytes),
        Magic::Ole => ole::list(bytes),
        Magic::Rtf => document::files_in_rtf(bytes),
        _ => packed::list(bytes, magic, name, budget),
    }
}

/// The beginning of a file in a document of the new kind, which is text; it stays to be had.
pub(super) fn text_of(bytes: &[u8], entry: &Entry, budget: &mut Budget) -> Vec<u8> {
    let mut text = Vec::new();
    let packed = |start: usize| {
        let rest = bytes.get(start..).unwrap_or_default();
        rest.get(..entry.packed).unwrap_or(rest)
    };
    let most = budget.most();
    match entry.place {
        Place::Deflated(start) => {
            let mut reader = packed::deflate(packed(start), &budget.meter);
            read_more(&mut reader, most, &mut text);
        }
        Place::Stored(start) => read_more(&mut packed(start), most, &mut text),
        _ => {}
    }
    budget.bytes = budget.bytes.saturating_sub(text.len());
    budget.is_spent |= most == 0;
    text
}

/// Gives the contents of an archive's files. They are asked for in its own order, so that what is packed together is
/// unpacked once.
pub(super) struct Contents<'b> {
    bytes: &'b [u8],
    folders: Folders,
    open: Option<Open<'b>>,
}

struct Open<'b> {
    folder: usize,
    at: usize,
    reader: Box<dyn Read + 'b>,
}

impl<'b> Contents<'b> {
    pub(super) fn of(bytes: &'b [u8], folders: Folders) -> Self {
        Self {
            bytes,
            folders,
            open: None,
        }
    }

    /// `None` if it cannot be had.
    pub(super) fn get(&mut self, entry: &mut Entry, budget: &mut Budget) -> Option<Content<'b>> {
        if entry.is_locked {
            return None;
        }
        match std::mem::take(&mut entry.place) {
            Place::Nowhere => None,
            Place::Had(content) => Some(content),
            Place::Stored(start) => {
                let content = self.bytes.get(start..).unwrap_or_default();
                let content = content.get(..entry.size).unwrap_or(content);
                Some(budget.borrow(content))
            }
            Place::Deflated(start) => {
                let packed = self.bytes.get(start..).unwrap_or_default();
                // The packed length is nothing where a descriptor follows; the decoder finds the end by itself.
                let packed = match entry.packed {
                    0 => packed,
                    length => packed.get(..length).unwrap_or(packed),
                };
                let mut reader = packed::deflate(packed, &budget.meter);
                Some(budget.take(&mut reader, &entry.name, usize::MAX))
            }
            Place::Folder(folder, offset) => {
                let mut open = match self.open.take() {
                    Some(open) if open.folder == folder && open.at <= offset => open,
                    _ => Open {
                        folder,
                        at: 0,
                        reader: self.open(folder, &budget.meter)?,
                    },
                };
                let passed = u64::try_from(offset - open.at).unwrap_or(u64::MAX);
                let passed =
                    std::io::copy(&mut open.reader.by_ref().take(passed), &mut std::io::sink());
                let content = budget.take(&mut open.reader, &entry.name, entry.size);
                let is_there =
                    passed.is_ok_and(|many| usize::try_from(many) == Ok(offset - open.at));
                open.at = offset + content.0.len();
                self.open = Some(open);
                is_there.then_some(content)
            }
        }
    }

    fn open(&self, folder: usize, meter: &Meter) -> Option<Box<dyn Read + 'b>> {
        match &self.folders {
            Folders::None => None,
            Folders::SevenZip(folders) => folders.get(folder)?.open(self.bytes, meter),
            Folders::Cab(folders) => folders.get(folder)?.open(self.bytes, meter),
        }
    }
}
