//! Asks clamd about one message.

use std::time::Instant;

use bytes::Bytes;
use wire::clamd::{Answer, Client, Command, Event};
use world::{Talk, Tls};

use super::{Down, Filter, connect};
use crate::Inner;

pub(super) enum Scanned {
    Clean,
    /// By the name of the signature.
    Found(String),
}

pub(super) async fn scan(
    inner: &Inner,
    filter: &Filter,
    message: &Bytes,
    until: Instant,
) -> Result<Scanned, Down> {
    match ask(inner, filter, message, until).await? {
        Answer::Clean => Ok(Scanned::Clean),
        Answer::Found(name) => Ok(Scanned::Found(name)),
        Answer::TooLarge => Err(Down::NotLookedAt),
        Answer::Error(words) => Err(Down::Says(words)),
        Answer::Pong | Answer::Version(_) => Err(wire::clamd::Failure::NotClamd.into()),
    }
}

async fn ask(
    inner: &Inner,
    filter: &Filter,
    message: &Bytes,
    until: Instant,
) -> Result<Answer, Down> {
    let stream = connect::open(inner, filter, until).await?;
    let until = until.min(inner.world.now() + filter.patience);
    let machine = Client::new(Command::Scan(message.clone()));
    let mut talk = Talk::new(inner.world.clone(), stream, machine, Tls::None);
    match inner.world.tasks.deadline(until, talk.event()).await {
        Ok(Ok(Event::Answer(answer))) => Ok(answer),
        Ok(Ok(Event::Failed(failure))) => Err(Down::Clamd(failure)),
        Ok(Err(ended)) => Err(Down::Unreachable(ended.to_string())),
        Err(_) => Err(Down::Late),
    }
}
