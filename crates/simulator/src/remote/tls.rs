//! The certificates of a scripted server, good and bad, made when first needed.

use std::sync::{Mutex, PoisonError};

use world::TlsServer;

use super::TlsOffer;
use crate::authority::{Authority, Validity};

pub(super) struct Servers {
    name: String,
    authority: Authority,
    made: Mutex<Vec<(TlsOffer, TlsServer)>>,
}

impl Servers {
    pub(super) fn new(name: &str, authority: &Authority) -> Self {
        Self {
            name: name.to_owned(),
            authority: authority.clone(),
            made: Mutex::default(),
        }
    }

    /// `None` where the offer is not to be kept.
    pub(super) fn get(&self, offer: TlsOffer) -> Option<TlsServer> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, server)) = made.iter().find(|(of, _)| *of == offer) {
            return Some(server.clone());
        }
        let name = self.name.as_str();
        let certificate = match offer {
            TlsOffer::Trusted => self.authority.issue(name, Validity::Now),
            TlsOffer::SelfSigned => self.authority.self_signed(name),
            TlsOffer::WrongName => self.authority.issue("elsewhere.invalid", Validity::Now),
            TlsOffer::Expired => self.authority.issue(name, Validity::Past),
            TlsOffer::None
            | TlsOffer::Garbage
            | TlsOffer::Cut
            | TlsOffer::Silent
            | TlsOffer::NotNow => return None,
        };
        let server = TlsServer::new(vec![certificate]).ok()?;
        made.push((offer, server.clone()));
        Some(server)
    }
}
