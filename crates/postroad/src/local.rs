//! A command on the store itself, when no server runs; else through the server's admin socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{Mode, Store, StoreSettings};
use world::{Clock, OsRandom, TokioClock};

use crate::admin;
use crate::commands::{Context, Request, execute};
use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError, DataLock};
use crate::output::{Answer, Failure};
use crate::place::Place;
use crate::server::process;

/// How long a command waits for another one, or for a server that is starting or stopping.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Answers the request, wherever the store is open.
pub fn run(place: &Place, request: Request) -> Result<Answer, Failure> {
    let config = place.load_or_fail()?;
    let data = DataDir::open(&config.data)?;
    let clock = TokioClock::real();
    let until = clock.now() + LOCK_PATIENCE;
    loop {
        if let Some(answer) = admin::client::ask(data.path(), &request) {
            return answer;
        }
        match data.lock("command") {
            Ok(lock) => return on_store(config, &data, lock, clock, request),
            Err(error @ DataDirError::Locked { .. }) => pause(&clock, until, error)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens the store of a config. The caller holds the lock.
pub fn open_store(config: &Config) -> Result<Store, Failure> {
    let settings = StoreSettings {
        data_dir: config.data.clone(),
        url: config.store_url.clone(),
        mode: Mode::Threads,
    };
    Store::open(&settings).map_err(|error| Failure::failed(error.to_string()))
}

fn on_store(
    config: Config,
    data: &DataDir,
    _lock: DataLock,
    clock: TokioClock,
    request: Request,
) -> Result<Answer, Failure> {
    let (uid, gid) = data.owner()?;
    process::become_owner(uid, gid).map_err(|error| Failure::failed(error.to_string()))?;
    let store = open_store(&config)?;
    let context = Context {
        store: store.clone(),
        config: Arc::new(config),
        clock: Arc::new(clock),
        random: Arc::new(OsRandom),
        tls: None,
        wanted: None,
        changed: None,
        post: None,
    };
    let answer = execute(&context, request);
    store.close();
    answer
}

/// Nobody tells when the lock or the socket comes, so it is tried again after a moment.
fn pause(clock: &TokioClock, until: Instant, error: DataDirError) -> Result<(), Failure> {
    if until < clock.now() {
        return Err(error.into());
    }
    std::thread::park_timeout(LOCK_PAUSE);
    Ok(())
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        Failure::failed(error.to_string())
    }
}
