//! Passwords: asked for without echo, read from a pipe or a file, or made up. Never an argument.

mod strength;

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;

use nix::sys::termios::{self, LocalFlags, SetArg};
use world::Random;

use crate::output::Failure;

/// Where a command's password comes from.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct PasswordSource {
    /// Read the password from standard input (its first line)
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from a file (its first line)
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,
}

/// Where the password of an account comes from: it must be a good one.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct AccountPassword {
    #[command(flatten)]
    source: PasswordSource,
    /// Take a password that is soon guessed, too
    #[arg(long)]
    weak_password: bool,
}

/// A shorter one is no protection.
const PASSWORD_CHARS_MIN: usize = 8;
/// Longer ones are a mistake or an attack on the hash.
const PASSWORD_BYTES_MAX: usize = 1000;

/// 80 bits.
const MADE_CHARS: usize = 16;

impl PasswordSource {
    /// Whether the command line named a source.
    pub fn is_named(&self) -> bool {
        self.password_stdin || self.password_file.is_some()
    }

    /// The password; from the terminal when no other source was named.
    pub fn read(&self, who: &str) -> Result<String, Failure> {
        let password = if self.password_stdin {
            first_line(&mut std::io::stdin().lock())
                .map_err(|error| Failure::failed(format!("standard input: {error}")))?
        } else if let Some(file) = &self.password_file {
            let unreadable =
                |error| Failure::failed(format!("{} cannot be read: {error}", file.display()));
            let mut opened = std::fs::File::open(file).map_err(unreadable)?;
            first_line(&mut std::io::BufReader::new(&mut opened)).map_err(unreadable)?
        } else {
            ask(who)?
        };
        check(password)
    }
}

impl AccountPassword {
    /// Whether the command line named a source.
    pub fn is_named(&self) -> bool {
        self.source.is_named()
    }

    /// The password; from the terminal when no other source was named. `names` are what its owner is called.
    pub fn read(&self, who: &str, names: &[&str]) -> Result<String, Failure> {
        let password = self.source.read(who)?;
        let names = [&[who], names].concat();
        match strength::weakness(&password, &names) {
            Some(weakness) if !self.weak_password => Err(Failure::failed(format!(
                "the password {weakness}: take a longer one, such as four words that have nothing to do with one \
                 another, or one that a program made (--weak-password takes it all the same)"
            ))),
            _ => Ok(password),
        }
    }
}

/// In four groups that can be read aloud.
pub fn generate(random: &dyn Random) -> String {
    let mut bytes = [0; MADE_CHARS];
    random.fill(&mut bytes);
    store::readable_password(&bytes)
}

fn check(password: String) -> Result<String, Failure> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Failure::failed(format!(
            "the password is too short: use at least {PASSWORD_CHARS_MIN} characters"
        )));
    }
    if PASSWORD_BYTES_MAX < password.len() || password.contains('\0') {
        return Err(Failure::failed(format!(
            "the password is not usable: at most {PASSWORD_BYTES_MAX} bytes, none of them zero"
        )));
    }
    Ok(password)
}

fn first_line(input: &mut dyn BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    input
        .take(PASSWORD_BYTES_MAX as u64 + 2)
        .read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn ask(who: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "no password given: run the command in a terminal, or use --password-stdin or --password-file FILE",
        ));
    }
    let first = prompt(&format!("Password for {who}: "))?;
    let second = prompt("The same again: ")?;
    if first == second {
        Ok(first)
    } else {
        Err(Failure::failed(
            "the two passwords differ; nothing was changed",
        ))
    }
}

/// Asks on standard error, reads from standard input with echo off, and turns echo on again.
fn prompt(question: &str) -> Result<String, Failure> {
    let broken = |error: std::io::Error| Failure::failed(format!("the terminal: {error}"));
    let mut stderr = std::io::stderr();
    stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush())
        .map_err(broken)?;
    let stdin = std::io::stdin();
    let before = termios::tcgetattr(&stdin).map_err(|error| broken(error.into()))?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    silent.local_flags.insert(LocalFlags::ECHONL);
    termios::tcsetattr(&stdin, SetArg::TCSAFLUSH, &silent).map_err(|error| broken(error.into()))?;
    let line = first_line(&mut stdin.lock());
    termios::tcsetattr(&stdin, SetArg::TCSAFLUSH, &before).map_err(|error| broken(error.into()))?;
    line.map_err(broken)
}

#[cfg(test)]
mod tests;
