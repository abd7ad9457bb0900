//! Reads bodies by position; segments stay open between reads, within a bound.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::limits::OPEN_SEGMENTS_MAX;
use super::{BlobError, Location, large, segment};

#[derive(Debug)]
pub struct Reader {
    root: PathBuf,
    open: Mutex<BTreeMap<i64, Arc<File>>>,
}

impl Reader {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            open: Mutex::default(),
        }
    }

    pub fn read_into(
        &self,
        location: &Location,
        range: Range<u64>,
        to: &mut Vec<u8>,
    ) -> Result<(), BlobError> {
        let length = u64::try_from(location.length).unwrap_or(0);
        let start = range.start.min(length);
        let wanted = usize::try_from(range.end.min(length).saturating_sub(start)).unwrap_or(0);
        if wanted == 0 {
            return Ok(());
        }
        let (file, at) = if location.is_own_file() {
            (self.own_file(location)?, start)
        } else {
            (
                self.segment(location)?,
                u64::try_from(location.offset).unwrap_or(0) + start,
            )
        };
        let before = to.len();
        to.resize(before + wanted, 0);
        file.read_exact_at(&mut to[before..], at).map_err(|e| {
            to.truncate(before);
            self.failed(location, e)
        })
    }

    pub fn close(&self, segment: i64) {
        self.open.lock().remove(&segment);
    }

    fn own_file(&self, location: &Location) -> Result<Arc<File>, BlobError> {
        File::open(large::path(&self.root, location.offset))
            .map(Arc::new)
            .map_err(|e| self.failed(location, e))
    }

    fn segment(&self, location: &Location) -> Result<Arc<File>, BlobError> {
        let mut open = self.open.lock();
        if let Some(file) = open.get(&location.segment) {
            return Ok(Arc::clone(file));
        }
        let file = File::open(segment::path(&self.root, location.segment))
            .map_err(|e| self.failed(location, e))?;
        if OPEN_SEGMENTS_MAX <= open.len() {
            // The oldest segment is the one least likely to be read again.
            open.pop_first();
        }
        let file = Arc::new(file);
        open.insert(location.segment, Arc::clone(&file));
        Ok(file)
    }

    fn failed(&self, location: &Location, error: io::Error) -> BlobError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => BlobError::Missing {
                location: *location,
            },
            _ => BlobError::of("reading a body below", &self.root, error),
        }
    }
}
