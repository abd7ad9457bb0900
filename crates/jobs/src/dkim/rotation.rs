//! The job: goes through the keys of every domain, looks at their records, and takes the steps that are due.

use std::collections::BTreeSet;
use std::time::Duration;

use mail::{Domain, UnixMillis};
use store::{DkimAlgorithm, DkimKey, DkimRecord, DkimRotation, DkimState, DomainError, Durability};
use world::{BoxFuture, DnsError, Kind};

use super::decide::{self, Facts, Reminder, Step};
use super::{limits, look, pair};
use crate::{Desk, Job, JobError, Run, schedule};

pub(super) struct Rotation;

impl Job for Rotation {
    fn name(&self) -> &'static str {
        "dkim keys"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::PERIOD, last, started).max(started.plus(limits::START_DELAY))
    }

    fn spread(&self) -> Duration {
        limits::SPREAD
    }

    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let domains = desk.store.read(|view| view.domains()).await?;
            let mut failed = None;
            for domain in domains {
                // One domain's trouble does not hold up the others.
                if let Err(error) = keep(desk, &domain.name, run.now).await {
                    tracing::warn!(domain = %domain.name, %error, "the signing keys of a domain");
                    failed = Some(error);
                }
            }
            failed.map_or(Ok(()), Err)
        })
    }
}

/// What is stored of a domain.
struct Stored {
    keys: Vec<DkimKey>,
    rotation: DkimRotation,
    queued: BTreeSet<String>,
    policy_changed: Option<UnixMillis>,
    policy_looked: Option<UnixMillis>,
}

async fn keep(desk: &Desk, domain: &Domain, now: UnixMillis) -> Result<(), JobError> {
    let stored = gather(desk, domain, now).await?;
    if stored.keys.is_empty() {
        return Ok(());
    }
    look_at_policy(desk, domain, stored.policy_looked, now).await?;
    look_at_records(desk, domain, &stored.keys, now).await?;
    let stored = gather(desk, domain, now).await?;
    let steps = decide::steps(&Facts {
        keys: &stored.keys,
        rotation: stored.rotation,
        queued: &stored.queued,
        policy_changed: stored.policy_changed,
        now,
    });
    for step in steps {
        take(desk, domain, &stored.keys, step, now).await?;
    }
    Ok(())
}

async fn gather(desk: &Desk, domain: &Domain, now: UnixMillis) -> Result<Stored, JobError> {
    let name = domain.clone();
    let stored = desk.store.read(move |view| {
        let keys = view.dkim_keys(&name)?;
        let mut queued = BTreeSet::new();
        for key in keys.iter().filter(|key| decide::may_be_queued(key, now)) {
            if view.is_queued_signed_by(&name, &key.selector)? {
                queued.insert(key.selector.clone());
            }
        }
        let policy = view.own_dmarc(&name)?;
        Ok::<_, store::StoreError>(Stored {
            keys,
            rotation: view.dkim_rotation(Some(&name))?,
            queued,
            policy_changed: policy.as_ref().and_then(|policy| policy.changed),
            policy_looked: policy.map(|policy| policy.looked),
        })
    });
    Ok(stored.await?)
}

/// Asks for the records that are due and notes what was found. What the DNS does not tell now is asked again at the
/// next run; until then what was known holds.
async fn look_at_records(
    desk: &Desk,
    domain: &Domain,
    keys: &[DkimKey],
    now: UnixMillis,
) -> Result<(), JobError> {
    for key in decide::to_look(keys, now) {
        let found = match look_at(desk, key).await {
            Ok(look) => {
                if look.found != key.look.found {
                    let selector = key.selector.as_str();
                    tracing::info!(%domain, selector, found = ?look.found, why = look.words, "the record of a signing key");
                }
                look.found
            }
            Err(error) => {
                tracing::debug!(%domain, selector = key.selector, %error, "the record of a signing key is not known now");
                continue;
            }
        };
        let (name, selector) = (domain.clone(), key.selector.clone());
        desk.store
            .write_bulk(Durability::Relaxed, move |change| {
                change.note_dkim_record(&name, &selector, found, now)
            })
            .await?;
    }
    Ok(())
}

/// A new key's record must be on every name server before the key signs; for others the resolver's word is enough.
async fn look_at(desk: &Desk, key: &DkimKey) -> Result<look::Look, DnsError> {
    let seen = look::look(&*desk.world.dns, key).await?;
    if key.state != DkimState::Coming || seen.found != DkimRecord::Right {
        return Ok(seen);
    }
    Ok(look::look_everywhere(&desk.world, key)
        .await
        .unwrap_or(seen))
}

/// Remembers what the domain's DMARC record asks for, to know when that changes.
async fn look_at_policy(
    desk: &Desk,
    domain: &Domain,
    looked: Option<UnixMillis>,
    now: UnixMillis,
) -> Result<(), JobError> {
    if looked.is_some_and(|looked| now.since(looked) < limits::LOOK_PERIOD) {
        return Ok(());
    }
    let Ok(answer) = desk
        .world
        .dns
        .ask(&format!("_dmarc.{domain}"), Kind::Txt)
        .await
    else {
        return Ok(());
    };
    let record = answer.texts().find(|text| text.starts_with(b"v=DMARC1"));
    let policy = policy_part(&String::from_utf8_lossy(&record.unwrap_or_default()));
    let name = domain.clone();
    desk.store
        .write_bulk(Durability::Relaxed, move |change| {
            change.note_own_dmarc(&name, &policy, now)
        })
        .await?;
    Ok(())
}

/// The tags that decide what happens to mail; who gets reports does not.
fn policy_part(record: &str) -> String {
    const DECIDING: [&str; 7] = ["p", "sp", "np", "adkim", "aspf", "t", "psd"];
    let deciding = record.split(';').filter_map(|tag| {
        let (name, value) = tag.split_once('=')?;
        let name = name.trim();
        DECIDING
            .contains(&name)
            .then(|| format!("{name}={};", value.trim()))
    });
    deciding.collect()
}

async fn take(
    desk: &Desk,
    domain: &Domain,
    keys: &[DkimKey],
    step: Step,
    now: UnixMillis,
) -> Result<(), JobError> {
    let name = domain.clone();
    match step {
        Step::Make(kinds) => return make(desk, domain, keys, kinds, now).await,
        Step::Switch(selector) => {
            tracing::info!(%domain, selector, "the record of a new signing key is published: it signs from now on");
            change(desk, move |change| {
                change.activate_dkim_key(&name, &selector, now)
            })
            .await
        }
        Step::Use(selector) => {
            change(desk, move |change| {
                Ok(change.note_dkim_use(&name, &selector, now)?)
            })
            .await
        }
        Step::Retire(selector) => {
            change(desk, move |change| {
                change.set_dkim_state(&name, &selector, DkimState::Retired)
            })
            .await
        }
        Step::Forget(selector) => {
            tracing::info!(%domain, selector, "the record of an old signing key is gone: the key is forgotten");
            change(desk, move |change| change.remove_dkim_key(&name, &selector)).await
        }
        Step::Remind(selector, reminder) => {
            remind(domain, &selector, reminder);
            change(desk, move |change| {
                Ok(change.note_dkim_reminder(&name, &selector, now)?)
            })
            .await
        }
    }
}

/// New keys, unless somebody made some meanwhile.
async fn make(
    desk: &Desk,
    domain: &Domain,
    keys: &[DkimKey],
    kinds: Vec<DkimAlgorithm>,
    now: UnixMillis,
) -> Result<(), JobError> {
    let taken: Vec<String> = keys.iter().map(|key| key.selector.clone()).collect();
    let making = move || pair::new_keys(&kinds, DkimState::Coming, &taken, now);
    let made = desk.world.tasks.blocking(making).await;
    let made = made
        .map_err(|error| JobError::Failed(error.to_string()))?
        .map_err(|error| JobError::Failed(error.to_string()))?;
    for key in made {
        tracing::info!(%domain, selector = key.selector, "a new signing key is made; publish its record: postroad dns show {domain}");
        let name = domain.clone();
        change(desk, move |change| {
            let coming = |other: &DkimKey| {
                other.state == DkimState::Coming && other.algorithm == key.algorithm
            };
            if change.dkim_keys(&name)?.iter().any(coming) {
                return Ok(());
            }
            change.add_dkim_key(&name, &key, now)
        })
        .await?;
    }
    Ok(())
}

fn remind(domain: &Domain, selector: &str, reminder: Reminder) {
    let record = format!("{selector}._domainkey.{domain}");
    match reminder {
        Reminder::Publish => tracing::warn!(
            %domain,
            "a new signing key waits for its record {record}; publish it: postroad dns show {domain}. The old key goes on signing"
        ),
        Reminder::Mend => tracing::warn!(
            %domain,
            "receivers do not find the signing key {record} as it should be; mend the record: postroad dns show {domain}"
        ),
        Reminder::PutBack => tracing::warn!(
            %domain,
            "the record {record} is gone while messages that its key signed may still be on the way; put it back: postroad dns show {domain}"
        ),
        Reminder::Remove => tracing::info!(
            %domain,
            "the record {record} of an old signing key is not needed any more; remove it"
        ),
    }
}

async fn change(
    desk: &Desk,
    work: impl FnMut(&mut store::Change<'_>) -> Result<(), DomainError> + Send + 'static,
) -> Result<(), JobError> {
    match desk.store.write_bulk(Durability::Durable, work).await {
        Ok(()) => Ok(()),
        Err(DomainError::Store(error)) => Err(error.into()),
        // The operator removed the key or the domain meanwhile: nothing is left to do.
        Err(error) => {
            tracing::debug!(%error, "a signing key changed meanwhile");
            Ok(())
        }
    }
}
