//! When it is enough.

use super::*;

const START: UnixMillis = UnixMillis(1_700_000_000_000);

fn guess(login: u64, password: u64) -> Blame {
    Blame::WrongPassword {
        login,
        password: Some(password),
        familiar: false,
    }
}

/// What is done, and after how many of these the network is banned and why.
type Case = (&'static str, Vec<Blame>, Option<(usize, Cause)>);

/// After how many of these the network is banned, one a minute, if it is.
fn banned_after(blames: impl Iterator<Item = Blame>) -> Option<(usize, Cause)> {
    let mut conduct = Conduct::default();
    for (count, blame) in blames.enumerate() {
        let now = UnixMillis(START.0 + count as i64 * 60_000);
        if let Some(cause) = conduct.note(blame, now) {
            return Some((count + 1, cause));
        }
    }
    None
}

#[test]
fn guessers_are_banned_soon_and_honest_mistakes_never() {
    let unknown = |login| Blame::UnknownLogin {
        login,
        password: Some(login),
    };
    let familiar = |password| Blame::WrongPassword {
        login: 1,
        password: Some(password),
        familiar: true,
    };
    let cases: [Case; 8] = [
        (
            "ten different passwords of one account, within which a point is forgiven",
            (0..50).map(|n| guess(1, n)).collect(),
            Some((11, Cause::Passwords)),
        ),
        (
            "an old phone for a day",
            (0..1_440).map(|_| guess(1, 7)).collect(),
            None,
        ),
        (
            "five typing errors",
            (0..5).map(|n| guess(1, n)).collect(),
            None,
        ),
        (
            "names that nobody has",
            (0..50).map(unknown).collect(),
            Some((5, Cause::Spraying)),
        ),
        (
            "one password on many accounts",
            (0..50).map(|n| guess(n, 1)).collect(),
            Some((6, Cause::Spraying)),
        ),
        (
            "the owner tries all passwords of his life",
            (0..30).map(familiar).collect(),
            None,
        ),
        (
            "talks early",
            vec![Blame::EarlyTalk; 9],
            Some((5, Cause::Protocol)),
        ),
        (
            "searches for addresses",
            vec![Blame::UnknownRecipients; 50],
            Some((26, Cause::Harvest)),
        ),
    ];
    for (what, blames, expected) in cases {
        assert_eq!(banned_after(blames.into_iter()), expected, "{what}");
    }
}

#[test]
fn a_guesser_of_patience_gets_some_twenty_tries_a_day() {
    let mut conduct = Conduct::default();
    let (hour, mut tried) = (3_600_000, 0);
    for n in 0..24 {
        assert_eq!(
            conduct.note(guess(1, n), UnixMillis(START.0 + n as i64 * hour)),
            None,
            "{n}"
        );
        tried += 1;
    }
    assert_eq!(tried, 24);
    assert!(conduct.points(UnixMillis(START.0 + 40 * hour)) == 0);
}

#[test]
fn what_is_remembered_of_one_network_is_bounded() {
    let mut conduct = Conduct::default();
    for n in 0..10_000 {
        conduct.note(guess(n, n), START);
    }
    assert!(conduct.guesses.len() <= GUESSES_REMEMBERED);
    assert!(conduct.logins.len() <= GUESSES_REMEMBERED);
    assert!(conduct.points(START) <= 2 * POINTS_MAX);
}

#[test]
fn what_shows_no_password_counts_once_for_each_login() {
    let wrong = |login| Blame::WrongPassword {
        login,
        password: None,
        familiar: false,
    };
    let unknown = |login| Blame::UnknownLogin {
        login,
        password: None,
    };
    let cases: [Case; 5] = [
        (
            "an old phone for ten days, each minute",
            (0..14_400).map(|_| wrong(1)).collect(),
            None,
        ),
        (
            "four of them behind one address",
            (0..14_400).map(|n| wrong(n % 4)).collect(),
            None,
        ),
        (
            "two of them",
            (0..14_400).map(|n| wrong(n % 2)).collect(),
            None,
        ),
        (
            "many names",
            (0..50).map(wrong).collect(),
            Some((6, Cause::Spraying)),
        ),
        (
            "names that nobody has",
            (0..50).map(unknown).collect(),
            Some((5, Cause::Spraying)),
        ),
    ];
    for (what, blames, expected) in cases {
        assert_eq!(banned_after(blames.into_iter()), expected, "{what}");
    }
}

#[test]
fn who_tries_oftener_than_a_device_is_banned_though_it_shows_no_password() {
    let wrong = Blame::WrongPassword {
        login: 1,
        password: None,
        familiar: false,
    };
    let banned_after = |seconds: i64| {
        let mut conduct = Conduct::default();
        let mut at = (0..100_000).map(|n| UnixMillis(START.0 + n * seconds * 1000));
        at.position(|now| conduct.note(wrong, now).is_some())
    };
    // The throttle lets through one in thirty seconds.
    assert_eq!(banned_after(30), Some(109));
    assert_eq!(banned_after(60), None);
}

#[test]
fn logins_of_long_ago_make_nobody_a_sprayer() {
    let (mut conduct, day) = (Conduct::default(), 86_400_000);
    for n in 0..20_u8 {
        let now = UnixMillis(START.0 + i64::from(n) * day);
        assert_eq!(conduct.note(guess(n.into(), n.into()), now), None, "{n}");
        assert_eq!(conduct.points(now), 10, "a first mistake, on day {n}");
    }
    let four_in_a_row: Vec<i64> = (100..104)
        .map(|n| {
            conduct.note(guess(n, n), UnixMillis(START.0 + 30 * day));
            conduct.points(UnixMillis(START.0 + 30 * day))
        })
        .collect();
    assert_eq!(four_in_a_row, [10, 20, 30, 55]);
}
