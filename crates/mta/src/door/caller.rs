//! One connection at the door: what is known of its peer, how it behaves, and what that costs it.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use mailauth::explain::Notes;
use mailauth::iprev;
use mailauth::verdict::UntilLate;
use store::bans::{Blame, Network};
use tokio::sync::oneshot;
use wire::smtp::server::{Ending, Mistake, Settings};
use world::{Ended, Task, TlsError};

use super::hello::Hello;
use super::reverse::Reverse;
use super::tarpit::{self, Seat};
use super::{Act, limits, note_known};
use crate::refusal::Refusal;
use crate::{Door, Inner};

/// How far a peer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Nothing is known of it.
    Stranger,
    /// Mail of its network was taken, or people log in from there.
    Known,
    /// This machine, a private network, or one that the operator named.
    Exempt,
}

/// One connection, from its first moment to its last.
pub(crate) struct Caller {
    peer: IpAddr,
    local: IpAddr,
    door: Door,
    standing: Standing,
    network: Network,
    /// The name of the peer's address, being asked for; only of strangers that bring mail.
    looking: Option<Looking>,
    hello: Hello,
    spoke_ahead: bool,
    mistakes: u32,
    recipients: u32,
    unknown: u32,
    messages: u32,
    /// Unknown recipients that wanted mail gave back.
    given_back: u32,
}

/// Dropping it ends the question.
struct Looking {
    task: Task,
    answer: Shared<oneshot::Receiver<Reverse>>,
    is_heard: bool,
}

impl Caller {
    /// Finds out what can be known at once, and begins to ask for the rest.
    pub(crate) async fn begin(inner: &Inner, peer: IpAddr, local: IpAddr, door: Door) -> Self {
        let standing = match peer.to_canonical() == local.to_canonical() {
            // This server looks at itself.
            true => Standing::Exempt,
            false => standing(inner, peer).await,
        };
        let looking = (standing == Standing::Stranger && door == Door::Mx)
            .then(|| Looking::begin(inner, peer));
        Self {
            peer,
            local,
            door,
            standing,
            network: Network::of(peer),
            looking,
            hello: Hello::Fine,
            spoke_ahead: false,
            mistakes: 0,
            recipients: 0,
            unknown: 0,
            messages: 0,
            given_back: 0,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    pub(crate) fn spoke_ahead(&self) -> bool {
        self.spoke_ahead
    }

    pub(super) fn hello(&self) -> Hello {
        self.hello
    }

    pub(super) fn network(&self) -> Network {
        self.network
    }

    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Whether another connection of this network may come in now.
    pub(crate) fn may_connect(&self, inner: &Inner) -> Result<(), Refusal> {
        if self.take(inner, Act::Connection) {
            return Ok(());
        }
        self.blame(inner, Blame::Flood);
        Err(Refusal::TooOften)
    }

    /// What the machine is told beforehand: silence before the greeting for strangers, and little patience with them
    /// while we are busy.
    pub(crate) fn adjust(&self, settings: &mut Settings, is_busy: bool) {
        settings.tell_mistakes = self.standing != Standing::Exempt;
        if self.looking.is_some() {
            settings.greeting_delay = Some(limits::GREETING_PAUSE);
        }
        if is_busy && self.standing == Standing::Stranger {
            settings.command_patience = limits::BUSY_PATIENCE;
            settings.body_patience = limits::BUSY_PATIENCE;
        }
    }

    /// Resolves when the peer's name is known, and true if it is a good one: then it is greeted at once.
    pub(crate) async fn has_good_name(&self) -> bool {
        match &self.looking {
            Some(looking) if !looking.is_heard => {
                matches!(self.reverse().await, Reverse::MailServer)
            }
            _ => std::future::pending().await,
        }
    }

    /// The greeting needs to hear it once.
    pub(crate) fn name_is_heard(&mut self) {
        if let Some(looking) = &mut self.looking {
            looking.is_heard = true;
        }
    }

    /// What the name of the peer's address says; waits for the DNS, for a bounded time.
    pub(super) async fn reverse(&self) -> Reverse {
        match &self.looking {
            Some(looking) => looking.answer.clone().await.unwrap_or(Reverse::Unknown),
            None => Reverse::Unknown,
        }
    }

    pub(crate) fn said_hello(&mut self, inner: &Inner, name: &str, spoke_ahead: bool) {
        self.hello = Hello::of(name, &inner.settings.hostname, self.local, self.peer);
        self.spoke_ahead = spoke_ahead;
    }

    /// Whether it may begin a message.
    pub(crate) fn may_send(&self, inner: &Inner) -> Result<(), Refusal> {
        self.check_ban(inner)?;
        if self.door != Door::Mx {
            return Ok(());
        }
        if self.hello == Hello::Ours && self.standing != Standing::Exempt {
            self.blame(inner, Blame::OurName);
            return Err(Refusal::OurName);
        }
        match self.take(inner, Act::Message) {
            true => Ok(()),
            false => Err(Refusal::TooMuchMail),
        }
    }

    /// Whether it may name another recipient. Nobody is found nor missed for those who tried too many.
    pub(crate) fn may_name(&mut self, inner: &Inner) -> Result<(), Refusal> {
        if self.door != Door::Mx {
            return Ok(());
        }
        self.check_ban(inner)?;
        if !self.has(inner, Act::UnknownRecipient) {
            self.unknown = self.unknown.saturating_add(1);
            self.mistakes = self.mistakes.saturating_add(1);
            self.blame(inner, Blame::UnknownRecipients);
            return Err(Refusal::TooManyUnknown);
        }
        match self.take(inner, Act::Recipient) {
            true => Ok(()),
            false => Err(Refusal::TooMuchMail),
        }
    }

    /// What became of a recipient.
    pub(crate) fn named(&mut self, inner: &Inner, decided: &Result<(), Refusal>) {
        if self.door != Door::Mx {
            return;
        }
        match decided {
            Ok(()) => {
                self.recipients = self.recipients.saturating_add(1);
            }
            Err(Refusal::NoSuchUser(_) | Refusal::RelayDenied(_)) => {
                self.unknown = self.unknown.saturating_add(1);
                self.take(inner, Act::UnknownRecipient);
                if self.recipients < self.unknown || limits::UNKNOWN_BESIDE_GOOD < self.unknown {
                    self.mistakes = self.mistakes.saturating_add(1);
                }
            }
            Err(_) => {}
        }
    }

    pub(crate) fn erred(&mut self, inner: &Inner, mistake: Mistake) {
        self.mistakes = self.mistakes.saturating_add(1);
        if mistake == Mistake::Probe {
            self.blame(inner, Blame::AddressProbe);
        }
    }

    /// How long the next bad answer waits, and the seat to wait in.
    pub(crate) fn delay<'a>(&self, inner: &'a Inner) -> Option<(Duration, Seat<'a>)> {
        let delay = match self.standing {
            Standing::Stranger => tarpit::delay(self.mistakes),
            Standing::Known | Standing::Exempt => Duration::ZERO,
        };
        if delay.is_zero() {
            return None;
        }
        let seat = inner.door.tarpit.sit_down()?;
        Some((delay, seat))
    }

    /// A message was taken.
    pub(crate) fn was_heard(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    /// What became of a message from outside. Only mail that somebody wants makes its network known, and what it gives
    /// back is bounded: by naming those who are here nobody buys the right to search for others.
    pub(crate) fn delivered(&mut self, inner: &Inner, is_wanted: bool) {
        if !is_wanted || self.door != Door::Mx || self.standing == Standing::Exempt {
            return;
        }
        self.mistakes = 0;
        note_known(inner, self.peer);
        if self.given_back < limits::GIVEN_BACK_MAX
            && let Some(factor) = self.factor()
        {
            self.given_back += 1;
            let percent = limits::WANTED_GIVES_BACK_PERCENT;
            let act = Act::UnknownRecipient;
            inner.door.give_back(self.network, act, factor, percent);
        }
    }

    /// Others needed its place.
    pub(crate) fn was_in_the_way(&self, inner: &Inner) {
        self.blame(inner, Blame::Idling);
    }

    /// The connection is over; what it was like counts.
    pub(crate) fn farewell(&self, inner: &Inner, ending: Option<Ending>, ended: &Ended) {
        let blame = match (ending, ended) {
            (Some(Ending::Foreign), _) => Blame::Foreign,
            (Some(Ending::EarlyTalk), _) => Blame::EarlyTalk,
            (Some(Ending::BadFraming | Ending::InjectedBeforeTls), _) => Blame::Smuggling,
            (Some(Ending::TooManyErrors), _) => Blame::Mistakes,
            (Some(Ending::TooSlow | Ending::TimedOut), _)
            | (_, Ended::WriteTimedOut | Ended::Tls(TlsError::TimedOut))
                if self.messages == 0 =>
            {
                Blame::Idling
            }
            _ => return,
        };
        self.blame(inner, blame);
    }

    fn blame(&self, inner: &Inner, blame: Blame) {
        let counts = match (self.standing, blame) {
            (Standing::Exempt, _) => false,
            (Standing::Stranger, _) => true,
            // Large senders share addresses with all kinds of people, and err: that slows them down. Only what no
            // mail server does counts.
            (Standing::Known, Blame::UnknownRecipients) => {
                self.recipients == 0 && limits::SEARCH_MIN <= self.unknown
            }
            (
                Standing::Known,
                Blame::AddressProbe | Blame::EarlyTalk | Blame::Foreign | Blame::OurName,
            ) => true,
            (Standing::Known, _) => false,
        };
        if counts {
            inner.store.blame(self.peer, blame, inner.now());
        }
    }

    /// A ban that began while the connection was open.
    fn check_ban(&self, inner: &Inner) -> Result<(), Refusal> {
        match inner.store.banned(self.peer, inner.now()) {
            Some(banned)
                if self.door == Door::Mx || banned.scope == store::bans::Scope::Everything =>
            {
                Err(Refusal::Banned {
                    cause: banned.cause,
                })
            }
            _ => Ok(()),
        }
    }

    fn take(&self, inner: &Inner, act: Act) -> bool {
        self.factor()
            .is_none_or(|factor| inner.door.take(self.network, act, factor, inner.now()))
    }

    fn has(&self, inner: &Inner, act: Act) -> bool {
        self.factor()
            .is_none_or(|factor| inner.door.has(self.network, act, factor, inner.now()))
    }

    /// `None`: without bounds.
    fn factor(&self) -> Option<u32> {
        match self.standing {
            Standing::Stranger => Some(1),
            Standing::Known => Some(limits::KNOWN_FACTOR),
            Standing::Exempt => None,
        }
    }
}

async fn standing(inner: &Inner, peer: IpAddr) -> Standing {
    let now = inner.now();
    if inner.store.is_exempt_from_bans(peer) {
        return Standing::Exempt;
    }
    if inner.store.is_home(peer, now) {
        return Standing::Known;
    }
    let network = Network::neighbourhood(peer);
    let found = inner
        .store
        .read_small(move |view| view.known_peer(&network));
    match found.await {
        Ok(Some(last)) => {
            let age = u128::try_from(now.0 - last.0).unwrap_or(0);
            match age < limits::KNOWN_FOR.as_millis() {
                true => Standing::Known,
                false => Standing::Stranger,
            }
        }
        // Trouble of the store shows where mail is stored; here it makes nobody wait.
        Ok(None) => Standing::Stranger,
        Err(error) => {
            tracing::debug!(%error, "whether a peer is known could not be read");
            Standing::Known
        }
    }
}

impl Looking {
    fn begin(inner: &Inner, peer: IpAddr) -> Self {
        let (answered, answer) = oneshot::channel();
        let world = inner.world.clone();
        let task = inner.world.tasks.spawn("reverse name", async move {
            let late = world.clock.after(limits::REVERSE_PATIENCE);
            let dns = UntilLate::new(&*world.dns, late);
            let found = iprev::check(&dns, peer, &mut Notes::off()).await;
            let _ = answered.send(Reverse::of(&found));
        });
        Self {
            task,
            answer: answer.shared(),
            is_heard: false,
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.task.abort();
    }
}
