//! Asks block lists about our addresses and names (RFC 5782), and each list about itself first: one that fails its
//! test, or refuses us, says nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use doctor::checks::{Listed, ListingFacts, Weight};
use futures_util::future::join_all;
use spam::blocklist::{Blocklist, ListWeight, PUBLIC_RESOLVER, Said, Subjects, built_in};
use world::{AnswerStatus, Kind, Record, World};

use super::limits;

#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) listings: Vec<ListingFacts>,
    /// Addresses that a list of dynamic ones names, or does not.
    pub(super) dynamic: BTreeMap<IpAddr, bool>,
    /// A list refused the resolver as a public one.
    pub(super) is_public_resolver: bool,
    /// Some list did not answer.
    pub(super) failed: bool,
}

/// What the lists say of addresses alone, where nothing else is known yet.
pub async fn listings(world: &World, addresses: &[IpAddr]) -> Vec<ListingFacts> {
    ask(world, addresses, &[]).await.listings
}

pub(super) async fn ask(world: &World, addresses: &[IpAddr], names: &[String]) -> Lists {
    let asked = built_in()
        .iter()
        .map(|list| ask_one(world, list, addresses, names));
    let mut all = Lists::default();
    for one in join_all(asked).await {
        all.listings.extend(one.listings);
        all.is_public_resolver |= one.is_public_resolver;
        all.failed |= one.failed;
        for (address, dynamic) in one.dynamic {
            *all.dynamic.entry(address).or_default() |= dynamic;
        }
    }
    all
}

async fn ask_one(world: &World, list: &Blocklist, addresses: &[IpAddr], names: &[String]) -> Lists {
    let mut found = Lists::default();
    let Some(works) = works(world, list, &mut found).await else {
        found.failed = true;
        return found;
    };
    let subjects: Vec<(String, String, Option<IpAddr>)> = match list.of {
        Subjects::Addresses => addresses
            .iter()
            .filter(|address| list.knows(**address))
            .take(limits::ADDRESSES_MAX)
            .map(|address| (address.to_string(), list.point(*address), Some(*address)))
            .collect(),
        Subjects::Domains => names
            .iter()
            .take(limits::DOMAINS_MAX)
            .map(|name| (name.clone(), list.domain_point(name), None))
            .collect(),
    };
    for (subject, point, address) in subjects {
        let answer = match works {
            false => Listed::Broken,
            true => match said(world, list, &point).await {
                None => {
                    found.failed = true;
                    continue;
                }
                Some(Said::Listed) => Listed::Yes,
                Some(said @ (Said::No | Said::Dynamic)) => {
                    if let (Some(address), false) = (address, list.dynamic.is_empty()) {
                        found.dynamic.insert(address, said == Said::Dynamic);
                    }
                    Listed::No
                }
                Some(Said::Error(_)) => Listed::Broken,
            },
        };
        found.listings.push(ListingFacts {
            list: list.zone.clone(),
            subject,
            is_domain: list.of == Subjects::Domains,
            is_fresh_list: list.fresh,
            weight: match list.weight {
                ListWeight::High => Weight::High,
                ListWeight::Medium => Weight::Medium,
                ListWeight::Low => Weight::Low,
            },
            answer,
            removal: list.removal.clone(),
        });
    }
    found
}

/// Whether a list passes its test; nothing where it cannot be asked.
async fn works(world: &World, list: &Blocklist, found: &mut Lists) -> Option<bool> {
    if let Some(point) = list.test_point() {
        match said(world, list, &point).await? {
            Said::Listed | Said::Dynamic => {}
            Said::No => return Some(false),
            Said::Error(answer) => {
                found.is_public_resolver |= answer == PUBLIC_RESOLVER;
                return Some(false);
            }
        }
    }
    match list.clean_point() {
        Some(point) => Some(said(world, list, &point).await? == Said::No),
        None => Some(true),
    }
}

async fn said(world: &World, list: &Blocklist, name: &str) -> Option<Said> {
    let answer = world.dns.ask(name, Kind::A).await.ok()?;
    if answer.status != AnswerStatus::Found {
        return Some(Said::No);
    }
    let addresses = answer.records.iter().filter_map(|record| match record {
        Record::A(address) => Some(*address),
        _ => None,
    });
    Some(list.read(addresses))
}
