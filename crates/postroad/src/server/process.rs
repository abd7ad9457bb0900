//! The process around the server: file descriptors, privileges, signals.

use std::sync::Arc;

use super::tls::Certificates;
use super::{Ending, Running, limits};
use crate::config::Config;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{self, Gid, Uid, User};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    #[error("there is no user {0} on this machine; make it, or change `user` in postroad.toml")]
    NoSuchUser(String),
    #[error("cannot become the user {name}: {source}")]
    Refused { name: String, source: nix::Error },
}

/// As many file descriptors as the system lets us have.
pub fn raise_descriptor_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        tracing::debug!(soft, "the number of open files stays as it is");
    }
    let wanted = limits::READERS_MAX as u64 + mta::limits::CONNECTIONS_MAX as u64;
    if hard < wanted + limits::DESCRIPTORS_SPARE {
        tracing::info!(
            hard,
            "the system allows few open files; connections beyond will wait"
        );
    }
}

/// Becomes the user of the config for good, when started as root. All threads change together.
pub fn drop_privileges(config: &Config) -> Result<(), PrivilegeError> {
    let Some(name) = &config.user else {
        return Ok(());
    };
    if !unistd::geteuid().is_root() {
        return Ok(());
    }
    let user = User::from_name(name)
        .ok()
        .flatten()
        .ok_or_else(|| PrivilegeError::NoSuchUser(name.clone()))?;
    become_user(name, user.uid, user.gid)
}

/// Becomes the owner of the data directory, so that what a command of root writes stays usable for the server.
pub fn become_owner(uid: u32, gid: u32) -> Result<(), PrivilegeError> {
    if uid == 0 || !unistd::geteuid().is_root() {
        return Ok(());
    }
    become_user(
        &format!("number {uid}"),
        Uid::from_raw(uid),
        Gid::from_raw(gid),
    )
}

fn become_user(name: &str, uid: Uid, gid: Gid) -> Result<(), PrivilegeError> {
    // The group first: afterwards we may not.
    unistd::setgroups(&[gid])
        .and_then(|()| unistd::setgid(gid))
        .and_then(|()| unistd::setuid(uid))
        .map_err(|source| PrivilegeError::Refused {
            name: name.to_owned(),
            source,
        })
}

/// What may wake the process while it serves.
enum Wake {
    Stop(&'static str),
    Reload,
}

/// The signals we listen to. Made before the ports are announced, so that none is missed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub fn listen() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wake {
        tokio::select! {
            _ = self.terminate.recv() => Wake::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Wake::Stop("SIGINT"),
            _ = self.hangup.recv() => Wake::Reload,
        }
    }
}

/// Serves until a signal says stop; a second one cuts the waiting short.
pub async fn until_stopped(
    running: Running,
    mut signals: Signals,
    certificates: Arc<Certificates>,
) -> Ending {
    let name = loop {
        match signals.next().await {
            Wake::Stop(name) => break name,
            Wake::Reload => certificates.tell("SIGHUP", &certificates.reload()),
        }
    };
    let sessions = running.stop.sessions();
    tracing::info!(
        signal = name,
        sessions,
        "stopping; a second signal does not wait for sessions"
    );
    let again = running.stop.clone();
    let finish = running.stop(limits::STOP_PATIENCE);
    tokio::pin!(finish);
    loop {
        tokio::select! {
            biased;
            ending = &mut finish => return ending,
            wake = signals.next() => {
                if matches!(wake, Wake::Stop(_)) {
                    return Ending::Cut(again.sessions());
                }
            }
        }
    }
}
