//! What the name of a file promises: tables of endings, and tricks with names.

use super::Kind;

/// What an ending stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Danger(Kind),
    /// What people expect to open without fear.
    Document,
    Picture,
    Archive,
    /// HTML and the like.
    Page,
    Other,
}

const TABLE: &[(Ending, &[&str])] = &[
    (
        Ending::Danger(Kind::Program),
        &[
            "exe",
            "scr",
            "com",
            "pif",
            "cpl",
            "dll",
            "ocx",
            "sys",
            "drv",
            "msi",
            "msp",
            "mst",
            "msix",
            "msixbundle",
            "appx",
            "appxbundle",
            "appinstaller",
            "application",
            "xll",
            "wll",
            "gadget",
            "jar",
            "jnlp",
            "apk",
            "xapk",
            "ipa",
            "pkg",
            "mpkg",
            "app",
            "deb",
            "rpm",
            "run",
            "appimage",
            "accde",
            "accda",
            "mde",
            "ade",
            "adp",
            "mdb",
            "mda",
            "ex_",
            "diagcab",
            "msc",
            "theme",
            "themepack",
            "deskthemepack",
            "xbap",
            "vxd",
            "elf",
            "prg",
            "air",
            "udl",
        ],
    ),
    (
        Ending::Danger(Kind::Script),
        &[
            "js",
            "jse",
            "vbs",
            "vbe",
            "vb",
            "wsf",
            "wsh",
            "wsc",
            "ws",
            "hta",
            "bat",
            "cmd",
            "btm",
            "ps1",
            "ps1xml",
            "ps2",
            "psc1",
            "psd1",
            "psm1",
            "pssc",
            "msh",
            "msh1",
            "mshxml",
            "sct",
            "shb",
            "shs",
            "chm",
            "hlp",
            "reg",
            "inf",
            "ins",
            "isp",
            "scf",
            "applescript",
            "scpt",
            "command",
            "workflow",
            "osx",
            "mof",
            "ahk",
            "au3",
            "nsi",
            "wiz",
            "pyw",
            "pyz",
            "action",
        ],
    ),
    (
        Ending::Danger(Kind::Shortcut),
        &[
            "lnk",
            "url",
            "website",
            "desktop",
            "webloc",
            "fileloc",
            "inetloc",
            "library-ms",
            "search-ms",
            "searchconnector-ms",
            "settingcontent-ms",
            "rdp",
            "pcb",
            "printerexport",
            "appref-ms",
            "xnk",
            "contact",
        ],
    ),
    (
        Ending::Danger(Kind::Macros),
        &[
            "docm", "dotm", "xlsm", "xltm", "xlam", "xla", "xlm", "xl4", "pptm", "potm", "ppam",
            "ppa", "ppsm", "sldm", "slk", "iqy", "dqy", "oqy", "rqy",
        ],
    ),
    (
        Ending::Danger(Kind::DiskImage),
        &[
            "iso",
            "img",
            "vhd",
            "vhdx",
            "udf",
            "dmg",
            "wim",
            "esd",
            "vmdk",
            "vdi",
            "nrg",
            "cue",
            "daa",
            "sparseimage",
            "sparsebundle",
            "toast",
            "swm",
            "vcd",
        ],
    ),
    (
        Ending::Danger(Kind::Notebook),
        &["one", "onepkg", "onetoc2"],
    ),
    (
        Ending::Page,
        &[
            "html", "htm", "xhtml", "xht", "shtml", "shtm", "mht", "mhtml", "svg", "svgz", "xsl",
            "xslt", "dhtml",
        ],
    ),
    (
        Ending::Document,
        &[
            "pdf", "doc", "docx", "dot", "dotx", "xls", "xlsx", "xlsb", "xlt", "xltx", "ppt",
            "pptx", "pps", "ppsx", "rtf", "odt", "ods", "odp", "txt", "csv", "xml", "eml", "msg",
            "pages", "numbers", "key", "epub", "md", "log", "vcf", "ics", "wps", "pub", "vsd",
            "vsdx", "tex", "ps", "json",
        ],
    ),
    (
        Ending::Picture,
        &[
            "jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "heic", "avif", "ico",
            "mp3", "mp4", "m4a", "wav", "avi", "mov", "mpg", "mpeg", "mkv", "flac", "ogg", "wmv",
            "wma", "psd", "webm",
        ],
    ),
    (
        Ending::Archive,
        &[
            "zip", "rar", "7z", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "tar", "cab",
            "ace", "arj", "lzh", "lha", "z", "zst", "lz", "lzma", "zipx", "r00", "r01", "001",
            "uue", "uu", "cpio", "alz", "egg", "kgb", "ar", "jxr",
        ],
    ),
];

/// The ending of a name, in lower case, without the dot; empty if there is none.
pub(super) fn ending(name: &str) -> String {
    let name = trimmed(name);
    match name.rsplit_once('.') {
        Some((_, ending)) if !ending.contains(['/', '\\']) => ending.trim().to_lowercase(),
        _ => String::new(),
    }
}

/// Windows drops dots and spaces at the end of a name.
fn trimmed(name: &str) -> &str {
    // So does what names a stream of a file: `a.js::$DATA`.
    let name = name.split_once("::$").map_or(name, |(name, _)| name);
    name.trim_end_matches(['.', ' ', '\u{a0}', '\u{3000}', '\0', '"', '\''])
}

/// What the ending of a name stands for.
pub(super) fn class(name: &str) -> Ending {
    class_of(&ending(name))
}

fn class_of(ending: &str) -> Ending {
    TABLE
        .iter()
        .find(|(_, endings)| endings.contains(&ending))
        .map_or(Ending::Other, |(class, _)| *class)
}

/// Whether characters in the name turn the direction of writing, so that its true ending is not where one sees it.
pub(super) fn is_reversed(name: &str) -> bool {
    name.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// `invoice.pdf.exe`, `photo.jpg          .scr`: the last ending runs, the one before it soothes.
pub(super) fn has_double_ending(name: &str) -> bool {
    let name = trimmed(name);
    let Some((rest, last)) = name.rsplit_once('.') else {
        return false;
    };
    let class = class_of(&last.trim().to_lowercase());
    let runs = matches!(
        class,
        Ending::Page
            | Ending::Danger(Kind::Program | Kind::Script | Kind::Shortcut | Kind::DiskImage)
    );
    let soothing = matches!(class_of(&ending(rest)), Ending::Document | Ending::Picture);
    // Saved pages: `article.txt.html` is nothing to hide. What people get as a file is.
    let disguises = [
        "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "jpg", "jpeg", "png", "mp3", "wav",
        "mp4",
    ];
    let is_page = class == Ending::Page;
    let padded = rest.ends_with(' ') && rest.contains("    ");
    runs && (soothing && (!is_page || disguises.contains(&ending(rest).as_str())) || padded)
}

#[cfg(test)]
mod tests {
    use super::{Ending, class, ending, has_double_ending, is_reversed};
    use crate::attachments::Kind;

    #[test]
    fn endings() {
        for (name, want) in [
            ("a.EXE", Ending::Danger(Kind::Program)),
            ("a.exe. .", Ending::Danger(Kind::Program)),
            ("a.js::$DATA", Ending::Danger(Kind::Script)),
            ("folder.exe/readme", Ending::Other),
            ("rechnung.js", Ending::Danger(Kind::Script)),
            ("a.library-ms", Ending::Danger(Kind::Shortcut)),
            ("a.docm", Ending::Danger(Kind::Macros)),
            ("a.iso", Ending::Danger(Kind::DiskImage)),
            ("a.pdf", Ending::Document),
            ("a", Ending::Other),
            ("", Ending::Other),
        ] {
            assert_eq!(class(name), want, "{name} {}", ending(name));
        }
    }

    #[test]
    fn no_ending_is_in_two_classes() {
        let mut seen = std::collections::BTreeSet::new();
        for ending in super::TABLE.iter().flat_map(|(_, endings)| *endings) {
            assert!(seen.insert(ending), "{ending}");
        }
    }

    #[test]
    fn names_that_pretend() {
        for (name, want) in [
            ("invoice.pdf.exe", true),
            ("invoice.pdf .exe", true),
            ("photo.jpg                         .scr", true),
            ("scan.pdf.html", true),
            ("article.txt.html", false),
            ("v1.2.exe", false),
            ("invoice.pdf", false),
            ("backup.tar.gz", false),
            ("jquery.min.js", false),
            ("report.2026.docx", false),
        ] {
            assert_eq!(has_double_ending(name), want, "{name}");
        }
        assert!(is_reversed("ann\u{202e}fdp.exe"));
        assert!(!is_reversed("דוח.pdf"));
    }
}
