//! How a store is opened.

use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Holds bodies, the key file and, without `url`, the database. Made if it is missing. That
    /// only one process opens it is the caller's business.
    pub data_dir: PathBuf,
    /// `postgres://…`, or nothing for the embedded database.
    pub url: Option<String>,
    pub mode: Mode,
}

impl StoreSettings {
    /// The embedded database in a directory.
    #[must_use]
    pub fn embedded(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            url: None,
            mode: Mode::Threads,
        }
    }

    /// The same for simulations: all work on the caller's thread, no waiting for the disk.
    #[must_use]
    pub fn simulated(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            mode: Mode::Inline,
            ..Self::embedded(data_dir)
        }
    }
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Threads of the store's own: one writer, a few readers.
    Threads,
    /// The caller, at once, and nothing is synced: for simulations, which must not depend on the
    /// order of threads. Password hashing is cheap in this mode. Embedded database only.
    Inline,
}
