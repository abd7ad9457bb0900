//! Deliveries summed up by provider, for people.

use std::collections::BTreeMap;

use mail::UnixMillis;

use crate::engine::Param;
use crate::limits::DELIVERY_EVENTS_SUMMED_MAX;
use crate::{StoreError, View};

/// One provider over one span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliverySums {
    pub provider: String,
    pub accepted: u64,
    /// Of those, the ones that a relay took.
    pub relayed: u64,
    /// Answers that put off; one message may have several.
    pub deferred: u64,
    pub refused: u64,
    /// From taking a message in to its acceptance, in milliseconds: half are faster, nine of ten, 99 of 100.
    pub delay: Option<[i64; 3]>,
    pub trend: Trend,
}

/// The younger half of the span beside the older one: accepted among all final answers, in per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trend {
    pub before: Option<u8>,
    pub now: Option<u8>,
}

#[derive(Default)]
struct Heap {
    sums: DeliverySums,
    delays: Vec<i64>,
    /// Older and younger half: accepted, and not.
    halves: [(u64, u64); 2],
}

impl View<'_> {
    /// By provider, or one, the busiest first. At most some ten thousands of events are looked at, the newest.
    pub fn delivery_sums(
        &self,
        provider: Option<&str>,
        since: UnixMillis,
        now: UnixMillis,
    ) -> Result<Vec<DeliverySums>, StoreError> {
        let sql = "SELECT provider, at, outcome, delay, relay FROM delivery_event \
                   WHERE at >= ?2 AND (?1 = '' OR provider = ?1) ORDER BY id DESC LIMIT ?3";
        let params = [
            Param::Text(provider.unwrap_or_default()),
            Param::Int(since.0),
            Param::Int(DELIVERY_EVENTS_SUMMED_MAX),
        ];
        let middle = since.0 + (now.0 - since.0) / 2;
        let mut heaps: BTreeMap<String, Heap> = BTreeMap::new();
        self.sql.each(sql, &params, |row| {
            let name = row.text(0)?;
            let heap = match heaps.get_mut(name) {
                Some(heap) => heap,
                None => heaps.entry(name.to_owned()).or_default(),
            };
            let half = usize::from(row.int(1)? >= middle);
            heap.add(row.int(2)?, row.int(3)?, row.opt_text(4)?.is_some(), half);
            Ok(())
        })?;
        let mut sums: Vec<DeliverySums> = heaps
            .into_iter()
            .map(|(provider, heap)| heap.sum(provider))
            .collect();
        // The busiest first, those alike by name.
        sums.sort_by_key(|sums| std::cmp::Reverse(sums.accepted + sums.deferred + sums.refused));
        Ok(sums)
    }
}

impl Heap {
    fn add(&mut self, outcome: i64, delay: i64, relayed: bool, half: usize) {
        let half = self.halves.get_mut(half);
        match outcome {
            1 => {
                self.sums.accepted += 1;
                self.sums.relayed += u64::from(relayed);
                self.delays.push(delay);
                half.into_iter().for_each(|half| half.0 += 1);
            }
            2 => {
                self.sums.deferred += 1;
                half.into_iter().for_each(|half| half.1 += 1);
            }
            _ => {
                self.sums.refused += 1;
                half.into_iter().for_each(|half| half.1 += 1);
            }
        }
    }

    fn sum(mut self, provider: String) -> DeliverySums {
        self.delays.sort_unstable();
        let share = |(good, bad): (u64, u64)| {
            let all = good + bad;
            (all > 0).then(|| u8::try_from(good * 100 / all).unwrap_or(100))
        };
        let [before, now] = self.halves;
        DeliverySums {
            provider,
            delay: percentiles(&self.delays),
            trend: Trend {
                before: share(before),
                now: share(now),
            },
            ..self.sums
        }
    }
}

/// Of sorted numbers: the 50th, 90th and 99th, by nearest rank.
fn percentiles(sorted: &[i64]) -> Option<[i64; 3]> {
    let at = |percent: usize| {
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    };
    Some([at(50)?, at(90)?, at(99)?])
}
