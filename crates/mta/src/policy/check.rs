//! What would be demanded of a destination, and why: for the operator who asks. Carries no mail; on wish it
//! connects, greets and says good-bye.

use std::net::SocketAddr;

use mail::{Domain, date};
use mailauth::dane;
use store::queue::TlsWish;

use super::{Demand, DomainPolicy, HostPlan, Tlsa, gather, learning, of_host, plan, words};
use crate::queue::connect::{self, Hop, Opened};
use crate::route::{self, HostName, Route};
use crate::{Inner, limits};

/// The way to a destination as it stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayReport {
    /// Why there is no way at all.
    pub problem: Option<String>,
    /// It leads over a relay, whose own settings rule.
    pub relay: Option<String>,
    /// What is known of the domain, with the records that say so.
    pub facts: Vec<String>,
    /// In the order in which they are tried.
    pub hosts: Vec<HostReport>,
}

/// One mail host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    pub host: String,
    /// Its TLSA records, if they count.
    pub tlsa: Vec<String>,
    /// What is demanded of the connection.
    pub demand: &'static str,
    /// Who demands it.
    pub reasons: Vec<String>,
    /// Nothing is sent there, because.
    pub obstacle: Option<String>,
    /// What a connection showed.
    pub seen: Option<Result<String, String>>,
}

/// Whether the hosts are tried as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    Connect,
    LookUpOnly,
}

pub(crate) async fn check(inner: &Inner, domain: &Domain, trial: Trial) -> WayReport {
    let mut report = WayReport::default();
    let (route, mx_secure) = match route::find(&inner.world, &inner.settings, domain).await {
        Ok(found) => found,
        Err(why) => {
            report.problem = Some(why.to_string());
            return report;
        }
    };
    let hosts = match route {
        Route::Relay(relay) => {
            report.relay = Some(format!("{}:{}", relay.host, relay.port));
            return report;
        }
        Route::Hosts(hosts) => hosts,
    };
    let policy = match gather(inner, domain).await {
        Ok(policy) => DomainPolicy {
            mx_secure,
            ..policy
        },
        Err(error) => {
            report.problem = Some(error.to_string());
            return report;
        }
    };
    report.facts = facts(&policy);
    for mx in hosts.iter().take(limits::MX_HOSTS_MAX) {
        let checked = check_host(inner, domain, &policy, &mx.host, trial).await;
        report.hosts.push(checked);
    }
    report
}

fn facts(policy: &DomainPolicy) -> Vec<String> {
    let mut facts = vec![match policy.mx_secure {
        true => "MX: DNSSEC proves the names of the mail hosts".to_owned(),
        false => "MX: nothing proves the names of the mail hosts (no DNSSEC)".to_owned(),
    }];
    facts.push(match &policy.sts {
        Some(sts) => format!(
            "MTA-STS: mode {}, mail hosts {}, until {}",
            sts.policy.mode,
            sts.policy.mx_texts().join(" "),
            date::format(sts.until)
        ),
        None => "MTA-STS: no policy".to_owned(),
    });
    facts.extend(
        policy
            .sts_trouble
            .as_ref()
            .map(|trouble| format!("MTA-STS: {trouble}")),
    );
    facts.push(match &policy.requirement {
        Some(requirement) => format!("list: {} for {}", requirement.level, requirement.scope),
        None => "list: not on it".to_owned(),
    });
    facts.push(learnt(policy));
    facts
}

fn learnt(policy: &DomainPolicy) -> String {
    let first = policy.learnt.iter().map(|row| row.since).min();
    match (learning::settled_since(&policy.learnt), first) {
        (Some(since), _) if policy.insist_on_learnt => {
            format!(
                "learnt: valid TLS since {}, insisted on",
                date::format(since)
            )
        }
        (Some(since), _) => format!(
            "learnt: valid TLS since {}, not insisted on (`postroad tls learn on`)",
            date::format(since)
        ),
        (None, Some(since)) => format!(
            "learnt: valid TLS since {}, not long enough",
            date::format(since)
        ),
        (None, None) => "learnt: nothing".to_owned(),
    }
}

async fn check_host(
    inner: &Inner,
    domain: &Domain,
    policy: &DomainPolicy,
    host: &HostName,
    trial: Trial,
) -> HostReport {
    let port = inner.settings.outbound.port;
    let mut report = HostReport {
        host: host.to_string(),
        tlsa: Vec::new(),
        demand: "nothing",
        reasons: Vec::new(),
        obstacle: None,
        seen: None,
    };
    let (addresses, secure) = match host {
        HostName::Address(address) => (vec![*address], false),
        HostName::Name(name) => match route::addresses_of(&inner.world, name).await {
            Ok(found) => found,
            Err(error) => {
                report.obstacle = Some(format!("its address is not known now: {error}"));
                return report;
            }
        },
    };
    let tlsa = match host.name() {
        Some(name) if policy.mx_secure => of_host(&inner.world, name, port, secure).await,
        _ => Tlsa::NotAsked,
    };
    if let Tlsa::Found { records, .. } = &tlsa {
        report.tlsa = dane::texts(records);
    }
    let plan = match plan(domain, policy, TlsWish::Policies, host, &tlsa) {
        Ok(plan) => plan,
        Err(obstacle) => {
            report.demand = "nothing is sent there";
            report.obstacle = Some(obstacle.text);
            return report;
        }
    };
    report.demand = demand(&plan);
    report.reasons = words::names(&plan.reasons, domain, &report.host);
    if let (Trial::Connect, Some(address)) = (trial, addresses.first()) {
        let hop = Hop {
            host: host.name().unwrap_or(&report.host),
            address: SocketAddr::new(*address, port),
            relay: None,
            mx: Some((host, &tlsa)),
            demand: &plan.demand,
            next_hop: domain.as_str(),
        };
        report.seen = Some(connected(inner, &hop).await);
    }
    report
}

fn demand(plan: &HostPlan) -> &'static str {
    match plan.demand {
        Demand::Nothing => "TLS if it can be had",
        Demand::Encryption => "TLS with any certificate",
        Demand::Certificate => "TLS with a certificate that is valid for the host",
        Demand::Dane { .. } => "TLS with a certificate that its TLSA records name (DANE)",
    }
}

async fn connected(inner: &Inner, hop: &Hop<'_>) -> Result<String, String> {
    let Opened {
        result,
        tls_failure,
        ..
    } = connect::open(inner, hop).await;
    let connection = match result {
        Ok(connection) => connection,
        Err(verdict) => return Err(verdict.answer().text.clone()),
    };
    let tls = connection
        .talk
        .tls()
        .map(|facts| format!("{} {}", facts.version, facts.cipher));
    let certificate = match connection.secured.certificate {
        Ok(()) => "its certificate is valid",
        Err(failure) => words::broken(failure),
    };
    let secured = connection.secured;
    connection.quit(inner);
    Ok(match tls {
        Some(tls) if secured.dane => format!("{tls}, as its TLSA records say; {certificate}"),
        Some(tls) => format!("{tls}; {certificate}"),
        None => {
            let why = tls_failure.map_or("", words::broken);
            format!("in clear text: {why}")
        }
    })
}
