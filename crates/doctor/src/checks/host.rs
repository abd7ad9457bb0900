//! Group A, second half: the host's own names, CAA, registration, parked and sending names.

use super::facts::{Answer, Facts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{self, domains};
use crate::records::Kind;

const fn check(
    id: &'static str,
    severity: Severity,
    light: Light,
    who: Who,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Dns,
        severity,
        light,
        who,
        title,
        why,
        run,
    }
}

use Light::{Receive, Running, Send, Trusted};
use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "dns.host.a",
        Error,
        Receive,
        Who::Dns,
        "The host name has our IPv4 address",
        "Mail and mail programs go where the name leads.",
        host_a,
    ),
    check(
        "dns.host.aaaa",
        Error,
        Receive,
        Who::Dns,
        "The host name has our IPv6 address, or none",
        "Servers that prefer IPv6 fail or wait at a wrong address.",
        host_aaaa,
    ),
    check(
        "dns.host.fqdn",
        Warning,
        Trusted,
        Who::Server,
        "The host name is a full name of its own",
        "Others check the name by which the server introduces itself.",
        host_fqdn,
    ),
    check(
        "dns.host.loopback",
        Warning,
        Running,
        Who::Server,
        "The machine knows its own public name",
        "A name that leads to itself makes checks and deliveries go astray.",
        host_loopback,
    ),
    check(
        "dns.wildcard",
        Warning,
        Receive,
        Who::Dns,
        "No wildcard answers for mail names",
        "A wildcard answers in place of records that are missing, with the wrong thing.",
        wildcard,
    ),
    check(
        "dns.caa",
        Improvement,
        Running,
        Who::Dns,
        "CAA allows our certificate authority",
        "CAA keeps others from getting certificates for your names, and must not keep you from it.",
        caa,
    ),
    check(
        "dns.domain.expiry",
        Warning,
        Running,
        Who::Registrar,
        "The domain is paid for",
        "When it runs out, mail and name go to whoever buys it.",
        domain_expiry,
    ),
    check(
        "dns.domain.age",
        Warning,
        Trusted,
        Who::User,
        "The domain is not brand-new",
        "Receivers distrust domains in their first month.",
        domain_age,
    ),
    check(
        "dns.domain.lock",
        Improvement,
        Running,
        Who::Registrar,
        "The domain is locked against transfer",
        "An unlocked domain is easier to steal.",
        domain_lock,
    ),
    check(
        "dns.domain.tld",
        Warning,
        Trusted,
        Who::User,
        "The domain's ending is in good standing",
        "Some endings cost points at many receivers, whatever the mail says.",
        domain_tld,
    ),
    check(
        "dns.propagation",
        Improvement,
        Receive,
        Who::Dns,
        "Everybody sees the same records",
        "Who still sees old records acts on them.",
        propagation,
    ),
    check(
        "dns.parked",
        Warning,
        Trusted,
        Who::Dns,
        "Domains without mail say so",
        "A domain that says nothing is used by others to forge mail.",
        parked,
    ),
    check(
        "dns.subdomain.sending",
        Warning,
        Send,
        Who::Dns,
        "Sending names take replies and have SPF",
        "Mail from a name without records is distrusted or refused.",
        sending_names,
    ),
    check(
        "dns.srs.domain",
        Error,
        Send,
        Who::Dns,
        "The domain of forwarded senders has its records",
        "Forwarded mail carries this domain, and is refused without them.",
        srs_domain,
    ),
];

/// Endings that widely used rule sets give points for. From the lists of SpamAssassin, rspamd and Spamhaus.
const BAD_ENDINGS: [&str; 34] = [
    "icu", "online", "work", "date", "top", "fun", "life", "review", "bid", "stream", "gdn",
    "click", "world", "fit", "ooo", "faith", "buzz", "trade", "cyou", "vip", "tk", "ml", "ga",
    "cf", "gq", "xyz", "sbs", "bond", "pw", "press", "loan", "win", "zip", "mov",
];

fn ours(facts: &Facts, v4: bool) -> Vec<String> {
    facts
        .addresses
        .iter()
        .filter(|address| address.address.is_ipv4() == v4)
        .map(|address| address.address.to_string())
        .collect()
}

fn host_family(facts: &Facts, found: &mut Found, kind: Kind, v4: bool) {
    let Some(there) = facts.dns.values(&facts.host, kind) else {
        return;
    };
    let wanted = ours(facts, v4);
    let mut there = there.to_vec();
    there.sort();
    let mut sorted = wanted.clone();
    sorted.sort();
    if there == sorted || facts.addresses.is_empty() {
        return;
    }
    let seen = if there.is_empty() {
        format!("{} has no {kind} record", facts.host)
    } else {
        format!("{} leads to {}", facts.host, there.join(", "))
    };
    let fix = if wanted.is_empty() {
        Fix::remove("This server has no such address.", &facts.host, kind)
    } else {
        Fix::publish("Publish:", &facts.host, kind, &wanted)
    };
    found.add(&facts.host, seen, fix);
}

fn host_a(facts: &Facts, found: &mut Found) {
    // An alias in place of addresses has a finding of its own.
    if facts
        .dns
        .values(&facts.host, Kind::Cname)
        .is_some_and(|values| !values.is_empty())
    {
        return;
    }
    host_family(facts, found, Kind::A, true);
}

fn host_aaaa(facts: &Facts, found: &mut Found) {
    if facts
        .dns
        .values(&facts.host, Kind::Cname)
        .is_some_and(|values| !values.is_empty())
    {
        return;
    }
    host_family(facts, found, Kind::Aaaa, false);
}

fn host_fqdn(facts: &Facts, found: &mut Found) {
    if facts.host.is_empty() {
        return;
    }
    let bare = domains(facts).any(|domain| domain.domain == facts.host);
    let short = facts.host.matches('.').count() < 1;
    if bare || short || facts.host.contains('_') {
        let base = domains(facts)
            .next()
            .map_or("example.org", |domain| &domain.domain);
        found.add(
            &facts.host,
            format!("the host name is {}", facts.host),
            Fix::say(format!(
                "Set `hostname = \"mail.{base}\"` in postroad.toml, and its A and PTR records."
            )),
        );
    }
}

fn host_loopback(facts: &Facts, found: &mut Found) {
    if facts.resolver.host_is_loopback == Some(true) {
        found.add(
            &facts.host,
            format!("/etc/hosts maps {} to a loopback address", facts.host),
            Fix::say(format!(
                "Remove {} from the 127.x line of /etc/hosts.",
                facts.host
            )),
        );
    }
}

fn wildcard(facts: &Facts, found: &mut Found) {
    for (domain, zone) in &facts.zones {
        if zone.wildcard == Some(true) {
            found.add(
                domain,
                format!("*.{domain} answers for any name"),
                Fix::say(format!("Remove the wildcard record *.{domain}, or give the mail names records of their own.")),
            );
        }
    }
}

fn caa(facts: &Facts, found: &mut Found) {
    let Some(authority) = &facts.settings.ca else {
        return;
    };
    for domain in domains(facts) {
        let Some(values) = facts.dns.values(&domain.domain, Kind::Caa) else {
            continue;
        };
        let wanted = vec![
            format!("0 issue \"{authority}\""),
            format!("0 iodef \"mailto:postmaster@{}\"", domain.domain),
        ];
        let issues: Vec<&String> = values
            .iter()
            .filter(|value| value.contains(" issue "))
            .collect();
        if values.is_empty() {
            found.add(
                &domain.domain,
                "no CAA record",
                Fix::publish("Publish:", &domain.domain, Kind::Caa, &wanted),
            );
        } else if !issues.is_empty()
            && !issues
                .iter()
                .any(|value| value.contains(authority.as_str()))
        {
            found.add_as(
                Error,
                &domain.domain,
                format!("CAA forbids {authority}"),
                Fix::publish("Publish:", &domain.domain, Kind::Caa, &wanted),
            );
        }
    }
}

fn domain_expiry(facts: &Facts, found: &mut Found) {
    for (domain, registration) in &facts.registrations {
        let Some(expires) = registration.expires else {
            continue;
        };
        let left = expires.saturating_sub(facts.now);
        if left < limits::REGISTRATION_LEFT_WARN {
            let severity = if left < limits::REGISTRATION_LEFT_ERROR {
                Error
            } else {
                Warning
            };
            found.add_as(
                severity,
                domain,
                format!("the registration ends in {}", parse::span(left)),
                Fix::say(format!(
                    "Renew {domain} at the registrar and switch on automatic renewal."
                )),
            );
        }
    }
}

fn domain_age(facts: &Facts, found: &mut Found) {
    for (domain, registration) in &facts.registrations {
        let Some(created) = registration.created else {
            continue;
        };
        let age = facts.now.saturating_sub(created);
        if age < limits::DOMAIN_AGE_MIN {
            found.add(
                domain,
                format!("registered {} ago", parse::span(age)),
                Fix::say("Send personal mail only for a month; no newsletters."),
            );
        }
    }
}

fn domain_lock(facts: &Facts, found: &mut Found) {
    for (domain, registration) in &facts.registrations {
        if registration.transfer_locked == Some(false) {
            found.add(
                domain,
                "no transfer lock",
                Fix::say(
                    "Switch on the transfer lock (clientTransferProhibited) at the registrar.",
                ),
            );
        }
    }
}

fn domain_tld(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let ending = domain.domain.rsplit('.').next().unwrap_or_default();
        if BAD_ENDINGS.contains(&ending) {
            found.add(
                &domain.domain,
                format!(".{ending} costs points at many receivers"),
                Fix::say(
                    "Think of another domain for mail, such as one with your country's ending.",
                ),
            );
        }
    }
}

fn propagation(facts: &Facts, found: &mut Found) {
    for (domain, zone) in &facts.zones {
        if let Some(stale) = zone
            .stale_resolvers
            .as_deref()
            .filter(|stale| !stale.is_empty())
        {
            found.add(
                domain,
                format!("{} still see older records", stale.join(", ")),
                Fix::say("Wait until the old records' TTL has passed."),
            );
        }
    }
}

fn parked(facts: &Facts, found: &mut Found) {
    for domain in &facts.parked {
        let wanted = [
            (domain.clone(), Kind::Mx, "0 ."),
            (domain.clone(), Kind::Txt, "v=spf1 -all"),
            (
                format!("_dmarc.{domain}"),
                Kind::Txt,
                "v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s",
            ),
            (format!("*._domainkey.{domain}"), Kind::Txt, "v=DKIM1; p="),
        ];
        for (name, kind, value) in wanted {
            let Some(there) = facts.dns.values(&name, kind) else {
                continue;
            };
            let fits = match kind {
                Kind::Mx => there.iter().any(|mx| mx.starts_with("0 .")),
                _ if value.starts_with("v=DMARC1") => {
                    there.iter().any(|text| text.contains("p=reject"))
                }
                _ => there.iter().any(|text| text.trim() == value),
            };
            if !fits {
                found.add(
                    &name,
                    format!("no {kind} record that says \"no mail\""),
                    Fix::publish("Publish:", &name, kind, &[value.to_owned()]),
                );
            }
        }
    }
}

fn sending_names(facts: &Facts, found: &mut Found) {
    for name in &facts.sending_names {
        // A name that is not there at all is the SOA check's.
        if matches!(
            facts.dns.get(name, Kind::Soa),
            Some(Answer::NoName { .. } | Answer::Failed)
        ) {
            continue;
        }
        if parse::txt_with(&facts.dns, name, "v=spf1").is_some_and(|list| list.is_empty()) {
            let value = format!("v=spf1 a:{} -all", facts.host);
            let values = parse::merged_txt(&facts.dns, name, "v=spf1", &[value]);
            found.add(
                name,
                "no SPF record",
                Fix::publish("Publish:", name, Kind::Txt, &values),
            );
        }
        let takes = facts
            .dns
            .values(name, Kind::Mx)
            .is_some_and(|list| list.is_empty())
            && facts
                .dns
                .values(name, Kind::A)
                .is_some_and(|list| list.is_empty());
        if takes {
            found.add(
                name,
                "neither MX nor A",
                Fix::publish("Publish:", name, Kind::Mx, &[format!("10 {}.", facts.host)]),
            );
        }
    }
}

fn srs_domain(facts: &Facts, found: &mut Found) {
    let Some(domain) = &facts.srs_domain else {
        return;
    };
    if facts
        .dns
        .values(domain, Kind::Mx)
        .is_some_and(|list| list.is_empty())
    {
        found.add(
            domain,
            "the domain of forwarded senders has no MX",
            Fix::publish(
                "Publish:",
                domain,
                Kind::Mx,
                &[format!("10 {}.", facts.host)],
            ),
        );
    }
    if parse::txt_with(&facts.dns, domain, "v=spf1").is_some_and(|list| list.is_empty()) {
        let value = format!("v=spf1 a:{} -all", facts.host);
        let values = parse::merged_txt(&facts.dns, domain, "v=spf1", &[value]);
        found.add(
            domain,
            "the domain of forwarded senders has no SPF record",
            Fix::publish("Publish:", domain, Kind::Txt, &values),
        );
    }
}
