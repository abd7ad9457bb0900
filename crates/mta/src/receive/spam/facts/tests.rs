//! Tables: from what was found out to what the judge is told.

use mailauth::arc::Arc;
use mailauth::dmarc::{Dmarc, Policy, Reason};
use mailauth::iprev::{Iprev, IprevResult};
use mailauth::spf::{Identity, Spf, SpfResult};
use store::AccountId;
use store::lessons::RuleOf;

use super::*;

fn spf(result: SpfResult, domain: &str) -> Spf {
    Spf {
        result,
        identity: Identity::MailFrom,
        domain: domain.to_owned(),
        matched: None,
        boundless: false,
        explanation: None,
        problem: None,
    }
}

/// A message of `author.test` whose reverse-path is of this domain.
fn verdict(dmarc: DmarcResult, result: SpfResult, domain: &str) -> Verdict {
    Verdict {
        iprev: Iprev {
            result: IprevResult::Fail,
            reason: None,
            ip: "203.0.113.7".parse().unwrap(),
            name: None,
        },
        helo: spf(SpfResult::None, "mx.author.test"),
        spf: spf(result, domain),
        dkim: Vec::new(),
        arc: Arc::none(),
        dmarc: Dmarc {
            result: dmarc,
            reason: Reason::NoPolicy,
            domain: Some("author.test".to_owned()),
            org_domain: None,
            published: None,
            spf_aligned: false,
            dkim_aligned: false,
            wish: Policy::None,
        },
    }
}

#[test]
fn who_is_proven() {
    use DmarcResult::{Fail, None, Pass, PermError, TempError};
    for (dmarc, spf, domain, want) in [
        (Pass, SpfResult::None, "", Proof::Proven),
        (Fail, SpfResult::Pass, "author.test", Proof::Failed),
        (TempError, SpfResult::Pass, "author.test", Proof::Unknown),
        (PermError, SpfResult::Pass, "author.test", Proof::Unproven),
        (None, SpfResult::Pass, "author.test", Proof::Proven),
        (None, SpfResult::Pass, "bounces.author.test", Proof::Proven),
        (None, SpfResult::SoftFail, "author.test", Proof::Unproven),
        (None, SpfResult::Pass, "elsewhere.test", Proof::Unproven),
        (None, SpfResult::Pass, "", Proof::Unproven),
        (None, SpfResult::None, "", Proof::Unproven),
    ] {
        assert_eq!(
            proof(&verdict(dmarc, spf, domain)),
            want,
            "{dmarc:?} {spf:?} {domain}"
        );
    }
}

#[test]
fn what_a_detour_excuses() {
    let author = Address::parse("al@author.test").unwrap();
    let other = verdict(DmarcResult::Fail, SpfResult::Pass, "list.test");
    let nobody = verdict(DmarcResult::Fail, SpfResult::Fail, "list.test");
    for (verdict, ours, vouched, looks_so, want) in [
        (&other, false, false, true, true),
        (&other, false, false, false, false),
        // A name of ours, or nothing that passes at all, needs somebody who is trusted.
        (&other, true, false, true, false),
        (&nobody, false, false, true, false),
        (&nobody, true, true, false, true),
    ] {
        let from = ReversePath::Null;
        let got = authentication(verdict, &from, Some(&author), ours, vouched, looks_so);
        assert!(!got.reverse_path_is_proven);
        assert_eq!(got.detour, want, "{ours} {vouched} {looks_so}");
        assert_eq!(got.author_is_ours, ours);
        assert_eq!(got.author.as_deref(), Some("al@author.test"));
    }
}

#[test]
fn an_envelope_is_proven_by_spf_of_its_own_domain() {
    for (result, domain, from, want) in [
        (SpfResult::Pass, "list.test", "<x@list.test>", true),
        (SpfResult::Pass, "list.test", "<x@mail.list.test>", false),
        (SpfResult::SoftFail, "list.test", "<x@list.test>", false),
        (SpfResult::Pass, "list.test", "<>", false),
    ] {
        let from = ReversePath::parse(from.trim_matches(['<', '>'])).unwrap();
        let verdict = verdict(DmarcResult::Pass, result, domain);
        let got = authentication(&verdict, &from, None, false, false, false);
        assert_eq!(
            got.reverse_path_is_proven, want,
            "{result:?} {domain} {from}"
        );
    }
}

#[test]
fn which_peers_are_at_home() {
    for (peer, want) in [
        ("127.0.0.1", true),
        ("::ffff:192.168.1.9", true),
        ("10.0.0.3", true),
        ("fd00::3", true),
        ("::1", true),
        ("198.18.0.1", false),
        ("203.0.113.9", false),
        ("2001:db8::1", false),
    ] {
        assert_eq!(is_near(peer.parse().unwrap()), want, "{peer}");
    }
}

#[test]
fn the_past_of_an_account() {
    let day = |days: i64| UnixMillis(days * 86_400_000);
    let known = senders::History {
        sent: 2,
        received: 9,
        confirmed: 4,
        junked: 1,
        first_received: Some(UnixMillis(0)),
        network: Some("203.0.113.0/24".to_owned()),
        written_at_domain: 3,
        ..senders::History::default()
    };
    let got = history(&known, Some("203.0.113.0/24"), true, day(9));
    let want = History {
        written_to_address: 2,
        // Without the address itself.
        written_to_domain: 2,
        received_wanted: 4,
        received_junk: 1,
        same_network: true,
        answers_us: true,
    };
    assert_eq!(got, want);
    assert!(!history(&known, Some("198.51.100.0/24"), true, day(9)).same_network);
    assert!(!history(&known, None, true, day(9)).same_network);
    let nothing = history(&senders::History::default(), None, false, day(9));
    assert_eq!(nothing, History::default());
    // Nobody called it wanted: it counts after some days only, and by no more than there were.
    for (days, want) in [(0, 0), (2, 0), (3, 3), (4, 4), (400, 4)] {
        let got = history(&known, None, false, day(days));
        assert_eq!(got.received_wanted, want, "{days}");
    }
}

#[test]
fn lists_name_whose_they_are() {
    let rule = |wish, by| SenderRule {
        wish,
        by,
        entry: "a.test".to_owned(),
        even_unproven: wish == Wish::Allow,
        of: RuleOf::Author,
    };
    let domain = mail::Domain::parse("here.test").unwrap();
    let rules = [
        rule(Wish::Allow, Scope::Account(AccountId(1))),
        rule(Wish::Block, Scope::Domain(domain)),
        rule(Wish::Block, Scope::Server),
    ];
    let got: Vec<_> = list_entries(&rules)
        .iter()
        .map(|one| (one.wish, one.by, one.even_unproven))
        .collect();
    let want = [
        (ListWish::Allow, ListBy::Account, true),
        (ListWish::Block, ListBy::Domain, false),
        (ListWish::Block, ListBy::Server, false),
    ];
    assert_eq!(got, want);
}

#[test]
fn nobody_taught_nothing() {
    let learning: Vec<u64> = (0..50).collect();
    assert_eq!(opinion(&Lore::default(), &learning), Opinion::default());
    let junk = store::lessons::Count {
        junk: 40,
        wanted: 0,
    };
    let lore = Lore {
        totals: store::lessons::Count {
            junk: 40,
            wanted: 40,
        },
        // In no order.
        counts: learning
            .iter()
            .rev()
            .map(|feature| (*feature, junk))
            .collect(),
    };
    let all = opinion(&lore, &learning);
    let some = opinion(&lore, &(0..5_000).collect::<Vec<_>>());
    assert!(
        0.0 < all.log_odds && some.log_odds < all.log_odds,
        "{all:?} {some:?}"
    );
}

#[test]
fn what_the_operator_chose_weighs() {
    let choices = SpamChoices {
        threshold: Some(5.0),
        weights: vec![
            ("correspondent".to_owned(), 2.0),
            ("of-a-later-version".to_owned(), 9.0),
        ],
        ..SpamChoices::default()
    };
    let weights = weights(&choices);
    assert_eq!(weights.threshold, 5.0);
    assert_eq!(weights.multipliers.len(), 1);
}
