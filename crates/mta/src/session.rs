//! One SMTP connection from its first byte to its last: asks the machine for events and has each
//! decided elsewhere. Mail from the world and mail of our users differ only in who decides.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use mail::{TraceId, UnixMillis};
use store::{LoggedIn, LoginError, ScramKeys};
use wire::sasl::server::Question;
use wire::smtp::server::{AuthRule, Event, Phase, Role, Server, Settings, StartTlsRule};
use world::{Either, Ended, Share, Stop, Stream, Talk, Tls};

use crate::doors::{self, Entry};
use crate::receive::{self, Transaction};
use crate::refusal::Refusal;
use crate::settings::ClearTextLogin;
use crate::{Door, Inner, limits};

/// Serves one connection until it ends.
pub(crate) async fn serve(inner: &Inner, stream: Stream, door: Door, stop: Stop) {
    let _counted = stop.enter();
    let peer = stream.peer_addr().ip();
    let mut secret = [0; 32];
    inner.world.random.fill(&mut secret);
    let mut machine = Server::new(machine_settings(inner, door), secret);
    let entry = inner.doors.enter(peer);
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
    let mut session = Session {
        inner,
        door,
        peer,
        entry: entry.ok(),
        user: None,
        pending: None,
        transaction: None,
        share: None,
        stopping: false,
    };
    let requested = pin!(stop.requested());
    let ended = session.run(&mut talk, requested).await;
    tracing::debug!(%peer, ?door, ending = ?talk.machine().ending(), %ended, "connection closed");
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
    entry: Option<Entry>,
    pub(crate) user: Option<LoggedIn>,
    pending: Option<Pending>,
    /// Since the last MAIL.
    pub(crate) transaction: Option<Transaction>,
    /// The memory set aside for the body under way.
    share: Option<Share<IpAddr>>,
    stopping: bool,
}

/// A login that the machine has not called verified yet.
enum Pending {
    Password(LoggedIn),
    Scram { login: String, keys: ScramKeys },
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
            match event {
                Event::Hello { .. } | Event::Mistake(_) => {}
                Event::Auth(question) => self.auth(talk, question).await,
                Event::Verified { login, .. } => self.verified(talk, login).await,
                Event::Mail { from, params } => {
                    let hello = talk.machine().hello().unwrap_or_default().to_owned();
                    let decided = receive::mail(self, &hello, from, params).await;
                    self.answer(talk, decided);
                }
                Event::Rcpt { to, params } => {
                    let decided = receive::rcpt(self, to, params).await;
                    self.answer(talk, decided);
                }
                Event::Data => {
                    let decided = self.set_memory_aside().await;
                    self.answer(talk, decided);
                }
                Event::Message(body) => {
                    let facts = receive::Arrival::of(self, talk.machine());
                    let reply = receive::message(self, facts, body).await;
                    self.share = None;
                    self.transaction = None;
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
        let world = &self.inner.world;
        if let Some(share) = &mut self.share {
            // While a body comes in, what it holds of the memory budget follows its size.
            return match talk
                .event_or(world.clock.after(limits::BODY_WEIGHING))
                .await?
            {
                Either::Left(event) => Ok(Some(event)),
                Either::Right(()) => {
                    if !self.stopping && is_ready_now(requested).await {
                        self.stopping = true;
                        talk.machine().stop();
                    }
                    if talk.machine().phase() != Phase::Body {
                        // The transaction was reset.
                        self.share = None;
                        return Ok(None);
                    }
                    let bytes = usize::try_from(talk.machine().bytes_received());
                    if let Err(no_room) = share.grow(world, bytes.unwrap_or(0)).await {
                        talk.machine().turn_out(Refusal::from(no_room).reply());
                    }
                    Ok(None)
                }
            };
        }
        if self.stopping {
            return talk.event().await.map(Some);
        }
        match talk.event_or(requested).await? {
            Either::Left(event) => Ok(Some(event)),
            Either::Right(()) => {
                self.stopping = true;
                talk.machine().stop();
                Ok(None)
            }
        }
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
        self.forget_pending();
        let (store, now) = (&self.inner.store, self.now());
        match question {
            Question::Password { login, password } => {
                match store
                    .log_in(&login, password.expose(), self.peer, now)
                    .await
                {
                    Ok(user) => {
                        self.pending = Some(Pending::Password(user));
                        talk.machine().password_was(true);
                    }
                    Err(LoginError::Wrong) => talk.machine().password_was(false),
                    Err(error) => talk.machine().refuse(login_refusal(error).reply()),
                }
            }
            Question::Scram { login } => match store.scram_keys(&login, self.peer, now).await {
                Ok(keys) => {
                    let shown = wire::sasl::ScramKeys {
                        salt: keys.salt.clone(),
                        iterations: keys.iterations,
                        stored_key: keys.stored_key,
                        server_key: keys.server_key,
                        others: Vec::new(),
                    };
                    self.pending = Some(Pending::Scram { login, keys });
                    talk.machine().scram_keys(shown);
                }
                Err(error) => talk.machine().refuse(login_refusal(error).reply()),
            },
        }
    }

    async fn verified(&mut self, talk: &mut Talk<Server>, login: String) {
        let now = self.now();
        let user = match self.pending.take() {
            Some(Pending::Password(user)) => Ok(user),
            Some(Pending::Scram { login, keys }) => {
                self.inner
                    .store
                    .log_in_scram(&login, &keys, self.peer, now)
                    .await
            }
            None => Err(LoginError::Wrong),
        };
        let admitted = user.map_err(login_refusal).and_then(|user| {
            if let Some(entry) = &mut self.entry {
                entry.log_in(user.account())?;
            }
            Ok(user)
        });
        match admitted {
            Ok(user) => {
                tracing::info!(peer = %self.peer, user = %user.address(), "logged in");
                self.user = Some(user);
                talk.machine().accept();
            }
            Err(refusal) => {
                tracing::info!(peer = %self.peer, login, reason = %refusal, "log-in refused");
                talk.machine().refuse(refusal.reply());
            }
        }
    }

    /// A SCRAM exchange that never came to its end counts as a failure.
    fn forget_pending(&mut self) {
        if let Some(Pending::Scram { login, .. }) = self.pending.take() {
            self.inner.store.scram_failed(&login, self.peer, self.now());
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.inner.now()
    }

    pub(crate) fn new_trace(&self) -> TraceId {
        self.inner.new_trace()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.forget_pending();
    }
}

/// Whether it is there without waiting.
async fn is_ready_now<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
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
