//! How much is too much for a person, each number with its reason. Counts are passed by what is more than them.

use std::time::Duration;

/// First-time recipients in a day beyond which mail is held and its sender asked. A person rarely writes to 200 new people; a
/// club that greets 150 new members must pass. Below 200, so that with what left before an alarm nobody sends more than that.
pub(super) const FIRST_TIME_PER_DAY: u64 = 160;

/// From these on mail to new people waits for some minutes: time for an alarm to overtake it. From a network that the account
/// is at home in, a party for 60 leaves at once.
pub(super) const FIRST_TIME_PER_HOUR_DELAYED: u64 = 30;
pub(super) const FIRST_TIME_PER_HOUR_DELAYED_AT_HOME: u64 = 60;
pub(super) const FIRST_TIME_PER_DAY_DELAYED: u64 = 100;

/// Recipients in a day, known ones included: a newsletter to 150 members and a busy day pass.
pub(super) const RECIPIENTS_PER_DAY: u64 = 200;

/// As far as that grows with an account's own habits: half as much again as its second busiest day of a month.
pub(super) const RECIPIENTS_PER_DAY_BY_HABIT_MAX: u64 = 500;

/// Known recipients in an hour beyond which mail waits for some minutes: a newsletter to 150 members passes.
pub(super) const KNOWN_PER_HOUR_DELAYED: u64 = 160;

/// Times what is usual in an hour.
pub(super) const KNOWN_PER_HOUR_HABIT: u64 = 5;

/// Single messages in ten minutes: nobody types that fast, but a mail merge does, and may wait.
pub(super) const MESSAGES_PER_TEN_MINUTES: u64 = 60;

/// Recipients at this server in a day. They cost no reputation, but a flood is a flood.
pub(super) const LOCAL_PER_DAY: u64 = 1_000;

/// Messages with an empty reverse-path, or that a program wrote: receipts of reading are few, a loop is not.
pub(super) const AUTOMATIC_PER_HOUR: [u64; 2] = [30, 100];

/// First-time recipients of messages that are alike, within ten minutes.
pub(super) const ALIKE: [u64; 2] = [20, 50];
pub(super) const ALIKE_AT_HOME: [u64; 2] = [60, 100];

/// Two messages are alike from so much in common, in per cent: names, numbers and every third word may differ.
pub(super) const ALIKE_PERCENT: u32 = 40;

/// Refused for good, in per cent of the day's recipients; old lists have some dead addresses, bought ones have many. Fewer
/// than ten say nothing.
pub(super) const FAILED_PERCENT: [u64; 2] = [10, 25];
pub(super) const FAILED_MIN: u64 = 10;

/// Recipients in an hour that do not exist.
pub(super) const UNKNOWN_PER_HOUR: [u64; 2] = [5, 15];

/// Refusals in an hour that call the very message spam.
pub(super) const BLAMED_PER_HOUR: [u64; 2] = [1, 4];

/// Of the last ten messages, those that our own filter would not trust.
pub(super) const SPAM_LIKE: [u64; 2] = [1, 4];

/// Messages in a day with a link that a block list has. One may quote what its writer warns of.
pub(super) const LISTED_PER_DAY: [u64; 2] = [0, 2];

/// Networks in an hour: home, work and two of a phone are usual; a herd of machines has more.
pub(super) const NETWORKS_PER_HOUR: [u64; 2] = [4, 8];

/// Days with mail from which on there are habits.
pub(super) const ACTIVE_DAYS_MIN: u64 = 10;

/// An account is at home where it was seen so long ago.
pub(super) const AT_HOME_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// A new app password used from a new network.
pub(super) const APP_PASSWORD_NEW: Duration = Duration::from_secs(86_400);

/// First-time recipients of a day without which failures alone are no alarm: who writes to known people may have trouble with
/// one provider.
pub(super) const FIRST_TIME_MIN: u64 = 10;

/// How long mail waits that is delayed. An intruder in a hurry has shown himself by then, and a person hardly notices.
pub(super) const DELAY: Duration = Duration::from_secs(600);

/// Limits are so much wider for a day after somebody said that it is well.
pub(super) const RAISED_TIMES: u64 = 3;

/// Text that is looked at for likeness, and words of it.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024;
pub(super) const WORDS_MAX: usize = 4_000;

/// Longest subject that is kept for a group.
pub(super) const SUBJECT_CHARS_MAX: usize = 120;

/// Addresses that the message to a user names; the operator's command shows more.
pub(super) const REACHED_TOLD_MAX: usize = 50;

/// So much surer than for junk must the filter be to distrust what a user sends: in log-odds, twenty to one.
pub(super) const DISTRUST: f32 = 3.0;
