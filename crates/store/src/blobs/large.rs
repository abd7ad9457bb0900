//! Bodies that are a file each, so that deleting one frees its space at once.
//! A name holds the number of the run that made it, so no name is ever made twice.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::limits::LARGE_FILES_PER_DIR;
use super::{BlobError, BlobSettings, Location, Sync, make_dir, sync_dir};

/// Low bits of a file's number count within a run; the bits above are the run.
const COUNT_BITS: u32 = 40;

/// The file in a run's folder that is locked while the run goes on.
const OWNER: &str = "owner";

#[derive(Clone, Debug)]
pub struct LargeFiles {
    root: PathBuf,
    run: Arc<Run>,
    next: Arc<AtomicI64>,
    /// The newest folder whose name is known to be on disk.
    folder: Arc<Mutex<PathBuf>>,
    settings: BlobSettings,
}

/// One run of the program: a number nobody else has, and a lock that shows that it still goes on.
#[derive(Debug)]
pub struct Run {
    number: i64,
    /// Locked until the run ends.
    _owner: File,
}

impl Run {
    /// Takes this number, or the first after it that nobody has.
    pub fn claim(root: &Path, from: i64, sync: Sync) -> Result<Self, BlobError> {
        let mut number = from;
        loop {
            let folder = dir(root).join(number.to_string());
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    number += 1;
                    continue;
                }
                Err(e) => return Err(BlobError::of("making the directory", &folder, e)),
            }
            let path = folder.join(OWNER);
            let owner = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .and_then(|file| file.lock().map(|()| file));
            let owner = owner.map_err(|e| BlobError::of("locking", &path, e))?;
            sync_dir(&dir(root), sync)?;
            return Ok(Self {
                number,
                _owner: owner,
            });
        }
    }

    pub fn number(&self) -> i64 {
        self.number
    }
}

impl LargeFiles {
    pub fn new(root: &Path, run: Run, settings: BlobSettings) -> Self {
        Self {
            root: root.to_owned(),
            run: Arc::new(run),
            next: Arc::new(AtomicI64::new(0)),
            folder: Arc::default(),
            settings,
        }
    }

    /// Writes a body and waits for the disk: first the file, then the name in its directory.
    pub fn write(&self, body: &[u8]) -> Result<Location, BlobError> {
        let number = (self.run.number << COUNT_BITS) | self.next.fetch_add(1, Ordering::Relaxed);
        let path = path(&self.root, number);
        let folder = path.parent().unwrap_or(&self.root);
        self.make_folder(folder)?;
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(body)?;
            if self.settings.sync == Sync::Always {
                file.sync_data()
            } else {
                Ok(())
            }
        };
        if let Err(e) = write() {
            // What was half written takes space that the next message could use.
            let _ = fs::remove_file(&path);
            return Err(BlobError::of("writing the body", &path, e));
        }
        sync_dir(folder, self.settings.sync)?;
        Ok(Location {
            segment: Location::OWN_FILE,
            offset: number,
            length: body.len() as i64,
        })
    }

    pub fn remove(&self, number: i64) -> Result<(), BlobError> {
        let path = path(&self.root, number);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::of("removing the body", &path, e))
            }
            _ => Ok(()),
        }
    }

    pub fn of_earlier_runs(&self) -> Result<Vec<Location>, BlobError> {
        let mut found = Vec::new();
        for run in numbered(&dir(&self.root))?
            .into_iter()
            .filter(|(run, folder)| *run < self.run.number && has_ended(folder))
        {
            for folder in numbered(&run.1)? {
                for (count, file) in numbered(&folder.1)? {
                    let length = fs::metadata(&file).map_or(0, |meta| meta.len());
                    let offset = (run.0 << COUNT_BITS) | count;
                    found.push(Location {
                        segment: Location::OWN_FILE,
                        offset,
                        length: length as i64,
                    });
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Makes a folder durable before anything in it is; whoever comes second waits for that.
    fn make_folder(&self, folder: &Path) -> Result<(), BlobError> {
        let mut known = self.folder.lock();
        if *known == folder {
            return Ok(());
        }
        make_dir(folder)?;
        sync_dir(folder.parent().unwrap_or(&self.root), self.settings.sync)?;
        folder.clone_into(&mut known);
        Ok(())
    }
}

/// Whether the run that owns this folder is over: nobody holds its lock.
fn has_ended(folder: &Path) -> bool {
    !File::open(folder.join(OWNER))
        .is_ok_and(|owner| matches!(owner.try_lock(), Err(TryLockError::WouldBlock)))
}

pub fn dir(root: &Path) -> PathBuf {
    root.join("large")
}

pub fn path(root: &Path, number: i64) -> PathBuf {
    let count = number & ((1 << COUNT_BITS) - 1);
    let run = number >> COUNT_BITS;
    dir(root)
        .join(run.to_string())
        .join((count / LARGE_FILES_PER_DIR).to_string())
        .join(count.to_string())
}

/// The newest run that left a directory, in case the file that counts the runs was lost.
pub fn newest_run(root: &Path) -> Result<i64, BlobError> {
    Ok(numbered(&dir(root))?
        .iter()
        .map(|(run, _)| *run)
        .max()
        .unwrap_or(0))
}

fn numbered(dir: &Path) -> Result<Vec<(i64, PathBuf)>, BlobError> {
    let entries = fs::read_dir(dir).map_err(|e| BlobError::of("listing", dir, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| BlobError::of("listing", dir, e))?.path();
        if let Some(number) = path
            .file_name()
            .and_then(|n| n.to_str())
            .and_then(|n| n.parse().ok())
        {
            found.push((number, path));
        }
    }
    Ok(found)
}
