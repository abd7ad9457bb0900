//! Group D, second half: DANE, MTA-STS and TLS reports, by which senders know that they must encrypt.

use super::facts::{Facts, StsFacts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{self, Tags, domains};
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
        group: Group::Tls,
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
        "dane.exists",
        Improvement,
        Who::Dns,
        "TLSA records for port 25",
        "They tell senders which key to expect, so that nobody can stand in between.",
        dane_exists,
    ),
    check(
        "dane.match",
        Error,
        Who::Dns,
        "TLSA fits the key in use",
        "Senders that look at TLSA, Microsoft among them, keep back all mail.",
        dane_match,
    ),
    check(
        "dane.rollover",
        Warning,
        Who::Dns,
        "Key changes are announced in TLSA",
        "Between old record and new key mail stands still.",
        dane_rollover,
    ),
    check(
        "dane.unsigned",
        Warning,
        Who::Dns,
        "No TLSA in an unsigned zone",
        "Without DNSSEC nobody may use it, and it misleads.",
        dane_unsigned,
    ),
    check(
        "sts.txt",
        Improvement,
        Who::Dns,
        "_mta-sts record",
        "It tells senders that there is a policy to fetch.",
        sts_txt,
    ),
    check(
        "sts.https",
        Error,
        Who::Server,
        "The MTA-STS policy can be fetched",
        "A policy that is announced and missing leaves senders without protection, or without delivery.",
        sts_https,
    ),
    check(
        "sts.mx.match",
        Error,
        Who::Server,
        "Policy and MX name the same servers",
        "Senders do not bring mail to a server that the policy does not name.",
        sts_mx,
    ),
    check(
        "sts.mode",
        Improvement,
        Who::Server,
        "The policy is enforced",
        "In testing mode senders only report.",
        sts_mode,
    ),
    check(
        "sts.maxage",
        Warning,
        Who::Server,
        "The policy is remembered long enough",
        "One that is forgotten in hours protects nobody.",
        sts_maxage,
    ),
    check(
        "sts.id.changed",
        Warning,
        Who::Dns,
        "The id changes with the policy",
        "Senders keep the old policy until the id is another.",
        sts_id,
    ),
    check(
        "tlsrpt.txt",
        Improvement,
        Who::Dns,
        "_smtp._tls record",
        "Other servers tell you there when they cannot reach yours encrypted.",
        tlsrpt_txt,
    ),
    check(
        "tlsrpt.inbox",
        Warning,
        Who::Server,
        "The address for TLS reports takes mail",
        "Reports that bounce are not sent again.",
        tlsrpt_inbox,
    ),
];

fn tlsa_name(facts: &Facts) -> String {
    format!("_25._tcp.{}", facts.host)
}

fn wanted_tlsa(facts: &Facts) -> Option<Vec<String>> {
    let shown = facts.tls.certificate.as_ref()?;
    let hex: String = shown
        .key_hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(vec![format!("3 1 1 {hex}")])
}

fn is_signed(facts: &Facts) -> Option<bool> {
    facts.dns.is_secure(&facts.host, Kind::A)
}

fn dane_exists(facts: &Facts, found: &mut Found) {
    let name = tlsa_name(facts);
    let missing = facts
        .dns
        .values(&name, Kind::Tlsa)
        .is_some_and(|values| values.is_empty());
    if missing
        && is_signed(facts) == Some(true)
        && let Some(values) = wanted_tlsa(facts)
    {
        found.add(
            &name,
            "no TLSA record",
            Fix::publish("Publish:", &name, Kind::Tlsa, &values),
        );
    }
}

fn dane_match(facts: &Facts, found: &mut Found) {
    let name = tlsa_name(facts);
    let there = facts.dns.values(&name, Kind::Tlsa).unwrap_or(&[]);
    let Some(wanted) = wanted_tlsa(facts) else {
        return;
    };
    // Only key pins (x 1 1) can be compared with the key; others are taken as fitting.
    let comparable = there.iter().all(|value| value.contains(" 1 1 "));
    let fits = there.iter().any(|value| {
        value.split_ascii_whitespace().last().is_some_and(|hash| {
            wanted
                .iter()
                .any(|one| one.ends_with(&hash.to_ascii_lowercase()))
        })
    });
    if !there.is_empty() && comparable && !fits && is_signed(facts) == Some(true) {
        found.add(
            &name,
            "TLSA names another key than the one in use",
            Fix::publish("Publish at once:", &name, Kind::Tlsa, &wanted),
        );
    }
}

fn dane_rollover(facts: &Facts, found: &mut Found) {
    if facts.tls.unannounced_key_change == Some(true) {
        found.add(
            tlsa_name(facts),
            "the key was changed before its TLSA record was seen",
            Fix::say("Keep the key when renewing, or publish the next key's record one TTL before it is used."),
        );
    }
}

fn dane_unsigned(facts: &Facts, found: &mut Found) {
    let name = tlsa_name(facts);
    let there = facts
        .dns
        .values(&name, Kind::Tlsa)
        .is_some_and(|values| !values.is_empty());
    if there && is_signed(facts) == Some(false) {
        found.add(
            &name,
            "TLSA without DNSSEC",
            Fix::remove("Sign the zone, or:", &name, Kind::Tlsa),
        );
    }
}

fn with_policy(facts: &Facts) -> impl Iterator<Item = (&DomainFacts, String)> {
    domains(facts)
        .filter(|domain| domain.mta_sts.is_some())
        .map(|domain| (domain, format!("_mta-sts.{}", domain.domain)))
}

fn sts_txt(facts: &Facts, found: &mut Found) {
    for (domain, name) in with_policy(facts) {
        let Some(there) = parse::txt_with(&facts.dns, &name, "v=STSv1") else {
            continue;
        };
        let good = matches!(there.as_slice(), [only] if Tags::read(only).get("id").is_some_and(|id| !id.is_empty()));
        if !good {
            let values = parse::wished(domain, &name, Kind::Txt);
            let seen = match there.len() {
                0 => "no _mta-sts record",
                1 => "the record has no id",
                _ => "more than one record: senders ignore all of them",
            };
            found.add(
                &name,
                seen,
                Fix::publish("Publish:", &name, Kind::Txt, &values),
            );
        }
    }
}

fn each_sts(facts: &Facts, mut look: impl FnMut(&DomainFacts, &StsFacts)) {
    for (domain, _) in with_policy(facts) {
        if let Some(sts) = facts.tls.sts.get(&domain.domain) {
            look(domain, sts);
        }
    }
}

fn sts_https(facts: &Facts, found: &mut Found) {
    each_sts(facts, |domain, sts| {
        if let Some(fault) = &sts.fault {
            found.add(
                &domain.domain,
                format!("the policy cannot be fetched: {fault}"),
                Fix::publish(
                    &format!("See that https://mta-sts.{0}/.well-known/mta-sts.txt answers, with a certificate for mta-sts.{0}:", domain.domain),
                    &format!("mta-sts.{}", domain.domain),
                    Kind::Cname,
                    &[format!("{}.", domain.host)],
                ),
            );
        }
    });
}

fn policy_covers(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_prefix("*.") {
            Some(rest) => name
                .split_once('.')
                .is_some_and(|(_, parent)| parent == rest),
            None => pattern.eq_ignore_ascii_case(name),
        })
}

fn sts_mx(facts: &Facts, found: &mut Found) {
    each_sts(facts, |domain, sts| {
        if sts.fault.is_some() {
            return;
        }
        let values = facts.dns.values(&domain.domain, Kind::Mx).unwrap_or(&[]);
        let names: Vec<String> = values
            .iter()
            .filter_map(|value| parse::mx(value))
            .map(|(_, name)| name)
            .filter(|name| *name == domain.host)
            .collect();
        let outside: Vec<&String> = names
            .iter()
            .filter(|name| !policy_covers(&sts.mx, name))
            .collect();
        if !outside.is_empty() {
            found.add(
                &domain.domain,
                format!(
                    "the policy names {}, MX names {}",
                    sts.mx.join(", "),
                    domain.host
                ),
                Fix::say(format!("Let this server serve the policy: it names {0} by itself. mta-sts.{1} must lead to {0}.", domain.host, domain.domain)),
            );
        }
    });
}

fn sts_mode(facts: &Facts, found: &mut Found) {
    each_sts(facts, |domain, sts| {
        let long = sts
            .in_testing_since
            .is_some_and(|since| facts.now.saturating_sub(since) > limits::STS_TESTING_MAX);
        if sts.fault.is_none() && sts.mode == "testing" && long {
            found.add(
                &domain.domain,
                "the policy has been in testing for more than four weeks",
                Fix::run(
                    "Enforce it:",
                    format!("postroad domain mta-sts {} enforce", domain.domain),
                ),
            );
        }
    });
}

fn sts_maxage(facts: &Facts, found: &mut Found) {
    each_sts(facts, |domain, sts| {
        if sts.fault.is_none() && sts.max_age < limits::STS_AGE_MIN {
            found.add(
                &domain.domain,
                format!("max_age is {} seconds", sts.max_age),
                Fix::say("Set max_age to 604800 or more in the policy."),
            );
        }
    });
}

fn sts_id(facts: &Facts, found: &mut Found) {
    for (domain, name) in with_policy(facts) {
        let stale = facts
            .tls
            .sts
            .get(&domain.domain)
            .is_some_and(|sts| sts.id_stale);
        if stale {
            let values = parse::wished(domain, &name, Kind::Txt);
            found.add(
                &name,
                "the policy changed and the id did not",
                Fix::publish("Publish the new id:", &name, Kind::Txt, &values),
            );
        }
    }
}

fn tlsrpt_txt(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let name = format!("_smtp._tls.{}", domain.domain);
        let Some(there) = parse::txt_with(&facts.dns, &name, "v=TLSRPTv1") else {
            continue;
        };
        let good = matches!(there.as_slice(), [only] if Tags::read(only).get("rua").is_some_and(|rua| !rua.is_empty()));
        if !good {
            let values = parse::wished(domain, &name, Kind::Txt);
            let seen = if there.is_empty() {
                "no record"
            } else {
                "not one record with rua"
            };
            found.add(
                &name,
                seen,
                Fix::publish("Publish:", &name, Kind::Txt, &values),
            );
        }
    }
}

fn tlsrpt_inbox(facts: &Facts, found: &mut Found) {
    if facts.tls.tls_report_address_works == Some(false) {
        found.add(
            "TLS reports",
            "the address in the record refuses mail",
            Fix::run(
                "Let the record name the address that is read here:",
                "postroad dns show",
            ),
        );
    }
}
