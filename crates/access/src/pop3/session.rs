//! The loop of one session: log in, show the INBOX as it was then, hand out bodies, remove at QUIT.

use std::pin::pin;

use futures_util::future::select;
use mail::UnixMillis;
use store::{
    BodyRef, Client, Columns, Durability, Entrance, LoggedIn, LoginError, MailboxId, MessageError,
    Protocol, SessionWatch, StoreError, Uid, UidSet, Visit,
};
use wire::pop3::server::{Event, LoginRule, Server, Settings, Trouble};
use wire::pop3::{Entry, Maildrop};
use wire::sasl::server::Question;
use wire::smtp::server::StartTlsRule;
use wire::stuffing::Stuffer;
use world::{Either, Ended, Stop, Stream, Talk, Tls};

use super::Pop3Door;
use super::claims::Claim;
use super::top::Top;
use crate::limits::STREAM_PIECE_BYTES;
use crate::{Access, ClearTextLogin};

pub(super) async fn serve(access: Access, stream: Stream, door: Pop3Door, stop: Stop) {
    let peer = stream.peer_addr();
    let _busy = stop.enter();
    let tls = match &access.settings.tls {
        Some(server) => Tls::Server(server.clone()),
        None => Tls::None,
    };
    let mut secret = [0; 32];
    access.world.random.fill(&mut secret);
    let machine = Server::new(machine_settings(&access), secret);
    let mut talk = Talk::new(access.world.clone(), stream, machine, tls);
    if door == Pop3Door::Tls {
        talk = talk.with_tls_at_once();
    }
    let visit = Visit {
        protocol: Protocol::Pop3,
        peer: peer.ip(),
    };
    let session = Session {
        entrance: Entrance::new(access.store.clone(), visit),
        access,
        talk,
        watch: None,
        open: None,
    };
    let ended = session.run(&stop).await;
    tracing::debug!(%peer, %ended, "POP3 connection ended");
}

fn machine_settings(access: &Access) -> Settings {
    let ours = &access.settings;
    Settings {
        hostname: ours.hostname.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        stls: match ours.tls {
            Some(_) => StartTlsRule::Offered,
            None => StartTlsRule::NotOffered,
        },
        login: match ours.clear_text_login {
            ClearTextLogin::Refused => LoginRule::OverTls,
            ClearTextLogin::Allowed => LoginRule::Always,
        },
        patience: wire::limits::POP3_PATIENCE,
    }
}

/// What ends the wait for the client's next word.
enum Wake {
    Event(Event),
    Stop,
    /// The log-in was taken back.
    Over,
}

/// What was marked stays: only QUIT removes.
const LOGIN_ENDED: &str = "[AUTH] Your login has ended; please log in again";

struct Session {
    access: Access,
    talk: Talk<Server>,
    entrance: Entrance,
    /// Of the log-in: it may be taken back.
    watch: Option<SessionWatch>,
    open: Option<Open>,
}

/// A mailbox in the hands of this session.
struct Open {
    claim: Claim,
    /// As numbered by the machine.
    uids: Vec<Uid>,
}

impl Session {
    async fn run(mut self, stop: &Stop) -> Ended {
        let mut requested = pin!(stop.requested());
        let mut stopping = false;
        loop {
            let event = match self.wait(requested.as_mut(), stopping).await {
                Ok(Wake::Event(event)) => event,
                Ok(Wake::Stop) => {
                    stopping = true;
                    self.talk.machine().stop();
                    continue;
                }
                Ok(Wake::Over) => {
                    self.watch = None;
                    // The next log-in need not wait until the peer has read the last words.
                    self.open = None;
                    self.talk.machine().end(LOGIN_ENDED);
                    continue;
                }
                Err(ended) => return ended,
            };
            // Boxed, so that what a command needs is not part of every idle connection.
            if let Err(ended) = Box::pin(self.event(event)).await {
                return ended;
            }
        }
    }

    async fn wait<S>(
        &mut self,
        requested: std::pin::Pin<&mut S>,
        stopping: bool,
    ) -> Result<Wake, Ended>
    where
        S: Future<Output = ()>,
    {
        let woken = if stopping {
            Wake::Event(self.talk.event().await?)
        } else {
            let watch = &mut self.watch;
            let over = pin!(async {
                match watch {
                    Some(watch) => watch.over().await,
                    None => std::future::pending().await,
                }
            });
            match self.talk.event_or(select(requested, over)).await? {
                Either::Left(event) => Wake::Event(event),
                Either::Right(Either::Left(_)) => Wake::Stop,
                Either::Right(Either::Right(_)) => Wake::Over,
            }
        };
        let is_over = self.watch.as_ref().is_some_and(SessionWatch::is_over);
        match woken {
            Wake::Event(_) if is_over => Ok(Wake::Over),
            woken => Ok(woken),
        }
    }

    async fn event(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Auth(question) => self.auth(question).await,
            Event::Verified { login, key } => self.verified(&login, key).await,
            Event::Retrieve { index, lines } => return self.retrieve(index, lines).await,
            Event::Update { delete } => self.update(&delete).await,
        }
        Ok(())
    }

    async fn auth(&mut self, question: Question) {
        let now = self.now();
        let answered = match question {
            Question::Password { login, password } => {
                let password = password.expose();
                let right = self.entrance.password(&login, password, now).await;
                right.map(|()| self.talk.machine().password_was(true))
            }
            Question::Scram { login } => match self.entrance.scram(&login, now).await {
                Ok(keys) => {
                    let keys = crate::login::for_machine(keys);
                    self.talk.machine().scram_keys(keys);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match answered {
            Ok(()) => {}
            Err(LoginError::Wrong) => self.talk.machine().password_was(false),
            Err(error) => self.talk.machine().refuse(login_trouble(&error)),
        }
    }

    async fn verified(&mut self, login: &str, key: usize) {
        let peer = self.talk.peer_addr().ip();
        let proved = self.entrance.prove(key, self.now()).await;
        let tls = self.talk.machine().tls().map(|tls| tls.version.clone());
        self.entrance.note_client(Client {
            name: "",
            tls: tls.as_deref().unwrap_or_default(),
        });
        match proved {
            Ok(user) => {
                tracing::debug!(%peer, login, "POP3 login");
                self.watch = Some(self.access.store.watch_session(&user));
                self.open(&user).await;
            }
            Err(error) => self.talk.machine().refuse(login_trouble(&error)),
        }
    }

    /// The INBOX as it is now is what the session sees to its end.
    async fn open(&mut self, user: &LoggedIn) {
        let Some(claim) = self.access.maildrops.take(user.account()) else {
            return self.talk.machine().refuse(Trouble::InUse);
        };
        match self.snapshot(&claim).await {
            Ok(maildrop) => {
                let uids = maildrop.entries.iter().map(|entry| Uid(entry.uid));
                self.open = Some(Open {
                    uids: uids.collect(),
                    claim,
                });
                self.talk.machine().open(maildrop);
            }
            Err(error) => {
                tracing::error!(%error, "an INBOX could not be listed");
                self.talk.machine().refuse(Trouble::Temporary);
            }
        }
    }

    async fn snapshot(&mut self, claim: &Claim) -> Result<Maildrop, StoreError> {
        let account = claim.account();
        let read = move |view: &store::View<'_>| {
            let mut maildrop = Maildrop::default();
            if let Some(inbox) = view.mailbox(account, MailboxId::INBOX)? {
                maildrop.uid_validity = inbox.uid_validity.0;
            }
            view.each_placement(
                account,
                MailboxId::INBOX,
                Uid(1)..=Uid(u32::MAX),
                &mut |placement| {
                    maildrop.entries.push(Entry {
                        octets: placement.size,
                        uid: placement.uid.0,
                    });
                },
            )?;
            Ok(maildrop)
        };
        self.access.store.read(read).await
    }

    async fn retrieve(&mut self, index: usize, lines: Option<u64>) -> Result<(), Ended> {
        let (body, mut piece) = match self.first_piece(index).await {
            Ok(Some(found)) => found,
            Ok(None) | Err(StoreError::BodyGone) => {
                self.talk.machine().refuse(Trouble::Gone);
                return Ok(());
            }
            Err(error) => {
                tracing::error!(%error, "a body could not be read");
                self.talk.machine().refuse(Trouble::Temporary);
                return Ok(());
            }
        };
        self.talk.machine().begin_message();
        let mut out = self.talk.machine().take_out();
        let mut top = lines.map(Top::new);
        let mut stuffer = Stuffer::default();
        let mut read = piece.len() as u64;
        loop {
            let shown = match &mut top {
                Some(top) => top.take(&piece),
                None => &piece,
            };
            stuffer.push(shown, &mut out);
            if read >= body.size || top.as_ref().is_some_and(Top::is_done) {
                break;
            }
            self.talk.write_owned(std::mem::take(&mut out)).await?;
            let range = read..body.size.min(read + STREAM_PIECE_BYTES);
            piece = match self.access.store.body(body, range).await {
                Ok(piece) if !piece.is_empty() => piece,
                outcome => {
                    // Half a message is out: only a broken line tells the client that it is half.
                    let error = outcome.err();
                    tracing::error!(?error, "a body broke off while it was sent");
                    let broken = std::io::Error::other("the message cannot be read");
                    return Err(Ended::Lost(broken));
                }
            };
            read += piece.len() as u64;
        }
        stuffer.finish(&mut out);
        self.talk.write_owned(out).await
    }

    /// Where the body lies, and its beginning; of most messages that is all of it.
    async fn first_piece(
        &mut self,
        index: usize,
    ) -> Result<Option<(BodyRef, Vec<u8>)>, StoreError> {
        let found = self.open.as_ref().and_then(|open| {
            let uid = open.uids.get(index)?;
            Some((open.claim.account(), *uid))
        });
        let Some((account, uid)) = found else {
            return Ok(None);
        };
        let read = move |view: &store::View<'_>| {
            let mut body = None;
            let want = Columns {
                body: true,
                ..Columns::default()
            };
            view.each_message(account, MailboxId::INBOX, uid..=uid, want, &mut |row| {
                body = row.body;
            })?;
            let Some(body) = body else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            view.read_body(&body, 0..body.size.min(STREAM_PIECE_BYTES), &mut bytes)?;
            Ok(Some((body, bytes)))
        };
        self.access.store.read(read).await
    }

    /// The UPDATE state: only here anything is removed. RFC 1939 §6.
    async fn update(&mut self, delete: &[usize]) {
        let open = self.open.take();
        let removed = match &open {
            Some(open) if !delete.is_empty() => self.remove(open, delete).await,
            _ => Ok(()),
        };
        match removed {
            Ok(()) => self.talk.machine().updated(),
            Err(error) => {
                tracing::error!(%error, "messages could not be removed");
                self.talk.machine().refuse(Trouble::Temporary);
            }
        }
    }

    async fn remove(&mut self, open: &Open, delete: &[usize]) -> Result<(), MessageError> {
        let account = open.claim.account();
        let mut uids = UidSet::new();
        for uid in delete.iter().filter_map(|index| open.uids.get(*index)) {
            uids.insert(*uid);
        }
        let store = &self.access.store;
        let work = move |change: &mut store::Change<'_>| {
            change.remove(account, MailboxId::INBOX, &uids).map(drop)
        };
        store.write(Durability::Durable, work).await
    }

    fn now(&self) -> UnixMillis {
        self.access.world.wall().into()
    }
}

fn login_trouble(error: &LoginError) -> Trouble {
    match error {
        LoginError::Wrong => Trouble::Auth,
        LoginError::Throttled { .. } => Trouble::LoginDelay,
        LoginError::Store(error) => {
            tracing::error!(%error, "a login could not be checked");
            Trouble::Temporary
        }
    }
}
