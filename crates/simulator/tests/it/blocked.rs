//! Providers that refuse our mail for days, or slow it down: what happens to the mail, who is told what, and how the
//! way comes back. The remote servers are named as the real ones and answer in their words.

use std::net::{Ipv6Addr, SocketAddr};

use postroad::commands::{Request, delivery};
use postroad::output::Exit;
use simulator::{Host, Internet, Phase, Reach, Remote, Script, days, hours, minutes};
use store::deliveries::{DeliveryEvent, Fate, Incident, Notice, ProviderRelay, RelayProtection};
use store::{Change, Durability, StoreError};

use crate::reports::told;
use crate::{ANN, here};

const OUTLOOK_HOST: &str = "outlook-com.olc.protection.outlook.com";
const GMAIL_HOST: &str = "gmail-smtp-in.l.google.com";
const CAT: &str = "cat@outlook.com";
const DAN: &str = "dan@gmail.com";

const S3150: &str = "550 5.7.1 Unfortunately, messages from [198.18.0.1] weren't sent. Please contact your Internet \
                     service provider since part of their network is on our block list (S3150). You can also refer \
                     your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.";
const QUOTA: &str = "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP \
                     address. To protect our users from spam, mail sent from your IP address has been temporarily \
                     rate limited. gsmtp";

fn blocking() -> Script {
    Script::accept().reply(Phase::Mail, S3150)
}

fn letter(number: usize, to: &str) -> String {
    format!(
        "Subject: number {number}\r\nMessage-ID: <{number}@here.test>\r\nTo: <{to}>\r\n\r\nHello.\r\n"
    )
}

/// The text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn outlook(internet: &Internet, script: Script) -> Remote {
    internet.domain("outlook.com").mx(OUTLOOK_HOST);
    internet.remote(OUTLOOK_HOST, script).await
}

fn write(
    host: &Host,
    work: impl FnMut(&mut Change<'_>) -> Result<(), StoreError> + Send + 'static,
) {
    host.store()
        .write_blocking(Durability::Durable, work)
        .expect("writing works");
}

/// A relay of somebody else's, for Outlook.com.
async fn relay_for_outlook(internet: &Internet, host: &Host, always: bool) -> Remote {
    const RELAY: &str = "smtp.relay.test";
    let address = internet.fresh_address();
    internet.zones().host(RELAY, address);
    let script = Script::accept().login("postroad", "secret");
    let at = SocketAddr::new(address, 0);
    let remote = internet.remote_at(RELAY, at, script).await;
    let relay = ProviderRelay {
        provider: "outlook".to_owned(),
        host: RELAY.to_owned(),
        port: remote.at().port(),
        protection: RelayProtection::StartTls,
        login: Some(("postroad".to_owned(), "secret".to_owned())),
        always,
        created: mail::UnixMillis(0),
    };
    write(host, move |change| change.keep_provider_relay(&relay));
    remote
}

fn notices(host: &Host) -> Vec<Notice> {
    let read = |view: &store::View<'_>| -> Result<_, StoreError> { view.notices() };
    let mut notices = host.store().read_blocking(read).expect("reading works");
    // Others put theirs there, too. Oldest first.
    notices.retain(|notice| notice.kind.starts_with("incident-"));
    notices.reverse();
    notices
}

fn incidents(host: &Host) -> Vec<Incident> {
    let read = |view: &store::View<'_>| -> Result<_, StoreError> { view.open_incidents(None) };
    host.store().read_blocking(read).expect("reading works")
}

fn events(host: &Host, provider: &'static str) -> Vec<DeliveryEvent> {
    let read = move |view: &store::View<'_>| -> Result<_, StoreError> {
        view.recent_deliveries(provider, 1_000)
    };
    let mut events = host.store().read_blocking(read).expect("reading works");
    events.reverse();
    events
}

#[test]
fn a_block_of_ten_days_with_a_relay_delays_nothing_for_long() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let direct = outlook(&internet, Script::accept()).await;
        let relay = relay_for_outlook(&internet, &host, false).await;
        let mut sent = 0;
        let arrived = || direct.taken_count() + relay.taken_count();
        for hour in (0..13 * 24).step_by(3) {
            match hour {
                24 => direct.set_script(blocking()),
                264 => direct.set_script(Script::accept()),
                _ => {}
            }
            // Now and then many at once: also those that met the first refusal together.
            let count = if hour % 24 == 0 { 12 } else { 1 };
            for _ in 0..count {
                sent += 1;
                host.submit(ANN, &[CAT], &letter(sent, CAT)).await;
            }
            internet.until(minutes(10), || arrived() == sent).await;
            match hour {
                0..24 => assert_eq!(relay.taken_count(), 0, "hour {hour}"),
                // A day after the block has ended all goes straight again.
                288 => {
                    let by_relay = relay.taken_count();
                    host.submit(ANN, &[CAT], &letter(0, CAT)).await;
                    sent += 1;
                    internet.until(minutes(10), || arrived() == sent).await;
                    assert_eq!(relay.taken_count(), by_relay);
                }
                _ => {}
            }
            internet.pass(hours(3) - minutes(10)).await;
        }
        // Every message once, nothing bounced, nobody was bothered.
        let subjects = |remote: &Remote| -> Vec<String> {
            let taken = remote.taken();
            let lines = taken.iter().flat_map(|taken| {
                let text = taken.text();
                let line = text.lines().find(|line| line.starts_with("Subject:"));
                line.map(str::to_owned)
            });
            lines.collect()
        };
        let mut all = [subjects(&direct), subjects(&relay)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), sent, "every message, once");
        assert!(host.inbox(ANN).is_empty(), "{:#?}", host.inbox(ANN));
        assert!(host.queue().is_empty());
        assert_eq!(incidents(&host), []);
        let kinds: Vec<String> = notices(&host).into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, ["incident-opened", "incident-closed"]);
        // Probes are rare: the refused attempts are few.
        let refused = events(&host, "outlook");
        let refused = refused.iter().filter(|event| event.fate != Fate::Accepted);
        let refused = refused.count();
        assert!(
            (10..60).contains(&refused),
            "{refused} refusals in ten days"
        );
    });
}

#[test]
fn a_block_without_a_relay_bounces_nothing_and_the_operator_knows() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let direct = outlook(&internet, blocking()).await;
        host.submit(ANN, &[CAT], &letter(1, CAT)).await;
        internet
            .until(minutes(1), || !notices(&host).is_empty())
            .await;
        let notice = notices(&host).remove(0);
        assert!(notice.title.contains("Outlook.com"), "{notice:#?}");
        for wanted in [
            "https://",
            "block",
            "S3150",
            "mx.here.test",
            "relay add --for",
        ] {
            assert!(
                notice.fix.contains(wanted),
                "no {wanted:?} in {}",
                notice.fix
            );
        }
        let open = incidents(&host);
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].class.as_str(), open[0].refusals),
            ("reputation", 1)
        );
        // Four days of mail to them.
        for number in 2..18 {
            internet.pass(hours(6)).await;
            host.submit(ANN, &[CAT], &letter(number, CAT)).await;
        }
        internet.pass(minutes(10)).await;
        assert_eq!(direct.taken_count(), 0);
        assert_eq!(host.queue().len(), 17);
        let inbox = host.inbox(ANN);
        assert_eq!(inbox.len(), 17, "one word of delay for each");
        for report in inbox.iter().map(|report| words(report)) {
            assert!(report.contains("Action: delayed"), "{report}");
            assert!(report.contains("Outlook.com"), "{report}");
            assert!(report.contains("you need not send it again"), "{report}");
            assert!(report.contains("S3150"), "the technical part: {report}");
        }
        assert_eq!(notices(&host).len(), 1, "not one alarm for each message");
        assert_eq!(incidents(&host).len(), 1);
        the_operator_sees_it(&internet, &host);
        // Few questions meanwhile, and all of it within a day of the end.
        let asked = direct.connections();
        assert!((5..40).contains(&asked), "{asked} connections in four days");
        direct.set_script(Script::accept());
        internet.until(days(1), || direct.taken_count() == 17).await;
        internet.pass(minutes(5)).await;
        assert!(host.queue().is_empty());
        assert_eq!(incidents(&host), []);
        assert_eq!(host.inbox(ANN).len(), 17);
        assert_eq!(notices(&host)[1].kind, "incident-closed");
    });
}

#[test]
fn what_a_block_outlives_bounces_in_words_and_no_sooner() {
    Internet::simulated(8, async |internet| {
        let host = here(&internet).await;
        // At T-Online the greeting says it.
        const T_ONLINE: &str = "554 IP=198.18.0.1 - A problem occurred. (Ask your postmaster for help or to contact \
                                tosa@rx.t-online.de to clarify.)";
        internet.domain("t-online.de").mx("mx00.t-online.de");
        let script = Script::accept().reply(Phase::Greeting, T_ONLINE);
        let there = internet.remote("mx00.t-online.de", script).await;
        host.submit(ANN, &["gus@t-online.de"], &letter(1, "gus@t-online.de"))
            .await;
        internet
            .until(minutes(1), || !notices(&host).is_empty())
            .await;
        let fix = notices(&host).remove(0).fix;
        assert!(fix.contains("rx.t-online.de"), "{fix}");
        assert!(fix.contains(&host.address().to_string()), "{fix}");
        let failed = || {
            let inbox = host.inbox(ANN);
            inbox.iter().any(|report| report.contains("Action: failed"))
        };
        internet.until(days(15), failed).await;
        assert!(internet.elapsed() >= days(14), "{:?}", internet.elapsed());
        let inbox = host.inbox(ANN);
        assert_eq!(inbox.len(), 2, "one word of delay, one of failure");
        assert!(
            words(&inbox[1]).contains("We tried for days."),
            "{}",
            inbox[1]
        );
        assert!(there.connections() < 80, "{}", there.connections());
    });
}

/// What the commands tell while the block stands.
fn the_operator_sees_it(internet: &Internet, host: &Host) {
    let ask = |request| told(host, internet, Request::Delivery(request));
    let show = |provider: Option<&str>| delivery::Request::Show {
        provider: provider.map(str::to_owned),
        days: 7,
    };
    let answer = ask(show(Some("microsoft")));
    assert_eq!(answer.exit, Exit::Findings);
    let sums = &answer.value["providers"][0];
    assert_eq!(
        (&sums["provider"], &sums["accepted"]),
        (&"outlook".into(), &0.into())
    );
    let incident = &answer.value["incidents"][0];
    assert_eq!(incident["class"], "reputation");
    let form = incident["words"]["form"]["words"]
        .as_str()
        .unwrap_or_default();
    for wanted in ["mx.here.test", "here.test", "S3150"] {
        assert!(form.contains(wanted), "no {wanted} in {form}");
    }
    let how = answer.value["treated"][0]["how"]
        .as_str()
        .unwrap_or_default();
    assert!(
        how.contains("refused since") && how.contains("tries again"),
        "{how}"
    );
    let other = ask(show(Some("gmail")));
    assert_eq!(other.exit, Exit::Done);
    // One message's story, by the number that its sender knows.
    let message = "<1@here.test>".to_owned();
    let story = ask(delivery::Request::Trace { message });
    let story = &story.value["messages"][0];
    assert_eq!(story["message_id"], "1@here.test");
    assert_eq!(story["events"][0]["outcome"], "deferred");
    assert_eq!(story["events"][0]["host"], OUTLOOK_HOST);
    assert_eq!(story["events"][0]["rule"], "outlook.block.s3150");
    assert_eq!(story["waiting"][0]["recipient"], CAT);
    let message = story["trace"].as_str().unwrap_or_default().to_owned();
    let again = ask(delivery::Request::Trace { message });
    assert_eq!(&again.value["messages"][0], story);
}

#[test]
fn a_relay_that_is_added_during_a_block_takes_what_waits() {
    Internet::simulated(2, async |internet| {
        let host = here(&internet).await;
        let _direct = outlook(&internet, blocking()).await;
        for number in 1..=5 {
            host.submit(ANN, &[CAT], &letter(number, CAT)).await;
        }
        internet.pass(hours(1)).await;
        let relay = relay_for_outlook(&internet, &host, false).await;
        let due = mail::UnixMillis::from(internet.wall() + minutes(2));
        let retry = move |change: &mut Change<'_>| change.retry_provider("outlook", due).map(drop);
        write(&host, retry);
        internet
            .until(minutes(10), || relay.taken_count() == 5)
            .await;
        assert!(host.queue().is_empty());
    });
}

#[test]
fn a_relay_for_always_takes_all_mail_for_the_provider_alone() {
    Internet::simulated(3, async |internet| {
        let host = here(&internet).await;
        let direct = outlook(&internet, Script::accept()).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let relay = relay_for_outlook(&internet, &host, true).await;
        host.submit(ANN, &[CAT, crate::BOB], &letter(1, CAT)).await;
        internet
            .until(minutes(5), || {
                relay.taken_count() + there.taken_count() == 2
            })
            .await;
        assert_eq!((direct.connections(), relay.taken_count()), (0, 1));
        assert_eq!(
            events(&host, "outlook")[0].relay.as_deref(),
            Some("smtp.relay.test")
        );
    });
}

#[test]
fn what_is_not_to_be_kept_bounces_in_words() {
    Internet::simulated(4, async |internet| {
        let host = here(&internet).await;
        write(&host, |change| change.hold_on_reputation(false));
        let _direct = outlook(&internet, blocking()).await;
        host.submit(ANN, &[CAT], &letter(1, CAT)).await;
        internet
            .until(minutes(5), || host.inbox(ANN).len() == 1)
            .await;
        let report = words(&host.inbox(ANN)[0]);
        for wanted in [
            "Action: failed",
            "Outlook.com",
            "It was not delivered",
            "S3150",
        ] {
            assert!(report.contains(wanted), "no {wanted:?} in {report}");
        }
        assert!(host.queue().is_empty());
    });
}

#[test]
fn a_block_is_remembered_over_a_restart() {
    Internet::simulated(5, async |internet| {
        let mut host = here(&internet).await;
        let direct = outlook(&internet, blocking()).await;
        host.submit(ANN, &[CAT], &letter(1, CAT)).await;
        internet
            .until(minutes(1), || direct.connections() == 1)
            .await;
        internet.pass(minutes(1)).await;
        host.stop().await;
        host.start_again().await;
        host.submit(ANN, &[CAT], &letter(2, CAT)).await;
        internet.pass(hours(1)).await;
        assert_eq!(direct.connections(), 1, "two hours of silence");
        direct.set_script(Script::accept());
        internet.until(hours(2), || direct.taken_count() == 2).await;
    });
}

/// Google's own rule: ten minutes of nothing, then one connection; each success allows one more, each failure costs
/// ten minutes more.
#[test]
fn gmail_s_rule_is_kept() {
    Internet::simulated(6, async |internet| {
        let host = here(&internet).await;
        const ALTERNATE: &str = "alt1.gmail-smtp-in.l.google.com";
        internet.domain("gmail.com").mx_at(5, GMAIL_HOST);
        internet.domain("gmail.com").mx_at(10, ALTERNATE);
        // Google Workspace: another domain, the same house.
        internet.domain("firm.test").mx("aspmx.l.google.com");
        let script = Script::accept().reply(Phase::Mail, QUOTA);
        let gmail = internet.remote(GMAIL_HOST, script.clone()).await;
        let firm = internet.remote("aspmx.l.google.com", script.clone()).await;
        let alternate = internet.remote(ALTERNATE, script).await;
        for number in 1..=30 {
            host.submit(ANN, &[DAN], &letter(number, DAN)).await;
        }
        internet.pass(minutes(1)).await;
        let first = gmail.connections();
        assert!((1..=5).contains(&first), "{first} at once");
        host.submit(ANN, &["eve@firm.test"], &letter(31, "eve@firm.test"))
            .await;
        internet.pass(minutes(8)).await;
        let during = (gmail.connections(), firm.connections());
        assert_eq!(during, (first, 0), "ten minutes of nothing");
        // In vain: one connection each ten minutes.
        for round in 1..=3 {
            internet.pass(minutes(10)).await;
            let tried = gmail.connections() + firm.connections() - first;
            assert_eq!(tried, round, "one connection in ten minutes");
        }
        assert_eq!(gmail.taken_count(), 0);
        assert_eq!(alternate.connections(), 0, "it is the same house");
        gmail.set_script(Script::accept());
        firm.set_script(Script::accept());
        internet
            .until(minutes(30), || gmail.taken_count() == 30)
            .await;
        internet
            .until(minutes(30), || firm.taken_count() == 1)
            .await;
        // One, then one more for each success, and never more than Google is known to bear.
        assert!(gmail.connections_at_once() <= 5);
        assert!(host.inbox(ANN).is_empty());
        // Slowed down for less than an hour: nobody is woken for that.
        assert_eq!(notices(&host), []);
    });
}

#[test]
fn ipv6_that_does_not_work_is_left_alone() {
    Internet::simulated(7, async |internet| {
        let ours = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into();
        let host = internet
            .host("mx.here.test")
            .address(ours)
            .domain("here.test")
            .account(ANN)
            .start()
            .await;
        let direct = outlook(&internet, Script::accept()).await;
        let six = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
        internet.zones().host(OUTLOOK_HOST, six);
        internet.network().set_reach(six, Reach::Silent);
        let mut delays = Vec::new();
        for number in 1..=3 {
            let before = internet.elapsed();
            host.submit(ANN, &[CAT], &letter(number, CAT)).await;
            internet
                .until(minutes(5), || direct.taken_count() == number)
                .await;
            delays.push((internet.elapsed() - before).as_secs());
            internet.pass(minutes(1)).await;
        }
        assert!(delays[0] >= 20, "IPv6 is tried first: {delays:?}");
        assert!(
            delays[1] < 5 && delays[2] < 5,
            "then left alone: {delays:?}"
        );
    });
}
