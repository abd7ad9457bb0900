//! The certificates of a scripted server, good and bad, made when first needed.

use std::sync::{Arc, Mutex, PoisonError};

use world::{Certificate, TlsServer};

use super::TlsOffer;
use crate::authority::{Authority, Validity};

#[derive(Clone)]
pub(crate) struct Servers {
    name: String,
    authority: Authority,
    made: Arc<Mutex<Vec<(TlsOffer, Made)>>>,
}

#[derive(Clone)]
struct Made {
    certificate: Certificate,
    server: TlsServer,
}

impl Servers {
    pub(crate) fn new(name: &str, authority: &Authority) -> Self {
        Self {
            name: name.to_owned(),
            authority: authority.clone(),
            made: Arc::default(),
        }
    }

    /// `None` where the offer is not to be kept.
    pub(crate) fn get(&self, offer: TlsOffer) -> Option<TlsServer> {
        Some(self.make(offer)?.server)
    }

    pub(crate) fn certificate(&self, offer: TlsOffer) -> Option<Certificate> {
        Some(self.make(offer)?.certificate)
    }

    fn make(&self, offer: TlsOffer) -> Option<Made> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = made.iter().find(|(of, _)| *of == offer) {
            return Some(made.clone());
        }
        let name = self.name.as_str();
        let certificate = match offer {
            TlsOffer::Trusted | TlsOffer::Renewed => self.authority.issue(name, Validity::Now),
            TlsOffer::SelfSigned => self.authority.self_signed(name),
            TlsOffer::WrongName => self.authority.issue("elsewhere.invalid", Validity::Now),
            TlsOffer::Expired => self.authority.issue(name, Validity::Past),
            TlsOffer::UnknownAuthority => Authority::new().issue(name, Validity::Now),
            TlsOffer::None
            | TlsOffer::Garbage
            | TlsOffer::Cut
            | TlsOffer::Silent
            | TlsOffer::NotNow => return None,
        };
        let server = TlsServer::new(vec![certificate.clone()]).ok()?;
        let new = Made {
            certificate,
            server,
        };
        made.push((offer, new.clone()));
        Some(new)
    }
}
