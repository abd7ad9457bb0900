//! Bounds of the bans, each with its reason.

use std::time::Duration;

/// Misdeeds add up to points; so many, and the door closes. Ten different wrong passwords, five names that nobody
/// has: people mistype two or three times, programs that guess do not stop there.
pub const POINTS_MAX: i64 = 100;

/// A point is forgiven after this time: all hundred in twelve hours, so that a slow guesser gets some twenty tries a
/// day, of the millions that it needs.
pub const POINT_FORGIVEN_AFTER_MILLIS: i64 = 12 * 3_600_000 / POINTS_MAX;

/// How long each ban of the same network lasts, the next longer than the last.
pub const BAN_STEPS: [Duration; 5] = [
    Duration::from_secs(600),
    Duration::from_secs(3_600),
    Duration::from_secs(8 * 3_600),
    Duration::from_secs(86_400),
    Duration::from_secs(7 * 86_400),
];

/// A network that was quiet for so long after its last ban begins anew: addresses change hands.
pub const BAN_FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 86_400);

/// Networks whose misdeeds are remembered at once: some 20,000 at under 800 bytes, 16 MB at the very most.
pub const CONDUCTS_MAX: usize = 20_000;

/// Guesses and names remembered of one network: more than it takes to be banned.
pub const GUESSES_REMEMBERED: usize = 24;

/// SCRAM shows no password, so an old phone looks like a guesser: of one login, such a failure counts once in this
/// time, as long as there are not more than
pub const UNSHOWN_COUNTED_EVERY_MILLIS: i64 = 3_600_000;

/// so many, one a minute: a device asks no oftener, and a guesser learns little by as many.
pub const UNSHOWN_AN_HOUR: u32 = 60;

/// After so long it counts as the first again.
pub const UNSHOWN_FORGOTTEN_AFTER_MILLIS: i64 = 86_400_000;

/// Logins so remembered of one network: the old phones of a family. Beyond, each counts in full.
pub const UNSHOWN_REMEMBERED: usize = 8;

/// Bans held at once, ended ones included: 100,000 at some 100 bytes. Beyond, those that end first go.
pub const BANS_MAX: usize = 100_000;

/// So many banned /64 of one /56, and all of it is banned: a customer has that much.
pub const SIXTY_FOURS_OF_56: usize = 8;

/// So many banned blocks of one /48, and all of it is banned: a site has that much.
pub const BLOCKS_OF_48: usize = 24;

/// Blocks of IPv6 whose misdeeds are counted together, whatever /64 they come from, and how many times as much each may
/// do: as many times as it may have banned parts.
pub const SITES: [(u8, i64); 2] = [(56, SIXTY_FOURS_OF_56 as i64), (48, BLOCKS_OF_48 as i64)];

/// Such blocks remembered at once; apart from single networks, so that a crowd of those does not make us forget them.
pub const SITES_MAX: usize = 10_000;

/// A network that somebody logged in from within this time is a home of people: whatever a neighbour does, the doors
/// for people stay open to it.
pub const HOME_REMEMBERED: Duration = Duration::from_secs(14 * 86_400);

/// Homes remembered: a person has a handful in two weeks, a large provider some ten thousands.
pub const HOMES_MAX: usize = 100_000;

/// Names that fail from a home within
pub const HOME_LOGINS_WINDOW_MILLIS: i64 = 3_600_000;

/// this time, other than of those who logged in from there: people of an office whose devices came up after a power
/// cut, but no list of names.
pub const HOME_LOGINS_MAX: usize = 10;

/// When there were more, only who logged in from there before may log in for so long: some thirty names a day are
/// left to one who guesses.
pub const HOME_CLOSED_MILLIS: i64 = 8 * 3_600_000;

/// Homes of which failed names are remembered: 200 bytes each.
pub const SPRAYED_HOMES_MAX: usize = 20_000;

/// A home is written down again after this time, not at each log-in.
pub const HOME_WRITTEN_EVERY: Duration = Duration::from_secs(86_400);

/// Allowances of the operator: each is looked at for every misdeed.
pub const ALLOWANCES_MAX: usize = 1_000;

/// How far back bans of other nodes are read again: their clocks differ a little.
pub const REREAD_OVERLAP_MILLIS: i64 = 60_000;

/// The words of a ban or an allowance.
pub const WORDS_BYTES_MAX: usize = 300;

/// Bans within an hour that the operator is told of, once.
pub const SURGE_BANS: usize = 50;

/// The hour.
pub const SURGE_WINDOW: Duration = Duration::from_secs(3_600);

/// A try of the greylist that nobody repeated: longer than any queue waits.
pub const GREYLIST_KEPT: Duration = Duration::from_secs(5 * 86_400);

/// Rows of the greylist: some 150 bytes each, 30 MB. Beyond, those not tried for longest go.
pub const GREYLIST_ROWS_MAX: i64 = 200_000;

/// Networks whose mail was taken: a little longer than `mta` believes in them.
pub const KNOWN_PEERS_KEPT: Duration = Duration::from_secs(40 * 86_400);

/// Those of a large server in forty days.
pub const KNOWN_PEERS_MAX: i64 = 500_000;

/// Networks of one sender's pool that are looked at for each try: more than enough to know it for one.
pub const POOL_NETWORKS_MAX: i64 = 64;
