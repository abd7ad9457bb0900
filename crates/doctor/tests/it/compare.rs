//! Wishes against what name servers say: each difference is seen, what others put there stays, and the edits mend it.

use std::collections::BTreeMap;

use doctor::compare::{Edit, Row, Seen, State, Tenure, compare, is_right, ours, questions};
use doctor::{
    Action, DkimFact, DkimStage, DomainFacts, Kind, MtaStsFact, RecordWish, ReportAddresses,
    Sending, Services, for_domain,
};

const DOMAIN: &str = "example.org";
const HOST: &str = "mail.example.org";

fn facts() -> DomainFacts {
    let key = |selector: &str, stage| DkimFact {
        selector: selector.to_owned(),
        record: format!("v=DKIM1; k=rsa; p={}", "A".repeat(392)),
        stage,
    };
    DomainFacts {
        domain: DOMAIN.to_owned(),
        host: HOST.to_owned(),
        addresses: vec![
            "192.0.2.25".parse().unwrap(),
            "2001:db8::25".parse().unwrap(),
        ],
        dkim: vec![key("s1", DkimStage::Active), key("old", DkimStage::Retired)],
        reports: ReportAddresses {
            dmarc: "dmarc-reports@example.org".to_owned(),
            tls: "tls-reports@example.org".to_owned(),
        },
        sending: Sending::Direct,
        services: Services {
            submissions: Some(465),
            imaps: Some(993),
            pop3s: Some(995),
        },
        mta_sts: Some(MtaStsFact {
            id: "7".to_owned(),
            mode: "testing",
        }),
        certificate_keys: vec![[0x2a; 32]],
        authority: Some("letsencrypt.org".to_owned()),
    }
}

fn wishes() -> Vec<RecordWish> {
    for_domain(&facts())
}

type Zone = BTreeMap<(String, Kind), Vec<String>>;

/// A zone with everything that is wished for.
fn right() -> Zone {
    let mut zone = Zone::new();
    for wish in wishes()
        .iter()
        .filter(|wish| wish.action == Action::Publish)
    {
        zone.entry((wish.name.clone(), wish.kind))
            .or_default()
            .push(wish.value.clone());
    }
    zone
}

fn seen(server: &str, zone: &Zone) -> Seen {
    let answers = questions(&wishes()).into_iter().map(|question| {
        let values = zone.get(&question).cloned().unwrap_or_default();
        (question, Ok(values))
    });
    Seen {
        server: server.to_owned(),
        answers: answers.collect(),
    }
}

fn rows(zone: &Zone) -> Vec<Row> {
    compare(&wishes(), &[seen("ns1", zone)])
}

fn apply(zone: &mut Zone, rows: &[Row], with_foreign: bool) {
    for row in rows
        .iter()
        .filter(|row| with_foreign || row.tenure != Tenure::Foreign)
    {
        for edit in &row.edits {
            match edit {
                Edit::Add {
                    name, kind, value, ..
                } => {
                    let values = zone.entry((name.clone(), *kind)).or_default();
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                Edit::Remove { name, kind, value } => {
                    let values = zone.entry((name.clone(), *kind)).or_default();
                    values.retain(|one| one != value);
                }
            }
        }
    }
}

#[test]
fn what_is_as_wished_is_right() {
    let rows = rows(&right());
    assert!(is_right(&rows), "{rows:#?}");
    assert!(rows.iter().all(|row| row.edits.is_empty()));
}

#[test]
fn an_empty_zone_lacks_everything_and_gets_it() {
    let mut zone = Zone::new();
    let before = rows(&zone);
    assert!(
        before.iter().all(|row| row.state == State::Missing),
        "{before:#?}"
    );
    assert!(
        before
            .iter()
            .all(|row| row.edits.is_empty() == (row.wish.kind == Kind::Ptr)),
        "reverse names lie elsewhere"
    );
    apply(&mut zone, &before, false);
    let after = rows(&zone);
    let left: Vec<Kind> = after
        .iter()
        .filter(|row| row.state != State::Right)
        .map(|row| row.wish.kind)
        .collect();
    assert_eq!(left, [Kind::Ptr, Kind::Ptr]);
}

/// What is there at a name; what is said; what is there after the edits.
struct Case {
    name: &'static str,
    kind: Kind,
    there: &'static [&'static str],
    state: State,
    says: &'static str,
    after: &'static [&'static str],
}

const KEY: &str = "s1._domainkey.example.org";

fn cases() -> Vec<Case> {
    let case = |name, kind, there, state, says, after| Case {
        name,
        kind,
        there,
        state,
        says,
        after,
    };
    use Kind::*;
    use State::{Extra, Right, Wrong};
    vec![
        // SPF: others' senders stay, and there is one record.
        case(
            DOMAIN,
            Txt,
            &["v=spf1 include:_spf.shop.example ~all"],
            Wrong,
            "mx is missing",
            &["v=spf1 mx include:_spf.shop.example ~all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"],
            Right,
            "",
            &["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 ip4:192.0.2.0/24 -all"],
            Wrong,
            "mx is missing",
            &["v=spf1 mx ip4:192.0.2.0/24 -all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::25 -all"],
            Wrong,
            "mx is missing",
            &["v=spf1 mx ip4:192.0.2.0/28 ip6:2001:db8::25 -all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["V=SPF1 +MX ?all"],
            Right,
            "",
            &["V=SPF1 +MX ?all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 mx +all"],
            Wrong,
            "everybody",
            &["v=spf1 mx -all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 mx"],
            Wrong,
            "no end",
            &["v=spf1 mx -all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["v=spf1 redirect=_spf.other.example"],
            Wrong,
            "mx is missing",
            &["v=spf1 mx redirect=_spf.other.example"],
        ),
        case(
            DOMAIN,
            Txt,
            &[
                "v=spf1 include:a.example -all",
                "v=spf1 include:b.example ~all",
            ],
            Wrong,
            "2 SPF records",
            &["v=spf1 mx include:a.example include:b.example ~all"],
        ),
        case(
            DOMAIN,
            Txt,
            &["other=1", "v=spf1 mx -all"],
            Right,
            "",
            &["other=1", "v=spf1 mx -all"],
        ),
        // DMARC: the operator's policy stands.
        case(
            "_dmarc.example.org",
            Txt,
            &["v=DMARC1; p=reject; rua=mailto:x@elsewhere.example"],
            Right,
            "",
            &["v=DMARC1; p=reject; rua=mailto:x@elsewhere.example"],
        ),
        case(
            "_dmarc.example.org",
            Txt,
            &["v=DMARC1; p=reject; sp=none;"],
            Wrong,
            "rua",
            &["v=DMARC1; p=reject; sp=none; rua=mailto:dmarc-reports@example.org"],
        ),
        case(
            "_dmarc.example.org",
            Txt,
            &["v=DMARC1; p=strict; rua=mailto:x@a.example"],
            Wrong,
            "p=strict",
            &[
                "v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@example.org; ruf=mailto:dmarc-reports@example.org",
            ],
        ),
        case(
            "_dmarc.example.org",
            Txt,
            &[
                "v=DMARC1; p=none; rua=mailto:x@a.example",
                "v=DMARC1; p=reject; rua=mailto:x@a.example",
            ],
            Wrong,
            "2 DMARC",
            &["v=DMARC1; p=none; rua=mailto:x@a.example"],
        ),
        // What only we make.
        case(
            "_mta-sts.example.org",
            Txt,
            &["v=STSv1; id=6"],
            Wrong,
            "id is 6 instead of 7",
            &["v=STSv1; id=7"],
        ),
        case(
            "_mta-sts.example.org",
            Txt,
            &["v=STSv1;id=7;"],
            Right,
            "",
            &["v=STSv1;id=7;"],
        ),
        case(
            "_smtp._tls.example.org",
            Txt,
            &["v=TLSRPTv1; rua=https://r.example/"],
            Right,
            "",
            &["v=TLSRPTv1; rua=https://r.example/"],
        ),
        case(
            "_smtp._tls.example.org",
            Txt,
            &["v=TLSRPTv1"],
            Wrong,
            "rua",
            &["v=TLSRPTv1; rua=mailto:tls-reports@example.org"],
        ),
        // Sets in which others may stand.
        case(
            DOMAIN,
            Mx,
            &["10 old.elsewhere.example."],
            Wrong,
            "old.elsewhere.example",
            &["10 old.elsewhere.example.", "10 mail.example.org."],
        ),
        case(DOMAIN, Mx, &["0 ."], Wrong, "", &["10 mail.example.org."]),
        case(
            DOMAIN,
            Mx,
            &["5 MAIL.example.org."],
            Right,
            "",
            &["5 MAIL.example.org."],
        ),
        case(
            HOST,
            A,
            &["198.51.100.1"],
            Wrong,
            "198.51.100.1 instead of 192.0.2.25",
            &["198.51.100.1", "192.0.2.25"],
        ),
        case(
            HOST,
            Aaaa,
            &["2001:0db8:0::25"],
            Right,
            "",
            &["2001:0db8:0::25"],
        ),
        case(
            "_imaps._tcp.example.org",
            Srv,
            &["0 1 993 old.example."],
            Wrong,
            "old.example",
            &["0 1 993 mail.example.org."],
        ),
        case(
            "_imaps._tcp.example.org",
            Srv,
            &["10 5 993 mail.example.org."],
            Right,
            "",
            &["10 5 993 mail.example.org."],
        ),
        case(
            "mta-sts.example.org",
            Cname,
            &["old.example."],
            Wrong,
            "old.example",
            &["mail.example.org."],
        ),
        case(
            DOMAIN,
            Caa,
            &["0 issue \"other.example\""],
            Wrong,
            "letsencrypt.org could not",
            &["0 issue \"other.example\"", "0 issue \"letsencrypt.org\""],
        ),
        case(
            DOMAIN,
            Caa,
            &[
                "0 issue \"other.example\"",
                "0 issue \"letsencrypt.org; validationmethods=dns-01\"",
            ],
            Right,
            "",
            &[
                "0 issue \"other.example\"",
                "0 issue \"letsencrypt.org; validationmethods=dns-01\"",
            ],
        ),
        case(
            DOMAIN,
            Caa,
            &["0 iodef \"mailto:a@b.example\""],
            State::Missing,
            "",
            &[
                "0 iodef \"mailto:a@b.example\"",
                "0 issue \"letsencrypt.org\"",
            ],
        ),
        case(
            "_25._tcp.mail.example.org",
            Tlsa,
            &["2 1 1 00ff"],
            Wrong,
            "not among them",
            &[
                "2 1 1 00ff",
                "3 1 1 2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a",
            ],
        ),
        // What is to go.
        case(
            "old._domainkey.example.org",
            Txt,
            &["v=DKIM1; k=rsa; p=AAAA"],
            Extra,
            "not needed",
            &[],
        ),
        // A key that was damaged on its way.
        case(KEY, Txt, &["v=DKIM1; k=rsa; p="], Wrong, "revokes", &[]),
        case(
            KEY,
            Txt,
            &["v=DKIM1; k=ed25519; p=AAAA"],
            Wrong,
            "k=ed25519",
            &[],
        ),
        case(
            KEY,
            Txt,
            &["v=DKIM1; k=rsa; p=AAAA"],
            Wrong,
            "4 characters instead of 392",
            &[],
        ),
        case(KEY, Txt, &["a", "b"], Wrong, "2 TXT records", &[]),
    ]
}

#[test]
fn each_difference_is_seen_and_mended_and_others_records_stay() {
    for case in cases() {
        let at = (case.name.to_owned(), case.kind);
        let mut zone = right();
        let there: Vec<String> = case.there.iter().map(|&value| value.to_owned()).collect();
        zone.insert(at.clone(), there.clone());
        let found = rows(&zone);
        let row = found
            .iter()
            .find(|row| row.wish.name == case.name && row.wish.kind == case.kind);
        let row = row.unwrap_or_else(|| panic!("{} {}", case.name, case.kind));
        assert_eq!(row.state, case.state, "{there:?}: {row:#?}");
        assert!(row.difference.contains(case.says), "{there:?}: {row:#?}");
        assert_eq!(row.state == State::Right, row.edits.is_empty(), "{there:?}");
        // Nothing else is said of the other names.
        let elsewhere = found
            .iter()
            .filter(|other| (&other.wish.name, other.wish.kind) != (&at.0, at.1));
        for other in elsewhere {
            assert_eq!(other.state, State::Right, "{there:?}: {other:#?}");
        }
        apply(&mut zone, &found, false);
        let mut after = zone[&at].clone();
        let mut wanted: Vec<String> = match case.name {
            KEY => right()[&at].clone(),
            _ => case.after.iter().map(|&value| value.to_owned()).collect(),
        };
        after.sort();
        wanted.sort();
        assert_eq!(after, wanted, "{there:?}");
        // What the edits leave is only what is somebody else's.
        let left = rows(&zone);
        let ours_left = left.iter().filter(|row| row.state != State::Right);
        assert!(
            ours_left.clone().all(|row| row.tenure == Tenure::Foreign),
            "{there:?}: {left:#?}"
        );
    }
}

#[test]
fn strangers_go_only_when_the_operator_says_so() {
    let mut zone = right();
    let at = (DOMAIN.to_owned(), Kind::Mx);
    zone.get_mut(&at)
        .unwrap()
        .push("20 backup.example.".to_owned());
    let found = rows(&zone);
    let extra: Vec<_> = found
        .iter()
        .filter(|row| row.state != State::Right)
        .collect();
    assert_eq!(extra.len(), 1);
    assert_eq!(
        (extra[0].state, extra[0].tenure),
        (State::Extra, Tenure::Foreign)
    );
    apply(&mut zone, &found, false);
    assert_eq!(zone[&at].len(), 2);
    apply(&mut zone, &found, true);
    assert_eq!(zone[&at], ["10 mail.example.org."]);
}

#[test]
fn pins_of_keys_that_are_gone_go_and_others_stay() {
    let mut zone = right();
    let at = ("_25._tcp.mail.example.org".to_owned(), Kind::Tlsa);
    let old = format!("3 1 1 {}", "00".repeat(32));
    zone.get_mut(&at)
        .unwrap()
        .extend([old.clone(), "2 1 1 00ff".to_owned()]);
    let found = rows(&zone);
    apply(&mut zone, &found, false);
    assert!(!zone[&at].contains(&old));
    assert_eq!(zone[&at].len(), 2);
}

#[test]
fn an_address_in_place_of_an_alias_will_do_when_it_leads_here() {
    let name = "mta-sts.example.org";
    for (address, state) in [("192.0.2.25", State::Right), ("198.51.100.9", State::Wrong)] {
        let mut zone = right();
        zone.remove(&(name.to_owned(), Kind::Cname));
        zone.insert((name.to_owned(), Kind::A), vec![address.to_owned()]);
        let found = rows(&zone);
        let row = found.iter().find(|row| row.wish.name == name).unwrap();
        assert_eq!(row.state, state, "{address}");
        apply(&mut zone, &found, false);
        if state == State::Wrong {
            assert!(
                zone[&(name.to_owned(), Kind::A)].is_empty(),
                "nothing may stand beside an alias"
            );
        }
        assert!(is_right(&rows(&zone)));
    }
}

#[test]
fn a_server_that_lags_is_named() {
    let mut old = right();
    old.remove(&(DOMAIN.to_owned(), Kind::Mx));
    let both = [seen("ns1", &right()), seen("ns2", &old)];
    let found = compare(&wishes(), &both);
    let wrong: Vec<_> = found
        .iter()
        .filter(|row| row.state != State::Right)
        .collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].state, State::Missing);
    assert_eq!(wrong[0].servers, ["ns2"]);
}

#[test]
fn who_says_nothing_does_not_count_unless_nobody_says_anything() {
    let mut silent = seen("ns2", &Zone::new());
    for answer in silent.answers.values_mut() {
        *answer = Err("no answer".to_owned());
    }
    assert!(is_right(&compare(
        &wishes(),
        &[seen("ns1", &right()), silent.clone()]
    )));
    let nobody = compare(&wishes(), &[silent]);
    // Of what is to be removed nothing is known either.
    assert!(
        nobody
            .iter()
            .all(|row| row.state == State::Unknown && row.edits.is_empty())
    );
    assert!(!is_right(&nobody));
}

#[test]
fn a_private_address_does_not_contradict_the_public_one() {
    let facts = DomainFacts {
        addresses: vec!["10.0.0.5".parse().unwrap()],
        ..facts()
    };
    let wishes = for_domain(&facts);
    let mut zone = right();
    zone.remove(&(HOST.to_owned(), Kind::Aaaa));
    let found = compare(&wishes, &[seen("ns1", &zone)]);
    let row = found.iter().find(|row| row.wish.kind == Kind::A).unwrap();
    assert_eq!(row.state, State::Right);
}

#[test]
fn only_what_nobody_else_writes_is_ours() {
    let mut names: Vec<String> = ours(&wishes()).into_iter().map(|wish| wish.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "_25._tcp.mail.example.org",
            "_mta-sts.example.org",
            "old._domainkey.example.org",
            KEY,
        ]
    );
}
