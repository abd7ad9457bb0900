//! Group F, third part: DMARC (RFC 9989), and what forwarding needs.

use super::facts::Facts;
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
        group: Group::Authentication,
        severity,
        light: Light::Trusted,
        who,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "dmarc.exists",
        Error,
        Who::Dns,
        "The domain has a DMARC record",
        "Gmail, Yahoo and Microsoft ask for one.",
        exists,
    ),
    check(
        "dmarc.single",
        Error,
        Who::Dns,
        "One DMARC record, well-formed",
        "Receivers ignore a record that is double or malformed.",
        single,
    ),
    check(
        "dmarc.policy",
        Improvement,
        Who::Dns,
        "The policy grows stricter",
        "p=none only watches; forged mail still gets through.",
        policy,
    ),
    check(
        "dmarc.sp_np",
        Warning,
        Who::Dns,
        "Subdomains are protected too",
        "Forgers take names below the domain.",
        subdomains,
    ),
    check(
        "dmarc.removed_tags",
        Improvement,
        Who::Dns,
        "No tags that are gone",
        "pct, rf and ri are gone since RFC 9989; receivers differ in what they make of them.",
        removed,
    ),
    check(
        "dmarc.t",
        Improvement,
        Who::Dns,
        "The trial does not last for ever",
        "With t=y the policy counts one step less.",
        trial,
    ),
    check(
        "dmarc.rua",
        Warning,
        Who::Dns,
        "Reports come in",
        "Without reports nobody tells you who sends in your name.",
        rua,
    ),
    check(
        "dmarc.rua.external",
        Warning,
        Who::Dns,
        "A foreign report address has agreed",
        "Reporters do not send to another domain that has not agreed.",
        rua_external,
    ),
    check(
        "dmarc.rua.mx",
        Warning,
        Who::Dns,
        "The report address can be reached",
        "Reports that bounce are not sent again.",
        rua_mx,
    ),
    check(
        "dmarc.align_mode",
        Improvement,
        Who::Dns,
        "Alignment is relaxed",
        "Strict alignment refuses own subdomains.",
        align_mode,
    ),
    check(
        "dmarc.pass_rate",
        Warning,
        Who::Server,
        "Our own mail passes",
        "What does not pass today is refused when the policy is stricter.",
        pass_rate,
    ),
    check(
        "dmarc.unknown_source",
        Warning,
        Who::Server,
        "All who pass for us are known",
        "A stranger who passes has our key, or an address that SPF allows.",
        unknown,
    ),
    check(
        "arc.seal",
        Improvement,
        Who::Server,
        "Forwarded mail is sealed",
        "Some receivers trust a seal where forwarding broke SPF.",
        seal,
    ),
    check(
        "srs.works",
        Warning,
        Who::Server,
        "Forwarded mail has a sender of ours",
        "Otherwise SPF fails at the next server and it is refused.",
        srs,
    ),
];

fn name(domain: &DomainFacts) -> String {
    format!("_dmarc.{}", domain.domain)
}

fn list<'a>(facts: &'a Facts, domain: &DomainFacts) -> Option<Vec<&'a str>> {
    parse::txt_with(&facts.dns, &name(domain), "v=DMARC1")
}

/// The record when it is one and well-formed.
fn record(facts: &Facts, domain: &DomainFacts) -> Option<Tags> {
    let list = list(facts, domain)?;
    let [only] = list.as_slice() else {
        return None;
    };
    fault(only).is_none().then(|| Tags::read(only))
}

fn fault(text: &str) -> Option<&'static str> {
    let tags = Tags::read(text);
    if !tags.starts_with("v", "DMARC1") {
        return Some("v=DMARC1 does not stand first");
    }
    if tags.broken {
        return Some("a part is no `tag=value`, or stands twice");
    }
    for policy in ["p", "sp", "np"] {
        if let Some(value) = tags.get(policy)
            && !matches!(
                value.to_ascii_lowercase().as_str(),
                "none" | "quarantine" | "reject"
            )
        {
            return Some("a policy is none of none, quarantine, reject");
        }
    }
    tags.get("p")
        .is_none()
        .then_some("p is missing, which counts as none")
}

fn wanted(domain: &DomainFacts) -> Vec<String> {
    parse::wished(domain, &name(domain), Kind::Txt)
}

/// The record with some tags set, others taken out.
fn changed(tags: &Tags, set: &[(&str, &str)], out: &[&str]) -> String {
    let mut parts = Vec::new();
    for tag in &tags.order {
        if out.contains(&tag.as_str()) {
            continue;
        }
        let value = set
            .iter()
            .find(|(name, _)| name == tag)
            .map(|(_, value)| *value);
        parts.push(format!(
            "{tag}={}",
            value.or(tags.get(tag)).unwrap_or_default()
        ));
    }
    for (name, value) in set {
        if tags.get(name).is_none() {
            parts.push(format!("{name}={value}"));
        }
    }
    parts.join("; ")
}

fn publish(say: &str, domain: &DomainFacts, value: String) -> Fix {
    Fix::publish(say, &name(domain), Kind::Txt, &[value])
}

fn exists(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if list(facts, domain).is_some_and(|list| list.is_empty()) {
            found.add(
                name(domain),
                "no DMARC record",
                Fix::publish("Publish:", &name(domain), Kind::Txt, &wanted(domain)),
            );
        }
    }
}

fn single(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let list = list(facts, domain).unwrap_or_default();
        let seen = match list.as_slice() {
            [] => continue,
            [only] => match fault(only) {
                Some(fault) => fault.to_owned(),
                None => continue,
            },
            more => format!("{} DMARC records", more.len()),
        };
        found.add(
            name(domain),
            seen,
            Fix::publish(
                "Publish as the only one:",
                &name(domain),
                Kind::Txt,
                &wanted(domain),
            ),
        );
    }
}

fn policy(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let since = facts
            .senders
            .get(&domain.domain)
            .and_then(|sender| sender.policy_since);
        let long =
            since.is_some_and(|since| facts.now.saturating_sub(since) > limits::DMARC_NONE_MAX);
        if tags.get("p") == Some("none") && long {
            found.add(
                name(domain),
                "p=none for more than six weeks",
                publish(
                    "If all your mail passes, go on to a trial of quarantine:",
                    domain,
                    changed(&tags, &[("p", "quarantine"), ("t", "y")], &[]),
                ),
            );
        }
    }
}

fn strength(policy: &str) -> u8 {
    match policy {
        "reject" => 2,
        "quarantine" => 1,
        _ => 0,
    }
}

fn subdomains(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let main = tags.get("p").unwrap_or("none");
        let weaker = tags
            .get("sp")
            .is_some_and(|sp| strength(sp) < strength(main));
        if weaker {
            found.add(
                name(domain),
                format!(
                    "sp={} is weaker than p={main}",
                    tags.get("sp").unwrap_or_default()
                ),
                publish(
                    "Publish:",
                    domain,
                    changed(&tags, &[("np", "reject")], &["sp"]),
                ),
            );
        } else if tags.get("np") != Some("reject") && main != "reject" {
            found.add(
                name(domain),
                "names that do not exist are not protected",
                publish(
                    "Nobody sends from names that do not exist:",
                    domain,
                    changed(&tags, &[("np", "reject")], &[]),
                ),
            );
        }
    }
}

fn removed(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let old: Vec<&str> = ["pct", "rf", "ri"]
            .into_iter()
            .filter(|tag| tags.get(tag).is_some())
            .collect();
        if !old.is_empty() {
            found.add(
                name(domain),
                format!("the record still has {}", old.join(", ")),
                publish(
                    "Publish without them (t=y makes a trial):",
                    domain,
                    changed(&tags, &[], &["pct", "rf", "ri"]),
                ),
            );
        }
    }
}

fn trial(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let since = facts
            .senders
            .get(&domain.domain)
            .and_then(|sender| sender.testing_since);
        let long =
            since.is_some_and(|since| facts.now.saturating_sub(since) > limits::DMARC_TESTING_MAX);
        if tags.get("t") == Some("y") && long {
            found.add(
                name(domain),
                "t=y for more than a month",
                publish(
                    "Publish without the trial:",
                    domain,
                    changed(&tags, &[], &["t"]),
                ),
            );
        }
    }
}

fn rua(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let address = format!("mailto:{}", domain.reports.dmarc);
        if parse::report_domains(&tags).is_empty() {
            found.add(
                name(domain),
                "no address for reports",
                publish(
                    "Publish:",
                    domain,
                    changed(&tags, &[("rua", &address)], &[]),
                ),
            );
            continue;
        }
        let Some(sender) = facts.senders.get(&domain.domain) else {
            continue;
        };
        let silent = sender
            .last_report
            .is_some_and(|last| facts.now.saturating_sub(last) > limits::REPORT_SILENCE_MAX);
        if silent && sender.sends_mail == Some(true) {
            found.add(
                name(domain),
                "no report in the last week, though mail was sent",
                Fix::say(format!(
                    "See that {} takes mail: send a message to it from elsewhere.",
                    domain.reports.dmarc
                )),
            );
        }
    }
}

/// Report domains outside ours, with the name at which they agree.
fn foreign(facts: &Facts, domain: &DomainFacts) -> Vec<(String, String)> {
    let Some(tags) = record(facts, domain) else {
        return Vec::new();
    };
    parse::report_domains(&tags)
        .into_iter()
        .filter(|to| !parse::are_related(to, &domain.domain))
        .map(|to| (format!("{}._report._dmarc.{to}", domain.domain), to))
        .collect()
}

fn rua_external(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        for (consent, to) in foreign(facts, domain) {
            if parse::txt_with(&facts.dns, &consent, "v=DMARC1").is_some_and(|list| list.is_empty())
            {
                found.add(
                    name(domain),
                    format!("{to} has not agreed to get reports"),
                    Fix::publish(
                        &format!("Whoever runs {to} publishes:"),
                        &consent,
                        Kind::Txt,
                        &["v=DMARC1".to_owned()],
                    ),
                );
            }
        }
    }
}

fn rua_mx(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        for to in parse::report_domains(&tags) {
            if to != domain.domain
                && facts
                    .dns
                    .values(&to, Kind::Mx)
                    .is_some_and(|list| list.is_empty())
            {
                let address = format!("mailto:{}", domain.reports.dmarc);
                found.add(
                    name(domain),
                    format!("{to} has no MX"),
                    publish(
                        "Publish:",
                        domain,
                        changed(&tags, &[("rua", &address)], &[]),
                    ),
                );
            }
        }
    }
}

fn align_mode(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(tags) = record(facts, domain) else {
            continue;
        };
        let strict: Vec<&str> = ["adkim", "aspf"]
            .into_iter()
            .filter(|tag| tags.get(tag) == Some("s"))
            .collect();
        if !strict.is_empty() {
            found.add(
                name(domain),
                format!("{} is strict", strict.join(" and ")),
                publish("Publish:", domain, changed(&tags, &[], &["adkim", "aspf"])),
            );
        }
    }
}

fn pass_rate(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if let Some(share) = sender.pass_rate
            && share < 0.98
        {
            found.add(
                domain,
                format!("{} of our own mail passes", parse::percent(share)),
                Fix::run(
                    "See which source fails:",
                    format!("postroad report dmarc {domain}"),
                ),
            );
        }
    }
}

fn unknown(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if let Some(list) = sender
            .unknown_sources
            .as_ref()
            .filter(|list| !list.is_empty())
        {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            found.add(
                domain,
                format!("{} pass for this domain and are not known", list.join(", ")),
                Fix::run(
                    "Name them if they are yours; else change the key:",
                    format!("postroad dkim rotate {domain}"),
                ),
            );
        }
    }
}

fn seal(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if sender.seal_works == Some(false) {
            found.add(
                domain,
                "forwarded mail carries no valid ARC seal",
                Fix::run("See why:", "postroad auth check"),
            );
        }
    }
}

fn srs(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if sender.srs_works == Some(false) {
            found.add(
                domain,
                "forwarded mail leaves with the stranger's envelope sender",
                Fix::say("Set the domain for rewritten senders (SRS) and publish its records."),
            );
        }
    }
}
