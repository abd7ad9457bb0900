//! Bounds of the server as a whole, each with its reason.

use std::time::Duration;

/// Connections of mail programs (IMAP and POP3) at once: 20 KB each when idle, 200 MB together.
pub const READERS_MAX: usize = 10_000;

/// From one address: a whole office behind one router, each program holding a handful.
pub const READERS_PER_ADDRESS_MAX: usize = 500;

/// File descriptors beside the connections: database, bodies, logs, sockets of the queue.
pub const DESCRIPTORS_SPARE: u64 = 1_000;

/// How often the store tidies up.
pub const TIDY_PERIOD: Duration = Duration::from_secs(300);

/// How often the files of the certificates are looked at: whoever renews one waits no longer, and it costs nothing.
pub const CERTIFICATE_LOOK_PERIOD: Duration = Duration::from_secs(60);

/// After a failed accept (no file descriptor left): time for others to end.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a refused connection may take to hear why.
pub const REFUSAL_PATIENCE: Duration = Duration::from_secs(5);

/// How long a graceful stop may take: a slow DATA gets its end, a service manager waits no longer.
pub const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// How often it is looked whether another node of the database fetched a certificate: they come weeks before they are needed.
pub const FETCHED_LOOK_PERIOD: Duration = Duration::from_secs(300);

/// How often bans of commands and other nodes are read: what one node learns, the others know soon.
pub const BANS_READ_PERIOD: Duration = Duration::from_secs(10);

/// So many of these rounds, and rows that say nothing any more are removed: ten minutes.
pub const DOOR_TIDIED_EVERY: u32 = 60;

/// How often the firewall is compared with the bans beside every change: ends of wide bans uncover narrow ones.
pub const FIREWALL_PERIOD: Duration = Duration::from_secs(60);

/// Between two looks at the bans for the firewall: in a surge each ban would wake it, and each look goes over all of them.
pub const FIREWALL_PAUSE: Duration = Duration::from_secs(1);

/// How long the firewall may take for what it is told: a hundred thousand bans at the start take it a minute.
pub const FIREWALL_PATIENCE: Duration = Duration::from_secs(180);

/// The same once the server is to stop.
pub const FIREWALL_STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Longer bans are said for so long and said again in time: should nft go and not come back, the kernel does not keep
/// for ever what an operator has lifted.
pub const FIREWALL_LEASE_MILLIS: i64 = 86_400_000;

/// Networks in one command to the firewall: some 20 kB.
pub const FIREWALL_ELEMENTS_MAX: usize = 500;
