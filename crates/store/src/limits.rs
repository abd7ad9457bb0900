//! Bounds of the store, each with its reason.

/// Keywords an account may have: rows name them by a small number, and a client that invents a
/// keyword for each message must stop somewhere.
pub const KEYWORDS_MAX: usize = 1_000;

/// Longest keyword, in bytes: what other servers allow.
pub const KEYWORD_BYTES_MAX: usize = 255;

/// Longest mailbox name, in bytes of UTF-8, over all levels.
pub const MAILBOX_NAME_BYTES_MAX: usize = 1_000;

/// Deepest mailbox: far beyond what a person can find again.
pub const MAILBOX_LEVELS_MAX: usize = 30;

/// Mailboxes of an account: a LIST of all must stay cheap.
pub const MAILBOXES_MAX: i64 = 10_000;

/// Most placements one call of [`crate::View::placements`] returns: some 100 KB.
pub const PLACEMENTS_PER_READ: usize = 2_000;

/// Most messages with envelope and structure in one piece: some 500 KB.
pub const MESSAGES_PER_READ: usize = 500;

/// Messages a bulk change touches in one transaction, so that deliveries wait no more than a few
/// milliseconds for it.
pub const MESSAGES_PER_PIECE: usize = 1_000;

/// Most changes of one commit: enough that a sync is shared by all who wait, few enough that the
/// first of them does not wait long for the last.
pub const JOBS_PER_COMMIT: usize = 128;

/// Threads, and connections, that read: two per core of a small machine. Each may hold 2 MB of
/// pages.
pub const READERS: usize = 4;

/// Connections to PostgreSQL: its commits wait for each other's sync, so more than there are cores.
pub const POSTGRES_CONNECTIONS: usize = 8;

/// How often a transaction is tried again when PostgreSQL says that it met another one.
pub const CONFLICT_RETRIES_MAX: u32 = 20;

/// Message ids one message may refer to for finding its thread: what long discussions need.
pub const THREAD_REFERENCES_MAX: usize = 20;

/// Targets of one alias: a small team. A list server is another kind of thing.
pub const ALIAS_TARGETS_MAX: i64 = 100;

/// Due recipients looked at in search of one whose destination is not busy. More than that of a
/// busy destination hide the others until some are done.
pub const QUEUE_SCAN_MAX: i64 = 20_000;

/// Memory of one password hash, in KiB, and passes over it. OWASP names this among the settings of equal
/// strength for argon2id; it is the one with the least memory, for a small host. Some 10 ms.
pub const ARGON2_KIB: u32 = 7_168;
pub const ARGON2_PASSES: u32 = 5;

/// Password hashes at one time: 14 MB and two processors at most, whoever knocks. Strangers get one of them; the other is for
/// those who come from where their account was used before.
pub const HASHES_FOR_STRANGERS: usize = 1;
pub const HASHES_RESERVED: usize = 1;
pub const HASHES_AT_ONCE: usize = HASHES_FOR_STRANGERS + HASHES_RESERVED;

/// Strangers whose passwords are hashed or wait for that: half a second of one processor. Further ones are told to come later.
pub const STRANGERS_WAITING_MAX: usize = 50;

/// When that is.
pub const CROWDED_MILLIS: i64 = 5_000;

/// Rounds of PBKDF2 in SCRAM. The client has to do them at each log-in, phones too.
pub const SCRAM_ITERATIONS: u32 = 15_000;

pub const SCRAM_SALT_BYTES: usize = 16;

/// An empty password is none. How long a good one is, is for whoever asks for it to say.
pub const PASSWORD_BYTES_MIN: usize = 1;

/// Longer ones only cost time.
pub const PASSWORD_BYTES_MAX: usize = 1_000;

/// Wrong passwords a network may send before it has to wait.
pub const FAILURES_MAX: i64 = 20;

/// How long it takes until one of them is forgotten.
pub const FAILURE_FORGIVEN_AFTER_MILLIS: i64 = 30_000;

/// Networks whose failures are remembered: some megabytes.
pub const NETWORKS_REMEMBERED_MAX: usize = 50_000;

/// Accounts whose password is remembered (hashed) after it was right: a few megabytes.
pub const VERIFIED_MAX: usize = 20_000;

/// How long it is remembered after its last use: a mail program looks for mail more often, and what is not used need not
/// lie about.
pub const VERIFIED_MILLIS: i64 = 15 * 60_000;

/// Wrong guesses that are remembered (hashed): a megabyte and a half.
pub const GUESSES_REMEMBERED_MAX: usize = 20_000;

/// How long: a program that was not told of the new password tries the old one all day.
pub const GUESS_REMEMBERED_MILLIS: i64 = 86_400_000;

/// Places a user logs in from that are remembered.
pub const FAMILIAR_NETWORKS_MAX: usize = 8;

/// Networks one rule of log-ins names: it is read at each log-in.
pub const LOGIN_NETWORKS_MAX: usize = 100;

/// App passwords of an account: a SCRAM exchange looks at all of them.
pub const APP_PASSWORDS_MAX: i64 = 50;

/// Longest name of an app password.
pub const APP_PASSWORD_NAME_BYTES_MAX: usize = 60;

/// Kinds of sign-ins (account, network, protocol, client) that are counted in memory: a few megabytes.
pub const SIGN_INS_COUNTED_MAX: usize = 10_000;

/// How often one of them is written.
pub const SIGN_IN_WRITTEN_EVERY_MILLIS: i64 = 60_000;

/// Rows of right sign-ins, and of failed ones, that an account keeps.
pub const SIGN_INS_MAX: i64 = 500;

/// How long they are kept.
pub const SIGN_INS_AGE_MILLIS: i64 = 90 * 86_400_000;

/// Networks an account is known from: somebody on the road for years.
pub const SIGN_IN_NETWORKS_MAX: i64 = 500;

/// An account must be known for so long before a log-in from elsewhere is news: in its first week its programs show up, at
/// home, at work and on the way.
pub const SIGN_IN_HISTORY_MIN_MILLIS: i64 = 7 * 86_400_000;

/// Log-ins that one user is to be told of; of more than these no message would tell.
pub const SIGN_IN_NEWS_MAX: i64 = 50;

/// Accounts with such log-ins that are looked at together.
pub const SIGN_INS_TOLD_AT_ONCE: i64 = 100;

/// Addresses that are read to find those of different neighbourhoods.
pub const FAMILIAR_PEERS_READ_MAX: i64 = 200;

/// Of what a client calls itself.
pub const CLIENT_BYTES_MAX: usize = 100;

/// Rows of the change log an account keeps. A session or a program that was away for longer reads
/// the state anew.
pub const CHANGE_LOG_ROWS_MAX: i64 = 50_000;

/// Rows housekeeping touches in one transaction.
pub const TIDY_PIECE: usize = 500;

/// Segments housekeeping looks at in one round: to sum up what is left of one takes some ten
/// milliseconds.
pub const SEGMENTS_PER_ROUND: usize = 8;

/// Kinds of sights (source, results, …) one report about one day holds: its domain's owner asked for
/// it, but somebody who forges the domain chooses them. More are only counted.
pub const REPORT_ENTRIES_PER_DAY_MAX: i64 = 5_000;

/// Domains a day's reports go to, per kind of report: who mails us from new domains all day makes us
/// note no more.
pub const REPORT_DOMAINS_PER_DAY_MAX: i64 = 10_000;

/// Reports that wait to be read. A large domain gets some hundred a day; a flood gets 4xx.
pub const REPORT_INTAKE_WAITING_MAX: i64 = 2_000;

/// A message smaller than this is bounded by their number alone: real ones have some ten kilobytes.
pub const REPORT_INTAKE_SMALL_BYTES: u64 = 500_000;

/// Bytes of all that wait, from which on no larger one is taken: no quota bounds what strangers send there.
pub const REPORT_INTAKE_WAITING_BYTES_MAX: i64 = 1_000_000_000;

/// Largest message that is taken as a report: what the largest receivers send is below 10 MB.
pub const REPORT_INTAKE_BYTES_MAX: u64 = 25_000_000;

/// Secrets for SRS that are kept: the one in use and those whose addresses may still come back.
pub const SRS_SECRETS_MAX: i64 = 4;

/// Forgotten senders of forwarded mail that one forwarding clears away: it must stay cheap.
pub const SRS_SENDERS_PER_TIDY: i64 = 100;

/// Pairs of sender and author whose mail is put off for want of DNS: some hundred kilobytes. Beyond it
/// the oldest begin anew, which costs a sender one more retry.
pub const DNS_DEFERRALS_MAX: i64 = 10_000;

/// Names under which the mail hosts of one destination are learnt: big ones have three or four.
pub const LEARNT_SITES_MAX: i64 = 16;

/// Messages that could not be read, kept and shown for one domain; the newest ones tell what goes wrong.
pub const REPORT_UNREADABLE_MAX: i64 = 200;

/// Bytes of them that are kept for one domain: the addresses for reports have no quota, and anybody can
/// send to them.
pub const REPORT_UNREADABLE_BYTES_MAX: i64 = 100_000_000;

/// Reports that nobody vouches for, kept for one domain and kind: they are listed only.
pub const REPORT_UNVOUCHED_MAX: i64 = 1_000;

/// Reports listed for one domain and kind: a hundred reporters in three months.
pub const REPORTS_LISTED_MAX: i64 = 10_000;

/// Different sights (source, results, …) one answer about a domain holds, the most frequent first.
pub const REPORT_LINES_MAX: i64 = 20_000;

/// How long it is remembered what became of each message that left: a question about last month's mail is answered,
/// and a slow change shows.
pub const DELIVERY_EVENTS_AGE_MILLIS: i64 = 90 * 86_400_000;

/// Delivery events kept at most: some 200 MB; who sends more looks back less far.
pub const DELIVERY_EVENTS_MAX: i64 = 500_000;

/// Pieces of old delivery events that one round of housekeeping removes.
pub const DELIVERY_TRIMS_PER_ROUND: usize = 20;

/// Events of one message, or newest ones of a provider, that are shown.
pub const DELIVERY_EVENTS_SHOWN_MAX: i64 = 1_000;

/// Events that one summary looks at: a tenth of a second.
pub const DELIVERY_EVENTS_SUMMED_MAX: i64 = 50_000;

/// Incidents that are open at once: more than that is one trouble of ours, and told long ago.
pub const INCIDENTS_OPEN_MAX: i64 = 500;

/// How long an incident is remembered after its end, and after how much silence it counts as over.
pub const INCIDENTS_AGE_MILLIS: i64 = 90 * 86_400_000;

/// How long a notice stays on the board.
pub const NOTICES_AGE_MILLIS: i64 = 30 * 86_400_000;

/// Notices that are read at once.
pub const NOTICES_SHOWN_MAX: i64 = 200;

/// A provider that nothing was sent to for so long is met without prejudice.
pub const STANDINGS_AGE_MILLIS: i64 = 60 * 86_400_000;

/// Findings that are looked at: a server with thousands of domains may have many.
pub const FINDINGS_MAX: i64 = 2_000;

/// How long a finding is remembered after it was well again.
pub const FINDINGS_AGE_MILLIS: i64 = 365 * 86_400_000;

/// Ways to tell the operator.
pub const CHANNELS_MAX: i64 = 20;

/// Messages to the operator that are sent at once.
pub const POSTS_PER_RUN: i64 = 50;

/// Addresses of one domain that an account wrote to, counted up to this: more say no more.
pub const CORRESPONDENTS_COUNTED_MAX: i64 = 50;

/// How long it takes until what a sender did counts half: addresses change hands within months.
pub const REPUTATION_HALF_LIFE_MILLIS: i64 = 30 * 86_400_000;

/// Accounts whose word on one sender is read: enough to see who disagrees.
pub const REPUTATION_VOICES_READ_MAX: i64 = 50;

/// How long somebody is remembered who was only heard from: those who write once a year begin anew.
pub const HEARD_FROM_AGE_MILLIS: i64 = 270 * 86_400_000;

/// Addresses remembered for an account that it only heard from, and that it wrote to: a busy person's lifetime.
pub const CORRESPONDENTS_HEARD_MAX: i64 = 20_000;
pub const CORRESPONDENTS_WRITTEN_MAX: i64 = 100_000;

/// Senders without news for so long have no reputation: four half-lives.
pub const REPUTATION_AGE_MILLIS: i64 = 4 * REPUTATION_HALF_LIFE_MILLIS;

/// Senders with a reputation, and words of accounts on them: some 40 MB each.
pub const REPUTATION_ROWS_MAX: i64 = 400_000;

/// Messages of Sent that are read in one transaction for whom they went to: some milliseconds.
pub const SEED_MESSAGES_PER_PIECE: i64 = 100;

/// Such pieces in one round: 50,000 messages.
pub const SEED_PIECES_PER_ROUND: usize = 500;

/// Recipients of one message in Sent that make correspondents: more is a circular.
pub const SEED_RECIPIENTS_MAX: usize = 50;

/// How long whoever is known only from a message filed in Sent counts as new where new recipients are limited: by then a
/// thief of a password is found out.
pub const SEED_PROVISIONAL_MILLIS: i64 = 3 * 86_400_000;

/// Groups of like messages that a new one is compared with: those of a day that anybody writes, or some of a flood.
pub const SENDING_GROUPS_COMPARED_MAX: i64 = 64;

/// Networks that an account sends from and that are remembered: home, work, and what a phone meets on the way.
pub const SENDING_NETWORKS_MAX: i64 = 64;

/// A network that was not used for so long is strange again.
pub const SENDING_NETWORKS_AGE_MILLIS: i64 = 180 * 86_400_000;

/// Groups that are listed, and messages of one that are shown: the first ones tell what it is.
pub const GROUPS_SHOWN_MAX: i64 = 1_000;
pub const GROUP_MEMBERS_SHOWN_MAX: i64 = 100;

/// Alarms of an account that are shown, and how long a released one is remembered.
pub const ALARMS_SHOWN_MAX: i64 = 50;
pub const ALARMS_AGE_MILLIS: i64 = 365 * 86_400_000;

/// Delivery events that are searched for whom an account reached, and addresses that are named.
pub const REACHED_EVENTS_MAX: i64 = 100_000;
pub const REACHED_SHOWN_MAX: usize = 200;

/// Messages in quarantine: more than an operator looks through.
pub const HELD_MAX: i64 = 10_000;

/// Bytes of messages in quarantine: no quota bounds what strangers get in there.
pub const HELD_BYTES_MAX: i64 = 2_000_000_000;

/// The operator is told when so much of the quarantine is used: with a day's flood still to come there is time to look.
pub const HELD_TOLD_PERCENT: i64 = 80;

/// Held messages that make room for one, in its transaction.
pub const HELD_DROPPED_AT_ONCE_MAX: i64 = 1_000;

/// Held messages that are listed at once.
pub const HELD_LISTED_MAX: i64 = 1_000;

/// Longest reason, subject or list of recipients that is shown of a held message.
pub const HELD_SHOWN_BYTES_MAX: usize = 4_000;

/// Features that are kept of one lesson: each is a row to change, some microseconds.
pub const LESSON_FEATURES_MAX: usize = 1_000;

/// Features that are asked for at once, for a verdict.
pub const TAUGHT_FEATURES_READ_MAX: usize = 1_000;

/// Lessons of an account that wait to be counted: a mailbox that is moved as a whole. More teach nothing.
pub const LESSONS_WAITING_MAX: i64 = 20_000;

/// Lessons of each class that an account keeps: some years of a busy person, some ten megabytes. Older ones are taken back.
pub const LESSONS_PER_CLASS_MAX: i64 = 5_000;

/// Kept messages are learnt as wanted until there are so many wanted lessons, or as many as of junk.
pub const COUNTERWEIGHTS_MAX: i64 = 100;

/// The newest messages among which they are looked for.
pub const COUNTERWEIGHTS_LOOKED_AT: i64 = 300;

/// Who left a message that was read where it is for so long keeps it.
pub const COUNTERWEIGHT_AGE_MILLIS: i64 = 3 * 86_400_000;

/// How often a message is looked at that cannot be learnt.
pub const LESSON_ATTEMPTS_MAX: i64 = 3;

/// For how many lessons of a feature one account counts in what counts for all: whoever teaches ten thousand has no louder
/// voice than whoever teaches three.
pub const TEACHER_COUNT_MAX: i64 = 3;

/// So many accounts must have taught a feature before it speaks to others: two of a family.
pub const TEACHERS_MIN: i64 = 2;

/// Where many teach, more must agree, up to so many: a thief has the passwords of two or three, not of eight.
pub const TEACHERS_NEEDED_MAX: i64 = 8;

/// An account that is younger is not heard by others: whoever can make accounts would have as many voices as are needed.
pub const TEACHER_YOUNG_MILLIS: i64 = 7 * 86_400_000;

/// Features of an account that are brought into the counts of all in one transaction.
pub const VOICES_RAISED_PIECE: i64 = 500;

/// How long it is remembered what the filter junked, and how much of its reason.
pub const JUNKED_AGE_MILLIS: i64 = 35 * 86_400_000;
pub const JUNKED_REASON_BYTES_MAX: usize = 200;

/// Entries on the lists of one account, domain or server: a list, not a database; networks are looked through one by one.
pub const SENDER_RULES_MAX: i64 = 5_000;

/// Levels of a sender's domain that are looked for on the lists.
pub const SENDER_RULE_LEVELS_MAX: usize = 10;

/// Choices about the filter, or changes of them, that are shown.
pub const SPAM_CHOICES_SHOWN_MAX: i64 = 1_000;

/// App passwords made within so long before sending was locked may be the intruder's own.
pub const APP_PASSWORDS_RECENT_MILLIS: i64 = 30 * 86_400_000;

/// How long it is known which messages an account sent: answers come within weeks.
pub const SENT_IDS_AGE_MILLIS: i64 = 180 * 86_400_000;

/// Messages that are looked through for one that somebody asks about, and places of each that are named.
pub const FOUND_MESSAGES_MAX: i64 = 200;
pub const FOUND_PLACES_MAX: i64 = 20;

/// Domains of correspondents that a stranger's is compared with: what a person's mail has.
pub const CORRESPONDENT_DOMAINS_READ_MAX: i64 = 200;
