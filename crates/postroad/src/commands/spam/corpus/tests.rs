//! Corpora are read whole, and messages that belong together are found.

use super::*;

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}

#[test]
fn directories_mboxes_and_groups() {
    let dir = tempfile::tempdir().expect("a directory");
    write(
        dir.path(),
        "ham/cur/1",
        "Subject: Lunch with the team\n\nAt noon.\n",
    );
    write(
        dir.path(),
        "ham/cur/2",
        "From a@b Mon Sep  2 12:29:58 2002\nSubject: Re: [x] lunch with the team 2\n\nFine: From here.\n",
    );
    write(dir.path(), "ham/tmp/3", "Subject: not delivered\n\n");
    write(
        dir.path(),
        "spam/box",
        "From a@b Mon Sep  2 12:29:58 2002\nSubject: Cheap pills for everybody\n\nbuy\n\nFrom c@d Mon Sep  2 12:29:59 2002\nSubject: x\n\nother\n",
    );
    let corpus = read(dir.path(), Groups::Found).expect("a corpus");
    assert_eq!(corpus.counts(), (2, 2));
    let groups: Vec<u64> = corpus.mails.iter().map(|mail| mail.group).collect();
    assert_eq!(groups[0], groups[1]);
    assert_ne!(groups[2], groups[3]);
    assert!(corpus.mails[1].bytes.starts_with(b"Subject"));
}

#[test]
fn an_index_with_an_archive() {
    let dir = tempfile::tempdir().expect("a directory");
    write(
        dir.path(),
        "index.tsv",
        "file\tlabel\tgroup\nham/a\tham\tg1\nspam/b\tspam\tg2\n",
    );
    let mut tar = Vec::new();
    for (name, text) in [
        ("ham/a", "Subject: a\n\n"),
        ("spam/b", "From x\nSubject: b\n\n"),
    ] {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        header[156] = b'0';
        tar.extend_from_slice(&header);
        tar.extend_from_slice(text.as_bytes());
        tar.resize(tar.len().div_ceil(512) * 512, 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let file = fs::File::create(dir.path().join("c.tar.gz")).expect("made");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &tar).expect("packed");
    packer.finish().expect("packed");
    let corpus = read(dir.path(), Groups::Found).expect("a corpus");
    assert_eq!(corpus.counts(), (1, 1));
    assert_eq!(corpus.mails[1].bytes, b"Subject: b\n\n");
}

#[test]
fn traces_go() {
    let message = b"Received: x\n y\nSubject: a\nX-A: b\nlist-id: c\n\nX-Not: d\n";
    assert_eq!(without_traces(message), b"Subject: a\n\nX-Not: d\n");
}
