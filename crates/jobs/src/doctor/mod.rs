//! Looks at this server as the world sees it, and hands what was seen to the checks of the room `doctor`.
//! What could not be looked at stays unknown: it is neither a finding nor the end of one.

mod brief;
mod dialogue;
mod doors;
mod job;
mod kept;
mod letters;
mod limits;
mod lists;
mod names;
mod outside;
mod pages;
mod senders;
mod shown;
mod smtp;
mod tell;
mod zones;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ::doctor::checks::{Facts, Finding, PortFacts, Score, examine, score};
use futures_util::future::{join, join5};
use futures_util::{StreamExt as _, stream};
use mail::UnixMillis;
use store::{Store, StoreError};
use world::http::HttpClient;
use world::{TlsClient, World};

pub use brief::{Brief, Briefing, Door, Machine, Service};
pub use job::DoctorSettings;
pub use letters::{CHECK_ACCOUNT_NAME, CHECK_LOCAL_PART, LOOKED_AT, author_domain};
pub use lists::listings;
pub use spam::blocklist::{Blocklist, built_in as blocklists};
pub use tell::trial;

pub(crate) use job::Doctor;
pub(crate) use letters::Letters;
pub(crate) use tell::Tell;

use doors::Doors;
use lists::Lists;
use outside::Outside;
use pages::Pages;
use smtp::Seen;

/// With what is looked.
#[derive(Clone)]
pub struct Examiner {
    pub world: World,
    pub store: Store,
    /// Trusts the public authorities.
    pub http: HttpClient,
    /// Takes any certificate and tells whether it is valid.
    pub tls: Arc<TlsClient>,
    pub reach: Reach,
}

/// How far it is looked beyond our own names and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nobody else is troubled.
    Home,
    /// Block lists are asked.
    Lists,
    /// The servers of big providers are visited too: now and then only, they take many empty visits for an attack.
    Providers,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Examination {
    pub at: UnixMillis,
    pub facts: Facts,
    pub findings: Vec<Finding>,
    pub score: Score,
    /// Beginnings of the ids of checks for which something could not be looked at.
    pub unknown: BTreeSet<&'static str>,
}

impl Examination {
    /// Whether this check could not be made in full.
    pub fn is_unknown(&self, check: &str) -> bool {
        self.unknown.iter().any(|start| check.starts_with(start))
    }
}

/// What hangs on DNS answers.
const BY_NAMES: [&str; 9] = [
    "dns.", "ip.", "spf.", "dkim.", "dmarc.", "sts.", "dane.", "tlsrpt.", "ac.",
];
/// What hangs on conversations with port 25.
const BY_MAIL: [&str; 3] = ["smtp.", "tls.", "dane."];
/// What hangs on visits to big providers.
const BY_VISITS: [&str; 4] = ["ip.port25.", "ip.nat.", "rep.probe.", "rep.tonline"];
/// What hangs on block lists.
const BY_LISTS: [&str; 5] = [
    "rep.ip.",
    "rep.domain",
    "rep.list.",
    "ip.static",
    "dns.resolver.",
];
/// What hangs on conversations with ports.
const BY_DOORS: [&str; 4] = ["port.", "smtp.", "tls.", "dane."];

impl Examiner {
    /// Looks at all there is, for a bounded time.
    pub async fn examine(&self, brief: &Brief) -> Result<Examination, StoreError> {
        let at = UnixMillis::from(self.world.wall());
        let mut facts = Facts {
            now: kept::secs(at),
            host: brief.host.clone(),
            domains: brief.domains.clone(),
            settings: brief.settings.clone(),
            ..Facts::default()
        };
        facts.settings.ehlo = Some(brief.host.clone());
        let mut unknown: BTreeSet<&'static str> = BTreeSet::new();
        self.keep(brief, at, &mut facts).await?;
        machine(brief, &mut facts);
        let deadline = self.world.now() + limits::EXAMINATION_PATIENCE;
        let names = listed_names(brief);
        let looking = join5(
            self.ask_names(brief, facts.clone()),
            self.ask_lists(brief, &names),
            self.visit(brief),
            few(brief
                .domains
                .iter()
                .take(limits::DOMAINS_MAX)
                .map(|domain| pages::look(&self.world, &self.http, domain))
                .collect()),
            join(self.port_25(brief), self.other_doors(brief)),
        );
        let looked = self.world.tasks.deadline(deadline, looking).await;
        let Ok((named, lists, outside, pages, (mail, doors))) = looked else {
            tracing::warn!("an examination took too long; most of it stays unknown");
            // Nothing of it is known: nothing ends, and what the store says is told.
            unknown.extend(BY_NAMES);
            unknown.extend(BY_DOORS);
            unknown.insert("rep.");
            return Ok(finish(at, facts, unknown));
        };
        let (named, names_failed) = named;
        facts = named;
        if names_failed {
            unknown.extend(BY_NAMES);
        }
        visited(brief, outside, &mut facts, &mut unknown);
        reputation(lists, &mut facts, &mut unknown);
        served(brief, mail, doors, &mut facts, &mut unknown);
        if brief.door(Service::Https).is_some() {
            fetched(brief, pages, &mut facts, &mut unknown);
        }
        Ok(finish(at, facts, unknown))
    }

    async fn keep(
        &self,
        brief: &Brief,
        at: UnixMillis,
        facts: &mut Facts,
    ) -> Result<(), StoreError> {
        let about = brief.clone();
        let kept = self.store.read(move |view| kept::read(view, &about, at));
        let kept = kept.await?;
        facts.health = kept.health;
        facts.senders = kept.senders;
        facts.reputation.providers = kept.providers;
        facts.reputation.alerts_outside = Some(kept.tells_outside);
        facts.settings.operator_alert = Some(kept.tells_outside);
        facts.settings.tls_required_for_big = Some(kept.tls_required);
        let configured = facts.settings.relay_ready.unwrap_or(false);
        facts.settings.relay_ready = Some(configured || kept.relay_ready);
        for (domain, since) in kept.sts_testing_since {
            let sts = facts.tls.sts.entry(domain).or_default();
            sts.in_testing_since = Some(since);
        }
        Ok(())
    }

    /// Names, zones, SPF and the resolver.
    async fn ask_names(&self, brief: &Brief, mut facts: Facts) -> (Facts, bool) {
        facts.addresses = brief
            .addresses
            .iter()
            .map(|address| ::doctor::checks::AddressFacts::new(*address))
            .collect();
        let world = &self.world;
        let now = facts.now;
        let domains = || brief.domains.iter().take(limits::DOMAINS_MAX);
        let (zones, resolver, spf) = futures_util::future::join3(
            few(domains().map(|domain| zones::zone(world, domain)).collect()),
            zones::resolver(world, brief.domains.first()),
            few(domains()
                .map(|domain| senders::spf(world, brief, domain, now))
                .collect()),
        )
        .await;
        let mut failed = names::ask(world, &mut facts).await;
        for (domain, zone) in domains().zip(zones) {
            facts.zones.insert(domain.domain.clone(), zone);
        }
        for (domain, (seen, missing)) in domains().zip(spf) {
            failed |= missing;
            let sender = facts.senders.entry(domain.domain.clone()).or_default();
            sender.spf = seen.spf;
            sender.spf_lookups = seen.spf_lookups;
            sender.spf_void = seen.spf_void;
            sender.spf_dead_includes = seen.spf_dead_includes;
        }
        facts.resolver = resolver;
        facts.resolver.host_is_loopback = brief
            .machine
            .as_ref()
            .and_then(|machine| machine.host_is_loopback);
        forget_if_nobody_answers(&mut facts);
        (facts, failed)
    }

    async fn ask_lists(&self, brief: &Brief, names: &[String]) -> Option<Lists> {
        match self.reach {
            Reach::Home => None,
            Reach::Lists | Reach::Providers => {
                Some(lists::ask(&self.world, &brief.addresses, names).await)
            }
        }
    }

    async fn visit(&self, brief: &Brief) -> Option<Outside> {
        match self.reach {
            Reach::Home | Reach::Lists => None,
            Reach::Providers => Some(outside::look(&self.world, brief).await),
        }
    }

    async fn port_25(&self, brief: &Brief) -> Option<Seen> {
        let door = brief.door(Service::Smtp).filter(|_| brief.serves)?;
        let address = brief.addresses.iter().min_by_key(|address| {
            // Over IPv4 most of the world comes.
            (!brief.own.contains(address), address.is_ipv6())
        })?;
        Some(smtp::look(&self.world, &self.tls, brief, *address, door.port).await)
    }

    async fn other_doors(&self, brief: &Brief) -> Option<Doors> {
        if !brief.serves {
            return None;
        }
        Some(doors::look(&self.world, &self.tls, brief).await)
    }
}

/// What is looked at for each domain, a few beside one another.
async fn few<F: Future>(looks: Vec<F>) -> Vec<F::Output> {
    stream::iter(looks)
        .buffered(limits::DOMAINS_AT_ONCE)
        .collect()
        .await
}

fn finish(at: UnixMillis, facts: Facts, unknown: BTreeSet<&'static str>) -> Examination {
    let findings = examine(&facts);
    Examination {
        at,
        score: score(&findings),
        findings,
        facts,
        unknown,
    }
}

/// A resolver of ours that is down says nothing of the zones.
fn forget_if_nobody_answers(facts: &mut Facts) {
    use ::doctor::checks::Answer;
    let all: Vec<_> = facts
        .dns
        .iter()
        .map(|(name, kind, answer)| (name.to_owned(), kind, *answer == Answer::Failed))
        .collect();
    if all.iter().all(|(_, _, failed)| *failed) {
        for (name, kind, _) in all {
            facts.dns.forget(&name, kind);
        }
    }
}

fn machine(brief: &Brief, facts: &mut Facts) {
    if let Some(machine) = brief.machine.clone() {
        facts.health.disks = machine.disks;
        facts.health.memory_free = machine.memory_free;
        facts.health.reboot_needed = machine.reboot_needed;
        facts.health.readable_secrets = machine.readable_secrets;
        facts.health.filters = machine.filters;
        facts.health.firewall = machine.firewall;
    }
}

/// Names that receivers look up in lists of domains.
fn listed_names(brief: &Brief) -> Vec<String> {
    let mut names: Vec<String> = brief.domains.iter().map(|one| one.domain.clone()).collect();
    names.push(brief.host.clone());
    names.sort_unstable();
    names.dedup();
    names
}

fn visited(
    brief: &Brief,
    outside: Option<Outside>,
    facts: &mut Facts,
    unknown: &mut BTreeSet<&'static str>,
) {
    let Some(outside) = outside else {
        unknown.extend(BY_VISITS);
        return;
    };
    facts.addresses = outside.addresses;
    for address in &mut facts.addresses {
        // Others see what we sent from; where we know several addresses any of them will do.
        let known = |ip: &IpAddr| brief.addresses.contains(ip);
        if address.seen_outside.as_ref().is_some_and(known) {
            address.seen_outside = Some(address.address);
        }
    }
    for seen in outside.providers {
        let known = facts.reputation.providers.iter_mut();
        match known.into_iter().find(|one| one.name == seen.name) {
            Some(one) => one.takes_connection = seen.takes_connection,
            None => facts.reputation.providers.push(seen),
        }
    }
}

fn reputation(lists: Option<Lists>, facts: &mut Facts, unknown: &mut BTreeSet<&'static str>) {
    let Some(lists) = lists else {
        unknown.extend(BY_LISTS);
        return;
    };
    if lists.failed {
        unknown.extend(BY_LISTS);
    }
    if lists.is_public_resolver {
        facts.resolver.is_own = Some(false);
    }
    for address in &mut facts.addresses {
        address.dynamic = lists.dynamic.get(&address.address).copied();
    }
    facts.reputation.listings = Some(lists.listings);
}

fn served(
    brief: &Brief,
    mail: Option<Seen>,
    doors: Option<Doors>,
    facts: &mut Facts,
    unknown: &mut BTreeSet<&'static str>,
) {
    let mut key = None;
    match mail {
        Some(seen) => {
            if seen.failed {
                unknown.extend(BY_MAIL);
            }
            facts.smtp = seen.smtp;
            facts.tls.starttls_25 = seen.starttls;
            key = seen.certificate.as_ref().map(|one| one.key_hash);
            facts.tls.certificate = seen.certificate;
            facts.tls.requiretls = seen.requiretls;
            facts.tls.injection = seen.injection;
        }
        None => unknown.extend(BY_MAIL),
    }
    let Some(doors) = doors else {
        unknown.extend(BY_DOORS);
        // What is meant to be open is known all the same.
        for door in &brief.doors {
            let port = PortFacts {
                wanted: true,
                ..PortFacts::default()
            };
            facts.ports.insert(door.service.standard_port(), port);
        }
        return;
    };
    facts.smtp.no_auth_before_tls = doors.no_auth_before_tls();
    if let Some(key) = key {
        let others = doors.keys.iter().filter(|(_, shown)| **shown != key);
        facts.tls.other_certificate = Some(others.map(|(port, _)| *port).collect());
    }
    facts.ports = doors.ports;
}

fn fetched(
    brief: &Brief,
    pages: Vec<Pages>,
    facts: &mut Facts,
    unknown: &mut BTreeSet<&'static str>,
) {
    let mut shown = Vec::new();
    for (domain, pages) in brief.domains.iter().zip(pages) {
        let name = &domain.domain;
        // Each name may have a certificate of its own: what counts is that a client was content.
        let labels = ["mta-sts", "autoconfig", "autodiscover"];
        let names = labels.map(|label| format!("{label}.{name}"));
        let good = names.into_iter();
        shown.extend(good.filter(|name| !pages.without_certificate.contains(name)));
        if domain.mta_sts.is_some() && pages.sts.is_none() {
            unknown.insert("sts.");
        }
        let since = facts
            .tls
            .sts
            .remove(name)
            .and_then(|sts| sts.in_testing_since);
        if let Some(mut sts) = pages.sts {
            sts.in_testing_since = since;
            sts.id_stale = has_stale_id(facts, domain, &sts.mode);
            facts.tls.sts.insert(name.clone(), sts);
        }
        if pages.client.autoconfig.is_none() || pages.client.autodiscover.is_none() {
            unknown.insert("ac.");
        }
        facts.clients.insert(name.clone(), pages.client);
    }
    if let Some(certificate) = &mut facts.tls.certificate {
        certificate.names.extend(shown);
    }
}

/// The DNS names another id than that of the policy that we serve.
fn has_stale_id(facts: &Facts, domain: &::doctor::DomainFacts, mode: &str) -> bool {
    let Some(policy) = domain.mta_sts.as_ref().filter(|policy| policy.mode == mode) else {
        return false;
    };
    let name = format!("_mta-sts.{}", domain.domain);
    let values = facts.dns.values(&name, ::doctor::Kind::Txt).unwrap_or(&[]);
    let record = values.iter().find(|value| value.starts_with("v=STSv1"));
    let id = record.and_then(|record| {
        let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
        let (_, id) = tags.find(|(key, _)| key.trim() == "id")?;
        Some(id.trim().to_owned())
    });
    id.is_some_and(|id| id != policy.id)
}
