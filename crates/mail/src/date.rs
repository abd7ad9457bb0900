//! Instants, and the two ways mail writes them: RFC 5322 dates (read forgivingly) and IMAP date-times.
//! Knows no clock and no time zone names beyond those of RFC 822.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

/// An instant together with the zone it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoned {
    pub at: UnixMillis,
    /// Minutes east of UTC.
    pub offset_mins: i32,
}

/// Reads the value of a `Date` field, or of the date in `Received`; comments, folding, obsolete zones,
/// two-digit years and missing weekdays or seconds are fine. RFC 5322 §3.3, §4.3.
pub fn parse(_value: &[u8]) -> Option<Zoned> {
    todo!()
}

/// `Sat, 21 Nov 2026 11:28:00 +0000`. RFC 5322 §3.3.
pub fn format(_at: UnixMillis) -> String {
    todo!()
}

/// Reads IMAP's `date-time` without its quotes: `21-Nov-2026 11:28:00 +0000`. RFC 9051 §9.
pub fn parse_imap(_text: &str) -> Option<Zoned> {
    todo!()
}

/// IMAP's `date-time` in UTC, without quotes.
pub fn format_imap(_at: UnixMillis) -> String {
    todo!()
}

/// Days since 1970-01-01 of a civil date in the proleptic Gregorian calendar; `None` if there is no such day.
pub fn days_of(_year: i32, _month: u32, _day: u32) -> Option<i64> {
    todo!()
}

impl UnixMillis {
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole days since 1970-01-01, in UTC.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` to here; nothing if that lies later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Zoned {
    /// Days since 1970-01-01 of the date as it was written, whatever the zone: what SENTON compares. RFC 9051 §6.4.4.
    pub const fn written_day(self) -> i64 {
        (self.at.0 + self.offset_mins as i64 * 60_000).div_euclid(86_400_000)
    }
}

impl From<SystemTime> for UnixMillis {
    fn from(time: SystemTime) -> Self {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(span) => Self(millis(span)),
            Err(before) => Self(-millis(before.duration())),
        }
    }
}

impl From<UnixMillis> for SystemTime {
    fn from(time: UnixMillis) -> Self {
        let span = Duration::from_millis(time.0.unsigned_abs());
        let shifted =
            if time.0 < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
        shifted.unwrap_or(UNIX_EPOCH)
    }
}
