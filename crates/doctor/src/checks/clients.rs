//! Group I: how mail programs find their settings.

use super::facts::{ClientFacts, Facts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::parse::{self, domains};
use crate::records::{DomainFacts, Kind};

const fn check(
    id: &'static str,
    severity: Severity,
    who: Who,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Clients,
        severity,
        light: Light::Running,
        who,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

/// Why all service records matter.
const FINDS: &str = "Mail programs find the server by it, without a question to the user.";

pub const CHECKS: &[Check] = &[
    check(
        "ac.srv.submissions",
        Improvement,
        Who::Dns,
        "SRV for sending",
        FINDS,
        |facts, found| service(facts, found, "_submissions._tcp"),
    ),
    check(
        "ac.srv.submission",
        Improvement,
        Who::Dns,
        "No stale SRV for port 587",
        "Programs try a port that is shut, and wait.",
        |facts, found| stale(facts, found, "_submission._tcp", 587),
    ),
    check(
        "ac.srv.imaps",
        Improvement,
        Who::Dns,
        "SRV for reading",
        FINDS,
        |facts, found| service(facts, found, "_imaps._tcp"),
    ),
    check(
        "ac.srv.imap",
        Improvement,
        Who::Dns,
        "No stale SRV for port 143",
        "Programs try a port that is shut, and wait.",
        |facts, found| stale(facts, found, "_imap._tcp", 143),
    ),
    check(
        "ac.srv.pop3",
        Improvement,
        Who::Dns,
        "SRV for fetching",
        FINDS,
        |facts, found| service(facts, found, "_pop3s._tcp"),
    ),
    check(
        "ac.mozilla",
        Warning,
        Who::Server,
        "Thunderbird finds its settings",
        "People type address and password, and it works or does not.",
        |facts, found| {
            file(
                facts,
                found,
                |client| client.autoconfig.as_ref(),
                "autoconfig",
            )
        },
    ),
    check(
        "ac.ms",
        Warning,
        Who::Server,
        "Outlook finds its settings",
        "Outlook asks for them before anything else.",
        |facts, found| {
            file(
                facts,
                found,
                |client| client.autodiscover.as_ref(),
                "autodiscover",
            )
        },
    ),
    check(
        "ac.apple",
        Improvement,
        Who::Server,
        "Apple devices get a profile",
        "A profile sets up mail with two taps.",
        profile,
    ),
    check(
        "ac.login",
        Error,
        Who::Server,
        "A login with the published names works",
        "What does not work here works for nobody.",
        login,
    ),
    check(
        "ac.old",
        Warning,
        Who::Dns,
        "No record names the provider before",
        "Mail programs go to the old server and fail.",
        old,
    ),
];

/// SRV values at a name, in comparable form.
fn at<'a>(facts: &'a Facts, name: &str) -> Option<&'a [String]> {
    facts.dns.values(name, Kind::Srv)
}

fn same(a: &str, b: &str) -> bool {
    parse::host(a) == parse::host(b)
}

fn service(facts: &Facts, found: &mut Found, label: &str) {
    for domain in domains(facts) {
        let name = format!("{label}.{}", domain.domain);
        let wanted = parse::wished(domain, &name, Kind::Srv);
        let Some(there) = at(facts, &name) else {
            continue;
        };
        let fits = wanted
            .iter()
            .all(|want| there.iter().any(|one| same(one, want)));
        if !wanted.is_empty() && !fits {
            let seen = if there.is_empty() {
                "no record".to_owned()
            } else {
                format!("the record says {}", there.join(", "))
            };
            found.add(
                &name,
                seen,
                Fix::publish("Publish:", &name, Kind::Srv, &wanted),
            );
        }
    }
}

/// A record for a port that is not offered.
fn stale(facts: &Facts, found: &mut Found, label: &str, port: u16) {
    let offered = facts.ports.get(&port).is_some_and(|seen| seen.wanted);
    if offered {
        return;
    }
    for domain in domains(facts) {
        let name = format!("{label}.{}", domain.domain);
        let names_a_server = at(facts, &name)
            .unwrap_or(&[])
            .iter()
            .any(|value| value.split_ascii_whitespace().last() != Some("."));
        if names_a_server {
            found.add(
                &name,
                format!("names port {port}, which is not offered"),
                Fix::publish(
                    "Say that it is not offered:",
                    &name,
                    Kind::Srv,
                    &["0 0 0 .".to_owned()],
                ),
            );
        }
    }
}

fn each(facts: &Facts, mut look: impl FnMut(&DomainFacts, &ClientFacts)) {
    for domain in domains(facts) {
        if let Some(client) = facts.clients.get(&domain.domain) {
            look(domain, client);
        }
    }
}

fn file(
    facts: &Facts,
    found: &mut Found,
    pick: fn(&ClientFacts) -> Option<&Result<(), String>>,
    label: &str,
) {
    each(facts, |domain, client| {
        if let Some(Err(fault)) = pick(client) {
            let name = format!("{label}.{}", domain.domain);
            found.add(
                &domain.domain,
                format!("{label} fails: {fault}"),
                Fix::publish(
                    &format!("Publish, and let the certificate carry {name}:"),
                    &name,
                    Kind::Cname,
                    &[format!("{}.", domain.host)],
                ),
            );
        }
    });
}

fn profile(facts: &Facts, found: &mut Found) {
    each(facts, |domain, client| {
        if let Some(Err(fault)) = &client.apple_profile {
            found.add(
                &domain.domain,
                format!("the profile cannot be fetched: {fault}"),
                Fix::say(format!(
                    "See that https://{}/ answers; the profile is made by itself.",
                    domain.host
                )),
            );
        }
    });
}

fn login(facts: &Facts, found: &mut Found) {
    each(facts, |domain, client| {
        if let Some(Err(step)) = &client.login {
            found.add(
                &domain.domain,
                format!("the test login fails: {step}"),
                Fix::run(
                    "Compare with what programs are told:",
                    "postroad account settings ADDRESS",
                ),
            );
        }
    });
}

fn old(facts: &Facts, found: &mut Found) {
    each(facts, |_, client| {
        for (name, value) in client.old_records.iter().flatten() {
            found.add(
                name,
                format!("still leads to {value}"),
                Fix::say(format!("Remove the record {name} → {value}.")),
            );
        }
    });
}
