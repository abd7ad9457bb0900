//! The loop of one session: take an event, carry it out, tell the news, answer.
//! What each command does is in its own file.

use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Instant;
use store::{AccountId, Entrance, ModSeq, Protocol, SessionWatch, Visit, Watcher};
use wire::imap::write::{self, Status};
use wire::imap::{By, Command, Dialect, Event, Offer, Phase, Server, ServerSettings, Tagged};
use world::{Ended, NoRoom, Share, Stop, Stream, Talk, Tls};

use super::ImapDoor;
use super::news::Expunges;
use super::refusal::{Done, Outcome, Refusal};
use super::selected::Selected;
use crate::limits::{FLUSH_BYTES, KEEP_BYTES, NEWS_PAUSE};
use crate::{Access, ClearTextLogin};

/// What ENABLE (or a CONDSTORE command) has switched on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Enabled {
    pub(super) condstore: bool,
    pub(super) qresync: bool,
    pub(super) rev2: bool,
    pub(super) utf8: bool,
}

pub(super) struct Session {
    pub(super) access: Access,
    pub(super) talk: Talk<Server>,
    pub(super) login: Option<LoginState>,
    pub(super) enabled: Enabled,
    pub(super) selected: Option<Box<Selected>>,
    /// Of the command in hand, for answers that name it.
    pub(super) tag: String,
    /// Answers on their way; empty between commands.
    pub(super) out: Vec<u8>,
    /// While the client idles: the newest change it was told of.
    idle_since: Option<ModSeq>,
    /// After news could not be read: not before then again.
    news_pause: Option<Instant>,
    /// For the literals of the command under way.
    room: Option<Box<Share<AccountId>>>,
    pub(super) entrance: Entrance,
}

/// Whose session it is.
pub(super) struct LoginState {
    pub(super) account: AccountId,
    pub(super) watcher: Watcher,
    /// It may be taken back.
    pub(super) session: Box<SessionWatch>,
}

/// What ends the wait for the client's next word.
enum Wake {
    Event(Event),
    Stop,
    /// The log-in was taken back.
    Over,
    News(ModSeq),
}

pub(super) async fn serve(access: Access, stream: Stream, door: ImapDoor, stop: Stop) {
    let peer = stream.peer_addr();
    let _busy = stop.enter();
    let tls = match &access.settings.tls {
        Some(server) => Tls::Server(server.clone()),
        None => Tls::None,
    };
    let machine = Server::new(machine_settings(&access));
    let mut talk = Talk::new(access.world.clone(), stream, machine, tls);
    if door == ImapDoor::Tls {
        talk = talk.with_tls_at_once();
    }
    let visit = Visit {
        protocol: Protocol::Imap,
        peer: peer.ip(),
    };
    let session = Session {
        entrance: Entrance::new(access.store.clone(), visit),
        access,
        talk,
        login: None,
        enabled: Enabled::default(),
        selected: None,
        tag: String::new(),
        out: Vec::new(),
        idle_since: None,
        news_pause: None,
        room: None,
    };
    let ended = session.run(&stop).await;
    tracing::debug!(%peer, %ended, "IMAP connection ended");
}

fn machine_settings(access: &Access) -> ServerSettings {
    let settings = &access.settings;
    let mut nonce = [0u8; 18];
    access.world.random.fill(&mut nonce);
    ServerSettings {
        hostname: settings.hostname.clone(),
        offer: Offer {
            starttls: settings.tls.is_some(),
            clear_text_login: match settings.clear_text_login {
                ClearTextLogin::Refused => wire::imap::ClearTextLogin::Refused,
                ClearTextLogin::Allowed => wire::imap::ClearTextLogin::Allowed,
            },
            append_bytes_max: settings.message_bytes_max,
        },
        nonce: wire::sasl::encode(&nonce),
    }
}

impl Session {
    async fn run(mut self, stop: &Stop) -> Ended {
        loop {
            let wake = match self.wait(stop).await {
                Ok(wake) => wake,
                Err(ended) => return ended,
            };
            // Boxed, so that what a command needs is not part of every idle connection.
            let result = match wake {
                Wake::Event(event) => Box::pin(self.event(event)).await,
                Wake::News(newest) => Box::pin(self.idle_news(newest)).await,
                Wake::Stop => {
                    return self.bye("[UNAVAILABLE] The server is shutting down.").await;
                }
                Wake::Over => {
                    return self.bye("Your login has ended; please log in again.").await;
                }
            };
            if let Err(ended) = result {
                return ended;
            }
        }
    }

    /// Says goodbye, and waits until that is sent.
    async fn bye(&mut self, text: &str) -> Ended {
        self.talk.machine().bye(text);
        loop {
            if let Err(ended) = self.talk.event().await {
                return ended;
            }
        }
    }

    async fn wait(&mut self, stop: &Stop) -> Result<Wake, Ended> {
        let woken = self.wait_for_any(stop).await?;
        let is_over = |login: &LoginState| login.session.is_over();
        if self.login.as_ref().is_some_and(is_over) && !matches!(woken, Wake::Stop) {
            return Ok(Wake::Over);
        }
        Ok(woken)
    }

    async fn wait_for_any(&mut self, stop: &Stop) -> Result<Wake, Ended> {
        let woken = match (self.idle_since, &mut self.login) {
            (
                seen,
                Some(LoginState {
                    watcher, session, ..
                }),
            ) => {
                let (clock, pause) = (self.access.world.clock.clone(), self.news_pause);
                let news = async move {
                    // While nothing is selected, or nobody idles, there is no news.
                    let Some(seen) = seen else {
                        return std::future::pending().await;
                    };
                    if let Some(pause) = pause {
                        clock.until(pause).await;
                    }
                    watcher.newer_than(seen).await
                };
                let (news, stopped) = (pin!(news), pin!(stop.requested()));
                let over = pin!(session.over());
                let end = select(stopped, over);
                match self.talk.event_or(select(news, end)).await? {
                    Either::Left(event) => Wake::Event(event),
                    Either::Right(Either::Left((newest, _))) => Wake::News(newest),
                    Either::Right(Either::Right((Either::Left(_), _))) => Wake::Stop,
                    Either::Right(Either::Right((Either::Right(_), _))) => Wake::Over,
                }
            }
            _ => match self.talk.event_or(stop.requested()).await? {
                Either::Left(event) => Wake::Event(event),
                Either::Right(()) => Wake::Stop,
            },
        };
        Ok(woken)
    }

    async fn event(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Command(Tagged {
                tag,
                command: Command::Idle,
            }) => {
                self.note_client();
                self.idle(tag).await
            }
            Event::Command(Tagged { tag, command }) => {
                self.note_client();
                let answered = self.command(tag, command).await;
                self.room = None;
                answered
            }
            Event::Room { bytes } => {
                self.make_room(bytes).await;
                Ok(())
            }
            Event::RoomFree => {
                self.room = None;
                self.talk.machine().done();
                Ok(())
            }
            Event::Ask(question) => {
                self.ask(question).await;
                Ok(())
            }
            Event::Verified { login, key } => {
                self.verified(&login, key).await;
                Ok(())
            }
            Event::IdleDone { tag } => {
                self.idle_since = None;
                self.news_pause = None;
                self.answer(&tag, "IDLE", Ok(Done::Plain), Some(Expunges::Tell))
                    .await
            }
        }
    }

    async fn command(&mut self, tag: String, command: Command) -> Result<(), Ended> {
        let name = command.name();
        self.tag.clone_from(&tag);
        let expunges = Self::expunges_after(&command);
        let outcome = self.carry_out(command).await;
        self.answer(&tag, name, outcome, expunges).await
    }

    /// Tells what happened meanwhile, then the outcome.
    async fn answer(
        &mut self,
        tag: &str,
        name: &str,
        outcome: Outcome,
        expunges: Option<Expunges>,
    ) -> Result<(), Ended> {
        if let Err(Refusal::Ended(ended)) = outcome {
            return Err(ended);
        }
        if let Some(expunges) = expunges
            && let Err(error) = self.news(expunges).await
        {
            tracing::warn!(%error, "news of a mailbox cannot be read");
        }
        match outcome {
            Ok(Done::Plain) => write::tagged(
                &mut self.out,
                tag,
                Status::Ok,
                &format!("{name} completed."),
            ),
            Ok(Done::Text(text)) => write::tagged(&mut self.out, tag, Status::Ok, &text),
            Err(refusal) => {
                let (status, text) = refusal.answer();
                write::tagged(&mut self.out, tag, status, &text);
            }
        }
        self.talk.machine().done();
        self.send().await
    }

    /// Hands over what is written so far.
    pub(super) async fn send(&mut self) -> Result<(), Ended> {
        if !self.out.is_empty() {
            let sent = self.talk.write(&self.out).await;
            self.out.clear();
            sent?;
        }
        if self.out.capacity() > KEEP_BYTES {
            self.out = Vec::new();
        }
        Ok(())
    }

    /// As `send`, once there is enough to be worth it.
    pub(super) async fn send_if_full(&mut self) -> Result<(), Ended> {
        if self.out.len() < FLUSH_BYTES {
            return Ok(());
        }
        let sent = self.talk.write(&self.out).await;
        self.out.clear();
        sent
    }

    /// RFC 9051 §7.5.1: no EXPUNGE while the client counts by numbers. `None`: no news at all,
    /// since the mailbox is not the one from before.
    fn expunges_after(command: &Command) -> Option<Expunges> {
        match command {
            Command::Select { .. } | Command::Close | Command::Unselect => None,
            Command::Search(search) if search.by == By::Sequence => Some(Expunges::Hold),
            Command::Sort(sort) if sort.by == By::Sequence => Some(Expunges::Hold),
            Command::Thread(thread) if thread.by == By::Sequence => Some(Expunges::Hold),
            Command::Fetch(fetch) if fetch.by == By::Sequence => Some(Expunges::Hold),
            Command::Store(store) if store.by == By::Sequence => Some(Expunges::Hold),
            _ => Some(Expunges::Tell),
        }
    }

    async fn carry_out(&mut self, command: Command) -> Outcome {
        match command {
            Command::Noop | Command::Check => Ok(Done::Plain),
            Command::Enable(wanted) => self.enable(&wanted),
            Command::Select {
                mailbox,
                mode,
                condstore,
                qresync,
            } => self.select(mailbox, mode, condstore, qresync).await,
            Command::Create {
                mailbox,
                special_use,
            } => self.create(mailbox, special_use).await,
            Command::Delete(mailbox) => self.delete(mailbox).await,
            Command::Rename { from, to } => self.rename(from, to).await,
            Command::Subscribe(mailbox) => self.subscribe(mailbox).await,
            Command::Unsubscribe(mailbox) => self.unsubscribe(mailbox).await,
            Command::List(list) => self.list(*list).await,
            Command::Lsub { reference, pattern } => self.lsub(&reference, &pattern).await,
            Command::Namespace => Ok(self.namespace()),
            Command::Status { mailbox, items } => self.status(mailbox, items).await,
            Command::Append { mailbox, messages } => self.append(mailbox, messages).await,
            Command::GetQuota(root) => self.get_quota(&root).await,
            Command::GetQuotaRoot(mailbox) => self.get_quota_root(mailbox).await,
            Command::SetQuota => Err(Refusal::no("[NOPERM] Quotas are set by the administrator.")),
            Command::Close => self.close().await,
            Command::Unselect => Ok(self.unselect()),
            Command::Expunge(set) => self.expunge(set.as_ref()).await,
            Command::Search(search) => self.search(*search).await,
            Command::Sort(sort) => self.sort(*sort).await,
            Command::Thread(thread) => self.thread(*thread).await,
            Command::Fetch(fetch) => self.fetch(*fetch).await,
            Command::Store(store) => self.store_flags(*store).await,
            Command::Copy { set, by, mailbox } => self.copy(set, by, mailbox).await,
            Command::Move { set, by, mailbox } => self.move_to(set, by, mailbox).await,
            // The machine answers these itself, or `event` does.
            Command::Capability
            | Command::Logout
            | Command::Id(_)
            | Command::StartTls
            | Command::Login { .. }
            | Command::Authenticate { .. }
            | Command::Idle => Err(Refusal::bad("This cannot be done now.")),
        }
    }

    /// RFC 2177. What happened before is told at once, the rest when it happens.
    async fn idle(&mut self, tag: String) -> Result<(), Ended> {
        self.idle_since = Some(
            self.selected
                .as_ref()
                .map_or(ModSeq(u64::MAX), |selected| selected.modseq),
        );
        self.talk.machine().idle(tag);
        Ok(())
    }

    async fn idle_news(&mut self, newest: ModSeq) -> Result<(), Ended> {
        match self.news(Expunges::Tell).await {
            Ok(()) => {
                self.idle_since = Some(newest);
                self.news_pause = None;
            }
            // They are not lost: the next look is for the same.
            Err(error) => {
                tracing::warn!(%error, "news of a mailbox cannot be read");
                self.news_pause = Some(self.access.world.now() + NEWS_PAUSE);
            }
        }
        self.send().await
    }

    /// Large literals share the memory of all sessions.
    async fn make_room(&mut self, bytes: usize) {
        let made = match (&mut self.room, &self.login) {
            (Some(room), _) => room.grow(&self.access.world, bytes).await,
            (None, Some(login)) => {
                let budget = &self.access.room;
                let taken = budget.take(&self.access.world, login.account, bytes).await;
                taken.map(|share| self.room = Some(Box::new(share)))
            }
            (None, None) => Err(NoRoom),
        };
        match made {
            Ok(()) => self.talk.machine().room_granted(),
            Err(NoRoom) => {
                self.room = None;
                self.talk.machine().room_denied();
            }
        }
    }

    pub(super) fn account(&self) -> Result<AccountId, Refusal> {
        match &self.login {
            Some(login) => Ok(login.account),
            None => Err(Refusal::bad("Log in first.")),
        }
    }

    pub(super) fn selected(&mut self) -> Result<&mut Selected, Refusal> {
        match &mut self.selected {
            Some(selected) => Ok(selected),
            None => Err(Refusal::bad("Select a mailbox first.")),
        }
    }

    pub(super) fn dialect(&mut self) -> Dialect {
        self.talk.machine().dialect()
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.talk.machine().set_phase(phase);
    }

    pub(super) fn now(&self) -> mail::UnixMillis {
        self.access.world.wall().into()
    }
}
