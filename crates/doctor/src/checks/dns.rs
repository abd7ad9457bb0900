//! Group A, first half: the zone, its name servers, DNSSEC, the resolver, MX.

use super::facts::{Answer, Facts, Nameserver};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{self, domains};
use crate::records::Kind;

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
        group: Group::Dns,
        severity,
        light: Light::Receive,
        who,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "dns.ns.consistent",
        Warning,
        Who::Dns,
        "Name servers agree",
        "Who asks the server that is behind gets old mail records.",
        ns_consistent,
    ),
    check(
        "dns.ns.count",
        Improvement,
        Who::Dns,
        "At least two name servers in different networks",
        "With one name server, mail stops when it does.",
        ns_count,
    ),
    check(
        "dns.ns.tcp",
        Warning,
        Who::Dns,
        "Name servers answer over TCP",
        "Long answers, such as DKIM keys, come over TCP.",
        ns_tcp,
    ),
    check(
        "dns.ns.registrar",
        Warning,
        Who::Registrar,
        "Registrar and zone name the same servers",
        "Changes made on servers that the registrar does not name are seen by nobody.",
        ns_registrar,
    ),
    check(
        "dns.ns.glue",
        Error,
        Who::Registrar,
        "Addresses of name servers at the registrar are right",
        "With wrong addresses the whole zone cannot be found.",
        ns_glue,
    ),
    check(
        "dns.soa.exists",
        Error,
        Who::Dns,
        "Every sending name has a zone",
        "Yahoo refuses senders whose domain does not answer a SOA question.",
        soa_exists,
    ),
    check(
        "dns.soa.sane",
        Improvement,
        Who::Dns,
        "SOA times are usual",
        "Odd times make mistakes last long or secondaries forget early.",
        soa_sane,
    ),
    check(
        "dns.dnssec.zone",
        Warning,
        Who::Dns,
        "The zone is signed",
        "Without DNSSEC anybody on the way can send your mail elsewhere, and DANE does not work.",
        dnssec_zone,
    ),
    check(
        "dns.dnssec.bogus",
        Error,
        Who::Dns,
        "No broken signature",
        "Servers that check signatures cannot find the domain at all.",
        dnssec_bogus,
    ),
    check(
        "dns.dnssec.expiry",
        Warning,
        Who::Dns,
        "Signatures are fresh",
        "When they run out the domain vanishes for everybody who checks them.",
        dnssec_expiry,
    ),
    check(
        "dns.resolver.local",
        Error,
        Who::Server,
        "The server asks DNS itself",
        "Block lists answer public resolvers with errors or lies, and DANE needs validated answers.",
        resolver_local,
    ),
    check(
        "dns.mx.exists",
        Error,
        Who::Dns,
        "The domain has an MX record",
        "Without it other servers do not know where mail goes.",
        mx_exists,
    ),
    check(
        "dns.mx.ours",
        Error,
        Who::Dns,
        "MX names this server only",
        "Mail goes to whatever server is named, so part of it ends elsewhere.",
        mx_ours,
    ),
    check(
        "dns.mx.target",
        Error,
        Who::Dns,
        "The MX name has addresses of its own",
        "An alias, an address or a name without address as MX makes mail fail.",
        mx_target,
    ),
    check(
        "dns.mx.null_conflict",
        Error,
        Who::Dns,
        "No null MX beside others",
        "A null MX says that the domain takes no mail at all.",
        mx_null,
    ),
    check(
        "dns.mx.dup",
        Improvement,
        Who::Dns,
        "No MX twice",
        "Twice the same server is no reserve.",
        mx_dup,
    ),
    check(
        "dns.mx.ttl",
        Improvement,
        Who::Dns,
        "Records are cached for a sensible time",
        "Too short is asked all day, too long keeps mistakes.",
        mx_ttl,
    ),
];

fn for_servers(facts: &Facts, mut look: impl FnMut(&str, &[Nameserver])) {
    for domain in domains(facts) {
        let zone = facts.zones.get(&domain.domain);
        if let Some(servers) = zone.and_then(|zone| zone.nameservers.as_deref()) {
            look(&domain.domain, servers);
        }
    }
}

fn ns_consistent(facts: &Facts, found: &mut Found) {
    for_servers(facts, |domain, servers| {
        let newest = servers.iter().max_by_key(|server| server.serial);
        let Some(newest) = newest else {
            return;
        };
        for server in servers {
            let behind = server.serial.is_some() && server.serial != newest.serial;
            let differs = server.mx.is_some() && newest.mx.is_some() && server.mx != newest.mx;
            if behind || differs {
                found.add(
                    domain,
                    format!("{} differs from {}", server.name, newest.name),
                    Fix::say(format!(
                        "Mend the zone transfer to {}: it should hold serial {}.",
                        server.name,
                        newest
                            .serial
                            .map_or_else(|| "of the first".to_owned(), |serial| serial.to_string())
                    )),
                );
            }
        }
    });
}

fn ns_count(facts: &Facts, found: &mut Found) {
    for_servers(facts, |domain, servers| {
        if let [only] = servers {
            found.add(
                domain,
                format!("only {}", only.name),
                Fix::say("Add a second name server in another network at your DNS provider."),
            );
        }
    });
}

fn ns_tcp(facts: &Facts, found: &mut Found) {
    for_servers(facts, |domain, servers| {
        for server in servers {
            if server.answers_tcp == Some(false) {
                found.add(
                    domain,
                    format!("{} does not answer over TCP", server.name),
                    Fix::say(format!("Open TCP port 53 of {}.", server.name)),
                );
            }
        }
    });
}

fn ns_registrar(facts: &Facts, found: &mut Found) {
    for (domain, zone) in &facts.zones {
        if let (Some(parent), Some(own)) = (&zone.parent_ns, &zone.own_ns)
            && parent != own
        {
            found.add(
                domain,
                format!("registrar: {}; zone: {}", parent.join(", "), own.join(", ")),
                Fix::say(format!(
                    "Set these name servers at the registrar:\n{}",
                    own.join("\n")
                )),
            );
        }
    }
}

fn ns_glue(facts: &Facts, found: &mut Found) {
    for (domain, zone) in &facts.zones {
        for (name, parents, own) in zone.wrong_glue.iter().flatten() {
            found.add(
                domain,
                format!("the registrar says {parents} for {name}, the zone says {own}"),
                Fix::say(format!(
                    "Correct the address of {name} at the registrar to {own}."
                )),
            );
        }
    }
}

fn soa_exists(facts: &Facts, found: &mut Found) {
    let names = domains(facts).map(|domain| &domain.domain);
    for name in names.chain(&facts.sending_names) {
        match facts.dns.get(name, Kind::Soa) {
            Some(Answer::NoName { .. }) => found.add(
                name,
                "the name does not exist",
                Fix::say(format!(
                    "Create the zone {name}, or a record at that name, at your DNS provider."
                )),
            ),
            Some(Answer::Failed) => found.add(
                name,
                "no answer to a SOA question",
                Fix::say(format!(
                    "Mend the name servers of {name}: they do not answer."
                )),
            ),
            _ => {}
        }
    }
}

fn soa_sane(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let values = facts.dns.values(&domain.domain, Kind::Soa).unwrap_or(&[]);
        for value in values {
            let numbers: Vec<u32> = value
                .split_ascii_whitespace()
                .skip(2)
                .filter_map(|number| number.parse().ok())
                .collect();
            let [_, _, _, expire, negative] = numbers[..] else {
                continue;
            };
            if expire < limits::SOA_EXPIRE_MIN || negative > limits::SOA_NEGATIVE_MAX {
                found.add(
                    &domain.domain,
                    format!("expire {expire}, negative answers {negative} seconds"),
                    Fix::say("Set the SOA's expire to 1209600 and its minimum to 3600."),
                );
            }
        }
    }
}

fn dnssec_zone(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if facts.dns.is_secure(&domain.domain, Kind::Soa) == Some(false) {
            found.add(
                &domain.domain,
                "the zone is not signed",
                Fix::say(format!(
                    "Turn on DNSSEC for {} at the DNS provider, then enter the DS record it shows at the registrar.",
                    domain.domain
                )),
            );
        }
    }
}

fn dnssec_bogus(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let broken = facts.dns.iter().find(|(name, _, answer)| {
            **answer == Answer::Bogus && parse::is_at_or_below(name, &domain.domain)
        });
        if let Some((name, kind, _)) = broken {
            found.add(
                &domain.domain,
                format!("the answer for {name} {kind} does not pass DNSSEC"),
                Fix::say("Sign the zone anew, or correct the DS record at the registrar; until then remove the DS record."),
            );
        }
    }
}

fn dnssec_expiry(facts: &Facts, found: &mut Found) {
    for (domain, zone) in &facts.zones {
        let Some(ends) = zone.signature_ends else {
            continue;
        };
        let left = ends.saturating_sub(facts.now);
        if left < limits::SIGNATURE_LEFT_MIN {
            found.add(
                domain,
                format!("signatures end in {}", parse::span(left)),
                Fix::say("The signer of the zone has stopped: start it, or sign the zone by hand."),
            );
        }
    }
}

fn resolver_local(facts: &Facts, found: &mut Found) {
    if facts.resolver.is_own == Some(false) {
        found.add(
            "resolver",
            "questions leave through a public or foreign resolver",
            Fix::say("Let the server resolve by itself: remove `resolvers` under [dns] in postroad.toml, or run unbound and name 127.0.0.1 in /etc/resolv.conf."),
        );
    }
}

/// MX values of a domain with their names; `None` when not observed.
fn exchanges(facts: &Facts, domain: &str) -> Option<Vec<(u16, String)>> {
    let values = facts.dns.values(domain, Kind::Mx)?;
    Some(values.iter().filter_map(|value| parse::mx(value)).collect())
}

fn wanted_mx(host: &str) -> [String; 1] {
    [format!("10 {host}.")]
}

fn mx_exists(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if exchanges(facts, &domain.domain).is_some_and(|list| list.is_empty()) {
            found.add(
                &domain.domain,
                "no MX record",
                Fix::publish(
                    "Publish:",
                    &domain.domain,
                    Kind::Mx,
                    &wanted_mx(&domain.host),
                ),
            );
        }
    }
}

fn mx_ours(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let list = exchanges(facts, &domain.domain).unwrap_or_default();
        let foreign: Vec<&str> = list
            .iter()
            .map(|(_, name)| name.as_str())
            .filter(|name| {
                *name != domain.host && *name != "." && name.parse::<std::net::IpAddr>().is_err()
            })
            .collect();
        if !foreign.is_empty() {
            found.add(
                &domain.domain,
                format!("MX names {}", foreign.join(", ")),
                Fix::publish(
                    "Leave only this MX record:",
                    &domain.domain,
                    Kind::Mx,
                    &wanted_mx(&domain.host),
                ),
            );
        }
    }
}

fn mx_target(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        for (_, name) in exchanges(facts, &domain.domain).unwrap_or_default() {
            if name.parse::<std::net::IpAddr>().is_ok() {
                found.add(
                    &domain.domain,
                    format!("MX is the address {name}, not a name"),
                    Fix::publish(
                        "Publish instead:",
                        &domain.domain,
                        Kind::Mx,
                        &wanted_mx(&domain.host),
                    ),
                );
            } else if facts
                .dns
                .values(&name, Kind::Cname)
                .is_some_and(|values| !values.is_empty())
            {
                found.add(
                    &domain.domain,
                    format!("MX {name} is an alias (CNAME)"),
                    Fix::remove(
                        "Remove the alias, then publish A and AAAA at that name.",
                        &name,
                        Kind::Cname,
                    ),
                );
            } else if parse::addresses(&facts.dns, &name).is_some_and(|list| {
                !list.is_empty() && list.iter().all(|address| parse::is_private(*address))
            }) {
                found.add(
                    &domain.domain,
                    format!("MX {name} has a private address only"),
                    Fix::say(format!(
                        "Publish the public address of the server at {name}."
                    )),
                );
            }
        }
    }
}

fn mx_null(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let list = exchanges(facts, &domain.domain).unwrap_or_default();
        if list.iter().any(|(_, name)| name == ".") {
            found.add(
                &domain.domain,
                "a null MX (0 .) stands there",
                Fix::publish(
                    "Leave only this MX record:",
                    &domain.domain,
                    Kind::Mx,
                    &wanted_mx(&domain.host),
                ),
            );
        }
    }
}

fn mx_dup(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let mut names: Vec<String> = exchanges(facts, &domain.domain)
            .unwrap_or_default()
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        if names.len() < all {
            found.add(
                &domain.domain,
                "the same server stands twice in MX",
                Fix::publish(
                    "Leave only this MX record:",
                    &domain.domain,
                    Kind::Mx,
                    &wanted_mx(&domain.host),
                ),
            );
        }
    }
}

fn mx_ttl(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if let Some(Answer::Values { ttl, .. }) = facts.dns.get(&domain.domain, Kind::Mx)
            && !(limits::TTL_MIN..=limits::TTL_MAX).contains(ttl)
        {
            found.add(
                &domain.domain,
                format!("MX has a TTL of {ttl} seconds"),
                Fix::say("Set the TTL of the mail records to 3600."),
            );
        }
    }
}
