//! A man in the middle of the simulated network: he reads along, hides STARTTLS, shows certificates of
//! his own or sends the connection elsewhere. What he can read he remembers.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Certificate, Stream, TlsClient, TlsServer};

use super::Network;
use crate::limits;

/// What he does.
#[derive(Clone, Debug)]
pub enum Interception {
    /// Reads along, and changes nothing.
    Listen,
    /// Hides STARTTLS from the client, so that mail comes in clear text.
    StripStartTls,
    /// Answers STARTTLS (and TLS from the first byte) himself, with this certificate, and hands on
    /// what he decrypts.
    Certificate(Box<Certificate>),
    /// Sends the connection to another server.
    Divert(SocketAddr),
}

/// The man himself. Clones are the same.
#[derive(Clone)]
pub struct Interceptor {
    state: Arc<Mutex<State>>,
}

struct State {
    how: Interception,
    connections: usize,
    seen: Vec<u8>,
}

/// Where TLS begins with the first byte.
const TLS_PORTS: [u16; 4] = [443, 465, 993, 995];

impl Interceptor {
    pub(super) fn new(how: Interception) -> Self {
        let state = State {
            how,
            connections: 0,
            seen: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Connections that he has held.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// What clients said that he could read, over all connections.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.state().seen).into_owned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn hold(self, network: Network, client: Stream) {
        let how = {
            let mut state = self.state();
            state.connections += 1;
            state.how.clone()
        };
        let to = match how {
            Interception::Divert(other) => other,
            _ => client.local_addr(),
        };
        // Whoever cannot be reached is not there for the client either: the line is dropped.
        let Ok(server) = network.connect_straight(client.peer_addr().ip(), to).await else {
            return;
        };
        let _ = Middle {
            interceptor: self,
            how,
            client,
            server,
            reply: Vec::new(),
        }
        .carry()
        .await;
    }
}

/// One connection with the man in it.
struct Middle {
    interceptor: Interceptor,
    how: Interception,
    client: Stream,
    server: Stream,
    /// What the server has said of a reply that is not complete.
    reply: Vec<u8>,
}

enum Said {
    Client(usize),
    Server(usize),
}

impl Middle {
    async fn carry(mut self) -> io::Result<()> {
        if let Interception::Certificate(certificate) = self.how.clone()
            && TLS_PORTS.contains(&self.client.local_addr().port())
        {
            self.impersonate(*certificate).await?;
            let upstream = TlsClient::opportunistic();
            let started = self
                .server
                .start_tls_client(&upstream, "intercepted.invalid");
            started.await.map_err(io::Error::other)?;
            self.how = Interception::Listen;
        }
        let mut from_client = vec![0; limits::PIPE_BYTES];
        let mut from_server = vec![0; limits::PIPE_BYTES];
        loop {
            let said = tokio::select! {
                biased;
                count = self.client.read(&mut from_client) => Said::Client(count?),
                count = self.server.read(&mut from_server) => Said::Server(count?),
            };
            match said {
                Said::Client(0) => return self.server.shutdown().await,
                Said::Server(0) => return self.client.shutdown().await,
                Said::Client(count) => {
                    let bytes = from_client.get(..count).unwrap_or_default();
                    self.client_said(bytes).await?;
                }
                Said::Server(count) => {
                    let bytes = from_server.get(..count).unwrap_or_default();
                    self.server_said(bytes).await?;
                }
            }
        }
    }

    async fn client_said(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.interceptor.state().seen.extend_from_slice(bytes);
        let starts_tls = bytes.eq_ignore_ascii_case(b"STARTTLS\r\n");
        match self.how.clone() {
            Interception::StripStartTls if starts_tls => {
                send(&mut self.client, b"502 5.5.1 no such command\r\n").await
            }
            Interception::Certificate(certificate) if starts_tls => {
                send(&mut self.client, b"220 2.0.0 go ahead\r\n").await?;
                self.impersonate(*certificate).await?;
                // The server still speaks clear text, and its offer must not confuse the client.
                self.how = Interception::StripStartTls;
                Ok(())
            }
            _ => send(&mut self.server, bytes).await,
        }
    }

    async fn server_said(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !matches!(self.how, Interception::StripStartTls) {
            return send(&mut self.client, bytes).await;
        }
        self.reply.extend_from_slice(bytes);
        let Some(reply) = complete(&self.reply) else {
            return Ok(());
        };
        let stripped = without_starttls(reply);
        self.reply.clear();
        send(&mut self.client, &stripped).await
    }

    async fn impersonate(&mut self, certificate: Certificate) -> io::Result<()> {
        let tls = TlsServer::new(vec![certificate]).map_err(io::Error::other)?;
        let started = self.client.start_tls_server(&tls).await;
        started.map(|_| ()).map_err(io::Error::other)
    }
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// The reply, or the replies of a pipelined group, if the last one is complete.
fn complete(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let last = text.strip_suffix("\r\n")?.rsplit("\r\n").next()?;
    (last.as_bytes().get(3) != Some(&b'-')).then_some(text)
}

fn without_starttls(replies: &str) -> Vec<u8> {
    let mut lines: Vec<String> = Vec::new();
    for line in replies.split_terminator("\r\n") {
        let offer = line
            .get(4..)
            .is_some_and(|text| text.eq_ignore_ascii_case("STARTTLS"));
        if !offer {
            lines.push(line.to_owned());
        } else if line.as_bytes().get(3) == Some(&b' ')
            && let Some(last) = lines.last_mut()
        {
            // It was the last line of its reply: the one before is now.
            last.replace_range(3..4, " ");
        }
    }
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\r\n"])
        .flatten()
        .copied()
        .collect()
}
