//! An append-only file of many bodies, and the directory of such files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::limits::WRITERS_MAX;
use super::record::{self, HEADER_BYTES};
use super::writer::Job;
use super::{BlobError, BlobSettings, Location, SegmentInfo, Sync, sync_dir};

/// The segment that takes new bodies. Only the writer has it.
#[derive(Debug)]
pub struct Segment {
    root: PathBuf,
    number: i64,
    file: File,
    end: u64,
    settings: BlobSettings,
}

impl Segment {
    /// Goes on at the end of the newest segment that no other writer has. A torn tail stays where it
    /// is: nothing refers to it, for a body is referred to only after its sync, and all before a
    /// sync is on disk.
    pub fn open_newest(root: &Path, settings: BlobSettings) -> Result<Self, BlobError> {
        let newest = list(root, None)?.last().map_or(1, |info| info.number);
        Self::open(root, newest, settings)
    }

    pub fn number(&self) -> i64 {
        self.number
    }

    /// Appends a batch and waits for the disk. On an error nothing of the batch counts as kept.
    ///
    /// After a failed sync the kernel may have dropped the pages and would report success the next
    /// time, so that segment is left alone and a new one begun.
    pub fn append(&mut self, batch: &[Job]) -> Result<Vec<Location>, BlobError> {
        if self.settings.segment_bytes_max <= self.end {
            self.begin_next()?;
        }
        let locations = self.write(batch)?;
        if self.settings.sync == Sync::Always
            && let Err(e) = self.file.sync_data()
        {
            let error = BlobError::of("syncing the segment", &self.path(), e);
            self.begin_next()?;
            return Err(error);
        }
        Ok(locations)
    }

    /// Opens this segment or the first one after it that no other writer has: several nodes may
    /// share the directory, and two of them must never append to one file.
    fn open(root: &Path, from: i64, settings: BlobSettings) -> Result<Self, BlobError> {
        for number in from..from.saturating_add(WRITERS_MAX) {
            let path = path(root, number);
            let opened = open_locked(&path);
            let opened = opened.map_err(|e| BlobError::of("opening the segment", &path, e))?;
            let Some((file, end)) = opened else { continue };
            sync_dir(&dir(root), settings.sync)?;
            let root = root.to_owned();
            return Ok(Self {
                root,
                number,
                file,
                end,
                settings,
            });
        }
        Err(BlobError::Stopped)
    }

    fn begin_next(&mut self) -> Result<(), BlobError> {
        *self = Self::open(&self.root, self.number + 1, self.settings)?;
        Ok(())
    }

    fn write(&mut self, batch: &[Job]) -> Result<Vec<Location>, BlobError> {
        let headers: Vec<_> = batch
            .iter()
            .map(|job| record::header(job.note.len(), job.body.len(), &job.hash))
            .collect();
        let mut pieces = Vec::with_capacity(batch.len() * 3);
        let mut locations = Vec::with_capacity(batch.len());
        let mut end = self.end;
        for (job, header) in batch.iter().zip(&headers) {
            pieces.extend([
                IoSlice::new(header),
                IoSlice::new(&job.note),
                IoSlice::new(&job.body),
            ]);
            let offset = end + (HEADER_BYTES + job.note.len()) as u64;
            end = offset + job.body.len() as u64;
            locations.push(Location {
                segment: self.number,
                offset: offset as i64,
                length: job.body.len() as i64,
            });
        }
        if let Err(e) = write_all_vectored(&mut self.file, &mut pieces) {
            self.cut_back();
            return Err(BlobError::of("writing the segment", &self.path(), e));
        }
        self.end = end;
        Ok(locations)
    }

    /// After a half write: give the space back, or at least know where the file ends now.
    fn cut_back(&mut self) {
        if self.file.set_len(self.end).is_err()
            && let Ok(meta) = self.file.metadata()
        {
            self.end = meta.len();
        }
    }

    fn path(&self) -> PathBuf {
        path(&self.root, self.number)
    }
}

/// The file and where it ends; nothing if another writer has it.
fn open_locked(path: &Path) -> io::Result<Option<(File, u64)>> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
    }
    let end = file.metadata()?.len();
    Ok(Some((file, end)))
}

pub fn dir(root: &Path) -> PathBuf {
    root.join("segments")
}

pub fn path(root: &Path, number: i64) -> PathBuf {
    dir(root).join(format!("{number:08}.seg"))
}

pub fn list(root: &Path, open: Option<i64>) -> Result<Vec<SegmentInfo>, BlobError> {
    let dir = dir(root);
    let entries = fs::read_dir(&dir).map_err(|e| BlobError::of("listing", &dir, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| BlobError::of("listing", &dir, e))?;
        let name = entry.file_name();
        let Some(number) = name
            .to_str()
            .and_then(|n| n.strip_suffix(".seg"))
            .and_then(|n| n.parse().ok())
        else {
            continue;
        };
        let bytes = entry
            .metadata()
            .map_err(|e| BlobError::of("looking at", &entry.path(), e))?
            .len();
        found.push(SegmentInfo {
            number,
            bytes,
            open: Some(number) == open,
        });
    }
    found.sort_unstable_by_key(|info| info.number);
    Ok(found)
}

pub fn remove(root: &Path, number: i64, open: Option<i64>) -> Result<(), BlobError> {
    if Some(number) == open {
        return Ok(());
    }
    let path = path(root, number);
    if is_anothers(&path) {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(BlobError::of("removing the segment", &path, e))
        }
        _ => Ok(()),
    }
}

/// Whether another node still appends to it.
fn is_anothers(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn write_all_vectored(file: &mut File, pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    let mut rest = pieces;
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
