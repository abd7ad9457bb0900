//! What is dangerous about attached files: programs, scripts, documents that hold programs, archives that hide
//! them, pages that make them. Looks at names and at the first bytes; unpacks a little, within bounds.

use serde::{Deserialize, Serialize};

use crate::reasons;
use crate::sight::Sight;

mod archive;
mod bzip2;
mod cab;
mod document;
mod image;
mod inspect;
mod magic;
mod names;
mod notebook;
mod numbers;
mod old;
mod ole;
mod packed;
mod page;
mod pdf;
mod rar;
mod sevenz;
mod tar;
mod tnef;
mod xz;
mod zip;

/// What a file is that somebody may not want to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Runs on the machine: Windows, macOS, Linux programs, installers, Java and Android packages.
    Program,
    /// Text that a machine runs when it is opened.
    Script,
    /// Starts something else: `.lnk`, `.url`, `.library-ms`.
    Shortcut,
    /// A document that holds macros.
    Macros,
    /// A document that fetches a template with its program from elsewhere.
    RemoteTemplate,
    /// An archive or document locked with a password.
    LockedArchive,
    /// `.iso`, `.img`, `.vhd`: mounted with a click, and what is inside is not marked as downloaded.
    DiskImage,
    /// HTML or SVG that runs a program.
    ScriptedPage,
    /// HTML or SVG that makes a file or a form for passwords appear.
    SmugglingPage,
    /// HTML sent as a file.
    Page,
    /// `invoice.pdf.exe`
    DoubleExtension,
    /// Characters turn the direction of the name.
    ReversedName,
    /// The content is not what name or type say.
    FalseType,
    /// An archive that could not be looked into whole: too deep, too large, or with more files than anybody counts.
    TooDeep,
    /// OneNote: a page can hold programs.
    Notebook,
}

/// One dangerous thing about one attached file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dangerous {
    pub kind: Kind,
    /// `invoice.zip > invoice.exe` for one inside an archive.
    pub file: String,
    /// What more is to say: the true type, where the template comes from; empty if nothing.
    pub detail: String,
    /// Which of [`Sight::parts`], or of what was found beside them.
    pub part: usize,
    /// Of how many files in its archive; one where it is in none. One script among hundreds is source code.
    pub among: usize,
}

impl Kind {
    pub const ALL: &[Kind] = &[
        Kind::Program,
        Kind::Script,
        Kind::Shortcut,
        Kind::Macros,
        Kind::RemoteTemplate,
        Kind::LockedArchive,
        Kind::DiskImage,
        Kind::ScriptedPage,
        Kind::SmugglingPage,
        Kind::Page,
        Kind::DoubleExtension,
        Kind::ReversedName,
        Kind::FalseType,
        Kind::TooDeep,
        Kind::Notebook,
    ];

    /// The name in commands and policies.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Program => "program",
            Kind::Script => "script",
            Kind::Shortcut => "shortcut",
            Kind::Macros => "macros",
            Kind::RemoteTemplate => "remote-template",
            Kind::LockedArchive => "locked-archive",
            Kind::DiskImage => "disk-image",
            Kind::ScriptedPage => "scripted-page",
            Kind::SmugglingPage => "smuggling-page",
            Kind::Page => "page",
            Kind::DoubleExtension => "double-extension",
            Kind::ReversedName => "reversed-name",
            Kind::FalseType => "false-type",
            Kind::TooDeep => "too-deep",
            Kind::Notebook => "notebook",
        }
    }

    /// For people: what a file of this kind is.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Program => "a program",
            Kind::Script => "a script that runs when opened",
            Kind::Shortcut => "a shortcut that starts something else",
            Kind::Macros => "a document with macros",
            Kind::RemoteTemplate => "a document that fetches a program",
            Kind::LockedArchive => "locked with a password",
            Kind::DiskImage => "the image of a disk",
            Kind::ScriptedPage => "a page that runs a program",
            Kind::SmugglingPage => "a page that makes a file or a password form appear",
            Kind::Page => "a web page",
            Kind::DoubleExtension => "a name with two endings",
            Kind::ReversedName => "a name whose direction is turned",
            Kind::FalseType => "not of the type it is called",
            Kind::TooDeep => "packed so that it could not be looked into whole",
            Kind::Notebook => "a notebook that can hold programs",
        }
    }

    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// As a reason of the verdict.
    pub fn reason(self) -> reasons::Kind {
        match self {
            Kind::Program => reasons::Kind::Program,
            Kind::Script => reasons::Kind::Script,
            Kind::Shortcut => reasons::Kind::Shortcut,
            Kind::Macros => reasons::Kind::Macros,
            Kind::RemoteTemplate => reasons::Kind::RemoteTemplate,
            Kind::LockedArchive => reasons::Kind::LockedArchive,
            Kind::DiskImage => reasons::Kind::DiskImage,
            Kind::ScriptedPage => reasons::Kind::ScriptedPage,
            Kind::SmugglingPage => reasons::Kind::SmugglingPage,
            Kind::Page => reasons::Kind::AttachedPage,
            Kind::DoubleExtension => reasons::Kind::DoubleExtension,
            Kind::ReversedName => reasons::Kind::ReversedName,
            Kind::FalseType => reasons::Kind::FalseType,
            Kind::TooDeep => reasons::Kind::ArchiveTooDeep,
            Kind::Notebook => reasons::Kind::Notebook,
        }
    }
}

/// Whether a content of this beginning or name hides what it holds at its end, so that the beginning does not do.
pub(crate) fn is_read_whole(head: &[u8], name: &str) -> bool {
    let by_name = matches!(
        names::class(name),
        names::Ending::Archive | names::Ending::Danger(Kind::DiskImage)
    );
    by_name || magic::of(head).is_some_and(magic::Magic::is_read_whole)
}

/// Whether the name is one of a file rather than of a page or a text.
pub(crate) fn is_file_name(name: &str) -> bool {
    !matches!(
        names::class(name),
        names::Ending::Page | names::Ending::Other
    )
}

/// Everything dangerous about a message's attached files. Sorted, each at most once.
pub fn look(sight: &Sight) -> Vec<Dangerous> {
    if let Some(known) = &sight.dangers {
        return known.clone();
    }
    let files = || sight.parts.iter().chain(&sight.files.all);
    let attached = files().map(|part| part.content.len()).sum();
    let mut inspector = inspect::Inspector::new(attached);
    for (at, part) in files().enumerate() {
        inspector.part(at, part);
    }
    let mut found = inspector.found;
    if sight.files.hides {
        found.push(Dangerous {
            kind: Kind::TooDeep,
            file: "the message".to_owned(),
            detail: String::new(),
            part: 0,
            among: 1,
        });
    }
    found.sort();
    found.dedup_by(|a, b| (a.kind, &a.file, a.part) == (b.kind, &b.file, b.part));
    found
}

#[cfg(test)]
mod tests;
