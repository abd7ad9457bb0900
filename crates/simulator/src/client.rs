//! A small SMTP client for tests (and for other protocols of lines): says what it is told, reads replies.
//! It has no opinion, so that a test can say what no good client would.

use std::io;

use tokio::io::AsyncWriteExt;
use world::{Stream, TlsClient, TlsError};

use crate::remote::Input;

pub struct Client {
    input: Input,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// The lines without codes, divided by `\n`.
    pub text: String,
}

impl Reply {
    pub fn is_good(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// A word of an EHLO reply.
    pub fn offers(&self, keyword: &str) -> bool {
        self.text
            .lines()
            .any(|line| line.split(' ').next() == Some(keyword))
    }
}

impl Client {
    pub fn new(stream: Stream) -> Self {
        Self {
            input: Input::new(stream),
        }
    }

    /// Reads one reply, of one line or more.
    pub async fn reply(&mut self) -> io::Result<Reply> {
        let mut text = Vec::new();
        loop {
            let line = self.input.line().await?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.ok_or(io::ErrorKind::InvalidData)?;
            text.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply {
                    code,
                    text: text.join("\n"),
                });
            }
        }
    }

    /// Says a command and reads the reply.
    pub async fn say(&mut self, command: &str) -> io::Result<Reply> {
        self.input.say(&format!("{command}\r\n")).await?;
        self.reply().await
    }

    /// Reads one line of whatever protocol.
    pub async fn line(&mut self) -> io::Result<String> {
        self.input.line().await
    }

    /// Sends one line of whatever protocol.
    pub async fn send(&mut self, line: &str) -> io::Result<()> {
        self.input.say(&format!("{line}\r\n")).await
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.stream.write_all(bytes).await?;
        self.input.stream.flush().await
    }

    /// STARTTLS, and EHLO again.
    pub async fn start_tls(&mut self, tls: &TlsClient, name: &str) -> Result<Reply, TlsError> {
        let reply = self.say("STARTTLS").await.map_err(TlsError::Handshake)?;
        if !reply.is_good() {
            return Ok(reply);
        }
        self.input.forget();
        self.input.stream.start_tls_client(tls, name).await?;
        self.say("EHLO client.test")
            .await
            .map_err(TlsError::Handshake)
    }

    pub async fn log_in(&mut self, user: &str, password: &str) -> io::Result<Reply> {
        let secret = encode(format!("\0{user}\0{password}").as_bytes());
        self.say(&format!("AUTH PLAIN {secret}")).await
    }

    /// One message after EHLO: the reply to its end, or the first that refuses. `from` and `to`
    /// may carry parameters after the path: `<ann@here.test> RET=HDRS`.
    pub async fn transact(&mut self, from: &str, to: &[&str], message: &str) -> io::Result<Reply> {
        let reply = self.say(&format!("MAIL FROM:{}", angled(from))).await?;
        if !reply.is_good() {
            return Ok(reply);
        }
        for to in to {
            let reply = self.say(&format!("RCPT TO:{}", angled(to))).await?;
            if !reply.is_good() {
                return Ok(reply);
            }
        }
        let reply = self.say("DATA").await?;
        if !reply.is_good() {
            return Ok(reply);
        }
        let mut stuffed = message.replace("\r\n.", "\r\n..");
        if stuffed.starts_with('.') {
            stuffed.insert(0, '.');
        }
        if !stuffed.ends_with("\r\n") {
            stuffed.push_str("\r\n");
        }
        self.input.say(&format!("{stuffed}.\r\n")).await?;
        self.reply().await
    }
}

fn angled(path: &str) -> String {
    match path.starts_with('<') {
        true => path.to_owned(),
        false => format!("<{path}>"),
    }
}

fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = 0u32;
        for index in 0..3 {
            group = group << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            let symbol = ALPHABET[(group >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= chunk.len() {
                char::from(symbol)
            } else {
                '='
            });
        }
    }
    text
}
