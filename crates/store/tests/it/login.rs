//! Passwords, SCRAM keys, and the bound on guessing.

use std::net::IpAddr;

use mail::UnixMillis;
use store::*;

use crate::fixture::*;

on_both!(passwords_open_accounts, scram_keys_are_steady);

fn peer(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn try_at(
    home: &Home,
    login: &str,
    password: &str,
    from: &str,
    now: UnixMillis,
) -> Result<LoggedIn, LoginError> {
    block_on(
        home.store
            .log_in(login, password, visit(Protocol::Imap, from), now),
    )
}

fn visit(protocol: Protocol, from: &str) -> Visit {
    Visit {
        protocol,
        peer: peer(from),
    }
}

fn passwords_open_accounts(home: &Home) {
    let ann = home.account("ann");
    let log_in = |login: &str, password: &str| try_at(home, login, password, "192.0.2.1", NOW);
    assert_eq!(
        log_in("Ann@HERE.example", PASSWORD)
            .expect("right")
            .account(),
        ann
    );
    assert_eq!(
        log_in("ann@here.example", PASSWORD)
            .expect("right again")
            .address(),
        &address("ann")
    );
    for (login, password) in [
        ("ann@here.example", "wrong"),
        ("bob@here.example", PASSWORD),
        ("ann", PASSWORD),
        ("", ""),
    ] {
        assert!(
            matches!(log_in(login, password), Err(LoginError::Wrong)),
            "{login}"
        );
    }
    let here = domain("here.example");
    home.write(move |change| change.add_alias(Some("a"), &here, &address("ann"), NOW))
        .expect("an alias");
    assert_eq!(
        log_in("a@here.example", PASSWORD)
            .expect("by alias")
            .account(),
        ann
    );

    home.store
        .set_password_blocking(ann, "another password".to_owned(), NOW)
        .expect("changed");
    assert!(matches!(
        log_in("ann@here.example", PASSWORD),
        Err(LoginError::Wrong)
    ));
    log_in("ann@here.example", "another password").expect("the new one");
    home.write(move |change| change.set_account_state(ann, AccountState::Disabled))
        .expect("disabled");
    assert!(matches!(
        log_in("ann@here.example", "another password"),
        Err(LoginError::Wrong)
    ));
}

fn scram_keys_are_steady(home: &Home) {
    let ann = home.account("ann");
    let here = visit(Protocol::Imap, "192.0.2.1");
    let begin = |login: &str| block_on(home.store.begin_scram(login, here, NOW)).expect("keys");
    let keys = |login: &str| begin(login).keys().clone();
    let real = keys("ann@here.example");
    assert!(real == keys("ANN@here.example"));
    let fake = keys("nobody@here.example");
    assert!(fake == keys("nobody@here.example") && fake != keys("somebody@here.example"));
    // However it is written: else it would show who exists.
    for (login, same) in [
        ("nobody@here.example", "\"nobody\"@here.example"),
        ("nobody@here.example", "NoBody@HERE.example"),
        ("ann@here.example", "\"ann\"@here.example"),
    ] {
        assert!(keys(login).salt == keys(same).salt, "{same}");
    }
    assert_eq!(
        (fake.iterations, fake.salt.len(), fake.pairs.len()),
        (real.iterations, real.salt.len(), real.pairs.len()),
        "they look alike"
    );
    let finish = |attempt: ScramAttempt| block_on(home.store.finish_scram(attempt, 0, NOW));
    let user = finish(begin("ann@here.example")).expect("right");
    assert_eq!((user.account(), user.used()), (ann, &PasswordUsed::Main));
    assert!(matches!(
        finish(begin("nobody@here.example")),
        Err(LoginError::Wrong)
    ));
    let old = begin("ann@here.example");
    home.store
        .set_password_blocking(ann, "another password".to_owned(), NOW)
        .expect("changed");
    assert!(
        matches!(finish(old), Err(LoginError::Wrong)),
        "keys of the old password"
    );
    let changed = keys("ann@here.example");
    assert!(
        changed.salt == real.salt && changed.pairs != real.pairs,
        "the salt stays, for the sake of app passwords"
    );
}

#[test]
fn guessing_is_bounded_and_locks_nobody_out() {
    let home = Home::inline();
    let ann = home.account("ann");
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW).expect("at home");
    let mut wrong = 0;
    let until = loop {
        let guess = format!("guess {wrong}");
        match try_at(&home, "ann@here.example", &guess, "203.0.113.9", NOW) {
            Err(LoginError::Wrong) => wrong += 1,
            Err(LoginError::Throttled { until }) => break until,
            other => panic!("{other:?}"),
        }
    };
    assert!((5..=20).contains(&wrong), "{wrong}");
    let right = try_at(&home, "ann@here.example", PASSWORD, "203.0.113.9", NOW);
    assert!(
        matches!(right, Err(LoginError::Throttled { .. })),
        "a guess that is right is not told"
    );
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW)
        .expect("the owner is not locked out");
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.8", NOW).expect("nor from elsewhere");
    let later =
        try_at(&home, "ann@here.example", PASSWORD, "203.0.113.9", until).expect("after waiting");
    assert_eq!(later.account(), ann);
}

#[test]
fn a_failing_program_does_not_lock_out_its_owner_beside_it() {
    let home = Home::inline();
    home.account("ann");
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW).expect("at home");
    let mut guesses = (0..).map(|number| format!("guess {number}"));
    while guesses.next().is_some_and(|guess| {
        let tried = try_at(&home, "bob@here.example", &guess, "198.51.100.7", NOW);
        !matches!(tried, Err(LoginError::Throttled { .. }))
    }) {}
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW).expect("familiar here");
}

#[test]
fn one_customer_is_one_network() {
    let home = Home::inline();
    home.account("ann");
    let mut guesses = 0;
    while !matches!(
        try_at(
            &home,
            "ann@here.example",
            &format!("guess {guesses}"),
            &format!("2001:db8:1:2::{guesses}"),
            NOW
        ),
        Err(LoginError::Throttled { .. })
    ) {
        guesses += 1;
    }
    assert!(guesses <= 20, "{guesses}");
    let next = try_at(
        &home,
        "ann@here.example",
        "guess",
        "2001:db8:1:2:ffff::1",
        NOW,
    );
    assert!(matches!(next, Err(LoginError::Throttled { .. })));
    let other = try_at(&home, "ann@here.example", "guess", "2001:db8:1:3::1", NOW);
    assert!(matches!(other, Err(LoginError::Wrong)));
}

/// An old phone goes on with an old password: nobody is shut out for it.
#[test]
fn the_same_wrong_password_counts_once() {
    let home = Home::inline();
    home.account("ann");
    for minute in 0..200 {
        let at = UnixMillis(NOW.0 + minute * 1_000);
        let tried = try_at(&home, "ann@here.example", "the old one", "203.0.113.9", at);
        assert!(matches!(tried, Err(LoginError::Wrong)), "{minute}");
    }
    try_at(&home, "ann@here.example", PASSWORD, "203.0.113.9", NOW).expect("the owner");
    home.store
        .set_password_blocking(
            home.read(|view| view.account_by_address(&address("ann")))
                .expect("ann")
                .id,
            "the old one".to_owned(),
            NOW,
        )
        .expect("set again");
    try_at(&home, "ann@here.example", "the old one", "203.0.113.9", NOW)
        .expect("what was wrong is right now");
}
