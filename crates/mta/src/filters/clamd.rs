//! Asks clamd. The message goes to it as it lies in memory, in pieces, without a copy.

use std::time::Instant;

use bytes::Bytes;
use wire::clamd::{Answer, Client, Command, END, Event, piece_head};
use world::{Ended, Talk, Tls};

use super::{Down, Filter, connect};
use crate::{Inner, limits};

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
    let mut talk = Talk::new(
        inner.world.clone(),
        stream,
        Client::new(Command::Scan),
        Tls::None,
    );
    let conversation = async {
        loop {
            match talk.event().await {
                Ok(Event::Body) => {
                    // What stops clamd from reading on is told by what it says.
                    let _ = send(&mut talk, message).await;
                    talk.machine().sent();
                }
                Ok(Event::Answer(answer)) => return Ok(answer),
                Ok(Event::Failed(failure)) => return Err(Down::Clamd(failure)),
                Err(ended) => return Err(Down::Unreachable(ended.to_string())),
            }
        }
    };
    match inner.world.tasks.deadline(until, conversation).await {
        Ok(answer) => answer,
        Err(_) => Err(Down::Late),
    }
}

async fn send(talk: &mut Talk<Client>, message: &[u8]) -> Result<(), Ended> {
    for piece in message.chunks(limits::CLAMD_PIECE_BYTES) {
        talk.write(&piece_head(piece.len())).await?;
        talk.write(piece).await?;
    }
    talk.write(&END).await?;
    talk.flush().await
}
