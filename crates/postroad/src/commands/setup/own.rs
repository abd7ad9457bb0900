//! Our own commands, each in a process of its own: it works on the running server or on the store, whichever is there, and
//! becomes the owner of the data while this process stays who it is.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use world::{Clock as _, TokioClock};

use crate::output::Failure;
use crate::place::Place;

pub(super) struct Own {
    program: PathBuf,
    /// `None` where the settings lie in their place in the system and name the directory.
    data: Option<PathBuf>,
    clock: TokioClock,
}

/// What a command said.
pub(super) struct Said {
    pub code: i32,
    pub value: Value,
    /// Why it failed, for people.
    pub problem: String,
}

impl Own {
    pub fn new(place: &Place) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::failed(format!("where this program is: {error}")))?;
        Ok(Self {
            program,
            data: (place.config.parent() == Some(&place.data)).then(|| place.data.clone()),
            clock: TokioClock::real(),
        })
    }

    pub fn program(&self) -> &PathBuf {
        &self.program
    }

    /// The directory, where it must be named to the program.
    pub fn named_data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(data) = &self.data {
            command.arg("--data").arg(data);
        }
        command
    }

    /// Runs a command; what it reads comes from `input`.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<Said, Failure> {
        let broken = |error: std::io::Error| {
            Failure::failed(format!("postroad {}: {error}", arguments.join(" ")))
        };
        let mut child = self
            .command()
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(broken)?;
        let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let complaint = String::from_utf8_lossy(&output.stderr);
        let problem = complaint
            .lines()
            .find_map(|line| {
                let object: Value = serde_json::from_str(line).ok()?;
                Some(object.get("error")?.as_str()?.to_owned())
            })
            .unwrap_or_else(|| complaint.trim().to_owned());
        Ok(Said {
            code: output.status.code().unwrap_or(1),
            value,
            problem,
        })
    }

    /// The same where anything but success ends the set-up.
    pub fn must(&self, arguments: &[&str], input: &str) -> Result<Value, Failure> {
        let said = self.run(arguments, input)?;
        match said.code {
            0 => Ok(said.value),
            _ => Err(Failure::failed(said.problem)),
        }
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Nobody tells when the world has changed, so it is looked at again after a moment.
    pub fn rest(&self, pause: Duration) {
        let until = self.now() + pause;
        while let Some(left) = until.checked_duration_since(self.now()) {
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }
}
