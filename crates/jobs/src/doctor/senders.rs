//! How SPF comes out for our own addresses, asked as receivers ask it.

use std::net::IpAddr;

use doctor::DomainFacts;
use doctor::checks::{SenderFacts, SpfResult};
use mail::{Address, Domain, ReversePath};
use mailauth::explain::Notes;
use mailauth::spf::{self, Problem, Sender};
use world::World;

use super::Brief;

/// True beside the facts if the DNS failed.
pub(super) async fn spf(
    world: &World,
    brief: &Brief,
    domain: &DomainFacts,
    now: u64,
) -> (SenderFacts, bool) {
    let mut facts = SenderFacts::default();
    let mut failed = false;
    let address = Domain::parse(&domain.domain)
        .ok()
        .and_then(|domain| Address::new("postmaster", domain).ok());
    let Some(address) = address else {
        return (facts, false);
    };
    let mail_from = ReversePath::Address(address);
    let mut results: Vec<(IpAddr, SpfResult)> = Vec::new();
    for ip in &brief.addresses {
        let sender = Sender {
            ip: *ip,
            helo: &brief.host,
            mail_from: &mail_from,
            receiver: &brief.host,
            now,
        };
        let seen = spf::check(&*world.dns, &sender, &mut Notes::off()).await;
        let result = match seen.result {
            spf::SpfResult::Pass => SpfResult::Pass,
            spf::SpfResult::TempError => {
                failed = true;
                continue;
            }
            _ => SpfResult::Other,
        };
        match seen.problem {
            Some(Problem::TooManyTerms) => {
                facts.spf_lookups = Some(doctor::checks::limits::SPF_LOOKUPS_MAX + 1);
                continue;
            }
            Some(Problem::TooManyVoidLookups) => {
                facts.spf_void = Some(doctor::checks::limits::SPF_VOID_MAX + 1);
                continue;
            }
            Some(Problem::IncludeWithoutRecord { domain }) => {
                facts.spf_dead_includes = Some(vec![domain]);
                continue;
            }
            // Errors in the record's text have checks of their own.
            Some(_) => continue,
            None => {}
        }
        results.push((*ip, result));
    }
    facts.spf = Some(results);
    (facts, failed)
}
