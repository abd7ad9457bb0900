//! Certificates for all names that lead here, from an authority that speaks ACME (RFC 8555): fetched, renewed
//! early, and their keys changed only when the TLSA record of the new one is out. Own files are not touched.

mod gather;
mod in_dns;
mod keys;
mod order;
mod plan;
mod transport;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mail::UnixMillis;
use store::{ChallengeKind, Durability, Fetched, StoreError, StoredCertificate};
use tokio::sync::Notify;
use world::BoxFuture;

use crate::{Desk, Job, JobError, Run, limits, schedule};
pub use keys::{new_certificate_key, tlsa_of_key};
use plan::{Due, Wish};

/// Where certificates come from.
#[derive(Clone)]
pub struct CertificatesSettings {
    /// The address of the authority's directory.
    pub directory: String,
    /// Whom the authority may write to.
    pub contact: Option<mail::Address>,
    /// How we can prove our names, the preferred way first. After a failure the next one is tried.
    pub ways: Vec<ChallengeKind>,
    /// What handshakes must answer from now on (TLS-ALPN-01): names and key authorizations.
    pub answer_in_tls: AnswerInTls,
    /// Told after each certificate that is new, so that it is served at once.
    pub fetched: Arc<Notify>,
    /// Told when there may be something to fetch, such as after a new domain.
    pub wanted: Arc<Notify>,
}

/// Takes what handshakes must answer.
pub type AnswerInTls = Arc<dyn Fn(&[(String, String)]) + Send + Sync>;

/// The job of getting and renewing them.
pub struct Certificates {
    settings: CertificatesSettings,
}

impl Certificates {
    pub fn new(settings: CertificatesSettings) -> Self {
        Self { settings }
    }

    async fn look(&self, desk: &Desk) -> Result<(), JobError> {
        let wishes = gather::wishes(desk).await?;
        let stored = desk.store.read(|view| view.certificates()).await?;
        self.forget(desk, &wishes, &stored).await?;
        for wish in wishes {
            let one = stored.iter().find(|one| one.name == wish.name());
            if let Due::Later(_) = plan::due(&wish, one, desk.now()) {
                continue;
            }
            self.fetch(desk, &wish, one).await?;
        }
        Ok(())
    }

    /// What no domain of ours asks for any more.
    async fn forget(
        &self,
        desk: &Desk,
        wishes: &[Wish],
        stored: &[StoredCertificate],
    ) -> Result<(), StoreError> {
        let now = desk.now();
        for one in stored {
            let wanted = wishes.iter().any(|wish| wish.name() == one.name);
            if wanted || !plan::is_over(one, now) {
                continue;
            }
            let name = one.name.clone();
            desk.store
                .write_bulk(Durability::Durable, move |change| {
                    change.remove_certificate(&name)
                })
                .await?;
        }
        Ok(())
    }

    /// One certificate. A failure is kept with it and has its own time of rest; the others are not held up.
    async fn fetch(
        &self,
        desk: &Desk,
        wish: &Wish,
        before: Option<&StoredCertificate>,
    ) -> Result<(), StoreError> {
        let names = wish.names.clone();
        tracing::info!(names = names.join(" "), "fetching a certificate");
        let fetched = self.try_fetch(desk, wish, before).await;
        let (now, directory) = (desk.now(), self.settings.directory.clone());
        match fetched {
            Ok(fetched) => {
                let until = fetched.not_after;
                desk.store
                    .write_bulk(Durability::Durable, move |change| {
                        change.set_certificate(&names, &directory, &fetched, now)
                    })
                    .await?;
                tracing::info!(
                    name = wish.name(),
                    until = mail::date::format(until),
                    "a certificate was fetched"
                );
                self.settings.fetched.notify_waiters();
            }
            Err(mut kept) => {
                kept.truncate(kept.floor_char_boundary(limits::PROBLEM_BYTES_MAX));
                tracing::warn!(
                    name = wish.name(),
                    problem = kept,
                    "a certificate was not fetched"
                );
                desk.store
                    .write_bulk(Durability::Durable, move |change| {
                        change.certificate_failed(&names, &directory, &kept, now)
                    })
                    .await?;
            }
        }
        Ok(())
    }

    async fn try_fetch(
        &self,
        desk: &Desk,
        wish: &Wish,
        before: Option<&StoredCertificate>,
    ) -> Result<Fetched, String> {
        if let Some(problem) = &wish.problem {
            return Err(problem.clone());
        }
        let key = keys::choose(desk, wish, before).await?;
        let deadline = desk.world.now() + limits::ORDER_PATIENCE;
        let failures = before.map_or(0, |before| before.failures);
        let mut ways = self.settings.ways.clone();
        if in_dns::is_possible(desk, &wish.names).await {
            ways.push(ChallengeKind::Dns01);
        }
        let way = plan::way(&ways, failures).ok_or(
            "neither port 80 nor port 443 is open here, and no name server takes changes: an authority could not look at the names",
        )?;
        let ordering = order::fetch(desk, &self.settings, &wish.names, key, way);
        let fetched = desk.world.tasks.deadline(deadline, ordering).await;
        let outcome = fetched.unwrap_or_else(|_| {
            Err("the authority took too long; it is asked again later".to_owned())
        });
        order::clean_up(desk, &wish.names).await;
        (self.settings.answer_in_tls)(&[]);
        outcome
    }
}

impl Job for Certificates {
    fn name(&self) -> &'static str {
        "certificates"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::CERTIFICATES_PERIOD, last, started)
    }

    fn woken<'a>(&'a self, _desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(self.settings.wanted.notified())
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(self.look(desk))
    }
}
