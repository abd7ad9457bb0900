//! The large archives of real mail: nothing there may break the reader.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, process};

use crate::{corpora, messages};

#[test]
fn spam_csdmc2010() {
    each_message("spam-csdmc2010", 1);
}

#[test]
fn spam_foff_2025() {
    each_message("spam-foff-2025", 1);
}

#[test]
fn spam_sa_testdata() {
    each_message("spam-sa-testdata", 1);
}

#[test]
fn spam_spamassassin_public() {
    each_message("spam-spamassassin-public", 1);
}

#[test]
fn synthetic_mailboxes() {
    each_message("synthetic-mailboxes-mxhero", 20);
}

/// A folder that goes away at the end of the test.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn each_message(corpus: &str, step: usize) {
    let Some(folder) = corpora::folder(corpus) else {
        return;
    };
    let scratch =
        Scratch(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{corpus}-{}", process::id())));
    fs::create_dir_all(&scratch.0).unwrap();
    for archive in corpora::files(&folder)
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "gz"))
    {
        let status = Command::new("tar")
            .arg("-xzf")
            .arg(archive)
            .arg("-C")
            .arg(&scratch.0)
            .status();
        if !status.as_ref().is_ok_and(process::ExitStatus::success) {
            println!(
                "skipped: {} cannot be unpacked: {status:?}",
                archive.display()
            );
            return;
        }
    }
    let files = corpora::files(&scratch.0);
    assert!(!files.is_empty());
    for path in files.iter().step_by(step) {
        messages::check(&path.display().to_string(), &fs::read(path).unwrap());
    }
}
