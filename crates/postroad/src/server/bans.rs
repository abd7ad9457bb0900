//! Bans at the doors of all services: what a banned peer hears, and the loop that keeps bans in step with the
//! database, the operator and the firewall.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use mail::UnixMillis;
use store::bans::{Banned, Scope};
use store::deliveries::NewNotice;
use store::{Durability, Store};
use tokio::io::AsyncWrite;
use world::{Stop, Stream, World};

use super::limits;
use super::nftables::{Firewall, FirewallError, standing};
use crate::commands::show;
use crate::config::Service;

/// The ban that keeps a peer from this service.
pub(super) fn shut(
    store: &Store,
    service: Service,
    stream: &Stream,
    now: UnixMillis,
) -> Option<Banned> {
    let (peer, local) = (stream.peer_addr().ip(), stream.local_addr().ip());
    if peer.to_canonical() == local.to_canonical() {
        // This server looks at itself.
        return None;
    }
    let banned = store.banned(peer, now)?;
    (banned.scope == Scope::Everything || service == Service::Smtp).then_some(banned)
}

/// Says why, where it can be said in clear text, and closes. Costs one write and waits for nothing: a banned peer
/// comes again and again.
pub(super) fn turn_away(mut stream: Stream, service: Service, banned: &Banned) {
    tracing::debug!(peer = %stream.peer_addr(), %service, cause = banned.cause.word(), "banned");
    let words = words(service, banned);
    let mut context = Context::from_waker(Waker::noop());
    let _ = Pin::new(&mut stream).poll_write(&mut context, words.as_bytes());
}

/// 421 and not 554: a ban ends, and mail that waits until then is not lost. RFC 5321 §3.8.
fn words(service: Service, banned: &Banned) -> String {
    let why = format!(
        "your address is shut out {}, for it {}",
        until(banned),
        banned.cause.words()
    );
    match service {
        Service::Smtp | Service::Submission => format!("421 4.7.0 {why}\r\n"),
        Service::Imap => format!("* BYE [UNAVAILABLE] {why}\r\n"),
        Service::Pop3 => format!("-ERR [SYS/TEMP] {why}\r\n"),
        _ => String::new(),
    }
}

fn until(banned: &Banned) -> String {
    match banned.until.0 {
        i64::MAX => "for good".to_owned(),
        _ => format!("until {}", show::time(banned.until)),
    }
}

/// Reads what commands and other nodes changed, ends sessions whose passwords expired, tidies up, and tells the operator of a surge, until the stop.
pub(super) async fn keep(world: World, store: Store, stop: Stop) {
    let mut rounds = 0_u32;
    loop {
        let next = world.clock.until(world.now() + limits::BANS_READ_PERIOD);
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = next => {}
        }
        let now = UnixMillis::from(world.wall());
        store.end_expired_sessions(now);
        if let Err(error) = store.reread_bans(now).await {
            tracing::warn!(%error, "bans could not be read");
        }
        if let Some(count) = store.bans_surge(now) {
            tell_of_surge(&store, count, now).await;
        }
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(limits::DOOR_TIDIED_EVERY)
            && let Err(error) = store.tidy_door(now).await
        {
            tracing::warn!(%error, "tables of the door could not be tidied");
        }
    }
}

/// Once a day at most, however many bans there are.
async fn tell_of_surge(store: &Store, count: usize, now: UnixMillis) {
    let day = show::time(now).get(..10).unwrap_or_default().to_owned();
    let notice = NewNotice {
        kind: "bans-surge".to_owned(),
        topic: format!("bans-surge {day}"),
        title: format!("{count} networks or more were banned within an hour"),
        fix: "Somebody guesses passwords or searches for addresses from many places at once. They are shut out, and \
              nothing needs to be done. To see who and why: postroad ban list. To keep networks of your own from \
              being banned: postroad ban allow add NETWORK. To have the firewall turn them away, which costs less: \
              [bans] nftables = true."
            .to_owned(),
        created: now,
    };
    let told = store.write(Durability::Relaxed, move |change| {
        change.add_notice(&notice)
    });
    if let Err::<_, store::StoreError>(error) = told.await {
        tracing::debug!(%error, "a surge of bans was not noted");
    }
}

/// Keeps the firewall in step until the stop, then takes its table away. If it goes wrong it is begun anew.
pub(super) async fn push(world: World, store: Store, firewall: Firewall, stop: Stop) {
    let services = firewall.services();
    let mut firewall = Some(firewall);
    let mut changed = store.watch_bans();
    let mut is_told = false;
    loop {
        let now = UnixMillis::from(world.wall());
        let bans = store.bans_on(now);
        let killer = firewall.as_ref().map(Firewall::killer);
        let (kept, services) = (firewall.take(), services.clone());
        let work = world
            .tasks
            .blocking(move || push_once(kept, &services, &bans, now));
        let mut work = pin!(work);
        let late = world.clock.until(world.now() + limits::FIREWALL_PATIENCE);
        let stopping = async {
            stop.requested().await;
            let late = world.now() + limits::FIREWALL_STOP_PATIENCE;
            world.clock.until(late).await;
        };
        let done = tokio::select! {
            biased;
            done = &mut work => done,
            () = async { tokio::select! { () = late => {}, () = stopping => {} } } => {
                if let Some(killer) = killer {
                    killer.kill();
                }
                work.await
            }
        };
        match done {
            Ok(Ok(kept)) => {
                firewall = Some(kept);
                is_told = false;
                standing::is_well();
            }
            Ok(Err(error)) if !is_told => {
                is_told = true;
                standing::has_trouble(&error);
                tracing::error!(
                    %error,
                    "the firewall takes no bans for now; they hold at our own doors, and what it has ends within a \
                     day, or at once by `nft delete table inet postroad`"
                );
            }
            Ok(Err(error)) => {
                standing::has_trouble(&error);
                tracing::debug!(%error, "the firewall still takes no bans");
            }
            Err(_) => return,
        }
        let pause = world.clock.until(world.now() + limits::FIREWALL_PAUSE);
        let next = world.clock.until(world.now() + limits::FIREWALL_PERIOD);
        tokio::select! {
            biased;
            () = stop.requested() => break,
            () = pause => {}
        }
        tokio::select! {
            biased;
            () = stop.requested() => break,
            _ = changed.changed(), if firewall.is_some() => {}
            () = next => {}
        }
    }
    if let Some(firewall) = firewall {
        let killer = firewall.killer();
        let mut removed = pin!(world.tasks.blocking(move || firewall.remove()));
        let late = world.now() + limits::FIREWALL_STOP_PATIENCE;
        tokio::select! {
            _ = &mut removed => {}
            () = world.clock.until(late) => killer.kill(),
        }
    }
}

/// Tells the firewall what changed; begins one anew if there is none.
fn push_once(
    firewall: Option<Firewall>,
    services: &[(Service, SocketAddr)],
    bans: &[Banned],
    now: UnixMillis,
) -> Result<Firewall, FirewallError> {
    let mut firewall = match firewall {
        Some(firewall) => firewall,
        None => Firewall::start(services)?,
    };
    match firewall.push(bans, now) {
        Ok(()) => Ok(firewall),
        Err(error) => {
            if let Err(error) = firewall.give_up() {
                tracing::debug!(%error, "the table of the firewall stays");
            }
            Err(error)
        }
    }
}
