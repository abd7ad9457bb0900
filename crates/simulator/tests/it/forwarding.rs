//! Aliases that lead to other servers: what comes out at the other end is still the author's, reports of
//! failure find their way back, and nobody can use the ways for anything else.

use mail::Address;
use simulator::{Act, Host, Internet, Phase, Remote, Script, days, hours, minutes};
use store::{DmarcChoice, Durability};

use crate::authors::{Author, assert_results, client, fields, publish_domain};
use crate::{ANN, BOB, assert_report, letter};

const ALIAS: &str = "team@here.test";

fn forward(host: &Host, alias: &str, target: &str) {
    let (alias, target) = (
        Address::parse(alias).unwrap(),
        Address::parse(target).unwrap(),
    );
    let added = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            let (local, domain) = (Some(alias.local()), alias.domain());
            match change.is_local(target.domain())? {
                true => change.add_alias(local, domain, &target, mail::UnixMillis(0)),
                false => change.add_forward(local, domain, &target, mail::UnixMillis(0)),
            }
        });
    added.unwrap();
}

/// A host whose alias `team@here.test` leads to `bob@there.test`.
async fn forwarder(internet: &Internet) -> Host {
    let host = internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN);
    let host = host.start().await;
    publish_domain(internet, &host, "here.test");
    forward(&host, ALIAS, BOB);
    // What is junk does not go on, which is another matter.
    let off = host.store().write_blocking(Durability::Durable, |change| {
        let off = store::lessons::Choice::Filtering(false);
        change.set_spam_choice(&store::lessons::Scope::Server, &off, mail::UnixMillis(0))
    });
    let off: Result<(), store::StoreError> = off;
    off.unwrap();
    host
}

async fn receiver(internet: &Internet) -> Host {
    let host = internet
        .host("mx.there.test")
        .domain("there.test")
        .account(BOB);
    host.start().await
}

/// The mail server of an author's domain, which takes what comes back.
async fn home_of(internet: &Internet, author: &Author) -> Remote {
    internet.domain(author.domain).mx(&author.host());
    let at = (author.address, internet.mx_port()).into();
    internet
        .remote_at(&author.host(), at, Script::accept())
        .await
}

#[test]
fn forwarded_mail_is_still_the_authors() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = receiver(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.signed(&author.letter("to the team"));
        let reply = author.send(&here, &[ALIAS], &message).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        internet
            .until(minutes(5), || there.inbox(BOB).len() == 1)
            .await;
        let stored = &there.inbox(BOB)[0];
        let wanted = [
            "spf=pass",
            "smtp.mailfrom=here.test",
            "dkim=pass",
            "header.d=author.test",
            "dmarc=pass",
            "header.from=author.test",
            "arc=pass",
        ];
        assert_results(stored, "mx.there.test", &wanted);
        assert!(stored.ends_with(&message), "byte for byte: {stored}");
        let path = &fields(stored, "Return-Path")[0];
        assert!(
            path.starts_with("<SRS0=") && path.ends_with("=author.test=al@here.test>"),
            "{path}"
        );
        assert_eq!(fields(stored, "X-Forwarded-For"), [ALIAS]);
        assert_eq!(fields(stored, "X-Forwarded-To"), [BOB]);
        assert_eq!(
            fields(stored, "DKIM-Signature").len(),
            1,
            "none of ours: {stored}"
        );
        assert!(!stored.contains("header.d=here.test"), "{stored}");
        let sealed = &fields(stored, "ARC-Authentication-Results")[0];
        for wanted in ["i=1", "mx.here.test", "dmarc=pass", "spf=pass"] {
            assert!(sealed.contains(wanted), "{sealed}");
        }
        assert!(here.queue().is_empty());
    });
}

#[test]
fn an_alias_may_lead_here_and_elsewhere() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        forward(&here, ALIAS, ANN);
        forward(&here, ALIAS, "dan@there.test");
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.signed(&author.letter("to all of them"));
        author.send(&here, &[ALIAS], &message).await;
        assert_eq!(here.inbox(ANN).len(), 1);
        assert_results(&here.inbox(ANN)[0], "mx.here.test", &["dmarc=pass"]);
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let taken = &there.taken()[0];
        assert_eq!(taken.to(), [BOB, "dan@there.test"]);
        assert!(taken.text().ends_with(&message));
        assert!(
            !taken.text().contains("X-Forwarded-To"),
            "no names of others"
        );
        assert!(!taken.text().contains("\nAuthentication-Results:"));
    });
}

#[test]
fn two_hops_keep_signature_and_chain_and_bounces_go_straight_back() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let second = internet
            .host("mx.there.test")
            .domain("there.test")
            .start()
            .await;
        publish_domain(&internet, &second, "there.test");
        forward(&second, BOB, "carl@third.test");
        let third = internet.host("mx.third.test").domain("third.test");
        let third = third.account("carl@third.test").start().await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let home = home_of(&internet, &author).await;
        let message = author.signed(&author.letter("a long way"));
        author.send(&here, &[ALIAS], &message).await;
        internet
            .until(minutes(10), || third.inbox("carl@third.test").len() == 1)
            .await;
        let stored = &third.inbox("carl@third.test")[0];
        let wanted = ["spf=pass", "dkim=pass", "dmarc=pass", "arc=pass"];
        assert_results(stored, "mx.third.test", &wanted);
        assert!(stored.ends_with(&message));
        assert_eq!(fields(stored, "ARC-Seal").len(), 2);
        let path = fields(stored, "Return-Path")[0].clone();
        assert!(
            path.starts_with("<SRS1=") && path.ends_with("@there.test>"),
            "{path}"
        );

        // The last one refuses what comes next: its sender hears of it, over both.
        remove_account(&third, "carl@third.test");
        let message = author.signed(&author.letter("too late"));
        author.send(&here, &[ALIAS], &message).await;
        internet.until(hours(1), || home.taken_count() == 1).await;
        let bounce = &home.taken()[0];
        assert_eq!(
            (bounce.from.as_str(), bounce.to()),
            ("", vec!["al@author.test"])
        );
        assert_report(
            &bounce.text(),
            &["Action: failed", "Status: 5.1.1", "Subject: too late"],
        );
        assert_eq!(
            bounce.helo, "mx.here.test",
            "it leaves where the mail came in"
        );
        internet.pass(days(1)).await;
        assert_eq!(home.taken_count(), 1);
        assert!(here.queue().is_empty() && second.queue().is_empty());
    });
}

fn remove_account(host: &Host, address: &str) {
    let gone = Address::parse(address).unwrap();
    let removed = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            let account = change.account_by_address(&gone)?.expect("it is there");
            change.remove_account(account.id)
        });
    removed.unwrap();
}

#[test]
fn a_report_of_the_next_server_finds_the_sender() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        for sender in [
            "al@author.test",
            "\"odd one\"@author.test",
            &format!("{}@author.test", "l".repeat(60)),
        ] {
            let author = Author::new(&internet, "author.test", "p=none");
            let home = home_of(&internet, &author).await;
            let mut peer = author.connect(here.mx()).await;
            let before = there.taken_count();
            let reply = peer.transact(sender, &[ALIAS], &author.letter("x")).await;
            assert_eq!(reply.unwrap().code, 250);
            internet
                .until(minutes(5), || there.taken_count() == before + 1)
                .await;
            let path = there.taken()[before].from.clone();
            assert!(path.split('@').next().unwrap().len() <= 64, "{path}");
            // Days later, from whatever host, in whatever case.
            internet.pass(days(5)).await;
            let mut far = internet.stranger(here.mx()).await;
            let report = "From: <postmaster@there.test>\r\nSubject: failed\r\n\r\nSorry.\r\n";
            let reply = far.transact("<>", &[&path.to_lowercase()], report).await;
            assert_eq!(reply.as_ref().unwrap().code, 250, "{reply:?}");
            internet.until(minutes(5), || home.taken_count() == 1).await;
            let taken = &home.taken()[0];
            assert_eq!((taken.from.as_str(), taken.to()), ("", vec![sender]));
            assert!(taken.text().ends_with(report));
            let signatures = fields(&taken.text(), "DKIM-Signature");
            assert!(signatures.is_empty(), "not ours, not signed");
            internet.zones().clear("author.test");
            internet.zones().clear("mx.author.test");
            internet.zones().clear("_dmarc.author.test");
        }
    });
}

#[test]
fn return_addresses_are_good_for_nothing_else() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let home = home_of(&internet, &author).await;
        author.send(&here, &[ALIAS], &author.letter("x")).await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let path = there.taken()[0].from.clone();
        let refused = async |from: &str, to: &str, words: &str| {
            let mut mallory = internet.stranger(here.mx()).await;
            let reply = mallory
                .transact(from, &[to], "Subject: x\r\n\r\nx\r\n")
                .await
                .unwrap();
            assert_eq!(reply.code, 550, "{to}: {reply:?}");
            assert!(reply.text.contains(words), "{to}: {reply:?}");
        };
        refused(
            "<>",
            &path.replace("=al@", "=eve@"),
            "not made by this server",
        )
        .await;
        refused(
            "<>",
            &path.replace("author.test", "victim.test"),
            "not made by this server",
        )
        .await;
        refused(
            "<>",
            "SRS0=AAAAAAAA=AA=victim.test=joe@here.test",
            "not made by this server",
        )
        .await;
        refused("<>", "SRS0=x@here.test", "not complete").await;
        refused("mallory@evil.test", &path, "only reports of delivery").await;
        internet.pass(days(23)).await;
        refused("<>", &path, "no longer valid").await;
        internet.pass(days(1)).await;
        assert_eq!(home.taken_count(), 0);
        assert!(here.queue().is_empty());
    });
}

#[test]
fn circles_end_and_their_sender_hears_of_it() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet
            .host("mx.there.test")
            .domain("there.test")
            .start()
            .await;
        publish_domain(&internet, &there, "there.test");
        forward(&there, BOB, ALIAS);
        let author = Author::new(&internet, "author.test", "p=none");
        let home = home_of(&internet, &author).await;
        let message = author.signed(&author.letter("round and round"));
        author.send(&here, &[ALIAS], &message).await;
        internet.until(hours(1), || home.taken_count() == 1).await;
        let report = home.taken()[0].text();
        assert_report(
            &report,
            &[
                "Action: failed",
                "Status: 5.4.6",
                "passed on for team@here.test before",
            ],
        );
        internet.pass(days(1)).await;
        assert_eq!(home.taken_count(), 1);
        assert!(here.queue().is_empty() && there.queue().is_empty());
    });
}

#[test]
fn what_fails_dmarc_is_not_passed_on() {
    for choice in [DmarcChoice::Reject, DmarcChoice::Junk, DmarcChoice::Mark] {
        Internet::simulated(1, async |internet| {
            let here = forwarder(&internet).await;
            let domain = mail::Domain::parse("here.test").unwrap();
            here.store()
                .write_blocking(Durability::Durable, move |change| {
                    change.set_dmarc_choice(&domain, choice, mail::UnixMillis(0))
                })
                .unwrap();
            let there = internet.remote_domain("there.test", Script::accept()).await;
            let author = Author::new(&internet, "author.test", "p=quarantine");
            let mut mallory = internet.stranger(here.mx()).await;
            let message = author.letter("forged");
            let reply = mallory
                .transact("m@evil.test", &[ALIAS], &message)
                .await
                .unwrap();
            assert_eq!(reply.code, 550, "{choice:?}: {reply:?}");
            assert!(
                reply.text.starts_with("5.7.1") && reply.text.contains("DMARC"),
                "{reply:?}"
            );
            // Who has a mailbox here has it, as chosen; it still does not leave.
            forward(&here, ALIAS, ANN);
            let reply = mallory
                .transact("m@evil.test", &[ALIAS], &message)
                .await
                .unwrap();
            assert_eq!(reply.code, 250, "{choice:?}: {reply:?}");
            let marked = usize::from(choice == DmarcChoice::Mark);
            assert_eq!(here.inbox(ANN).len(), marked, "{choice:?}");
            assert_eq!(here.mailbox(ANN, "Junk").len(), 1 - marked, "{choice:?}");
            internet.pass(hours(1)).await;
            assert_eq!(there.taken_count(), 0, "{choice:?}");
        });
    }
}

#[test]
fn what_is_not_passed_on_among_others_is_told_to_proven_senders_only() {
    for (spf, reports) in [("v=spf1 +all", 1), ("v=spf1 ~all", 0)] {
        Internet::simulated(1, async |internet| {
            let here = forwarder(&internet).await;
            let there = internet.remote_domain("there.test", Script::accept()).await;
            let evil = internet.remote_domain("evil.test", Script::accept()).await;
            internet.domain("evil.test").txt(spf);
            let author = Author::new(&internet, "author.test", "p=reject");
            let mut mallory = internet.stranger(here.mx()).await;
            let message = author.letter("forged");
            let reply = mallory.transact("m@evil.test", &[ANN, ALIAS], &message);
            assert_eq!(reply.await.unwrap().code, 250);
            assert_eq!(here.mailbox(ANN, "Junk").len(), 1);
            internet.pass(hours(2)).await;
            assert_eq!(evil.taken_count(), reports, "{spf}");
            for taken in evil.taken() {
                assert_report(&taken.text(), &["Action: failed", ALIAS, "DMARC"]);
            }
            assert_eq!(there.taken_count(), 0);
        });
    }
}

#[test]
fn bytes_stay_for_servers_of_all_kinds() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet.remote_domain("there.test", Script::plain()).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let letter = author
            .letter("umlauts")
            .replace("Hello", "Gr\u{fc}\u{df}e, .und mehr\r\n.\u{e4}");
        let message = author.signed(&letter);
        author.send(&here, &[ALIAS], &message).await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let taken = &there.taken()[0];
        assert!(taken.text().ends_with(&message), "{}", taken.text());
        assert!(!taken.from_parameters.contains("BODY"), "{taken:?}");
    });
}

#[test]
fn wishes_for_reports_travel_along() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let home = home_of(&internet, &author).await;
        let mut peer = author.connect(here.mx()).await;
        let from = "<al@author.test> RET=HDRS ENVID=QQ1";
        let to = format!("<{ALIAS}> NOTIFY=FAILURE,SUCCESS");
        let letter = author.letter("wishes");
        peer.transact(from, &[&to], &letter).await.unwrap();
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let taken = &there.taken()[0];
        assert!(taken.from_parameters.contains("ENVID=QQ1"), "{taken:?}");
        let parameters = &taken.recipients[0].1;
        for wanted in ["SUCCESS", "FAILURE", "ORCPT=rfc822;team@here.test"] {
            assert!(parameters.contains(wanted), "{parameters}");
        }
        // Who wants to hear nothing hears nothing, and neither does whom a forger names.
        there.set_script(Script::accept().reply(Phase::Recipient, "550 5.1.1 nobody"));
        let to = format!("<{ALIAS}> NOTIFY=NEVER");
        peer.transact("al@author.test", &[&to], &letter)
            .await
            .unwrap();
        let mut mallory = internet.stranger(here.mx()).await;
        let reply = mallory.transact("al@author.test", &[ALIAS], "Subject: x\r\n\r\nx\r\n");
        assert_eq!(reply.await.unwrap().code, 250);
        internet.pass(days(1)).await;
        assert_eq!(home.taken_count(), 0);
        // Without a wish failure is told.
        author.send(&here, &[ALIAS], &letter).await;
        internet.until(hours(1), || home.taken_count() == 1).await;
        assert_report(
            &home.taken()[0].text(),
            &["Action: failed", "Status: 5.1.1"],
        );
        assert!(here.queue().is_empty());
    });
}

#[test]
fn a_late_forward_is_tried_again_and_told_of() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let busy = Act::Reply("451 4.3.0 later".to_owned());
        let script = Script::accept().first(2, Phase::End, busy);
        let there = internet.remote_domain("there.test", script).await;
        let author = Author::new(&internet, "author.test", "p=none");
        author
            .send(&here, &[ALIAS], &author.letter("patience"))
            .await;
        internet.until(hours(2), || there.taken_count() == 1).await;
        assert!(here.queue().is_empty());
    });
}

#[test]
fn our_users_reach_an_alias_elsewhere_as_themselves() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = receiver(&internet).await;
        here.submit(ANN, &[ALIAS], &letter("from inside")).await;
        internet
            .until(minutes(5), || there.inbox(BOB).len() == 1)
            .await;
        let stored = &there.inbox(BOB)[0];
        assert_results(stored, "mx.there.test", &["spf=pass", "dkim=pass"]);
        assert!(stored.contains("Return-Path: <ann@here.test>"), "{stored}");
        assert_eq!(fields(stored, "DKIM-Signature").len(), 2);
    });
}

#[test]
fn nothing_that_only_passes_through_is_signed_as_ours() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        // Somebody else writes in the name of one of ours to an alias of ours.
        let address = internet.fresh_address();
        internet.zones().host("mail.evil.test", address);
        let mut mallory = client(&internet, address, "evil.test", here.mx()).await;
        let forged = format!("From: <{ANN}>\r\n{}", letter("as if from ann"));
        let reply = mallory
            .transact("m@evil.test", &[ALIAS], &forged)
            .await
            .unwrap();
        assert_eq!(
            reply.code, 250,
            "here.test has no policy of its own: {reply:?}"
        );
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let text = there.taken()[0].text();
        assert!(fields(&text, "DKIM-Signature").is_empty(), "{text}");
        assert!(
            text.contains("ARC-Seal:") && text.contains("spf=none"),
            "{text}"
        );
    });
}

#[test]
fn a_wish_for_tls_goes_along() {
    Internet::simulated(1, async |internet| {
        let here = forwarder(&internet).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let mut peer = author.connect(here.mx()).await;
        peer.start_tls(&internet.tls_client(), "mx.here.test")
            .await
            .unwrap();
        let from = "<al@author.test> REQUIRETLS";
        let reply = peer
            .transact(from, &[ALIAS], &author.letter("secret"))
            .await
            .unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        let queued = here.queue();
        assert_eq!(queued[0].tls, store::queue::TlsWish::Required);
        assert!(queued[0].forwarded);
    });
}

/// What was taken to be passed on arrives, or its sender hears that it did not; in bad weather too.
#[test]
fn nothing_is_lost_on_the_way_on() {
    for seed in 0..4 {
        let first = Internet::simulated(seed, async |internet| season(internet, seed).await);
        let second = Internet::simulated(seed, async |internet| season(internet, seed).await);
        assert_eq!(first, second, "seed {seed} does not repeat");
    }
}

async fn season(internet: Internet, seed: u64) -> Vec<String> {
    let mut here = forwarder(&internet).await;
    let stormy = Script::accept().faults(150 + 50 * seed);
    let there = internet.remote_domain("there.test", stormy).await;
    let author = Author::new(&internet, "author.test", "p=reject");
    let home = home_of(&internet, &author).await;
    let random = internet.random("weather");
    let mut taken = Vec::new();
    for number in 0..8 {
        let subject = format!("number {number}.");
        let message = author.signed(&author.letter(&subject));
        if author.send(&here, &[ALIAS], &message).await.code == 250 {
            taken.push(subject);
        }
        if random.below(4) == 0 {
            here.start_again().await;
        }
        internet.pass(minutes(random.below(90))).await;
    }
    there.set_script(Script::accept().recipient(BOB, "550 5.1.1 moved away"));
    internet.pass(days(6)).await;
    assert_eq!(taken.len(), 8, "nothing was in the way of taking it");
    for subject in &taken {
        let has = |remote: &Remote| {
            let mut all = remote.taken().into_iter();
            all.any(|message| message.text().contains(subject))
        };
        assert!(has(&there) || has(&home), "seed {seed}: {subject} is lost");
    }
    assert!(here.queue().is_empty());
    internet.trace().lines()
}
