//! The admin socket: how a command reaches the running server. One JSON line each way.
//! Whoever may open the data directory may use it: the socket lies in there, for its owner only.

pub mod client;
pub mod server;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::commands::Request;
use crate::output::{Answer, Failure};

/// Longest line either way: a list of the whole queue must fit.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

const SOCKET_NAME: &str = "admin.sock";

/// A longer path does not fit into the kernel's address (108 bytes with the zero at the end).
const SOCKET_PATH_BYTES_MAX: usize = 107;

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    /// Of the program that asks.
    version: String,
    request: Request,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Answer),
    Failed(Failure),
}

/// The way to the socket. In a deep directory it leads through an open file descriptor.
struct SocketPath {
    path: PathBuf,
    _directory: Option<File>,
}

impl SocketPath {
    fn of(data: &Path) -> std::io::Result<Self> {
        let path = data.join(SOCKET_NAME);
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(SocketPath {
                path,
                _directory: None,
            });
        }
        let directory = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
        Ok(SocketPath {
            path: path.join(SOCKET_NAME),
            _directory: Some(directory),
        })
    }
}
