//! Which DNS questions the checks want answered. Names found in answers lead to further ones, so whoever asks
//! repeats until nothing is left; the rounds are few, because no answer leads further than two steps.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::parse::{self, Tags};
use crate::records::{Kind, for_domain, reverse_name};

/// Rounds after which an asker may stop: configuration, what it names, what that names.
pub const ROUNDS_MAX: usize = 4;

/// Questions that are not in `facts.dns` yet, sorted, each once.
pub fn questions(facts: &Facts) -> Vec<(String, Kind)> {
    let mut wanted: BTreeSet<(String, Kind)> = BTreeSet::new();
    let mut want = |name: &str, kinds: &[Kind]| {
        let name = parse::host(name);
        // The root and addresses are no names to ask for.
        if name.is_empty() || name == "." || name.parse::<std::net::IpAddr>().is_ok() {
            return;
        }
        wanted.extend(kinds.iter().map(|kind| (name.clone(), *kind)));
    };
    want(&facts.host, &[Kind::A, Kind::Aaaa, Kind::Cname, Kind::Txt]);
    want(&format!("_25._tcp.{}", facts.host), &[Kind::Tlsa]);
    for domain in &facts.domains {
        for wish in for_domain(domain) {
            // Where a policy is fetched and what is to go is not compared record by record.
            if wish.kind != Kind::Cname {
                want(&wish.name, &[wish.kind]);
            }
        }
        want(&domain.domain, &[Kind::Soa, Kind::Mx, Kind::Txt, Kind::Caa]);
        for label in ["_submission._tcp", "_imap._tcp"] {
            want(&format!("{label}.{}", domain.domain), &[Kind::Srv]);
        }
    }
    for address in &facts.addresses {
        want(&reverse_name(address.address), &[Kind::Ptr]);
    }
    for name in &facts.sending_names {
        want(name, &[Kind::Soa, Kind::Mx, Kind::A, Kind::Txt]);
    }
    if let Some(name) = &facts.srs_domain {
        want(name, &[Kind::Mx, Kind::Txt]);
    }
    for name in &facts.parked {
        want(name, &[Kind::Mx, Kind::Txt]);
        want(&format!("_dmarc.{name}"), &[Kind::Txt]);
        want(&format!("*._domainkey.{name}"), &[Kind::Txt]);
    }
    from_answers(facts, &mut want);
    wanted
        .into_iter()
        .filter(|(name, kind)| facts.dns.get(name, *kind).is_none())
        .collect()
}

/// Names that answers brought up.
fn from_answers(facts: &Facts, want: &mut impl FnMut(&str, &[Kind])) {
    for domain in &facts.domains {
        for value in facts.dns.values(&domain.domain, Kind::Mx).unwrap_or(&[]) {
            if let Some((_, name)) = parse::mx(value) {
                want(&name, &[Kind::A, Kind::Aaaa, Kind::Cname]);
            }
        }
        let policy = format!("_dmarc.{}", domain.domain);
        for text in parse::txt_with(&facts.dns, &policy, "v=DMARC1").unwrap_or_default() {
            for to in parse::report_domains(&Tags::read(text)) {
                want(&to, &[Kind::Mx]);
                if !parse::are_related(&to, &domain.domain) {
                    want(
                        &format!("{}._report._dmarc.{to}", domain.domain),
                        &[Kind::Txt],
                    );
                }
            }
        }
    }
    for address in &facts.addresses {
        let reverse = reverse_name(address.address);
        for name in facts.dns.values(&reverse, Kind::Ptr).unwrap_or(&[]) {
            want(name, &[Kind::A, Kind::Aaaa]);
        }
    }
}
