//! The same program on PostgreSQL: one line in the config. Skipped where PostgreSQL is not installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::rig::{Lines, PASSWORD, Post, deliver};

/// A database server of this test's own, on a Unix socket in a temporary directory.
struct Database {
    child: Child,
    folder: tempfile::TempDir,
}

impl Database {
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        done(Command::new("chown").args(["postgres", place]));
        let data = format!("{place}/data");
        let set_up = [
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "--locale=C.UTF-8",
            "-D",
            &data,
        ];
        done(as_postgres(&programs.join("initdb")).args(set_up));
        let child = as_postgres(&programs.join("postgres"))
            .args([
                "-D",
                &data,
                "-k",
                place,
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut database = Database { child, folder };
        while !database.answers(&programs) {
            assert!(
                database.child.try_wait().unwrap().is_none(),
                "PostgreSQL ended"
            );
        }
        Some(database)
    }

    fn answers(&self, programs: &Path) -> bool {
        let place = self.folder.path();
        let asked = Command::new(programs.join("pg_isready"))
            .arg("-q")
            .arg("-h")
            .arg(place)
            .status();
        asked.unwrap().success()
    }

    fn url(&self) -> String {
        let host = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{host}/postgres")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .max();
    found.filter(|_| nix::unistd::geteuid().is_root())
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        "--pdeathsig=KILL",
        "--",
    ]);
    command.arg(program).current_dir("/");
    command
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn mail_comes_in_and_is_read_on_postgresql() {
    let Some(database) = Database::start() else {
        println!("skipped: needs root and PostgreSQL");
        return;
    };
    let post = Post::configured();
    post.write_config(&format!("[store]\nurl = \"{}\"\n", database.url()));
    let serving = post.start(
        &["quickstart", "alice@example.test", "--password-stdin"],
        PASSWORD,
    );
    deliver(&serving, "alice@example.test", "Kept by PostgreSQL.");
    let mut imap = Lines::connect(serving.address("imap"));
    imap.line();
    imap.imap(&format!("LOGIN alice@example.test \"{PASSWORD}\""));
    assert!(imap.imap("SELECT INBOX").contains("* 1 EXISTS"));
    assert!(
        imap.imap("FETCH 1 BODY[TEXT]")
            .contains("Kept by PostgreSQL.")
    );
    assert_eq!(
        post.json(&["account", "show", "alice@example.test"])["messages"],
        1
    );
    assert_eq!(serving.stop(), 0);
    // Stopped: on the database itself.
    assert_eq!(
        post.json(&["account", "show", "alice@example.test"])["messages"],
        1
    );
    post.run(&["domain", "add", "second.test"]).done();
    drop(database);
    post.run(&["account", "list"])
        .exits(1)
        .complains("postgres");
}
