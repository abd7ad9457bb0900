//! How a conversation moves: one function per phase, each polled, so that a dropped wait loses nothing.
//! The face of it is in `mod.rs`.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wire::{Machine, Step};

use super::{Ended, Phase, Talk, Tls};
use crate::{Stream, TlsError, limits};

impl<M: Machine> Talk<M> {
    pub(super) fn poll_event(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<M::Event, Ended>> {
        loop {
            let next = match self.phase {
                Phase::Stepping => match self.step() {
                    Some(event) => return Poll::Ready(Ok(event)),
                    None => Poll::Ready(Ok(())),
                },
                Phase::Flushing => self.poll_backlog(context),
                Phase::Reading { patience } => self.poll_reading(context, patience),
                Phase::StartingTls => self.poll_start_tls(context),
                Phase::Handshaking { deadline } => self.poll_handshake(context, deadline),
                Phase::Closing { deadline } => self.poll_closing(context, deadline),
                Phase::Lingering { deadline, bytes } => {
                    self.poll_lingering(context, deadline, bytes)
                }
                Phase::Over => return Poll::Ready(Err(self.ended())),
            };
            match next {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ended)) => {
                    self.phase = Phase::Over;
                    return Poll::Ready(Err(ended));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn step(&mut self) -> Option<M::Event> {
        match self.machine.step() {
            Step::Send(bytes) => {
                // What cannot be written any more is not collected either.
                if self.failure.is_none() {
                    self.outbox.push(bytes);
                }
                self.pace.restart();
                if limits::PENDING_BYTES_MAX <= self.outbox.len() {
                    self.phase = Phase::Flushing;
                }
            }
            Step::Event(event) => {
                self.waiting_since = None;
                self.pace.restart();
                return Some(event);
            }
            Step::NeedInput { patience } => self.phase = Phase::Reading { patience },
            Step::StartTls => self.phase = Phase::StartingTls,
            Step::Close => {
                let deadline = self.world.clock.now() + limits::CLOSE_PATIENCE;
                self.phase = Phase::Closing { deadline };
            }
        }
        None
    }

    /// Writes until little is pending; then the machine may go on.
    fn poll_backlog(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match self.poll_written(context) {
            Poll::Pending => self.poll_write_patience(context).map(Err),
            Poll::Ready(()) => {
                self.phase = Phase::Stepping;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_reading(
        &mut self,
        context: &mut Context<'_>,
        patience: Duration,
    ) -> Poll<Result<(), Ended>> {
        // Both directions at once: a peer that pipelines much may read our replies late.
        let written = self.poll_written_and_flushed(context);
        match poll_read_into(&mut self.stream, context, &mut self.machine) {
            Poll::Ready(Ok(0)) => return Poll::Ready(self.end_of_input()),
            Poll::Ready(Ok(count)) => {
                self.waiting_since = None;
                self.pace.received(count);
            }
            // Closing without TLS's goodbye is common, and the protocols know their own ends.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Poll::Ready(self.end_of_input());
            }
            Poll::Ready(Err(error)) => {
                self.failed(error);
                return Poll::Ready(self.end_of_input());
            }
            Poll::Pending if written.is_pending() => {
                return self.poll_write_patience(context).map(Err);
            }
            Poll::Pending => {
                let now = self.world.clock.now();
                let since = *self.waiting_since.get_or_insert(now);
                let patience = match &self.failure {
                    None => patience,
                    Some(_) => patience.min(limits::LAST_WORDS_PATIENCE),
                };
                let deadline = self.pace.deadline(now, since + patience, patience);
                if self
                    .timer
                    .poll(&*self.world.clock, context, deadline)
                    .is_pending()
                {
                    return Poll::Pending;
                }
                self.waiting_since = None;
                self.pace.restart();
                if self.failure.is_some() {
                    return Poll::Ready(self.end_of_input());
                }
                self.machine.timed_out();
            }
        }
        self.phase = Phase::Stepping;
        Poll::Ready(Ok(()))
    }

    /// Tells the machine once. One that still wants input then would wait for ever.
    fn end_of_input(&mut self) -> Result<(), Ended> {
        if self.input_ended {
            return Err(self.ended());
        }
        self.input_ended = true;
        self.machine.end_of_input();
        self.phase = Phase::Stepping;
        Ok(())
    }

    fn poll_start_tls(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if self.poll_written_and_flushed(context).is_pending() {
            return self.poll_write_patience(context).map(Err);
        }
        let begun = match &self.tls {
            Tls::None => Err(TlsError::NotPlain),
            Tls::Server(server) => self.stream.begin_tls_server(server),
            Tls::Client { client, name } => self.stream.begin_tls_client(client, name),
        };
        if let Err(error) = begun {
            return Poll::Ready(Err(Ended::Tls(error)));
        }
        let deadline = self.world.clock.now() + limits::HANDSHAKE_PATIENCE;
        self.phase = Phase::Handshaking { deadline };
        Poll::Ready(Ok(()))
    }

    fn poll_handshake(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<Result<(), Ended>> {
        match self.stream.poll_handshake(context) {
            Poll::Ready(Ok(facts)) => {
                self.machine.tls_started(facts);
                self.waiting_since = None;
                self.pace.restart();
                self.phase = Phase::Stepping;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(Ended::Tls(error))),
            Poll::Pending => self
                .timer
                .poll(&*self.world.clock, context, deadline)
                .map(|()| Err(Ended::Tls(TlsError::TimedOut))),
        }
    }

    fn poll_closing(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<Result<(), Ended>> {
        if self.poll_written(context).is_ready() {
            let shut = match &self.failure {
                // Nothing can be said any more, and lingering would be for nothing.
                Some(_) => return Poll::Ready(Err(self.ended())),
                None => Pin::new(&mut self.stream).poll_shutdown(context),
            };
            match shut {
                Poll::Ready(Ok(())) => {
                    let deadline = self.world.clock.now() + limits::LINGER;
                    self.phase = Phase::Lingering { deadline, bytes: 0 };
                    return Poll::Ready(Ok(()));
                }
                // The peer was faster; the conversation itself is complete.
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Ended::Finished)),
                Poll::Pending => {}
            }
        }
        let timed_out = self.timer.poll(&*self.world.clock, context, deadline);
        timed_out.map(|()| Err(Ended::WriteTimedOut))
    }

    fn poll_lingering(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
        bytes: usize,
    ) -> Poll<Result<(), Ended>> {
        match poll_discard(&mut self.stream, context) {
            Poll::Ready(Ok(count)) if 0 < count && bytes < limits::LINGER_BYTES_MAX => {
                self.phase = Phase::Lingering {
                    deadline,
                    bytes: bytes + count,
                };
                Poll::Ready(Ok(()))
            }
            Poll::Ready(_) => Poll::Ready(Err(Ended::Finished)),
            Poll::Pending => self
                .timer
                .poll(&*self.world.clock, context, deadline)
                .map(|()| Err(Ended::Finished)),
        }
    }

    /// Everything pending is with the stream. Failures are kept for the end of the conversation.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.outbox.is_empty() {
            match self.outbox.poll_write(&mut self.stream, context, &[]) {
                Poll::Ready(Ok(_)) => self.timer.wrote(),
                Poll::Ready(Err(error)) => self.failed(error),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// As [`Self::poll_written`], and what TLS holds back is with the network too.
    fn poll_written_and_flushed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.poll_written(context).is_pending() {
            return Poll::Pending;
        }
        if self.failure.is_some() {
            return Poll::Ready(());
        }
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(Ok(())) => self.timer.wrote(),
            Poll::Ready(Err(error)) => self.failed(error),
            Poll::Pending => return Poll::Pending,
        }
        Poll::Ready(())
    }

    pub(super) fn poll_flushed(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if self.poll_written_and_flushed(context).is_pending() {
            return self.poll_write_patience(context).map(Err);
        }
        match self.failure.is_some() {
            true => Poll::Ready(Err(self.ended())),
            false => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_write_patience(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        let now = self.world.clock.now();
        let deadline = self.timer.stuck_since(now) + limits::WRITE_PATIENCE;
        let timed_out = self.timer.poll(&*self.world.clock, context, deadline);
        timed_out.map(|()| {
            self.phase = Phase::Over;
            Ended::WriteTimedOut
        })
    }

    pub(super) fn write_failed(&mut self, error: io::Error) -> Ended {
        self.failed(error);
        self.phase = Phase::Over;
        self.ended()
    }

    fn failed(&mut self, error: io::Error) {
        self.outbox.clear();
        self.timer.wrote();
        self.failure.get_or_insert(error);
    }

    fn ended(&self) -> Ended {
        match &self.failure {
            // The error itself is needed again if the flow asks again.
            Some(error) => Ended::Lost(io::Error::new(error.kind(), error.to_string())),
            None => Ended::Finished,
        }
    }
}

thread_local! {
    /// One buffer for all connections of a thread: what was read is handed on before the next read.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; limits::READ_BYTES]);
}

fn poll_read_into<M: Machine>(
    stream: &mut Stream,
    context: &mut Context<'_>,
    machine: &mut M,
) -> Poll<io::Result<usize>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        match Pin::new(stream).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => {
                let received = buffer.filled();
                if !received.is_empty() {
                    machine.receive(received);
                }
                Poll::Ready(Ok(received.len()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
}

fn poll_discard(stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        let read = Pin::new(stream).poll_read(context, &mut buffer);
        read.map(|result| result.map(|()| buffer.filled().len()))
    })
}
