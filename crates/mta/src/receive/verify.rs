//! Who sent it: the questions to the DNS about one message. Those about the connection and the envelope
//! begin at MAIL, beside the conversation; those about the message when it is there. Judges nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use mail::ReversePath;
use mailauth::spf::Sender;
use mailauth::verdict::{self, Early, UntilLate, Verdict};
use tokio::sync::oneshot;
use world::Task;

use super::turns::{InTurn, Turn};
use crate::refusal::Refusal;
use crate::{Inner, limits};

/// Questions under way since MAIL. Dropping it ends them.
pub(crate) struct Asked {
    about: Arc<Envelope>,
    turn: Turn,
    task: Task,
    answer: Shared<oneshot::Receiver<Early>>,
}

/// What is asked about.
struct Envelope {
    ip: IpAddr,
    hello: String,
    from: ReversePath,
    receiver: String,
    now: u64,
}

impl Asked {
    /// Begins to ask; waits for nothing.
    pub(super) fn begin(inner: &Inner, ip: IpAddr, hello: &str, from: &ReversePath) -> Self {
        let about = Arc::new(Envelope {
            ip,
            hello: hello.to_owned(),
            from: from.clone(),
            receiver: inner.settings.hostname.as_str().to_owned(),
            now: seconds(inner),
        });
        let (answered, answer) = oneshot::channel();
        let (world, envelope) = (inner.world.clone(), about.clone());
        let turn = inner.turns.of(ip);
        let its_turn = turn.clone();
        let late = world.now() + limits::VERIFY_PATIENCE;
        let task = inner.world.tasks.spawn("sender", async move {
            let dns = InTurn {
                dns: &*world.dns,
                turn: &its_turn,
            };
            let dns = UntilLate::new(&dns, world.clock.until(late));
            let _ = answered.send(verdict::early(&dns, &envelope.sender()).await);
        });
        Self {
            about,
            turn,
            task,
            answer: answer.shared(),
        }
    }

    /// What the DNS says of the connection and the envelope; waits for it. `None`: it ended by a bug.
    pub(crate) async fn early(&self) -> Option<Early> {
        self.answer.clone().await.ok()
    }

    /// The whole verdict on the message that followed, at the given moment at the latest: what the DNS has
    /// not said by then is trouble of the DNS. A large message is hashed off the event loop.
    pub(super) async fn verdict(
        self,
        inner: &Inner,
        message: Bytes,
        late: Instant,
    ) -> Result<Verdict, Refusal> {
        let (world, now, size) = (inner.world.clone(), seconds(inner), message.len());
        let work = async move {
            let dns = InTurn {
                dns: &*world.dns,
                turn: &self.turn,
            };
            let dns = UntilLate::new(&dns, world.clock.until(late));
            let early = match self.answer.clone().await {
                Ok(early) => early,
                // It ended by a bug, which was logged; the message is not to suffer for it.
                Err(_) => verdict::early(&dns, &self.about.sender()).await,
            };
            verdict::message(&dns, early, &message, now).await
        };
        if size <= limits::INLINE_VERIFY_BYTES_MAX {
            return Ok(work.await);
        }
        let done = inner.world.tasks.heavy(work).await;
        done.map_err(|_| Refusal::Bug)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Envelope {
    fn sender(&self) -> Sender<'_> {
        Sender {
            ip: self.ip,
            helo: &self.hello,
            mail_from: &self.from,
            receiver: &self.receiver,
            now: self.now,
        }
    }
}

pub(crate) fn seconds(inner: &Inner) -> u64 {
    u64::try_from(inner.now().secs()).unwrap_or(0)
}
