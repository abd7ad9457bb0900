//! Which combinations end where. The rows are what people would expect of a filter, not what it happens to say.

use proptest::prelude::{any, prop, proptest};

use super::{Place, judge};
use crate::attachments;
use crate::facts::{
    Authentication, Facts, FilterSaid, History, ListBy, ListEntry, ListOf, ListWish, Listed,
    ListedOf, Opinion, OtherFilter, Proof, Reputation, Standing,
};
use crate::reasons::{Finding, Kind};
use crate::weights::Weights;

use Place::{Junk, Wanted};

/// What the model says of shouting that it has seen in spam only.
const SHOUTING: f32 = 9.0;
/// Of a friendly letter.
const FRIENDLY: f32 = -4.0;

fn facts(proof: Proof) -> Facts {
    Facts {
        authentication: Authentication {
            author: Some("ann@friend.example".to_owned()),
            proof,
            ..Authentication::default()
        },
        ..Facts::default()
    }
}

fn wrote_to(proof: Proof) -> Facts {
    Facts {
        history: History {
            written_to_address: 3,
            written_to_domain: 1,
            ..History::default()
        },
        ..facts(proof)
    }
}

#[track_caller]
fn check(what: &str, base: f32, findings: &[Finding], facts: &Facts, want: Place) {
    let verdict = judge(base, findings, facts, &Weights::default());
    assert_eq!(
        verdict.place,
        want,
        "{what}: {:.2} {:#?}",
        verdict.log_odds,
        verdict.words()
    );
}

fn of(kinds: &[Kind]) -> Vec<Finding> {
    kinds
        .iter()
        .map(|kind| Finding::new(*kind, ["a.example", "b.example"]))
        .collect()
}

#[test]
fn people_one_wrote_to() {
    let known = wrote_to(Proof::Proven);
    check("a correspondent who shouts", SHOUTING, &[], &known, Wanted);
    let every_soft: Vec<Kind> = Kind::all()
        .filter(|kind| kind.nature() != super::Nature::Hard)
        .collect();
    let soft: Vec<Finding> = of(&every_soft)
        .into_iter()
        .filter(|one| one.kind.nature() != super::Nature::Order)
        .filter(|one| one.kind.nature() != super::Nature::Sender)
        .collect();
    check(
        "a correspondent with everything soft",
        SHOUTING,
        &soft,
        &known,
        Wanted,
    );
    let one_trick = of(&[Kind::LinkClaimsBrand]);
    check(
        "a correspondent with one odd link",
        2.0,
        &one_trick,
        &known,
        Wanted,
    );
    check(
        "a correspondent who sends a program",
        FRIENDLY,
        &of(&[Kind::Program]),
        &known,
        Wanted,
    );
    let taken_over = of(&[
        Kind::LinkClaimsBrand,
        Kind::SmugglingPage,
        Kind::LinkLookalike,
    ]);
    check(
        "a correspondent whose account was taken over",
        SHOUTING,
        &taken_over,
        &known,
        Junk,
    );
    let at_the_domain = Facts {
        history: History {
            written_to_domain: 2,
            ..History::default()
        },
        ..facts(Proof::Proven)
    };
    check(
        "a colleague of a correspondent who shouts",
        SHOUTING,
        &[],
        &at_the_domain,
        Wanted,
    );
    let answer = Facts {
        history: History {
            answers_us: true,
            ..History::default()
        },
        ..facts(Proof::Proven)
    };
    check("a stranger who answers", 4.0, &[], &answer, Wanted);
}

#[test]
fn forged_names_earn_nothing() {
    check(
        "a stranger who shouts",
        SHOUTING,
        &[],
        &facts(Proof::Unproven),
        Junk,
    );
    for proof in [Proof::Unknown, Proof::Unproven, Proof::Failed] {
        check(
            "a forged correspondent who shouts",
            SHOUTING,
            &[],
            &wrote_to(proof),
            Junk,
        );
        let alone = judge(2.0, &[], &facts(proof), &Weights::default());
        let forged = judge(2.0, &[], &wrote_to(proof), &Weights::default());
        assert!(
            forged.log_odds >= alone.log_odds,
            "{proof:?} profits from a name"
        );
    }
    // Millions have an address there.
    let mut freemail = facts(Proof::Proven);
    freemail.authentication.author = Some("stranger@gmail.com".to_owned());
    freemail.history.written_to_domain = 50;
    check("a stranger at a free service", 5.0, &[], &freemail, Junk);
    let mut ours = facts(Proof::Failed);
    ours.authentication.author_is_ours = true;
    check("our own name, forged", 1.0, &[], &ours, Junk);
    ours.authentication.detour = true;
    check("our own name, over a list", 1.0, &[], &ours, Wanted);
}

#[test]
fn a_proof_alone_is_worth_little() {
    check(
        "a proven stranger who shouts",
        SHOUTING,
        &[],
        &facts(Proof::Proven),
        Junk,
    );
    let proven = judge(3.1, &[], &facts(Proof::Proven), &Weights::default());
    let unknown = judge(3.1, &[], &Facts::default(), &Weights::default());
    assert!(unknown.log_odds - proven.log_odds < 0.5);
    check(
        "a friendly stranger without a proof",
        FRIENDLY,
        &[],
        &facts(Proof::Unproven),
        Wanted,
    );
    check(
        "a friendly stranger whose signature broke",
        FRIENDLY,
        &[],
        &facts(Proof::Failed),
        Wanted,
    );
}

#[test]
fn genuine_notices() {
    let from = |author: &str, proof| {
        let mut facts = facts(proof);
        facts.authentication.author = Some(author.to_owned());
        judge(3.5, &[], &facts, &Weights::default())
    };
    assert_eq!(from("service@mail.paypal.com", Proof::Proven).place, Wanted);
    assert_eq!(from("service@mail.paypal.com", Proof::Failed).place, Junk);
    assert_eq!(
        from("service@paypal.com.evil.example", Proof::Proven).place,
        Junk
    );
    assert_eq!(from("somebody@gmail.com", Proof::Proven).place, Junk);
}

#[test]
fn newsletters() {
    let links = of(&[
        Kind::Bulk,
        Kind::LinkElsewhere,
        Kind::LinkShortened,
        Kind::LinkFreeHost,
    ]);
    check(
        "a proven newsletter with counted links",
        1.0,
        &links,
        &facts(Proof::Proven),
        Wanted,
    );
    check(
        "bulk is not junk",
        FRIENDLY,
        &of(&[Kind::Bulk]),
        &Facts::default(),
        Wanted,
    );
    check(
        "nor a pardon",
        5.0,
        &of(&[Kind::Bulk]),
        &facts(Proof::Proven),
        Junk,
    );
    let softened = judge(0.0, &links, &facts(Proof::Proven), &Weights::default());
    let plain = judge(0.0, &links[1..], &facts(Proof::Proven), &Weights::default());
    assert!(softened.log_odds < plain.log_odds);
}

#[test]
fn soft_findings_never_junk_alone() {
    let soft: Vec<Kind> = Kind::all()
        .filter(|kind| matches!(kind.nature(), super::Nature::Soft | super::Nature::SoftLink))
        .filter(|kind| {
            !matches!(
                kind,
                Kind::Content | Kind::TaughtByAccount | Kind::TaughtByServer
            )
        })
        .collect();
    check(
        "everything soft",
        0.0,
        &of(&soft),
        &Facts::default(),
        Wanted,
    );
    check(
        "one trick",
        0.0,
        &of(&[Kind::LinkClaimsBrand]),
        &Facts::default(),
        Wanted,
    );
    check(
        "two tricks",
        0.0,
        &of(&[Kind::LinkClaimsBrand, Kind::NameClaimsBrand]),
        &Facts::default(),
        Junk,
    );
    check(
        "a program from a stranger",
        0.0,
        &of(&[Kind::Program]),
        &Facts::default(),
        Junk,
    );
}

#[test]
fn orders_are_obeyed() {
    check(
        "the test line",
        -12.0,
        &of(&[Kind::TestString]),
        &wrote_to(Proof::Proven),
        Junk,
    );
    let entry = |wish, even_unproven| ListEntry {
        wish,
        by: ListBy::Account,
        of: ListOf::Author,
        entry: "ann@friend.example".to_owned(),
        even_unproven,
    };
    let on_lists = |proof, entries: &[ListEntry]| Facts {
        lists: entries.to_vec(),
        ..facts(proof)
    };
    let allow = entry(ListWish::Allow, false);
    let trusting = entry(ListWish::Allow, true);
    let block = entry(ListWish::Block, false);
    let by_server = ListEntry {
        by: ListBy::Server,
        ..block.clone()
    };
    let worst = of(&[Kind::Program, Kind::LinkClaimsBrand]);
    check(
        "allowed",
        12.0,
        &worst,
        &on_lists(Proof::Proven, std::slice::from_ref(&allow)),
        Wanted,
    );
    check(
        "allowed, forged",
        12.0,
        &worst,
        &on_lists(Proof::Unproven, std::slice::from_ref(&allow)),
        Junk,
    );
    check(
        "allowed without proof",
        12.0,
        &worst,
        &on_lists(Proof::Unproven, &[trusting]),
        Wanted,
    );
    check(
        "blocked",
        -12.0,
        &[],
        &on_lists(Proof::Unproven, std::slice::from_ref(&block)),
        Junk,
    );
    check(
        "blocked and allowed",
        -12.0,
        &[],
        &on_lists(Proof::Proven, &[allow.clone(), by_server]),
        Junk,
    );
    let virus = OtherFilter {
        name: "clamd".to_owned(),
        said: FilterSaid::Virus("Eicar".to_owned()),
    };
    let infected = Facts {
        other_filters: vec![virus],
        ..on_lists(Proof::Proven, std::slice::from_ref(&allow))
    };
    check("allowed, with a virus", -12.0, &[], &infected, Junk);
    let unproven = judge(
        12.0,
        &[],
        &on_lists(Proof::Unproven, &[allow]),
        &Weights::default(),
    );
    assert!(
        unproven
            .reasons
            .iter()
            .any(|reason| reason.kind == Kind::AllowedUnproven)
    );
}

#[test]
fn lists_believe_the_name_that_is_proven() {
    use ListOf::{Author, Peer, ReversePath};
    use ListWish::{Allow, Block};
    let check = |proof, reverse_path_is_proven, entries: &[(ListWish, ListBy, ListOf)], want| {
        let lists = entries.iter().map(|(wish, by, of)| ListEntry {
            wish: *wish,
            by: *by,
            of: *of,
            entry: "friend.example".to_owned(),
            even_unproven: false,
        });
        let mut facts = Facts {
            lists: lists.collect(),
            ..facts(proof)
        };
        facts.authentication.reverse_path_is_proven = reverse_path_is_proven;
        let verdict = judge(0.0, &[], &facts, &Weights::default());
        let orders = [Kind::Allowed, Kind::AllowedUnproven, Kind::Blocked];
        let mut kinds = verdict.reasons.iter().map(|reason| reason.kind);
        let got = kinds.find(|kind| orders.contains(kind));
        assert_eq!(
            got,
            Some(want),
            "{proof:?} {reverse_path_is_proven} {entries:?}"
        );
    };
    let (own, server) = (ListBy::Account, ListBy::Server);
    let (yes, no) = (Proof::Proven, Proof::Unproven);
    let by_path = [(Allow, server, ReversePath)];
    // The author proves to be somebody, whom nobody allowed.
    check(yes, false, &by_path, Kind::AllowedUnproven);
    check(no, true, &by_path, Kind::Allowed);
    check(no, true, &[(Allow, own, Author)], Kind::AllowedUnproven);
    check(yes, false, &[(Allow, own, Peer)], Kind::Allowed);
    check(no, true, &[(Allow, own, Peer)], Kind::AllowedUnproven);
    // An exception from what is blocked must be proven, and be of the same name and list.
    let exception = [(Allow, server, Author), (Block, server, Author)];
    check(yes, false, &exception, Kind::Allowed);
    check(no, false, &exception, Kind::Blocked);
    let of_path = [(Allow, server, ReversePath), (Block, server, Author)];
    check(yes, true, &of_path, Kind::Blocked);
    let of_account = [(Allow, own, Author), (Block, server, Author)];
    check(yes, true, &of_account, Kind::Blocked);
    let wider = [(Block, own, Author), (Allow, own, Author)];
    check(yes, true, &wider, Kind::Blocked);
}

#[test]
fn who_taught_here_is_heard() {
    let taught = |log_odds, confidence| Opinion {
        log_odds,
        confidence,
    };
    let by_account = |log_odds| Facts {
        account_taught: taught(log_odds, 0.9),
        ..Facts::default()
    };
    check(
        "the account takes it for junk",
        -1.0,
        &[],
        &by_account(6.0),
        Junk,
    );
    check("the account wants it", 4.0, &[], &by_account(-6.0), Wanted);
    let both = Facts {
        server_taught: taught(8.0, 0.9),
        ..by_account(-6.0)
    };
    check(
        "the account is heard before the others",
        2.0,
        &[],
        &both,
        Wanted,
    );
    let nobody = Facts {
        account_taught: taught(9.0, 0.0),
        ..Facts::default()
    };
    check("nothing was taught", -1.0, &[], &nobody, Wanted);
    // Correspondents are safe from what others take for junk.
    let known = Facts {
        server_taught: taught(9.0, 1.0),
        ..wrote_to(Proof::Proven)
    };
    check(
        "a correspondent whom others dislike",
        5.0,
        &[],
        &known,
        Wanted,
    );
    // But not from the account itself.
    let mut disliked = wrote_to(Proof::Proven);
    disliked.history.received_junk = 8;
    disliked.account_taught = taught(8.0, 0.9);
    check("a former friend", 3.0, &[], &disliked, Junk);
}

#[test]
fn lists_reputation_and_other_filters() {
    let listed = |of, weight: f32, zones: usize| -> Vec<Listed> {
        let one = |at: usize| Listed {
            zone: format!("{at}.list.example"),
            of,
            subject: "192.0.2.1".to_owned(),
            weight,
        };
        (0..zones).map(one).collect()
    };
    let with = |listed: Vec<Listed>, facts: Facts| Facts { listed, ..facts };
    let peer = |zones| listed(ListedOf::Peer, 3.5, zones);
    check(
        "a listed host, and a friendly letter",
        FRIENDLY,
        &[],
        &with(peer(1), Facts::default()),
        Wanted,
    );
    check(
        "a listed host, and nothing else",
        0.0,
        &[],
        &with(peer(1), facts(Proof::Unproven)),
        Junk,
    );
    check(
        "a correspondent from a listed host",
        3.0,
        &[],
        &with(peer(9), wrote_to(Proof::Proven)),
        Wanted,
    );
    check(
        "a listed link",
        0.0,
        &[],
        &with(listed(ListedOf::Link, 3.5, 1), Facts::default()),
        Junk,
    );
    let standing = |log_odds| {
        Some(Standing {
            name: "192.0.2.0/24".to_owned(),
            log_odds,
        })
    };
    let of_address = |log_odds| Facts {
        reputation: Reputation {
            address: standing(log_odds),
            network: standing(log_odds),
            domain: standing(log_odds),
        },
        ..facts(Proof::Unproven)
    };
    check("a bad past alone", -2.0, &[], &of_address(9.0), Wanted);
    let of_stranger = Facts {
        authentication: Authentication {
            author: Some("somebody@gmail.com".to_owned()),
            ..facts(Proof::Proven).authentication
        },
        ..of_address(9.0)
    };
    check(
        "a bad past of a great provider",
        -1.0,
        &[],
        &of_stranger,
        Wanted,
    );
    check(
        "a bad past and a bad look",
        1.0,
        &[],
        &of_address(9.0),
        Junk,
    );
    check(
        "a good past does not wash",
        6.0,
        &[],
        &of_address(-9.0),
        Junk,
    );
    let filter = |score| Facts {
        other_filters: vec![OtherFilter {
            name: "rspamd".to_owned(),
            said: FilterSaid::Score {
                score,
                threshold: 6.0,
            },
        }],
        ..Facts::default()
    };
    check("another filter is sure", 0.0, &[], &filter(12.0), Junk);
    check("another filter sees nothing", 4.5, &[], &filter(-3.0), Junk);
    check(
        "another filter is broken",
        0.0,
        &[],
        &filter(f32::NAN),
        Wanted,
    );
}

#[test]
fn the_operator_may_weigh_otherwise() {
    let findings = of(&[Kind::Program]);
    let mut weights = Weights::default();
    weights.multipliers.insert(Kind::Program, 0.0);
    assert_eq!(
        judge(0.0, &findings, &Facts::default(), &weights).place,
        Wanted
    );
    weights.multipliers.insert(Kind::Program, 1.0);
    weights.threshold = 9.0;
    assert_eq!(
        judge(0.0, &findings, &Facts::default(), &weights).place,
        Wanted
    );
    let json = serde_json::to_string(&weights).unwrap();
    assert_eq!(serde_json::from_str::<Weights>(&json).unwrap(), weights);
    weights.threshold = f32::NAN;
    assert_eq!(judge(9.0, &[], &Facts::default(), &weights).place, Junk);
}

#[test]
fn reasons_are_sorted_and_add_up() {
    let findings = of(&[
        Kind::LinkClaimsBrand,
        Kind::Script,
        Kind::LinkShortened,
        Kind::ReplyMoney,
    ]);
    let verdict = judge(2.5, &findings, &facts(Proof::Failed), &Weights::default());
    let weights: Vec<f32> = verdict
        .reasons
        .iter()
        .map(|reason| reason.weight.abs())
        .collect();
    assert!(weights.is_sorted_by(|a, b| a >= b), "{weights:?}");
    let sum: f32 = verdict.reasons.iter().map(|reason| reason.weight).sum();
    assert!((sum - verdict.log_odds).abs() < 0.01);
    assert!(verdict.probability > 0.99);
    assert!(verdict.words()[0].starts_with('+'), "{:?}", verdict.words());
}

#[test]
fn every_danger_is_a_reason() {
    for kind in attachments::Kind::ALL {
        assert!(kind.reason().weight() > 0.0, "{}", kind.name());
        assert_eq!(attachments::Kind::from_name(kind.name()), Some(*kind));
    }
}

proptest! {
    #[test]
    fn the_sum_is_always_a_number(
        base in any::<f32>(),
        weights in prop::collection::vec(any::<f32>(), 0..200),
        account in any::<(f32, f32)>(),
        score in any::<(f32, f32)>(),
    ) {
        let kinds: Vec<Kind> = Kind::all().collect();
        let findings: Vec<Finding> = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| Finding::weighing(kinds[at % kinds.len()], *weight, ["x"]))
            .collect();
        let facts = Facts {
            account_taught: Opinion { log_odds: account.0, confidence: account.1 },
            other_filters: vec![OtherFilter {
                name: "x".to_owned(),
                said: FilterSaid::Score { score: score.0, threshold: score.1 },
            }],
            ..wrote_to(Proof::Proven)
        };
        let verdict = judge(base, &findings, &facts, &Weights::default());
        assert!(verdict.log_odds.is_finite());
        assert!((0.0..=1.0).contains(&verdict.probability));
        let field = verdict.header_field("mx.example");
        assert!(crate::verdict::Verdict::of_message(&field).is_some());
    }
}
