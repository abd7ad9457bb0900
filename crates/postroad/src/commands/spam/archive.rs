//! Messages in files: single ones, mbox files, and directories of them, maildirs included.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
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
    let failed = |error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        let file = BufReader::new(File::open(path).map_err(failed)?);
        return of_file(file, each).map_err(|error| match error {
            Error::Io(error) => failed(error),
            Error::Told(failure) => failure,
        });
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

/// One message, or all of an mbox file: there a line that begins with `From ` after an empty line (or at the beginning) begins one.
/// RFC 4155. Only one message at a time is in memory.
fn of_file(
    mut file: impl BufRead,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Error> {
    let is_mbox = file.fill_buf()?.starts_with(b"From ");
    if !is_mbox {
        let mut message = Vec::new();
        file.take(MESSAGE_BYTES_MAX).read_to_end(&mut message)?;
        return match message.is_empty() {
            true => Ok(()),
            false => Ok(each(&message)?),
        };
    }
    let (mut message, mut line) = (Vec::new(), Vec::new());
    let mut after_empty = true;
    loop {
        line.clear();
        let end = file
            .by_ref()
            .take(MESSAGE_BYTES_MAX)
            .read_until(b'\n', &mut line)?
            == 0;
        let begins = after_empty && line.starts_with(b"From ");
        if (begins || end) && !message.is_empty() {
            each(&message)?;
            message.clear();
        }
        if end {
            return Ok(());
        }
        if !begins && (message.len() as u64) < MESSAGE_BYTES_MAX {
            message.extend_from_slice(unquoted(&line));
        }
        after_empty = line.trim_ascii_end().is_empty();
    }
}

/// One `>` was put before such a line of a text, and before one that had some already.
fn unquoted(line: &[u8]) -> &[u8] {
    let behind = line
        .iter()
        .position(|byte| *byte != b'>')
        .unwrap_or(line.len());
    match line.get(behind..) {
        Some(rest) if 0 < behind && rest.starts_with(b"From ") => line.get(1..).unwrap_or_default(),
        _ => line,
    }
}

/// Larger messages are cut: what is behind are attachments.
const MESSAGE_BYTES_MAX: u64 = 64_000_000;

/// What went wrong: the file, or what was done with a message.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Told(#[from] Failure),
}

#[cfg(test)]
mod tests {
    use super::{each_message, of_file};

    #[test]
    fn an_mbox_is_cut_where_messages_begin() {
        let text = b"From a@b Mon\nSubject: 1\n\n>From here\n>>From there\nFrom within\n\nFrom c@d Tue\nSubject: 2\n\nx\n";
        let mut messages = Vec::new();
        of_file(&text[..], &mut |message| {
            messages.push(message.to_vec());
            Ok(())
        })
        .expect("read");
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
