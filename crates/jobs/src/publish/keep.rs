//! The job: keeps published what is made and changed here - signing keys, certificate pins, the id of the MTA-STS policy -
//! where the operator gave a key for the zone. Records that others share are changed by `postroad dns publish` only.

use std::sync::Arc;

use doctor::compare::{compare, ours};
use mail::{Domain, UnixMillis};
use tokio::sync::Notify;
use world::BoxFuture;

use super::{NameServers, Wishes, look, publish, server_for};
use crate::{Desk, Job, JobError, Run, limits, schedule};

pub struct Publishing {
    wishes: Wishes,
    changed: Changed,
}

/// When there may be something new to publish.
#[derive(Clone, Default)]
pub struct Changed {
    /// Told after commands that change keys, policies or name servers.
    pub by_command: Arc<Notify>,
    /// Told after each certificate that is new.
    pub certificate: Arc<Notify>,
}

impl Publishing {
    pub fn new(wishes: Wishes, changed: Changed) -> Self {
        Self { wishes, changed }
    }

    async fn keep(&self, desk: &Desk, domain: &Domain) -> Result<(), JobError> {
        let (wishes, name) = (self.wishes.clone(), domain.clone());
        let wished = desk.store.read(move |view| wishes(view, &name)).await?;
        let Some(wished) = wished else {
            return Ok(());
        };
        for wish in ours(&wished) {
            // Each name on its own: they may lie in several zones, and one that cannot be changed holds up no other.
            let Some(server) = server_for(desk, &wish.name).await else {
                continue;
            };
            let peers: Vec<_> = wished
                .iter()
                .filter(|other| other.name == wish.name && other.kind == wish.kind)
                .cloned()
                .collect();
            let whom = NameServers::These(vec![server.at]);
            let seen = look(&desk.world, &peers, &whom).await;
            let edits: Vec<_> = compare(&peers, &seen)
                .into_iter()
                .flat_map(|row| row.edits)
                .collect();
            if edits.is_empty() {
                continue;
            }
            let done = publish(&desk.world, &[server], &edits).await;
            done.map_err(|error| JobError::Failed(error.to_string()))?;
            tracing::info!(%domain, name = wish.name, kind = %wish.kind, "a record was brought up to date at the name server");
        }
        Ok(())
    }
}

impl Job for Publishing {
    fn name(&self) -> &'static str {
        "dns records"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::PUBLISH_PERIOD, last, started)
    }

    fn woken<'a>(&'a self, _desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(async {
            tokio::select! {
                () = self.changed.by_command.notified() => {}
                () = self.changed.certificate.notified() => {}
            }
        })
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            if desk.store.read(|view| view.dns_servers()).await?.is_empty() {
                return Ok(());
            }
            let domains = desk.store.read(|view| view.domains()).await?;
            let mut failed = None;
            for domain in domains {
                // One domain's trouble does not hold up the others.
                if let Err(error) = self.keep(desk, &domain.name).await {
                    tracing::warn!(domain = %domain.name, %error, "the records of a domain are not kept up to date");
                    failed = Some(error);
                }
            }
            failed.map_or(Ok(()), Err)
        })
    }
}
