//! What the store knows: queue, keys, reports, certificates, deliveries, channels.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use doctor::checks::{HealthFacts, ProviderFacts, SenderFacts, StoppedFacts};
use doctor::{DomainFacts, replies};
use mail::{Domain, UnixMillis};
use store::reports::{ReportKind, SourceOwner};
use store::sending::SendingState;
use store::transport::TlsLevel;
use store::{DkimState, MtaStsMode, StoreError, View};

use super::Brief;

const DAY: Duration = Duration::from_secs(86_400);

/// Destinations that ask for TLS, as the check names them.
const ASK_FOR_TLS: [&str; 3] = ["gmail.com", "gmx.net", "orange.fr"];

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) health: HealthFacts,
    pub(super) senders: BTreeMap<String, SenderFacts>,
    /// Since when a domain's policy is in testing.
    pub(super) sts_testing_since: BTreeMap<String, u64>,
    pub(super) providers: Vec<ProviderFacts>,
    pub(super) tells_outside: bool,
    pub(super) told_at: Option<u64>,
    pub(super) relay_ready: bool,
    pub(super) tls_required: bool,
}

pub(super) fn read(view: &View<'_>, brief: &Brief, now: UnixMillis) -> Result<Kept, StoreError> {
    let mut kept = Kept::default();
    queue(view, &mut kept.health, now)?;
    stopped(view, &mut kept.health)?;
    let certificates = view.certificates()?;
    let names_in_use = |name: &String| {
        *name == brief.host || brief.domains.iter().any(|d| name.ends_with(&d.domain))
    };
    if !certificates.is_empty() {
        let problem = certificates
            .iter()
            .filter(|one| one.names.iter().any(names_in_use))
            .find_map(|one| one.problem.clone());
        kept.health.acme_last_error = Some(problem);
    }
    // Tries to log in are slowed down always.
    kept.health.login_guard = Some(true);
    let mut unreadable = 0;
    for domain in &brief.domains {
        let Ok(name) = Domain::parse(&domain.domain) else {
            continue;
        };
        let facts = sender(view, domain, &name, now)?;
        kept.senders.insert(domain.domain.clone(), facts);
        let since = now.minus(DAY * 7);
        let bad = view.unreadable_reports(&domain.domain)?;
        unreadable += bad.iter().filter(|one| since <= one.received).count();
        let sts = view.mta_sts(&name)?;
        if sts.mode == MtaStsMode::Testing {
            let created = view.domain(&name)?.map(|domain| domain.created);
            if let Some(since) = sts.changed.or(created) {
                kept.sts_testing_since
                    .insert(domain.domain.clone(), secs(since));
            }
        }
    }
    kept.health.report_faults = u32::try_from(unreadable).ok();
    kept.providers = providers(view, now)?;
    let channels = view.operator_channels()?;
    kept.tells_outside = !channels.is_empty();
    kept.told_at = channels.iter().filter_map(|one| one.told).max().map(secs);
    kept.health.alert_tested = kept.told_at;
    kept.relay_ready = !view.provider_relays()?.is_empty();
    kept.tls_required = requires_tls(view)?;
    Ok(kept)
}

fn requires_tls(view: &View<'_>) -> Result<bool, StoreError> {
    for name in ASK_FOR_TLS {
        let Ok(domain) = Domain::parse(name) else {
            continue;
        };
        let required = view.tls_requirement(&domain)?;
        if required.is_none_or(|one| one.level < TlsLevel::Encrypted) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn queue(view: &View<'_>, health: &mut HealthFacts, now: UnixMillis) -> Result<(), StoreError> {
    health.post.queued = u32::try_from(view.queue_counts()?.messages).ok();
    if let Some(oldest) = view.queue(None, 1)?.into_iter().next() {
        // What the operator holds back, or what is not due, is no fault of the way.
        let created = oldest.created.min(now);
        let said = view
            .deliveries_of(&oldest.trace)?
            .into_iter()
            .max_by_key(|event| event.at)
            .map(|event| event.reply);
        let said = said.filter(|said| !said.is_empty());
        let said = said.unwrap_or_else(|| "none".to_owned());
        health.post.oldest = Some((secs(created), said));
    }
    Ok(())
}

/// Who does not send, and what waits for the operator's word.
fn stopped(view: &View<'_>, health: &mut HealthFacts) -> Result<(), StoreError> {
    let mut stopped = Vec::new();
    for (id, state) in view.stopped_accounts()? {
        let (locked, since) = match state {
            SendingState::Free => continue,
            SendingState::Asking { since } => (false, since),
            SendingState::Locked { since } => (true, since),
        };
        if let Some(account) = view.account(id)? {
            stopped.push(StoppedFacts {
                account: account.address.to_string(),
                locked,
                since: secs(since),
            });
        }
    }
    health.stopped = Some(stopped);
    let waiting = view.held_for_operator()?;
    let count = u32::try_from(waiting.count).unwrap_or(u32::MAX);
    health.held = Some((count, waiting.oldest.map_or(0, secs)));
    let owner = view.queue_biggest_owner()?;
    if let Some((id, count)) = owner
        && let Some(account) = view.account(id)?
        && let Some(queued) = health.post.queued.filter(|queued| 0 < *queued)
    {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = count as f64 / f64::from(queued);
        health.post.biggest_owner = Some((account.address.to_string(), share));
    }
    Ok(())
}

fn sender(
    view: &View<'_>,
    domain: &DomainFacts,
    name: &Domain,
    now: UnixMillis,
) -> Result<SenderFacts, StoreError> {
    let keys = view.dkim_keys(name)?;
    let active = || keys.iter().filter(|key| key.state == DkimState::Active);
    let week_ago = now.minus(DAY * 7);
    let mut facts = SenderFacts {
        key_created: active().map(|key| secs(key.created)).min(),
        // Every domain signs with keys of its own, or not at all.
        dkim_aligned: Some(active().next().is_some()),
        sends_mail: Some(
            active()
                .filter_map(|key| key.used)
                .any(|used| week_ago <= used),
        ),
        srs_works: Some(true),
        seal_works: Some(true),
        ..SenderFacts::default()
    };
    let unrevoked = keys
        .iter()
        .filter(|key| key.state == DkimState::Retired)
        .filter(|key| key.look.found == store::DkimRecord::Right)
        .map(|key| key.selector.clone());
    facts.unrevoked = Some(unrevoked.collect());
    facts.policy_since = view
        .own_dmarc(name)?
        .map(|policy| secs(policy.changed.unwrap_or(policy.looked)));
    if facts.policy_since.is_some()
        && view
            .own_dmarc(name)?
            .is_some_and(|p| p.policy.contains("t=y"))
    {
        facts.testing_since = facts.policy_since;
    }
    let month_ago = now.minus(DAY * 60).0.div_euclid(1000);
    let reports = view.reports(ReportKind::Dmarc, &domain.domain, month_ago)?;
    facts.last_report = reports.iter().map(|report| secs(report.received)).max();
    results(view, &domain.domain, week_ago, &mut facts)?;
    Ok(facts)
}

/// What the reports of others say of the last week.
fn results(
    view: &View<'_>,
    domain: &str,
    since: UnixMillis,
    facts: &mut SenderFacts,
) -> Result<(), StoreError> {
    let lines = view.dmarc_lines(domain, since.0.div_euclid(1000))?;
    if lines.is_empty() {
        return Ok(());
    }
    let sources = view.report_sources(domain)?;
    let (mut ours, mut passed) = (0_u64, 0_u64);
    let mut strangers: Vec<IpAddr> = Vec::new();
    for (entry, count) in lines {
        let owner = sources.get(&entry.source.to_string()).map(|one| one.ours);
        let passes = entry.dkim_aligned || entry.spf_aligned;
        match owner {
            Some(SourceOwner::ThisServer | SourceOwner::Allowed) => {
                ours += count;
                passed += if passes { count } else { 0 };
            }
            // A signature of ours that a forwarder passed on is no stranger's.
            Some(SourceOwner::Stranger) if entry.spf_aligned => strangers.push(entry.source),
            _ => {}
        }
    }
    strangers.sort_unstable();
    strangers.dedup();
    facts.unknown_sources = Some(strangers);
    if 0 < ours {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let rate = passed as f64 / ours as f64;
        facts.pass_rate = Some(rate);
    }
    Ok(())
}

fn providers(view: &View<'_>, now: UnixMillis) -> Result<Vec<ProviderFacts>, StoreError> {
    let known = |id: &str| {
        let provider = replies::built_in().provider(id);
        provider.map_or_else(|| id.to_owned(), |provider| provider.name.clone())
    };
    let mut all: BTreeMap<String, ProviderFacts> = BTreeMap::new();
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let before = view.delivery_sums(None, now.minus(DAY * 30), now)?;
    for sums in view.delivery_sums(None, now.minus(DAY), now)? {
        let month = before.iter().find(|one| one.provider == sums.provider);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let usual = month.and_then(|sums| {
            let all = sums.accepted + sums.deferred + sums.refused;
            (all > 0).then(|| sums.deferred as f64 / all as f64)
        });
        let name = known(&sums.provider);
        let facts = all.entry(name.clone()).or_default();
        facts.name = name;
        facts.delivered = count(sums.accepted);
        facts.deferred = count(sums.deferred);
        facts.refused = count(sums.refused);
        facts.usual_deferred_share = usual;
    }
    let notices = view.notices()?;
    for incident in view.open_incidents(None)? {
        let topic = incident
            .id
            .map(|id| format!("incident/{}/opened", id.0))
            .unwrap_or_default();
        let told = notices.iter().find(|notice| notice.topic == topic);
        let (means, todo) = match told {
            Some(notice) => (notice.title.clone(), notice.fix.clone()),
            None => (
                incident.sample.clone(),
                format!("See: postroad delivery {}", incident.provider),
            ),
        };
        let facts = all.entry(incident.provider_name.clone()).or_default();
        facts.name.clone_from(&incident.provider_name);
        facts.incident = Some((means, todo));
    }
    Ok(all.into_values().collect())
}

pub(super) fn secs(at: UnixMillis) -> u64 {
    u64::try_from(at.0.div_euclid(1000)).unwrap_or(0)
}
