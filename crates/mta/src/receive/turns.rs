//! How many questions to the DNS are under way for one peer: who sends mail whose names never answer (fifty
//! sealers, say, each with a key elsewhere) waits for himself alone, and takes nobody else's turn.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;
use world::{Answer, BoxFuture, Dns, DnsError, Kind};

use crate::doors::block_of;
use crate::limits;

/// The turns of all peers that are being asked about.
#[derive(Default)]
pub(crate) struct Turns {
    peers: Mutex<BTreeMap<IpAddr, Weak<Semaphore>>>,
}

impl Turns {
    /// For a new message of this peer.
    pub(super) fn of(&self, peer: IpAddr) -> Turn {
        Turn::with(self.of_peer(peer))
    }

    fn of_peer(&self, peer: IpAddr) -> Arc<Semaphore> {
        let peer = block_of(peer.to_canonical());
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = peers.get(&peer).and_then(Weak::upgrade) {
            return turns;
        }
        if limits::PEERS_ASKED_ABOUT_MAX <= peers.len() {
            peers.retain(|_, turns| turns.strong_count() != 0);
        }
        let turns = Arc::new(Semaphore::new(limits::QUESTIONS_PER_PEER_MAX));
        peers.insert(peer, Arc::downgrade(&turns));
        turns
    }
}

/// The turns of one message: its own, and those that it shares with the peer's others.
#[derive(Clone)]
pub(super) struct Turn {
    own: Arc<Semaphore>,
    peers: Arc<Semaphore>,
}

impl Turn {
    fn with(peers: Arc<Semaphore>) -> Self {
        Self {
            own: Arc::new(Semaphore::new(limits::QUESTIONS_PER_MESSAGE_MAX)),
            peers,
        }
    }
}

/// The DNS, asked only when it is the message's turn.
pub(super) struct InTurn<'a> {
    pub(super) dns: &'a dyn Dns,
    pub(super) turn: &'a Turn,
}

impl Dns for InTurn<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(async move {
            // Fails only when the semaphore is closed, which nobody does.
            let _own = self.turn.own.acquire().await;
            let _peers = self.turn.peers.acquire().await;
            self.dns.ask(name, kind).await
        })
    }
}

#[cfg(test)]
mod tests;
