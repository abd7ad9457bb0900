//! Message bodies on disk: immutable, written once, guarded by a BLAKE3 hash, durable when kept.
//! Knows no database: who refers to a body is the business of the tables.
//!
//! Small bodies are appended to segment files by one thread, which writes all that wait with one
//! call and syncs once for all of them. Large bodies get a file each, written in parallel, so that
//! deleting one frees its space at once. A body that was kept but never referred to (a crash came
//! between) is garbage that [`Blobs::segments`] and [`Blobs::large_of_earlier_runs`] help to find.

mod large;
mod limits;
mod reader;
mod record;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

use std::fs;
use std::future::Future;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

pub use limits::NOTE_BYTES_MAX;
pub use record::{Hash, Recovered};

use large::{LargeFiles, Run};
use reader::Reader;
use segment::Segment;
use writer::{Job, Writer};

/// Where a body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The segment's number; [`Location::OWN_FILE`] when the body is a file of its own.
    pub segment: i64,
    /// Offset of the body's first byte in its segment, or the number of its own file.
    pub offset: i64,
    /// Bytes of the body.
    pub length: i64,
}

impl Location {
    pub const OWN_FILE: i64 = -1;

    #[must_use]
    pub fn is_own_file(&self) -> bool {
        self.segment == Self::OWN_FILE
    }
}

/// A body that is durable on disk and not yet referred to.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub location: Location,
    pub hash: Hash,
    pub size: u64,
}

/// A segment file and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub number: i64,
    pub bytes: u64,
    /// New bodies still go here: it must not be removed.
    pub open: bool,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labour {
    /// Threads of our own; many callers share one sync.
    Threads,
    /// The caller, at once. For simulations, which must not depend on thread order.
    Inline,
}

/// Whether to wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    Always,
    /// Only for simulations: nothing survives a power cut.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobSettings {
    pub labour: Labour,
    pub sync: Sync,
    /// A segment that reached this size is closed and the next one begun.
    pub segment_bytes_max: u64,
    /// Bodies from this size on get a file of their own.
    pub large_bytes_min: u64,
}

impl BlobSettings {
    #[must_use]
    pub fn standard() -> Self {
        Self {
            labour: Labour::Threads,
            sync: Sync::Always,
            segment_bytes_max: limits::SEGMENT_BYTES_MAX,
            large_bytes_min: limits::LARGE_BYTES_MIN,
        }
    }

    #[must_use]
    pub fn simulated() -> Self {
        Self {
            labour: Labour::Inline,
            sync: Sync::Never,
            ..Self::standard()
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("no space is left on the disk of {}", path.display())]
    Full { path: PathBuf },
    #[error("{doing} {}: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the body at {location:?} is shorter than it should be, or missing")]
    Missing { location: Location },
    #[error("the body at {location:?} does not have the hash that was noted when it was kept")]
    Damaged { location: Location },
    #[error("the writer of bodies has stopped")]
    Stopped,
    #[error("the note beside a body is longer than {NOTE_BYTES_MAX} bytes")]
    NoteTooLong,
}

impl BlobError {
    /// Sorts an error of the file system: a full disk is time's business, all else the operator's.
    pub(crate) fn of(doing: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full { path },
            _ => Self::Io {
                doing,
                path,
                source,
            },
        }
    }
}

/// All bodies of one data directory. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    reader: Reader,
    large: LargeFiles,
    writer: Writer,
    settings: BlobSettings,
    dir: PathBuf,
}

impl Blobs {
    /// Opens the bodies below `dir`, which is made if it is missing. Only one process may write.
    pub fn open(dir: &Path, settings: BlobSettings) -> Result<Self, BlobError> {
        make_dir(dir)?;
        make_dir(&segment::dir(dir))?;
        make_dir(&large::dir(dir))?;
        let run = next_run(dir, settings.sync)?;
        let segment = Segment::open_newest(dir, settings)?;
        let large = LargeFiles::new(dir, run, settings);
        let reader = Reader::new(dir);
        let writer = Writer::start(segment, large.clone(), settings);
        Ok(Self {
            inner: Arc::new(Inner {
                reader,
                large,
                writer,
                settings,
                dir: dir.to_owned(),
            }),
        })
    }

    /// Makes a body durable. The future resolves after the sync, together with its neighbours'.
    pub fn keep(
        &self,
        body: Bytes,
    ) -> impl Future<Output = Result<Kept, BlobError>> + Send + 'static {
        self.keep_noted(body, Bytes::new())
    }

    /// As [`Blobs::keep`]; the note (who it is for, which trace id) lies beside the body, so that
    /// lost tables can be rebuilt from the segments.
    pub fn keep_noted(
        &self,
        body: Bytes,
        note: Bytes,
    ) -> impl Future<Output = Result<Kept, BlobError>> + Send + 'static {
        let answer = self.hand_over(body, note);
        async move {
            match answer? {
                Answer::Ready(kept) => Ok(kept),
                Answer::Later(answer) => answer.await.map_err(|_| BlobError::Stopped)?,
            }
        }
    }

    /// As [`Blobs::keep_noted`], waiting in this thread.
    pub fn keep_blocking(&self, body: Bytes, note: Bytes) -> Result<Kept, BlobError> {
        match self.hand_over(body, note)? {
            Answer::Ready(kept) => Ok(kept),
            Answer::Later(answer) => answer.blocking_recv().map_err(|_| BlobError::Stopped)?,
        }
    }

    /// Reads a range of a body; the range is cut to the body's length.
    pub fn read(&self, location: &Location, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let mut bytes = Vec::new();
        self.read_into(location, range, &mut bytes)?;
        Ok(bytes)
    }

    /// As [`Blobs::read`], appended to a buffer that is used again.
    pub fn read_into(
        &self,
        location: &Location,
        range: Range<u64>,
        to: &mut Vec<u8>,
    ) -> Result<(), BlobError> {
        self.inner.reader.read_into(location, range, to)
    }

    /// Reads a whole body and compares its hash.
    pub fn read_verified(&self, location: &Location, hash: &Hash) -> Result<Vec<u8>, BlobError> {
        let bytes = self.read(location, 0..u64::MAX)?;
        if Hash::of(&bytes) == *hash {
            Ok(bytes)
        } else {
            Err(BlobError::Damaged {
                location: *location,
            })
        }
    }

    /// Removes bodies that nothing refers to any more. Those with a file of their own free their
    /// space at once; those in segments when the segment is removed.
    pub fn forget(&self, locations: &[Location]) -> Result<(), BlobError> {
        locations
            .iter()
            .filter(|location| location.is_own_file())
            .try_for_each(|location| self.inner.large.remove(location.offset))
    }

    /// All segments, oldest first.
    pub fn segments(&self) -> Result<Vec<SegmentInfo>, BlobError> {
        segment::list(&self.inner.dir, self.inner.writer.open_segment())
    }

    /// Removes a segment. The caller knows that nothing refers into it any more.
    pub fn remove_segment(&self, number: i64) -> Result<(), BlobError> {
        self.inner.reader.close(number);
        segment::remove(&self.inner.dir, number, self.inner.writer.open_segment())
    }

    /// Numbers of large bodies that were kept before this run began: those of them that no table
    /// knows are garbage of a crash.
    pub fn large_of_earlier_runs(&self) -> Result<Vec<Location>, BlobError> {
        self.inner.large.of_earlier_runs()
    }

    /// Reads a segment from its start, record by record, skipping torn ones: for rebuilding tables.
    pub fn recover(&self, segment: i64) -> Result<Vec<Recovered>, BlobError> {
        record::recover(&segment::path(&self.inner.dir, segment), segment)
    }

    fn hand_over(&self, body: Bytes, note: Bytes) -> Result<Answer, BlobError> {
        if NOTE_BYTES_MAX < note.len() {
            return Err(BlobError::NoteTooLong);
        }
        let hash = Hash::of(&body);
        let job = |answer| Job {
            body,
            note,
            hash,
            answer,
        };
        if self.inner.settings.labour == Labour::Inline {
            let (answer, _) = tokio::sync::oneshot::channel();
            return self
                .inner
                .writer
                .work_inline(job(answer))
                .map(Answer::Ready);
        }
        let (answer, later) = tokio::sync::oneshot::channel();
        self.inner.writer.queue(job(answer))?;
        Ok(Answer::Later(later))
    }
}

enum Answer {
    Ready(Kept),
    Later(tokio::sync::oneshot::Receiver<Result<Kept, BlobError>>),
}

fn make_dir(dir: &Path) -> Result<(), BlobError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir);
    made.map_err(|e| BlobError::of("making the directory", dir, e))
}

fn sync_dir(dir: &Path, sync: Sync) -> Result<(), BlobError> {
    if sync == Sync::Never {
        return Ok(());
    }
    fs::File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(|e| BlobError::of("syncing the directory", dir, e))
}

/// Counts the runs of the program on this directory, durably, so that names made in one run are
/// never made again in another; nodes that start at the same moment get different numbers.
fn next_run(dir: &Path, sync: Sync) -> Result<Run, BlobError> {
    let path = dir.join("run");
    let before = match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<i64>().unwrap_or(0),
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(BlobError::of("reading", &path, e)),
    };
    let newest_dir = large::newest_run(dir)?;
    let run = Run::claim(dir, before.max(newest_dir) + 1, sync)?;
    let fresh = dir.join(format!("run.{}", run.number()));
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        writeln!(file, "{}", run.number())?;
        if sync == Sync::Always {
            file.sync_all()?;
        }
        fs::rename(&fresh, &path)
    };
    write().map_err(|e| BlobError::of("writing", &path, e))?;
    sync_dir(dir, sync)?;
    Ok(run)
}
