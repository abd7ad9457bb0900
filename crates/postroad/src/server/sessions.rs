//! From an accepted connection to the room that serves it.

use std::sync::Arc;

use access::Access;
use access::imap::ImapDoor;
use access::pop3::Pop3Door;
use mail::UnixMillis;
use mta::{Door, Mta};
use store::Store;
use tokio::io::AsyncWriteExt;
use web::Web;
use world::{Listener, Session, Stop, Stream, Task, TlsServer, World};

use super::admission::Admission;
use super::{bans, limits};
use crate::config::{Config, Service};

/// What stands behind the desk.
#[derive(Clone)]
pub struct Rooms {
    pub store: Store,
    pub mta: Mta,
    pub access: Access,
    pub web: Web,
}

/// Where every connection is received. One for all listeners.
#[derive(Clone)]
pub struct Desk {
    world: World,
    rooms: Rooms,
    tls: Arc<TlsServer>,
    readers: Admission,
    stop: Stop,
}

impl Desk {
    pub fn new(
        world: World,
        config: &Config,
        rooms: Rooms,
        tls: Arc<TlsServer>,
        stop: Stop,
    ) -> Self {
        let readers = Admission::new(
            config.limits.connections.unwrap_or(limits::READERS_MAX),
            config
                .limits
                .connections_per_address
                .unwrap_or(limits::READERS_PER_ADDRESS_MAX),
        );
        Desk {
            world,
            rooms,
            tls,
            readers,
            stop,
        }
    }

    /// Accepts on one listener until the stop; then the port closes.
    pub fn open(&self, service: Service, listener: Listener) -> Task {
        let desk = self.clone();
        self.world.tasks.spawn(service.name(), async move {
            desk.accept(service, listener).await
        })
    }

    async fn accept(&self, service: Service, listener: Listener) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.requested() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(stream) => self.receive(service, stream),
                Err(error) => {
                    tracing::warn!(%service, %error, "a connection was not accepted");
                    let pause = self
                        .world
                        .clock
                        .until(self.world.now() + limits::ACCEPT_PAUSE);
                    tokio::select! {
                        biased;
                        () = self.stop.requested() => return,
                        () = pause => {}
                    }
                }
            }
        }
    }

    fn receive(&self, service: Service, stream: Stream) {
        let now = UnixMillis::from(self.world.wall());
        if let Some(banned) = bans::shut(&self.rooms.store, service, &stream, now) {
            return bans::turn_away(stream, service, &banned);
        }
        let busy = self.stop.enter();
        match service {
            Service::Smtp => self.smtp(stream, Door::Mx, busy),
            Service::Submission => self.smtp(stream, Door::Submission, busy),
            Service::Submissions => self.smtp(stream, Door::SubmissionTls, busy),
            Service::Imap => self.imap(stream, ImapDoor::Starttls, busy),
            Service::Imaps => self.imap(stream, ImapDoor::Tls, busy),
            Service::Pop3 => self.pop3(stream, Pop3Door::Stls, busy),
            Service::Pop3s => self.pop3(stream, Pop3Door::Tls, busy),
            Service::Http => self.http(stream, busy),
            Service::Https => self.https(stream, busy),
        }
    }

    fn smtp(&self, stream: Stream, door: Door, busy: Session) {
        let (mta, stop) = (self.rooms.mta.clone(), self.stop.clone());
        self.world.tasks.spawn("smtp session", async move {
            let _busy = busy;
            mta.serve_smtp(stream, door, stop).await;
        });
    }

    fn imap(&self, stream: Stream, door: ImapDoor, busy: Session) {
        let Some(admitted) = self.readers.admit(stream.peer_addr().ip()) else {
            let words = match door {
                ImapDoor::Starttls => "* BYE too many connections; try again later\r\n",
                ImapDoor::Tls => "",
            };
            return self.refuse(stream, words, busy);
        };
        let (access, stop) = (self.rooms.access.clone(), self.stop.clone());
        self.world.tasks.spawn("imap session", async move {
            let _counted = (busy, admitted);
            access.serve_imap(stream, door, stop).await;
        });
    }

    fn pop3(&self, stream: Stream, door: Pop3Door, busy: Session) {
        let Some(admitted) = self.readers.admit(stream.peer_addr().ip()) else {
            let words = match door {
                Pop3Door::Stls => "-ERR [SYS/TEMP] too many connections; try again later\r\n",
                Pop3Door::Tls => "",
            };
            return self.refuse(stream, words, busy);
        };
        let (access, stop) = (self.rooms.access.clone(), self.stop.clone());
        self.world.tasks.spawn("pop3 session", async move {
            let _counted = (busy, admitted);
            access.serve_pop3(stream, door, stop).await;
        });
    }

    fn http(&self, stream: Stream, busy: Session) {
        let (web, stop) = (self.rooms.web.clone(), self.stop.clone());
        self.world.tasks.spawn("http connection", async move {
            let _busy = busy;
            web.serve_http(stream, &stop).await;
        });
    }

    fn https(&self, stream: Stream, busy: Session) {
        let (web, tls, stop) = (self.rooms.web.clone(), self.tls.clone(), self.stop.clone());
        self.world.tasks.spawn("https connection", async move {
            let _busy = busy;
            web.serve_https(stream, &tls, &stop).await;
        });
    }

    /// Says why, where it can be said without TLS, and closes.
    fn refuse(&self, mut stream: Stream, words: &'static str, busy: Session) {
        tracing::warn!(peer = %stream.peer_addr(), "too many connections");
        let world = self.world.clone();
        self.world.tasks.spawn("refusal", async move {
            let _busy = busy;
            let until = world.now() + limits::REFUSAL_PATIENCE;
            let said = async {
                stream.write_all(words.as_bytes()).await?;
                stream.shutdown().await
            };
            let _ = world.tasks.deadline(until, said).await;
        });
    }
}
