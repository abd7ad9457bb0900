//! Bounds and delays of the pocket internet, each with its reason.

use std::time::Duration;

/// What a byte pipe between two simulated hosts holds, about a socket's buffers.
pub const PIPE_BYTES: usize = 64 * 1024;

/// One round trip between simulated hosts: time must pass, or loops without a timer would not show.
pub const CONNECT_DELAY: Duration = Duration::from_millis(20);

/// One simulated question to the DNS.
pub const DNS_DELAY: Duration = Duration::from_millis(5);

/// After so long a simulated resolver gives up on silent servers.
pub const DNS_SILENCE: Duration = Duration::from_secs(10);

/// TTL of records that a test makes.
pub const TTL_SECS: u32 = 300;

/// CNAMEs followed in one answer.
pub const CNAMES_MAX: usize = 8;

/// A DNS answer over UDP to a client that does not speak EDNS (RFC 1035 §4.2.1).
pub const UDP_BYTES_DEFAULT: usize = 512;

/// A command line that a scripted server takes; RFC 5321 allows 512, with parameters and AUTH more.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// A message that a scripted server takes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How often a condition is looked at: so many times in its time, or more often when that is long;
/// and in real time.
pub const LOOKS: u32 = 600;
pub const LOOK_SIMULATED_MAX: Duration = Duration::from_secs(300);
pub const LOOK_REAL: Duration = Duration::from_millis(10);

/// Lines that a trace holds.
pub const TRACE_LINES_MAX: usize = 1_000_000;

/// What a host gets for a graceful stop: more than its own patience with attempts in flight.
pub const STOP_PATIENCE: Duration = Duration::from_secs(120);
