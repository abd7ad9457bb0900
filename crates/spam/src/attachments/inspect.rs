//! Goes over the attached files of a message, and over what is inside them.

use std::collections::BTreeMap;

use super::archive::{self, Budget, Contents, Entry, Listing};
use super::magic::{self, Magic};
use super::names::{self, Ending};
use super::{Dangerous, Kind, document, page, pdf, zip};
use crate::limits;
use crate::sight::Part;

/// What was found so far, and what may still be spent on looking.
pub(super) struct Inspector {
    pub(super) found: Vec<Dangerous>,
    /// Of each kind in each attached file.
    counts: BTreeMap<(usize, Kind), usize>,
    budget: Budget,
    /// How many archives were opened.
    opened: usize,
    /// How many files in archives were looked at.
    named: usize,
}

/// A file, attached or inside another.
#[derive(Clone, Copy)]
struct File<'f> {
    part: usize,
    /// With the names of the archives around it.
    path: &'f str,
    name: &'f str,
    /// Empty where it is not known.
    media_type: &'f str,
    content: &'f [u8],
    /// There is more than `content`.
    is_cut: bool,
    depth: usize,
    among: usize,
}

impl Inspector {
    /// For attached files of so many bytes.
    pub(super) fn new(attached: usize) -> Self {
        Self {
            found: Vec::new(),
            counts: BTreeMap::new(),
            budget: Budget::new(attached),
            opened: 0,
            named: 0,
        }
    }

    pub(super) fn part(&mut self, at: usize, part: &Part) {
        if part.content.is_empty() && part.name.is_none() {
            return;
        }
        let unnamed = part.media_type.as_str();
        let name = part.name.as_deref().unwrap_or_default();
        // Some names come with a path; what counts is the file's.
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        self.file(File {
            part: at,
            path: if name.is_empty() { unnamed } else { name },
            name,
            media_type: &part.media_type,
            content: &part.content,
            is_cut: part.is_cut,
            depth: 0,
            among: 1,
        });
    }

    fn file(&mut self, file: File<'_>) {
        if names::is_reversed(file.name) {
            self.add(file, Kind::ReversedName, "");
        }
        if names::has_double_ending(file.name) {
            self.add(file, Kind::DoubleExtension, "");
        }
        let class = names::class(file.name);
        let mut file = file;
        let mut magic = magic::of(file.content);
        // Programs that unpack go by the end: anything may stand before.
        let is_other = !magic.is_some_and(Magic::is_archive);
        let may_be_behind = is_other && (magic.is_none() || class == Ending::Archive);
        if let Some(archive) = zip::behind(file.content).filter(|_| may_be_behind) {
            (file.content, magic) = (archive, Some(Magic::Zip));
        }
        match class {
            Ending::Danger(kind) if is_by_name(kind, magic, file) => self.add(file, kind, ""),
            _ => {}
        }
        if let Some(truth) = disguise(class, magic) {
            self.add(file, Kind::FalseType, truth.words());
        }
        if matches!(class, Ending::Danger(Kind::Program)) {
            // Its inside is its own: Java and Android packages are archives of programs.
            return;
        }
        match magic {
            Some(magic) => self.content(file, magic),
            None if is_called_page(class, file.media_type) => self.page(file),
            None if class == Ending::Danger(Kind::DiskImage) => {
                self.document(file, Magic::DiskImage);
            }
            None => {}
        }
    }

    fn content(&mut self, file: File<'_>, magic: Magic) {
        match magic {
            Magic::Program => self.add(file, Kind::Program, ""),
            Magic::Shortcut => self.add(file, Kind::Shortcut, ""),
            Magic::Page | Magic::Svg => self.page(file),
            Magic::Picture => {}
            Magic::DiskImage => {
                self.add(file, Kind::DiskImage, "");
                self.document(file, magic);
            }
            Magic::Notebook => {
                self.add(file, Kind::Notebook, "");
                self.document(file, magic);
            }
            Magic::Ole | Magic::Rtf | Magic::Pdf => self.document(file, magic),
            _ => self.archive(file, magic),
        }
    }

    /// What holds other files beside what it is for.
    fn document(&mut self, file: File<'_>, magic: Magic) {
        let (found, mut listing) = match magic {
            Magic::Pdf => pdf::look(file.content, &mut self.budget),
            _ => {
                let listing = archive::list(file.content, magic, file.name, &mut self.budget);
                let found = match magic {
                    Magic::Ole => document::in_ole(file.content, !listing.entries.is_empty()),
                    Magic::Rtf => document::in_rtf(file.content),
                    _ => Vec::new(),
                };
                (found, listing)
            }
        };
        self.all(file, found);
        if listing.entries.is_empty() {
            return;
        }
        if self.may_open(file) {
            self.entries(file, &mut listing, false);
        }
        if listing.is_cut || self.budget.left_out() {
            self.add(file, Kind::TooDeep, "");
        }
    }

    fn may_open(&mut self, file: File<'_>) -> bool {
        if limits::ARCHIVE_DEPTH_MAX <= file.depth || limits::ARCHIVES_MAX <= self.opened {
            self.add(file, Kind::TooDeep, "");
            return false;
        }
        self.opened += 1;
        true
    }

    /// A page that was sent as a file. A drawing that only draws is a picture.
    fn page(&mut self, file: File<'_>) {
        let text = mail::charset::decode(file.content, None);
        let kind = page::look(&text);
        let is_drawing = names::ending(file.name) == "svg" || file.media_type == "image/svg+xml";
        let is_furniture = is_drawing || file.depth > 0;
        if kind != Kind::Page || !is_furniture {
            self.add(file, kind, "");
        }
    }

    fn archive(&mut self, file: File<'_>, magic: Magic) {
        if !self.may_open(file) {
            return;
        }
        let mut listing = archive::list(file.content, magic, file.name, &mut self.budget);
        // The mark of a document says what more is to be sought; it hides nothing.
        let is_marked = magic == Magic::Zip && document::is_document(&listing);
        if is_marked {
            let found = document::in_zip(file.content, &listing, &mut self.budget);
            self.all(file, found);
        }
        if listing.is_locked || listing.entries.iter().any(|entry| entry.is_locked) {
            self.add(file, Kind::LockedArchive, "");
        }
        let is_unseen = file.is_cut && magic != Magic::OtherArchive;
        if listing.is_cut || is_unseen || listing.entries.iter().any(is_bomb) {
            self.add(file, Kind::TooDeep, "");
        }
        let is_document = is_marked && !is_called_archive(file);
        self.entries(file, &mut listing, is_document);
        if self.budget.left_out() {
            self.add(file, Kind::TooDeep, "");
        }
    }

    fn entries(&mut self, outer: File<'_>, listing: &mut Listing, is_document: bool) {
        let among = listing.entries.len().max(outer.among);
        let folders = std::mem::take(&mut listing.folders);
        let mut contents = Contents::of(outer.content, folders);
        for entry in &mut listing.entries {
            if self.named >= limits::ARCHIVES_NAMES_MAX {
                self.add(outer, Kind::TooDeep, "");
                return;
            }
            self.named += 1;
            if entry.name.ends_with('/') {
                continue;
            }
            let name = entry.name.rsplit(['/', '\\']).next().unwrap_or_default();
            let name = name.to_owned();
            let path = match name.is_empty() {
                true => outer.path.to_owned(),
                false => format!("{} > {name}", outer.path),
            };
            let is_furniture = is_document
                && document::is_furniture(&names::ending(&name))
                && !entry.name.contains("embeddings/");
            let is_wanted = wants_content(&name) && !is_furniture;
            let content = match is_wanted {
                true => contents.get(entry, &mut self.budget),
                false => None,
            };
            // An archive in a way of packing that is not read.
            let is_hidden = is_wanted && content.is_none() && !entry.is_locked;
            let (content, is_cut) = content.unwrap_or_default();
            let file = File {
                part: outer.part,
                path: &path,
                name: &name,
                media_type: "",
                content: &content,
                is_cut,
                depth: outer.depth + 1,
                among,
            };
            if is_hidden && names::class(&name) == Ending::Archive {
                self.add(file, Kind::TooDeep, "");
            }
            self.file(file);
        }
    }

    fn all(&mut self, file: File<'_>, found: Vec<(Kind, String)>) {
        for (kind, detail) in found {
            self.add(file, kind, &detail);
        }
    }

    fn add(&mut self, file: File<'_>, kind: Kind, detail: &str) {
        let count = self.counts.entry((file.part, kind)).or_default();
        if *count >= limits::DANGERS_MAX {
            return;
        }
        *count += 1;
        self.found.push(Dangerous {
            kind,
            file: file.path.to_owned(),
            detail: detail.to_owned(),
            part: file.part,
            among: file.among,
        });
    }
}

/// Whether the name alone convinces, beside what the content shows.
fn is_by_name(kind: Kind, magic: Option<Magic>, file: File<'_>) -> bool {
    let is_text = file.media_type.starts_with("text/") || file.media_type.starts_with("message/");
    match kind {
        // New Office files show whether there are macros.
        Kind::Macros => magic != Some(Magic::Zip) && magic != Some(Magic::Ole),
        // A domain's name is no program: `example.com`.
        Kind::Program if names::ending(file.name) == "com" => {
            magic == Some(Magic::Program) || !is_text && file.content.contains(&0)
        }
        _ => true,
    }
}

/// A name that promises a document or a picture, and a content that is something else which runs or hides.
fn disguise(class: Ending, magic: Option<Magic>) -> Option<Magic> {
    let magic = magic?;
    let is_false = match class {
        Ending::Picture => {
            matches!(
                magic,
                Magic::Program
                    | Magic::Shortcut
                    | Magic::Page
                    | Magic::Ole
                    | Magic::Rtf
                    | Magic::Pdf
            ) || magic.is_archive()
        }
        // Reports "for Excel" are pages with a wrong name; documents of the new kind are zip archives.
        Ending::Document => matches!(
            magic,
            Magic::Program
                | Magic::Shortcut
                | Magic::DiskImage
                | Magic::Rar
                | Magic::SevenZip
                | Magic::Notebook
        ),
        Ending::Archive => matches!(
            magic,
            Magic::Program | Magic::Shortcut | Magic::Page | Magic::DiskImage
        ),
        _ => false,
    };
    is_false.then_some(magic)
}

fn is_called_page(class: Ending, media_type: &str) -> bool {
    class == Ending::Page
        || matches!(
            media_type,
            "text/html" | "application/xhtml+xml" | "image/svg+xml"
        )
}

/// A name or a type of an archive: what is in it is meant to be taken out.
fn is_called_archive(file: File<'_>) -> bool {
    names::class(file.name) == Ending::Archive
        || matches!(
            file.media_type,
            "application/zip" | "application/x-zip-compressed" | "application/x-zip"
        )
}

/// Claims to become more than a thousand times as large.
fn is_bomb(entry: &Entry) -> bool {
    let is_known = entry.size != usize::MAX;
    is_known
        && entry.size > limits::BOMB_BYTES_MIN
        && entry.size / entry.packed.max(1) > limits::BOMB_RATIO
}

/// Programs and scripts are known by their names; pictures need no look.
pub(super) fn wants_content(name: &str) -> bool {
    match names::class(name) {
        Ending::Danger(kind) => {
            matches!(kind, Kind::Macros | Kind::DiskImage | Kind::Notebook)
        }
        class => class != Ending::Picture,
    }
}
