//! What is usual for an account: how much in an hour and in a day, and at which hours. Pure.

use mail::UnixMillis;

pub(super) const HOUR_MILLIS: i64 = 3_600_000;
pub(super) const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

/// Days that habits are made of.
pub(super) const HABIT_DAYS: i64 = 30;

/// What an account did in thirty days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Days on which it sent.
    pub active_days: u64,
    /// Recipients in an hour, reached or passed in one of twenty hours in which it sent (p95).
    pub hour_usual: u64,
    /// Recipients in a day: the second highest of thirty days (p95), so that one day makes no habit.
    pub day_usual: u64,
    /// A bit for each hour of the day (UTC) in which it sent.
    pub hours: u32,
}

pub(super) fn day_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(DAY_MILLIS)
}

impl Habits {
    /// From hours since 1970 with the recipients of each, all of them within thirty whole days.
    pub(super) fn of(hours: &[(i64, u64)]) -> Self {
        let mut days: Vec<(i64, u64)> = Vec::new();
        let mut mask = 0;
        for (hour, recipients) in hours {
            let day = hour.div_euclid(24);
            match days.last_mut().filter(|(known, _)| *known == day) {
                Some((_, sum)) => *sum += recipients,
                None => days.push((day, *recipients)),
            }
            mask |= 1 << hour.rem_euclid(24);
        }
        let active_days = days.len() as u64;
        let mut of_days: Vec<u64> = days.into_iter().map(|(_, sum)| sum).collect();
        of_days.sort_unstable_by(|one, other| other.cmp(one));
        let mut of_hours: Vec<u64> = hours.iter().map(|(_, recipients)| *recipients).collect();
        of_hours.sort_unstable_by(|one, other| other.cmp(one));
        Self {
            active_days,
            hour_usual: of_hours.get(of_hours.len() / 20).copied().unwrap_or(0),
            day_usual: of_days.get(1).copied().unwrap_or(0),
            hours: mask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_makes_no_habit() {
        let quiet: Vec<(i64, u64)> = (0..30).map(|day| (day * 24 + 9, 3)).collect();
        let habits = Habits::of(&quiet);
        assert_eq!((habits.active_days, habits.day_usual), (30, 3));
        assert_eq!((habits.hour_usual, habits.hours), (3, 1 << 9));
        let mut once = quiet.clone();
        once[7].1 = 150;
        assert_eq!(Habits::of(&once).day_usual, 3);
        once[9].1 = 140;
        assert_eq!(Habits::of(&once).day_usual, 140);
        // Several hours of one day are one day.
        assert_eq!(Habits::of(&[(24, 5), (25, 6)]).day_usual, 0);
        assert_eq!(Habits::of(&[]), Habits::default());
    }
}
