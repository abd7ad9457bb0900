//! Certificates that an authority gave us, from the store to the handshakes: at the start, whenever one is new, and now
//! and then, because another node of this database may have fetched one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::{Store, StoredCertificate};
use tokio::sync::Notify;
use world::{Certificate, Stop, World};

use super::limits;
use super::tls::Certificates;

/// Serves them until the stop.
pub async fn keep(
    world: World,
    store: Store,
    certificates: Arc<Certificates>,
    news: Arc<Notify>,
    stop: Stop,
) {
    loop {
        // Before the look: what comes during it is not missed.
        let news = news.notified();
        look(&store, &certificates).await;
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = news => {}
            () = world.clock.after(limits::FETCHED_LOOK_PERIOD) => {}
        }
    }
}

async fn look(store: &Store, certificates: &Certificates) {
    let stored = match store.read(|view| view.certificates()).await {
        Ok(stored) => stored,
        Err(error) => {
            tracing::warn!(%error, "fetched certificates cannot be read");
            return;
        }
    };
    let sound = stored.iter().filter_map(|one| {
        parse(one)?
            .inspect_err(|error| tracing::error!(name = one.name, %error, "a fetched certificate is not served"))
            .ok()
    });
    if let Err(error) = certificates.set_fetched(sound.collect()) {
        tracing::error!(%error, "fetched certificates are not served");
    }
}

/// `None` if it is still to be fetched.
pub fn parse(one: &StoredCertificate) -> Option<Result<Certificate, world::CertificateError>> {
    let fetched = one.fetched.as_ref()?;
    let key = pem(&fetched.private_key);
    Some(Certificate::from_pem(
        fetched.chain.as_bytes(),
        key.as_bytes(),
    ))
}

/// PKCS #8 as PEM. RFC 7468 §10.
fn pem(key: &[u8]) -> String {
    let base64 = STANDARD.encode(key);
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}
