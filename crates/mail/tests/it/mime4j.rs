//! The trees that Apache mime4j expects: fields, nesting, and raw content of each part.

use std::fs;
use std::path::Path;

use mail::structure::{Kind, Part, Structure};

use crate::corpora;

/// Where we read something else, with the reason.
const DIFFERENT: &[(&str, &str)] = &[];

#[test]
fn trees_of_mime4j() {
    let Some(folder) = corpora::folder("mime-messages") else { return };
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

#[test]
#[ignore = "for looking at one difference: MIME4J=name"]
fn show_one() {
    let Some(folder) = corpora::folder("mime-messages") else { return };
    let name = std::env::var("MIME4J").unwrap();
    for path in corpora::files(&folder.join("mime4j")) {
        if path.file_name().unwrap() == format!("{name}.msg").as_str() {
            println!("ours:\n{}\ntheirs:\n{}", ours(&fs::read(&path).unwrap()), theirs(&path.with_extension("xml")));
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
        let content = || unescape(after.split('<').next().unwrap().strip_prefix("\r\n").or(after.split('<').next().unwrap().strip_prefix('\n')).unwrap_or(after.split('<').next().unwrap()));
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
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
