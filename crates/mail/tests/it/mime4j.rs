//! The trees that Apache mime4j expects: fields, nesting, and raw content of each part.

use std::fs;
use std::path::Path;

use mail::structure::{Kind, Part, Structure};

use crate::corpora;

/// Where we read something else, with the reason.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "badbound",
        "a multipart whose boundary never comes is shown as text; IMAP has no multipart without parts",
    ),
    ("missing-inner-boundary", "the same"),
    (
        "multi-2gifs-base64",
        "an encoded message/rfc822 (forbidden, RFC 2046 §5.2.1) cannot be opened: offsets are into the bytes",
    ),
    (
        "malformedHeaderStartsBody-nocrlfcrlf",
        "a header ends with an empty line and with nothing else, as for DKIM",
    ),
    ("malformedHeaderStartsBody-noheader", "the same"),
    (
        "weird-boundary",
        "white space at the end of a boundary is not part of it (RFC 2046 §5.1.1): relays strip it",
    ),
    ("very-very-long-boundary", "the same"),
];

#[test]
fn trees_of_mime4j() {
    let Some(folder) = corpora::folder("mime-messages") else {
        return;
    };
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in corpora::files(&folder.join("mime4j")) {
        if path.extension().is_none_or(|end| end != "msg") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        count += 1;
        let same = ours(&fs::read(&path).unwrap()) == theirs(&path.with_extension("xml"));
        let known = DIFFERENT.iter().any(|(known, _)| *known == name);
        if same == known {
            wrong.push(name);
        }
    }
    assert_eq!(count, 41);
    assert_eq!(wrong, Vec::<String>::new());
}

/// Undone transfer encodings: the files that the decoded event stream names, in order.
#[test]
fn contents_of_mime4j() {
    let Some(folder) = corpora::folder("mime-messages") else {
        return;
    };
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in corpora::files(&folder.join("mime4j")) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|end| end != "msg")
            || DIFFERENT.iter().any(|(known, _)| *known == name)
        {
            continue;
        }
        let Ok(xml) = fs::read(path.with_file_name(format!("{name}_decoded.xml"))) else {
            continue;
        };
        let xml = latin(&xml);
        let bytes = fs::read(&path).unwrap();
        let structure = Structure::of(&bytes);
        let leaves: Vec<_> = structure
            .parts()
            .iter()
            .filter(|part| part.kind == Kind::Leaf)
            .collect();
        let files: Vec<_> = xml
            .split("-body name=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        for (leaf, file) in leaves.iter().zip(&files) {
            let want = fs::read(path.with_file_name(file)).unwrap();
            let got = mail::decode_transfer(&bytes[leaf.body.clone()], leaf.encoding);
            let lines = |bytes: &[u8]| {
                bytes
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\r')
                    .collect::<Vec<_>>()
            };
            if lines(&got) != lines(&want)
                && mail::charset::decode(&got, leaf.charset().as_deref()) != latin(&want)
            {
                wrong.push((*file).to_owned());
            }
            count += 1;
        }
        if leaves.len() != files.len() {
            wrong.push(format!(
                "{name}: {} leaves, {} files",
                leaves.len(),
                files.len()
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count > 60, "{count}");
}

#[test]
#[ignore = "for looking at one difference: MIME4J=name"]
fn show_one() {
    let Some(folder) = corpora::folder("mime-messages") else {
        return;
    };
    let name = std::env::var("MIME4J").unwrap();
    for path in corpora::files(&folder.join("mime4j")) {
        if path.file_name().unwrap() == format!("{name}.msg").as_str() {
            println!(
                "ours:\n{}\ntheirs:\n{}",
                ours(&fs::read(&path).unwrap()),
                theirs(&path.with_extension("xml"))
            );
        }
    }
}

/// One line per field and body, indented by depth; line ends made equal.
fn ours(bytes: &[u8]) -> String {
    let structure = Structure::of(bytes);
    let mut out = String::new();
    show(bytes, &structure, structure.root(), 0, &mut out);
    out
}

fn show(bytes: &[u8], structure: &Structure, part: &Part, depth: usize, out: &mut String) {
    for field in mail::header::fields(&bytes[part.header.clone()]) {
        if !field.name.is_empty() {
            let whole = &bytes[part.header.clone()][field.start..field.end];
            line(out, depth, "field", &String::from_utf8_lossy(whole));
        }
    }
    match &part.kind {
        Kind::Leaf => line(out, depth, "body", &latin(&bytes[part.body.clone()])),
        Kind::Multipart { children } => {
            line(out, depth, "multipart", "");
            for &child in children {
                show(bytes, structure, &structure.parts()[child], depth + 1, out);
            }
        }
        Kind::Message { child, .. } => {
            line(out, depth, "message", "");
            if let Some(child) = child {
                show(bytes, structure, &structure.parts()[*child], depth + 1, out);
            }
        }
    }
}

fn latin(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn line(out: &mut String, depth: usize, what: &str, content: &str) {
    let content = content.replace("\r\n", "\n");
    let content = content.strip_suffix('\n').unwrap_or(&content);
    out.push_str(&format!("{depth} {what} {content:?}\n"));
}

/// The same from the event stream. Preambles and epilogues are left out: IMAP has no number for them.
fn theirs(path: &Path) -> String {
    let xml = latin(&fs::read(path).unwrap());
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut rest = xml.as_str();
    // The first message is the root: no level of its own.
    let mut messages = 0;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap();
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        let content = || {
            unescape(
                after
                    .split('<')
                    .next()
                    .unwrap()
                    .strip_prefix("\r\n")
                    .or(after.split('<').next().unwrap().strip_prefix('\n'))
                    .unwrap_or(after.split('<').next().unwrap()),
            )
        };
        match tag {
            "message" => {
                if messages > 0 {
                    line(&mut out, depth, "message", "");
                    depth += 1;
                }
                messages += 1;
            }
            "/message" => {
                messages -= 1;
                depth = depth.saturating_sub(1);
            }
            "multipart" => line(&mut out, depth, "multipart", ""),
            "body-part" => depth += 1,
            "/body-part" => depth -= 1,
            "field" => line(&mut out, depth, "field", &content()),
            "body" => line(&mut out, depth, "body", &content()),
            _ => {}
        }
    }
    out
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
