//! Rules that a reviewer would otherwise have to remember, each checked over the whole tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file. Tables and data belong into files of their own.
const FILE_LINES_MAX: usize = 800;

/// Which rooms a room may use; the order is the order of the house. `ARCHITECTURE.md` says why.
const ARROWS: &[(&str, &[&str])] = &[
    ("mail", &[]),
    ("wire", &["mail"]),
    ("world", &["wire"]),
    ("mailauth", &["mail", "world"]),
    ("doctor", &["mail"]),
    ("spam", &["mail"]),
    ("store", &["mail"]),
    (
        "mta",
        &[
            "mail", "wire", "world", "mailauth", "doctor", "spam", "store",
        ],
    ),
    ("access", &["mail", "wire", "world", "store"]),
    (
        "jobs",
        &["mail", "world", "mailauth", "doctor", "spam", "store"],
    ),
    ("web", &["mail", "world", "mailauth", "doctor", "store"]),
    (
        "postroad",
        &[
            "mail", "wire", "world", "mailauth", "doctor", "spam", "store", "mta", "access",
            "jobs", "web",
        ],
    ),
    (
        "simulator",
        &[
            "mail", "wire", "world", "mailauth", "doctor", "spam", "store", "mta", "access",
            "jobs", "web", "postroad",
        ],
    ),
];

/// Rooms without clock, socket, file or global.
const PURE: &[&str] = &["mail", "wire", "doctor", "spam"];

#[test]
fn arrows_go_one_way() {
    for (room, allowed) in ARROWS {
        let manifest: toml::Table = read(&root().join("crates").join(room).join("Cargo.toml"))
            .parse()
            .unwrap();
        let used = manifest["dependencies"].as_table().unwrap().keys();
        for other in used.filter(|name| ARROWS.iter().any(|(room, _)| room == name)) {
            assert!(
                allowed.contains(&other.as_str()),
                "crates/{room} must not use {other}"
            );
        }
    }
    let rooms: Vec<_> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let mut found = names_in(&root().join("crates"));
    found.sort_by_key(|name| rooms.iter().position(|room| room == name));
    assert_eq!(found, rooms, "every room has its place in ARROWS");
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in sources() {
        assert!(
            text.starts_with("//!"),
            "{} does not open with what it is",
            path.display()
        );
    }
}

#[test]
fn files_stay_short() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= FILE_LINES_MAX,
            "{} has {lines} lines: is it one idea?",
            path.display()
        );
    }
}

#[test]
fn pure_rooms_touch_nothing() {
    let doors = [
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "tokio",
    ];
    for (path, text) in sources() {
        let pure = PURE
            .iter()
            .any(|room| path.starts_with(root().join("crates").join(room).join("src")));
        if !pure || is_test(&path) {
            continue;
        }
        for door in doors {
            assert!(
                !code(&text).contains(door),
                "{} uses {door}",
                path.display()
            );
        }
    }
}

#[test]
fn tests_do_not_sleep() {
    // Spelled so that this file does not find itself.
    let naps = [concat!("thread::", "sleep"), concat!("time::", "sleep(")];
    for (path, text) in sources() {
        let bench = path.starts_with(root().join("bench"));
        for nap in naps {
            assert!(
                bench || !code(&text).contains(nap),
                "{} sleeps: wait for what you wait for",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
    ];
    for (path, text) in sources() {
        for mark in marks {
            assert!(!text.contains(mark), "{} holds {mark}", path.display());
        }
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut broken = BTreeMap::new();
    for path in documents() {
        let text = read(&path);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#', ' ']).next())
        {
            let outside =
                target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !path.parent().unwrap().join(target).exists() {
                broken.insert(path.clone(), target.to_owned());
            }
        }
    }
    assert_eq!(broken, BTreeMap::new());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn names_in(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for top in ["crates", "bench", "tidy", "fuzz"] {
        walk(&root().join(top), "rs", &mut found);
    }
    found
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join("docs"), "md", &mut found);
    found.extend(["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|name| root().join(name)));
    found
}

fn walk(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

/// The text without its comments, roughly.
fn code(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}
