//! The log: lines for people on a terminal, JSON lines otherwise, always on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What became of each message, log-ins, starts and stops.
    Normal,
    /// Every step of the server's own work (`-v`).
    Verbose,
    /// Also that of the libraries (`-vv`).
    Everything,
}

/// Our own crates; the libraries below them are quieter.
const OWN: [&str; 10] = [
    "postroad", "mta", "access", "jobs", "web", "store", "world", "wire", "mailauth", "message",
];

/// Libraries that warn of every unsigned zone of others.
const CHATTY: [&str; 3] = ["hickory_net", "hickory_proto", "hickory_resolver"];

/// Starts logging for the whole process. Later calls do nothing.
pub fn start(verbosity: Verbosity) {
    let (own, libraries) = match verbosity {
        Verbosity::Quiet => (LevelFilter::WARN, LevelFilter::ERROR),
        Verbosity::Normal => (LevelFilter::INFO, LevelFilter::WARN),
        Verbosity::Verbose => (LevelFilter::DEBUG, LevelFilter::INFO),
        Verbosity::Everything => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    let chatty = match verbosity {
        Verbosity::Everything => libraries,
        _ => LevelFilter::ERROR,
    };
    let targets = Targets::new()
        .with_default(libraries)
        .with_targets(CHATTY.into_iter().map(|name| (name, chatty)))
        .with_targets(OWN.into_iter().map(|name| (name, own)));
    let layer = if std::io::stderr().is_terminal() {
        let people = fmt::layer()
            .compact()
            .with_timer(TimeOfDay)
            .with_target(false);
        people.with_writer(std::io::stderr).with_ansi(true).boxed()
    } else {
        let json = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false);
        json.with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed()
    };
    // Fails only when something else logs already, and then that is what was wanted.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .try_init();
}

/// A bug in one connection is a line of the log like any other, not loose text between JSON lines.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, what, "a bug: please report it");
    }));
}

/// On a terminal one knows the day. UTC, as in the messages themselves.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", jiff::Timestamp::now().strftime("%H:%M:%S"))
    }
}
