//! Notices of what changed: the newest number only, whoever was asleep misses nothing.

use tokio::sync::watch;

use crate::{AccountId, ModSeq};

/// Watches one account. Take it before the snapshot it is compared with.
#[derive(Clone, Debug)]
pub struct Watcher {
    pub(crate) account: AccountId,
    pub(crate) newest: watch::Receiver<u64>,
}

impl Watcher {
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The newest change that was heard of since somebody began to watch; zero if none was.
    #[must_use]
    pub fn newest(&self) -> ModSeq {
        ModSeq(*self.newest.borrow())
    }

    /// Waits until the account has a change newer than `seen`, and says the newest. Cancel-safe.
    /// Never resolves again once the store is closed.
    pub async fn newer_than(&mut self, seen: ModSeq) -> ModSeq {
        let newest = self
            .newest
            .wait_for(|newest| seen.0 < *newest)
            .await
            .map(|newest| ModSeq(*newest));
        match newest {
            Ok(newest) => newest,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Wakes whoever works off what stands in a table: the queue, lessons, log-ins to be told.
#[derive(Clone, Debug)]
pub struct NoticeWatcher {
    pub(crate) notices: watch::Receiver<u64>,
}

impl NoticeWatcher {
    /// Waits for the next notice; those since the last call count as one. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.notices.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
