//! Opens a store: directory, database, schema, key file, bodies, in this order.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::blobs::{BlobSettings, Blobs};
use crate::engine::inline::Inline;
use crate::engine::postgres::{PgConnection, Postgres};
use crate::engine::sqlite::{self, Sqlite};
use crate::engine::{Engine, SqlResult};
use crate::login::Gate;
use crate::schema::{self, Setup};
use crate::sealing::Sealing;
use crate::shared::Shared;
use crate::store::Inner;
use crate::{Mode, OpenError, StoreSettings};

/// The embedded database's file in the data directory.
const DATABASE_FILE: &str = "postroad.db";

/// A database server that does not answer for so long is down: mail is deferred meanwhile.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn open(settings: &StoreSettings) -> Result<Inner, OpenError> {
    let blobs = match settings.mode {
        Mode::Threads => BlobSettings::standard(),
        Mode::Inline => BlobSettings::simulated(),
    };
    open_with(settings, blobs)
}

/// As [`open`], with bodies kept in another way.
pub(crate) fn open_with(settings: &StoreSettings, blobs: BlobSettings) -> Result<Inner, OpenError> {
    make_dir(&settings.data_dir)?;
    match &settings.url {
        None => open_embedded(settings, blobs),
        Some(url) => open_postgres(settings, url, blobs),
    }
}

fn open_embedded(settings: &StoreSettings, blobs: BlobSettings) -> Result<Inner, OpenError> {
    let path = settings.data_dir.join(DATABASE_FILE);
    let place = path.display().to_string();
    let failed = |problem: String| OpenError::Database {
        place: place.clone(),
        problem,
    };
    protect(&path)?;
    let opened = match settings.mode {
        Mode::Threads => sqlite::open_writer(&path),
        Mode::Inline => sqlite::open_unsynced(&path),
    };
    let mut connection = opened.map_err(|e| failed(e.to_string()))?;
    schema::upgrade(&mut connection, &place)?;
    // Nobody else has this database open: whoever held a lease is gone.
    for release in [
        "UPDATE queue_recipient SET state = 0, due = 0 WHERE state < 2 AND state = 1",
        "UPDATE job SET holder = '', lease = 0 WHERE holder <> ''",
    ] {
        connection.run(release).map_err(&failed)?;
    }
    let shared = shared(settings, blobs, &mut connection, &place)?;
    let engine = match settings.mode {
        Mode::Threads => Engine::Sqlite(start(Sqlite::start(&path, connection, &shared), &place)?),
        Mode::Inline => Engine::Inline(Inline::new(connection, &shared)),
    };
    Ok(inner(engine, shared, settings))
}

fn open_postgres(
    settings: &StoreSettings,
    url: &str,
    blobs: BlobSettings,
) -> Result<Inner, OpenError> {
    let bad = |problem: String| OpenError::Url {
        url: without_password(url),
        problem,
    };
    if settings.mode == Mode::Inline {
        return Err(bad("simulations run on the embedded database".to_owned()));
    }
    let config: postgres::Config = url
        .parse()
        .map_err(|e: postgres::Error| bad(e.to_string()))?;
    let mut config = config;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    let place = without_password(url);
    let failed = |problem: String| OpenError::Database {
        place: place.clone(),
        problem,
    };
    let mut connection = PgConnection::open(&config).map_err(|e| failed(e.to_string()))?;
    schema::upgrade(connection.client(), &place)?;
    let shared = shared(settings, blobs, connection.client(), &place)?;
    drop(connection);
    let engine = Engine::Postgres(start(Postgres::start(&config, &shared), &place)?);
    Ok(inner(engine, shared, settings))
}

fn shared(
    settings: &StoreSettings,
    blobs: BlobSettings,
    db: &mut dyn Setup,
    place: &str,
) -> Result<Arc<Shared>, OpenError> {
    let sealing = Sealing::open(&settings.data_dir, db, place)?;
    let blobs = Blobs::open(&settings.data_dir.join("bodies"), blobs)?;
    let gate = Gate::new(&sealing, settings.mode).map_err(|e| OpenError::Database {
        place: place.to_owned(),
        problem: e.to_string(),
    })?;
    Ok(Arc::new(Shared::new(blobs, sealing, gate)))
}

fn inner(engine: Engine, shared: Arc<Shared>, settings: &StoreSettings) -> Inner {
    Inner {
        engine,
        shared,
        mode: settings.mode,
        tidying: tokio::sync::Mutex::default(),
    }
}

fn start<T>(started: SqlResult<T>, place: &str) -> Result<T, OpenError> {
    started.map_err(|e| OpenError::Database {
        place: place.to_owned(),
        problem: e.to_string(),
    })
}

/// Mail is nobody else's business: the directory is closed to others.
fn make_dir(dir: &Path) -> Result<(), OpenError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir);
    made.map_err(|source| OpenError::Io {
        doing: "making the data directory",
        path: dir.to_owned(),
        source,
    })
}

/// The database's file is made before the database would make it, readable for its owner alone.
/// The log beside it takes over its mode.
fn protect(database: &Path) -> Result<(), OpenError> {
    let open = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(database);
    open.map(drop).map_err(|source| OpenError::Io {
        doing: "making the database",
        path: database.to_owned(),
        source,
    })
}

/// What may stand in a log.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "postgres://…".to_owned();
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split('?').next().unwrap_or(host);
    format!("{scheme}://{host}")
}
