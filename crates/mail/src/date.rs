//! Instants, and the two ways mail writes them: RFC 5322 dates (read forgivingly) and IMAP date-times.
//! Knows no clock and no time zone names beyond those of RFC 822.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

mod read;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// From the weekday of 1970-01-01.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

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
pub fn parse(value: &[u8]) -> Option<Zoned> {
    read::parse(value)
}

/// `Sat, 21 Nov 2026 11:28:00 +0000`. RFC 5322 §3.3.
pub fn format(at: UnixMillis) -> String {
    let civil = Civil::of(at);
    let weekday = WEEKDAYS[at.day().rem_euclid(7) as usize];
    format!(
        "{weekday}, {} {} {:04} {:02}:{:02}:{:02} +0000",
        civil.day,
        civil.month_name(),
        civil.year,
        civil.hour,
        civil.minute,
        civil.second
    )
}

/// Reads IMAP's `date-time` without its quotes: `21-Nov-2026 11:28:00 +0000`. RFC 9051 §9.
pub fn parse_imap(text: &str) -> Option<Zoned> {
    read::parse_imap(text)
}

/// IMAP's `date-time` in UTC, without quotes. The day is padded with a space. RFC 9051 §9.
pub fn format_imap(at: UnixMillis) -> String {
    let civil = Civil::of(at);
    format!(
        "{:2}-{}-{:04} {:02}:{:02}:{:02} +0000",
        civil.day,
        civil.month_name(),
        civil.year,
        civil.hour,
        civil.minute,
        civil.second
    )
}

/// Year, month and day in UTC, the latter two from 1.
pub fn civil(at: UnixMillis) -> (i64, usize, i64) {
    let civil = Civil::of(at);
    (civil.year, civil.month, civil.day)
}

/// Days since 1970-01-01 of a civil date in the proleptic Gregorian calendar; `None` if there is no such day.
pub fn days_of(year: i32, month: u32, day: u32) -> Option<i64> {
    if !(0..=9_999).contains(&year) || day == 0 || day > days_in(year, month)? {
        return None;
    }
    // Years begin in March here, so that the leap day is a year's last.
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The month of a three-letter name in any case, from 1.
pub fn month_of(name: &[u8]) -> Option<u32> {
    let name = name.get(..3)?;
    let found = MONTHS
        .iter()
        .position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
    u32::try_from(found + 1).ok()
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
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
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
        let shifted = if time.0 < 0 {
            UNIX_EPOCH.checked_sub(span)
        } else {
            UNIX_EPOCH.checked_add(span)
        };
        shifted.unwrap_or(UNIX_EPOCH)
    }
}

/// A date and time of day in UTC.
struct Civil {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    fn of(at: UnixMillis) -> Self {
        // What lies beyond the year 9999 has no form in mail.
        let secs = at.secs().clamp(-62_167_219_200, 253_402_300_799);
        let (days, second_of_day) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as usize,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }

    fn month_name(&self) -> &'static str {
        MONTHS
            .get(self.month.wrapping_sub(1))
            .copied()
            .unwrap_or("Jan")
    }
}

fn days_in(year: i32, month: u32) -> Option<u32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
