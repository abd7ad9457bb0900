//! Verdicts for the tests of those who use them.

use super::*;

fn verdict(log_odds: f32) -> Arc<Verdict> {
    Arc::new(judge(
        log_odds,
        &[],
        &Facts::default(),
        &spam::Weights::default(),
    ))
}

/// These for some accounts, and one for the server and all others.
pub(in crate::receive) fn scores(server: f32, accounts: &[(i64, f32)]) -> Scores {
    let own = |(account, log_odds): &(i64, f32)| (AccountId(*account), verdict(*log_odds));
    Scores {
        server: verdict(server),
        server_filters: true,
        accounts: accounts.iter().map(own).collect(),
        unfiltered: Vec::new(),
        shows_mail: false,
        origin: Origin::default(),
    }
}

#[test]
fn who_wants_no_filter_has_no_verdict() {
    let mut scores = scores(9.0, &[(1, -3.0)]);
    let to = Address::parse("ann@here.test").unwrap();
    assert!(!scores.is_aside(AccountId(1), &to));
    assert!(scores.is_aside(AccountId(2), &to));
    scores.unfiltered.push(AccountId(2));
    assert!(!scores.is_aside(AccountId(2), &to));
    assert!(scores.of(AccountId(2)).is_none());
}
