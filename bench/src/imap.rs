//! An IMAP client for load: it counts what comes, it does not keep it.

use anyhow::{Context, Result, bail};

use crate::connection::{Connection, Security};
use crate::target::{Doors, PASSWORD};

pub struct Imap {
    connection: Connection,
    number: u32,
    literal_plus: bool,
}

/// What one command brought.
#[derive(Default)]
pub struct Answer {
    pub bytes: usize,
    pub fetches: usize,
    /// The number in the last `MESSAGES n`.
    pub messages: Option<usize>,
    /// How many numbers stood in SEARCH or ESEARCH answers.
    pub found: usize,
}

impl Imap {
    pub fn open(doors: &Doors, security: Security) -> Result<Self> {
        let to = match security {
            Security::Plain => doors.imap,
            Security::Tls => doors.imaps,
        };
        let mut connection = Connection::open(to, security)?;
        let greeting = connection.line()?;
        if !greeting.starts_with(b"* OK") {
            bail!("greeting: {}", String::from_utf8_lossy(greeting).trim_end());
        }
        Ok(Self {
            connection,
            number: 0,
            literal_plus: false,
        })
    }

    /// Connects and logs in, the usual start of everything.
    pub fn log_in(doors: &Doors, security: Security, login: &str) -> Result<Self> {
        let mut this = Self::open(doors, security)?;
        this.command(&format!("LOGIN {login} {PASSWORD}"))?;
        if !this.literal_plus {
            this.command("CAPABILITY")?;
        }
        Ok(this)
    }

    pub fn command(&mut self, command: &str) -> Result<Answer> {
        let tag = self.tag();
        self.connection
            .write(format!("{tag} {command}\r\n").as_bytes())?;
        self.until(&tag)
            .with_context(|| command.chars().take(60).collect::<String>())
    }

    /// APPEND, waiting for each answer.
    pub fn append(&mut self, mailbox: &str, letter: &[u8]) -> Result<()> {
        let tag = self.tag();
        let size = letter.len();
        if self.literal_plus {
            self.connection
                .write(format!("{tag} APPEND {mailbox} {{{size}+}}\r\n").as_bytes())?;
        } else {
            self.connection
                .write(format!("{tag} APPEND {mailbox} {{{size}}}\r\n").as_bytes())?;
            let line = self.connection.line()?;
            if !line.starts_with(b"+") {
                bail!("APPEND: {}", String::from_utf8_lossy(line).trim_end());
            }
        }
        self.connection.write(letter)?;
        self.connection.write(b"\r\n")?;
        self.until(&tag).map(drop)
    }

    pub fn messages(&mut self, mailbox: &str) -> Result<usize> {
        let answer = self.command(&format!("STATUS {mailbox} (MESSAGES)"))?;
        answer.messages.context("STATUS without MESSAGES")
    }

    /// Begins IDLE; the server has said that it idles.
    pub fn idle(&mut self) -> Result<()> {
        let tag = self.tag();
        self.connection
            .write(format!("{tag} IDLE\r\n").as_bytes())?;
        loop {
            let line = self.connection.line()?;
            if line.starts_with(b"+") {
                return Ok(());
            }
            if !line.starts_with(b"*") {
                bail!("IDLE: {}", String::from_utf8_lossy(line).trim_end());
            }
        }
    }

    /// Waits for the untagged line that tells of a new message.
    pub fn wait_for_exists(&mut self) -> Result<()> {
        loop {
            if self
                .connection
                .line()?
                .trim_ascii_end()
                .ends_with(b"EXISTS")
            {
                return Ok(());
            }
        }
    }

    pub fn log_out(mut self) -> Result<()> {
        self.command("LOGOUT").map(drop)
    }

    fn tag(&mut self) -> String {
        self.number += 1;
        format!("b{}", self.number)
    }

    fn until(&mut self, tag: &str) -> Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let line = self.connection.line()?;
            answer.bytes += line.len();
            if let Some(rest) = line
                .strip_prefix(tag.as_bytes())
                .filter(|rest| rest.first() == Some(&b' '))
            {
                let ok = rest.trim_ascii_start().starts_with(b"OK");
                if line.windows(8).any(|w| w.eq_ignore_ascii_case(b"LITERAL+")) {
                    self.literal_plus = true;
                }
                if !ok {
                    bail!(
                        "the server said {}",
                        String::from_utf8_lossy(line).trim_end()
                    );
                }
                return Ok(answer);
            }
            if line.starts_with(b"* ") {
                read_untagged(line, &mut answer, &mut self.literal_plus);
            }
            if let Some(count) = literal(line) {
                answer.bytes += count;
                self.connection.skip(count)?;
            }
        }
    }
}

fn read_untagged(line: &[u8], answer: &mut Answer, literal_plus: &mut bool) {
    let mut words = line[2..].split(|b| b.is_ascii_whitespace());
    match (words.next(), words.next()) {
        (Some(_), Some(b"FETCH")) => answer.fetches += 1,
        (Some(b"STATUS"), _) => answer.messages = number_after(line, b"MESSAGES "),
        (Some(b"SEARCH"), first) => {
            let numbers = first.into_iter().chain(words);
            answer.found = numbers
                .filter(|w| w.first().is_some_and(u8::is_ascii_digit))
                .count();
        }
        (Some(b"CAPABILITY"), _) => {
            *literal_plus = line
                .split(|b| *b == b' ')
                .any(|w| w.trim_ascii_end() == b"LITERAL+");
        }
        _ => {}
    }
}

fn number_after(line: &[u8], word: &[u8]) -> Option<usize> {
    let at = line.windows(word.len()).position(|w| w == word)? + word.len();
    let digits: Vec<u8> = line[at..]
        .iter()
        .copied()
        .take_while(u8::is_ascii_digit)
        .collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

/// The count of a literal that a line announces.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}
