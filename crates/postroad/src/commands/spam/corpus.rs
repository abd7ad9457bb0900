//! Corpora: messages whose kind is known, in groups that are never torn. An index.tsv beside an archive, or ham/ and
//! spam/ with maildirs, mbox files and single messages.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use spam::train::Example;
use spam::{Features, Sight};

use crate::output::Failure;

mod files;
mod groups;
mod tar;

/// Messages of one origin and time. Their rates are never mixed with those of others.
pub struct Corpus {
    /// The last part of its path.
    pub name: String,
    pub mails: Vec<Mail>,
}

/// One message.
pub struct Mail {
    /// Its path in the corpus.
    pub name: String,
    pub is_spam: bool,
    /// Campaign or thread.
    pub group: u64,
    pub bytes: Vec<u8>,
}

/// An archive unpacked is at most this large.
const ARCHIVE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Whether groups are needed: finding them reads all messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// To learn from some and judge others.
    Found,
    /// Nothing is learnt from the messages that are judged. An index is believed all the same.
    Unknown,
}

/// Reads a corpus.
pub fn read(dir: &Path, groups: Groups) -> Result<Corpus, Failure> {
    let name = dir.file_name().unwrap_or(dir.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let index = dir.join("index.tsv");
    let mails = if index.is_file() {
        indexed(dir, &index)?
    } else if dir.join("ham").is_dir() || dir.join("spam").is_dir() {
        labelled(&[dir.join("ham")], &[dir.join("spam")], groups)?
    } else {
        return Err(Failure::failed(format!(
            "{}: neither an index.tsv nor the directories ham and spam are there",
            dir.display()
        )));
    };
    Ok(Corpus { name, mails })
}

/// A corpus of directories, mbox files or messages of either kind.
pub fn of_kinds(ham: &[PathBuf], spam: &[PathBuf], groups: Groups) -> Result<Corpus, Failure> {
    Ok(Corpus {
        name: "given".to_owned(),
        mails: labelled(ham, spam, groups)?,
    })
}

fn labelled(ham: &[PathBuf], spam: &[PathBuf], groups: Groups) -> Result<Vec<Mail>, Failure> {
    let mut mails = Vec::new();
    for (paths, is_spam) in [(ham, false), (spam, true)] {
        for path in paths
            .iter()
            .filter(|path| path.exists() || !path.ends_with("ham") && !path.ends_with("spam"))
        {
            files::each(path, &mut |name, bytes| {
                mails.push(Mail {
                    name,
                    is_spam,
                    group: 0,
                    bytes,
                });
            })?;
        }
    }
    if groups == Groups::Found {
        groups::find(&mut mails);
    }
    Ok(mails)
}

/// `file`, `label` and `group` in columns with these heads; the files are in the archive, or lie there.
fn indexed(dir: &Path, index: &Path) -> Result<Vec<Mail>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::failed(format!("{}: {error}", path.display()))
    };
    let text = fs::read_to_string(index).map_err(|error| failed(index, error))?;
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| {
        head.iter().position(|found| *found == name).ok_or_else(|| {
            Failure::failed(format!("{}: there is no column {name}", index.display()))
        })
    };
    let (file, label, group) = (column("file")?, column("label")?, column("group")?);
    let mut kept = match archive_of(dir)? {
        Some(archive) => unpack(&archive)?,
        None => HashMap::new(),
    };
    let mut mails = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let is_spam = match cell(label) {
            "spam" => true,
            "ham" => false,
            _ => continue,
        };
        let bytes = match kept.remove(cell(file)) {
            Some(bytes) => bytes,
            None => {
                let path = dir.join(cell(file));
                fs::read(&path).map_err(|error| failed(&path, error))?
            }
        };
        mails.push(Mail {
            name: cell(file).to_owned(),
            is_spam,
            group: groups::named(cell(group)),
            bytes: files::without_separator(bytes),
        });
    }
    Ok(mails)
}

fn archive_of(dir: &Path) -> Result<Option<PathBuf>, Failure> {
    let entries = fs::read_dir(dir)
        .map_err(|error| Failure::failed(format!("{}: {error}", dir.display())))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut archives: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(".tar.gz"))
        .collect();
    archives.sort();
    Ok(archives.into_iter().next())
}

fn unpack(archive: &Path) -> Result<HashMap<String, Vec<u8>>, Failure> {
    let failed = |error: String| Failure::failed(format!("{}: {error}", archive.display()));
    let file = fs::File::open(archive).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file)
        .take(ARCHIVE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    let files = tar::files(&bytes).ok_or_else(|| failed("not a tar archive".to_owned()))?;
    Ok(files
        .into_iter()
        .map(|(name, bytes)| (name, bytes.to_vec()))
        .collect())
}

impl Corpus {
    /// How many wanted and unwanted.
    pub fn counts(&self) -> (usize, usize) {
        let spam = self.mails.iter().filter(|mail| mail.is_spam).count();
        (self.mails.len() - spam, spam)
    }
}

impl Mail {
    /// Its group among those of several corpora.
    pub fn group_in(&self, corpus: usize) -> u64 {
        groups::in_corpus(self.group, corpus)
    }

    /// For training: as it is, and without the fields that tell of a mailbox, so that the model leans on neither.
    pub fn examples(&self, corpus: usize) -> [Example; 2] {
        let stripped = without_traces(&self.bytes);
        [("", &self.bytes), (" (stripped)", &stripped)].map(|(suffix, bytes)| Example {
            features: Features::of(&Sight::of(bytes)),
            is_spam: self.is_spam,
            corpus,
            group: self.group_in(corpus),
            name: format!("{}{suffix}", self.name),
        })
    }
}

/// The message without `List-*`, `X-*`, `Received` and `Delivered-To`.
pub fn without_traces(message: &[u8]) -> Vec<u8> {
    let is_trace = |name: &[u8]| {
        let starts = |with: &[u8]| {
            name.get(..with.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(with))
        };
        starts(b"List-")
            || starts(b"X-")
            || name.eq_ignore_ascii_case(b"Received")
            || name.eq_ignore_ascii_case(b"Delivered-To")
    };
    let mut out = Vec::with_capacity(message.len());
    let mut end = 0;
    for field in mail::header::fields(message) {
        if !is_trace(field.name) {
            out.extend_from_slice(message.get(field.start..field.end).unwrap_or_default());
        }
        end = field.end;
    }
    out.extend_from_slice(message.get(end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
