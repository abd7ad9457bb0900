//! Archives larger than what is decoded of other files, in whole messages, and what documents' marks may hide.

use super::*;

/// Bytes that do not shrink.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(length);
    out
}

fn photo() -> Vec<u8> {
    let mut photo = b"\xff\xd8\xff\xe0".to_vec();
    photo.extend(noise(900_000));
    photo
}

/// A message as it came, with these files.
fn message(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n".to_vec();
    for (name, content) in files {
        let head = format!(
            "--x\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        out.extend(head.as_bytes());
        out.extend(mail::transfer::encode_base64(content).as_bytes());
        out.extend(b"\r\n");
    }
    out.extend(b"--x--\r\n");
    out
}

fn kinds_in(files: &[(&str, &[u8])]) -> Vec<Kind> {
    let found = look(&Sight::of(&message(files)));
    found.into_iter().map(|one| one.kind).collect()
}

#[test]
fn a_large_archive_is_looked_into_whole() {
    let photo = photo();
    let program = program();
    let honest = zip(&[("photo.jpg", &photo, 0), ("note.txt", b"hello", 0)]);
    assert_eq!(kinds_in(&[("a.zip", &honest)]), []);
    let large = zip(&[("photo.jpg", &photo, 0), ("invoice.exe", &program, 0)]);
    assert_eq!(kinds_in(&[("a.zip", &large)]), [Kind::Program]);
    // By its content too, and in an archive in the archive.
    let by_content = zip(&[("photo.jpg", &photo, 0), ("invoice.dat", &program, 0)]);
    assert_eq!(kinds_in(&[("a.zip", &by_content)]), [Kind::Program]);
    let twice = zip(&[("b.jpg", &photo, 0), ("more.zip", &large, 0)]);
    assert_eq!(kinds_in(&[("a.zip", &twice)]), [Kind::Program]);
    let locked = zip(&[("photo.jpg", &photo, 1)]);
    assert_eq!(kinds_in(&[("a.zip", &locked)]), [Kind::LockedArchive]);
}

#[test]
fn an_archive_behind_many_other_files_is_looked_into() {
    let photo = photo();
    let large = zip(&[("photo.jpg", &photo, 0), ("invoice.exe", &program(), 0)]);
    let mut files: Vec<(&str, &[u8])> = vec![("photo.jpg", &photo); 6];
    files.push(("a.zip", &large));
    assert_eq!(kinds_in(&files), [Kind::Program]);
    assert_eq!(kinds_in(&files[..6]), []);
}

#[test]
fn packed_tar_archives_are_passed_over() {
    let mut whole = tar("photo.jpg", &photo());
    whole.truncate(whole.len() - 1024);
    whole.extend(tar("more.jpg", &photo()));
    whole.truncate(whole.len() - 1024);
    whole.extend(tar("run.js", b"1"));
    assert_eq!(kinds_in(&[("a.tar", &whole)]), [Kind::Script]);
    assert_eq!(kinds_in(&[("a.tgz", &gzip(&whole))]), [Kind::Script]);
    // More than is passed over of so small a file.
    let long = vec![0; 2 * limits::UNPACKED_COST_MIN];
    let bomb = gzip(&tar("zeros.dat", &long));
    assert_eq!(kinds_in(&[("a.tgz", &bomb)]), [Kind::TooDeep]);
}

#[test]
fn a_7z_archive_has_its_names_at_the_end() {
    let packed = noise(1_500_000);
    let mut header = vec![0x01, 0x05, 0x01, 0x11, 13, 0];
    header.extend("a.exe\0".encode_utf16().flat_map(u16::to_le_bytes));
    header.extend([0, 0]);
    let mut archive = b"7z\xbc\xaf\x27\x1c\x00\x04\x00\x00\x00\x00".to_vec();
    archive.extend(u64::try_from(packed.len()).unwrap().to_le_bytes());
    archive.extend(u64::try_from(header.len()).unwrap().to_le_bytes());
    archive.extend([0; 4]);
    archive.extend(packed);
    archive.extend(header);
    assert_eq!(kinds_in(&[("a.7z", &archive)]), [Kind::Program]);
}

#[test]
fn what_was_cut_is_not_called_harmless() {
    let mut sight = sight("a.zip", "application/zip", &zip(&[("photo.jpg", b"x", 0)]));
    assert_eq!(look(&sight), []);
    sight.parts[0].is_cut = true;
    assert_eq!(look(&sight)[0].kind, Kind::TooDeep);
    // A picture, a text or a PDF that was cut is one.
    sight.parts[0].content = photo();
    sight.parts[0].name = Some("photo.jpg".to_owned());
    assert_eq!(look(&sight), []);
}

#[test]
fn the_mark_of_a_document_hides_nothing() {
    let program = program();
    for mark in [
        "mimetype",
        "[Content_Types].xml",
        "content.xml",
        "META-INF/container.xml",
    ] {
        for name in ["a.zip", "a.odt", "a.docx", ""] {
            let with = |file: &str, content: &[u8], flags| {
                kinds(name, &zip(&[(mark, b"", 0), (file, content, flags)]))
            };
            let what = format!("{mark} in {name}");
            assert_eq!(with("invoice.exe", &program, 0), [Kind::Program], "{what}");
            assert_eq!(with("invoice.js", b"1", 0), [Kind::Script], "{what}");
            assert_eq!(with("a.lnk", b"x", 0), [Kind::Shortcut], "{what}");
            assert_eq!(with("a.txt", b"x", 1), [Kind::LockedArchive], "{what}");
            assert_eq!(with("invoice.dat", &program, 0), [Kind::Program], "{what}");
            let inner = zip(&[("invoice.exe", &program, 0)]);
            assert_eq!(with("more.zip", &inner, 0), [Kind::Program], "{what}");
            assert_eq!(with("word/theme/theme1.xml", b"<?xml?>", 0), [], "{what}");
            assert_eq!(with("word/media/a.png", b"\x89PNG\r\n", 0), [], "{what}");
        }
    }
}

#[test]
fn a_name_too_many_is_told_of() {
    let file = |name: &[u8]| {
        let mut body = vec![2, 0, 0, 10, 0, 0, 0, u8::try_from(name.len()).unwrap()];
        body.extend(name);
        let mut block = vec![0, 0, 0, 0, u8::try_from(body.len()).unwrap()];
        block.extend(body);
        block
    };
    let mut rar = b"Rar!\x1a\x07\x01\x00".to_vec();
    for _ in 0..limits::ARCHIVE_NAMES_MAX {
        rar.extend(file(b"a.txt"));
    }
    assert_eq!(kinds("a.rar", &rar), []);
    rar.extend(file(b"b.exe"));
    assert_eq!(kinds("a.rar", &rar), [Kind::TooDeep]);
}

#[test]
fn many_of_one_kind_hide_none_of_another() {
    let names: Vec<String> = (0..500).map(|at| format!("{at}.js")).collect();
    let mut files: Vec<(&str, &[u8], u16)> =
        names.iter().map(|name| (&**name, &b""[..], 0)).collect();
    let program = program();
    files.push(("z.exe", &program, 0));
    assert!(kinds("a.zip", &zip(&files)).contains(&Kind::Program));
}

#[test]
fn the_second_of_two_types_is_believed_too() {
    let archive = mail::transfer::encode_base64(&zip(&[("invoice.exe", &program(), 0)]));
    let attached = format!(
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{archive}--x--\r\n"
    );
    let at_top = format!("Content-Type: text/plain\r\n{attached}");
    let inside = format!(
        "Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain\r\n{attached}--y--\r\n"
    );
    for message in [&attached, &at_top, &inside] {
        let found = look(&Sight::of(message.as_bytes()));
        let kinds: Vec<Kind> = found.into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Program], "{message}");
    }
}

#[test]
fn names_of_many_archives_have_a_bound_together() {
    let inner: Vec<(&str, &[u8], u16)> = vec![("a", b"", 0); limits::ARCHIVE_NAMES_MAX - 1];
    let inner = zip(&inner);
    let few = vec![("b.zip", inner.as_slice(), 0); 3];
    assert_eq!(kinds("a.zip", &zip(&few)), []);
    let many = vec![("b.zip", inner.as_slice(), 0); 12];
    let found = kinds("a.zip", &zip(&many));
    assert!(found.contains(&Kind::TooDeep), "{found:?}");
}
