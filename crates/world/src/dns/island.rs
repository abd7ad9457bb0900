//! A system's resolver that knows no root: a container or a laptop without the internet. Whole top-level domains that it
//! does not know are then not asked for name by name (RFC 8020), since such resolvers are small and drop what is too much.
//! Resolvers that the operator named are taken as they are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::rr::Name;

use super::stub::Stub;
use super::{AnswerStatus, Kind};

/// How long what was found is believed: a laptop comes back to the internet.
const BELIEVED_FOR: Duration = Duration::from_secs(60);
/// Top-level domains remembered; there are some 1,500.
const DOMAINS_MAX: usize = 2_048;

#[derive(Default)]
pub(super) struct Island {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Whether there is a root.
    root: Option<(bool, Instant)>,
    /// Top-level domains that do not exist.
    absent: BTreeMap<String, Instant>,
}

impl Island {
    /// Whether nothing can be found below this name's top-level domain.
    pub(super) async fn lacks(&self, name: &str, stub: &Stub) -> bool {
        if self.has_root(stub).await {
            return false;
        }
        let top = name
            .trim_end_matches('.')
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let now = Instant::now();
        if self
            .lock()
            .absent
            .get(&top)
            .is_some_and(|until| now < *until)
        {
            return true;
        }
        let Ok(wire) = Name::from_ascii(format!("{top}.")) else {
            return false;
        };
        // A failure says nothing; then the name itself is asked for.
        let absent = stub
            .ask(wire, Kind::Soa)
            .await
            .is_ok_and(|answer| answer.status == AnswerStatus::NoSuchName);
        if absent {
            let mut known = self.lock();
            if DOMAINS_MAX <= known.absent.len() {
                known.absent.clear();
            }
            known.absent.insert(top, now + BELIEVED_FOR);
        }
        absent
    }

    async fn has_root(&self, stub: &Stub) -> bool {
        let now = Instant::now();
        if let Some((there, until)) = self.lock().root
            && now < until
        {
            return there;
        }
        let there = match stub.ask(Name::root(), Kind::Soa).await {
            Ok(answer) => answer.status == AnswerStatus::Found,
            // In doubt the resolver is like any other; asked again soon.
            Err(_) => true,
        };
        self.lock().root = Some((there, now + BELIEVED_FOR));
        there
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
