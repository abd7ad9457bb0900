//! How we stand with each group of mail hosts: kept in memory for the queue, and in the store for the next start.
//! What changes it is decided in `reaction.rs`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::UnixMillis;
use store::{Change, Store, StoreError};

use super::reaction::{Gate, RelayUse, Standing, Traffic};
use crate::limits;

/// Group, and sender's domain: empty for all.
type Key = (String, String);

#[derive(Debug, Default)]
pub(crate) struct Standings {
    known: Mutex<BTreeMap<Key, Standing>>,
}

/// A standing that changed, to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    key: Key,
    /// Nothing when there is nothing to remember any more.
    state: Option<String>,
}

impl Standings {
    /// What the last run of the program knew.
    pub(crate) async fn load(&self, store: &Store) {
        let rows = store.read(|view| view.standings()).await;
        let rows = rows.unwrap_or_else(|error: StoreError| {
            tracing::error!(%error, "how providers are treated cannot be read: all begin anew");
            Vec::new()
        });
        let mut known = self.lock();
        for row in rows.into_iter().take(limits::STANDINGS_MAX) {
            // What an older program wrote otherwise says nothing any more.
            if let Ok(standing) = serde_json::from_str(&row.state) {
                known.insert((row.provider, row.sender_domain), standing);
            }
        }
    }

    pub(crate) fn of(&self, group: &str, sender_domain: &str) -> Standing {
        let key = (group.to_owned(), sender_domain.to_owned());
        self.lock().get(&key).cloned().unwrap_or_default()
    }

    /// Whether a message may start: towards the group, and for its sender's domain, with what goes on for each of them.
    pub(crate) fn gate(
        &self,
        group: &str,
        sender_domain: &str,
        now: u64,
        [traffic, own_traffic]: [Traffic; 2],
        relay: RelayUse,
    ) -> Gate {
        let known = self.lock();
        let find = |sender: &str| known.get(&(group.to_owned(), sender.to_owned()));
        // Mostly nothing is known, which allows everything.
        let for_all = match find("") {
            Some(standing) => standing.gate(now, traffic, relay),
            None => Standing::default().gate(now, traffic, relay),
        };
        let for_sender = match (sender_domain, for_all) {
            ("", _) | (_, Gate::Relay) => None,
            (sender, _) => find(sender).map(|own| own.gate(now, own_traffic, RelayUse::None)),
        };
        // Only its own mail stands aside: what waits in line holds up all behind it.
        let for_sender = for_sender.map(|gate| match gate {
            Gate::Wait => Gate::PutOff(now + limits::SENDER_TURN_SECS),
            gate => gate,
        });
        match (for_all, for_sender) {
            (Gate::PutOff(one), Some(Gate::PutOff(other))) => Gate::PutOff(one.max(other)),
            (Gate::Go, Some(gate)) | (Gate::Wait, Some(gate @ Gate::PutOff(_))) => gate,
            (gate, _) => gate,
        }
    }

    /// Changes one, and says what is to be written down, if anything.
    pub(crate) fn change(
        &self,
        group: &str,
        sender_domain: &str,
        now: u64,
        change: impl FnOnce(&mut Standing),
    ) -> (Standing, Option<Changed>) {
        let key = (group.to_owned(), sender_domain.to_owned());
        let mut known = self.lock();
        let before = known.get(&key).cloned();
        let mut standing = before.clone().unwrap_or_default();
        change(&mut standing);
        let free = standing.is_free(now, limits::CONNECTIONS_USUAL_MAX);
        if before.as_ref() == Some(&standing) || (free && before.is_none()) {
            return (standing, None);
        }
        if before.is_none() && known.len() >= limits::STANDINGS_MAX {
            // What limits little is learnt again soon; a block is not forgotten for it.
            let mild = known.iter().find(|(_, of)| !of.is_blocked());
            match mild.map(|(key, _)| key.clone()) {
                Some(mild) => known.remove(&mild),
                None => return (standing, None),
            };
        }
        let state = match free {
            true => {
                known.remove(&key);
                None
            }
            false => {
                known.insert(key.clone(), standing.clone());
                serde_json::to_string(&standing).ok()
            }
        };
        (standing, Some(Changed { key, state }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Standing>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changed {
    pub(crate) fn write(&self, change: &mut Change<'_>, now: UnixMillis) -> Result<(), StoreError> {
        let (provider, sender_domain) = &self.key;
        match &self.state {
            Some(state) => change.keep_standing(&store::deliveries::Standing {
                provider: provider.clone(),
                sender_domain: sender_domain.clone(),
                state: state.clone(),
                changed: now,
            }),
            None => change.forget_standing(provider, sender_domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use doctor::replies::{Phase, Refusal, classify};

    use super::super::reaction::LastSaid;
    use super::*;

    const NOW: u64 = 1_000_000;
    const GMAIL: &str = "gmail-smtp-in.l.google.com";

    /// Gmail's quota for a sender's domain: silence, then one at a time.
    fn limited(standings: &Standings, group: &str, sender: &str) {
        let reply = "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your SPF domain";
        let refusal = Refusal::read(GMAIL, "gmail.com", Phase::End, reply);
        let said = LastSaid {
            host: GMAIL.to_owned(),
            phase: Phase::End,
            reply: reply.to_owned(),
        };
        standings.change(group, sender, NOW, |standing| {
            standing.refused(&classify(&refusal), said, NOW);
        });
    }

    fn traffic(open: u16) -> Traffic {
        Traffic {
            open,
            usual: 5,
            sent: 0,
        }
    }

    #[test]
    fn one_sender_stands_aside_for_the_others() {
        let standings = Standings::default();
        limited(&standings, "google", "slow.example");
        let later = NOW + 86_400;
        let gate = |sender: &str, all: u16, own: u16| {
            let traffics = [traffic(all), traffic(own)];
            standings.gate("google", sender, later, traffics, RelayUse::None)
        };
        assert_eq!(
            gate("slow.example", 3, 0),
            Gate::Go,
            "others' attempts are not its own"
        );
        assert_eq!(
            gate("slow.example", 3, 4),
            Gate::PutOff(later + limits::SENDER_TURN_SECS)
        );
        assert_eq!(gate("other.example", 3, 4), Gate::Go);
        assert_eq!(
            gate("other.example", 5, 0),
            Gate::Wait,
            "the group's own bound"
        );
    }

    #[test]
    fn room_is_made_for_what_is_newly_learnt() {
        let standings = Standings::default();
        for number in 0..limits::STANDINGS_MAX {
            limited(&standings, &format!("group{number:05}"), "slow.example");
        }
        limited(&standings, "google", "slow.example");
        assert!(
            standings
                .of("google", "slow.example")
                .silent_until(NOW + 1)
                .is_some()
        );
        assert_eq!(standings.lock().len(), limits::STANDINGS_MAX);
    }
}
