//! What a provider remembers: of addresses, ranges, domains, recipients and messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::facts::{DAY, HOUR, MINUTE};
use super::model::{Condition, Model, Rule};
use super::range::Range;
use super::standing::Standing;
use super::visit::Visit;

/// What is behind a recipient's address; what a test has not said is a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    There,
    Unknown,
    Full,
    Inactive,
}

#[derive(Default)]
pub(super) struct Books {
    pub(super) has_trouble: bool,
    pub(super) blocked_addresses: BTreeSet<IpAddr>,
    pub(super) blocked_ranges: BTreeSet<Range>,
    /// On public block lists.
    pub(super) listed: BTreeSet<IpAddr>,
    pub(super) dial_up: BTreeSet<IpAddr>,
    /// Let in by the postmaster, and when last heard of.
    known: BTreeMap<IpAddr, Instant>,
    mailboxes: BTreeMap<String, Mailbox>,
    peers: BTreeMap<IpAddr, Peer>,
    ranges: BTreeMap<Range, Standing>,
    domains: BTreeMap<String, Sender>,
    recipients: BTreeMap<String, Window>,
    ids: BTreeMap<String, usize>,
}

/// An address that connects.
struct Peer {
    standing: Standing,
    open: usize,
    connections: usize,
    taken: Window,
    most_in_a_minute: usize,
    unknown: Window,
    /// A rate limit was met: silence until then.
    silent_until: Option<Instant>,
    /// Connections allowed after that, growing with success.
    allowed: Option<usize>,
    hellos: BTreeSet<String>,
}

#[derive(Default)]
struct Sender {
    taken: Window,
    is_bulk: bool,
}

/// When something happened in the last day.
#[derive(Default)]
struct Window(VecDeque<Instant>);

impl Window {
    fn note(&mut self, now: Instant) {
        self.0.push_back(now);
        while let Some(first) = self.0.front()
            && DAY < now.saturating_duration_since(*first)
        {
            self.0.pop_front();
        }
    }

    fn within(&self, span: Duration, now: Instant) -> usize {
        let is_new = |at: &&Instant| now.saturating_duration_since(**at) < span;
        self.0.iter().rev().take_while(is_new).count()
    }
}

impl Books {
    fn peer(&mut self, model: &Model, ip: IpAddr, now: Instant) -> &mut Peer {
        self.peers.entry(ip).or_insert_with(|| Peer {
            standing: Standing::new(&model.reputation, now),
            open: 0,
            connections: 0,
            taken: Window::default(),
            most_in_a_minute: 0,
            unknown: Window::default(),
            silent_until: None,
            allowed: None,
            hellos: BTreeSet::new(),
        })
    }

    fn range(&mut self, model: &Model, ip: IpAddr, now: Instant) -> &mut Standing {
        self.ranges
            .entry(model.limits.range_of(ip))
            .or_insert_with(|| Standing::new(&model.reputation, now))
    }

    pub(super) fn address_points(&mut self, model: &Model, ip: IpAddr, now: Instant) -> f64 {
        self.peer(model, ip, now)
            .standing
            .points(&model.reputation, now)
    }

    pub(super) fn range_points(&mut self, model: &Model, ip: IpAddr, now: Instant) -> f64 {
        self.range(model, ip, now).points(&model.reputation, now)
    }

    fn points(&mut self, model: &Model, ip: IpAddr, now: Instant) -> f64 {
        let of_range = self.range_points(model, ip, now);
        self.address_points(model, ip, now).min(of_range)
    }

    pub(super) fn set_points(&mut self, model: &Model, ip: IpAddr, points: f64, now: Instant) {
        self.peer(model, ip, now).standing.set(points, now);
    }

    pub(super) fn set_range_points(
        &mut self,
        model: &Model,
        ip: IpAddr,
        points: f64,
        now: Instant,
    ) {
        self.range(model, ip, now).set(points, now);
    }

    pub(super) fn fall(&mut self, model: &Model, ip: IpAddr, by: f64, now: Instant) {
        let rules = &model.reputation;
        self.peer(model, ip, now).standing.fall(rules, by, now);
        let of_range = by * rules.range_share;
        self.range(model, ip, now).fall(rules, of_range, now);
    }

    // ---- Connections --------------------------------------------------------------------------

    /// The number of the address's open connections, with this one.
    pub(super) fn opened(&mut self, model: &Model, ip: IpAddr, now: Instant) -> usize {
        let peer = self.peer(model, ip, now);
        peer.open += 1;
        peer.connections += 1;
        peer.open
    }

    pub(super) fn closed(&mut self, ip: IpAddr) {
        if let Some(peer) = self.peers.get_mut(&ip) {
            peer.open = peer.open.saturating_sub(1);
        }
    }

    pub(super) fn open(&self, ip: IpAddr) -> usize {
        self.peers.get(&ip).map_or(0, |peer| peer.open)
    }

    pub(super) fn connections(&self, ip: IpAddr) -> usize {
        self.peers.get(&ip).map_or(0, |peer| peer.connections)
    }

    pub(super) fn most_in_a_minute(&self, ip: IpAddr) -> usize {
        self.peers.get(&ip).map_or(0, |peer| peer.most_in_a_minute)
    }

    pub(super) fn connections_allowed(&mut self, model: &Model, ip: IpAddr, now: Instant) -> usize {
        let points = self.points(model, ip, now);
        let most = model.tier(points).connections;
        let allowed = self.peer(model, ip, now).allowed.unwrap_or(most);
        most.min(allowed)
    }

    pub(super) fn hello(&mut self, model: &Model, ip: IpAddr, name: &str, now: Instant) {
        let peer = self.peer(model, ip, now);
        peer.hellos.insert(name.to_ascii_lowercase());
    }

    /// More names than a host has by mistake.
    pub(super) fn helo_changes(&self, ip: IpAddr, name: &str) -> bool {
        const NAMES_MAX: usize = 3;
        !name.is_empty()
            && self
                .peers
                .get(&ip)
                .is_some_and(|peer| NAMES_MAX < peer.hellos.len())
    }

    // ---- Rates --------------------------------------------------------------------------------

    pub(super) fn is_over_minute(&mut self, model: &Model, ip: IpAddr, now: Instant) -> bool {
        let points = self.points(model, ip, now);
        let most = model.tier(points).per_minute;
        let peer = self.peer(model, ip, now);
        // They count whole seconds, as do those who wait.
        let second = Duration::from_secs(1);
        peer.silent_until.is_some_and(|until| now + second < until)
            || most <= peer.taken.within(MINUTE, now)
    }

    pub(super) fn is_over_day(&mut self, model: &Model, ip: IpAddr, now: Instant) -> bool {
        let points = self.points(model, ip, now);
        let most = model.tier(points).per_day;
        most <= self.peer(model, ip, now).taken.within(DAY, now)
    }

    pub(super) fn unknown(&self, ip: IpAddr, now: Instant) -> usize {
        let count = |peer: &Peer| peer.unknown.within(HOUR, now);
        self.peers.get(&ip).map_or(0, count)
    }

    pub(super) fn to_recipient(&self, recipient: &str, now: Instant) -> usize {
        let window = self.recipients.get(&recipient.to_ascii_lowercase());
        window.map_or(0, |window| window.within(HOUR, now))
    }

    pub(super) fn of_domain(&self, domain: &str, now: Instant) -> usize {
        let count = |sender: &Sender| sender.taken.within(HOUR, now);
        self.domains.get(domain).map_or(0, count)
    }

    pub(super) fn is_bulk(&self, domain: &str) -> bool {
        self.domains
            .get(domain)
            .is_some_and(|sender| sender.is_bulk)
    }

    pub(super) fn times_seen(&self, id: &str) -> usize {
        self.ids.get(id).copied().unwrap_or(0)
    }

    /// So many recipients had mail of an organisational domain.
    pub(super) fn volume(&mut self, model: &Model, domain: &str, count: usize, now: Instant) {
        let sender = self.domains.entry(domain.to_owned()).or_default();
        for _ in 0..count {
            sender.taken.note(now);
        }
        sender.is_bulk |= model.limits.bulk_per_day <= sender.taken.within(DAY, now);
    }

    // ---- Strangers and mailboxes --------------------------------------------------------------

    pub(super) fn let_in(&mut self, ip: IpAddr, now: Instant) {
        self.known.insert(ip, now);
    }

    pub(super) fn is_stranger(&self, model: &Model, ip: IpAddr, now: Instant) -> bool {
        let forget = Duration::from_secs(model.limits.forget_days.saturating_mul(DAY.as_secs()));
        match self.known.get(&ip) {
            Some(seen) => forget <= now.saturating_duration_since(*seen),
            None => true,
        }
    }

    pub(super) fn set_mailbox(&mut self, address: &str, mailbox: Mailbox) {
        self.mailboxes.insert(address.to_ascii_lowercase(), mailbox);
    }

    pub(super) fn mailbox(&self, address: &str) -> Mailbox {
        let known = self.mailboxes.get(&address.to_ascii_lowercase());
        known.copied().unwrap_or(Mailbox::There)
    }

    // ---- What follows -------------------------------------------------------------------------

    pub(super) fn applied(&mut self, model: &Model, rule: &Rule, visit: &Visit, now: Instant) {
        let ip = visit.ip();
        if 0.0 < rule.cost {
            self.fall(model, ip, rule.cost, now);
        }
        let penalty = Duration::from_secs(model.limits.penalty_secs);
        let peer = self.peer(model, ip, now);
        if rule.when.contains(&Condition::NoSuchUser) {
            peer.unknown.note(now);
        }
        if rule.when.contains(&Condition::OverMinute) && !penalty.is_zero() {
            peer.silent_until = Some(now + penalty);
            peer.allowed = Some(1);
        }
    }

    pub(super) fn took(&mut self, model: &Model, visit: &Visit, is_spam: bool, now: Instant) {
        let ip = visit.ip();
        let (Some(envelope), Some(seen)) = (&visit.envelope, &visit.message) else {
            return;
        };
        if let Some(known) = self.known.get_mut(&ip) {
            *known = now;
        }
        for recipient in &envelope.to {
            let window = self.recipients.entry(recipient.to_ascii_lowercase());
            window.or_default().note(now);
        }
        *self.ids.entry(seen.id.clone()).or_default() += 1;
        self.volume(model, &seen.organisation, envelope.to.len(), now);
        let peer = self.peer(model, ip, now);
        peer.taken.note(now);
        peer.most_in_a_minute = peer.most_in_a_minute.max(peer.taken.within(MINUTE, now));
        if let Some(allowed) = &mut peer.allowed {
            *allowed += 1;
        }
        if !is_spam && (seen.has_dkim() || seen.has_spf()) {
            peer.standing.gain(&model.reputation, 1.0, now);
            let share = model.reputation.range_share;
            self.range(model, ip, now)
                .gain(&model.reputation, share, now);
        }
    }
}
