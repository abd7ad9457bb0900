//! Where a session waits on purpose: in silence before the greeting, before bad answers, and while a body comes in.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::select;
use wire::smtp::server::{Event, Phase, Server};
use world::{Either, Ended, Talk};

use super::{Session, log_in_again};
use crate::door::limits::LAST_WORDS_PATIENCE;
use crate::limits;
use crate::refusal::Refusal;

impl Session<'_> {
    /// While a body comes in, what it holds of the memory budget follows its size.
    pub(super) async fn weigh<S>(
        &mut self,
        talk: &mut Talk<Server>,
        requested: Pin<&mut S>,
    ) -> Result<Option<Event>, Ended>
    where
        S: Future<Output = ()>,
    {
        let world = &self.inner.world;
        let weighing = world.clock.after(limits::BODY_WEIGHING);
        if let Either::Left(event) = talk.event_or(weighing).await? {
            return Ok(Some(event));
        }
        if !self.stopping && is_ready_now(requested).await {
            self.stopping = true;
            talk.machine().stop();
        }
        if self.is_over() {
            self.watch = None;
            talk.machine().turn_out(log_in_again());
            return Ok(None);
        }
        let Some(share) = &mut self.share else {
            return Ok(None);
        };
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

    /// Before the greeting: until the peer is known by a good name, or speaks, or the silence was long enough.
    pub(super) async fn be_silent<S>(
        &mut self,
        talk: &mut Talk<Server>,
        requested: Pin<&mut S>,
    ) -> Result<Option<Event>, Ended>
    where
        S: Future<Output = ()>,
    {
        let heard = {
            let good = pin!(self.caller.has_good_name());
            let wake = select(good, requested);
            match talk.event_or(wake).await? {
                Either::Left(event) => return Ok(Some(event)),
                Either::Right(Either::Left((is_good, _))) => Some(is_good),
                Either::Right(Either::Right(_)) => None,
            }
        };
        match heard {
            Some(is_good) => {
                self.caller.name_is_heard();
                if is_good {
                    talk.machine().greet_now();
                }
            }
            None => {
                self.stopping = true;
                talk.machine().stop();
            }
        }
        Ok(None)
    }

    /// There are too many: this one is told, and leaves whether it listens or not.
    pub(super) async fn make_room(&self, talk: &mut Talk<Server>) -> Ended {
        tracing::info!(peer = %self.peer, "makes room for others");
        self.caller.was_in_the_way(self.inner);
        talk.machine().turn_out(Refusal::TooManyConnections.reply());
        let late = self.inner.world.clock.after(LAST_WORDS_PATIENCE);
        match talk.event_or(late).await {
            Err(ended) => ended,
            Ok(_) => Ended::WriteTimedOut,
        }
    }

    /// A bad answer waits a little, the longer the more there were. Nothing but this task waits: no body is under
    /// way, and a stop ends it.
    pub(super) async fn tarpit<S>(&self, requested: Pin<&mut S>)
    where
        S: Future<Output = ()>,
    {
        if self.stopping {
            return;
        }
        if let Some((delay, _seat)) = self.caller.delay(self.inner) {
            select(self.inner.world.clock.after(delay), requested).await;
        }
    }
}

/// Whether it is there without waiting.
async fn is_ready_now<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}
