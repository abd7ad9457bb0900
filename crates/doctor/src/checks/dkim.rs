//! Group F, second part: DKIM keys in DNS and in use.

use super::facts::Facts;
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{Tags, domains};
use crate::records::{DkimFact, DkimStage, DomainFacts, Kind};

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
        light: Light::Send,
        who,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "dkim.exists",
        Error,
        Who::Dns,
        "The signing key is in DNS",
        "Without it nobody can check the signature.",
        exists,
    ),
    check(
        "dkim.match",
        Error,
        Who::Dns,
        "DNS holds the key in use",
        "Signatures fail against another key.",
        matches_key,
    ),
    check(
        "dkim.parse",
        Error,
        Who::Dns,
        "The key record is well-formed",
        "A quote or blank too many makes it unreadable.",
        parses,
    ),
    check(
        "dkim.testing",
        Warning,
        Who::Dns,
        "The key is not marked as a test",
        "Receivers may ignore signatures of test keys.",
        testing,
    ),
    check(
        "dkim.bits",
        Warning,
        Who::Server,
        "The key is long enough",
        "Below 1024 bits it counts as none; 2048 is asked for.",
        bits,
    ),
    check(
        "dkim.self_verify",
        Error,
        Who::Server,
        "Signatures survive a real trip",
        "Something changes the message after signing.",
        self_verify,
    ),
    check(
        "dkim.align",
        Error,
        Who::Server,
        "Mail is signed by the From domain",
        "DMARC counts no other signature.",
        align,
    ),
    check(
        "dkim.headers",
        Warning,
        Who::Server,
        "The usual fields are signed",
        "Fields that are not signed can be changed by others.",
        headers,
    ),
    check(
        "dkim.age",
        Improvement,
        Who::Server,
        "The key is changed once a year",
        "An old key may have been copied.",
        age,
    ),
    check(
        "dkim.revoke",
        Improvement,
        Who::Dns,
        "Retired keys are gone",
        "A key left in DNS can be used by whoever has a copy.",
        revoke,
    ),
    check(
        "dkim.wait",
        Error,
        Who::Server,
        "A new key is everywhere before it signs",
        "Receivers that do not see it yet refuse the signature.",
        wait,
    ),
];

fn keys(domain: &DomainFacts) -> impl Iterator<Item = (&DkimFact, String)> {
    domain.dkim.iter().map(|key| {
        (
            key,
            format!("{}._domainkey.{}", key.selector, domain.domain),
        )
    })
}

fn active(facts: &Facts) -> impl Iterator<Item = (&DkimFact, String)> {
    domains(facts)
        .flat_map(keys)
        .filter(|(key, _)| key.stage == DkimStage::Active)
}

fn publish(key: &DkimFact, name: &str) -> Fix {
    Fix::publish(
        "Publish as one record:",
        name,
        Kind::Txt,
        std::slice::from_ref(&key.record),
    )
}

fn exists(facts: &Facts, found: &mut Found) {
    for (key, name) in active(facts) {
        if facts
            .dns
            .values(&name, Kind::Txt)
            .is_some_and(|list| list.is_empty())
        {
            found.add(&name, "no record", publish(key, &name));
        }
    }
}

/// The public key of a record, without blanks.
fn public(text: &str) -> Option<String> {
    let tags = Tags::read(text);
    let key: String = tags.get("p")?.split_ascii_whitespace().collect();
    Some(key)
}

fn is_well_formed(text: &str) -> bool {
    let tags = Tags::read(text);
    let key = tags.get("p").unwrap_or_default();
    let version = tags.get("v").is_none_or(|version| version == "DKIM1");
    let base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ');
    !tags.broken && version && !key.is_empty() && key.bytes().all(base64) && !text.contains('"')
}

fn matches_key(facts: &Facts, found: &mut Found) {
    for (key, name) in active(facts) {
        let Some([there]) = facts.dns.values(&name, Kind::Txt) else {
            continue;
        };
        if is_well_formed(there) && public(there) != public(&key.record) {
            found.add(
                &name,
                "another key than the one in use",
                publish(key, &name),
            );
        }
    }
}

fn parses(facts: &Facts, found: &mut Found) {
    for (key, name) in active(facts) {
        let list = facts.dns.values(&name, Kind::Txt).unwrap_or(&[]);
        match list {
            [] => {}
            [there] if is_well_formed(there) => {}
            [_] => found.add(
                &name,
                "the record cannot be read as a key",
                publish(key, &name),
            ),
            _ => found.add(
                &name,
                format!("{} records at one name", list.len()),
                publish(key, &name),
            ),
        }
    }
}

fn testing(facts: &Facts, found: &mut Found) {
    for (key, name) in active(facts) {
        let Some([there]) = facts.dns.values(&name, Kind::Txt) else {
            continue;
        };
        if Tags::read(there)
            .get("t")
            .is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"))
        {
            found.add(&name, "marked with t=y", publish(key, &name));
        }
    }
}

/// Bits of an RSA key from the length of its DER text: 1024 are 216 characters, 2048 are 392.
fn rsa_bits(record: &str) -> Option<u16> {
    let tags = Tags::read(record);
    if tags.get("k").is_some_and(|kind| kind != "rsa") {
        return None;
    }
    let length = public(record)?.len();
    Some(match length {
        0..200 => 768,
        200..360 => 1024,
        360..700 => 2048,
        _ => 4096,
    })
}

fn bits(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        for (key, name) in keys(domain).filter(|(key, _)| key.stage == DkimStage::Active) {
            let Some(bits) = rsa_bits(&key.record) else {
                continue;
            };
            if bits < limits::DKIM_BITS_GOOD {
                let severity = if bits < limits::DKIM_BITS_MIN {
                    Error
                } else {
                    Warning
                };
                found.add_as(
                    severity,
                    &name,
                    format!("an RSA key of about {bits} bits"),
                    Fix::run(
                        "Make a new key:",
                        format!("postroad dkim rotate {}", domain.domain),
                    ),
                );
            }
        }
    }
}

fn self_verify(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if sender.dkim_self_verify == Some(false) {
            found.add(
                domain,
                "the signature of a test message did not verify at the other end",
                Fix::say("Look what stands between this server and the world: a relay, filter or footer that changes messages."),
            );
        }
    }
}

fn align(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        if sender.dkim_aligned == Some(false) {
            found.add(
                domain,
                "mail is signed with another domain than that of From",
                Fix::run(
                    "Make a key for the domain:",
                    format!("postroad dkim rotate {domain}"),
                ),
            );
        }
    }
}

fn headers(facts: &Facts, found: &mut Found) {
    if facts.settings.header_default == Some(false) {
        found.add(
            "signing",
            "the list of signed fields was changed",
            Fix::say("Take the default list of signed fields."),
        );
    }
}

fn age(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        let old = sender
            .key_created
            .is_some_and(|made| facts.now.saturating_sub(made) > limits::DKIM_AGE_MAX);
        if old {
            found.add(
                domain,
                "the key is more than a year old",
                Fix::run("Change it:", format!("postroad dkim rotate {domain}")),
            );
        }
    }
}

fn revoke(facts: &Facts, found: &mut Found) {
    for (domain, sender) in &facts.senders {
        for selector in sender.unrevoked.iter().flatten() {
            let name = format!("{selector}._domainkey.{domain}");
            found.add(
                &name,
                "a retired key is still in DNS",
                Fix::remove("Nobody needs it any more.", &name, Kind::Txt),
            );
        }
    }
}

fn wait(facts: &Facts, found: &mut Found) {
    for domain in domains(facts) {
        let is_coming = domain.dkim.iter().any(|key| key.stage == DkimStage::Coming);
        let servers = facts
            .zones
            .get(&domain.domain)
            .and_then(|zone| zone.nameservers.as_ref());
        let without: Vec<&str> = servers
            .into_iter()
            .flatten()
            .filter(|server| server.has_coming_key == Some(false))
            .map(|server| server.name.as_str())
            .collect();
        if is_coming && !without.is_empty() {
            found.add(
                &domain.domain,
                format!("the new key is not yet at {}", without.join(", ")),
                Fix::say("Publish the new key's record; it signs by itself once all name servers have it."),
            );
        }
    }
}
