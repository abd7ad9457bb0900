//! Messages in files: single ones, mbox files, and directories of them, maildirs included.

use std::fs;
use std::path::{Path, PathBuf};

use crate::output::Failure;

/// Shows each message of files and directories, in their order; what lies in a directory in the order of names.
pub fn each_message(
    paths: &[PathBuf],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for path in paths {
        walk(path, 0, each)?;
    }
    Ok(())
}

/// Directories in directories: a link in a circle ends here.
const DEPTH_MAX: usize = 16;

fn walk(
    path: &Path,
    depth: usize,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return of_file(&fs::read(path).map_err(failed)?, each);
    }
    if DEPTH_MAX < depth {
        return Ok(());
    }
    let mut names = fs::read_dir(path)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    names.sort();
    for name in names {
        let text = name.to_string_lossy();
        // What a maildir's delivery has not finished, and what a program keeps beside messages.
        let is_none = text == "tmp" || text.starts_with("dovecot") || is_dot_file(path, &text);
        if !is_none {
            walk(&path.join(&name), depth + 1, each)?;
        }
    }
    Ok(())
}

/// A maildir's folders begin with a dot, its lists too.
fn is_dot_file(path: &Path, name: &str) -> bool {
    name.starts_with('.') && !path.join(name).is_dir()
}

fn of_file(
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !bytes.starts_with(b"From ") {
        return match bytes.is_empty() {
            true => Ok(()),
            false => each(bytes),
        };
    }
    for message in mbox(bytes) {
        each(&message)?;
    }
    Ok(())
}

/// The messages of an mbox file: a line that begins with `From ` after an empty line (or at the beginning) begins one. RFC 4155
fn mbox(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_end();
        if after_empty && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            // One `>` was put before such a line of a text, and before one that had some already.
            let quoted = line.iter().take_while(|byte| **byte == b'>').count();
            let was_quoted = 0 < quoted
                && line
                    .get(quoted..)
                    .is_some_and(|rest| rest.starts_with(b"From "));
            message.extend_from_slice(line.get(usize::from(was_quoted)..).unwrap_or_default());
        }
        after_empty = bare.is_empty();
    }
    messages.retain(|message| !message.is_empty());
    messages
}

#[cfg(test)]
mod tests {
    use super::{each_message, mbox};

    #[test]
    fn an_mbox_is_cut_where_messages_begin() {
        let text = b"From a@b Mon\nSubject: 1\n\n>From here\n>>From there\nFrom within\n\nFrom c@d Tue\nSubject: 2\n\nx\n";
        let messages = mbox(text);
        assert_eq!(messages.len(), 2);
        assert_eq!(
            messages[0],
            b"Subject: 1\n\nFrom here\n>From there\nFrom within\n\n"
        );
    }

    #[test]
    fn directories_are_walked() {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in [
            ("cur/1:2,S", "Subject: a\n\n"),
            ("tmp/2", "Subject: no\n\n"),
            (".Archive/new/3", "Subject: b\n\n"),
            ("dovecot-uidlist", "no"),
            ("old.mbox", "From x\nSubject: c\n\nFrom y\nSubject: d\n\n"),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let mut seen = Vec::new();
        each_message(&[dir.path().to_owned()], &mut |message| {
            seen.push(String::from_utf8_lossy(message).trim().to_owned());
            Ok(())
        })
        .expect("walked");
        assert_eq!(
            seen,
            ["Subject: b", "Subject: a", "Subject: c", "Subject: d"]
        );
    }
}
