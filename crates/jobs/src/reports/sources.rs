//! Who is behind an address that sends in the name of a domain: its reverse name, and whether it is ours.

use std::net::IpAddr;

use futures_util::StreamExt as _;
use mail::{Address, Domain, ReversePath};
use mailauth::explain::Notes;
use mailauth::iprev;
use mailauth::spf::{self, SpfResult};
use store::reports::{ReportSource, SourceOwner};
use store::{Durability, StoreError};

use super::limits::{LOOK_UP_PATIENCE, LOOK_UPS_AT_ONCE, LOOK_UPS_PER_RUN};
use crate::Desk;

/// Looks up what is new. What the DNS does not say now is asked again in the next run.
pub(super) async fn look_up(desk: &Desk) -> Result<(), StoreError> {
    let wanted = desk
        .store
        .read(|view| view.sources_to_look_up(LOOK_UPS_PER_RUN))
        .await?;
    let looking = wanted.into_iter().map(|(domain, source)| async move {
        let deadline = desk.world.now() + LOOK_UP_PATIENCE;
        let found = desk
            .world
            .tasks
            .deadline(deadline, one(desk, &domain, &source))
            .await;
        (domain, found.ok().flatten())
    });
    let mut found = futures_util::stream::iter(looking).buffered(LOOK_UPS_AT_ONCE);
    while let Some((domain, source)) = found.next().await {
        let Some(source) = source else { continue };
        let now = desk.now();
        desk.store
            .write_bulk(Durability::Relaxed, move |change| {
                change.note_source(&domain, &source, now)
            })
            .await?;
    }
    Ok(())
}

async fn one(desk: &Desk, domain: &str, source: &str) -> Option<ReportSource> {
    let ip: IpAddr = source.parse().ok()?;
    let dns = &*desk.world.dns;
    let named = iprev::check(dns, ip, &mut Notes::off()).await;
    let is_unknown = named.result == iprev::IprevResult::TempError;
    let ours = if desk.settings.addresses.contains(&ip) {
        SourceOwner::ThisServer
    } else {
        allowed(desk, domain, ip).await?
    };
    (!is_unknown).then(|| ReportSource {
        source: source.to_owned(),
        name: named.confirmed_name().map(str::to_owned),
        ours,
    })
}

/// Whether the domain's own SPF record names the address. Nothing if the DNS does not say.
async fn allowed(desk: &Desk, domain: &str, ip: IpAddr) -> Option<SourceOwner> {
    let address = Address::new("postmaster", Domain::parse(domain).ok()?).ok()?;
    let sender = spf::Sender {
        ip,
        helo: domain,
        mail_from: &ReversePath::Address(address),
        receiver: &desk.settings.host,
        now: u64::try_from(desk.now().secs()).unwrap_or(0),
    };
    let spf = spf::check(&*desk.world.dns, &sender, &mut Notes::off()).await;
    match spf.result {
        SpfResult::Pass => Some(SourceOwner::Allowed),
        SpfResult::TempError => None,
        _ => Some(SourceOwner::Stranger),
    }
}
