//! Is it wanted: for each account that gets a message, one verdict of what the message shows, what is known of its sender, what
//! lists say and what people taught. Gathered here; judged, purely, in `spam`.
//!
//! A verdict chooses between inbox and Junk and keeps junk from being passed on. It refuses nothing, and nothing that goes wrong
//! here costs a message: then it is filed without a verdict.

mod blocklists;
mod facts;
mod known;
mod look;
mod place;
mod reputation;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join3;
use mail::{Address, ReversePath, UnixMillis};
use mailauth::iprev::IprevReason;
use mailauth::verdict::Verdict as Sender;
use spam::facts::{Facts, Listed, OtherFilter, Proof};
use spam::{Opinion, Verdict, judge};
use store::lessons::SpamChoices;
use store::senders::{Origin, Seen, SenderKind};
use store::{AccountId, Store, StoreError};
use tokio::sync::Semaphore;
use world::World;

use crate::envelope::Routed;
use crate::settings::MtaSettings;
use crate::{Inner, limits};

pub(crate) use blocklists::AskedOfPeer;
pub(crate) use look::{ids_in, link_domains};
pub(super) use place::{Because, because, forged, is_role, keep_here};

use blocklists::Blocklists;
use known::{Known, KnownToAccount, Wanted};
use look::{Circumstances, Looked};
use reputation::Reputations;

/// What is remembered between messages.
pub(crate) struct Memory {
    lists: Blocklists,
    reputations: Reputations,
    own_domains: Mutex<Option<(Instant, Arc<Vec<String>>)>>,
    /// For looking up what users send, after they have their answer.
    sent_links: Arc<Semaphore>,
}

impl Memory {
    pub(crate) fn new(world: &World, store: &Store, settings: &MtaSettings) -> Self {
        Self {
            lists: Blocklists::new(world.clone(), store.clone(), settings.ask_blocklists),
            reputations: Reputations::default(),
            own_domains: Mutex::default(),
            sent_links: Arc::new(Semaphore::new(limits::SENT_LINKS_LOOKED_UP_MAX)),
        }
    }
}

/// Looks up in block lists, beside everything else, what a user's message links to, and says `found` if any of it is listed.
/// Nobody waits for it; where too much of it is under way already a message is passed over.
pub(crate) fn look_up_links<F: Future<Output = ()> + Send + 'static>(
    inner: &Inner,
    peer: Option<IpAddr>,
    links: Vec<String>,
    found: impl FnOnce(Vec<String>) -> F + Send + 'static,
) {
    let Ok(place) = Arc::clone(&inner.spam.sent_links).try_acquire_owned() else {
        return;
    };
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let (lists, turn) = (inner.spam.lists.clone(), inner.turns.of(peer));
    let (world, late) = (
        inner.world.clone(),
        inner.world.now() + limits::SENT_LINKS_PATIENCE,
    );
    inner.world.tasks.spawn("links of a user", async move {
        let asked = lists.of_links(&turn, &links);
        let listed = world.tasks.deadline(late, asked).await.unwrap_or_default();
        drop(place);
        let names: Vec<String> = listed.into_iter().map(|listed| listed.subject).collect();
        if !names.is_empty() {
            found(names).await;
        }
    });
}

/// A message from outside.
pub(super) struct Case<'a> {
    pub(super) from: &'a ReversePath,
    pub(super) hello: &'a str,
    pub(super) ip: IpAddr,
    pub(super) recipients: &'a [Routed],
    pub(super) sender: &'a Sender,
    pub(super) message: &'a Bytes,
    /// The same, if it was taken apart already.
    pub(super) sight: Option<Arc<spam::Sight>>,
    /// Somebody whom the operator trusts saw its author confirmed.
    pub(super) vouched: bool,
    /// It looks as if it came over a list or a forwarder.
    pub(super) detour: bool,
    pub(super) other_filters: &'a [OtherFilter],
    pub(super) now: UnixMillis,
}

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    /// For nobody in particular: what goes on to other servers.
    pub(super) server: Arc<Verdict>,
    /// The operator wants mail to be filtered, unless an account or a domain says otherwise.
    server_filters: bool,
    /// Accounts without filtering are not among them.
    accounts: BTreeMap<AccountId, Arc<Verdict>>,
    unfiltered: Vec<AccountId>,
    /// It holds mail of others, as complaints and reports do.
    shows_mail: bool,
    pub(super) origin: Origin,
}

impl Scores {
    /// The verdict for an account; nothing where it wants none.
    pub(super) fn of(&self, account: AccountId) -> Option<&Arc<Verdict>> {
        match self.unfiltered.contains(&account) {
            true => None,
            false => Some(self.accounts.get(&account).unwrap_or(&self.server)),
        }
    }

    /// Whether the copy that an account has by this address goes into the junk folder.
    pub(super) fn is_aside(&self, account: AccountId, recipient: &Address) -> bool {
        let verdict = self.of(account);
        verdict.is_some_and(|verdict| place::is_aside(verdict, recipient, self.shows_mail))
    }

    /// For nobody in particular.
    pub(super) fn is_junk_for_server(&self) -> bool {
        self.server_filters && self.server.is_junk()
    }

    /// The network that it came from, as correspondents remember it.
    pub(super) fn network(&self) -> Option<String> {
        let mut keys = self.origin.keys().into_iter();
        keys.find(|key| key.kind == SenderKind::Network)
            .map(|key| key.name)
    }
}

/// Gathers and judges. Nothing: something went wrong that must not cost a message.
pub(super) async fn score(
    inner: &Inner,
    case: Case<'_>,
    peer: Option<AskedOfPeer>,
) -> Option<Scores> {
    let late = inner.world.now() + limits::BLOCKLISTS_PATIENCE;
    let own_domains = own_domains(inner).await;
    let looked = case.look(inner, own_domains.clone()).await?;
    let origin = case.origin(&looked);
    let keys = origin.keys();
    let (mut standings, unknown) = inner.spam.reputations.recall(&keys, inner.world.now());
    let wanted = Wanted {
        accounts: case.accounts(),
        author: looked.author.clone(),
        reverse_path: case.from.address().cloned(),
        peer: case.ip,
        learning: looked.learning.clone(),
        answered: looked.answered.clone(),
        keys: unknown,
        now: case.now,
    };
    let of_peer = async {
        match peer {
            Some(asked) => asked.answer(inner, late).await,
            None => Vec::new(),
        }
    };
    let are_many = limits::INLINE_JUDGED_ACCOUNTS_MAX < wanted.accounts.len();
    let known = async move {
        match are_many {
            true => inner.store.read(move |view| wanted.read(view)).await,
            false => inner.store.read_small(move |view| wanted.read(view)).await,
        }
    };
    let (known, of_peer, of_domains) =
        join3(known, of_peer, case.ask_domains(inner, &looked, late)).await;
    // Without it the mail of people one knows could be taken for junk.
    let known = known
        .inspect_err(|error: &StoreError| {
            tracing::warn!(%error, "what is known of a sender cannot be read");
        })
        .ok()?;
    inner
        .spam
        .reputations
        .remember(&known.standings, inner.world.now());
    standings.extend(known.standings.iter().cloned());
    let author = looked.author.as_ref();
    let is_ours = author.is_some_and(|author| {
        let domain = author.domain().as_str();
        own_domains.iter().any(|own| own == domain) && !facts::is_near(case.ip)
    });
    let shared = Facts {
        authentication: facts::authentication(
            case.sender,
            case.from,
            author,
            is_ours,
            case.vouched,
            case.detour,
        ),
        listed: of_peer.into_iter().chain(of_domains).collect(),
        other_filters: case.other_filters.to_vec(),
        ..Facts::default()
    };
    let judging = Judging {
        server_taught: facts::opinion(&known.taught, &looked.learning),
        looked,
        shared,
        standings,
        network: origin
            .keys()
            .into_iter()
            .find(|key| key.kind == SenderKind::Network)
            .map(|key| key.name),
        now: case.now,
    };
    if !are_many {
        return Some(judging.all(&known, origin));
    }
    let judged = inner
        .world
        .tasks
        .blocking(move || judging.all(&known, origin));
    judged.await.ok()
}

impl Case<'_> {
    /// Each account once.
    fn accounts(&self) -> Vec<AccountId> {
        let targets = self.recipients.iter().flat_map(Routed::targets);
        let mut accounts: Vec<AccountId> = targets.map(|target| target.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    async fn look(&self, inner: &Inner, own_domains: Arc<Vec<String>>) -> Option<Looked> {
        let recipients = self
            .recipients
            .iter()
            .take(limits::RECIPIENTS_LOOKED_AT_MAX);
        let iprev = &self.sender.iprev;
        let reverse_name = match (iprev.confirmed_name(), iprev.reason) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(IprevReason::Dns)) => None,
            (None, _) => Some(String::new()),
        };
        let how = Circumstances {
            peer: self.ip,
            hello: self.hello.to_owned(),
            reverse_name,
            from: self.from.address().cloned(),
            recipients: recipients.map(|to| to.address.clone()).collect(),
            own_domains,
            own_hosts: vec![inner.settings.hostname.as_str().to_owned()],
        };
        let message = self.message.clone();
        if message.len() <= limits::INLINE_SPAM_BYTES_MAX {
            return Some(look::look(&message, self.sight.clone(), &how));
        }
        let sight = self.sight.clone();
        let looked = inner
            .world
            .tasks
            .blocking(move || look::look(&message, sight, &how));
        // The log has the panic; the message is filed all the same.
        looked.await.ok()
    }

    fn origin(&self, looked: &Looked) -> Origin {
        let confirmed = facts::proof(self.sender) == Proof::Proven;
        let author = looked.author.as_ref();
        let domain = author.map(|author| spam::domains::registrable(author.domain().as_str()));
        Origin {
            ip: Some(self.ip),
            domain: domain
                .filter(|_| confirmed)
                .and_then(|domain| mail::Domain::parse(domain).ok()),
            author: looked.author.clone(),
            confirmed,
        }
    }

    async fn ask_domains(&self, inner: &Inner, looked: &Looked, late: Instant) -> Vec<Listed> {
        let author = looked
            .author
            .as_ref()
            .map(|author| author.domain().as_str());
        let from = self.from.address().map(|from| from.domain().as_str());
        let senders = blocklists::of_sender(author, from, self.hello);
        let turn = inner.turns.of(self.ip);
        let lists = &inner.spam.lists;
        let asked = lists.of_domains(self.ip, &turn, &senders, &looked.link_domains);
        let answer = inner.world.tasks.deadline(late, asked).await;
        answer.unwrap_or_default()
    }
}

/// All that the verdicts of one message share.
struct Judging {
    looked: Looked,
    /// What is the same for all accounts.
    shared: Facts,
    standings: Vec<(store::senders::SenderKey, Arc<store::senders::Standing>)>,
    /// What all accounts taught of it.
    server_taught: Opinion,
    network: Option<String>,
    now: UnixMillis,
}

impl Judging {
    fn all(&self, known: &Known, origin: Origin) -> Scores {
        let mut scores = Scores {
            server: Arc::new(self.for_server(&known.server)),
            server_filters: known.server.filtering,
            accounts: BTreeMap::new(),
            unfiltered: Vec::new(),
            shows_mail: self.looked.shows_mail,
            origin,
        };
        for one in &known.accounts {
            match one.choices.filtering {
                true => {
                    let verdict = Arc::new(self.for_account(one));
                    scores.accounts.insert(one.account, verdict);
                }
                false => scores.unfiltered.push(one.account),
            }
        }
        scores
    }

    fn for_server(&self, choices: &SpamChoices) -> Verdict {
        let facts = Facts {
            reputation: reputation::of_account(&self.standings, None),
            ..self.shared.clone()
        };
        let findings = &self.looked.findings;
        judge(self.looked.base, findings, &facts, &facts::weights(choices))
    }

    fn for_account(&self, known: &KnownToAccount) -> Verdict {
        let learning = &self.looked.learning;
        let facts = Facts {
            history: facts::history(
                &known.history,
                self.network.as_deref(),
                known.answers_us,
                self.now,
            ),
            reputation: reputation::of_account(&self.standings, Some(known.account)),
            account_taught: facts::opinion(&known.taught, learning),
            server_taught: self.server_taught,
            lists: facts::list_entries(&known.rules),
            ..self.shared.clone()
        };
        let author = self.looked.author.as_ref();
        let author = author.map_or("", |author| author.domain().as_str());
        let mut findings = self.looked.findings.clone();
        findings.extend(spam::rules::known_lookalike(author, &known.domains));
        judge(
            self.looked.base,
            &findings,
            &facts,
            &facts::weights(&known.choices),
        )
    }
}

/// Notes what a sender sent, once it is decided; what is due to be written comes back.
pub(super) fn note(inner: &Inner, scores: &Scores, junk: bool) -> Vec<Seen> {
    let keys = scores.origin.keys();
    inner.spam.reputations.note(keys, junk, inner.world.now())
}

/// Our domains, in lower case.
async fn own_domains(inner: &Inner) -> Arc<Vec<String>> {
    let now = inner.world.now();
    let lock = || {
        inner
            .spam
            .own_domains
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let known = lock().clone();
    if let Some((since, domains)) = known
        && now.saturating_duration_since(since) < limits::OWN_DOMAINS_AGE
    {
        return domains;
    }
    let domains = inner.store.read_small(|view| view.domains()).await;
    let domains = domains.unwrap_or_else(|error: StoreError| {
        tracing::warn!(%error, "our own domains cannot be read");
        Vec::new()
    });
    let names = domains.iter().take(limits::OWN_DOMAINS_MAX);
    let names = names.map(|domain| domain.name.as_str().to_owned());
    let domains = Arc::new(names.collect());
    *lock() = Some((now, Arc::clone(&domains)));
    domains
}

#[cfg(test)]
pub(super) mod tests;
