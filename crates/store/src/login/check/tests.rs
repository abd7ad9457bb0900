//! Whoever is told that a log-in is wrong has waited for one hash, whatever was wrong.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::{AccountState, Durability, NewAccount, Protocol, StoreSettings};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const PASSWORD: &str = "correct horse battery";

/// In a simulation nothing waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn every_wrong_log_in_costs_one_hash() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings::simulated(dir.path())).unwrap();
    let domain = mail::Domain::parse("here.test").unwrap();
    let added = store.write_blocking(Durability::Relaxed, move |change| {
        change.add_domain(&domain, NOW)
    });
    added.unwrap();
    let add = |name: &str| {
        let account = NewAccount {
            address: format!("{name}@here.test").parse().unwrap(),
            name: name.into(),
            password: PASSWORD.into(),
            quota: None,
        };
        store.add_account_blocking(account, NOW).unwrap()
    };
    add("ann");
    let gone = add("gone");
    let disabled = store.write_blocking(Durability::Relaxed, move |change| {
        change.set_account_state(gone, AccountState::Disabled)
    });
    disabled.unwrap();
    let cases = [
        ("ann@here.test", "wrong"),
        ("nobody@here.test", "wrong"),
        ("nobody@elsewhere.test", "wrong"),
        ("no address", "wrong"),
        ("gone@here.test", PASSWORD),
        ("gone@here.test", "wrong"),
        ("", ""),
    ];
    for (at, (login, password)) in cases.into_iter().enumerate() {
        let visit = Visit {
            protocol: Protocol::Imap,
            // Nobody is throttled.
            peer: format!("198.51.{at}.1").parse().unwrap(),
        };
        let lent = || {
            store
                .inner
                .shared
                .gate
                .workspaces
                .lent
                .load(Ordering::Relaxed)
        };
        let before = lent();
        let said = now(store.log_in(login, password, visit, NOW));
        assert!(matches!(said, Err(LoginError::Wrong)), "{login}: {said:?}");
        assert_eq!(lent() - before, 1, "{login}");
    }
}
