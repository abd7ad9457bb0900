//! Documents that hold programs: macros in old and new Office files, templates from elsewhere, launched files.

use memchr::memmem;

use super::Kind;
use super::archive::{self, Budget, Listing};
use super::magic::Magic;

/// What is dangerous about an Office file of the new kind, which is a zip archive.
pub(super) fn in_zip(bytes: &[u8], listing: &Listing, budget: &mut Budget) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for entry in &listing.entries {
        let name = entry.name.to_ascii_lowercase();
        if name.ends_with("vbaproject.bin")
            || name.contains("/macrosheets/")
            || name.starts_with("basic/script")
        {
            found.push((Kind::Macros, String::new()));
        }
        if name == "word/_rels/settings.xml.rels" || name == "word/_rels/document.xml.rels" {
            let relations = archive::content(bytes, Magic::Zip, entry, budget);
            let relations = relations.unwrap_or_default().0;
            found.extend(remote_template(&relations).map(|from| (Kind::RemoteTemplate, from)));
        }
    }
    found
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
        let kinds = ["/attachedTemplate", "/oleObject", "/frame"];
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
pub(super) fn in_ole(bytes: &[u8]) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let has = |name: &str| has_name(bytes, name);
    if has("_VBA_PROJECT") || has("VBA_PROJECT_CUR") {
        found.push((Kind::Macros, String::new()));
    }
    if has("EncryptedPackage") {
        found.push((Kind::LockedArchive, String::new()));
    }
    // A packaged file inside a document: opened with a click.
    if has("\u{1}Ole10Native") {
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

/// PDF that starts a program.
pub(super) fn in_pdf(bytes: &[u8]) -> Vec<(Kind, String)> {
    let launches =
        memmem::find(bytes, b"/Launch").is_some() && memmem::find(bytes, b"/OpenAction").is_some();
    if launches {
        vec![(Kind::Shortcut, String::new())]
    } else {
        Vec::new()
    }
}
