//! Who is behind an address that sends in the name of a domain: its reverse name, and whether it is ours.

use std::net::IpAddr;

use futures_util::StreamExt as _;
use mail::{Address, Domain, ReversePath, UnixMillis};
use mailauth::explain::Notes;
use mailauth::iprev;
use mailauth::spf::{self, SpfResult};
use store::reports::{ReportSource, SourceOwner};
use store::{Durability, StoreError};

use super::limits::{LOOK_UP_PATIENCE, LOOK_UPS_AT_ONCE, LOOK_UPS_PER_RUN};
use crate::Desk;

/// What is complete is good for a week (see `store::reports`), the rest for a day.
const INCOMPLETE_GOOD_FOR_LESS_MILLIS: i64 = 6 * 86_400_000;

/// Looks up what is new, and what is old and came up again.
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
        let nothing = || ReportSource {
            source: source.clone(),
            name: None,
            ours: SourceOwner::Unknown,
        };
        (domain, found.unwrap_or_else(|_| (nothing(), false)))
    });
    let mut found = futures_util::stream::iter(looking).buffered(LOOK_UPS_AT_ONCE);
    while let Some((domain, source)) = found.next().await {
        let (source, complete) = source;
        // What the DNS did not say is asked again when the source comes up a day later.
        let now = match complete {
            true => desk.now(),
            false => UnixMillis(desk.now().0 - INCOMPLETE_GOOD_FOR_LESS_MILLIS),
        };
        desk.store
            .write_bulk(Durability::Relaxed, move |change| {
                change.note_source(&domain, &source, now)
            })
            .await?;
    }
    Ok(())
}

/// What is known now, and whether that is all.
async fn one(desk: &Desk, domain: &str, source: &str) -> (ReportSource, bool) {
    let mut found = ReportSource {
        source: source.to_owned(),
        name: None,
        ours: SourceOwner::Unknown,
    };
    let Ok(ip) = source.parse::<IpAddr>() else {
        return (found, true);
    };
    let named = iprev::check(&*desk.world.dns, ip, &mut Notes::off()).await;
    found.name = named.confirmed_name().map(str::to_owned);
    let owner = if desk.settings.addresses.contains(&ip) {
        Some(SourceOwner::ThisServer)
    } else {
        allowed(desk, domain, ip).await
    };
    let complete = named.result != iprev::IprevResult::TempError && owner.is_some();
    found.ours = owner.unwrap_or(SourceOwner::Unknown);
    (found, complete)
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
