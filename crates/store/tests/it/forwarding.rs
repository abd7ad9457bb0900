//! Aliases that lead to other servers, the secrets behind return addresses, policies and trust.

use mail::UnixMillis;
use store::*;

use crate::fixture::*;

on_both!(
    aliases_lead_elsewhere,
    ways_of_a_domain_go_with_it,
    secrets_are_renewed_and_sealed,
    long_senders_are_remembered_for_a_time,
    each_domain_has_its_choice,
    the_operators_word_is_kept,
    deferrals_are_counted_from_the_first
);

const DAY: i64 = 86_400_000;

fn later(days: i64) -> UnixMillis {
    UnixMillis(NOW.0 + days * DAY)
}

fn forward(home: &Home, local: Option<&'static str>, target: &str) -> Result<(), AliasError> {
    let (here, target) = (domain("here.example"), address(target));
    home.write(move |change| change.add_forward(local, &here, &target, NOW))
}

fn resolve(home: &Home, text: &str) -> Resolution {
    let to = address(text);
    home.read(move |view| view.resolve(&to, 0))
}

/// The accounts and the addresses elsewhere.
#[track_caller]
fn check(home: &Home, text: &str, accounts: &[AccountId], elsewhere: &[&str]) {
    let found = resolve(home, text);
    let Resolution::Forward { targets, forwards } = &found else {
        panic!("{text}: {found:?}")
    };
    let ids: Vec<_> = targets.iter().map(|target| target.account).collect();
    let addresses: Vec<_> = forwards.iter().map(ToString::to_string).collect();
    assert_eq!(ids, accounts, "{text}");
    assert_eq!(addresses, elsewhere, "{text}");
}

fn aliases_lead_elsewhere(home: &Home) {
    let ann = home.account("ann");
    forward(home, Some("Away"), "bob@There.example").expect("a way");
    check(home, "away", &[], &["bob@there.example"]);
    check(home, "AWAY+x", &[], &["bob@there.example"]);
    forward(home, Some("away"), "al@there.example").expect("a second one");
    let (here, target) = (domain("here.example"), address("ann"));
    home.write(move |change| change.add_alias(Some("away"), &here, &target, NOW))
        .expect("an account beside them");
    check(
        home,
        "away",
        &[ann],
        &["al@there.example", "bob@there.example"],
    );
    home.write(move |change| change.set_account_state(ann, AccountState::Disabled))
        .expect("disabled");
    check(
        home,
        "away",
        &[],
        &["al@there.example", "bob@there.example"],
    );
    home.write(move |change| change.set_account_state(ann, AccountState::Active))
        .expect("active");

    assert!(matches!(
        forward(home, Some("away"), "al@there.example"),
        Err(AliasError::Exists(_))
    ));
    assert!(matches!(
        forward(home, Some("ann"), "al@there.example"),
        Err(AliasError::Exists(_))
    ));
    assert!(matches!(
        forward(home, Some("x"), "ann@here.example"),
        Err(AliasError::NotElsewhere(_))
    ));
    // Nobody owns it here, not even who has all the rest.
    let (here, target) = (domain("here.example"), address("ann"));
    home.write(move |change| change.add_alias(None, &here, &target, NOW))
        .expect("a catch-all");
    forward(home, Some("gone"), "al@there.example").expect("a way");
    let from = address("gone");
    assert!(!home.read(move |view| view.may_send_as(ann, &from)));
    let account = NewAccount {
        address: address("gone"),
        name: String::new(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    assert!(matches!(
        home.store.add_account_blocking(account, NOW),
        Err(AccountError::Exists(_))
    ));

    let (here, target) = (domain("here.example"), address("al@there.example"));
    home.write(move |change| change.remove_alias(Some("away"), &here, Some(&target)))
        .expect("one way less");
    check(home, "away", &[ann], &["bob@there.example"]);
    let here = domain("here.example");
    home.write(move |change| change.remove_alias(Some("away"), &here, None))
        .expect("all of it");
    let Resolution::Deliver(targets) = resolve(home, "away") else {
        panic!("the catch-all has it now")
    };
    assert_eq!(targets[0].account, ann);
    let here = domain("here.example");
    assert!(matches!(
        home.write(move |change| change.remove_alias(Some("away"), &here, None)),
        Err(AliasError::NoSuchAlias(_))
    ));
}

fn ways_of_a_domain_go_with_it(home: &Home) {
    forward(home, None, "all@there.example").expect("a catch-all elsewhere");
    check(home, "anybody", &[], &["all@there.example"]);
    let listed = home.read(|view| view.forwards(None));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].local, None);
    let here = domain("here.example");
    assert_eq!(home.read(|view| view.domains())[0].aliases, 1);
    home.write(move |change| change.remove_domain(&here))
        .expect("no accounts are left");
    assert!(home.read(|view| view.forwards(None)).is_empty());
    assert_eq!(resolve(home, "anybody"), Resolution::NotLocal);
}

fn secrets_are_renewed_and_sealed(home: &Home) {
    let add = |byte: u8, known: Option<UnixMillis>, at: UnixMillis| {
        home.write::<_, StoreError>(move |change| change.add_srs_secret(&[byte; 32], known, at))
            .expect("a secret")
    };
    assert!(home.read(|view| view.srs_secrets()).is_empty());
    add(1, None, NOW);
    // Another node was quicker.
    add(9, None, later(1));
    let secrets = home.read(|view| view.srs_secrets());
    assert_eq!((secrets.len(), secrets[0].secret[0]), (1, 1));
    for round in 1..=5 {
        add(
            1 + round,
            Some(later(90 * (i64::from(round) - 1))),
            later(90 * i64::from(round)),
        );
    }
    let secrets = home.read(|view| view.srs_secrets());
    let kept: Vec<u8> = secrets.iter().map(|secret| secret.secret[0]).collect();
    assert_eq!(kept, [6, 5, 4, 3], "newest first, the oldest are gone");
    assert!(
        !format!("{secrets:?}").contains("6, 6"),
        "secrets do not print"
    );
}

fn long_senders_are_remembered_for_a_time(home: &Home) {
    let note = |token: &'static str, sender: &str, at: UnixMillis| {
        let sender = address(sender);
        let forget = UnixMillis(at.0 - 21 * DAY);
        home.write::<_, StoreError>(move |change| {
            change.note_srs_sender(token, &sender, at, forget)
        })
        .expect("noted")
    };
    let known = |token: &'static str| home.read(move |view| view.srs_sender(token));
    note("ABCD", "\"odd one\"@there.example", NOW);
    note("EFGH", "bob@there.example", NOW);
    assert_eq!(known("abcd"), Some(address("\"odd one\"@there.example")));
    note("ABCD", "\"odd one\"@there.example", later(20));
    note("IJKL", "al@there.example", later(30));
    assert!(known("ABCD").is_some(), "used since");
    assert_eq!(known("EFGH"), None);
    assert_eq!(known("IJKL"), Some(address("al@there.example")));
}

fn each_domain_has_its_choice(home: &Home) {
    let choice = |name: &str| {
        let name = domain(name);
        home.read(move |view| view.dmarc_choice(&name))
    };
    assert_eq!(choice("here.example"), DmarcChoice::Junk);
    for wanted in [DmarcChoice::Reject, DmarcChoice::Mark, DmarcChoice::Junk] {
        home.write(move |change| change.set_dmarc_choice(&domain("here.example"), wanted, NOW))
            .expect("chosen");
        assert_eq!(choice("here.example"), wanted);
    }
    assert!(matches!(
        home.write(|change| change.set_dmarc_choice(
            &domain("there.example"),
            DmarcChoice::Mark,
            NOW
        )),
        Err(DomainError::NoSuchDomain(_))
    ));
}

fn the_operators_word_is_kept(home: &Home) {
    let say = |kind, name: &str, trusted| {
        let trust = Trust {
            kind,
            domain: domain(name),
            trusted,
            changed: NOW,
        };
        home.write::<_, StoreError>(move |change| change.set_trust(&trust))
            .expect("said")
    };
    say(TrustKind::MailingList, "lists.example", true);
    say(TrustKind::ArcSealer, "seal.example", true);
    say(TrustKind::ArcSealer, "seal.example", false);
    let said = home.read(|view| view.trust());
    let shown: Vec<_> = said
        .iter()
        .map(|trust| (trust.kind, trust.domain.as_str(), trust.trusted))
        .collect();
    assert_eq!(
        shown,
        [
            (TrustKind::ArcSealer, "seal.example", false),
            (TrustKind::MailingList, "lists.example", true)
        ]
    );
    let forget = || {
        home.write::<_, StoreError>(|change| {
            change.forget_trust(TrustKind::MailingList, &domain("lists.example"))
        })
        .expect("forgotten")
    };
    assert!(forget() && !forget());
}

fn deferrals_are_counted_from_the_first(home: &Home) {
    let note = |sender: &'static str, at: UnixMillis| {
        let forget = UnixMillis(at.0 - 7 * DAY);
        home.write::<_, StoreError>(move |change| {
            change.note_dns_deferral(sender, "author.example", at, forget)
        })
        .expect("noted")
    };
    let since = |sender: &'static str| {
        home.read(move |view| view.dns_deferred_since(sender, "author.example"))
    };
    assert_eq!(since("a@b.example"), None);
    note("a@b.example", NOW);
    note("a@b.example", later(1));
    note("c@b.example", later(2));
    assert_eq!(since("a@b.example"), Some(NOW));
    assert_eq!(since("c@b.example"), Some(later(2)));
    note("c@b.example", later(8));
    assert_eq!(since("a@b.example"), Some(NOW), "seen a week ago");
    note("c@b.example", later(9));
    assert_eq!(since("a@b.example"), None, "it begins anew");
}
