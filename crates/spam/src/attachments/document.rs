//! Documents that hold programs: macros in old and new Office files, templates from elsewhere, launched files.

use std::borrow::Cow;

use memchr::memmem;

use super::archive::{self, Budget, Entry, Listing, Place};
use super::{Kind, ole};
use crate::limits;

/// What is dangerous about an Office file of the new kind, which is a zip archive.
pub(super) fn in_zip(bytes: &[u8], listing: &Listing, budget: &mut Budget) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let mut read = 0;
    for entry in &listing.entries {
        let name = entry.name.to_ascii_lowercase();
        if name.ends_with("vbaproject.bin")
            || name.contains("/macrosheets/")
            || name.starts_with("basic/script")
        {
            found.push((Kind::Macros, String::new()));
        }
        let relates = name.ends_with(".rels");
        let is_text = name == "word/document.xml" || name.starts_with("xl/externallinks/");
        if (!relates && !is_text) || limits::DOCUMENT_PARTS_READ_MAX <= read {
            continue;
        }
        read += 1;
        let content = archive::text_of(bytes, entry, budget);
        if relates {
            found.extend(remote_template(&content).map(|from| (Kind::RemoteTemplate, from)));
        } else if has_dde(&content) {
            found.push((Kind::Macros, "DDE".to_owned()));
        }
    }
    found
}

/// A field or a link that has another program asked, which is how a document starts one. Word may cut the field's text into
/// several pieces.
fn has_dde(xml: &[u8]) -> bool {
    if memmem::find(xml, b"<ddeLink").is_some() {
        return true;
    }
    let mut field = Vec::new();
    for start in memmem::find_iter(xml, b"instrText").take(limits::FIELDS_READ_MAX) {
        let rest = xml.get(start..).unwrap_or_default();
        let text = memchr::memchr(b'>', rest).and_then(|end| rest.get(end + 1..));
        let text = text.unwrap_or_default();
        let text = text.get(..memchr::memchr(b'<', text).unwrap_or(0));
        field.extend(text.unwrap_or_default().iter().map(u8::to_ascii_uppercase));
    }
    let field: Vec<u8> = field.into_iter().filter(|byte| *byte != b'"').collect();
    let starts = field.trim_ascii_start().starts_with(b"DDE ");
    starts || memmem::find(&field, b"DDEAUTO").is_some()
}

/// Whether a zip archive is a document rather than an archive.
pub(super) fn is_document(listing: &Listing) -> bool {
    let marks = [
        "[content_types].xml",
        "mimetype",
        "meta-inf/container.xml",
        "content.xml",
    ];
    listing.entries.iter().any(|entry| {
        let name = entry.name.to_ascii_lowercase();
        marks.contains(&name.as_str())
    })
}

/// What documents are made of, and nobody opens on its own: its first bytes need no look.
pub(super) fn is_furniture(ending: &str) -> bool {
    let made_of = [
        "xml", "rels", "bin", "vml", "emf", "wmf", "odttf", "iwa", "xhtml", "html", "htm", "css",
        "ncx", "opf", "ttf", "otf", "svg", "json", "rdf", "plist",
    ];
    made_of.contains(&ending)
}

/// `Type=".../attachedTemplate" Target="http://…" TargetMode="External"`; frames and objects from elsewhere too.
fn remote_template(relations: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(relations);
    text.split('<').find_map(|tag| {
        let kinds = ["/attachedTemplate", "/oleObject", "/frame", "/subDocument"];
        let is_wanted = kinds.iter().any(|kind| tag.contains(kind)) && tag.contains("External");
        let (_, rest) = tag.split_once("Target=\"").filter(|_| is_wanted)?;
        let target = rest.split('"').next()?;
        let is_remote = ["http", "\\\\", "mhtml:", "ftp"]
            .iter()
            .any(|start| target.starts_with(start));
        let host = crate::sight::host_of(target).unwrap_or(target);
        is_remote.then(|| host.to_owned())
    })
}

/// Names in the directory of an OLE file are UTF-16.
fn has_name(bytes: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memmem::find(bytes, &wide).is_some()
}

/// What is dangerous about an old Office file.
pub(super) fn in_ole(bytes: &[u8], is_seen: bool) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let has = |name: &str| has_name(bytes, name);
    if has("_VBA_PROJECT") || has("VBA_PROJECT_CUR") {
        found.push((Kind::Macros, String::new()));
    }
    if has("EncryptedPackage") {
        found.push((Kind::LockedArchive, String::new()));
    }
    // A packaged file inside a document: opened with a click. What it is could not be seen.
    if !is_seen && has("\u{1}Ole10Native") {
        found.push((Kind::Macros, String::new()));
    }
    // A Windows installer is an OLE file too.
    if has("SummaryInformation")
        && memmem::find(bytes, b"Installer").is_some()
        && !has("WordDocument")
        && !has("Workbook")
    {
        let is_installer = memmem::find(bytes, b"Windows Installer").is_some()
            || memmem::find(bytes, b"Installation Database").is_some();
        if is_installer {
            found.push((Kind::Program, String::new()));
        }
    }
    found
}

/// RTF that fetches a template, or holds an object that runs.
pub(super) fn in_rtf(bytes: &[u8]) -> Vec<(Kind, String)> {
    let lower = bytes.to_ascii_lowercase();
    let has = |mark: &[u8]| memmem::find(&lower, mark).is_some();
    let mut found = Vec::new();
    if has(b"{\\*\\template http") || has(b"{\\*\\template \\\\") {
        found.push((Kind::RemoteTemplate, "elsewhere".to_owned()));
    }
    // Objects that update by themselves are how its readers were broken into.
    if has(b"\\objupdate") || has(b"\\objdata") && has(b"equation.3") {
        found.push((Kind::Macros, String::new()));
    }
    found
}

/// Files in objects of RTF, written as digits: packages, and containers of their own.
pub(super) fn files_in_rtf(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut left = limits::OLE_STREAMS_BYTES_MAX;
    for at in memmem::find_iter(bytes, b"\\objdata") {
        let digits = bytes.get(at + 8..).unwrap_or_default();
        let object = digits_of(digits, left);
        left -= object.len();
        let mark = b"Package\0";
        let package = memmem::find(&object, mark).and_then(|at| {
            // Two empty names, and a length; then as in a container.
            ole::package(object.get(at + mark.len() + 8..)?)
        });
        let container = memmem::find(&object, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        let container = container.map(|at| Entry {
            name: "object".to_owned(),
            place: Place::Had((Cow::Owned(object[at..].to_vec()), false)),
            ..Entry::default()
        });
        let entry = package.or(container);
        if entry.is_some_and(|entry| listing.push(entry).is_none()) || left == 0 {
            listing.is_cut = true;
            break;
        }
    }
    listing
}

/// Hexadecimal digits with anything white between them, and control words, which readers pass over.
fn digits_of(text: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut high = None;
    let mut text = text.iter().copied().peekable();
    while let Some(letter) = text.next() {
        let digit = match letter {
            b'0'..=b'9' => letter - b'0',
            b'a'..=b'f' => letter - b'a' + 10,
            b'A'..=b'F' => letter - b'A' + 10,
            b'}' => break,
            b'\\' => {
                while text.next_if(u8::is_ascii_alphanumeric).is_some() {}
                continue;
            }
            _ => continue,
        };
        match high.take() {
            None => high = Some(digit),
            Some(high) => out.push(high << 4 | digit),
        }
        if most <= out.len() {
            break;
        }
    }
    out
}
