//! The workloads, each a function from a server to what was measured.

pub mod idle;
pub mod inbound;
pub mod outbound;
pub mod reading;
pub mod start;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use crate::report::Row;
use crate::target::{Plan, Server};

pub struct Workload {
    pub group: &'static str,
    pub name: &'static str,
    pub run: fn(&mut dyn Server, &Plan) -> Result<Vec<Row>>,
}

const fn work(
    group: &'static str,
    name: &'static str,
    run: fn(&mut dyn Server, &Plan) -> Result<Vec<Row>>,
) -> Workload {
    Workload { group, name, run }
}

/// In the order in which they run.
pub const ALL: &[Workload] = &[
    work("start", "start", start::start),
    work("inbound", "in-10k-x20", inbound::small_x20),
    work("inbound", "in-10k-x1", inbound::small_x1),
    work("inbound", "in-10k-x20-tls", inbound::small_x20_tls),
    work("inbound", "in-10k-x1-tls", inbound::small_x1_tls),
    work("inbound", "in-1m-x20", inbound::large_x20),
    work("inbound", "in-1m-x1", inbound::large_x1),
    work("inbound", "in-1m-x20-tls", inbound::large_x20_tls),
    work("inbound", "in-1m-x1-tls", inbound::large_x1_tls),
    work(
        "inbound",
        "in-1-per-connection",
        inbound::one_per_connection,
    ),
    work(
        "inbound",
        "in-1-per-connection-tls",
        inbound::one_per_connection_tls,
    ),
    work("outbound", "out-10k-x20", outbound::relay),
    work("login", "imap-login", reading::log_in),
    work("mailbox", "imap-mailbox", reading::mailbox),
    work("idle", "imap-idle", idle::plain),
    work("idle", "imap-idle-tls", idle::tls),
];

/// Lets `sessions` threads share pieces 0..n of work; each has a state of its own, which is its
/// connection. The first failure ends all.
pub fn share<S: Send>(
    sessions: usize,
    n: usize,
    open: impl Fn(usize) -> Result<S> + Sync,
    step: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let (next, failed, states) = (
        AtomicUsize::new(0),
        Mutex::new(None),
        Mutex::new(Vec::new()),
    );
    std::thread::scope(|scope| {
        for session in 0..sessions {
            let (next, failed, states, open, step) = (&next, &failed, &states, &open, &step);
            scope.spawn(move || {
                let run = || -> Result<S> {
                    let mut state = open(session)?;
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if n <= i {
                            return Ok(state);
                        }
                        step(&mut state, i)?;
                    }
                };
                match run() {
                    Ok(state) => states.lock().expect("no thread panics").push(state),
                    Err(error) => {
                        next.store(n, Ordering::Relaxed);
                        failed
                            .lock()
                            .expect("no thread panics")
                            .get_or_insert(error);
                    }
                }
            });
        }
    });
    match failed.into_inner().expect("no thread panics") {
        Some(error) => Err(error),
        None => Ok(states.into_inner().expect("no thread panics")),
    }
}
