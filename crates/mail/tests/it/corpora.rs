//! Where the outside data lies: `shared/corpora` beside the repository, or under $POSTROAD_SHARED.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of the corpora; prints what is skipped when it is absent.
pub fn folder(name: &str) -> Option<PathBuf> {
    let from_variable =
        std::env::var_os("POSTROAD_SHARED").map(|shared| PathBuf::from(shared).join("corpora"));
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|dir| dir.join("shared/corpora"));
    let found = from_variable
        .into_iter()
        .chain(beside)
        .map(|dir| dir.join(name))
        .find(|dir| dir.is_dir());
    if found.is_none() {
        println!("skipped: corpora/{name} is absent, all of it");
    }
    found
}

/// All files below a folder, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found.sort();
    found
}

/// The messages of `mime-messages`, by its index.
pub fn mime_messages() -> Vec<(String, Vec<u8>)> {
    let Some(dir) = folder("mime-messages") else {
        return Vec::new();
    };
    let index = fs::read_to_string(dir.join("index.tsv")).unwrap();
    let names = index
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    names
        .map(|name| (name.to_owned(), fs::read(dir.join(name)).unwrap()))
        .collect()
}

/// With every line end a CRLF.
pub fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 30);
    for &byte in bytes {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
