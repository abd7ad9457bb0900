//! Where a session waits on purpose: in silence before the greeting, and before bad answers.

use std::future::Future;
use std::pin::{Pin, pin};

use futures_util::future::select;
use wire::smtp::server::{Event, Server};
use world::{Either, Ended, Talk};

use super::Session;
use crate::door::limits::LAST_WORDS_PATIENCE;
use crate::refusal::Refusal;

impl Session<'_> {
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
