//! Guesses at the accounts of others, from a network where people log in: it is not banned, for they live there, but
//! it may try no names for a while other than those who logged in from there. Pure.

use mail::UnixMillis;

use super::limits::{HOME_CLOSED_MILLIS, HOME_LOGINS_MAX, HOME_LOGINS_WINDOW_MILLIS};

/// Logins that failed from one home, each with the time of its last failure.
#[derive(Debug, Default)]
pub(super) struct Spraying {
    logins: Vec<(u64, i64)>,
    closed_until: i64,
}

impl Spraying {
    /// Notes that a login failed with which nobody came in from there before; whether that was one too many.
    pub(super) fn note(&mut self, login: u64, now: UnixMillis) -> bool {
        let recent = now.0 - HOME_LOGINS_WINDOW_MILLIS;
        self.logins
            .retain(|(known, at)| *known != login && recent < *at);
        self.logins.push((login, now.0));
        if self.logins.len() <= HOME_LOGINS_MAX {
            return false;
        }
        self.logins.clear();
        self.closed_until = now.0 + HOME_CLOSED_MILLIS;
        true
    }

    pub(super) fn closed_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        (now.0 < self.closed_until).then_some(UnixMillis(self.closed_until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_within_an_hour_are_too_many() {
        let start = 1_700_000_000_000;
        let cases: [(&str, Vec<u64>, i64, Option<usize>); 4] = [
            ("a name a minute", (0..50).collect(), 60, Some(11)),
            ("a name every seven minutes", (0..50).collect(), 420, None),
            (
                "ten people who forgot, all day",
                (0..9_000).map(|n| n % 10).collect(),
                10,
                None,
            ),
            (
                "one name, many passwords: the throttle's",
                vec![1; 900],
                30,
                None,
            ),
        ];
        for (what, logins, seconds, expected) in cases {
            let mut home = Spraying::default();
            let mut times = (0..).map(|n| UnixMillis(start + n * seconds * 1000));
            let mut tries = logins.into_iter().zip(&mut times);
            let closed = tries.position(|(login, now)| home.note(login, now));
            assert_eq!(closed.map(|index| index + 1), expected, "{what}");
        }
    }

    #[test]
    fn it_is_open_again_after_a_while() {
        let mut home = Spraying::default();
        let now = UnixMillis(1_700_000_000_000);
        assert_eq!(home.closed_until(now), None);
        while !home.note(home.logins.len() as u64, now) {}
        let until = UnixMillis(now.0 + HOME_CLOSED_MILLIS);
        assert_eq!(home.closed_until(now), Some(until));
        assert_eq!(home.closed_until(until), None);
        assert!(!home.note(1, until), "it is counted anew");
    }
}
