//! Graceful stop: one token that everybody can wait on, and a count of who is still busy.
//! It ends nothing by itself: sessions watch it and finish what they are doing.

use std::sync::Arc;

use tokio::sync::watch;

/// A wish to stop, shared by clones.
#[derive(Clone)]
pub struct Stop {
    inner: Arc<Inner>,
}

struct Inner {
    requested: watch::Sender<bool>,
    sessions: watch::Sender<usize>,
}

impl Stop {
    pub fn new() -> Self {
        let (requested, _) = watch::channel(false);
        let (sessions, _) = watch::channel(0);
        Self {
            inner: Arc::new(Inner {
                requested,
                sessions,
            }),
        }
    }

    /// Asks everybody to stop. May be called more than once.
    pub fn request(&self) {
        self.inner.requested.send_replace(true);
    }

    pub fn is_requested(&self) -> bool {
        *self.inner.requested.borrow()
    }

    /// Resolves when the stop is requested, at once if it was before. Cancel-safe.
    pub async fn requested(&self) {
        let mut requested = self.inner.requested.subscribe();
        // The sender lives as long as this borrow, so waiting cannot fail.
        let _ = requested.wait_for(|requested| *requested).await;
    }

    /// Counts one session (or attempt in flight) until the guard is dropped.
    pub fn enter(&self) -> Session {
        self.inner.sessions.send_modify(|count| *count += 1);
        Session {
            inner: self.inner.clone(),
        }
    }

    pub fn sessions(&self) -> usize {
        *self.inner.sessions.borrow()
    }

    /// Resolves when no session is left. Bound it with `Tasks::deadline`.
    pub async fn all_ended(&self) {
        let mut sessions = self.inner.sessions.subscribe();
        let _ = sessions.wait_for(|count| *count == 0).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// One session that counts as busy until dropped.
#[must_use]
pub struct Session {
    inner: Arc<Inner>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.inner
            .sessions
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}
