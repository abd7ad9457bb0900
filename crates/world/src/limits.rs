//! Bounds of this room, each with its reason.

use std::time::Duration;

/// Read at once into the scratch buffer that all connections of a thread share. As much as a
/// socket's usual receive buffer holds, so that one read takes what has come.
pub const READ_BYTES: usize = 64 * 1024;

/// Replies are collected up to this size before they are written, also while the peer still has
/// more pipelined commands for us. Beyond it the machine must wait until the peer has read.
pub const PENDING_BYTES_MAX: usize = 64 * 1024;

/// From this size on a write goes straight to the stream instead of through a copy.
pub const DIRECT_WRITE_BYTES_MIN: usize = 16 * 1024;

/// How many pending pieces one system call takes.
pub const VECTORS_MAX: usize = 16;

/// A peer that takes not one byte for so long is gone. RFC 5321 §4.5.3.2.5 wants a client to wait
/// three minutes for each block of data to be taken.
pub const WRITE_PATIENCE: Duration = Duration::from_secs(180);

/// A TLS handshake is a few round trips and two signatures; a minute is for very slow lines.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);

/// When our writes fail, what the peer said before it closed may still be readable (a reply such
/// as 554 or 421). It is there at once or never.
pub const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(5);

/// After we closed our side, the peer's unread bytes are taken for so long and so many: closing with unread
/// input would reset the connection, and the peer would lose our last reply.
pub const LINGER: Duration = Duration::from_secs(2);
pub const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// For a clean end (the last replies written, TLS closed).
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Connections that wait to be accepted. The kernel cuts it to its own bound.
pub const BACKLOG: u32 = 1024;

/// Answers held in the resolver's cache, at a few hundred bytes each.
pub const DNS_CACHE_ANSWERS_MAX: u64 = 8 * 1024;

/// One question to one server, and how many times it is repeated.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
pub const DNS_ATTEMPTS: usize = 2;

/// One question with everything that follows from it (retries, CNAMEs, DNSSEC chain).
pub const DNS_PATIENCE: Duration = Duration::from_secs(30);

/// For how long a name below a top-level domain that a resolver without a root lacks is not asked for again.
pub const DNS_ISLAND_TTL: Duration = Duration::from_secs(60);

/// Questions on their way to the name servers: at first, at least (a burst that any router's resolver takes) and at most.
pub const DNS_WINDOW_START: usize = 16;
pub const DNS_WINDOW_MIN: usize = 12;
pub const DNS_WINDOW_MAX: usize = 512;

/// Questions in flight, each with a socket of its own. More wait for their turn.
pub const DNS_QUESTIONS_MAX: usize = 1_024;

/// Positive answers are kept at most a day, negative at most an hour, whatever their owner says.
pub const DNS_POSITIVE_TTL_MAX: Duration = Duration::from_secs(86_400);
pub const DNS_NEGATIVE_TTL_MAX: Duration = Duration::from_secs(3_600);

/// Records taken from one answer.
pub const DNS_RECORDS_MAX: usize = 256;

/// TLS sessions (1.2) kept for resumption; 1.3 uses tickets, which cost no memory here.
pub const TLS_SESSIONS_MAX: usize = 2048;

/// Certificates and names in one server's table.
pub const CERTIFICATES_MAX: usize = 10_000;

/// What a peer that sent fast may be slow afterwards: a pause of the network, not the hours that
/// megabytes would earn at a rate of some hundred bytes per second.
pub const PACE_CREDIT_MAX: Duration = Duration::from_secs(60);

/// How long somebody waits for memory that all connections share.
pub const MEMORY_PATIENCE: Duration = Duration::from_secs(20);

/// Sessions of servers that one TLS client keeps for resumption, at a few kilobytes each.
pub const RESUMPTIONS_MAX: usize = 1024;

/// Verdicts on certificate chains kept for resumed sessions, at some hundred bytes each, and how
/// long: an hour late is early enough to notice that a certificate has expired.
pub const CHECKED_CHAINS_MAX: usize = 4096;
pub const CHECKED_CHAIN_FOR: Duration = Duration::from_secs(3_600);

/// Sets of TLSA records for which a client with its sessions is kept.
pub const DANE_CLIENTS_MAX: usize = 256;

/// Sessions kept by the client of one set of TLSA records: it is for one host.
pub const DANE_RESUMPTIONS_MAX: usize = 4;

/// One HTTP request with everything that belongs to it: RFC 8461 §3.3 suggests a minute for a policy.
pub const HTTP_PATIENCE: Duration = Duration::from_secs(60);

/// TCP and TLS to one of several addresses of an HTTP server.
pub const HTTP_CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// Addresses tried of each family.
pub const HTTP_ADDRESSES_PER_FAMILY_MAX: usize = 2;

/// An HTTP answer's header: more than any decent server sends, less than hurts.
pub const HTTP_HEADERS_MAX: usize = 100;
pub const HTTP_HEADER_BYTES_MAX: usize = 32 * 1024;

/// An HTTP answer's body, where the request does not say otherwise.
pub const HTTP_BODY_BYTES_DEFAULT: usize = 1024 * 1024;

/// For a change at a zone's primary server, which may sign the zone anew before it answers.
pub const DNS_UPDATE_PATIENCE: Duration = Duration::from_secs(30);

/// How far our clock and that of a name server may lie apart. RFC 8945 §10 recommends 300.
pub const TSIG_FUDGE_SECS: u16 = 300;
