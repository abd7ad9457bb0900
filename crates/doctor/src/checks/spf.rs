//! Group F, first part: SPF records of domains and host.

use super::facts::{Facts, SpfResult};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{self, domains};
use crate::records::{DomainFacts, Kind};

const fn check(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Authentication,
        severity,
        light: Light::Send,
        who: Who::Dns,
        title,
        why,
        run,
    }
}

use Severity::{Error, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "spf.exists",
        Error,
        "The domain has an SPF record",
        "Gmail and others refuse mail of domains without SPF or DKIM.",
        exists,
    ),
    check(
        "spf.single",
        Error,
        "There is one SPF record",
        "With two, receivers take SPF as broken.",
        single,
    ),
    check(
        "spf.covers_ip",
        Error,
        "SPF allows this server's addresses",
        "Receivers treat mail from here as forged.",
        covers,
    ),
    check(
        "spf.helo",
        Warning,
        "The host name has SPF of its own",
        "Bounces carry no sender: receivers look at the host name instead.",
        helo,
    ),
    check(
        "spf.lookups",
        Error,
        "At most ten look-ups",
        "Receivers stop after ten and take SPF as broken.",
        lookups,
    ),
    check(
        "spf.void",
        Warning,
        "At most two dead names",
        "More than two answers without data break SPF.",
        void,
    ),
    check(
        "spf.syntax",
        Error,
        "The record is well-formed",
        "Receivers take a malformed record as broken SPF.",
        syntax,
    ),
    check(
        "spf.too_wide",
        Warning,
        "The record allows few addresses",
        "Whoever else may use them can send in your name; Gmail refuses such records.",
        too_wide,
    ),
    check(
        "spf.qualifier",
        Warning,
        "The record ends in -all or ~all",
        "Without an end it forbids nobody.",
        qualifier,
    ),
    check(
        "spf.includes.alive",
        Warning,
        "Includes lead somewhere",
        "A dead include breaks SPF for mail that gets that far.",
        includes,
    ),
    check(
        "spf.envelope",
        Warning,
        "Envelope senders are of the From domain",
        "Otherwise SPF passes for somebody else and DMARC does not count it.",
        envelope,
    ),
];

/// The one record, if there is just one.
fn record<'a>(facts: &'a Facts, domain: &DomainFacts) -> Option<&'a str> {
    match parse::txt_with(&facts.dns, &domain.domain, "v=spf1")?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

fn good(facts: &Facts, domain: &DomainFacts) -> Fix {
    let wanted: Vec<String> = parse::wished(domain, &domain.domain, Kind::Txt)
        .into_iter()
        .filter(|value| value.starts_with("v=spf1"))
        .collect();
    let values = parse::merged_txt(&facts.dns, &domain.domain, "v=spf1", &wanted);
    Fix::publish(
        "Publish as the only SPF record:",
        &domain.domain,
        Kind::Txt,
        &values,
    )
}

fn exists(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if parse::txt_with(&facts.dns, &domain.domain, "v=spf1").is_some_and(|list| list.is_empty())
        {
            found.add(&domain.domain, "no SPF record", good(facts, domain));
        }
    }
}

fn single(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let list = parse::txt_with(&facts.dns, &domain.domain, "v=spf1").unwrap_or_default();
        if list.len() > 1 {
            // Other senders' includes stay: one record with the terms of all.
            let mut terms: Vec<&str> = Vec::new();
            for term in list
                .iter()
                .flat_map(|text| text.split_ascii_whitespace().skip(1))
            {
                let is_end = term
                    .trim_start_matches(['+', '-', '~', '?'])
                    .eq_ignore_ascii_case("all");
                if !is_end && !terms.contains(&term) {
                    terms.push(term);
                }
            }
            let merged = format!("v=spf1 {} ~all", terms.join(" "));
            let values = parse::merged_txt(&facts.dns, &domain.domain, "v=spf1", &[merged]);
            found.add(
                &domain.domain,
                format!("{} SPF records", list.len()),
                Fix::publish("Merge them into one:", &domain.domain, Kind::Txt, &values),
            );
        }
    }
}

fn covers(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if record(facts, domain).is_none() {
            continue;
        }
        let results = facts
            .senders
            .get(&domain.domain)
            .and_then(|sender| sender.spf.as_ref());
        let failing: Vec<String> = results
            .into_iter()
            .flatten()
            .filter(|(_, result)| *result == SpfResult::Other)
            .map(|(address, _)| address.to_string())
            .collect();
        if !failing.is_empty() {
            let old = record(facts, domain).unwrap_or_default();
            let terms: Vec<String> = failing
                .iter()
                .map(|address| {
                    let kind = if address.contains(':') { "ip6" } else { "ip4" };
                    format!("{kind}:{address}")
                })
                .collect();
            let value = format!(
                "v=spf1 {} {}",
                terms.join(" "),
                old.get(6..).unwrap_or_default().trim()
            );
            let values = parse::merged_txt(&facts.dns, &domain.domain, "v=spf1", &[value]);
            found.add(
                &domain.domain,
                format!("SPF does not pass for {}", failing.join(", ")),
                Fix::publish("Publish:", &domain.domain, Kind::Txt, &values),
            );
        }
    }
}

fn helo(facts: &Facts, found: &mut Found) {
    let Some(domain) = domains(facts).next() else {
        return;
    };
    if facts.host == domain.domain {
        return;
    }
    if parse::txt_with(&facts.dns, &facts.host, "v=spf1").is_some_and(|list| list.is_empty()) {
        let values = parse::merged_txt(
            &facts.dns,
            &facts.host,
            "v=spf1",
            &["v=spf1 a -all".to_owned()],
        );
        found.add(
            &facts.host,
            "the host name has no SPF record",
            Fix::publish("Publish:", &facts.host, Kind::Txt, &values),
        );
    }
}

fn lookups(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let count = facts
            .senders
            .get(&domain.domain)
            .and_then(|sender| sender.spf_lookups);
        if let Some(count) = count.filter(|count| *count > limits::SPF_LOOKUPS_MAX) {
            found.add(
                &domain.domain,
                format!("{count} look-ups"),
                Fix::say("Take out includes of services that you no longer use, and replace `a` and `mx` of others by addresses."),
            );
        }
    }
}

fn void(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let count = facts
            .senders
            .get(&domain.domain)
            .and_then(|sender| sender.spf_void);
        if let Some(count) = count.filter(|count| *count > limits::SPF_VOID_MAX) {
            found.add(
                &domain.domain,
                format!("{count} names without data"),
                Fix::say("Take the names out that no longer exist."),
            );
        }
    }
}

/// What is wrong with a record's text, in words.
fn fault(text: &str) -> Option<String> {
    let mut after_all = false;
    for term in text.split_ascii_whitespace().skip(1) {
        let bare = term
            .trim_start_matches(['+', '-', '~', '?'])
            .to_ascii_lowercase();
        let name = bare.split([':', '/', '=']).next().unwrap_or_default();
        let is_modifier = bare.contains('=') && !bare.contains(':');
        let known = matches!(
            name,
            "all" | "include" | "a" | "mx" | "ip4" | "ip6" | "exists" | "redirect" | "exp" | "ptr"
        );
        if name == "ptr" {
            return Some(format!("`{term}` must not be used any more (RFC 7208 5.5)"));
        }
        if !known && !is_modifier {
            return Some(format!("`{term}` is no known mechanism"));
        }
        if matches!(name, "include" | "ip4" | "ip6" | "exists") && !bare.contains(':') {
            return Some(format!("`{term}` lacks its value"));
        }
        if after_all && !is_modifier {
            return Some(format!("`{term}` stands after all and is never reached"));
        }
        if name == "all" {
            if term.starts_with('+') || term == "all" {
                return Some("`+all` allows everybody".to_owned());
            }
            after_all = true;
        }
    }
    (text.len() > limits::SPF_BYTES_MAX)
        .then(|| format!("{} bytes are too long for one answer", text.len()))
}

fn syntax(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        if let Some(fault) = record(facts, domain).and_then(fault) {
            found.add(&domain.domain, fault, good(facts, domain));
        }
    }
}

fn too_wide(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(text) = record(facts, domain) else {
            continue;
        };
        for term in text.split_ascii_whitespace() {
            let bare = term.trim_start_matches(['+', '?', '~']);
            let bits = bare
                .rsplit_once('/')
                .and_then(|(_, bits)| bits.parse::<u8>().ok());
            let wide = match bits {
                Some(bits) if bare.starts_with("ip4:") => bits < 16,
                Some(bits) if bare.starts_with("ip6:") => bits < 32,
                _ => false,
            };
            if wide {
                found.add(
                    &domain.domain,
                    format!("`{term}` allows a whole network"),
                    good(facts, domain),
                );
            }
        }
    }
}

fn qualifier(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let Some(text) = record(facts, domain) else {
            continue;
        };
        let terms: Vec<String> = text
            .split_ascii_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        let ends = terms
            .iter()
            .any(|term| matches!(term.as_str(), "-all" | "~all" | "+all" | "all"));
        let redirects = terms.iter().any(|term| term.starts_with("redirect="));
        if !ends && !redirects {
            found.add(
                &domain.domain,
                format!("the record is {text:?}"),
                good(facts, domain),
            );
        }
    }
}

fn includes(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let sender = facts.senders.get(&domain.domain);
        for name in sender
            .iter()
            .filter_map(|sender| sender.spf_dead_includes.as_ref())
            .flatten()
        {
            found.add(
                &domain.domain,
                format!("include:{name} leads nowhere"),
                Fix::say(format!("Take `include:{name}` out of the SPF record.")),
            );
        }
    }
}

fn envelope(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let sender = facts.senders.get(&domain.domain);
        if sender.is_some_and(|sender| sender.envelope_aligned == Some(false)) {
            found.add(
                &domain.domain,
                "mail leaves with envelope senders of another domain",
                Fix::say(
                    "Set the return path of the sending program to an address of the From domain.",
                ),
            );
        }
    }
}
