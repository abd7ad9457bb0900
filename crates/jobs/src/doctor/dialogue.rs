//! A conversation with a server of lines, as a stranger has it: says, reads, and can start TLS. Bounded in all.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Stream, TlsClient, TlsFacts, World};

use super::limits;

pub(super) struct Dialogue<'w> {
    world: &'w World,
    stream: Stream,
    buffer: Vec<u8>,
}

/// What is wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The other end says no.
    Refused,
    /// Nothing comes back.
    Silent,
    /// We cannot even try: no route, no address of this family.
    Here,
    /// The line was cut, or what was said is not the protocol.
    Broken,
}

/// An SMTP reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// Without codes.
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(super) fn is_final_no(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// Whether EHLO offers this.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.argument(keyword).is_some()
    }

    /// What stands behind a keyword of EHLO.
    pub(super) fn argument(&self, keyword: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (word, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
            word.eq_ignore_ascii_case(keyword).then_some(rest)
        })
    }
}

/// Connects within the patience.
pub(super) async fn connect(world: &World, to: SocketAddr) -> Result<Stream, Fault> {
    let deadline = world.now() + limits::CONNECT_PATIENCE;
    let connecting = world.net.connect(None, to);
    match world.tasks.deadline(deadline, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(match error.kind() {
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::ConnectionReset => {
                Fault::Refused
            }
            std::io::ErrorKind::TimedOut => Fault::Silent,
            _ => Fault::Here,
        }),
        Err(_) => Err(Fault::Silent),
    }
}

impl<'w> Dialogue<'w> {
    pub(super) fn new(world: &'w World, stream: Stream) -> Self {
        Self {
            world,
            stream,
            buffer: Vec::new(),
        }
    }

    pub(super) async fn say(&mut self, line: &str) -> Result<Reply, Fault> {
        self.send(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let deadline = self.world.now() + limits::CONNECT_PATIENCE;
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match self.world.tasks.deadline(deadline, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Fault::Broken),
            Err(_) => Err(Fault::Silent),
        }
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<String, Fault> {
        self.line_within(limits::TALK_PATIENCE).await
    }

    pub(super) async fn line_within(&mut self, patience: Duration) -> Result<String, Fault> {
        let deadline = self.world.now() + patience;
        let world = self.world;
        match world.tasks.deadline(deadline, self.read_line()).await {
            Ok(line) => line,
            Err(_) => Err(Fault::Silent),
        }
    }

    async fn read_line(&mut self) -> Result<String, Fault> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line);
                return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
            }
            if limits::LINE_BYTES_MAX < self.buffer.len() {
                return Err(Fault::Broken);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(Fault::Broken),
                Ok(_) => {}
            }
        }
    }

    /// All lines of one SMTP reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let code = code.ok_or(Fault::Broken)?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
            if limits::LINES_MAX <= lines.len() {
                return Err(Fault::Broken);
            }
        }
    }

    pub(super) async fn start_tls(
        &mut self,
        tls: &TlsClient,
        name: &str,
    ) -> Result<TlsFacts, String> {
        self.buffer.clear();
        let deadline = self.world.now() + limits::CONNECT_PATIENCE;
        let shaking = self.stream.start_tls_client(tls, name);
        match self.world.tasks.deadline(deadline, shaking).await {
            Ok(Ok(facts)) => Ok(facts),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.stream.server_certificate()
    }
}
