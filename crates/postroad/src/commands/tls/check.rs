//! `postroad tls check`: asks the DNS and the policy hosts now, and shows what follows for each mail host.

use mta::{HostReport, Mta, Trial, WayReport};
use serde_json::{Value, json};
use world::{DnsSettings, World};

use crate::commands::{Context, find};
use crate::output::{Answer, Failure};
use crate::server::settings;

pub fn run(context: &Context, domain: &str, connect: bool) -> Result<Answer, Failure> {
    let domain = find::parse_domain(domain)?;
    let trial = if connect {
        Trial::Connect
    } else {
        Trial::LookUpOnly
    };
    let settings = settings::outbound_only(&context.config)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    let store = context.store.clone();
    let resolvers = context.config.resolvers.clone();
    let report = runtime.block_on(async {
        let world = World::real(DnsSettings::servers(resolvers));
        let mta = Mta::new(world, store, settings);
        mta.check_way(&domain, trial).await
    });
    Ok(answer(domain.as_str(), &report))
}

fn answer(domain: &str, report: &WayReport) -> Answer {
    let mut answer = Answer::new(json!({
        "domain": domain,
        "problem": report.problem,
        "relay": report.relay,
        "facts": report.facts,
        "hosts": report.hosts.iter().map(describe).collect::<Vec<_>>(),
    }));
    if let Some(problem) = &report.problem {
        return answer
            .line(format!("No way to {domain}: {problem}."))
            .findings();
    }
    if let Some(relay) = &report.relay {
        return answer.line(format!(
            "Mail for {domain} goes over the relay {relay}, as postroad.toml says; its settings rule."
        ));
    }
    for fact in &report.facts {
        answer = answer.line(fact.clone());
    }
    for host in &report.hosts {
        answer = answer
            .line("")
            .line(format!("{}: {}", host.host, host.demand));
        let indented = |text: &str| format!("  {text}");
        for text in &host.reasons {
            answer = answer.line(indented(text));
        }
        for record in &host.tlsa {
            answer = answer.line(indented(&format!("TLSA {record}")));
        }
        if let Some(text) = &host.obstacle {
            answer = answer.line(indented(text));
        }
        match &host.seen {
            Some(Ok(text)) => answer = answer.line(indented(&format!("connected: {text}"))),
            Some(Err(text)) => answer = answer.line(indented(&format!("failed: {text}"))),
            None => {}
        }
    }
    match report.hosts.iter().any(is_finding) {
        true => answer.findings(),
        false => answer,
    }
}

fn is_finding(host: &HostReport) -> bool {
    host.obstacle.is_some() || matches!(host.seen, Some(Err(_)))
}

fn describe(host: &HostReport) -> Value {
    json!({
        "host": host.host,
        "demand": host.demand,
        "reasons": host.reasons,
        "tlsa": host.tlsa,
        "obstacle": host.obstacle,
        "connected": host.seen.as_ref().and_then(|seen| seen.as_ref().ok()),
        "failed": host.seen.as_ref().and_then(|seen| seen.as_ref().err()),
    })
}
