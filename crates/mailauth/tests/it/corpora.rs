//! Canonical forms against signed messages of others, from the shared test data when present.

use std::fs;
use std::path::PathBuf;

use crate::verifier::{Record, signatures, tag, verify};

fn vectors() -> Option<PathBuf> {
    let shared = std::env::var_os("POSTROAD_SHARED")
        .map(PathBuf::from)
        .or_else(|| {
            let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            here.ancestors()
                .map(|folder| folder.join("../shared"))
                .find(|path| path.is_dir())
        });
    let folder = shared?.join("corpora/dkim-vectors/mail-dkim");
    folder.is_dir().then_some(folder)
}

/// name, record pairs of a zone in the `FAKE_DNS.dat` form.
fn record(zone: &str, name: &str) -> Option<Record> {
    zone.lines().find_map(|line| {
        let (found, text) = line.split_once(char::is_whitespace)?;
        if !found.eq_ignore_ascii_case(name) {
            return None;
        }
        Record::parse(text.trim().trim_matches('"'))
    })
}

#[test]
fn relaxed_vectors_verify() {
    let Some(folder) = vectors() else {
        println!("skipped: dkim-vectors/mail-dkim (37 messages) is not here");
        return;
    };
    let zone = fs::read_to_string(folder.join("FAKE_DNS.dat")).unwrap();
    let expected = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut checked = 0;
    for row in expected.lines() {
        let mut columns = row.split('\t');
        let (Some(file), Some("pass")) = (columns.next(), columns.next()) else {
            continue;
        };
        let path = folder.join("corpus").join(file);
        let Ok(bytes) = fs::read(&path) else { continue };
        let message = if memchr::memmem::find(&bytes, b"\r\n").is_some() {
            bytes
        } else {
            String::from_utf8_lossy(&bytes)
                .replace('\n', "\r\n")
                .into_bytes()
        };
        for signature in signatures(&message) {
            let text = String::from_utf8_lossy(&signature).into_owned();
            // What the small verifier knows: relaxed/relaxed, the whole body, today's algorithms.
            if tag(&text, "c").as_deref() != Some("relaxed/relaxed")
                || tag(&text, "l").is_some()
                || tag(&text, "a").is_none_or(|name| name.ends_with("sha1"))
            {
                continue;
            }
            let name = format!(
                "{}._domainkey.{}",
                tag(&text, "s").unwrap_or_default(),
                tag(&text, "d").unwrap_or_default()
            );
            let Some(record) = record(&zone, &name) else {
                continue;
            };
            // Short keys are refused by the verifier's own bound, not by the canonical form.
            if record.kind == "rsa" && record.key.len() < 250 {
                continue;
            }
            verify(&message, &signature, &record).unwrap_or_else(|why| panic!("{file}: {why}"));
            checked += 1;
        }
    }
    println!("{checked} signatures of others verified");
}
