//! The large archives of real mail: nothing there may break the reader.

use std::path::PathBuf;
use std::process::Command;

use crate::{corpora, messages};

#[test]
fn spam_csdmc2010() {
    each_message("spam-csdmc2010", 1, 1008);
}

#[test]
fn spam_foff_2025() {
    each_message("spam-foff-2025", 1, 301);
}

#[test]
fn spam_sa_testdata() {
    each_message("spam-sa-testdata", 1, 52);
}

#[test]
fn spam_spamassassin_public() {
    each_message("spam-spamassassin-public", 1, 3161);
}

#[test]
fn synthetic_mailboxes() {
    each_message("synthetic-mailboxes-mxhero", 20, 19000);
}

/// Every `step`th message of an archive that holds about `wanted` of them.
fn each_message(corpus: &str, step: usize, wanted: usize) {
    let Some(folder) = corpora::folder(corpus) else {
        return;
    };
    let is_archive = |path: &&PathBuf| path.extension().is_some_and(|end| end == "gz");
    for archive in corpora::files(&folder).iter().filter(is_archive) {
        let unpacked = Command::new("gzip").arg("-dc").arg(archive).output();
        let Ok(unpacked) = unpacked.map(|output| output.stdout) else {
            println!("skipped: {}, for want of gzip", archive.display());
            return;
        };
        let entries = entries(&unpacked);
        let count = entries.len();
        assert!(
            count >= wanted && count < wanted + 200,
            "{corpus} holds {count}"
        );
        for (name, bytes) in entries.into_iter().step_by(step) {
            messages::check(&name, bytes);
        }
    }
}

/// The plain files of a tar archive; names are only for messages of failing tests.
fn entries(archive: &[u8]) -> Vec<(String, &[u8])> {
    const BLOCK: usize = 512;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + BLOCK) {
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next().unwrap();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).unwrap_or(0);
        let content = &archive[(at + BLOCK).min(archive.len())..][..size];
        if matches!(header[156], b'0' | 0) && size > 0 {
            found.push((text(0, 100), content));
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    found
}
