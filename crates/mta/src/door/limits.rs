//! Bounds of the door, each with its reason.

use std::time::Duration;

/// Silence before the greeting for peers that are not known and whose address has no good name. Programs that only
/// send mostly talk at once; people's mail must not be late by a second because of it.
pub const GREETING_PAUSE: Duration = Duration::from_millis(400);

/// How long the name of a peer's address is asked for: what a resolver takes with one retry.
pub const REVERSE_PATIENCE: Duration = Duration::from_secs(5);

/// A doubtful sender must wait so long before it is believed to keep a queue. Postfix tries again after 300 seconds,
/// Exim and Sendmail after 900 or more: all pass with their first retry. Programs that do try again at once do so
/// within a minute or two; and in the time lists learn of the others.
pub const GREYLIST_WAIT: Duration = Duration::from_secs(240);

/// How long a stranger without other fault waits for what block lists say, which are asked since MAIL.
pub const LISTS_PATIENCE: Duration = Duration::from_millis(300);

/// A retry counts until then: some servers try again twice a day.
pub const GREYLIST_RETRY: Duration = Duration::from_secs(2 * 86_400);

/// Senders whose servers are many take a new address for each try: after so many tries over so long it is a queue
/// that tries, from wherever.
pub const GREYLIST_POOL_TRIES: u32 = 3;
pub const GREYLIST_POOL_WAIT: Duration = Duration::from_secs(3_600);

/// A network that came again is known for so long after its last mail: newsletters come once a month.
pub const KNOWN_FOR: Duration = Duration::from_secs(36 * 86_400);

/// A known network is written down again after this time, not with each message.
pub const KNOWN_WRITTEN_EVERY: Duration = Duration::from_secs(86_400);

/// Networks whose rates are remembered at once, at some 150 bytes: 3 MB. Beyond, those not seen for longest go.
pub const RATED_NETWORKS_MAX: usize = 20_000;

/// New connections of one network: a burst, and so many per minute for ever after. The largest senders open some ten
/// a minute from one address to one server.
pub const CONNECTIONS_BURST: u32 = 120;
pub const CONNECTIONS_PER_MINUTE: u32 = 60;

/// Messages of one network.
pub const MESSAGES_BURST: u32 = 500;
pub const MESSAGES_PER_MINUTE: u32 = 120;

/// Recipients of one network, good or not.
pub const RECIPIENTS_BURST: u32 = 2_000;
pub const RECIPIENTS_PER_MINUTE: u32 = 300;

/// Recipients that nobody has: an old list of a small club. Beyond, nobody is found or not found for this peer for
/// some minutes, so that searching finds nothing.
pub const UNKNOWN_BURST: u32 = 20;
pub const UNKNOWN_PER_MINUTE: u32 = 1;

/// So many unknown recipients of one connection and none that is known: that is no mail with an old address in it.
pub const SEARCH_MIN: u32 = 10;

/// What a message that somebody wants gives back of that, in hundredths: who sends much to those who are here may err
/// more often.
pub const WANTED_GIVES_BACK_PERCENT: u32 = 50;

/// How often on one connection: for a handful of letters an address may be wrong, whoever searches sends more of them.
pub const GIVEN_BACK_MAX: u32 = 20;

/// Unknown recipients of one connection beyond which each is a mistake, however many are known beside them.
pub const UNKNOWN_BESIDE_GOOD: u32 = 5;

/// Rows of the greylist that one network may make in a burst; beyond, it is asked to come again without one.
pub const GREYLIST_ROWS_BURST: u32 = 200;
pub const GREYLIST_ROWS_PER_MINUTE: u32 = 2;

/// A /48 of IPv6 has this many times what one of its /64 has: a company with some mail servers, or a hosting provider's
/// customers, but not all 65,536.
pub const SITE_FACTOR: u32 = 16;

/// Networks that are known have this many times as much of everything.
pub const KNOWN_FACTOR: u32 = 5;

/// Mistakes and unknown recipients of a connection that are answered at once: everybody errs.
pub const FREE_MISTAKES: u32 = 2;

/// The first delay; each further one is twice as long.
pub const TARPIT_FIRST: Duration = Duration::from_secs(1);

/// Longest delay: clients wait minutes (RFC 5321 §4.5.3.2), and each connection we hold costs us too.
pub const TARPIT_MAX: Duration = Duration::from_secs(16);

/// Connections that are delayed at once. More are answered at once: they may not fill our doors.
pub const TARPITTED_MAX: usize = 500;

/// From this share of all connections on, in percent, strangers are held to less.
pub const BUSY_PERCENT: usize = 50;

/// Connections at once of a stranger's network while we are busy.
pub const BUSY_PER_ADDRESS_MAX: usize = 5;

/// From this share on strangers are turned away: the rest is for those that are known.
pub const FULL_PERCENT: usize = 90;

/// A little before that, those who are here for long without bringing mail make room.
pub const FULL_MARGIN_PERCENT: usize = 10;

/// What counts as long: an honest server is through with its greetings in less.
pub const ROOM_AFTER: Duration = Duration::from_secs(10);

/// How long somebody who makes room may take to hear why.
pub const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(2);

/// Patience with strangers for commands and bodies while we are busy (RFC 5321 §4.5.3.2 wants minutes, which is for
/// quiet times; Postfix does the same under stress).
pub const BUSY_PATIENCE: Duration = Duration::from_secs(20);

/// Accounts behind one recipient whose correspondents are asked: an alias may lead to hundreds.
pub const CORRESPONDENTS_ASKED_MAX: usize = 10;
