//! Bounds of the doctor's looks, each with its reason.

use std::time::Duration;

/// All of an examination: a command waits for it, and the admin socket gives it two minutes.
pub const EXAMINATION_PATIENCE: Duration = Duration::from_secs(75);

/// One connection with all that is said on it.
pub const TALK_PATIENCE: Duration = Duration::from_secs(30);

/// To connect: others give up about then.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(8);

/// One page.
pub const PAGE_PATIENCE: Duration = Duration::from_secs(20);

/// How long it is waited for an answer that should not come.
pub const SILENCE: Duration = Duration::from_secs(2);

/// Questions to the DNS at the same time.
pub const QUESTIONS_AT_ONCE: usize = 32;

/// Domains that are looked at beside one another: a host of a thousand must not ask as a flood.
pub const DOMAINS_AT_ONCE: usize = 8;

/// A line of a server's: four times what SMTP allows.
pub const LINE_BYTES_MAX: usize = 2048;

/// Lines of one reply.
pub const LINES_MAX: usize = 100;

/// Domains that are looked at in one examination.
pub const DOMAINS_MAX: usize = 200;

/// Domains whose role addresses are tried.
pub const ROLES_DOMAINS_MAX: usize = 20;

/// Name servers of one zone that are asked themselves.
pub const NAME_SERVERS_MAX: usize = 8;

/// Our addresses that lists are asked about.
pub const ADDRESSES_MAX: usize = 8;

/// A page with settings or a policy (RFC 8461 §3.3 allows 64 kB).
pub const PAGE_BYTES_MAX: usize = 64 * 1024;

/// Once a day.
pub const PERIOD: Duration = Duration::from_secs(86_400);

/// While something is wrong: whoever mends it wants to hear it soon.
pub const PERIOD_WHILE_WRONG: Duration = Duration::from_secs(3_600);

/// Between visits to the servers of big providers.
pub const VISIT_PERIOD: Duration = Duration::from_secs(7 * 86_400);

/// After a start, and after a change of domains or keys: time for the records.
pub const SETTLING: Duration = Duration::from_secs(600);

/// How often it is looked whether something changed here.
pub const CHANGE_LOOK: Duration = Duration::from_secs(300);

/// Lists count who asks; not everybody shall come at the same minute.
pub const SPREAD: Duration = Duration::from_secs(1_800);

/// How often it is looked whether the operator is to be told something.
pub const TELL_LOOK: Duration = Duration::from_secs(30);

/// A channel that does not take something is tried again so much later, twice as long each time.
pub const TELL_RETRY_FIRST: Duration = Duration::from_secs(120);
pub const TELL_RETRY_MAX: Duration = Duration::from_secs(6 * 3_600);

/// Some four days, by then it is old.
pub const TELL_ATTEMPTS_MAX: u32 = 20;

/// How often it is looked for messages that want a verdict: their author waits for it.
pub const LETTERS_LOOK: Duration = Duration::from_secs(10);

/// Messages judged in one run.
pub const LETTERS_PER_RUN: usize = 10;
