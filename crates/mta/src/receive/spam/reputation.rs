//! What this server itself saw of addresses, networks and domains: kept in memory for a while, so that a busy sender costs no
//! query, and what is new is written down together with some later message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spam::facts::Reputation;
use store::AccountId;
use store::senders::{Seen, SenderKey, SenderKind, Standing};

use crate::limits;

/// How long a standing is believed without asking the store.
const BELIEVED_FOR: Duration = Duration::from_secs(300);

/// What is new waits so long for a message that takes it along.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// How much the server's own verdicts count beside those of people: else it would believe itself ever more.
const OWN_SHARE: f64 = 0.2;

/// From how many of its own verdicts on more do not add to what it believes.
const OWN_MAX: f64 = 100.0;

/// How often the word of one account counts for the others: one that is wrong, or ill-willed, must not speak for all.
const VOICE_MAX: f64 = 2.0;

/// How often its own word counts for an account.
const OWN_VOICE_MAX: f64 = 20.0;

/// A word that has faded to less than this is none.
const VOICE_MIN: f64 = 0.5;

/// From so many messages on what came before says half of what it could.
const DOUBT: f64 = 8.0;

/// Accounts that must have taught something before it counts for the others.
const VOICES_MIN: usize = 2;

#[derive(Default)]
pub(crate) struct Reputations {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    known: BTreeMap<SenderKey, (Instant, Arc<Standing>)>,
    /// Wanted and junk messages that the store does not know of.
    fresh: BTreeMap<SenderKey, (u32, u32)>,
    written: Option<Instant>,
}

impl Reputations {
    /// What is known without the store, and the keys that it must be asked for.
    pub(super) fn recall(
        &self,
        keys: &[SenderKey],
        now: Instant,
    ) -> (Vec<(SenderKey, Arc<Standing>)>, Vec<SenderKey>) {
        let memory = self.lock();
        let mut known = Vec::with_capacity(keys.len());
        let mut unknown = Vec::new();
        for key in keys {
            match memory.known.get(key) {
                Some((since, standing)) if now.saturating_duration_since(*since) < BELIEVED_FOR => {
                    known.push((key.clone(), standing.clone()));
                }
                _ => unknown.push(key.clone()),
            }
        }
        (known, unknown)
    }

    pub(super) fn remember(&self, found: &[(SenderKey, Arc<Standing>)], now: Instant) {
        let mut memory = self.lock();
        if limits::REPUTATIONS_REMEMBERED_MAX <= memory.known.len() + found.len() {
            memory.known.clear();
        }
        for (key, standing) in found {
            memory.known.insert(key.clone(), (now, standing.clone()));
        }
    }

    /// A message was judged; what is due to be written comes back.
    pub(super) fn note(&self, keys: Vec<SenderKey>, junk: bool, now: Instant) -> Vec<Seen> {
        let mut memory = self.lock();
        for key in keys {
            let (wanted, unwanted) = memory.fresh.entry(key).or_default();
            let count = if junk { unwanted } else { wanted };
            *count = count.saturating_add(1);
        }
        let written = *memory.written.get_or_insert(now);
        let waited = now.saturating_duration_since(written);
        if waited < WRITTEN_EVERY && memory.fresh.len() < limits::REPUTATIONS_WRITTEN_AT_ONCE {
            return Vec::new();
        }
        memory.written = Some(now);
        let fresh = std::mem::take(&mut memory.fresh);
        let seen = fresh
            .into_iter()
            .map(|(key, (wanted, junk))| Seen { key, wanted, junk });
        seen.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All standings of a sender as the judge asks for them, for one account.
pub(super) fn of_account(
    standings: &[(SenderKey, Arc<Standing>)],
    account: Option<AccountId>,
) -> Reputation {
    let mut reputation = Reputation::default();
    for (key, standing) in standings {
        let (wanted, junk) = weighed(standing, account);
        let log_odds = log_odds(wanted, junk);
        if log_odds == 0.0 {
            continue;
        }
        let of = match key.kind {
            SenderKind::Address => &mut reputation.address,
            SenderKind::Network => &mut reputation.network,
            SenderKind::Domain => &mut reputation.domain,
        };
        *of = Some(spam::facts::Standing {
            name: key.name.clone(),
            log_odds,
        });
    }
    reputation
}

/// How many wanted and unwanted messages that makes: its own word counts most for an account, that of others up to a bound
/// each and only if there are several of them, and the server's own verdicts least.
fn weighed(standing: &Standing, account: Option<AccountId>) -> (f64, f64) {
    let (mut wanted, mut junk) = (
        standing.wanted.min(OWN_MAX) * OWN_SHARE,
        standing.junk.min(OWN_MAX) * OWN_SHARE,
    );
    let others = standing
        .voices
        .iter()
        .filter(|voice| Some(voice.account) != account && VOICE_MIN <= voice.wanted + voice.junk);
    if VOICES_MIN <= others.clone().count() {
        for voice in others {
            wanted += voice.wanted.min(VOICE_MAX);
            junk += voice.junk.min(VOICE_MAX);
        }
    }
    let mut voices = standing.voices.iter();
    if let Some(own) = voices.find(|voice| Some(voice.account) == account) {
        wanted += own.wanted.min(OWN_VOICE_MAX);
        junk += own.junk.min(OWN_VOICE_MAX);
    }
    (wanted, junk)
}

/// Little was seen: little is said.
fn log_odds(wanted: f64, junk: f64) -> f32 {
    let all = wanted + junk;
    let said = ((junk + 0.5) / (wanted + 0.5)).ln();
    (said * all / (all + DOUBT)) as f32
}

#[cfg(test)]
mod tests;
