//! The one loop that joins a protocol machine to a stream, pulled by the flow that answers events.
//! Replies of a pipelined group leave in one write; an idle connection owns no buffer.

mod drive;
mod outbox;
mod patience;

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::Either;

use wire::{Machine, TlsFacts};

use crate::{Stream, TlsClient, TlsError, TlsServer, World, limits};
use outbox::Outbox;
use patience::{Pace, Timer};

/// How a machine's wish for TLS is answered.
#[derive(Clone, Debug)]
pub enum Tls {
    /// The machine must not ask for TLS.
    None,
    Server(Arc<TlsServer>),
    /// `name` is asked for, and checked if the client verifies.
    Client {
        client: Arc<TlsClient>,
        name: String,
    },
}

/// Why a conversation is over.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The machine closed it, and everything it said was handed to the network.
    #[error("the conversation is over")]
    Finished,
    #[error("the connection is lost: {0}")]
    Lost(io::Error),
    #[error("the peer took nothing for too long")]
    WriteTimedOut,
    #[error(transparent)]
    Tls(TlsError),
}

/// A conversation: a machine, a stream and what is on its way between them.
///
/// Everything but [`Talk::write`] is cancel-safe: a future may be dropped and asked for again.
pub struct Talk<M: Machine> {
    machine: M,
    stream: Stream,
    world: World,
    tls: Tls,
    phase: Phase,
    outbox: Outbox,
    timer: Timer,
    /// When the machine began to wait for the peer.
    waiting_since: Option<Instant>,
    pace: Pace,
    /// The first failure of reading or writing. The machine may still finish its conversation.
    failure: Option<io::Error>,
    input_ended: bool,
}

enum Phase {
    /// Ask the machine for its next step.
    Stepping,
    /// Too much is pending: write before the next step.
    Flushing,
    Reading {
        patience: Duration,
    },
    /// Write what is pending, then begin the handshake.
    StartingTls,
    Handshaking {
        deadline: Instant,
    },
    Closing {
        deadline: Instant,
    },
    /// Our side is closed; take what the peer still sends.
    Lingering {
        deadline: Instant,
        bytes: usize,
    },
    Over,
}

impl<M: Machine> Talk<M> {
    pub fn new(world: World, stream: Stream, machine: M, tls: Tls) -> Self {
        Self {
            machine,
            stream,
            world,
            tls,
            phase: Phase::Stepping,
            outbox: Outbox::default(),
            timer: Timer::default(),
            waiting_since: None,
            pace: Pace::default(),
            failure: None,
            input_ended: false,
        }
    }

    /// Begins with the handshake instead of with the machine (ports of implicit TLS, RFC 8314).
    pub fn with_tls_at_once(mut self) -> Self {
        self.phase = Phase::StartingTls;
        self
    }

    /// From one event to the next the peer must send this many bytes per second on average, over
    /// and above the machine's patience. For servers, against peers that send a byte a minute.
    pub fn with_bytes_per_sec_min(mut self, rate: u32) -> Self {
        self.pace = Pace::at_least(rate);
        self
    }

    pub fn machine(&mut self) -> &mut M {
        &mut self.machine
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn peer_addr(&self) -> SocketAddr {
        self.stream.peer_addr()
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.stream.local_addr()
    }

    /// What the handshake showed, once there was one.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.stream.tls()
    }

    /// The next event. Answer it on the machine before asking again. Cancel-safe.
    pub async fn event(&mut self) -> Result<M::Event, Ended> {
        self.resume();
        poll_fn(|context| self.poll_event(context)).await
    }

    /// The next event, or that something else happened meanwhile. Cancel-safe.
    pub async fn event_or<F: Future>(
        &mut self,
        wake: F,
    ) -> Result<Either<M::Event, F::Output>, Ended> {
        self.resume();
        let mut wake = pin!(wake);
        poll_fn(|context| {
            // In this order always, so that a simulated run repeats exactly.
            if let Poll::Ready(event) = self.poll_event(context) {
                return Poll::Ready(event.map(Either::Left));
            }
            wake.as_mut()
                .poll(context)
                .map(|woken| Ok(Either::Right(woken)))
        })
        .await
    }

    /// Writes after everything that is pending, with back pressure; for large answers. Small
    /// pieces are collected until the next event or [`Talk::flush`]. Not cancel-safe.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if bytes.len() < limits::DIRECT_WRITE_BYTES_MIN {
            self.outbox.push_slice(bytes);
            if self.outbox.len() < limits::PENDING_BYTES_MAX {
                return Ok(());
            }
            return self.write_through(&[]).await;
        }
        self.write_through(bytes).await
    }

    /// As [`Talk::write`], taking the bytes over.
    pub async fn write_owned(&mut self, bytes: Vec<u8>) -> Result<(), Ended> {
        self.outbox.push(bytes);
        if self.outbox.len() < limits::PENDING_BYTES_MAX {
            return Ok(());
        }
        self.write_through(&[]).await
    }

    /// Hands everything pending to the network. Cancel-safe.
    pub async fn flush(&mut self) -> Result<(), Ended> {
        self.write_through(&[]).await?;
        poll_fn(|context| self.poll_flushed(context)).await
    }

    /// After a cancelled or answered wait the machine is asked anew: the flow may have changed it.
    fn resume(&mut self) {
        if let Phase::Reading { .. } = self.phase {
            self.phase = Phase::Stepping;
        }
    }

    async fn write_through(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let mut done = 0;
        poll_fn(|context| {
            while !self.outbox.is_empty() || done < bytes.len() {
                let tail = bytes.get(done..).unwrap_or_default();
                match self.outbox.poll_write(&mut self.stream, context, tail) {
                    Poll::Ready(Ok(taken)) => {
                        done += taken;
                        self.timer.wrote();
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(self.write_failed(error))),
                    Poll::Pending => return self.poll_write_patience(context).map(Err),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

#[cfg(test)]
mod tests;
