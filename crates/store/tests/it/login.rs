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
    block_on(home.store.log_in(login, password, peer(from), now))
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
    let keys =
        |login: &str| block_on(home.store.scram_keys(login, peer("192.0.2.1"), NOW)).expect("keys");
    let real = keys("ann@here.example");
    assert!(real == keys("ANN@here.example"));
    let fake = keys("nobody@here.example");
    assert!(fake == keys("nobody@here.example") && fake != keys("somebody@here.example"));
    assert_eq!(
        (fake.iterations, fake.salt.len()),
        (real.iterations, real.salt.len()),
        "they look alike"
    );
    let log_in = |login: &str, keys: &ScramKeys| {
        block_on(home.store.log_in_scram(login, keys, peer("192.0.2.1"), NOW))
    };
    assert_eq!(
        log_in("ann@here.example", &real).expect("right").account(),
        ann
    );
    assert!(matches!(
        log_in("nobody@here.example", &fake),
        Err(LoginError::Wrong)
    ));
    home.store
        .set_password_blocking(ann, "another password".to_owned(), NOW)
        .expect("changed");
    assert!(
        matches!(log_in("ann@here.example", &real), Err(LoginError::Wrong)),
        "keys of the old password"
    );
}

#[test]
fn guessing_is_bounded_and_locks_nobody_out() {
    let home = Home::inline();
    let ann = home.account("ann");
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW).expect("at home");
    let mut wrong = 0;
    let until = loop {
        match try_at(&home, "ann@here.example", "guess", "203.0.113.9", NOW) {
            Err(LoginError::Wrong) => wrong += 1,
            Err(LoginError::Throttled { until }) => break until,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wrong, 20);
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
    while !matches!(
        try_at(
            &home,
            "bob@here.example",
            "old password",
            "198.51.100.7",
            NOW
        ),
        Err(LoginError::Throttled { .. })
    ) {}
    try_at(&home, "ann@here.example", PASSWORD, "198.51.100.7", NOW).expect("familiar here");
}

#[test]
fn one_customer_is_one_network() {
    let home = Home::inline();
    home.account("ann");
    for i in 0..20 {
        let from = format!("2001:db8:1:2::{i}");
        assert!(matches!(
            try_at(&home, "ann@here.example", "guess", &from, NOW),
            Err(LoginError::Wrong)
        ));
    }
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
