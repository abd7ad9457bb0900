//! An SMTP client for load: mail in and submission, pipelined where the server offers it.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::connection::{Connection, Security};

pub struct Smtp {
    connection: Connection,
    pipelining: bool,
}

/// Whether the session is wrapped in TLS before mail is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Plain,
    StartTls,
}

impl Smtp {
    pub fn open(to: SocketAddr, start: Start) -> Result<Self> {
        let connection = Connection::open(to, Security::Plain)?;
        let mut this = Self {
            connection,
            pipelining: false,
        };
        this.reply(b"220")?;
        this.hello()?;
        if start == Start::StartTls {
            this.command("STARTTLS", b"220")?;
            this.connection.start_tls()?;
            this.hello()?;
        }
        Ok(this)
    }

    pub fn log_in(&mut self, login: &str, password: &str) -> Result<()> {
        let answer = STANDARD.encode(format!("\0{login}\0{password}"));
        self.command(&format!("AUTH PLAIN {answer}"), b"235")
    }

    /// Sends one message; returns when the server has taken it.
    pub fn send(&mut self, from: &str, to: &str, letter: &[u8]) -> Result<()> {
        let (mail, rcpt) = (
            format!("MAIL FROM:<{from}>\r\n"),
            format!("RCPT TO:<{to}>\r\n"),
        );
        if self.pipelining {
            self.connection
                .write(format!("{mail}{rcpt}DATA\r\n").as_bytes())?;
            self.reply(b"250")?;
            self.reply(b"250")?;
        } else {
            self.connection.write(mail.as_bytes())?;
            self.reply(b"250")?;
            self.connection.write(rcpt.as_bytes())?;
            self.reply(b"250")?;
            self.connection.write(b"DATA\r\n")?;
        }
        self.reply(b"354")?;
        // The letters end in CR LF and have no dot at the start of a line.
        self.connection.write(letter)?;
        self.connection.write(b".\r\n")?;
        self.reply(b"250")
    }

    pub fn quit(mut self) -> Result<()> {
        self.command("QUIT", b"221")
    }

    fn hello(&mut self) -> Result<()> {
        self.connection.write(b"EHLO client.remote.test\r\n")?;
        loop {
            let line = self.connection.line()?;
            if !line.starts_with(b"250") {
                bail!("EHLO: {}", String::from_utf8_lossy(line).trim_end());
            }
            let last = line.get(3) != Some(&b'-');
            if line
                .get(4..)
                .is_some_and(|word| word.starts_with(b"PIPELINING"))
            {
                self.pipelining = true;
            }
            if last {
                return Ok(());
            }
        }
    }

    fn command(&mut self, command: &str, wanted: &[u8]) -> Result<()> {
        self.connection.write(format!("{command}\r\n").as_bytes())?;
        self.reply(wanted)
    }

    fn reply(&mut self, wanted: &[u8]) -> Result<()> {
        loop {
            let line = self.connection.line()?;
            if !line.starts_with(wanted) {
                bail!(
                    "the server said {}",
                    String::from_utf8_lossy(line).trim_end()
                );
            }
            if line.get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}
