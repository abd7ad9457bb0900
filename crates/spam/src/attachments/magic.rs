//! What the first bytes of a file say it is, whatever it is called.

/// What a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// Windows, Linux, macOS, Java, Android.
    Program,
    Shortcut,
    Zip,
    Rar,
    SevenZip,
    Gzip,
    Tar,
    /// Archives whose names are not read: bzip2, xz, cab, ace, lzh, arj, zstd.
    OtherArchive,
    /// Old documents of Microsoft Office, and its installers.
    Ole,
    Rtf,
    Pdf,
    Page,
    Svg,
    Picture,
    DiskImage,
    Notebook,
    Tnef,
}

impl Magic {
    pub(super) fn words(self) -> &'static str {
        match self {
            Magic::Program => "a program",
            Magic::Shortcut => "a shortcut",
            Magic::Zip => "a zip archive",
            Magic::Rar => "a rar archive",
            Magic::SevenZip => "a 7z archive",
            Magic::Gzip | Magic::Tar | Magic::OtherArchive => "an archive",
            Magic::Ole => "an Office document",
            Magic::Rtf => "an RTF document",
            Magic::Pdf => "a PDF document",
            Magic::Page => "a web page",
            Magic::Svg => "an SVG picture",
            Magic::Picture => "a picture",
            Magic::DiskImage => "the image of a disk",
            Magic::Notebook => "a notebook",
            Magic::Tnef => "a bundle of Outlook",
        }
    }

    /// What it holds is named at its end, or all over it.
    pub(super) fn is_read_whole(self) -> bool {
        matches!(
            self,
            Magic::Zip
                | Magic::Rar
                | Magic::SevenZip
                | Magic::Gzip
                | Magic::Tar
                | Magic::Tnef
                | Magic::Ole
        )
    }

    pub(super) fn is_archive(self) -> bool {
        matches!(
            self,
            Magic::Zip
                | Magic::Rar
                | Magic::SevenZip
                | Magic::Gzip
                | Magic::Tar
                | Magic::OtherArchive
        )
    }
}

const STARTS: &[(&[u8], Magic)] = &[
    (b"PK\x03\x04", Magic::Zip),
    (b"PK\x05\x06", Magic::Zip),
    (b"PK\x07\x08", Magic::Zip),
    (b"Rar!\x1a\x07", Magic::Rar),
    (b"7z\xbc\xaf\x27\x1c", Magic::SevenZip),
    (b"\x1f\x8b", Magic::Gzip),
    (b"BZh", Magic::OtherArchive),
    (b"\xfd7zXZ\x00", Magic::OtherArchive),
    (b"\x28\xb5\x2f\xfd", Magic::OtherArchive),
    (b"MSCF", Magic::OtherArchive),
    (b"\x60\xea", Magic::OtherArchive),
    (b"\x7fELF", Magic::Program),
    (b"\xcf\xfa\xed\xfe", Magic::Program),
    (b"\xce\xfa\xed\xfe", Magic::Program),
    (b"\xfe\xed\xfa\xcf", Magic::Program),
    (b"\xca\xfe\xba\xbe", Magic::Program),
    (b"!<arch>\ndebian", Magic::Program),
    (b"\xed\xab\xee\xdb", Magic::Program),
    (b"L\x00\x00\x00\x01\x14\x02\x00", Magic::Shortcut),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Magic::Ole),
    (b"{\\rt", Magic::Rtf),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", Magic::Notebook),
    (b"\x78\x9f\x3e\x22", Magic::Tnef),
    (b"\x89PNG\r\n", Magic::Picture),
    (b"\xff\xd8\xff", Magic::Picture),
    (b"GIF8", Magic::Picture),
    (b"II*\x00", Magic::Picture),
    (b"MM\x00*", Magic::Picture),
    (b"conectix", Magic::DiskImage),
    (b"vhdxfile", Magic::DiskImage),
    (b"KDMV", Magic::DiskImage),
];

/// Looks at the beginning of a content; `None` for text and whatever is not known.
pub(super) fn of(content: &[u8]) -> Option<Magic> {
    if content.starts_with(b"MZ") && is_windows_program(content) {
        return Some(Magic::Program);
    }
    let by_start = STARTS.iter().find(|(start, _)| content.starts_with(start));
    if let Some((_, magic)) = by_start {
        return Some(*magic);
    }
    // Readers of PDF look for its mark within the first kilobyte.
    let head = content.get(..1_024).unwrap_or(content);
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Some(Magic::Pdf);
    }
    if content.get(257..262) == Some(b"ustar") {
        return Some(Magic::Tar);
    }
    if content.get(0x8001..0x8006) == Some(b"CD001") {
        return Some(Magic::DiskImage);
    }
    if content.get(7..14) == Some(b"**ACE**") || content.get(2..5) == Some(b"-lh") {
        return Some(Magic::OtherArchive);
    }
    page(head)
}

/// "MZ" begins words too: a program has a header of 64 bytes that points to the next one.
fn is_windows_program(content: &[u8]) -> bool {
    let Some(head) = content.get(..64) else {
        return false;
    };
    // Text has no zero bytes.
    head.contains(&0)
}

fn page(head: &[u8]) -> Option<Magic> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t', '\0']);
    let opens = |mark: &str| text.contains(mark);
    if text.starts_with("<svg") || text.starts_with("<?xml") && opens("<svg") {
        return Some(Magic::Svg);
    }
    let starts = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<meta http-equiv",
    ];
    let is_page = starts.iter().any(|start| text.starts_with(start))
        || text.starts_with('<') && (opens("<html") || opens("<script"));
    is_page.then_some(Magic::Page)
}

#[cfg(test)]
mod tests {
    use super::{Magic, of};

    #[test]
    fn first_bytes() {
        let mut program = b"MZ\x90\x00".to_vec();
        program.resize(128, 0);
        let mut tar = vec![0; 300];
        tar[257..262].copy_from_slice(b"ustar");
        for (content, want) in [
            (program.as_slice(), Some(Magic::Program)),
            (b"MZ is how the letter to Mr. Zed begins, and it goes on for longer than sixty-four bytes.", None),
            (b"PK\x03\x04rest", Some(Magic::Zip)),
            (b"%PDF-1.7", Some(Magic::Pdf)),
            (b"\xef\xbb\xbf<!DOCTYPE html>", Some(Magic::Page)),
            (b"<?xml version=\"1.0\"?><svg xmlns=", Some(Magic::Svg)),
            (b"plain words", None),
            (b"", None),
            (tar.as_slice(), Some(Magic::Tar)),
        ] {
            assert_eq!(of(content), want);
        }
    }
}
