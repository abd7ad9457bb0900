//! The client's side of a session: sends commands, reads answers with their literals.

// Tests run on the real clock and report what they skip.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::TlsFacts;
use world::{Stream, TlsClient};

pub struct Client {
    stream: Stream,
    buffer: Vec<u8>,
    tags: u32,
}

/// What came back to a command.
pub struct Answer {
    /// Untagged answers, each with its literals in place and without the last CR LF.
    pub untagged: Vec<String>,
    /// After the tag.
    pub tagged: String,
}

/// Longer than anything takes, so that a test that hangs ends.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    /// With the greeting read.
    pub async fn new(stream: Stream) -> Client {
        let mut client = Client {
            stream,
            buffer: Vec::new(),
            tags: 0,
        };
        client.greeting().await;
        client
    }

    /// On a port that speaks TLS from the first byte.
    pub async fn over_tls(stream: Stream) -> Client {
        let mut client = Client {
            stream,
            buffer: Vec::new(),
            tags: 0,
        };
        client.handshake().await;
        client.greeting().await;
        client
    }

    /// The client's side of a handshake; any certificate will do.
    pub async fn handshake(&mut self) {
        let tls = TlsClient::opportunistic();
        self.stream
            .start_tls_client(&tls, "mail.example.test")
            .await
            .expect("TLS");
    }

    pub fn tls(&self) -> Option<TlsFacts> {
        self.stream.tls().cloned()
    }

    async fn greeting(&mut self) {
        let greeting = self.answer_line().await.expect("a greeting");
        assert!(greeting.starts_with("* OK "), "{greeting}");
    }

    /// One answer with its literals; nothing when the connection is closed.
    pub async fn answer_line(&mut self) -> Option<String> {
        let bytes = self.answer_bytes().await?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub async fn answer_bytes(&mut self) -> Option<Vec<u8>> {
        let mut at = 0;
        loop {
            let end = loop {
                if let Some(end) = self.buffer[at..]
                    .windows(2)
                    .position(|pair| pair == b"\r\n")
                {
                    break at + end;
                }
                if !self.more().await {
                    return None;
                }
            };
            let Some(size) = literal_size(&self.buffer[at..end]) else {
                let mut line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                line.truncate(end);
                return Some(line);
            };
            at = end + 2 + size;
            while self.buffer.len() < at {
                if !self.more().await {
                    return None;
                }
            }
        }
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        let read = read.unwrap_or_else(|_| {
            panic!(
                "no answer; so far {:?}",
                String::from_utf8_lossy(&self.buffer)
            )
        });
        read.is_ok_and(|count| count > 0)
    }

    pub async fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        // The server may have closed: what it said tells.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// The tag that the next command will have.
    pub fn next_tag(&self) -> String {
        format!("t{}", self.tags + 1)
    }

    /// Sends a command and reads to its tagged answer.
    pub async fn command(&mut self, command: &str) -> Answer {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.send(&format!("{tag} {command}\r\n")).await;
        self.until_tagged(&tag).await
    }

    pub async fn until_tagged(&mut self, tag: &str) -> Answer {
        let mut untagged = Vec::new();
        let start = format!("{tag} ");
        loop {
            let Some(line) = self.answer_line().await else {
                return Answer {
                    untagged,
                    tagged: "CLOSED".into(),
                };
            };
            match line.strip_prefix(&start) {
                Some(tagged) => {
                    return Answer {
                        untagged,
                        tagged: tagged.to_owned(),
                    };
                }
                None => untagged.push(line),
            }
        }
    }

    #[track_caller]
    pub fn ok<'a>(&'a mut self, command: &'a str) -> impl Future<Output = Vec<String>> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.command(command).await;
            assert!(
                answer.tagged.starts_with("OK"),
                "{caller}: {command}: {} {:?}",
                answer.tagged,
                answer.untagged
            );
            answer.untagged
        }
    }

    /// The tagged answer of a command that is refused with NO or BAD.
    #[track_caller]
    pub fn refused<'a>(&'a mut self, command: &'a str) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.command(command).await;
            assert!(
                !answer.tagged.starts_with("OK"),
                "{caller}: {command}: {} {:?}",
                answer.tagged,
                answer.untagged
            );
            answer.tagged
        }
    }

    /// Untagged answers exactly, in order.
    #[track_caller]
    pub fn says<'a>(
        &'a mut self,
        command: &'a str,
        want: &'a [&'a str],
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let got = self.ok(command).await;
            assert_eq!(got, want, "{caller}: {command}");
        }
    }

    /// APPEND with a non-synchronising literal; the text after OK.
    pub async fn append(&mut self, mailbox: &str, arguments: &str, message: &str) -> String {
        let command = format!(
            "APPEND {mailbox} {arguments}{{{}+}}\r\n{message}",
            message.len()
        );
        let answer = self.command(&command).await;
        assert!(answer.tagged.starts_with("OK"), "APPEND: {}", answer.tagged);
        answer.tagged
    }
}

/// `{n}` or `~{n}` at the end of a line.
fn literal_size(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&inner[open + 1..]).ok()?.parse().ok()
}
