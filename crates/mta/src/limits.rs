//! Bounds of mail in and out, each with its reason.

use std::time::Duration;

/// How far beyond the threshold mail for postmaster or abuse must be to go into the junk folder, in log-odds: complaints quote
/// spam, and few of them reach this; a message to a person is as good as sure at half of it.
pub const ROLE_MARGIN: f32 = 5.0;

/// Wanted mail makes a sender familiar from this many days on: what comes in a run of spam is mostly of one night, and within
/// some days people say so.
pub const FAMILIAR_AFTER_DAYS: u64 = 3;

/// Largest message by default: what Gmail and Outlook take and send, with their base64 overhead.
pub const MESSAGE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Recipients of one message. RFC 5321 §4.5.3.1.8 wants at least 100.
pub const RECIPIENTS_MAX: usize = 1_000;

/// SMTP connections at once: each costs some 10 KB when idle, far more while a body comes in.
pub const CONNECTIONS_MAX: usize = 2_000;

/// SMTP connections at once from one address: what big senders open to one MX, with room.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 50;

/// Connections of one account at once: a person with many devices and a newsletter tool stays far below.
pub const CONNECTIONS_PER_ACCOUNT_MAX: usize = 50;

/// Addresses whose connections are counted: a table, not a leak.
pub const COUNTED_ADDRESSES_MAX: usize = 100_000;

/// A body must come in at this average rate (the slowest line of today is faster by far), over and
/// above the patience of each read: holding a connection must cost the other side something.
pub const BYTES_PER_SEC_MIN: u32 = 512;

/// Bodies that are on their way in, all together; one peer's have an eighth at most. Beyond it
/// senders wait a little and then hear 452.
pub const BODIES_IN_FLIGHT_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Bodies that are on their way out, all together: many large ones take turns. In KiB.
pub const BODIES_LEAVING_KIB_MAX: u32 = 256 * 1024;

/// Set aside for a body before it comes; more is added while it does. A larger size that is only
/// announced counts for nothing: a few such claims would keep everybody else out.
pub const BODY_BYTES_SET_ASIDE: usize = 256 * 1024;

/// How often a body under way is weighed against what was set aside for it.
pub const BODY_WEIGHING: Duration = Duration::from_secs(1);

/// From this size on parsing, encoding or signing a body moves off the event loop, which must not stall for long.
pub const INLINE_PARSE_BYTES_MAX: usize = 512 * 1024;

/// From this size on verifying moves to a thread of its own: hashing that much takes some milliseconds. Not
/// earlier, since the thread also waits for the DNS, and there are not many of them.
pub const INLINE_VERIFY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Up to this size a body is read where it is needed: what was queued a moment ago is in memory, and
/// handing the work over costs more than doing it.
pub const INLINE_READ_BYTES_MAX: u64 = 128 * 1024;

/// Longest reply of another server that is kept, logged and told: the first thousand characters of an
/// essay say enough.
pub const REPLY_CHARS_MAX: usize = 1_000;

/// A message that passed so many hosts is in a loop. RFC 5321 §6.3 wants a large number; real mail
/// stays below 30, mail through several lists and forwarders below 50.
pub const RECEIVED_FIELDS_MAX: usize = 60;

/// A message that passed this host so often is in a loop: once out, once back from a list, and some
/// forwarding in between are legitimate.
pub const OWN_RECEIVED_FIELDS_MAX: usize = 6;

/// RFC 5321 §4.5.4.1: the give-up time is at least four to five days.
pub const QUEUE_LIFETIME: Duration = Duration::from_secs(5 * 86_400);

/// When a sender first hears that a message is late. Most trouble is over by then.
pub const DELAY_REPORT_AFTER: Duration = Duration::from_secs(4 * 3_600);

/// The pauses between attempts, in seconds; the last one repeats. Quick at first because greylisting
/// and restarts are over in minutes; RFC 5321 §4.5.4.1 asks for 30 minutes between later ones.
pub const RETRY_PAUSES_SECS: [u64; 7] = [60, 300, 900, 1_800, 3_600, 7_200, 14_400];

/// Pauses vary by this many per cent either way, so that what failed together does not come back
/// together.
pub const RETRY_JITTER_PERCENT: u64 = 20;

/// Recipients taken from the queue and held in memory at most: enough to keep all connections busy.
pub const CLAIMED_RECIPIENTS_MAX: usize = 2_000;

/// Recipients taken with one look at the queue.
pub const CLAIM_RECIPIENTS_MAX: usize = 500;

/// Recipients of one domain held in memory at most, so that a slow one leaves room for others.
pub const CLAIMED_PER_DOMAIN_MAX: usize = 500;

/// Attempts at once over all destinations: sockets and bodies in memory.
pub const ATTEMPTS_MAX: usize = 200;

/// Attempts at once to one destination: at the start, and at most. As Postfix has had it for long;
/// big receivers complain above it.
pub const WINDOW_START: usize = 5;
pub const WINDOW_MAX: usize = 20;

/// So many failed connections in a row, and what waits for that destination is put off unasked.
pub const FAILURES_UNTIL_DEAD: u32 = 3;

/// Destinations whose window is remembered.
pub const LANES_MAX: usize = 10_000;

/// Recipients in one SMTP transaction: every server must take 100 (RFC 5321 §4.5.3.1.8).
pub const RECIPIENTS_PER_TRANSACTION_MAX: usize = 100;

/// Messages over one connection before it is closed: some servers count, and DNS may have changed.
pub const MESSAGES_PER_CONNECTION_MAX: u32 = 500;

/// How long an idle connection to another server is kept for the next message: they time out
/// within minutes, and it occupies one of their slots.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(5);

/// Idle connections kept per destination and in all.
pub const IDLE_PER_DESTINATION_MAX: usize = 20;
pub const IDLE_MAX: usize = 200;

/// For one TCP connection: what is not there within 30 seconds hardly ever comes.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// Hosts and addresses tried in one attempt: RFC 5321 §5.1 wants at least two.
pub const ADDRESSES_PER_ATTEMPT_MAX: usize = 6;
pub const MX_HOSTS_MAX: usize = 20;

/// An attempt, everything included. A server that drips replies must not hold a slot for days.
pub const ATTEMPT_PATIENCE: Duration = Duration::from_secs(3_600);

/// How long a taken recipient stays ours without a sign of life, and how often we give one.
pub const LEASE: Duration = Duration::from_secs(300);
pub const LEASE_BEAT: Duration = Duration::from_secs(60);

/// How long a stop waits for attempts in flight.
pub const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How long routes are believed without asking the DNS again, and how many are remembered.
pub const ROUTE_AGE: Duration = Duration::from_secs(60);
pub const ROUTES_MAX: usize = 5_000;

/// After trouble with the store the queue waits so long before it looks again.
pub const STORE_PAUSE: Duration = Duration::from_secs(5);

/// The result of an attempt is written down again and again, for a day: losing it means sending twice,
/// and a full disk may take the operator a night to notice.
pub const FINISH_TRIES_MAX: u32 = 1_500;
pub const FINISH_PAUSE_MAX: Duration = Duration::from_secs(60);

/// A report returns the whole message (RET=FULL) up to this size, else its header.
pub const RETURNED_BYTES_MAX: usize = 1024 * 1024;

/// Recipients named in one report; a list of thousands helps nobody.
pub const REPORTED_RECIPIENTS_MAX: usize = 200;

/// Longest line that may travel without the line end. RFC 5322 §2.1.1.
pub const LINE_BYTES_MAX: usize = 998;

/// Domains whose signing keys are kept ready.
pub const SIGNERS_MAX: usize = 1_000;

/// How long signing keys are used without looking for new ones.
pub const SIGNER_AGE: Duration = Duration::from_secs(30);

/// How long a return address of forwarded mail is good: five days in our queue, five in the next one,
/// and as much again for detours. The same three weeks as in other programs.
pub const SRS_VALID: Duration = Duration::from_secs(21 * 86_400);

/// After so long a new secret is used for return addresses. Those before it (the store keeps four) are
/// good for checking far longer than any address.
pub const SRS_SECRET_AGE: Duration = Duration::from_secs(90 * 86_400);

/// All questions to the DNS about one message, counted from the end of its body: the peer waits. RFC 7208
/// §4.6.4 wants at least 20 seconds for SPF, which began at MAIL already.
pub const VERIFY_PATIENCE: Duration = Duration::from_secs(20);

/// Questions to the DNS under way about one message: an honest one has some ten, most of them answered from
/// the cache. One with every signature and seal that we look at could ask a hundred at once.
pub const QUESTIONS_PER_MESSAGE_MAX: usize = 16;

/// The same for all messages of one peer, which may be a provider with many honest senders.
pub const QUESTIONS_PER_PEER_MAX: usize = 96;

/// Peers that are remembered before those are forgotten that nobody asks about: more than can be connected.
pub const PEERS_ASKED_ABOUT_MAX: usize = 4_096;

/// How long mail whose genuineness the DNS does not tell is put off, for one sender in the name of one
/// domain. Trouble of zones is over by then, or will last.
pub const DNS_DEFERRAL: Duration = Duration::from_secs(6 * 3_600);

/// A sender who did not come back for so long begins anew.
pub const DNS_DEFERRAL_FORGET: Duration = Duration::from_secs(7 * 86_400);

/// Fields named List-Id and the like are looked for among so many.
pub const FIELDS_LOOKED_AT_MAX: usize = 500;

/// How long a fetch of an MTA-STS policy may take: what RFC 8461 §3.3 suggests.
pub const STS_FETCH_PATIENCE: Duration = Duration::from_secs(60);

/// An announced policy that could not be fetched is left alone so long. RFC 8461 §3.3: five minutes.
pub const STS_FAILURE_PAUSE: Duration = Duration::from_secs(300);

/// Such failures remembered.
pub const STS_FAILURES_MAX: usize = 10_000;

/// A policy is fetched anew so often at least (or when half its time is over), so that it never ends
/// for want of asking. RFC 8461 §10.2 suggests a day.
pub const STS_REFRESH: Duration = Duration::from_secs(86_400);

/// After a refresh that failed.
pub const STS_RETRY: Duration = Duration::from_secs(3_600);

/// Policies fetched anew in one round, one after the other.
pub const STS_REFRESHES_MAX: usize = 200;

/// The last use of a policy is known to so much.
pub const STS_USE_STEP: Duration = Duration::from_secs(86_400);

/// A policy that no mail has asked for so long is not looked after any more.
pub const STS_UNUSED: Duration = Duration::from_secs(90 * 86_400);

/// How often policies are looked after.
pub const POLICY_UPKEEP: Duration = Duration::from_secs(3_600);

/// A destination that had valid TLS for so long may not lose it unnoticed.
pub const LEARNT_AFTER: Duration = Duration::from_secs(30 * 86_400);

/// What was learnt and not confirmed for so long is forgotten: it may be another's domain by now.
pub const LEARNT_UNUSED: Duration = Duration::from_secs(180 * 86_400);

/// Destinations whose newest lesson is remembered, to spare the store.
pub const LESSONS_REMEMBERED_MAX: usize = 20_000;

/// Signatures of one message that a report to its author's domain names: what honest mail has, doubled.
pub const SIGNATURES_REPORTED_MAX: usize = 10;

/// Signatures that a refusal speaks of: its lines are short.
pub const SIGNATURES_TOLD_MAX: usize = 3;

/// Groups of mail hosts, and senders' domains there, that are treated in their own way. Most have none.
pub const STANDINGS_MAX: usize = 10_000;

/// How long a message stands aside whose sender's domain has as much under way there as it may have, while others go on.
pub const SENDER_TURN_SECS: u64 = 10;

/// Connections to one group at once where nothing is known of it; each destination's window bounds it anyway.
pub const CONNECTIONS_USUAL_MAX: u16 = 20;

/// A provider that blocks our address is asked again no sooner than this, by one message.
pub const BLOCK_PAUSE_SECS_MIN: u32 = 3_600;

/// First contact is put off: the pauses that let most greylists pass, from the same address.
pub const GREYLIST_PAUSES_SECS: [u64; 3] = [120, 360, 900];

/// How long IPv6 is left alone towards a group where it failed and IPv4 did not; twice as long each time, up to
/// 32 hours.
pub const IPV6_PAUSE_SECS: u64 = 3_600;
pub const IPV6_DOUBLINGS_MAX: u32 = 5;

/// Replies that a standing remembers are cut to this.
pub const LAST_SAID_CHARS_MAX: usize = 2_000;

/// How long a notice of refused mail waits where it is only slowed down: most of that is over by then.
pub const RATE_NOTICE_AFTER_SECS: u64 = 3_600;

/// An incident that comes back so soon is the same one: nobody is told again.
pub const INCIDENT_REOPENED_WITHIN_SECS: u64 = 86_400;

/// Messages that wait for a slow provider are spread over so long at most.
pub const SPREAD_SECS_MAX: u64 = 4 * 3_600;

/// Lines of one reply that are kept: providers send ten at most.
pub const REPLY_LINES_MAX: usize = 16;

/// Attempts of the last minute that are counted towards a group: limits by the minute are far below.
pub const SENT_COUNTED_MAX: usize = 1_000;

/// Longest Message-ID that a delivery event remembers: a line's length.
pub const MESSAGE_ID_CHARS_MAX: usize = 998;

/// How long mail waits for a provider that blocks our address, where it is kept: such blocks last for days, and those
/// who can lift them take days to answer.
pub const HELD_LIFETIME: Duration = Duration::from_secs(14 * 86_400);

/// How long after a message's time its last attempt may still end: longer than [`ATTEMPT_PATIENCE`], and what waits for its turn.
pub const LAST_ATTEMPT_LASTS: Duration = Duration::from_secs(4 * 3_600);

/// All filters together, for one message. The peer waits ten minutes for the answer to its last dot (RFC 5321 §4.5.3.2.6), and other
/// steps need time as well.
pub const FILTERS_PATIENCE: Duration = Duration::from_secs(300);

/// One filter's last answer by default: what Postfix and clamd's clients wait for.
pub const FILTER_PATIENCE: Duration = Duration::from_secs(120);

/// A filter is on this machine or beside it.
pub const FILTER_CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Messages that one filter looks at together: clamd has ten threads, and rspamd some workers. More wait for their turn.
pub const FILTER_AT_ONCE: usize = 20;

/// Messages that a filter lets wait in vain, one after the other, before it rests: one alone may be an odd message.
pub const FILTER_SILENT_MAX: u32 = 3;

/// How long one that was silent is not asked: then one message finds out whether it answers, and waits for it alone.
pub const FILTER_REST: Duration = Duration::from_secs(10);

/// A kept connection to a milter: most close what is silent for some minutes.
pub const FILTER_IDLE: Duration = Duration::from_secs(30);

/// Kept connections to one milter.
pub const FILTER_IDLE_MAX: usize = 5;

/// Messages over one connection to a milter: what leaks there ends there.
pub const FILTER_MESSAGES_MAX: u32 = 200;

/// What filters may add to a message beyond the largest that is taken.
pub const FILTER_GROWTH_BYTES_MAX: usize = 1024 * 1024;

/// How long the quarantine keeps a message; what a filter wanted thrown away is kept for the time of a complaint.
pub const HELD_DAYS: i64 = 30;
pub const DISCARDED_DAYS: i64 = 7;

/// Of a file's name, in a reply or a header field.
pub const ATTACHMENT_NAME_CHARS_MAX: usize = 120;

/// From this size on the spam filter looks at a message off the event loop: some milliseconds.
pub const INLINE_SPAM_BYTES_MAX: usize = 64 * 1024;

/// How long a message waits for block lists, counted from its end. What they did not say by then is not known: most questions
/// began at MAIL.
pub const BLOCKLISTS_PATIENCE: Duration = Duration::from_secs(2);

/// How long one question to a block list may take.
pub const BLOCKLIST_PATIENCE: Duration = Duration::from_secs(5);

/// Messages of users whose links are looked up at the same time; their senders do not wait for it. In a flood not every message
/// needs to be looked at.
pub const SENT_LINKS_LOOKED_UP_MAX: usize = 64;

/// How long that may take: a slow list, and its test.
pub const SENT_LINKS_PATIENCE: Duration = Duration::from_secs(15);

/// What becomes of a message within this time counts for or against the account that sent it.
pub const ACCOUNT_BLAMED_WITHIN: Duration = Duration::from_secs(86_400);

/// How often a block list is asked about itself. RFC 5782 §5 asks for it now and then.
pub const BLOCKLIST_TEST_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// A block list that fails its test is left alone so long.
pub const BLOCKLIST_BROKEN_PAUSE: Duration = Duration::from_secs(3_600);

/// So often in a row a block list may be silent or late; then it is left alone for a while.
pub const BLOCKLIST_SLOW_MAX: u32 = 3;
pub const BLOCKLIST_SLOW_PAUSE: Duration = Duration::from_secs(300);

/// Block lists that are asked: each costs a question for each message.
pub const BLOCKLISTS_MAX: usize = 32;

/// How long the operator's choice of block lists, and our own domains, are used without looking for new ones.
pub const BLOCKLIST_CHOICES_AGE: Duration = Duration::from_secs(30);
pub const OWN_DOMAINS_AGE: Duration = Duration::from_secs(30);

/// Own domains that the filter protects from look-alikes: to compare with more costs too much.
pub const OWN_DOMAINS_MAX: usize = 1_000;

/// Recipients that the filter looks at as addresses.
pub const RECIPIENTS_LOOKED_AT_MAX: usize = 20;

/// Domains of links of one message that block lists are asked about.
pub const LINK_DOMAINS_LOOKED_UP_MAX: usize = 8;

/// Messages that one says it answers, looked up among those that were sent from here.
pub const ANSWERED_LOOKED_UP_MAX: usize = 6;

/// Senders whose standing is kept in memory: some megabytes.
pub const REPUTATIONS_REMEMBERED_MAX: usize = 10_000;

/// Senders whose new counts are written down at once: some milliseconds.
pub const REPUTATIONS_WRITTEN_AT_ONCE: usize = 200;

/// Files in an archive from which on scripts in it are source code: those who attack pack one or two.
pub const FILES_OF_SOURCE_MIN: usize = 12;

/// Bodies of one message that differ by what the filter says of its recipients' own past with the sender, and what they may take
/// together: beyond these the reasons that all share must do, so that a newsletter for everybody is not stored once for each.
pub const PERSONAL_COPIES_MAX: usize = 8;
pub const PERSONAL_COPIES_BYTES_MAX: usize = 32 * 1024 * 1024;

/// From more accounts on what is known of a sender is read and judged off the event loop: some milliseconds.
pub const INLINE_JUDGED_ACCOUNTS_MAX: usize = 4;

/// Accounts whose correspondents' domains are compared with the author's: beyond them it is a newsletter.
pub const ACCOUNTS_COMPARED_MAX: usize = 20;
