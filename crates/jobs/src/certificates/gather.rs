//! Which of the names that we could serve lead to this server: an authority asks there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures_util::future::{join, join_all};
use world::Kind;

use super::plan::{self, BELOW, Wish};
use crate::{Desk, JobError, limits};

pub(super) async fn wishes(desk: &Desk) -> Result<Vec<Wish>, JobError> {
    let domains = desk.store.read(|view| view.domains()).await?;
    let domains: Vec<String> = domains
        .iter()
        .map(|domain| domain.name.as_str().to_owned())
        .collect();
    let host = desk.settings.host.as_str();
    let at_host = addresses(desk, host).await;
    let mut ours: BTreeSet<IpAddr> = desk.settings.addresses.iter().copied().collect();
    // Behind a router we do not know our public address; what the host's name says will do.
    ours.extend(&at_host);
    let mut leads_here = BTreeSet::new();
    if !at_host.is_empty() {
        leads_here.insert(host.to_owned());
    }
    let names: Vec<String> = domains
        .iter()
        .flat_map(|domain| BELOW.iter().map(move |label| format!("{label}.{domain}")))
        .collect();
    // A few at a time: a resolver is not to be flooded by a host with thousands of domains.
    for some in names.chunks(limits::NAMES_AT_ONCE) {
        let found = join_all(some.iter().map(|name| addresses(desk, name))).await;
        for (name, addresses) in some.iter().zip(found) {
            if !addresses.is_empty() && addresses.iter().all(|address| ours.contains(address)) {
                leads_here.insert(name.clone());
            }
        }
    }
    Ok(plan::wishes(host, &domains, &leads_here))
}

/// Empty if unknown: such a name is left out now and found the next time.
async fn addresses(desk: &Desk, name: &str) -> Vec<IpAddr> {
    let dns = &desk.world.dns;
    let (four, six) = join(dns.ask(name, Kind::A), dns.ask(name, Kind::Aaaa)).await;
    let answers = [four, six].into_iter().flatten();
    answers
        .flat_map(|answer| answer.addresses().collect::<Vec<_>>())
        .collect()
}
