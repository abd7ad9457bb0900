//! Who is shut out: misdeeds of networks over all protocols add up to bans, which grow, end by themselves, and are
//! the same for all doors and nodes. The doors ask memory; the tables make it last.

mod conduct;
mod greylist;
mod limits;
mod network;
mod recent;
mod sentence;
mod set;
mod spraying;
mod table;

pub use conduct::{Blame, Cause};
pub use greylist::{Attempt, Attempts};
pub use limits::{BAN_STEPS, WORDS_BYTES_MAX};
pub use network::{BadNetwork, Network};
pub use recent::Recent;
pub use set::{Banned, Scope};
pub use table::{Allowance, Ban};

use std::collections::VecDeque;
use std::net::IpAddr;

use mail::UnixMillis;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::{Durability, OpenError, Store, StoreError, View};
use conduct::Conduct;
use sentence::{Facts, Spared};
use set::Set;
use spraying::Spraying;

/// Networks that are never banned unless the operator says so: the machine itself, and private networks, behind
/// which a proxy or container bridge may stand for the whole world.
pub const EXEMPT_BUILT_IN: [(&str, &str); 9] = [
    ("127.0.0.0/8", "this machine"),
    ("::1", "this machine"),
    ("10.0.0.0/8", "private network"),
    ("172.16.0.0/12", "private network"),
    ("192.168.0.0/16", "private network"),
    ("100.64.0.0/10", "shared by a provider or a private overlay"),
    ("169.254.0.0/16", "link-local"),
    ("fc00::/7", "private network"),
    ("fe80::/10", "link-local"),
];

/// What all doors of a process share.
#[derive(Debug)]
pub(crate) struct Bans {
    set: RwLock<Set>,
    exempt: RwLock<Vec<Network>>,
    ledger: Mutex<Ledger>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ledger {
    conducts: Recent<Network, Conduct>,
    /// Of wide blocks of IPv6.
    sites: Recent<Network, Conduct>,
    homes: Recent<Network, Home>,
    sprayed: Recent<Network, Spraying>,
    /// When the newest bans began.
    newest: VecDeque<i64>,
    /// Up to when the tables were read.
    read_until: i64,
}

#[derive(Clone, Copy, Debug)]
struct Home {
    last: i64,
    written: i64,
}

impl Bans {
    pub(crate) fn new() -> Self {
        Self {
            set: RwLock::default(),
            exempt: RwLock::new(effective(&[])),
            ledger: Mutex::new(Ledger {
                conducts: Recent::new(limits::CONDUCTS_MAX),
                sites: Recent::new(limits::SITES_MAX),
                homes: Recent::new(limits::HOMES_MAX),
                sprayed: Recent::new(limits::SPRAYED_HOMES_MAX),
                newest: VecDeque::new(),
                read_until: i64::MIN,
            }),
            changed: watch::Sender::new(0),
        }
    }

    fn is_exempt(&self, peer: IpAddr) -> bool {
        self.exempt.read().iter().any(|one| one.contains(peer))
    }

    fn apply(&self, read: Read, now: UnixMillis) {
        let mut set = self.set.write();
        for banned in read.bans {
            match banned.until.0 {
                0 => set.remove(&banned.network),
                _ => set.insert(banned, now),
            }
        }
        drop(set);
        *self.exempt.write() = effective(&read.allowances);
        let mut ledger = self.ledger.lock();
        // Only what was read need not be read again.
        ledger.read_until = now.0 - limits::REREAD_OVERLAP_MILLIS;
        for (network, last) in read.homes {
            let home = Home {
                last: last.0,
                written: last.0,
            };
            ledger.homes.touch(network, || home);
        }
        drop(ledger);
        self.changed.send_modify(|count| *count += 1);
    }
}

/// What the tables say.
struct Read {
    bans: Vec<Banned>,
    allowances: Vec<Allowance>,
    homes: Vec<(Network, UnixMillis)>,
}

fn read_tables(view: &View<'_>, since: i64) -> Result<Read, StoreError> {
    let bans = view.bans_changed_since(since)?;
    Ok(Read {
        bans: bans.into_iter().map(|ban| ban.banned).collect(),
        allowances: view.ban_allowances()?,
        // Those of other nodes are theirs; once at the start is enough.
        homes: match since {
            i64::MIN => view.homes()?,
            _ => Vec::new(),
        },
    })
}

/// What is built in and not taken back, and what the operator added.
fn effective(said: &[Allowance]) -> Vec<Network> {
    let built_in = EXEMPT_BUILT_IN
        .iter()
        .filter_map(|(text, _)| text.parse().ok());
    let kept = built_in.filter(|network| {
        !said
            .iter()
            .any(|one| !one.allowed && one.network == *network)
    });
    let added = said.iter().filter(|one| one.allowed).map(|one| one.network);
    kept.chain(added).collect()
}

impl Store {
    /// A peer did something wrong. Counts it, and bans the peer's network when that was enough. Costs no time; not
    /// to be called from within a read or a write.
    pub fn blame(&self, peer: IpAddr, blame: Blame, now: UnixMillis) {
        let bans = &self.inner.shared.bans;
        if bans.is_exempt(peer) {
            return;
        }
        let network = Network::of(peer);
        let mut ledger = bans.ledger.lock();
        let is_home = ledger.is_home(&network, now);
        if is_home && blame.is_guess() {
            // A neighbour of theirs, or they themselves: guesses are slowed down, and it goes on for the others.
            ledger.note_home_guess(network, blame, now);
            return;
        }
        let conduct = ledger.conducts.touch(network, Conduct::default);
        let before = conduct.points(now);
        let worth = conduct.weigh(blame, now);
        let cause = conduct.add(worth, blame.cause(), 1, now);
        tracing::debug!(%peer, ?blame, points = conduct.points(now), before, "a misdeed");
        // Beyond a ban of its own it adds nothing.
        let counted = worth.min(limits::POINTS_MAX - before);
        let sites = ledger.note_at_sites(network, counted, blame.cause(), now);
        drop(ledger);
        if let Some(cause) = cause {
            self.decide_ban(network, cause, is_home, now);
        }
        for (site, cause) in sites {
            self.ban_wide(site, cause, now);
        }
    }

    /// Somebody logged in from there: it is a home of people for a while, and never wholly shut out.
    pub fn praise(&self, peer: IpAddr, now: UnixMillis) {
        let bans = &self.inner.shared.bans;
        let network = Network::of(peer);
        let fresh = Home {
            last: now.0,
            written: i64::MIN,
        };
        let mut ledger = bans.ledger.lock();
        let home = ledger.homes.touch(network, || fresh);
        home.last = now.0.max(home.last);
        let due = home
            .written
            .saturating_add(millis(limits::HOME_WRITTEN_EVERY))
            <= now.0;
        if due {
            home.written = now.0;
        }
        drop(ledger);
        if due {
            self.write_and_forget(Durability::Relaxed, move |change| {
                change.put_home(&network, now)
            });
        }
    }

    /// The ban that shuts a peer out now, if there is one. Asks memory alone.
    #[must_use]
    pub fn banned(&self, peer: IpAddr, now: UnixMillis) -> Option<Banned> {
        self.inner.shared.bans.set.read().find(peer, now)
    }

    /// Whether a network is never banned by itself: this machine, private networks, allow-listed ones.
    #[must_use]
    pub fn is_exempt_from_bans(&self, peer: IpAddr) -> bool {
        self.inner.shared.bans.is_exempt(peer)
    }

    /// Whether somebody logged in from there not long ago.
    #[must_use]
    pub fn is_home(&self, peer: IpAddr, now: UnixMillis) -> bool {
        let bans = &self.inner.shared.bans;
        bans.ledger.lock().is_home(&Network::of(peer), now)
    }

    /// Until when only those may log in from there who did so before: it is a home from which too many other names
    /// were tried.
    #[must_use]
    pub fn closed_to_others(&self, peer: IpAddr, now: UnixMillis) -> Option<UnixMillis> {
        let ledger = self.inner.shared.bans.ledger.lock();
        let home = ledger.sprayed.get(&Network::of(peer))?;
        home.closed_until(now)
    }

    /// All bans that are on, as memory has them.
    #[must_use]
    pub fn bans_on(&self, now: UnixMillis) -> Vec<Banned> {
        let set = self.inner.shared.bans.set.read();
        set.on(now).copied().collect()
    }

    /// Wakes when bans changed.
    #[must_use]
    pub fn watch_bans(&self) -> watch::Receiver<u64> {
        self.inner.shared.bans.changed.subscribe()
    }

    /// How many networks are remembered: misdeeds, homes, bans. All three are bounded.
    #[must_use]
    pub fn bans_held(&self) -> [usize; 3] {
        let bans = &self.inner.shared.bans;
        let ledger = bans.ledger.lock();
        let (conducts, homes) = (ledger.conducts.len(), ledger.homes.len());
        drop(ledger);
        [conducts, homes, bans.set.read().len()]
    }

    /// Whether so many bans began lately that the operator should know.
    #[must_use]
    pub fn bans_surge(&self, now: UnixMillis) -> Option<usize> {
        let ledger = self.inner.shared.bans.ledger.lock();
        let since = now.0 - millis(limits::SURGE_WINDOW);
        let count = ledger.newest.iter().filter(|at| since < **at).count();
        (limits::SURGE_BANS <= count).then_some(count)
    }

    /// What the tables say, when the store opens. No clock is needed: ends are looked at when somebody comes.
    pub(crate) fn load_bans(&self) -> Result<(), OpenError> {
        let read = self.read_blocking(|view| read_tables(view, i64::MIN));
        let read = read.map_err(|error| OpenError::Database {
            place: "the table of bans".to_owned(),
            problem: error.to_string(),
        })?;
        self.inner.shared.bans.apply(read, UnixMillis(0));
        Ok(())
    }

    /// Reads what commands and other nodes changed since the last time.
    pub async fn reread_bans(&self, now: UnixMillis) -> Result<(), StoreError> {
        let bans = &self.inner.shared.bans;
        let since = bans.ledger.lock().read_until;
        let read = self.read(move |view| read_tables(view, since)).await?;
        bans.apply(read, now);
        Ok(())
    }

    /// As [`Store::reread_bans`], on this thread.
    pub fn reread_bans_blocking(&self, now: UnixMillis) -> Result<(), StoreError> {
        let bans = &self.inner.shared.bans;
        let since = bans.ledger.lock().read_until;
        let read = self.read_blocking(move |view| read_tables(view, since))?;
        bans.apply(read, now);
        Ok(())
    }

    /// Forgets the misdeeds of a network: the operator lifted its ban.
    pub fn forget_misdeeds(&self, network: &Network) {
        let mut ledger = self.inner.shared.bans.ledger.lock();
        ledger.conducts.retain(|one, _| !network.covers(one));
        // What its block did wrong is in part its own.
        ledger
            .sites
            .retain(|one, _| !network.covers(one) && !one.covers(network));
        ledger.sprayed.retain(|one, _| !network.covers(one));
    }

    /// Removes what says nothing any more from the tables of the door.
    pub async fn tidy_door(&self, now: UnixMillis) -> Result<(), StoreError> {
        self.write_bulk(Durability::Relaxed, move |change| {
            change.tidy_bans(now)?;
            change.tidy_greylist(now)
        })
        .await
    }

    fn decide_ban(&self, network: Network, cause: Cause, is_home: bool, now: UnixMillis) {
        let bans = &self.inner.shared.bans;
        let before = bans.set.read().get(&network).copied();
        let facts = Facts {
            cause,
            before,
            is_home,
            is_exempt: false,
        };
        match sentence::sentence(facts, now) {
            Ok(sentence) => {
                self.impose(sentence.banned(network), now);
                self.widen(network, now);
            }
            Err(Spared::Home) => tracing::info!(
                %network, cause = cause.word(),
                "guesses from where people log in: slowed down, not banned"
            ),
            Err(Spared::Already | Spared::Exempt) => {}
        }
    }

    /// Shuts a network out, in memory at once and in the tables soon.
    fn impose(&self, banned: Banned, now: UnixMillis) {
        let bans = &self.inner.shared.bans;
        bans.set.write().insert(banned, now);
        let mut ledger = bans.ledger.lock();
        if limits::SURGE_BANS <= ledger.newest.len() {
            ledger.newest.pop_front();
        }
        ledger.newest.push_back(now.0);
        drop(ledger);
        bans.changed.send_modify(|count| *count += 1);
        tracing::warn!(
            network = %banned.network, cause = banned.cause.word(), level = banned.level,
            seconds = (banned.until.0 - now.0) / 1000, scope = ?banned.scope, "banned: {}", banned.cause.words()
        );
        let ban = Ban {
            banned,
            since: now,
            words: banned.cause.words().to_owned(),
        };
        self.write_and_forget(Durability::Durable, move |change| {
            change.put_ban_if_newest(&ban, now)
        });
    }

    /// Many banned blocks of one site: the site is banned.
    fn widen(&self, network: Network, now: UnixMillis) {
        if !network.is_ipv6() {
            return;
        }
        for (bits, most) in [(56, limits::SIXTY_FOURS_OF_56), (48, limits::BLOCKS_OF_48)] {
            let wide = Network::block(network.first(), bits);
            let bans = &self.inner.shared.bans;
            let set = bans.set.read();
            let within = set.on(now).filter(|one| {
                wide.bits() < one.network.bits()
                    && one.scope == Scope::Everything
                    && wide.covers(&one.network)
            });
            let many = most <= within.count();
            drop(set);
            if many {
                self.ban_wide(wide, Cause::Neighbours, now);
            }
        }
    }

    /// A whole block, unless somebody lives there or the operator spares a part of it.
    fn ban_wide(&self, wide: Network, cause: Cause, now: UnixMillis) {
        let bans = &self.inner.shared.bans;
        if bans.ledger.lock().has_home_in(&wide, now) || self.exempts_part_of(&wide) {
            return;
        }
        let before = bans.set.read().get(&wide).copied();
        let facts = Facts {
            cause,
            before,
            is_home: false,
            is_exempt: false,
        };
        if let Ok(sentence) = sentence::sentence(facts, now) {
            self.impose(sentence.banned(wide), now);
        }
    }

    fn exempts_part_of(&self, wide: &Network) -> bool {
        let exempt = self.inner.shared.bans.exempt.read();
        exempt.iter().any(|one| one.overlaps(wide))
    }
}

impl Ledger {
    fn is_home(&self, network: &Network, now: UnixMillis) -> bool {
        let home = self.homes.get(network);
        home.is_some_and(|home| now.0 < home.last + millis(limits::HOME_REMEMBERED))
    }

    /// Counts a failed log-in from where people live.
    fn note_home_guess(&mut self, network: Network, blame: Blame, now: UnixMillis) {
        let Some(login) = blame.login_of_another() else {
            return;
        };
        let home = self.sprayed.touch(network, Spraying::default);
        if home.note(login, now) {
            tracing::warn!(
                %network,
                "many names were tried from where people log in: until {:?}, only who did so from there before may",
                home.closed_until(now)
            );
        }
    }

    /// The same misdeed for the blocks of IPv6 that the network lies in. Says which of them have done enough, and why.
    fn note_at_sites(
        &mut self,
        network: Network,
        points: i64,
        cause: Cause,
        now: UnixMillis,
    ) -> Vec<(Network, Cause)> {
        if !network.is_ipv6() || points <= 0 {
            return Vec::new();
        }
        let sites = limits::SITES.iter().filter_map(|(bits, share)| {
            let site = Network::block(network.first(), *bits);
            let conduct = self.sites.touch(site, Conduct::default);
            Some((site, conduct.add(points, cause, *share, now)?))
        });
        sites.collect()
    }

    fn has_home_in(&self, wide: &Network, now: UnixMillis) -> bool {
        let recent = now.0 - millis(limits::HOME_REMEMBERED);
        let mut homes = self.homes.iter();
        homes.any(|(network, home)| recent < home.last && wide.covers(network))
    }
}

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
