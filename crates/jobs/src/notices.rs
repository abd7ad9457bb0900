//! What wakes a job between its regular runs.

use store::NoticeWatcher;
use tokio::sync::Mutex;

/// Kept from run to run, so that no notice is missed between two.
#[derive(Default)]
pub(crate) struct Notices(Mutex<Option<NoticeWatcher>>);

impl Notices {
    /// Waits for the next notice; at once the first time, for what waits since before the start.
    pub(crate) async fn next(&self, watch: impl FnOnce() -> NoticeWatcher) {
        let mut watcher = self.0.lock().await;
        match watcher.as_mut() {
            Some(notices) => notices.changed().await,
            None => *watcher = Some(watch()),
        }
    }
}
