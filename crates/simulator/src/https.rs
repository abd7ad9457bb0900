//! Scripted web servers: pages, wrong pages, silence, and TLS of all kinds; they remember what was asked.
//! Their HTTP is their own, not the one under test.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use world::{Listener, Stream, World};

use crate::remote::{Input, Servers, TlsOffer};
use crate::trace::Trace;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// An answer with a status, header fields and a body; the length is added.
    Answer {
        status: u16,
        fields: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// These bytes, whatever they are, and the end.
    Raw(Vec<u8>),
    /// Nothing ever comes.
    Hang,
    /// The line is cut.
    Cut,
}

/// What a client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Field names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A running web server. Clones are the same server.
#[derive(Clone)]
pub struct HttpsHost {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    at: SocketAddr,
    world: World,
    trace: Trace,
    servers: Servers,
    state: Mutex<State>,
}

struct State {
    tls: TlsOffer,
    pages: BTreeMap<String, Page>,
    asked: Vec<Asked>,
    connections: usize,
}

impl Page {
    pub fn text(text: &str) -> Self {
        Self::of(200, "text/plain", text)
    }

    pub fn of(status: u16, content_type: &str, body: &str) -> Self {
        Self::Answer {
            status,
            fields: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::Answer {
            status,
            fields: vec![("Location".to_owned(), to.to_owned())],
            body: Vec::new(),
        }
    }
}

impl Asked {
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }
}

impl HttpsHost {
    pub(crate) fn start(
        name: &str,
        listener: Listener,
        world: World,
        servers: Servers,
        trace: Trace,
    ) -> Self {
        let state = State {
            tls: TlsOffer::Trusted,
            pages: BTreeMap::new(),
            asked: Vec::new(),
            connections: 0,
        };
        let host = Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                at: listener.local_addr(),
                trace,
                servers,
                state: Mutex::new(state),
                world,
            }),
        };
        let accepting = host.clone();
        let tasks = host.shared.world.tasks.clone();
        tasks.spawn(format!("web {name}"), async move {
            while let Ok(stream) = listener.accept().await {
                let serving = accepting.clone();
                let tasks = accepting.shared.world.tasks.clone();
                tasks.spawn("web conversation", async move {
                    // How it ends is seen by the client.
                    let _ = serving.serve(stream).await;
                });
            }
        });
        host
    }

    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.shared.at
    }

    pub fn set(&self, path: &str, page: Page) {
        self.state().pages.insert(path.to_owned(), page);
    }

    pub fn remove(&self, path: &str) {
        self.state().pages.remove(path);
    }

    /// Which certificate it shows from now on, or what it does instead.
    pub fn set_tls(&self, tls: TlsOffer) {
        self.state().tls = tls;
    }

    /// Everything that was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Connections so far, also those that asked nothing.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: Stream) -> io::Result<()> {
        let tls = {
            let mut state = self.state();
            state.connections += 1;
            state.tls
        };
        match tls {
            TlsOffer::None => {}
            TlsOffer::Silent => {
                Input::new(stream).until_gone().await;
                return Ok(());
            }
            TlsOffer::Garbage => {
                stream.write_all(b"SSH-2.0-not-this-one\r\n").await?;
                return stream.flush().await;
            }
            offer => {
                let Some(server) = self.shared.servers.get(offer) else {
                    return Ok(());
                };
                let started = stream.start_tls_server(&server).await;
                started.map_err(io::Error::other)?;
            }
        }
        let mut input = Input::new(stream);
        let asked = read(&mut input).await?;
        let path = asked.path.split('?').next().unwrap_or_default().to_owned();
        let line = format!("{} {} {}", self.shared.name, asked.method, asked.path);
        self.shared.trace.note(line);
        let page = {
            let mut state = self.state();
            state.asked.push(asked);
            state.pages.get(&path).cloned()
        };
        let not_found = || Page::of(404, "text/plain", "nothing here");
        match page.unwrap_or_else(not_found) {
            Page::Hang => input.until_gone().await,
            Page::Cut => {}
            Page::Raw(bytes) => input.stream.write_all(&bytes).await?,
            Page::Answer {
                status,
                fields,
                body,
            } => {
                let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
                for (name, value) in fields {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                let length = body.len();
                head.push_str(&format!(
                    "Content-Length: {length}\r\nConnection: close\r\n\r\n"
                ));
                input.stream.write_all(head.as_bytes()).await?;
                input.stream.write_all(&body).await?;
            }
        }
        input.stream.flush().await?;
        input.stream.shutdown().await
    }
}

async fn read(input: &mut Input) -> io::Result<Asked> {
    let line = input.line().await?;
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let mut fields = Vec::new();
    loop {
        let line = input.line().await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let body = input.exactly(length.unwrap_or(0)).await?;
    Ok(Asked {
        method,
        path,
        fields,
        body,
    })
}
