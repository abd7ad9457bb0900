//! The data directory: where it is, who may look into it, and the lock that keeps it to one process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory that exists, is ours, and is closed to others.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// Held as long as the process works on the data. Dropping it lets others in.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "there is no data directory at {0}; make one with `postroad quickstart you@example.org`, or name another with --data"
    )]
    Missing(String),
    #[error("{0} is not a directory; name another with --data")]
    NotADirectory(String),
    #[error(
        "the data directory {path} is open to other users (mode {mode:03o}); close it with: chmod 700 {path}"
    )]
    Open { path: String, mode: u32 },
    #[error(
        "the data directory {path} cannot be used by this user: {source}; run the command as its owner or as root"
    )]
    Denied {
        path: String,
        source: std::io::Error,
    },
    #[error(
        "{holder} works on the data directory {path} already; stop it first, or use another directory with --data"
    )]
    Locked { path: String, holder: String },
    #[error("{path}: {source}")]
    Io {
        path: String,
        source: std::io::Error,
    },
}

/// Bits that let others in: group may look and write nothing, the world nothing at all.
const OPEN_MODE_BITS: u32 = 0o027;

impl DataDir {
    /// Opens an existing directory.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let shown = path.display().to_string();
        let meta = match std::fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DataDirError::Missing(shown));
            }
            Err(source) => {
                return Err(DataDirError::Denied {
                    path: shown,
                    source,
                });
            }
        };
        if !meta.is_dir() {
            return Err(DataDirError::NotADirectory(shown));
        }
        let mode = meta.permissions().mode() & 0o777;
        if mode & OPEN_MODE_BITS != 0 {
            return Err(DataDirError::Open { path: shown, mode });
        }
        let path = path.canonicalize().map_err(|source| DataDirError::Io {
            path: shown,
            source,
        })?;
        Ok(DataDir { path })
    }

    /// Opens the directory, after making it (with its parents) when it is not there.
    pub fn open_or_make(path: &Path) -> Result<Self, DataDirError> {
        if !path.exists() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|source| DataDirError::Denied {
                    path: path.display().to_string(),
                    source,
                })?;
        }
        Self::open(path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The user that owns the directory, and with it everything inside.
    pub fn owner(&self) -> Result<(u32, u32), DataDirError> {
        let meta = std::fs::metadata(&self.path).map_err(|source| self.io(source))?;
        Ok((meta.uid(), meta.gid()))
    }

    /// Takes the lock for this process, or says who has it.
    pub fn lock(&self, purpose: &str) -> Result<DataLock, DataDirError> {
        let path = self.path.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| DataDirError::Denied {
                path: self.shown(),
                source,
            })?;
        match file.try_lock() {
            // Made by root for a server that is somebody else later.
            Ok(()) => self.give_to_owner(&file)?,
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "another postroad".to_owned(),
                    known => known.to_owned(),
                };
                return Err(DataDirError::Locked {
                    path: self.shown(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(self.io(source)),
        }
        // The text is for the message above only; the lock itself is what counts.
        let line = format!("postroad {purpose} (process {})\n", std::process::id());
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(line.as_bytes()));
        noted.map_err(|source| self.io(source))?;
        Ok(DataLock { _file: file })
    }

    fn give_to_owner(&self, file: &File) -> Result<(), DataDirError> {
        let (uid, gid) = self.owner()?;
        let meta = file.metadata().map_err(|source| self.io(source))?;
        if meta.uid() == uid {
            return Ok(());
        }
        std::os::unix::fs::fchown(file, Some(uid), Some(gid)).map_err(|source| self.io(source))
    }

    fn io(&self, source: std::io::Error) -> DataDirError {
        DataDirError::Io {
            path: self.shown(),
            source,
        }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}
