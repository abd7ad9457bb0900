//! Bounds of sending and reading reports, each with its reason.

use std::time::Duration;

/// How often it is looked what came in and what is due.
pub const LOOK_PERIOD: Duration = Duration::from_secs(15 * 60);

/// Messages read in one run: some seconds of work.
pub const READ_PER_RUN: usize = 200;

/// Reading one message is given up after so many runs that it did not survive.
pub const READ_ATTEMPTS_MAX: u32 = 3;

/// Sources looked up in one run: each costs some questions to the DNS.
pub const LOOK_UPS_PER_RUN: usize = 500;

/// Sources looked up at one time.
pub const LOOK_UPS_AT_ONCE: usize = 20;

/// How long one source may take.
pub const LOOK_UP_PATIENCE: Duration = Duration::from_secs(30);

/// Days planned or sent in one run.
pub const DAYS_PER_RUN: usize = 500;

/// A day's reports leave no earlier than this after its end, so that late attempts are in them ...
pub const SEND_FROM: Duration = Duration::from_secs(30 * 60);

/// ... and spread over so long, so that not all the world's reports arrive at midnight (RFC 9990 §3.5,
/// RFC 8460 §5.4).
pub const SEND_SPREAD: Duration = Duration::from_secs(6 * 60 * 60);

/// The pause after a first failure; it doubles each time.
pub const RETRY_FIRST: Duration = Duration::from_secs(60 * 60);

/// Failures after which a day's report is dropped: two and a half days.
pub const ATTEMPTS_MAX: u32 = 6;

/// Destinations one domain's report goes to: RFC 9990 §3.5 leaves the number to us; RFC 7489 named two.
pub const DESTINATIONS_MAX: usize = 5;

/// Rows of one report. With 700 bytes each, of which packing leaves a tenth, a message stays far below
/// the 10 MB that everybody takes. More rows make further reports of the same day.
pub const ROWS_PER_REPORT: usize = 5_000;

/// How long reports are kept: a year can be compared with the one before.
pub const REPORTS_KEPT: Duration = Duration::from_secs(400 * 86_400);

/// How long what nobody could read, and what was sent, is kept: long enough to ask about.
pub const OTHERS_KEPT: Duration = Duration::from_secs(35 * 86_400);
