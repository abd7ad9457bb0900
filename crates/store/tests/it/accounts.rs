//! Domains, accounts, aliases: who an address is, and who may write as it.

use store::*;

use crate::fixture::*;

on_both!(
    addresses_lead_to_accounts,
    sending_needs_ownership,
    what_is_made_can_be_removed,
    dkim_keys_come_back,
    secrets_are_sealed
);

#[track_caller]
fn check(home: &Home, text: &str, want: &[AccountId]) {
    let to = address(text);
    let found = home.read(move |view| view.resolve(&to, 0));
    let accounts = match &found {
        Resolution::Deliver(targets) => targets.iter().map(|target| target.account).collect(),
        _ => Vec::new(),
    };
    assert_eq!(accounts, want, "{text}: {found:?}");
}

fn addresses_lead_to_accounts(home: &Home) {
    let (ann, bob) = (home.account("Ann"), home.account("bob"));
    check(home, "ann", &[ann]);
    check(home, "ANN", &[ann]);
    check(home, "ann+lists", &[ann]);
    check(home, "postmaster", &[ann]);
    check(home, "nobody", &[]);
    check(home, "ann@elsewhere.example", &[]);
    let here = domain("here.example");
    let add = |local: Option<&'static str>, target: &str| {
        let (here, target) = (here.clone(), address(target));
        home.write(move |change| change.add_alias(local, &here, &target, NOW))
    };
    add(Some("team"), "ann").expect("an alias");
    add(Some("team"), "bob").expect("the same to another");
    assert!(matches!(
        add(Some("team"), "bob"),
        Err(AliasError::Exists(_))
    ));
    assert!(matches!(
        add(Some("bob"), "ann"),
        Err(AliasError::Exists(_))
    ));
    assert!(matches!(
        add(Some("x"), "carl"),
        Err(AliasError::NoSuchTarget(_))
    ));
    check(home, "Team", &[ann, bob]);
    check(home, "team+x", &[ann, bob]);
    add(None, "bob").expect("a catch-all");
    check(home, "anything", &[bob]);
    check(home, "anything+x", &[bob]);
    check(home, "ann+x", &[ann]);
    check(home, "postmaster", &[bob]);

    let to = address("ann+Work");
    let Resolution::Deliver(targets) = home.read(move |view| view.resolve(&to, 0)) else {
        panic!("nobody")
    };
    assert_eq!(targets[0].detail.as_deref(), Some("work"));
    assert_eq!(targets[0].address.to_string(), "Ann@here.example");

    // Whoever of a team has no room gets what the others get: a 250 stands for all of them.
    home.write(move |change| change.set_quota(ann, Some(10)))
        .expect("a quota");
    let to = address("team");
    let Resolution::Deliver(targets) = home.read(move |view| view.resolve(&to, 1_000)) else {
        panic!("nobody")
    };
    assert_eq!(targets.len(), 2);
    let to = address("ann");
    assert_eq!(
        home.read(move |view| view.resolve(&to, 1_000)),
        Resolution::OverQuota
    );

    home.write(move |change| change.set_account_state(ann, AccountState::Disabled))
        .expect("disabled");
    let to = address("ann");
    assert_eq!(
        home.read(move |view| view.resolve(&to, 0)),
        Resolution::Disabled
    );
    check(home, "team", &[bob]);
    let to = address("x@elsewhere.example");
    assert_eq!(
        home.read(move |view| view.resolve(&to, 0)),
        Resolution::NotLocal
    );
}

fn sending_needs_ownership(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let here = domain("here.example");
    let target = address("ann");
    home.write({
        let (here, target) = (here.clone(), target.clone());
        move |change| change.add_alias(Some("sales"), &here, &target, NOW)
    })
    .expect("an alias");
    let may = |account: AccountId, text: &str| {
        let from = address(text);
        home.read(move |view| view.may_send_as(account, &from))
    };
    assert!(may(ann, "ann") && may(ann, "Ann+x") && may(ann, "SALES") && may(bob, "bob"));
    assert!(
        !may(bob, "ann")
            && !may(bob, "sales")
            && !may(ann, "anything")
            && !may(ann, "ann@elsewhere.example")
    );
    home.write(move |change| change.add_alias(None, &here, &target, NOW))
        .expect("a catch-all");
    assert!(may(ann, "anything") && !may(ann, "bob") && !may(bob, "anything"));
}

fn what_is_made_can_be_removed(home: &Home) {
    let ann = home.account("ann");
    let again = NewAccount {
        address: address("ANN"),
        name: String::new(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    assert!(matches!(
        home.store.add_account_blocking(again, NOW),
        Err(AccountError::Exists(_))
    ));
    let far = NewAccount {
        address: address("a@far.example"),
        name: String::new(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    assert!(matches!(
        home.store.add_account_blocking(far, NOW),
        Err(AccountError::NoSuchDomain(_))
    ));
    let weak = NewAccount {
        address: address("weak"),
        name: String::new(),
        password: String::new(),
        quota: None,
    };
    assert!(matches!(
        home.store.add_account_blocking(weak, NOW),
        Err(AccountError::BadPassword(_))
    ));

    let here = domain("here.example");
    assert!(matches!(
        home.write({
            let here = here.clone();
            move |change| change.add_domain(&here, NOW)
        }),
        Err(DomainError::Exists(_))
    ));
    let refused = home.write({
        let here = here.clone();
        move |change| change.remove_domain(&here)
    });
    assert!(matches!(
        refused,
        Err(DomainError::HasAccounts { accounts: 1, .. })
    ));
    home.deliver(ann, b"one");
    home.write(move |change| change.remove_account(ann))
        .expect("removed");
    assert_eq!(home.read(move |view| view.account(ann)), None);
    assert!(home.names(ann).is_empty());
    home.write(move |change| change.remove_domain(&here))
        .expect("removed");
    assert!(home.read(|view| view.domains()).is_empty());
}

fn dkim_keys_come_back(home: &Home) {
    let here = domain("here.example");
    let key = NewDkimKey {
        selector: "s2026".to_owned(),
        algorithm: DkimAlgorithm::Ed25519Sha256,
        private: b"very private".to_vec(),
        public: b"public".to_vec(),
        state: DkimState::Active,
    };
    home.write({
        let (here, key) = (here.clone(), key.clone());
        move |change| change.add_dkim_key(&here, &key, NOW)
    })
    .expect("a key");
    let twice = home.write({
        let (here, key) = (here.clone(), key.clone());
        move |change| change.add_dkim_key(&here, &key, NOW)
    });
    assert!(matches!(twice, Err(DomainError::SelectorExists(_))));
    home.write({
        let here = here.clone();
        move |change| change.set_dkim_state(&here, "s2026", DkimState::Retired)
    })
    .expect("retired");
    let found = home.read({
        let here = here.clone();
        move |view| view.dkim_keys(&here)
    });
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].private.as_slice(), found[0].state),
        (key.private.as_slice(), DkimState::Retired)
    );
    home.write(move |change| change.remove_dkim_key(&here, "s2026"))
        .expect("removed");
}

/// A leaked database alone must not open anything.
fn secrets_are_sealed(home: &Home) {
    home.account("ann");
    let here = domain("here.example");
    let key = NewDkimKey {
        selector: "s".to_owned(),
        algorithm: DkimAlgorithm::RsaSha256,
        private: b"TOP-SECRET-KEY".to_vec(),
        public: b"public".to_vec(),
        state: DkimState::Active,
    };
    home.write(move |change| change.add_dkim_key(&here, &key, NOW))
        .expect("a key");
    if home.is_postgres() {
        return;
    }
    home.store.close();
    let database = std::fs::read(home.dir.path().join("postroad.db")).expect("the database");
    for secret in [&b"TOP-SECRET-KEY"[..], b"argon2"] {
        assert!(
            !database
                .windows(secret.len())
                .any(|window| window == secret)
        );
    }
}
