//! Who is doubtful, and for how long.

use super::*;

const GOOD: Facts = Facts {
    trust: None,
    reverse: Reverse::MailServer,
    hello: Hello::Fine,
    spoke_ahead: false,
    listed: 0,
};

#[test]
fn only_those_that_look_doubtful() {
    let with = |reverse, hello| Facts {
        reverse,
        hello,
        ..GOOD
    };
    let cases = [
        (GOOD, None),
        (with(Reverse::Named, Hello::Fine), None),
        (with(Reverse::Unknown, Hello::Fine), None),
        // Many an honest office server says this.
        (with(Reverse::MailServer, Hello::Private), None),
        (with(Reverse::Named, Hello::Private), None),
        (with(Reverse::MailServer, Hello::Nonsense), None),
        (with(Reverse::Unknown, Hello::BareAddress), None),
        (
            with(Reverse::Named, Hello::Nonsense),
            Some(Doubt::HelloNonsense),
        ),
        (
            with(Reverse::Named, Hello::BareAddress),
            Some(Doubt::BareAddress),
        ),
        (
            with(Reverse::MailServer, Hello::WrongLiteral),
            Some(Doubt::WrongLiteral),
        ),
        (with(Reverse::Nameless, Hello::Fine), Some(Doubt::Nameless)),
        (
            with(Reverse::Unconfirmed, Hello::Fine),
            Some(Doubt::Unconfirmed),
        ),
        (with(Reverse::Generic, Hello::Fine), Some(Doubt::Generic)),
        (
            Facts {
                spoke_ahead: true,
                ..GOOD
            },
            Some(Doubt::SpokeAhead),
        ),
        (Facts { listed: 1, ..GOOD }, Some(Doubt::Listed)),
    ];
    for (facts, expected) in cases {
        assert_eq!(doubt(&facts), expected, "{facts:?}");
    }
    for trust in [
        Trust::Exempt,
        Trust::SwitchedOff,
        Trust::Known,
        Trust::Authenticated,
        Trust::Correspondent,
        Trust::Postmaster,
    ] {
        let worst = Facts {
            trust: Some(trust),
            reverse: Reverse::Nameless,
            hello: Hello::Nonsense,
            spoke_ahead: true,
            listed: 9,
        };
        assert_eq!(doubt(&worst), None, "{trust:?}");
    }
}

#[test]
fn who_comes_again_is_let_in() {
    let secs = Duration::from_secs;
    let day = 86_400;
    let cases = [
        (0, 1, 0, Outcome::PutOff { left: secs(240) }),
        (60, 2, 60, Outcome::PutOff { left: secs(180) }),
        (239, 9, 239, Outcome::PutOff { left: secs(1) }),
        (240, 2, 240, Outcome::CameAgain),
        (300, 2, 300, Outcome::CameAgain),
        (2 * day, 2, 2 * day, Outcome::CameAgain),
        // Each try from elsewhere.
        (0, 2, 3_600, Outcome::PutOff { left: secs(240) }),
        (0, 3, 3_599, Outcome::PutOff { left: secs(240) }),
        (0, 3, 3_600, Outcome::CameFromPool),
        (0, 50, 30, Outcome::PutOff { left: secs(240) }),
        (3 * day, 3, 3 * day, Outcome::PutOff { left: secs(0) }),
    ];
    for (waited, anywhere, since, expected) in cases {
        let tries = Tries {
            waited: secs(waited),
            anywhere,
            waited_anywhere: secs(since),
        };
        assert_eq!(outcome(tries), expected, "{tries:?}");
    }
}
