//! What happened, in order and with its time: the failing test's story, and what equal seeds
//! must repeat.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use world::Clock;

use crate::limits;

/// Clones write the same trace.
#[derive(Clone)]
pub struct Trace {
    clock: Arc<dyn Clock>,
    start: Instant,
    lines: Arc<Mutex<Vec<String>>>,
    /// POSTROAD_TRACE is set: say everything at once, for a run that does not end.
    live: bool,
}

impl Trace {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let start = clock.now();
        let live = std::env::var_os("POSTROAD_TRACE").is_some();
        Self {
            clock,
            start,
            lines: Arc::default(),
            live,
        }
    }

    pub fn note(&self, text: impl AsRef<str>) {
        let passed = self.clock.now().saturating_duration_since(self.start);
        let line = format!(
            "{:>10}.{:03} {}",
            passed.as_secs(),
            passed.subsec_millis(),
            text.as_ref()
        );
        if self.live {
            eprintln!("{line}");
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < limits::TRACE_LINES_MAX {
            lines.push(line);
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The lines that hold this text.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.lines()
            .into_iter()
            .filter(|line| line.contains(text))
            .collect()
    }
}
