//! One SMTP connection from its first byte to its last: asks the machine for events and has each
//! decided elsewhere. Mail from the world and mail of our users differ only in who decides.

mod waiting;

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};

use futures_util::future::select;
use mail::{TraceId, UnixMillis};
use store::{Client, Entrance, LoggedIn, LoginError, Protocol, SessionWatch};
use wire::sasl::server::Question;
use wire::smtp::server::{AuthRule, Event, Role, Server, Settings, StartTlsRule};
use wire::smtp::{EnhancedCode, Reply};
use world::{Either, Ended, Share, Stop, Stream, Talk, Tls};

use crate::door::Caller;
use crate::doors::{self, Entry};
use crate::receive::{self, Transaction};
use crate::refusal::Refusal;
use crate::settings::ClearTextLogin;
use crate::{Door, Inner, limits};

/// Serves one connection until it ends.
pub(crate) async fn serve(inner: &Inner, stream: Stream, door: Door, stop: Stop) {
    let _counted = stop.enter();
    let (peer, local) = (stream.peer_addr().ip(), stream.local_addr().ip());
    let mut secret = [0; 32];
    inner.world.random.fill(&mut secret);
    let caller = Caller::begin(inner, peer, local, door).await;
    let entry = caller.may_connect(inner).and_then(|()| {
        inner
            .doors
            .enter(peer, caller.standing(), inner.world.now())
    });
    let mut settings = machine_settings(inner, door);
    caller.adjust(&mut settings, inner.doors.is_busy());
    let mut machine = Server::new(settings, secret);
    if let Err(refusal) = &entry {
        tracing::info!(%peer, reason = %refusal, "a connection is turned away");
        machine.turn_away(refusal.reply());
    }
    let tls = match &inner.settings.tls {
        Some(server) => Tls::Server(server.clone()),
        None => Tls::None,
    };
    let mut talk = Talk::new(inner.world.clone(), stream, machine, tls)
        .with_bytes_per_sec_min(limits::BYTES_PER_SEC_MIN);
    if door == Door::SubmissionTls {
        talk = talk.with_tls_at_once();
    }
    let knock = store::Visit {
        protocol: Protocol::Submission,
        peer,
    };
    let mut session = Session {
        inner,
        door,
        peer,
        caller,
        entry: entry.ok(),
        user: None,
        entrance: Entrance::new(inner.store.clone(), knock),
        watch: None,
        transaction: None,
        share: None,
        stopping: false,
    };
    let requested = pin!(stop.requested());
    let ended = session.run(&mut talk, requested).await;
    let ending = talk.machine().ending();
    session.caller.farewell(inner, ending, &ended);
    tracing::debug!(%peer, ?door, ?ending, %ended, "connection closed");
}

fn machine_settings(inner: &Inner, door: Door) -> Settings {
    let ours = &inner.settings;
    let role = match door {
        Door::Mx => Role::Mx,
        Door::Submission | Door::SubmissionTls => Role::Submission,
    };
    let mut settings = Settings::new(role, ours.hostname.as_str());
    settings.size_max = ours.message_bytes_max as u64;
    settings.recipients_max = ours.recipients_max;
    settings.starttls = match (&ours.tls, door) {
        (Some(_), Door::Mx | Door::Submission) => StartTlsRule::Offered,
        _ => StartTlsRule::NotOffered,
    };
    settings.auth = match (role, ours.clear_text_login) {
        (Role::Mx, _) => AuthRule::Never,
        (Role::Submission, ClearTextLogin::Refused) => AuthRule::OverTls,
        (Role::Submission, ClearTextLogin::Allowed) => AuthRule::Always,
    };
    settings
}

/// What one connection knows beyond its machine.
pub(crate) struct Session<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) door: Door,
    pub(crate) peer: IpAddr,
    pub(crate) caller: Caller,
    entry: Option<Entry>,
    pub(crate) user: Option<LoggedIn>,
    entrance: Entrance,
    /// Of the user's log-in: it may be taken back.
    watch: Option<SessionWatch>,
    /// Since the last MAIL.
    pub(crate) transaction: Option<Transaction>,
    /// The memory set aside for the body under way.
    share: Option<Share<IpAddr>>,
    stopping: bool,
}

/// What else may happen while a session waits for its peer.
enum Wake {
    Stop,
    LoggedOut,
    Crowd,
}

impl Session<'_> {
    async fn run<S>(&mut self, talk: &mut Talk<Server>, mut requested: Pin<&mut S>) -> Ended
    where
        S: Future<Output = ()>,
    {
        loop {
            let event = match self.next(talk, requested.as_mut()).await {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(ended) => return ended,
            };
            if self.is_over() {
                talk.machine().turn_out(log_in_again());
                continue;
            }
            match event {
                Event::Hello { name, .. } => {
                    let spoke_ahead = talk.machine().spoke_ahead();
                    self.caller.said_hello(self.inner, &name, spoke_ahead);
                }
                Event::Mistake(mistake) => {
                    self.caller.erred(self.inner, mistake);
                    self.tarpit(requested.as_mut()).await;
                }
                Event::Auth(question) => self.auth(talk, question).await,
                Event::Verified { login, key } => self.verified(talk, &login, key).await,
                Event::Mail { from, params } => {
                    let hello = talk.machine().hello().unwrap_or_default().to_owned();
                    let decided = match self.caller.may_send(self.inner) {
                        Ok(()) => receive::mail(self, &hello, from, params).await,
                        Err(refusal) => Err(refusal),
                    };
                    self.answer(talk, decided);
                }
                Event::Rcpt { to, params } => {
                    let decided = match self.caller.may_name(self.inner) {
                        Ok(()) => receive::rcpt(self, to, params).await,
                        Err(refusal) => Err(refusal),
                    };
                    self.caller.named(self.inner, &decided);
                    if decided.is_err() {
                        self.tarpit(requested.as_mut()).await;
                    }
                    self.answer(talk, decided);
                }
                Event::Data => {
                    if let Some(entry) = &self.entry {
                        entry.is_of_use();
                    }
                    let decided = self.set_memory_aside().await;
                    self.answer(talk, decided);
                }
                Event::Message(body) => {
                    let facts = receive::Arrival::of(self, talk.machine());
                    let reply = receive::message(self, facts, body).await;
                    self.share = None;
                    self.transaction = None;
                    if reply.code() == 250 {
                        self.caller.was_heard();
                    }
                    talk.machine().finish(reply);
                }
            }
        }
    }

    /// The next event; `None` if something else happened that was dealt with here.
    async fn next<S>(
        &mut self,
        talk: &mut Talk<Server>,
        requested: Pin<&mut S>,
    ) -> Result<Option<Event>, Ended>
    where
        S: Future<Output = ()>,
    {
        if self.share.is_some() {
            return self.weigh(talk, requested).await;
        }
        if self.stopping {
            return talk.event().await.map(Some);
        }
        if talk.machine().is_silent() {
            return self.be_silent(talk, requested).await;
        }
        let wake = {
            let over = pin!(async {
                match &mut self.watch {
                    Some(watch) => watch.over().await,
                    None => std::future::pending().await,
                }
            });
            let crowded = pin!(async {
                match &self.entry {
                    Some(entry) => entry.must_go().await,
                    None => std::future::pending().await,
                }
            });
            match talk
                .event_or(select(requested, select(over, crowded)))
                .await?
            {
                Either::Left(event) => return Ok(Some(event)),
                Either::Right(Either::Left(_)) => Wake::Stop,
                Either::Right(Either::Right((Either::Left(_), _))) => Wake::LoggedOut,
                Either::Right(Either::Right((Either::Right(_), _))) => Wake::Crowd,
            }
        };
        match wake {
            Wake::Stop => {
                self.stopping = true;
                talk.machine().stop();
            }
            Wake::LoggedOut => {
                // It is told once, and the rest is up to the conversation.
                self.watch = None;
                talk.machine().turn_out(log_in_again());
            }
            Wake::Crowd => return Err(self.make_room(talk).await),
        }
        Ok(None)
    }

    /// The account was locked or its password changed: what was opened with the old one goes no further.
    fn is_over(&self) -> bool {
        self.watch.as_ref().is_some_and(SessionWatch::is_over)
    }

    fn answer(&self, talk: &mut Talk<Server>, decided: Result<(), Refusal>) {
        match decided {
            Ok(()) => talk.machine().accept(),
            Err(refusal) => talk.machine().refuse(refusal.reply()),
        }
    }

    async fn set_memory_aside(&mut self) -> Result<(), Refusal> {
        let announced = self
            .transaction
            .as_ref()
            .and_then(|transaction| transaction.params.size);
        let announced = announced.map_or(usize::MAX, |size| {
            usize::try_from(size).unwrap_or(usize::MAX)
        });
        let bytes = announced.min(limits::BODY_BYTES_SET_ASIDE);
        let (world, holder) = (&self.inner.world, doors::block_of(self.peer));
        self.share = Some(self.inner.budget.take(world, holder, bytes).await?);
        Ok(())
    }

    async fn auth(&mut self, talk: &mut Talk<Server>, question: Question) {
        let now = self.now();
        let answered = match question {
            Question::Password { login, password } => {
                let password = password.expose();
                let right = self.entrance.password(&login, password, now).await;
                right.map(|()| talk.machine().password_was(true))
            }
            Question::Scram { login } => match self.entrance.scram(&login, now).await {
                Ok(keys) => {
                    talk.machine().scram_keys(for_machine(keys));
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match answered {
            Ok(()) => {}
            Err(LoginError::Wrong) => talk.machine().password_was(false),
            Err(error) => talk.machine().refuse(login_refusal(error).reply()),
        }
    }

    async fn verified(&mut self, talk: &mut Talk<Server>, login: &str, key: usize) {
        let proved = self.entrance.prove(key, self.now()).await;
        let machine = talk.machine();
        let hello = machine.hello().unwrap_or_default().to_owned();
        let tls = machine.tls().map(|tls| tls.version.clone());
        self.entrance.note_client(Client {
            name: &hello,
            tls: tls.as_deref().unwrap_or_default(),
        });
        let admitted = proved.map_err(login_refusal).and_then(|user| {
            if let Some(entry) = &mut self.entry {
                entry.log_in(user.account())?;
            }
            Ok(user)
        });
        match admitted {
            Ok(user) => {
                tracing::info!(peer = %self.peer, user = %user.address(), "logged in");
                self.watch = Some(self.inner.store.watch_session(&user));
                self.user = Some(user);
                talk.machine().accept();
            }
            Err(refusal) => {
                tracing::info!(peer = %self.peer, login, reason = %refusal, "log-in refused");
                talk.machine().refuse(refusal.reply());
            }
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.inner.now()
    }

    pub(crate) fn new_trace(&self) -> TraceId {
        self.inner.new_trace()
    }
}

fn log_in_again() -> Reply {
    let text = "your log-in has ended; please log in again";
    Reply::new(421, EnhancedCode(4, 7, 0), text)
}

fn for_machine(keys: store::ScramKeys) -> wire::sasl::ScramKeys {
    let pairs = keys.pairs.into_iter().map(|pair| wire::sasl::KeyPair {
        stored_key: pair.stored_key,
        server_key: pair.server_key,
    });
    wire::sasl::ScramKeys::of(keys.salt, keys.iterations, pairs)
}

fn login_refusal(error: LoginError) -> Refusal {
    match error {
        LoginError::Wrong => Refusal::WrongLogin,
        LoginError::Throttled { .. } => Refusal::Throttled,
        LoginError::Store(error) => error.into(),
    }
}

#[cfg(test)]
mod tests;
