//! Who sent it: genuine, forged, replayed, forwarded and list-mangled mail get the verdicts that the RFCs
//! give, and go where the recipient's domain chose; trouble of the DNS never refuses.

use mailauth::arc::{Arc, Sealer, seal};
use simulator::{DnsFault, Host, Internet, Script, hours, minutes};
use store::reports::Disposition;
use store::{DmarcChoice, Durability, Trust, TrustKind};

use crate::authors::{Author, assert_results, client, fields, publish_domain, seconds};
use crate::{ANN, BOB, here, letter};

const HOST: &str = "mx.here.test";

fn choose(host: &Host, domain: &str, choice: DmarcChoice) {
    let domain = mail::Domain::parse(domain).unwrap();
    let chosen = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            change.set_dmarc_choice(&domain, choice, mail::UnixMillis(0))
        });
    chosen.unwrap();
}

async fn trust(internet: &Internet, host: &Host, kind: TrustKind, domain: &str) {
    let trust = Trust {
        kind,
        domain: mail::Domain::parse(domain).unwrap(),
        trusted: true,
        changed: mail::UnixMillis(0),
    };
    host.store()
        .write_blocking::<_, store::StoreError>(Durability::Durable, move |change| {
            change.set_trust(&trust)
        })
        .unwrap();
    // What is trusted is remembered for a while.
    internet.pass(minutes(2)).await;
}

fn junk(host: &Host) -> Vec<String> {
    host.mailbox(ANN, "Junk")
}

/// A stranger who sends in the name of somebody else.
async fn forge(internet: &Internet, host: &Host, message: &str) -> simulator::Reply {
    let mut mallory = internet.stranger(host.mx()).await;
    mallory
        .transact("mallory@evil.test", &[ANN], message)
        .await
        .unwrap()
}

#[test]
fn genuine_mail_passes_and_says_so() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.signed(&author.letter("genuine"));
        let reply = author.send(&host, &[ANN], &message).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        let stored = &host.inbox(ANN)[0];
        let wanted = [
            "iprev=pass",
            "spf=pass",
            "smtp.mailfrom=",
            "dkim=pass",
            "header.d=author.test",
            "dmarc=pass",
            "header.from=author.test",
        ];
        assert_results(stored, HOST, &wanted);
        assert!(stored.starts_with("Return-Path: <al@author.test>\r\nAuthentication-Results: "));
        let received = &fields(stored, "Received")[0];
        let name = format!("from mx.author.test (mx.author.test [{}])", author.address);
        assert!(
            received.starts_with(&name),
            "the confirmed name: {received}"
        );
        assert!(
            stored.ends_with(&message),
            "all other bytes are as they came"
        );
    });
}

#[test]
fn forged_mail_goes_where_the_domain_chose() {
    for (policy, choice, code, inbox, junked) in [
        ("p=reject", DmarcChoice::Junk, 250, 0, 1),
        ("p=reject", DmarcChoice::Reject, 550, 0, 0),
        ("p=reject", DmarcChoice::Mark, 250, 1, 0),
        ("p=reject; t=y", DmarcChoice::Reject, 250, 0, 1),
        ("p=quarantine", DmarcChoice::Reject, 250, 0, 1),
        ("p=quarantine", DmarcChoice::Mark, 250, 1, 0),
        ("p=none", DmarcChoice::Reject, 250, 1, 0),
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            choose(&host, "here.test", choice);
            let author = Author::new(&internet, "author.test", policy);
            internet.domain("evil.test").txt("v=spf1 +all");
            let reply = forge(&internet, &host, &author.letter("forged")).await;
            assert_eq!(reply.code, code, "{policy} {choice:?}: {reply:?}");
            assert_eq!(host.inbox(ANN).len(), inbox, "{policy} {choice:?}");
            assert_eq!(junk(&host).len(), junked, "{policy} {choice:?}");
            for stored in host.inbox(ANN).iter().chain(&junk(&host)) {
                assert_results(stored, HOST, &["spf=pass", "dkim=none", "dmarc=fail"]);
            }
            if code == 550 {
                assert!(reply.text.starts_with("5.7.1 "), "{reply:?}");
                for wanted in [
                    "author.test wishes",
                    "p=reject",
                    "SPF for evil.test: pass",
                    "should sign",
                ] {
                    assert!(reply.text.contains(wanted), "{reply:?}");
                }
            }
        });
    }
}

#[test]
fn spf_alone_refuses_nobody() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        choose(&host, "here.test", DmarcChoice::Reject);
        internet.domain("evil.test").txt("v=spf1 -all");
        let message = format!("From: <mallory@evil.test>\r\n{}", letter("no policy"));
        let reply = forge(&internet, &host, &message).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        assert_results(&host.inbox(ANN)[0], HOST, &["spf=fail", "dmarc=none"]);
    });
}

#[test]
fn replayed_mail_passes_only_unchanged() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.signed(&author.letter("an offer"));
        // The signature is good wherever it comes from: that is what DKIM says.
        forge(&internet, &host, &message).await;
        assert_results(&host.inbox(ANN)[0], HOST, &["dkim=pass", "dmarc=pass"]);
        // Not with another text, and not with further fields that are shown.
        let changes = [
            message.replace("Hello", "Click here"),
            message.replace("Subject: an offer", "Subject: a better offer"),
            message.replace("Subject: an", "Subject: free money\r\nSubject: an"),
            message.replace("From: Al", "From: <mallory@evil.test>\r\nFrom: Al"),
        ];
        for (number, changed) in changes.iter().enumerate() {
            let reply = forge(&internet, &host, changed).await;
            assert_eq!(reply.code, 250, "{reply:?}");
            assert_eq!(junk(&host).len(), number + 1, "{changed}");
            let results = &fields(&junk(&host)[number], "Authentication-Results")[0];
            assert!(!results.contains("dmarc=pass"), "{results}");
        }
        assert_eq!(host.inbox(ANN).len(), 1);
    });
}

#[test]
fn plainly_forwarded_mail_passes_by_its_signature() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        choose(&host, "here.test", DmarcChoice::Reject);
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.signed(&author.letter("forwarded"));
        // An old forwarder, which keeps the sender.
        let mut forwarder = internet.stranger(host.mx()).await;
        let reply = forwarder.transact("al@author.test", &[ANN], &message).await;
        assert_eq!(reply.unwrap().code, 250);
        let wanted = ["spf=fail", "dkim=pass", "dmarc=pass"];
        assert_results(&host.inbox(ANN)[0], HOST, &wanted);
    });
}

/// As a list sends it on: another subject, a footer, list fields.
fn mangled(message: &str) -> String {
    let message = message.replace("Subject: ", "Subject: [talk] ");
    format!("List-Id: <talk.lists.test>\r\n{message}-- \r\nThe talk list\r\n")
}

#[test]
fn mangled_list_mail_is_junk_unless_the_list_is_trusted() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        choose(&host, "here.test", DmarcChoice::Reject);
        let author = Author::new(&internet, "author.test", "p=reject");
        let list = Author::new(&internet, "lists.test", "p=none");
        let message = list.signed(&mangled(&author.signed(&author.letter("talk"))));
        let reply = list.send(&host, &[ANN], &message).await;
        // Not refused, though p=reject and chosen so: it came by a detour (RFC 9989 §7.4).
        assert_eq!(reply.code, 250, "{reply:?}");
        let wanted = [
            "spf=pass",
            "dkim=fail",
            "dkim=pass",
            "header.d=lists.test",
            "dmarc=fail",
        ];
        assert_results(&junk(&host)[0], HOST, &wanted);
        trust(&internet, &host, TrustKind::MailingList, "lists.test").await;
        list.send(&host, &[ANN], &message).await;
        assert_results(&host.inbox(ANN)[0], HOST, &["dmarc=fail"]);
        // Whoever only writes the list's name into the header is not the list.
        let forged = mangled(&author.letter("forged"));
        forge(&internet, &host, &forged).await;
        assert_eq!((host.inbox(ANN).len(), junk(&host).len()), (1, 2));
    });
}

#[test]
fn a_trusted_sealer_overrides_the_policy() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let list = Author::new(&internet, "lists.test", "p=none");
        let mangled = mangled(&author.letter("sealed"));
        let sealed = |saw: &str| {
            let sealer = Sealer {
                key: &list.key(),
                authserv_id: "mx.lists.test",
                now: seconds(&internet),
            };
            let fields = seal(mangled.as_bytes(), &sealer, saw, &Arc::none()).unwrap();
            format!("{}{mangled}", String::from_utf8(fields).unwrap())
        };
        let saw_pass = sealed("dmarc=pass header.from=author.test");
        list.send(&host, &[ANN], &saw_pass).await;
        assert_results(&junk(&host)[0], HOST, &["arc=pass", "dmarc=fail"]);
        trust(&internet, &host, TrustKind::ArcSealer, "lists.test").await;
        list.send(&host, &[ANN], &saw_pass).await;
        assert_results(&host.inbox(ANN)[0], HOST, &["arc=pass", "dmarc=fail"]);
        // What it saw fail it does not vouch for, nor for other authors, nor for other texts.
        for other in [
            sealed("dmarc=fail header.from=author.test"),
            sealed("dmarc=pass header.from=other.test"),
            saw_pass.replace("Hello", "Click here"),
        ] {
            list.send(&host, &[ANN], &other).await;
        }
        assert_eq!((host.inbox(ANN).len(), junk(&host).len()), (1, 4));
    });
}

#[test]
fn trouble_of_the_dns_puts_off_until_it_is_over() {
    for name in ["_dmarc.author.test", "s1._domainkey.author.test"] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            choose(&host, "here.test", DmarcChoice::Reject);
            let author = Author::new(&internet, "author.test", "p=reject");
            let message = author.signed(&author.letter("in bad times"));
            internet.zones().fault(name, DnsFault::ServFail);
            // By a way that only the signature makes good.
            let send = async || {
                let mut mallory = internet.stranger(host.mx()).await;
                let message = match name.starts_with("_dmarc") {
                    true => author.letter("forged"),
                    false => message.clone(),
                };
                mallory
                    .transact("x@evil.test", &[ANN], &message)
                    .await
                    .unwrap()
            };
            let reply = send().await;
            assert_eq!(reply.code, 451, "{name}: {reply:?}");
            assert!(
                reply.text.starts_with("4.7.") && reply.text.contains("author.test"),
                "{reply:?}"
            );
            assert!(host.inbox(ANN).is_empty() && junk(&host).is_empty());
            internet.zones().mend(name);
            internet.pass(minutes(30)).await;
            let reply = send().await;
            let forged = name.starts_with("_dmarc");
            assert_eq!(
                reply.code,
                if forged { 550 } else { 250 },
                "{name}: {reply:?}"
            );
            assert_eq!(host.inbox(ANN).len(), usize::from(!forged));
        });
    }
}

#[test]
fn trouble_that_does_not_matter_puts_off_nobody() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let signed = author.signed(&author.letter("signed"));
        // Whatever the policy is, the author's own domain signed it.
        internet
            .zones()
            .fault("_dmarc.author.test", DnsFault::ServFail);
        let reply = forge(&internet, &host, &signed).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        assert_results(&host.inbox(ANN)[0], HOST, &["dkim=pass", "dmarc=temperror"]);
        // SPF makes it good: the key is not needed.
        internet.zones().mend("_dmarc.author.test");
        internet
            .zones()
            .fault("_domainkey.author.test", DnsFault::Silent);
        let reply = author.send(&host, &[ANN], &signed).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        let wanted = ["spf=pass", "dkim=temperror", "dmarc=pass"];
        assert_results(&host.inbox(ANN)[1], HOST, &wanted);
        // Who has failing mail marked only does not wait to know whether it fails.
        choose(&host, "here.test", DmarcChoice::Mark);
        let reply = forge(&internet, &host, &signed).await;
        assert_eq!(reply.code, 250, "{reply:?}");
    });
}

#[test]
fn a_broken_zone_does_not_keep_mail_out_for_ever() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        internet
            .zones()
            .fault("_dmarc.author.test", DnsFault::Refused);
        let message = author.letter("from a broken zone");
        let mut tries = 0;
        loop {
            tries += 1;
            if tries == 3 {
                host.start_again().await;
            }
            let reply = forge(&internet, &host, &message).await;
            if reply.code == 250 {
                break;
            }
            assert_eq!(reply.code, 451, "{reply:?}");
            assert!(internet.elapsed() < hours(8), "put off for too long");
            internet.pass(minutes(45)).await;
        }
        assert!(hours(6) <= internet.elapsed() && 5 < tries);
        assert_results(&host.inbox(ANN)[0], HOST, &["dmarc=temperror"]);
        // The next one need not wait again.
        let reply = forge(&internet, &host, &message).await;
        assert_eq!(reply.code, 250, "{reply:?}");
    });
}

#[test]
fn fields_that_pretend_to_be_ours_are_gone() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let before = "Authentication-Results: mx.here.test; dmarc=pass header.from=bank.test\r\n\
                      X-Before: 1\r\n\
                      authentication-results:\r\n MX.Here.Test (forged) 1; dmarc=pass\r\n\
                      Authentication-Results: mx.author.test; dmarc=pass header.from=author.test\r\n";
        let letter = author.letter("forged results");
        author
            .send(&host, &[ANN], &format!("{before}{letter}"))
            .await;
        let stored = &host.inbox(ANN)[0];
        assert_results(stored, HOST, &["dmarc=pass", "header.from=author.test"]);
        assert!(
            !stored.contains("bank.test") && !stored.contains("(forged)"),
            "{stored}"
        );
        let rest = "X-Before: 1\r\nAuthentication-Results: mx.author.test; dmarc=pass header.from=author.test\r\n";
        assert!(stored.ends_with(&format!("{rest}{letter}")), "{stored}");
        let summaries = host
            .store()
            .read_blocking(|view| -> Result<_, store::StoreError> {
                let address = mail::Address::parse(ANN).unwrap();
                let account = view.account_by_address(&address)?.unwrap();
                view.messages(
                    account.id,
                    store::MailboxId::INBOX,
                    store::Uid::MIN..=store::Uid::MAX,
                    10,
                )
            });
        let preview = &summaries.unwrap()[0].preview;
        assert_eq!(preview, "Hello, this is about forged results.");
    });
}

#[test]
fn reports_with_an_empty_sender_are_judged_by_their_host() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        choose(&host, "here.test", DmarcChoice::Reject);
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author
            .letter("report")
            .replace("al@author.test", "mailer@mx.author.test");
        let mut client = author.connect(host.mx()).await;
        let reply = client.transact("<>", &[ANN], &message).await.unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        let stored = &host.inbox(ANN)[0];
        assert_results(stored, HOST, &["spf=pass", "mx.author.test", "dmarc=pass"]);
        // Another host that only claims to be it.
        let mut mallory = client_at_random(&internet, &author.host(), &host).await;
        let reply = mallory.transact("<>", &[ANN], &message).await.unwrap();
        assert_eq!(reply.code, 550, "{reply:?}");
    });
}

async fn client_at_random(internet: &Internet, hello: &str, host: &Host) -> simulator::Client {
    client(internet, internet.fresh_address(), hello, host.mx()).await
}

#[test]
fn each_recipients_domain_has_its_way() {
    Internet::simulated(1, async |internet| {
        let builder = internet.host(HOST).domain("here.test").account(ANN);
        let host = builder
            .domain("mild.test")
            .account("mia@mild.test")
            .domain("strict.test")
            .account("sue@strict.test")
            .start()
            .await;
        choose(&host, "mild.test", DmarcChoice::Mark);
        choose(&host, "strict.test", DmarcChoice::Reject);
        let author = Author::new(&internet, "author.test", "p=reject");
        let message = author.letter("forged for many");
        let mut mallory = internet.stranger(host.mx()).await;
        let to = [ANN, "mia@mild.test", "sue@strict.test"];
        let reply = mallory
            .transact("m@evil.test", &to, &message)
            .await
            .unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        assert_eq!((host.inbox(ANN).len(), junk(&host).len()), (0, 1));
        assert_eq!(host.inbox("mia@mild.test").len(), 1);
        // It cannot be refused for one alone: nothing is lost, and nothing gets into the inbox.
        assert_eq!(host.inbox("sue@strict.test").len(), 0);
        assert_eq!(host.mailbox("sue@strict.test", "Junk").len(), 1);
        let to = ["sue@strict.test"];
        let reply = mallory
            .transact("m@evil.test", &to, &message)
            .await
            .unwrap();
        assert_eq!(reply.code, 550, "{reply:?}");
    });
}

#[test]
fn what_was_seen_is_noted_for_the_authors_domain() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        choose(&host, "here.test", DmarcChoice::Reject);
        let author = Author::new(
            &internet,
            "author.test",
            "p=reject; rua=mailto:d@author.test",
        );
        let message = author.signed(&author.letter("genuine"));
        author.send(&host, &[ANN], &message).await;
        author.send(&host, &[ANN], &message).await;
        forge(&internet, &host, &author.letter("forged")).await;
        let day = store::reports::day_of(mail::UnixMillis::from(internet.wall()));
        let seen = host
            .store()
            .read_blocking(move |view| view.dmarc_seen("author.test", day))
            .unwrap();
        let mut told: Vec<_> = seen
            .iter()
            .map(|(entry, times)| (entry.disposition, entry.dkim_aligned, *times))
            .collect();
        told.sort();
        let wanted = [
            (Disposition::Pass, true, 2),
            (Disposition::Reject, false, 1),
        ];
        assert_eq!(told, wanted);
        assert_eq!(host.inbox(ANN).len(), 2, "noted with each delivery, once");
    });
}

#[test]
fn report_addresses_take_mail_without_an_account() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=reject");
        let to = ["dmarc-reports@here.test"];
        let reply = author.send(&host, &to, &author.letter("a report")).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        let mut bounced = author.connect(host.mx()).await;
        let message = author
            .letter("bounce")
            .replace("al@author.test", "m@mx.author.test");
        let reply = bounced.transact("<>", &to, &message).await.unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        let reply = author
            .send(&host, &["dmarc-report@here.test"], "\r\n")
            .await;
        assert_eq!(reply.code, 550, "{reply:?}");
        let taken = host
            .store()
            .read_blocking(|view| view.waiting_reports(10))
            .unwrap();
        let submitters: Vec<_> = taken
            .iter()
            .map(|taken| taken.submitter.as_deref())
            .collect();
        assert_eq!(submitters, [Some("author.test"), Some("mx.author.test")]);
    });
}

#[test]
fn mail_of_our_users_is_signed_twice_and_marked_here_only() {
    Internet::simulated(1, async |internet| {
        let host = internet
            .host(HOST)
            .domain("here.test")
            .account(ANN)
            .account("carol@here.test")
            .start()
            .await;
        publish_domain(&internet, &host, "here.test");
        internet
            .domain("_dmarc.here.test")
            .txt("v=DMARC1; p=reject; adkim=s");
        let there = internet
            .host("mx.there.test")
            .domain("there.test")
            .account(BOB);
        let there = there.start().await;
        let message = format!(
            "Authentication-Results: mx.here.test; dmarc=pass header.from=bank.test\r\n\
             X-Postroad-Spam: wanted; by=mx.here.test; correspondent=-6.0 \"boss@bank.test\"\r\n\
             X-Spam-Flag: FORGED\r\n{}",
            letter("to all")
        );
        host.submit(ANN, &[BOB, "carol@here.test"], &message).await;
        internet
            .until(minutes(5), || there.inbox(BOB).len() == 1)
            .await;
        let away = &there.inbox(BOB)[0];
        let wanted = [
            "spf=pass",
            "dkim=pass",
            "header.a=ed25519-sha256",
            "header.a=rsa-sha256",
            "dmarc=pass",
        ];
        assert_results(away, "mx.there.test", &wanted);
        assert_eq!(fields(away, "DKIM-Signature").len(), 2);
        assert_eq!(fields(away, "Authentication-Results").len(), 1);
        let local = &host.inbox("carol@here.test")[0];
        assert_results(local, HOST, &["auth=pass smtp.mailfrom=ann@here.test"]);
        assert!(!local.contains("bank.test") && !away.contains("bank.test"));
        assert!(!local.contains("FORGED") && !away.contains("FORGED"));
    });
}

#[test]
fn success_is_told_only_to_senders_that_are_proven() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let author = Author::new(&internet, "author.test", "p=none");
        let origin = internet.remote_at(
            "mx.author.test",
            (author.address, internet.mx_port()).into(),
            Script::accept(),
        );
        let origin = origin.await;
        internet.domain("author.test").mx("mx.author.test");
        let to = ["<ann@here.test> NOTIFY=SUCCESS"];
        let message = author.letter("did you get it");
        let mut mallory = internet.stranger(host.mx()).await;
        let reply = mallory.transact("al@author.test", &to, &message).await;
        assert_eq!(reply.unwrap().code, 250);
        internet.pass(hours(1)).await;
        assert_eq!(origin.taken_count(), 0, "no report to a forged sender");
        author.send(&host, &to, &message).await;
        internet
            .until(minutes(10), || origin.taken_count() == 1)
            .await;
        assert!(origin.taken()[0].text().contains("Action: delivered"));
    });
}

async fn large_mail_is_verified(internet: Internet) {
    let host = here(&internet).await;
    let author = Author::new(&internet, "author.test", "p=reject");
    let text = "Much text in many lines, and some more of it.\r\n".repeat(120_000);
    let message = author.signed(&format!("{}{text}", author.letter("large")));
    assert!(5 << 20 < message.len());
    let reply = author.send(&host, &[ANN], &message).await;
    assert_eq!(reply.code, 250, "{reply:?}");
    let stored = &host.inbox(ANN)[0];
    let head = stored.get(..4_000).unwrap();
    assert_results(head, HOST, &["spf=pass", "dkim=pass", "dmarc=pass"]);
    assert!(stored.ends_with(&message));
}

#[test]
fn large_mail_is_verified_simulated() {
    Internet::simulated(1, large_mail_is_verified);
}

#[test]
fn large_mail_is_verified_real() {
    Internet::real(large_mail_is_verified);
}
