//! A PostgreSQL server of the tests' own, in a temporary directory, on a Unix socket. It ends with
//! the tests. Without PostgreSQL's programs the tests say so and skip.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A fresh database, as an address for the store.
pub fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<PathBuf>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let socket_dir = SERVER.get_or_init(start).as_ref()?;
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

fn start() -> Option<PathBuf> {
    let Some(bin) = programs() else {
        println!("skipped: PostgreSQL is not installed, so nothing ran on it");
        return None;
    };
    let dir = tempfile::Builder::new()
        .prefix("postroad-pg")
        .tempdir()
        .expect("a temporary directory")
        .keep();
    run(Command::new("chown").arg("postgres").arg(&dir));
    let data = dir.join("data");
    run(as_postgres(&bin.join("initdb"))
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-D",
        ])
        .arg(&data));
    let mut server = as_postgres(&bin.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&dir).args([
        "-c",
        "listen_addresses=",
        "-c",
        "fsync=off",
    ]);
    server.stdout(Stdio::null()).stderr(Stdio::null());
    // The server dies with the thread that started it; this one lives as long as the tests do.
    std::thread::spawn(move || {
        let mut child = server.spawn().expect("postgres starts");
        drop(child.wait());
    });
    let patience = Instant::now() + Duration::from_secs(60);
    while connect(&dir, "postgres").is_err() {
        assert!(
            Instant::now() < patience,
            "the PostgreSQL server does not answer"
        );
        std::thread::yield_now();
    }
    Some(dir)
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

/// PostgreSQL does not run as root.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "--pdeathsig=INT",
        ])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let done = command
        .stdout(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(done.success(), "{command:?}");
}

fn connect(dir: &Path, database: &str) -> Result<postgres::Client, postgres::Error> {
    let host = dir.to_str().expect("a path in ASCII");
    postgres::Config::new()
        .host(host)
        .user("postgres")
        .dbname(database)
        .connect(postgres::NoTls)
}
