//! What the spam filter does with mail from the world: where it lies, what its header says, who is spared, and what nobody can
//! pretend.

use std::net::IpAddr;
use std::time::Duration;

use mail::Address;
use simulator::{Client, DnsFault, Host, Internet, Reply, minutes};
use store::lessons::{Choice, Scope};
use store::senders::BlocklistChoice;
use store::{Durability, StoreError};

use crate::authors::{Author, client, fields};
use crate::{ANN, BOB};

const DAN: &str = "dan@here.test";
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

const LUNCH: &str = "shall we meet for lunch on Thursday at noon? I would bring the plans for\r\n\
    the garden along, and we could decide where the apple trees go.\r\n";

/// What any filter knows.
const PRIZE: &str = "Dear Winner,\r\n\r\n\
    We are pleased to inform you that your email address has won the sum of\r\n\
    US$2,500,000.00 (Two Million Five Hundred Thousand United States Dollars)\r\n\
    in the international lottery promotion. To claim your prize money contact\r\n\
    our claims agent immediately with your full name, address, telephone number\r\n\
    and bank account details. A processing fee of $250 must be paid by Western\r\n\
    Union before the transfer of the funds. Act now! This is 100% risk free and\r\n\
    strictly confidential.\r\n\r\n\
    Buy cheap viagra and cialis online, no prescription, lowest prices, order now!\r\n";

/// A host where ann and dan live.
async fn host(internet: &Internet) -> Host {
    // Without a name it would have to come again.
    let peer: IpAddr = PEER.parse().unwrap();
    internet.zones().host("mx.winner.test", peer);
    internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN)
        .account(DAN)
        .start()
        .await
}

fn message(from: &str, subject: &str, text: &str) -> String {
    let domain = from
        .trim_end_matches('>')
        .rsplit('@')
        .next()
        .unwrap_or(from);
    format!(
        "From: {from}\r\nTo: <{ANN}>\r\nSubject: {subject}\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\n\
         Message-ID: <{}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{text}",
        subject.replace(|c: char| !c.is_ascii_alphanumeric(), ".")
    )
}

fn prize(from: &str) -> String {
    message(from, "CONGRATULATIONS!!! YOU HAVE WON", PRIZE)
}

fn lunch(from: &str) -> String {
    message(from, "lunch on Thursday", LUNCH)
}

async fn stranger(internet: &Internet, host: &Host, to: &[&str], message: &str) -> Reply {
    let mut client = internet.stranger(host.mx()).await;
    client
        .transact("claims@winner.test", to, message)
        .await
        .unwrap()
}

fn junk(host: &Host, address: &str) -> Vec<String> {
    host.mailbox(address, "Junk")
}

/// Mail from the world in the inbox: without notices of our own.
fn inbox(host: &Host, address: &str) -> Vec<String> {
    let mut inbox = host.inbox(address);
    inbox.retain(|message| message.contains("X-Postroad-Spam"));
    inbox
}

/// What the filter wrote on top; nothing if it did not look.
fn verdict(message: &str) -> Option<String> {
    let mut all = fields(message, "X-Postroad-Spam");
    assert!(all.len() < 2, "one verdict only:\n{message}");
    all.pop().map(|verdict| verdict.trim().to_owned())
}

#[track_caller]
fn assert_verdict(message: &str, place: &str, reasons: &[&str]) {
    let verdict = verdict(message).expect("a verdict");
    assert!(
        verdict.starts_with(&format!("{place};")),
        "not {place}: {verdict}"
    );
    assert!(verdict.contains("by=mx.here.test"), "{verdict}");
    for reason in reasons {
        assert!(
            verdict.contains(&format!(" {reason}=")),
            "no {reason} in {verdict}"
        );
    }
}

#[test]
fn spam_lies_in_junk_with_its_reasons_and_other_mail_in_the_inbox() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let reply = stranger(&internet, &host, &[ANN], &prize("<claims@winner.test>")).await;
        assert_eq!(reply.code, 250, "no verdict refuses: {reply:?}");
        let spam = &junk(&host, ANN)[0];
        assert_verdict(spam, "junk", &["content"]);
        assert_eq!(fields(spam, "X-Spam-Flag"), ["YES"]);
        let author = Author::new(&internet, "author.test", "p=reject");
        let letter = author.signed(&lunch("Al <al@author.test>"));
        author.send(&host, &[ANN], &letter).await;
        let wanted = &host.inbox(ANN)[0];
        assert_verdict(wanted, "wanted", &[]);
        assert!(fields(wanted, "X-Spam-Flag").is_empty());
        assert_eq!((host.inbox(ANN).len(), junk(&host, ANN).len()), (1, 1));
    });
}

#[test]
fn whom_one_wrote_to_is_spared_and_who_forges_them_is_not() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let odd = prize("Al <al@author.test>");
        author.send(&host, &[ANN], &author.signed(&odd)).await;
        assert_eq!(junk(&host, ANN).len(), 1, "nobody knows him yet");
        // With a detail that the answer will not have.
        let letter = "Subject: hello\r\n\r\nhow are you?\r\n";
        host.submit(&format!("<{ANN}>"), &["AL+garden@author.test"], letter)
            .await;
        author.send(&host, &[ANN], &author.signed(&odd)).await;
        let spared = &inbox(&host, ANN)[0];
        assert_verdict(spared, "wanted", &["correspondent"]);
        // Not for somebody else on the same server.
        author.send(&host, &[DAN], &author.signed(&odd)).await;
        assert!(host.inbox(DAN).is_empty());
        assert!(!junk(&host, DAN)[0].contains("correspondent"));
        // Not for who only uses the name.
        stranger(&internet, &host, &[ANN], &odd).await;
        let forged = &junk(&host, ANN)[1];
        assert_verdict(forged, "junk", &["correspondent-forged"]);
        assert_eq!(inbox(&host, ANN).len(), 1);
    });
}

#[test]
fn what_programs_send_by_themselves_makes_nobody_known() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let author = Author::new(&internet, "author.test", "p=none");
        for (id, header) in [
            (1, "Auto-Submitted: auto-replied\r\nSubject: away"),
            (
                2,
                "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\nSubject: read",
            ),
            (3, "Subject: unsubscribe"),
        ] {
            let letter = format!("{header}\r\nMessage-ID: <{id}@here.test>\r\n\r\nI am away.\r\n");
            host.submit(&format!("<{ANN}>"), &["al@author.test"], &letter)
                .await;
            let answer = format!("In-Reply-To: <{id}@here.test>\r\nSubject: CONG");
            let odd = prize("Al <al@author.test>").replacen("Subject: CONG", &answer, 1);
            author.send(&host, &[ANN], &author.signed(&odd)).await;
            let spam = junk(&host, ANN).pop().expect(header);
            assert_verdict(&spam, "junk", &[]);
            let verdict = verdict(&spam).unwrap();
            assert!(!verdict.contains("correspondent"), "{header}: {verdict}");
            assert!(!verdict.contains("answers-us"), "{header}: {verdict}");
        }
        assert!(inbox(&host, ANN).is_empty());
    });
}

#[test]
fn what_a_rule_puts_into_junk_is_told_of_with_its_reason() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let _author = Author::new(&internet, "author.test", "p=quarantine");
        stranger(&internet, &host, &[ANN], &lunch("Al <al@author.test>")).await;
        assert_eq!(junk(&host, ANN).len(), 1);
        let told = host.store().read_blocking(|view| -> Result<_, StoreError> {
            let ann = view.account_by_address(&Address::parse(ANN).unwrap())?;
            let all = mail::UnixMillis(i64::MAX);
            view.junked_between(ann.expect("ann lives here").id, mail::UnixMillis(0), all, 9)
        });
        let (told, _) = told.unwrap();
        let reasons: Vec<&str> = told.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].contains("(DMARC)"), "{reasons:?}");
    });
}

#[test]
fn who_imitates_the_domain_of_somebody_known_is_found_out() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let letter = "Subject: hello\r\n\r\nhow are you?\r\n";
        host.submit(&format!("<{ANN}>"), &["al@gardenclub.test"], letter)
            .await;
        let text = lunch("Al <al@gardenc1ub.test>");
        stranger(&internet, &host, &[ANN, DAN], &text).await;
        let of = |address| {
            let all = [inbox(&host, address), junk(&host, address)].concat();
            verdict(&all[0]).unwrap()
        };
        assert!(of(ANN).contains(" known-lookalike="), "{}", of(ANN));
        assert!(!of(DAN).contains("known-lookalike"), "{}", of(DAN));
    });
}

#[test]
fn nobody_reads_of_anothers_past_with_the_sender() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let letter = "Subject: hello\r\n\r\nhow are you?\r\n";
        host.submit(&format!("<{ANN}>"), &["al@author.test"], letter)
            .await;
        let odd = author.signed(&prize("Al <al@author.test>"));
        let reply = author.send(&host, &[ANN, DAN], &odd).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        let (known, unknown) = (&inbox(&host, ANN)[0], &junk(&host, DAN)[0]);
        assert_verdict(known, "wanted", &["correspondent"]);
        assert_verdict(unknown, "junk", &[]);
        assert!(!unknown.contains("correspondent"), "{unknown}");
        assert_eq!(fields(known, "X-Spam-Flag").len(), 0);
        // All else is the same to the last byte.
        let rest = |message: &str| message.split_once("Received: ").unwrap().1.to_owned();
        assert_eq!(rest(known), rest(unknown));
        assert!(known.ends_with(&odd) && unknown.ends_with(&odd));
    });
}

#[test]
fn verdicts_of_others_under_our_name_are_gone() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let before = "X-Postroad-Spam: wanted; probability=0.1%; score=-9.00; by=mx.here.test\r\n\
                      X-Spam-Flag: NO\r\nx-postroad-spam:\r\n wanted\r\nX-Spam-Status: No\r\n";
        let letter = prize("<claims@winner.test>");
        stranger(&internet, &host, &[ANN], &format!("{before}{letter}")).await;
        let stored = &junk(&host, ANN)[0];
        assert_verdict(stored, "junk", &[]);
        assert_eq!(fields(stored, "X-Spam-Flag"), ["YES"]);
        assert!(
            stored.ends_with(&format!("X-Spam-Status: No\r\n{letter}")),
            "{stored}"
        );
    });
}

/// Further names that lead to ann.
fn names_of_ann(host: &Host, names: &[&'static str]) {
    for name in names.iter().copied() {
        let ann = Address::parse(ANN).unwrap();
        let added = host
            .store()
            .write_blocking(Durability::Durable, move |change| {
                let domain = mail::Domain::parse("here.test").unwrap();
                change.add_alias(Some(name), &domain, &ann, mail::UnixMillis(0))
            });
        added.unwrap();
    }
}

const POSTMASTER: &str = "postmaster@here.test";

#[test]
fn who_answers_for_the_server_sees_what_is_sent_to_them() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        names_of_ann(&host, &["postmaster", "abuse"]);
        let shown = format!(
            "From: <x@winner.test>\r\nTo: <abuse@here.test>\r\nSubject: a complaint\r\nMessage-ID: <1@winner.test>\r\n\
             Date: Mon, 2 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nthis came from you\r\n--b\r\n\
             Content-Type: message/rfc822\r\n\r\n{}\r\n--b--\r\n",
            prize("<claims@winner.test>")
        );
        for (count, to) in [(1, POSTMASTER), (2, "abuse@here.test")] {
            stranger(&internet, &host, &[to], &shown).await;
            assert_eq!(host.inbox(ANN).len(), count, "{to}");
        }
        assert!(junk(&host, ANN).is_empty());
    });
}

#[test]
fn names_that_every_server_has_are_no_way_around_the_filter() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        names_of_ann(&host, &["postmaster", "abuse"]);
        let test = message("<x@winner.test>", "look", &format!("{GTUBE}\r\n"));
        let prize = prize("<claims@winner.test>");
        let both: &[&str] = &[ANN, POSTMASTER];
        let all: &[&str] = &["abuse@here.test", ANN, POSTMASTER];
        for (count, (text, to)) in [
            (&test, &[ANN][..]),
            (&test, &[POSTMASTER]),
            (&test, both),
            (&test, all),
            (&prize, &[ANN]),
            (&prize, both),
            (&prize, all),
        ]
        .into_iter()
        .enumerate()
        {
            let reply = stranger(&internet, &host, to, text).await;
            assert_eq!(reply.code, 250, "{reply:?}");
            assert_eq!(junk(&host, ANN).len(), count + 1, "{to:?}");
            assert!(host.inbox(ANN).is_empty(), "{to:?}");
        }
    });
}

#[test]
fn junk_is_not_passed_on() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        internet
            .remote_domain("there.test", simulator::Script::accept())
            .await;
        for (alias, to) in [("away", vec![BOB]), ("both", vec![BOB, ANN])] {
            for target in to {
                let target = Address::parse(target).unwrap();
                let added = host
                    .store()
                    .write_blocking(Durability::Durable, move |change| {
                        let domain = mail::Domain::parse("here.test").unwrap();
                        match change.is_local(target.domain())? {
                            true => {
                                change.add_alias(Some(alias), &domain, &target, mail::UnixMillis(0))
                            }
                            false => change.add_forward(
                                Some(alias),
                                &domain,
                                &target,
                                mail::UnixMillis(0),
                            ),
                        }
                    });
                added.unwrap();
            }
        }
        let text = message("<x@winner.test>", "look", &format!("{GTUBE}\r\n"));
        let refused = stranger(&internet, &host, &["away@here.test"], &text).await;
        assert_eq!(refused.code, 550, "its sender hears of it: {refused:?}");
        assert!(refused.text.contains("looks like junk"), "{refused:?}");
        let taken = stranger(&internet, &host, &["both@here.test"], &text).await;
        assert_eq!(taken.code, 250, "{taken:?}");
        assert_eq!(junk(&host, ANN).len(), 1);
        assert!(host.queue().is_empty(), "nothing leaves");
        // One has it, so the peer hears nothing of the other; and nobody may write to an address that nothing proves.
        let taken = stranger(&internet, &host, &[ANN, "away@here.test"], &text).await;
        assert_eq!(taken.code, 250, "{taken:?}");
        assert_eq!(junk(&host, ANN).len(), 2);
        assert!(host.queue().is_empty(), "nothing leaves");
        let held: Result<_, StoreError> = host.store().read_blocking(|view| view.held());
        let held = held.unwrap();
        assert_eq!(held.len(), 1);
        assert_eq!(held[0].recipients, ["away@here.test"]);
        assert_eq!(held[0].filter, "spam filter");
        let id = held[0].id;
        let released = host
            .store()
            .write_blocking(Durability::Durable, move |change| {
                change.release_quarantined(id, mail::UnixMillis(0), mail::Summary::of)
            });
        assert_eq!(released.unwrap().map(|done| done.queued), Some(1));
    });
}

#[test]
fn mail_among_ourselves_and_accounts_without_a_filter_have_no_verdict() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let text = format!("Subject: look\r\n\r\n{GTUBE}\r\n");
        host.submit(&format!("<{DAN}>"), &[ANN], &text).await;
        assert_eq!(verdict(&host.inbox(ANN)[0]), None);
        let dan = Address::parse(DAN).unwrap();
        let chosen = host
            .store()
            .write_blocking(Durability::Durable, move |change| {
                let account = change.account_by_address(&dan)?.expect("dan lives here").id;
                let scope = Scope::Account(account);
                change.set_spam_choice(&scope, &Choice::Filtering(false), mail::UnixMillis(0))
            });
        let chosen: Result<(), StoreError> = chosen;
        chosen.unwrap();
        stranger(
            &internet,
            &host,
            &[ANN, DAN],
            &prize("<claims@winner.test>"),
        )
        .await;
        assert_eq!(verdict(&host.inbox(DAN)[0]), None);
        assert_verdict(&junk(&host, ANN)[0], "junk", &[]);
    });
}

const LIST: &str = "bl.list.test";

/// An address that lists of the real world could know.
const PEER: &str = "203.0.113.9";

/// The operator adds a list, of which `test` and `clean` say what they should or not.
pub(crate) fn add_list(internet: &Internet, host: &Host, zone: &'static str, of: &str) {
    let weight = match of {
        "addresses" => r#""inbound":{"peer":4.0}"#,
        _ => r#""test":"test","clean":"invalid","inbound":{"sender":4.0,"link":5.0}"#,
    };
    let list = format!(r#"{{"zone":"{zone}","of":"{of}","weight":"low","removal":"",{weight}}}"#);
    let choice = BlocklistChoice {
        zone: zone.to_owned(),
        is_on: true,
        list: Some(list),
        changed: mail::UnixMillis(0),
    };
    let set: Result<(), StoreError> = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            change.set_blocklist(&choice)
        });
    set.unwrap();
    let test = match of {
        "addresses" => "2.0.0.127",
        _ => "test",
    };
    answer(internet, test, zone, "127.0.0.2");
}

pub(crate) fn answer(internet: &Internet, point: &str, zone: &str, says: &str) {
    let says: IpAddr = says.parse().unwrap();
    internet.domain(&format!("{point}.{zone}")).address(says);
}

async fn peer(internet: &Internet, host: &Host) -> Client {
    let ip: IpAddr = PEER.parse().unwrap();
    client(internet, ip, "mx.winner.test", host.mx()).await
}

async fn from_peer(internet: &Internet, host: &Host, message: &str) -> String {
    let before = host.inbox(ANN).len();
    let mut peer = peer(internet, host).await;
    let reply = peer
        .transact("al@winner.test", &[ANN], message)
        .await
        .unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let mut inbox = host.inbox(ANN);
    match inbox.len() == before {
        true => junk(host, ANN).pop().expect("it lies somewhere"),
        false => inbox.pop().expect("it lies somewhere"),
    }
}

#[test]
fn a_listed_host_and_listed_links_speak_against_mail() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        add_list(&internet, &host, LIST, "addresses");
        add_list(&internet, &host, "dbl.list.test", "domains");
        let before = from_peer(&internet, &host, &lunch("<al@winner.test>")).await;
        let said = verdict(&before).unwrap();
        assert!(!said.contains("-listed"), "{said}");
        answer(&internet, "9.113.0.203", LIST, "127.0.0.4");
        answer(&internet, "evil.test", "dbl.list.test", "127.0.0.2");
        answer(&internet, "winner.test", "dbl.list.test", "127.0.0.2");
        internet.pass(minutes(10)).await;
        let link = format!("{LUNCH}\r\nhttp://www.evil.test/garden\r\n");
        let linked = message("<al@winner.test>", "lunch", &link);
        let listed = from_peer(&internet, &host, &linked).await;
        assert_verdict(
            &listed,
            "junk",
            &["address-listed", "domain-listed", "link-listed"],
        );
        for detail in [
            "\"203.0.113.9\" \"bl.list.test\"",
            "\"evil.test\" \"dbl.list.test\"",
        ] {
            assert!(verdict(&listed).unwrap().contains(detail), "{listed}");
        }
    });
}

#[test]
fn errors_are_no_listings_and_the_operator_hears_of_them() {
    for (point, says) in [
        // Refused as a resolver that many share.
        ("2.0.0.127", "127.255.255.254"),
        // A list that lists everybody: its domain was sold.
        ("1.0.0.127", "127.0.0.2"),
        // A list that is no more, and leads to a page that sells it.
        ("2.0.0.127", "198.18.200.1"),
    ] {
        Internet::simulated(1, async |internet| {
            let host = host(&internet).await;
            add_list(&internet, &host, LIST, "addresses");
            let name = format!("{point}.{LIST}");
            internet.zones().clear(&name);
            answer(&internet, point, LIST, says);
            answer(&internet, "9.113.0.203", LIST, "127.0.0.2");
            let stored = from_peer(&internet, &host, &lunch("<al@winner.test>")).await;
            let said = verdict(&stored).unwrap();
            assert!(!said.contains("-listed"), "{says}: {said}");
            let notices = host.store().read_blocking(|view| view.notices()).unwrap();
            let told: Vec<_> = notices
                .iter()
                .filter(|notice| notice.kind == "blocklist-refuses")
                .collect();
            assert_eq!(told.len(), usize::from(point == "2.0.0.127"), "{says}");
            if says == "127.255.255.254" {
                assert!(
                    told[0].title.contains(LIST) && told[0].fix.contains("unbound"),
                    "{told:?}"
                );
            }
        });
    }
}

#[test]
fn a_list_that_is_silent_holds_no_mail_up() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        add_list(&internet, &host, LIST, "addresses");
        from_peer(&internet, &host, &lunch("<al@winner.test>")).await;
        internet
            .zones()
            .fault(&format!("9.113.0.203.{LIST}"), DnsFault::Silent);
        for number in 0..6 {
            let start = internet.now();
            from_peer(&internet, &host, &lunch("<al@winner.test>")).await;
            let took = internet.now() - start;
            assert!(
                took <= Duration::from_secs(6),
                "the {number}th took {took:?}"
            );
            if 4 < number {
                assert!(
                    took < Duration::from_secs(1),
                    "it is not asked any more: {took:?}"
                );
            }
            internet.pass(Duration::from_secs(10)).await;
        }
        assert_eq!(host.inbox(ANN).len() + junk(&host, ANN).len(), 7);
    });
}

#[test]
fn who_sends_junk_gets_a_name_for_it() {
    Internet::simulated(1, async |internet| {
        let host = host(&internet).await;
        let text = message("<x@winner.test>", "look", &format!("{GTUBE}\r\n"));
        for _ in 0..60 {
            from_peer(&internet, &host, &text).await;
        }
        // What is new is written down now and then, and believed for a while.
        internet.pass(minutes(10)).await;
        from_peer(&internet, &host, &text).await;
        internet.pass(minutes(10)).await;
        let stored = from_peer(&internet, &host, &lunch("<al@winner.test>")).await;
        let said = verdict(&stored).unwrap();
        assert!(said.contains("address-reputation=+"), "{said}");
        assert!(said.contains("network-reputation=+"), "{said}");
    });
}
