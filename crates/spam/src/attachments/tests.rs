//! Attached files of all sorts, made here byte by byte.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::{any, proptest};

use super::{Kind, look};
use crate::limits;
use crate::sight::{Part, Sight};

mod large;
mod ways;
mod wrapped;

fn sight(name: &str, media_type: &str, content: &[u8]) -> Sight {
    Sight {
        parts: vec![Part {
            media_type: media_type.to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            is_attachment: true,
            size: content.len(),
            content: content.to_vec(),
            ..Part::default()
        }],
        ..Sight::default()
    }
}

fn kinds(name: &str, content: &[u8]) -> Vec<Kind> {
    let found = look(&sight(name, "application/octet-stream", content));
    found.into_iter().map(|one| one.kind).collect()
}

fn program() -> Vec<u8> {
    let mut bytes = b"MZ\x90\x00".to_vec();
    bytes.resize(256, 0);
    bytes
}

/// A zip archive; `flags` of each file: bit 0 is a password.
fn zip(files: &[(&str, &[u8], u16)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, content, flags) in files {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
        packer.write_all(content).unwrap();
        let packed = packer.finish().unwrap();
        let start = u32::try_from(out.len()).unwrap();
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(flags.to_le_bytes());
        common.extend(8_u16.to_le_bytes());
        common.extend([0; 8]);
        common.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(common);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length) = (out.len(), directory.len());
    out.extend(directory);
    out.extend(b"PK\x05\x06");
    out.extend([0; 8]);
    out.extend(u32::try_from(length).unwrap().to_le_bytes());
    out.extend(u32::try_from(start).unwrap().to_le_bytes());
    out.extend([0; 2]);
    out
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut out = name.as_bytes().to_vec();
    out.resize(124, 0);
    out.extend(format!("{:011o}\0", content.len()).as_bytes());
    out.resize(257, 0);
    out.extend(b"ustar\x0000");
    out.resize(512, 0);
    out.extend(content);
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}

#[test]
fn names_and_contents() {
    let program = program();
    let table: &[(&str, &[u8], &[Kind])] = &[
        ("notes.txt", b"hello", &[]),
        ("photo.jpg", b"\xff\xd8\xff\xe0", &[]),
        ("setup.exe", &program, &[Kind::Program]),
        ("setup", &program, &[Kind::Program]),
        ("report.pdf", &program, &[Kind::Program, Kind::FalseType]),
        (
            "invoice.pdf.exe",
            &program,
            &[Kind::Program, Kind::DoubleExtension],
        ),
        (
            "ann\u{202e}fdp.exe",
            &program,
            &[Kind::Program, Kind::ReversedName],
        ),
        ("example.com", b"see our pages", &[]),
        ("run.js", b"WScript", &[Kind::Script]),
        ("a.lnk", b"L\x00\x00\x00\x01\x14\x02\x00", &[Kind::Shortcut]),
        ("a.one", b"x", &[Kind::Notebook]),
        ("a.iso", b"x", &[Kind::DiskImage]),
        ("sheet.docm", b"x", &[Kind::Macros]),
        ("page.html", b"<p>hello", &[Kind::Page]),
        ("logo.svg", b"<svg><path/></svg>", &[]),
        (
            "logo.svg",
            b"<svg onload='x()'></svg>",
            &[Kind::ScriptedPage],
        ),
        (
            "a.html",
            b"<script>document.write(atob('x'))</script>",
            &[Kind::SmugglingPage],
        ),
        ("a.jpg", b"Rar!\x1a\x07\x01\x00", &[Kind::FalseType]),
        (
            "a.rtf",
            b"{\\rtf1{\\*\\template http://evil.example/a}",
            &[Kind::RemoteTemplate],
        ),
    ];
    for (name, content, want) in table {
        assert_eq!(kinds(name, content), *want, "{name}");
    }
}

#[test]
fn what_archives_hide() {
    let program = program();
    let inner = zip(&[("invoice.exe", &program, 0)]);
    let twice = zip(&[("more.zip", &inner, 0)]);
    let table: &[(&str, Vec<u8>, &[Kind])] = &[
        ("a.zip", zip(&[("readme.txt", b"hello", 0)]), &[]),
        ("a.zip", inner.clone(), &[Kind::Program]),
        ("a.zip", twice, &[Kind::Program]),
        // By its content, whatever it is called.
        ("a.zip", zip(&[("invoice.dat", &program, 0)]), &[Kind::Program]),
        ("a.zip", zip(&[("x.pdf.js", b"1", 0)]), &[Kind::Script, Kind::DoubleExtension]),
        ("a.zip", zip(&[("scan.pdf", b"%PDF-1.4", 1)]), &[Kind::LockedArchive]),
        // A lock does not hide names.
        ("a.zip", zip(&[("scan.exe", b"?", 1)]), &[Kind::Program, Kind::LockedArchive]),
        ("a.gz", gzip(&program), &[Kind::Program]),
        // Broken, but its name tells.
        ("a.exe.bz2", b"BZh9".to_vec(), &[Kind::Program, Kind::TooDeep]),
        ("a.tar", tar("b.scr", &program), &[Kind::Program]),
        ("a.tgz", gzip(&tar("b.dat", &program)), &[Kind::Program]),
        ("a.docx", zip(&[("[Content_Types].xml", b"<x/>", 0), ("word/document.xml", b"<x/>", 0)]), &[]),
        (
            "a.docx",
            zip(&[("[Content_Types].xml", b"<x/>", 0), ("word/vbaProject.bin", b"x", 0)]),
            &[Kind::Macros],
        ),
        (
            "a.docx",
            zip(&[
                ("[Content_Types].xml", b"<x/>", 0),
                (
                    "word/_rels/settings.xml.rels",
                    b"<Relationship Type=\"x/attachedTemplate\" Target=\"https://evil.example/t.dotm\" TargetMode=\"External\"/>",
                    0,
                ),
            ]),
            &[Kind::RemoteTemplate],
        ),
    ];
    for (name, content, want) in table {
        assert_eq!(kinds(name, content), *want, "{name}");
    }
}

#[test]
fn an_archive_that_was_cut_still_names_its_files() {
    let mut whole = zip(&[("invoice.exe", &program(), 0), ("b.txt", b"hello", 0)]);
    whole.truncate(60);
    assert_eq!(kinds("a.zip", &whole), [Kind::Program]);
}

#[test]
fn archives_in_archives_end_somewhere() {
    let mut content = zip(&[("a.txt", b"hello", 0)]);
    for _ in 0..10 {
        content = zip(&[("a.zip", &content, 0)]);
    }
    assert_eq!(kinds("a.zip", &content), [Kind::TooDeep]);
    // Names are read, the contents only as far as the budget goes; where it ends, that is said.
    let zeros = vec![0; 10 * 1024 * 1024];
    let files = |name, many| -> Vec<(&str, &[u8], u16)> { vec![(name, zeros.as_slice(), 0); many] };
    assert_eq!(kinds("a.zip", &zip(&files("zeros.dat", 30))), []);
    let text = limits::UNPACKED_BYTES_MAX / limits::UNPACKED_HEAD_BYTES + 1;
    let long = vec![b'a'; limits::UNPACKED_HEAD_BYTES];
    let many = vec![("long.dat", long.as_slice(), 0); text];
    assert_eq!(kinds("a.zip", &zip(&many)), [Kind::TooDeep]);
}

#[test]
fn old_documents_with_macros() {
    let mut ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    ole.resize(512, 0);
    assert_eq!(kinds("a.doc", &ole), []);
    ole.extend("_VBA_PROJECT".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(kinds("a.doc", &ole), [Kind::Macros]);
    let mut locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    locked.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(kinds("a.docx", &locked), [Kind::LockedArchive]);
}

#[test]
fn names_in_rar_archives() {
    // Version 4: the main header, then a file "a.exe" with a password.
    let mut rar = b"Rar!\x1a\x07\x00".to_vec();
    rar.extend([0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]);
    let mut file = vec![0, 0, 0x74, 4, 0x80, 37, 0];
    file.resize(26, 0);
    file.extend([5, 0]);
    file.resize(32, 0);
    file.extend(b"a.exe");
    rar.extend(file);
    assert_eq!(kinds("a.rar", &rar), [Kind::Program, Kind::LockedArchive]);
    // Version 5: one file, "b.js".
    let mut rar = b"Rar!\x1a\x07\x01\x00".to_vec();
    let body = [2, 0, 0, 10, 0, 0, 0, 4, b'b', b'.', b'j', b's'];
    rar.extend([0, 0, 0, 0, u8::try_from(body.len()).unwrap()]);
    rar.extend(body);
    assert_eq!(kinds("b.rar", &rar), [Kind::Script]);
    // Version 5 with locked names.
    let locked = b"Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x02\x04\x00";
    assert_eq!(kinds("c.rar", locked), [Kind::LockedArchive]);
}

#[test]
fn names_in_7z_archives() {
    let archive = |header: &[u8]| {
        let mut out = b"7z\xbc\xaf\x27\x1c\x00\x04\x00\x00\x00\x00".to_vec();
        out.extend(0_u64.to_le_bytes());
        out.extend(u64::try_from(header.len()).unwrap().to_le_bytes());
        out.extend([0; 4]);
        out.extend(header);
        out
    };
    let mut open = vec![0x01, 0x05, 0x01, 0x11, 13, 0];
    open.extend("a.exe\0".encode_utf16().flat_map(u16::to_le_bytes));
    open.extend([0, 0]);
    assert_eq!(kinds("a.7z", &archive(&open)), [Kind::Program]);
    // A packed header: one stream, one coder, which is encryption.
    let locked = [
        0x17, 0x06, 0x00, 0x01, 0x09, 0x10, 0x00, 0x07, 0x0b, 0x01, 0x00, 0x01, 0x04, 0x06, 0xf1,
        0x07, 0x01, 0x0c, 0x10, 0x00, 0x00,
    ];
    assert_eq!(kinds("a.7z", &archive(&locked)), [Kind::LockedArchive]);
}

#[test]
fn what_outlook_bundles() {
    let mut tnef = b"\x78\x9f\x3e\x22\x01\x00".to_vec();
    let name = b"offer.vbs\0";
    tnef.push(2);
    tnef.extend(0x0001_8010_u32.to_le_bytes());
    tnef.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
    tnef.extend(name);
    tnef.extend([0, 0]);
    assert_eq!(kinds("winmail.dat", &tnef), [Kind::Script]);
}

#[test]
fn a_file_in_an_archive_is_named_with_it() {
    let found = look(&sight(
        "a.zip",
        "application/zip",
        &zip(&[("x/b.exe", b"?", 0), ("c.txt", b"", 0)]),
    ));
    assert_eq!(found[0].file, "a.zip > b.exe");
    assert_eq!(found[0].among, 2);
}

proptest! {
    #[test]
    fn nothing_panics(start in 0_usize..12, name in ".{0,40}", noise: Vec<u8>, cut in any::<u16>()) {
        let good = [
            zip(&[("a.exe", &program(), 0), ("b.zip", &zip(&[("c.js", b"1", 0)]), 0)]),
            gzip(&tar("a.exe", &program())),
            tar("x.zip", &zip(&[("a", b"b", 1)])),
            b"Rar!\x1a\x07\x00".to_vec(),
            b"Rar!\x1a\x07\x01\x00".to_vec(),
            b"7z\xbc\xaf\x27\x1c\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00".to_vec(),
            b"\x78\x9f\x3e\x22\x01\x00\x02\x10\x80\x01\x00".to_vec(),
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            b"<svg onload=".to_vec(),
            b"{\\rtf".to_vec(),
            b"PK\x03\x04".to_vec(),
            Vec::new(),
        ];
        let mut content = good[start].clone();
        let at = usize::from(cut) % (content.len() + 1);
        content.truncate(at);
        content.extend(&noise);
        content.extend(good[start].get(at..).unwrap_or_default());
        look(&sight(&name, "application/octet-stream", &content));
    }
}
