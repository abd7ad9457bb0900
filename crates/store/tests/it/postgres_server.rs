//! A PostgreSQL server of the tests' own, in a temporary directory, on a Unix socket. Both end with
//! the tests. Without PostgreSQL's programs the tests say so and skip.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A fresh database, as an address for the store.
pub fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<(PathBuf, Child)>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (socket_dir, _) = SERVER.get_or_init(start).as_ref()?;
    let name = format!("postroad{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut client = connect(socket_dir, "postgres").expect("the server answers");
    client
        .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
        .expect("a fresh database");
    let host = socket_dir
        .to_str()
        .expect("a path in ASCII")
        .replace('/', "%2F");
    Some(format!("postgres://postgres@{host}/{name}"))
}

fn start() -> Option<(PathBuf, Child)> {
    let Some(bin) = programs() else {
        println!("skipped: PostgreSQL is not installed, so nothing ran on it");
        return None;
    };
    let dir = tempfile::Builder::new().prefix("postroad-pg").tempdir();
    let dir = dir.expect("a temporary directory").keep();
    let user = if is_root() {
        "setpriv --reuid=postgres --regid=postgres --init-groups"
    } else {
        ""
    };
    // The shell waits until our end of the pipe is closed, however these tests end, and cleans up.
    let script = format!(
        "set -e; [ -z '{user}' ] || chown postgres '{dir}'; cd '{dir}'; \
         {user} '{bin}/initdb' -A trust -U postgres --no-sync -E UTF8 --locale=C.UTF-8 -D data; \
         {user} '{bin}/postgres' -D data -k '{dir}' -c listen_addresses= -c fsync=off & \
         cat; kill -INT $!; wait $! || true; cd /; rm -rf '{dir}'",
        dir = dir.display(),
        bin = bin.display(),
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let shell = shell.spawn().expect("a shell starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while connect(&dir, "postgres").is_err() {
        assert!(
            Instant::now() < patience,
            "the PostgreSQL server does not answer"
        );
        std::thread::yield_now();
    }
    Some((dir, shell))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .find(|bin| bin.join("postgres").exists() && bin.join("initdb").exists())
}

fn connect(dir: &Path, database: &str) -> Result<postgres::Client, postgres::Error> {
    let host = dir.to_str().expect("a path in ASCII");
    postgres::Config::new()
        .host(host)
        .user("postgres")
        .dbname(database)
        .connect(postgres::NoTls)
}
