//! Who gets memory and who does not, in simulated time.

use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use super::*;
use crate::*;

struct NoDns;

impl Dns for NoDns {
    fn ask<'a>(&'a self, _: &'a str, _: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(async { Err(DnsError::TimedOut) })
    }
}

fn world() -> World {
    World {
        clock: Arc::new(TokioClock::simulated(SystemTime::UNIX_EPOCH)),
        random: Arc::new(SeededRandom::new(1)),
        dns: Arc::new(NoDns),
        net: Arc::new(TokioNet),
        tasks: Arc::new(TokioTasks::new(BlockingMode::Inline)),
    }
}

const MEGABYTE: usize = 1024 * 1024;

#[tokio::test(start_paused = true)]
async fn one_holder_has_an_eighth_at_most() {
    let (world, budget) = (world(), Budget::new(8 * MEGABYTE));
    let mut first = budget.take(&world, 'a', MEGABYTE / 2).await.unwrap();
    let second = budget.take(&world, 'a', MEGABYTE / 2).await.unwrap();
    let start = world.now();
    assert!(matches!(budget.take(&world, 'a', 1).await, Err(NoRoom)));
    assert_eq!(first.grow(&world, MEGABYTE).await, Err(NoRoom));
    assert_eq!(world.now() - start, 2 * limits::MEMORY_PATIENCE);
    // Others do not notice.
    let start = world.now();
    let mut other = budget.take(&world, 'b', 1).await.unwrap();
    other.grow(&world, MEGABYTE).await.unwrap();
    drop(second);
    first.grow(&world, MEGABYTE).await.unwrap();
    assert_eq!(world.now() - start, Duration::ZERO);
    drop((first, other));
    assert!(budget.shared.holders().is_empty(), "nothing stays behind");
    assert_eq!(budget.shared.pieces.free.available_permits(), 2048);
}

#[tokio::test(start_paused = true)]
async fn all_together_have_the_whole() {
    let (world, budget) = (world(), Budget::new(8 * MEGABYTE));
    let mut shares = Vec::new();
    for holder in 0..8 {
        shares.push(budget.take(&world, holder, MEGABYTE).await.unwrap());
    }
    assert!(matches!(budget.take(&world, 8, 1).await, Err(NoRoom)));
    let waiting = async {
        world.clock.after(Duration::from_secs(5)).await;
        shares.pop();
    };
    let (taken, ()) = tokio::join!(budget.take(&world, 8, MEGABYTE), waiting);
    assert!(taken.is_ok(), "who waits gets what becomes free");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_comes_in_alone() {
    let (world, budget) = (world(), Budget::new(8 * MEGABYTE));
    let alone = budget.take(&world, 'a', 3 * MEGABYTE).await.unwrap();
    assert!(budget.take(&world, 'a', 1).await.is_err());
    drop(alone);
    assert!(budget.take(&world, 'a', 1).await.is_ok());
}
