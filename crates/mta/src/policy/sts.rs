//! The MTA-STS policy of a destination: announced in the DNS, fetched over HTTPS, kept in the store. A
//! policy that is kept binds until it ends, whatever happens to the DNS or the web host meanwhile: that it
//! can no longer be seen is what an attack looks like. RFC 8461 §5.1, §10.2.

use std::sync::PoisonError;
use std::time::Duration;

use mail::{Domain, UnixMillis};
use mailauth::mta_sts::{self, Mode, POLICY_BYTES_MAX, Policy, PolicyError, Record};
use store::reports::{TlsPolicyKind, TlsPolicySeen};
use store::transport::StsPolicy;
use store::{Durability, StoreError};
use world::Kind;
use world::http::Request;

use crate::{Inner, limits};

/// A policy that binds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    pub(crate) policy: Policy,
    /// As it was fetched.
    pub(crate) text: String,
    pub(crate) until: UnixMillis,
}

/// Why an announced policy could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the MTA-STS policy cannot be fetched: {0}")]
    Fetch(String),
    #[error("the certificate of the host of the MTA-STS policy is not valid: {0}")]
    Certificate(String),
    #[error("the MTA-STS policy is wrong: {0}")]
    Policy(PolicyError),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) in_force: Option<InForce>,
    pub(crate) trouble: Option<Trouble>,
}

/// What the TXT record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    Id(String),
    /// No record, or none that counts.
    Nothing,
    /// The DNS does not say.
    Unknown,
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Keep,
    Fetch { id: String },
}

/// Pure: whether what is kept will do.
pub(super) fn next(kept: Option<&StsPolicy>, announced: &Announced, now: UnixMillis) -> Next {
    let Announced::Id(id) = announced else {
        return Next::Keep;
    };
    match kept.filter(|kept| now.0 < kept.expires.0) {
        // When it is time to look for a newer one, `upkeep.rs` does: no mail waits for that.
        Some(kept) if kept.record_id == *id => Next::Keep,
        _ => Next::Fetch { id: id.clone() },
    }
}

/// The policy for a delivery. `kept` is what the store has.
pub(crate) async fn find(inner: &Inner, domain: &Domain, kept: Option<StsPolicy>) -> Found {
    let now = inner.now();
    let announced = announced(inner, domain).await;
    let in_force = kept.as_ref().and_then(|kept| InForce::of(kept, now));
    let Next::Fetch { id } = next(kept.as_ref(), &announced, now) else {
        if let Some(kept) = kept.filter(|_| in_force.is_some()) {
            note_use(inner, &kept, now).await;
        }
        return Found {
            in_force,
            trouble: None,
        };
    };
    if let Some(trouble) = failed_lately(inner, domain) {
        return Found {
            in_force: binding(in_force),
            trouble: Some(trouble),
        };
    }
    match fetch_and_keep(inner, domain, id).await {
        Ok(fresh) => Found {
            in_force: binding(Some(fresh)),
            trouble: None,
        },
        Err(trouble) => {
            tracing::warn!(%domain, %trouble, "the announced MTA-STS policy cannot be had");
            remember_failure(inner, domain, &trouble);
            Found {
                in_force: binding(in_force),
                trouble: Some(trouble),
            }
        }
    }
}

/// Looks for a newer policy although no mail asks for it. RFC 8461 §5.1: before the old one ends.
pub(super) async fn refresh(inner: &Inner, kept: &StsPolicy) {
    let now = inner.now();
    // An id that has not changed is fetched all the same: that makes the policy last longer.
    let fetched = match announced(inner, &kept.domain).await {
        Announced::Id(id) => fetch_and_keep(inner, &kept.domain, id).await.is_ok(),
        Announced::Nothing | Announced::Unknown => false,
    };
    if !fetched {
        let (domain, until) = (kept.domain.clone(), now.plus(limits::STS_RETRY));
        let put_off = inner.store.write(Durability::Relaxed, move |change| {
            change.put_off_sts_refresh(&domain, until)
        });
        warn_of(put_off.await);
    }
}

async fn announced(inner: &Inner, domain: &Domain) -> Announced {
    let name = mta_sts::record_name(domain.as_str());
    let Ok(answer) = inner.world.dns.ask(&name, Kind::Txt).await else {
        return Announced::Unknown;
    };
    match Record::of_texts(answer.texts()) {
        Ok(Some(record)) => Announced::Id(record.id),
        Ok(None) | Err(_) => Announced::Nothing,
    }
}

/// RFC 8461 §3.3: HTTPS with a valid certificate, 200, text/plain, no redirects.
async fn fetch(inner: &Inner, domain: &Domain) -> Result<(Policy, String), Trouble> {
    let host = mta_sts::policy_host(domain.as_str());
    let url = format!("https://{host}{}", mta_sts::POLICY_PATH);
    let request = Request::get(&url)
        .body_bytes_max(POLICY_BYTES_MAX)
        .within(limits::STS_FETCH_PATIENCE);
    let response = inner.http.fetch(request).await.map_err(|error| {
        let text = error.to_string();
        match error.tls_failure() {
            Some(_) => Trouble::Certificate(text),
            None => Trouble::Fetch(text),
        }
    })?;
    if response.status != 200 {
        return Err(Trouble::Fetch(format!(
            "the status is {}, not 200",
            response.status
        )));
    }
    let kind = response
        .content_type()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind != "text/plain" {
        return Err(Trouble::Fetch(
            "it is not of the type text/plain".to_owned(),
        ));
    }
    let policy = Policy::parse(&response.body).map_err(Trouble::Policy)?;
    Ok((policy, String::from_utf8_lossy(&response.body).into_owned()))
}

async fn fetch_and_keep(inner: &Inner, domain: &Domain, id: String) -> Result<InForce, Trouble> {
    let (policy, text) = fetch(inner, domain).await?;
    let now = inner.now();
    forget_failure(inner, domain);
    let max_age = Duration::from_secs(policy.max_age_secs);
    let kept = StsPolicy {
        domain: domain.clone(),
        record_id: id,
        policy: text.clone(),
        fetched: now,
        expires: now.plus(max_age),
        refresh: now.plus((max_age / 2).min(limits::STS_REFRESH)),
        used: now,
    };
    let write = inner.store.write(Durability::Relaxed, move |change| {
        // A refresh is no use of it.
        let used = change
            .sts_policy(&kept.domain)?
            .map_or(kept.used, |old| old.used);
        change.keep_sts_policy(&StsPolicy {
            used,
            ..kept.clone()
        })
    });
    warn_of(write.await);
    Ok(InForce {
        policy,
        text,
        until: now.plus(max_age),
    })
}

impl InForce {
    /// `None` if it has ended, or cannot be read any more.
    pub(crate) fn of(kept: &StsPolicy, now: UnixMillis) -> Option<Self> {
        let in_force = Self {
            policy: Policy::parse(kept.policy.as_bytes()).ok()?,
            text: kept.policy.clone(),
            until: kept.expires,
        };
        binding(Some(in_force).filter(|_| now.0 < kept.expires.0))
    }

    /// As reports tell it.
    pub(crate) fn seen(&self) -> TlsPolicySeen {
        let lines = self.text.lines().map(str::trim_end);
        TlsPolicySeen {
            kind: TlsPolicyKind::Sts,
            text: lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            mx: self.policy.mx_texts(),
        }
    }
}

/// RFC 8461 §3.2: mode `none` says that there is no policy any more.
fn binding(in_force: Option<InForce>) -> Option<InForce> {
    in_force.filter(|in_force| in_force.policy.mode != Mode::None)
}

/// Written once a day, so that policies that no mail asks for can go.
async fn note_use(inner: &Inner, kept: &StsPolicy, now: UnixMillis) {
    if now.since(kept.used) < limits::STS_USE_STEP {
        return;
    }
    let domain = kept.domain.clone();
    let write = inner.store.write(Durability::Relaxed, move |change| {
        change.note_sts_use(&domain, now)
    });
    warn_of(write.await);
}

/// Not to be kept costs another fetch, no more.
fn warn_of(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(%error, "an MTA-STS policy could not be kept");
    }
}

fn failed_lately(inner: &Inner, domain: &Domain) -> Option<Trouble> {
    let failed = inner
        .policies
        .failed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let (at, trouble) = failed.get(domain)?;
    let since = inner.world.now().saturating_duration_since(*at);
    (since < limits::STS_FAILURE_PAUSE).then(|| trouble.clone())
}

fn remember_failure(inner: &Inner, domain: &Domain, trouble: &Trouble) {
    let mut failed = inner
        .policies
        .failed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if limits::STS_FAILURES_MAX <= failed.len() {
        failed.clear();
    }
    failed.insert(domain.clone(), (inner.world.now(), trouble.clone()));
}

fn forget_failure(inner: &Inner, domain: &Domain) {
    let mut failed = inner
        .policies
        .failed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    failed.remove(domain);
}

impl Trouble {
    /// RFC 8460 §4.3.2.2.
    pub(crate) fn result_type(&self) -> &'static str {
        match self {
            Self::Fetch(_) => "sts-policy-fetch-error",
            Self::Certificate(_) => "sts-webpki-invalid",
            Self::Policy(_) => "sts-policy-invalid",
        }
    }
}

#[cfg(test)]
mod tests;
