//! What the first bytes of a file say it is, whatever it is called.

use super::tar;

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
    Bzip2,
    Xz,
    Lzma,
    Lzip,
    Zstd,
    Cab,
    Arj,
    Lha,
    Ace,
    /// What nobody makes any more and is not read: `.Z`.
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
            Magic::Cab => "a cabinet of Windows",
            Magic::Gzip
            | Magic::Tar
            | Magic::Bzip2
            | Magic::Xz
            | Magic::Lzma
            | Magic::Lzip
            | Magic::Zstd
            | Magic::Arj
            | Magic::Lha
            | Magic::Ace
            | Magic::OtherArchive => "an archive",
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
        let holds = [Magic::Tnef, Magic::Ole, Magic::DiskImage, Magic::Notebook];
        self.is_archive() && self != Magic::OtherArchive || holds.contains(&self)
    }

    pub(super) fn is_archive(self) -> bool {
        matches!(
            self,
            Magic::Zip
                | Magic::Rar
                | Magic::SevenZip
                | Magic::Gzip
                | Magic::Tar
                | Magic::Bzip2
                | Magic::Xz
                | Magic::Lzma
                | Magic::Lzip
                | Magic::Zstd
                | Magic::Cab
                | Magic::Arj
                | Magic::Lha
                | Magic::Ace
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
    (b"\xfd7zXZ\x00", Magic::Xz),
    (b"LZIP\x01", Magic::Lzip),
    (b"\x28\xb5\x2f\xfd", Magic::Zstd),
    (b"MSCF\x00\x00\x00\x00", Magic::Cab),
    (b"\x60\xea", Magic::Arj),
    (b"\x1f\x9d", Magic::OtherArchive),
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
    if content.get(257..262) == Some(b"ustar") || tar::is_head(content) {
        return Some(Magic::Tar);
    }
    if content.starts_with(b"BZh") && matches!(content.get(3), Some(b'1'..=b'9')) {
        return Some(Magic::Bzip2);
    }
    if is_lzma(content) {
        return Some(Magic::Lzma);
    }
    if is_disk(content) {
        return Some(Magic::DiskImage);
    }
    if content.get(7..14) == Some(b"**ACE**") {
        return Some(Magic::Ace);
    }
    if let Some([b'-', b'l', b'h' | b'z', _, b'-']) = content.get(2..7) {
        return Some(Magic::Lha);
    }
    page(head)
}

/// Has no mark of its own: the usual properties, a dictionary of a power of two, a size that can be or is not told.
fn is_lzma(content: &[u8]) -> bool {
    let Some([0x5d, 0, 0, high, highest, size @ .., 0]) = content.get(..14) else {
        return false;
    };
    let dictionary = u16::from_le_bytes([*high, *highest]);
    let is_told = size.get(5..) == Some(&[0; 3]);
    dictionary.is_power_of_two() && (is_told || size == [0xff; 8])
}

/// CDs and DVDs, partitioned disks, and file systems of Windows.
fn is_disk(content: &[u8]) -> bool {
    let volume = content.get(0x8001..0x8006);
    if matches!(volume, Some(b"CD001" | b"BEA01" | b"NSR02" | b"NSR03")) {
        return true;
    }
    let Some(sector) = content.get(..512) else {
        return false;
    };
    let is_windows = [
        (3, "NTFS    "),
        (3, "EXFAT   "),
        (54, "FAT1"),
        (82, "FAT32"),
    ]
    .iter()
    .any(|(at, name)| sector[*at..].starts_with(name.as_bytes()));
    let partitions = sector[446..510].chunks(16);
    let is_partitioned = sector[446..510].iter().any(|byte| *byte != 0)
        && partitions.clone().all(|entry| matches!(entry[0], 0 | 0x80))
        && partitions.clone().any(|entry| entry[4] != 0)
        && content.len().is_multiple_of(512);
    sector[510..] == [0x55, 0xaa] && (is_windows || is_partitioned)
}

/// For places where it is not known that a file begins: the header leads to another one.
pub(super) fn is_surely_program(content: &[u8]) -> bool {
    if content.starts_with(b"L\x00\x00\x00\x01\x14\x02\x00") {
        return true;
    }
    let Some(at) = content.get(60..64).filter(|_| content.starts_with(b"MZ")) else {
        return false;
    };
    let at = u32::from_le_bytes([at[0], at[1], at[2], at[3]]);
    let rest = usize::try_from(at).ok().and_then(|at| content.get(at..));
    rest.is_some_and(|rest| rest.starts_with(b"PE\x00\x00"))
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
