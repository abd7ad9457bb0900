//! Finding the outside test data, and reading its tables.

use std::path::{Path, PathBuf};

/// A folder of the shared corpora, or `None` with a word about what is skipped.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("POSTROAD_SHARED")
        .map(PathBuf::from)
        .or_else(|| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .ancestors()
                .map(|dir| dir.join("../shared"))
                .find(|dir| dir.join("corpora").is_dir())
        });
    let found = shared
        .map(|shared| shared.join("corpora").join(folder))
        .filter(|dir| dir.is_dir());
    if found.is_none() {
        println!("skipped: corpora/{folder} is not here");
    }
    found
}

/// The rows of a tab-separated table, without its head.
pub fn rows(table: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(table).expect("the table is readable");
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// `\r \n \t \v \f \0 \xHH \\`, `{A*N}`; `|` cuts a piece. As SOURCE.md of smtp-smuggling says.
pub fn pieces(text: &str) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let piece = pieces.last_mut().expect("there is always a last piece");
        match c {
            '|' => pieces.push(Vec::new()),
            '\\' => match chars.next().expect("something is escaped") {
                'r' => piece.push(b'\r'),
                'n' => piece.push(b'\n'),
                't' => piece.push(b'\t'),
                'v' => piece.push(0x0b),
                'f' => piece.push(0x0c),
                '0' => piece.push(0),
                'x' => {
                    let hex: String = chars.by_ref().take(2).collect();
                    piece.push(u8::from_str_radix(&hex, 16).expect("two hex digits"));
                }
                other => piece.extend(other.to_string().bytes()),
            },
            '{' => {
                let inside: String = chars.by_ref().take_while(|c| *c != '}').collect();
                match inside.split_once('*') {
                    Some((what, count)) => {
                        piece.extend(what.repeat(count.parse().expect("a count")).bytes());
                    }
                    // The beginning of a handshake record.
                    None if inside == "ClientHello" => piece.extend([0x16, 3, 1, 0, 200, 1, 0]),
                    None => panic!("what is {inside}?"),
                }
            }
            c => piece.extend(c.to_string().bytes()),
        }
    }
    pieces
}
