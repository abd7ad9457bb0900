//! A data directory of its own for each test, the program run on it, and a small client for line protocols.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Longer than any step takes on a busy machine; only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(120);

pub const PASSWORD: &str = "correct horse battery";

/// One installation.
pub struct Post {
    folder: tempfile::TempDir,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A server at work; killed when the test ends.
pub struct Serving {
    child: Child,
    pub ready: String,
    /// All that stood on standard output before `ready`.
    pub told: String,
    pub log: PathBuf,
}

impl Post {
    /// An empty place.
    pub fn empty() -> Self {
        Post {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A place with a config whose ports the system chooses, and nothing else yet.
    pub fn configured() -> Self {
        let post = Self::empty();
        post.write_config("");
        post
    }

    /// With a domain and one account, made by commands on the stopped store.
    pub fn with_alice() -> Self {
        let post = Self::configured();
        post.run(&["domain", "add", "example.test"]).done();
        post.add_account("alice@example.test");
        post
    }

    /// The config of the tests, with more lines at its end.
    pub fn write_config(&self, more: &str) {
        let ports: String = [
            "smtp",
            "submission",
            "submissions",
            "imap",
            "imaps",
            "pop3",
            "pop3s",
            "http",
            "https",
        ]
        .iter()
        .map(|service| format!("{service} = 0\n"))
        .collect();
        let text = format!(
            "hostname = \"mail.example.test\"\n[listen]\naddress = \"127.0.0.1\"\n{ports}\
             [tls]\ncleartext_login = true\n{more}"
        );
        std::fs::write(self.data().join("postroad.toml"), text).unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data").tap_made()
    }

    pub fn add_account(&self, address: &str) {
        self.run_with_input(&["account", "add", address, "--password-stdin"], PASSWORD)
            .done();
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let watchdog = Watchdog::over(&child);
        let output = child.wait_with_output().unwrap();
        drop(watchdog);
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The answer of a command with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let ran = self.run(&all).done();
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error} in {:?}", ran.stdout))
    }

    pub fn serve(&self) -> Serving {
        self.start(&["serve"], "")
    }

    /// Starts and waits for `ready`.
    pub fn start(&self, arguments: &[&str], input: &str) -> Serving {
        match self.try_start(arguments, input) {
            Ok(serving) => serving,
            Err(ran) => panic!("no server: {} {:?} {:?}", ran.code, ran.stdout, ran.stderr),
        }
    }

    /// Starts; an early end is an answer too.
    pub fn try_start(&self, arguments: &[&str], input: &str) -> Result<Serving, Ran> {
        let log = self.folder.path().join("log");
        let child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut serving = Serving {
            child,
            ready: String::new(),
            told: String::new(),
            log,
        };
        let _ = serving
            .child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes());
        let mut stdout = BufReader::new(serving.child.stdout.take().unwrap());
        loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let code = serving.child.wait().unwrap().code().unwrap_or(-1);
                let stderr = serving.log();
                return Err(Ran {
                    code,
                    stdout: std::mem::take(&mut serving.told),
                    stderr,
                });
            }
            if line.starts_with("ready") {
                serving.ready = line.trim_end().to_owned();
                return Ok(serving);
            }
            serving.told.push_str(&line);
        }
    }

    /// As another user.
    pub fn run_as(&self, user: u32, arguments: &[&str]) -> Ran {
        use std::os::unix::process::CommandExt;
        let output = self.command(arguments).uid(user).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroad"));
        command
            .args(arguments)
            .env("POSTROAD_DATA", self.data())
            .env_remove("XDG_DATA_HOME");
        command
    }
}

impl Ran {
    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn done(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    /// Fails the test unless standard error holds the words.
    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "{words:?} is not in {:?}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stdout.contains(words),
            "{words:?} is not in {:?}",
            self.stdout
        );
        self
    }
}

impl Serving {
    /// Where a service listens, from the `ready` line.
    pub fn address(&self, service: &str) -> SocketAddr {
        let prefix = format!("{service}=");
        let word = self
            .ready
            .split(' ')
            .find_map(|word| word.strip_prefix(&prefix));
        word.unwrap_or_else(|| panic!("no {service} in {:?}", self.ready))
            .parse()
            .unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// Asks to stop and waits; the exit status.
    pub fn stop(self) -> i32 {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Waits for the end, which a signal has asked for.
    pub fn wait(mut self) -> i32 {
        let watchdog = Watchdog::over(&self.child);
        let status = self.child.wait().unwrap();
        drop(watchdog);
        status.code().unwrap_or(-1)
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills a process that does not end in time: that must fail the test, not hang it.
struct Watchdog {
    ended: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watchdog {
    fn over(child: &Child) -> Self {
        let (ended, watch) = mpsc::channel::<()>();
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let thread = std::thread::spawn(move || {
            if watch.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill(id, Signal::SIGKILL);
            }
        });
        Watchdog {
            ended: Some(ended),
            thread: Some(thread),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.ended.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A connection on which lines go back and forth.
pub struct Lines {
    stream: BufReader<TcpStream>,
    closed: bool,
}

impl Lines {
    pub fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Lines {
            stream: BufReader::new(stream),
            closed: false,
        }
    }

    pub fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line without its end; empty when the peer closed.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.closed = self.stream.read_until(b'\n', &mut line).unwrap() == 0;
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    /// Lines up to and with the first that `last` accepts.
    #[track_caller]
    pub fn until(&mut self, last: impl Fn(&str) -> bool) -> String {
        let mut all = String::new();
        loop {
            let line = self.line();
            assert!(!self.closed, "closed after {all:?}");
            all.push_str(&line);
            all.push('\n');
            if last(&line) {
                return all;
            }
        }
    }

    /// An SMTP command; its whole reply must begin with the code.
    #[track_caller]
    pub fn smtp(&mut self, command: &str, code: &str) -> String {
        if !command.is_empty() {
            self.send(&format!("{command}\r\n"));
        }
        let reply = self.until(|line| line.as_bytes().get(3) != Some(&b'-'));
        assert!(reply.starts_with(code), "{command}: {reply}");
        reply
    }

    /// An IMAP command, which must end with OK; everything it answered.
    #[track_caller]
    pub fn imap(&mut self, command: &str) -> String {
        self.send(&format!("a {command}\r\n"));
        let reply = self.until(|line| line.starts_with("a "));
        assert!(
            reply.contains("\na OK") || reply.starts_with("a OK"),
            "{command}: {reply}"
        );
        reply
    }

    /// All that is left until the peer closes.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        let _ = self.stream.read_to_string(&mut rest);
        rest
    }
}

/// A mail that somebody else's server brings.
pub fn deliver(serving: &Serving, to: &str, body: &str) {
    let mut smtp = Lines::connect(serving.address("smtp"));
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.example", "250");
    smtp.smtp("MAIL FROM:<bob@elsewhere.example>", "250");
    smtp.smtp(&format!("RCPT TO:<{to}>"), "250");
    smtp.smtp("DATA", "354");
    // Whole, so that nobody takes it for junk.
    let header = format!(
        "From: Bob <bob@elsewhere.example>\r\nTo: <{to}>\r\nSubject: hello\r\n\
         Date: Mon, 2 Mar 2026 09:00:00 +0000\r\nMessage-ID: <{}@elsewhere.example>\r\n",
        body.len()
    );
    smtp.smtp(&format!("{header}\r\n{body}\r\n."), "250");
    smtp.smtp("QUIT", "221");
}

trait Made {
    fn tap_made(self) -> Self;
}

impl Made for PathBuf {
    /// Made with the mode that the program wants.
    fn tap_made(self) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        let path: &Path = &self;
        if !path.exists() {
            std::fs::DirBuilder::new().mode(0o700).create(path).unwrap();
        }
        self
    }
}
