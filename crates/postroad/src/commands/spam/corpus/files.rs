//! Messages in files: single ones (with or without an mbox separator), mbox files, directories and maildirs of them.

use std::fs;
use std::path::Path;

use crate::output::Failure;

/// Directories in directories: a link in a circle ends here.
const DEPTH_MAX: usize = 16;

/// Larger files hold no single message, and are not read.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Calls `take` with name and bytes of each message under a path, sorted by name.
pub fn each(path: &Path, take: &mut dyn FnMut(String, Vec<u8>)) -> Result<(), Failure> {
    walk(path, 0, take)
}

fn walk(path: &Path, depth: usize, take: &mut dyn FnMut(String, Vec<u8>)) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_dir() {
        if about.len() <= FILE_BYTES_MAX {
            of_file(path, fs::read(path).map_err(failed)?, take);
        }
        return Ok(());
    }
    if depth > DEPTH_MAX {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(failed)?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What a maildir's delivery has not finished, and what programs keep beside messages.
        if name != "tmp"
            && !(name.starts_with('.') && path.is_file())
            && !name.starts_with("dovecot")
        {
            walk(&path, depth + 1, take)?;
        }
    }
    Ok(())
}

fn of_file(path: &Path, bytes: Vec<u8>, take: &mut dyn FnMut(String, Vec<u8>)) {
    let name = path.to_string_lossy().into_owned();
    if bytes.trim_ascii().is_empty() {
        return;
    }
    let starts = separators(&bytes);
    if starts.len() < 2 {
        return take(name, without_separator(bytes));
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    for (number, (start, end)) in starts.iter().zip(ends).enumerate() {
        let message = bytes.get(*start..end).unwrap_or_default().to_vec();
        take(format!("{name}:{}", number + 1), without_separator(message));
    }
}

/// Where messages of an mbox begin; nothing if it is none. RFC 4155
fn separators(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    if !bytes.starts_with(b"From ") {
        return starts;
    }
    let mut at = 0;
    let mut after_empty = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if after_empty && is_separator(line) {
            starts.push(at);
        }
        after_empty = line.trim_ascii().is_empty();
        at += line.len();
    }
    starts
}

/// `From `, a sender, and a date with a time: a sentence that begins so has none.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let colons = rest.iter().filter(|byte| **byte == b':').count();
    colons >= 2 && rest.iter().filter(|byte| byte.is_ascii_digit()).count() >= 6
}

/// A message without the mbox line in front of it.
pub fn without_separator(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"From ") {
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |end| end + 1);
        bytes.drain(..end);
    }
    bytes
}
