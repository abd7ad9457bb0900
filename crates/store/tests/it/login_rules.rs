//! App passwords, what passwords are good for, who signed in, and the end of sessions.

use mail::UnixMillis;
use store::*;

use crate::fixture::*;

on_both!(
    app_passwords_open_what_they_are_for,
    rules_bound_the_right_password,
    sign_ins_are_remembered,
    failures_do_not_wipe_out_the_history,
    sessions_end,
    sessions_of_an_app_password_end_with_it,
    a_home_that_tries_many_names_keeps_only_its_own,
);

const HOME: &str = "192.0.2.7";
const AWAY: &str = "203.0.113.9";

fn visit(protocol: Protocol, from: &str) -> Visit {
    Visit {
        protocol,
        peer: from.parse().expect("an address"),
    }
}

fn log_in(
    home: &Home,
    password: &str,
    visit: Visit,
    now: UnixMillis,
) -> Result<LoggedIn, LoginError> {
    block_on(home.store.log_in("ann@here.example", password, visit, now))
}

fn opens(home: &Home, password: &str, visit: Visit) -> bool {
    match log_in(home, password, visit, NOW) {
        Ok(_) => true,
        Err(LoginError::Wrong) => false,
        Err(other) => panic!("{other}"),
    }
}

fn everywhere() -> AppPasswordBounds {
    AppPasswordBounds {
        protocols: Protocols::all(),
        networks: Vec::new(),
        expires: None,
    }
}

fn app_password(home: &Home, ann: AccountId, name: &str, bounds: AppPasswordBounds) -> String {
    let new = NewAppPassword {
        name: name.to_owned(),
        bounds,
    };
    home.store
        .add_app_password_blocking(ann, new, NOW)
        .expect("an app password")
}

fn app_passwords_open_what_they_are_for(home: &Home) {
    let ann = home.account("ann");
    let bob = home.account("bob");
    let phone = app_password(home, ann, "phone", everywhere());
    let reader = AppPasswordBounds {
        protocols: Protocols::none().with(Protocol::Imap),
        networks: vec!["192.0.2.0/24".parse().expect("a network")],
        expires: Some(UnixMillis(NOW.0 + 1_000)),
    };
    let reader = app_password(home, ann, "reader", reader);
    let imap = visit(Protocol::Imap, HOME);
    let user = log_in(home, &phone, imap, NOW).expect("the phone");
    assert_eq!(user.used(), &PasswordUsed::App("phone".into()));
    let typed = phone.replace('-', "").to_uppercase();
    assert!(opens(home, &typed, visit(Protocol::Submission, AWAY)));
    let others = block_on(home.store.log_in("bob@here.example", &phone, imap, NOW));
    assert!(matches!(others, Err(LoginError::Wrong)), "{bob} has none");

    assert!(opens(home, &reader, imap));
    assert!(!opens(home, &reader, visit(Protocol::Pop3, HOME)));
    assert!(!opens(home, &reader, visit(Protocol::Imap, AWAY)));
    let late = log_in(home, &reader, imap, UnixMillis(NOW.0 + 1_000));
    assert!(matches!(late, Err(LoginError::Wrong)), "expired");
    assert!(
        opens(home, PASSWORD, imap),
        "the main one is as good as before"
    );

    let taken = NewAppPassword {
        name: "phone".to_owned(),
        bounds: everywhere(),
    };
    let taken = home.store.add_app_password_blocking(ann, taken, NOW);
    assert!(matches!(taken, Err(AppPasswordError::Exists(_))));
    let names = |home: &Home| -> Vec<String> {
        let all = home.read(move |view| view.app_passwords(ann));
        all.into_iter().map(|one| one.name).collect()
    };
    assert_eq!(names(home), ["phone", "reader"]);
    let gone = home.write(move |change| change.remove_app_password(ann, "phone"));
    assert!(gone.expect("removed"));
    assert!(!opens(home, &phone, imap));
    let gone = home.write(move |change| change.remove_app_passwords_since(ann, NOW));
    assert_eq!(gone.expect("removed"), ["reader"]);
    assert!(!opens(home, &reader, imap));
    assert_eq!(names(home), Vec::<String>::new());
}

fn rules_bound_the_right_password(home: &Home) {
    let ann = home.account("ann");
    let phone = app_password(home, ann, "phone", everywhere());
    let set = |of: RulesOf, rules: LoginRules| {
        home.write(move |change| change.set_login_rules(of, &rules))
            .expect("rules");
    };
    let imap = visit(Protocol::Imap, HOME);
    let only_apps = LoginRules {
        app_passwords_only: true,
        ..LoginRules::default()
    };
    set(RulesOf::Account(ann), only_apps.clone());
    assert!(!opens(home, PASSWORD, imap));
    assert!(opens(home, &phone, imap));
    let read = home.read(move |view| view.login_rules(RulesOf::Account(ann)));
    assert_eq!(read, only_apps);
    let begun = block_on(home.store.begin_scram("ann@here.example", imap, NOW)).expect("keys");
    assert_eq!(
        begun.keys().pairs.len(),
        2,
        "the phone's two spellings, not the main one"
    );

    set(RulesOf::Account(ann), LoginRules::default());
    assert!(
        opens(home, PASSWORD, imap),
        "what was refused is right again"
    );
    let off = LoginRules {
        protocols_off: Protocols::none().with(Protocol::Imap),
        submission_networks: vec!["192.0.2.0/24".parse().expect("a network")],
        ..LoginRules::default()
    };
    set(RulesOf::Server, off);
    assert!(!opens(home, PASSWORD, imap));
    assert!(!opens(home, &phone, imap));
    assert!(opens(home, PASSWORD, visit(Protocol::Pop3, AWAY)));
    assert!(opens(home, &phone, visit(Protocol::Submission, HOME)));
    assert!(!opens(home, &phone, visit(Protocol::Submission, AWAY)));
    let begun = block_on(home.store.begin_scram("ann@here.example", imap, NOW)).expect("keys");
    assert_eq!(
        begun.keys().pairs.len(),
        1,
        "a made-up pair that nothing fits"
    );
    let nothing = block_on(home.store.finish_scram(begun, 0, NOW));
    assert!(matches!(nothing, Err(LoginError::Wrong)));
}

/// What a session does: prove, then tell what the client is.
fn sign_in(home: &Home, password: &str, visit: Visit, client: &str, now: UnixMillis) {
    let mut entrance = Entrance::new(home.store.clone(), visit);
    block_on(entrance.password("ann@here.example", password, now)).expect("right");
    block_on(entrance.prove(0, now)).expect("proved");
    entrance.note_client(Client {
        name: client,
        tls: "TLSv1.3",
    });
}

/// The sign-ins, once so many of them are written: nobody waits for that, and nodes write beside one another.
fn written(home: &Home, account: AccountId, count: u64) -> Vec<SignIn> {
    home.store.write_sign_ins_blocking().expect("written");
    for _ in 0..10_000 {
        let all = home.read(move |view| view.sign_ins(account, usize::MAX));
        if count <= all.iter().map(|one| one.count).sum() {
            return all;
        }
        std::thread::yield_now();
    }
    panic!("not all sign-ins are written");
}

fn sign_ins_are_remembered(home: &Home) {
    const DAY: i64 = 86_400_000;
    let ann = home.account("ann");
    let phone = app_password(home, ann, "phone", everywhere());
    let imap = visit(Protocol::Imap, HOME);
    for second in 0..100 {
        sign_in(
            home,
            PASSWORD,
            imap,
            "mutt 2.2",
            UnixMillis(NOW.0 + second * 1_000),
        );
    }
    let later = UnixMillis(NOW.0 + 2 * DAY);
    sign_in(
        home,
        &phone,
        visit(Protocol::Submission, AWAY),
        "[10.0.0.5]",
        later,
    );
    assert!(matches!(
        log_in(home, "a guess", visit(Protocol::Pop3, AWAY), later),
        Err(LoginError::Wrong)
    ));
    let all = written(home, ann, 102);
    let shown: Vec<_> = all
        .iter()
        .map(|one| {
            (
                one.outcome,
                one.protocol,
                one.network.as_str(),
                one.client.as_str(),
                one.count,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                SignInOutcome::Right,
                Protocol::Submission,
                "203.0.113.0/24",
                "[10.0.0.5]",
                1
            ),
            (
                SignInOutcome::Wrong,
                Protocol::Pop3,
                "203.0.113.0/24",
                "",
                1
            ),
            (
                SignInOutcome::Right,
                Protocol::Imap,
                "192.0.2.0/24",
                "mutt 2.2",
                100
            ),
        ]
    );
    assert_eq!(all[0].used, Some(PasswordUsed::App("phone".into())));
    assert_eq!(
        (all[2].first, all[2].last),
        (NOW, UnixMillis(NOW.0 + 99_000))
    );
    assert_eq!(
        (all[2].tls.as_str(), all[2].peer),
        ("TLSv1.3", HOME.parse().ok())
    );
    let used = home.read(move |view| view.app_passwords(ann))[0]
        .used
        .clone();
    assert_eq!(used.expect("used").client, "[10.0.0.5]");
    let networks = home.read(move |view| view.sign_in_networks(ann));
    assert_eq!(networks.len(), 2);
    // What was counted before and is written after does not take the place of what came later.
    let reader = visit(Protocol::Imap, AWAY);
    sign_in(home, &phone, reader, "reader", UnixMillis(later.0 + 1));
    sign_in(home, &phone, reader, "reader", UnixMillis(later.0 + 2));
    let sender = visit(Protocol::Submission, AWAY);
    sign_in(home, &phone, sender, "sender", UnixMillis(later.0 + 3));
    written(home, ann, 105);
    let used = home.read(move |view| view.app_passwords(ann))[0]
        .used
        .clone();
    assert_eq!(used.expect("used").client, "sender");
    let networks = home.read(move |view| view.sign_in_networks(ann));
    assert_eq!(networks[0].last, UnixMillis(later.0 + 3));

    let facts = |from: &str, now: UnixMillis| {
        let peer = from.parse().expect("an address");
        home.read(move |view| view.sign_in_facts(ann, peer, now))
    };
    let away = facts(AWAY, later);
    assert!(away.is_new_network, "{away:?}");
    assert_eq!(
        (away.first_from_here, away.first_ever),
        (Some(later), Some(NOW))
    );
    assert_eq!(
        (away.networks_in_last_hour, away.networks_in_last_day),
        (1, 1)
    );
    assert!(!facts(AWAY, UnixMillis(later.0 + DAY)).is_new_network);
    assert!(!facts("192.0.2.99", later).is_new_network);
    assert!(facts("198.51.100.1", later).is_new_network, "never seen");
}

fn failures_do_not_wipe_out_the_history(home: &Home) {
    let ann = home.account("ann");
    sign_in(home, PASSWORD, visit(Protocol::Imap, HOME), "mutt", NOW);
    let most = store::limits::SIGN_INS_MAX;
    for number in 0..most + 20 {
        let from = format!("10.{}.{}.1", number / 256, number % 256);
        let at = UnixMillis(NOW.0 + 1 + number);
        let begun = block_on(home.store.begin_scram(
            "ann@here.example",
            visit(Protocol::Imap, &from),
            at,
        ));
        home.store.scram_failed(&begun.expect("keys"), at);
    }
    // Each of them is written at once, being the first of its network.
    let all = written(home, ann, 1);
    let most = usize::try_from(most).expect("a number") + 1;
    // Changes that run beside one another do not see each other's rows; the next one tidies up after them.
    let spare = if home.is_postgres() { 10 } else { 0 };
    assert!((most..=most + spare).contains(&all.len()), "{}", all.len());
    assert_eq!(
        all.last().expect("the oldest").outcome,
        SignInOutcome::Right
    );
}

fn sessions_of_an_app_password_end_with_it(home: &Home) {
    let ann = home.account("ann");
    let at = |millis: i64| UnixMillis(NOW.0 + millis);
    let imap = visit(Protocol::Imap, HOME);
    let cases = [
        ("for a second", Some(at(1_000)), 999, false),
        ("to the second", Some(at(1_000)), 1_000, true),
        ("long over", Some(at(1_000)), 86_400_000, true),
        ("for ever", None, 86_400_000, false),
    ];
    for (name, expires, after, is_over) in cases {
        home.store.end_expired_sessions(NOW);
        let bounds = AppPasswordBounds {
            expires,
            ..everywhere()
        };
        let password = app_password(home, ann, name, bounds);
        let user = log_in(home, &password, imap, NOW).expect("it is good");
        let mut watch = home.store.watch_session(&user);
        assert!(!watch.is_over(), "{name}");
        home.store.end_expired_sessions(at(after));
        assert_eq!(watch.is_over(), is_over, "{name}, after {after}");
        if is_over {
            // An idle one wakes.
            block_on(watch.over());
        }
    }
}

fn a_home_that_tries_many_names_keeps_only_its_own(home: &Home) {
    home.account("ann");
    home.account("bob");
    let imap = visit(Protocol::Imap, HOME);
    assert!(opens(home, PASSWORD, imap), "people live there");
    let try_name = |n: i64, now: UnixMillis| {
        let login = format!("user{n}@here.example");
        block_on(home.store.log_in(&login, "letmein", imap, now))
    };
    for n in 0..11 {
        // The throttle is not what stops it.
        let now = UnixMillis(NOW.0 + n * 60_000);
        assert!(matches!(try_name(n, now), Err(LoginError::Wrong)), "{n}");
    }
    let now = UnixMillis(NOW.0 + 11 * 60_000);
    let bob = |now| block_on(home.store.log_in("bob@here.example", PASSWORD, imap, now));
    assert!(matches!(bob(now), Err(LoginError::Throttled { .. })));
    assert!(log_in(home, PASSWORD, imap, now).is_ok(), "ann lives there");
    let later = UnixMillis(now.0 + 8 * 3_600_000);
    assert!(bob(later).is_ok());
}

fn sessions_end(home: &Home) {
    let ann = home.account("ann");
    let bob = home.account("bob");
    let imap = visit(Protocol::Imap, HOME);
    let ends = |home: &Home, what: &dyn Fn()| {
        let user = log_in(home, PASSWORD, imap, NOW).expect("right");
        let mut watch = home.store.watch_session(&user);
        assert!(!home.store.is_over(&user) && !watch.is_over());
        what();
        block_on(watch.over());
        assert!(home.store.is_over(&user));
    };
    ends(home, &|| {
        block_on(home.store.revoke_sessions(ann)).expect("revoked")
    });
    ends(home, &|| {
        let again = home
            .store
            .set_password_blocking(ann, PASSWORD.to_owned(), NOW);
        again.expect("set");
    });
    ends(home, &|| {
        home.write(move |change| change.set_login_rules(RulesOf::Server, &LoginRules::default()))
            .expect("rules of all");
    });
    ends(home, &|| {
        home.write(move |change| change.set_account_state(ann, AccountState::Disabled))
            .expect("disabled");
        home.write(move |change| change.set_account_state(ann, AccountState::Active))
            .expect("enabled");
    });
    let other = block_on(home.store.log_in("bob@here.example", PASSWORD, imap, NOW)).expect("bob");
    ends(home, &|| {
        home.write(move |change| change.remove_account(ann))
            .expect("removed");
    });
    assert!(!home.store.is_over(&other), "{bob} goes on");
}

#[test]
fn another_node_hears_of_the_end() {
    let Some(home) = Home::postgres() else {
        return;
    };
    let ann = home.account("ann");
    let other = Store::open(&home.settings).expect("a second node");
    let imap = visit(Protocol::Imap, HOME);
    let user = block_on(other.log_in("ann@here.example", PASSWORD, imap, NOW)).expect("right");
    let mut watch = other.watch_session(&user);
    block_on(home.store.revoke_sessions(ann)).expect("revoked");
    block_on(watch.over());
    other.close();
}
