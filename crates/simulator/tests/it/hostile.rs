//! A thousand hostile clients of sixteen kinds beside ten good ones: good mail is not late by a second, none of it is
//! lost, what is remembered of strangers is bounded, and those who guess or search are shut out of all doors.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use mail::UnixMillis;
use simulator::{Client, Host, Internet, PASSWORD, Service, minutes};
use store::bans::{Cause, Scope};

use crate::authors::{Author, client};
use crate::hostile_kinds::{Kind, misbehave};
use crate::{ANN, here};

/// Of each kind, in this order, until there are a thousand.
const HOSTILE: usize = 1_000;

/// Domains of people who write to ann.
const GOOD: [&str; 10] = [
    "one.test",
    "two.test",
    "three.test",
    "four.test",
    "five.test",
    "six.test",
    "seven.test",
    "eight.test",
    "nine.test",
    "ten.test",
];

/// Messages of each.
const LETTERS: usize = 10;

/// How long it all lasts.
const SIEGE: Duration = Duration::from_secs(420);

/// What good people met.
#[derive(Default)]
struct Met {
    /// From the connection to the 250, a message each.
    times: Vec<Duration>,
    refusals: Vec<String>,
}

/// One good sender: ten letters within the siege, a connection each, at moments of its own.
async fn correspond(internet: Internet, host: Rc<Host>, domain: &'static str) -> Met {
    let author = Author::new(&internet, domain, "p=reject");
    let random = internet.random(domain);
    let mut met = Met::default();
    for number in 0..LETTERS {
        let mut drawn = [0; 4];
        random.fill(&mut drawn);
        let pause = SIEGE.as_millis() as u64 / LETTERS as u64;
        let pause = u64::from(u32::from_be_bytes(drawn)) % pause;
        internet.pass(Duration::from_millis(pause)).await;
        let message = author.signed(&author.letter(&format!("letter {number} of {domain}")));
        let start = internet.now();
        let reply = author.send(&host, &[ANN], &message).await;
        met.times.push(internet.now() - start);
        if reply.code != 250 {
            met.refusals.push(format!("{} {}", reply.code, reply.text));
        }
    }
    met
}

/// Ann at home: logs in and sends all the while, beside a neighbour who guesses behind the same address.
async fn live(internet: Internet, host: Rc<Host>, home: IpAddr) -> Met {
    let mut met = Met::default();
    for number in 0..LETTERS {
        let start = internet.now();
        let mut ann = client(&internet, home, "laptop.local", host.submission()).await;
        let login = ann.log_in(ANN, PASSWORD).await.unwrap();
        if login.code != 235 {
            met.refusals.push(format!("{} {}", login.code, login.text));
        }
        let text =
            format!("From: <{ANN}>\r\nTo: <{ANN}>\r\nSubject: note {number}\r\n\r\nNote.\r\n");
        let reply = ann.transact(ANN, &[ANN], &text).await.unwrap();
        met.times.push(internet.now() - start);
        if reply.code != 250 {
            met.refusals.push(format!("{} {}", reply.code, reply.text));
        }
        internet.pass(SIEGE / LETTERS as u32).await;
    }
    met
}

async fn besiege(internet: Internet, hostile: usize) -> (Vec<Met>, Met, Rc<Host>) {
    let host = Rc::new(here(&internet).await);
    let tasks = tokio::task::LocalSet::new();
    let home = internet.fresh_address();
    let met = tasks
        .run_until(async {
            let mut enemies = Vec::new();
            for number in 0..hostile {
                let kind = Kind::ALL[number % Kind::ALL.len()];
                let doing = misbehave(internet.clone(), host.clone(), kind, number, SIEGE);
                enemies.push(tokio::task::spawn_local(doing));
            }
            let at_home = tokio::task::spawn_local(live(internet.clone(), host.clone(), home));
            let good: Vec<_> = GOOD
                .map(|domain| {
                    tokio::task::spawn_local(correspond(internet.clone(), host.clone(), domain))
                })
                .into_iter()
                .collect();
            let mut met = Vec::new();
            for one in good {
                met.push(one.await.unwrap());
            }
            let at_home = at_home.await.unwrap();
            internet.pass(minutes(1)).await;
            for enemy in &enemies {
                enemy.abort();
            }
            (met, at_home)
        })
        .await;
    (met.0, met.1, host)
}

fn slowest(met: &[Met]) -> Duration {
    let all = met.iter().flat_map(|one| &one.times);
    all.max().copied().unwrap_or_default()
}

#[track_caller]
fn assert_all_well(met: &[Met]) {
    for one in met {
        assert_eq!(one.refusals, Vec::<String>::new());
        assert_eq!(one.times.len(), LETTERS);
    }
}

#[test]
fn good_mail_comes_through_a_thousand_hostile_clients() {
    for seed in [1, 2] {
        let calm = Internet::simulated(seed, async |internet| {
            let (met, at_home, _host) = besiege(internet, 0).await;
            assert_all_well(&met);
            slowest(&met).max(slowest(&[at_home]))
        });
        Internet::simulated(seed, async |internet| {
            // From here on the most is counted anew. proc_pid_clear_refs(5)
            let _ = std::fs::write("/proc/self/clear_refs", "5");
            let before = memory_kib();
            let (met, at_home, host) = besiege(internet.clone(), HOSTILE).await;
            let after = memory_kib();
            let slow = slowest(&met).max(slowest(std::slice::from_ref(&at_home)));
            eprintln!("slowest good message: {slow:?}, {calm:?} without enemies");
            eprintln!("memory: {before} KiB before, {after} KiB at most, clients included");
            assert_all_well(&met);
            assert_all_well(&[at_home]);
            assert!(slow < Duration::from_secs(1), "late by {slow:?}");
            assert!(after - before < MEMORY_KIB_MAX, "{before} KiB, {after} KiB");
            check_mail(&host);
            check_bans(&internet, &host);
        });
    }
}

/// A thousand conversations on both sides of their pipes, endless lines and large headers among them.
const MEMORY_KIB_MAX: u64 = 400 * 1024;

/// The most memory that the process had so far.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// All letters are there once, and nothing that was smuggled.
fn check_mail(host: &Host) {
    let inbox = host.inbox(ANN);
    for domain in GOOD {
        for number in 0..LETTERS {
            let subject = format!("Subject: letter {number} of {domain}\r\n");
            let count = inbox.iter().filter(|text| text.contains(&subject)).count();
            assert_eq!(count, 1, "{subject}");
        }
    }
    let everything = inbox.into_iter().chain(host.mailbox(ANN, "Junk"));
    for text in everything {
        let smuggled = text
            .lines()
            .any(|line| line.starts_with("Subject: smuggled"));
        assert!(!smuggled, "{text}");
    }
}

/// Who is banned, and what is remembered.
fn check_bans(internet: &Internet, host: &Host) {
    let now = UnixMillis::from(internet.wall());
    let bans = host
        .store()
        .read_blocking(move |view| view.bans(UnixMillis(0), usize::MAX))
        .unwrap();
    let mut causes: BTreeMap<Cause, usize> = BTreeMap::new();
    for ban in &bans {
        *causes.entry(ban.banned.cause).or_default() += 1;
    }
    eprintln!(
        "bans: {causes:?}; remembered: {:?}",
        host.store().bans_held()
    );
    for cause in [
        Cause::Passwords,
        Cause::Spraying,
        Cause::Harvest,
        Cause::Protocol,
    ] {
        let count = causes.get(&cause).copied().unwrap_or(0);
        assert!(HOSTILE / Kind::ALL.len() / 2 <= count, "{cause:?}: {count}");
    }
    let [conducts, homes, held] = host.store().bans_held();
    assert!(conducts <= HOSTILE && homes <= 2 && held <= HOSTILE + 100);
    // The operator hears of it, once.
    let notices = host
        .store()
        .read_blocking(|view| -> Result<_, store::StoreError> { view.notices() });
    let surges = notices.unwrap();
    let surges = surges.iter().filter(|notice| notice.kind == "bans-surge");
    assert_eq!(surges.count(), 1, "at {now:?}");
}

#[test]
fn a_ban_holds_at_all_doors_and_ends() {
    Internet::simulated(3, async |internet| {
        let host = here(&internet).await;
        let guesser = internet.fresh_address();
        let mut tried = 0;
        loop {
            let mut one = internet.connect_from(guesser, host.submission()).await;
            let Ok(greeting) = one.reply().await else {
                break;
            };
            if greeting.code != 220 {
                assert_eq!(greeting.code, 421);
                assert!(greeting.text.contains("shut out until"), "{greeting:?}");
                break;
            }
            one.say("EHLO [192.0.2.1]").await.unwrap();
            let _ = one
                .log_in(&format!("user{tried}@here.test"), "letmein")
                .await;
            tried += 1;
            assert!(tried < 20, "guesses without end");
        }
        assert_eq!(tried, 5);
        for service in [Service::Smtp, Service::Imap, Service::Pop3] {
            let mut one = internet.connect_from(guesser, host.service(service)).await;
            let line = one.line().await.unwrap();
            assert!(line.contains("shut out until"), "{service}: {line}");
            assert!(one.line().await.is_err(), "{service} is closed");
        }
        for service in [Service::Imaps, Service::Submissions, Service::Https] {
            let mut one = internet.connect_from(guesser, host.service(service)).await;
            assert!(one.line().await.is_err(), "{service} is closed");
        }
        internet.pass(minutes(11)).await;
        let mut again = internet.connect_from(guesser, host.mx()).await;
        assert_eq!(again.reply().await.unwrap().code, 220);
    });
}

#[test]
fn where_people_log_in_a_neighbour_cannot_have_them_shut_out() {
    Internet::simulated(4, async |internet| {
        let host = here(&internet).await;
        let home = internet.fresh_address();
        let mut ann = client(&internet, home, "laptop", host.submission()).await;
        assert_eq!(ann.log_in(ANN, PASSWORD).await.unwrap().code, 235);
        for number in 0..60 {
            let mut bot = client(&internet, home, "toaster", host.submission()).await;
            let _ = bot
                .log_in(&format!("user{number}@here.test"), "letmein")
                .await;
        }
        let now = UnixMillis::from(internet.wall());
        assert_eq!(host.store().banned(home, now), None);
        let mut ann = client(&internet, home, "laptop", host.submission()).await;
        assert_eq!(ann.log_in(ANN, PASSWORD).await.unwrap().code, 235);
        // What it does to port 25 shuts port 25 alone.
        while host.store().banned(home, now).is_none() {
            host.store()
                .blame(home, store::bans::Blame::UnknownRecipients, now);
        }
        let banned = host.store().banned(home, now).unwrap();
        assert_eq!(banned.scope, Scope::Mx);
        let mut line = internet.connect_from(home, host.mx()).await;
        assert_eq!(line.reply().await.unwrap().code, 421);
        let mut ann = client(&internet, home, "laptop", host.submission()).await;
        assert_eq!(ann.log_in(ANN, PASSWORD).await.unwrap().code, 235);
    });
}

/// From an address with this name, or none, to ann; the reply to the recipient.
async fn knock(internet: &Internet, host: &Host, from: IpAddr, sender: &str) -> (u16, Duration) {
    let start = internet.now();
    let mut one: Client = internet.connect_from(from, host.mx()).await;
    one.reply().await.unwrap();
    let greeted = internet.now() - start;
    one.say("EHLO out.friend.test").await.unwrap();
    one.say(&format!("MAIL FROM:<{sender}>")).await.unwrap();
    let reply = one.say(&format!("RCPT TO:<{ANN}>")).await.unwrap();
    let _ = one.say("QUIT").await;
    (reply.code, greeted)
}

const JUNK: &str = "From: Prize <a@nowhere.test>\r\nTo: <ann@here.test>\r\nSubject: win\r\n\
    Date: Mon, 2 Mar 2026 09:00:00 +0000\r\nMessage-ID: <1@nowhere.test>\r\n\r\n\
    XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n";

const LUNCH: &str = "From: Bob <bob@nowhere.test>\r\nTo: <ann@here.test>\r\nSubject: lunch on Thursday\r\n\
    Date: Mon, 2 Mar 2026 09:00:00 +0000\r\nMessage-ID: <2@nowhere.test>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=us-ascii\r\n\r\n\
    shall we meet for lunch on Thursday at noon? I would bring the plans for\r\n\
    the garden along, and we could decide where the apple trees go.\r\n";

/// A whole message; the code of the reply to it.
async fn bring(internet: &Internet, host: &Host, from: IpAddr, message: &str) -> u16 {
    let mut one: Client = internet.connect_from(from, host.mx()).await;
    one.reply().await.unwrap();
    one.say("EHLO out.friend.test").await.unwrap();
    let reply = one.transact("bob@nowhere.test", &[ANN], message).await;
    let code = reply.unwrap().code;
    let _ = one.say("QUIT").await;
    code
}

#[test]
fn doubtful_senders_come_again_and_are_known_by_what_they_bring() {
    Internet::simulated(5, async |internet| {
        let host = here(&internet).await;
        let sender = "bob@nowhere.test";
        let nameless = internet.fresh_address();
        let (code, greeted) = knock(&internet, &host, nameless, sender).await;
        assert_eq!(code, 451);
        assert!(Duration::from_millis(400) <= greeted && greeted < Duration::from_secs(1));
        internet.pass(minutes(1)).await;
        assert_eq!(knock(&internet, &host, nameless, sender).await.0, 451);
        internet.pass(minutes(4)).await;
        assert_eq!(knock(&internet, &host, nameless, sender).await.0, 250);
        // Coming again is believed for this mail alone: the next sender from there is a stranger.
        let other = "eve@elsewhere.test";
        assert_eq!(knock(&internet, &host, nameless, other).await.0, 451);
        // So it is after junk, which is taken too.
        assert_eq!(bring(&internet, &host, nameless, JUNK).await, 250);
        host.store().settle();
        assert_eq!(host.mailbox(ANN, "Junk").len(), 1);
        let (code, greeted) = knock(&internet, &host, nameless, "third@else.test").await;
        assert_eq!(code, 451);
        assert!(Duration::from_millis(400) <= greeted, "{greeted:?}");
        // After wanted mail its network is known: no silence, no waiting, whoever the sender.
        assert_eq!(bring(&internet, &host, nameless, LUNCH).await, 250);
        assert_eq!(host.inbox(ANN).len(), 1);
        internet.pass(minutes(1)).await;
        host.store().settle();
        let (code, greeted) = knock(&internet, &host, nameless, "fourth@else.test").await;
        assert_eq!(code, 250);
        assert!(greeted < Duration::from_millis(100), "{greeted:?}");
    });
}

/// What large senders do: each try from another address, and SPF that knows all of them.
#[test]
fn a_pool_that_spf_knows_is_never_asked_to_wait() {
    Internet::simulated(9, async |internet| {
        let host = here(&internet).await;
        internet
            .domain("big.test")
            .txt("v=spf1 include:_spf.big.test -all");
        internet
            .domain("_spf.big.test")
            .txt("v=spf1 ip4:203.0.64.0/18 ip4:198.18.0.0/15 -all");
        for number in 0..10_u8 {
            let from = IpAddr::from([203, 0, 64 + number, 7]);
            let (code, _) = knock(&internet, &host, from, "news@big.test").await;
            assert_eq!(code, 250, "{from}");
        }
        // Whoever names it and is not of it waits.
        let other = IpAddr::from([203, 0, 1, 7]);
        assert_eq!(knock(&internet, &host, other, "news@big.test").await.0, 451);
    });
}

/// The commonest forgery names its victim, or somebody beside it, as the sender; and a domain that lets the whole world send
/// proves nothing.
#[test]
fn forged_and_boundless_senders_are_asked_to_wait() {
    Internet::simulated(10, async |internet| {
        let host = here(&internet).await;
        host.submit(ANN, &[ANN], "Subject: note\r\n\r\nMilk.\r\n")
            .await;
        host.submit(ANN, &["friend@far.test"], "Subject: hi\r\n\r\nHello!\r\n")
            .await;
        let at = |third: u8| IpAddr::from([203, 0, third, 7]);
        assert_eq!(knock(&internet, &host, at(1), ANN).await.0, 451);
        internet.domain("far.test").txt("v=spf1 mx -all");
        let friend = knock(&internet, &host, at(2), "friend@far.test").await;
        assert_eq!(friend.0, 451, "its domain says that it is forged");
        for (number, record) in ["+all", "ip4:0.0.0.0/1 ip4:128.0.0.0/1", "include:all.test"]
            .into_iter()
            .enumerate()
        {
            internet.domain("all.test").txt("v=spf1 +all");
            let name = format!("throw{number}.test");
            internet.domain(&name).txt(&format!("v=spf1 {record}"));
            let from = at(3 + number as u8);
            let (code, _) = knock(&internet, &host, from, &format!("x@{name}")).await;
            assert_eq!(code, 451, "{record}");
        }
    });
}

/// Between good names the guesses are still guesses.
#[test]
fn who_names_somebody_between_guesses_is_shut_out_too() {
    Internet::simulated(11, async |internet| {
        let host = here(&internet).await;
        let from = internet.fresh_address();
        let mut guesses = 0;
        'all: for _ in 0..40 {
            let mut one: Client = internet.connect_from(from, host.mx()).await;
            if one.reply().await.is_ok_and(|reply| reply.code != 220) {
                break;
            }
            one.say("EHLO bot.test").await.unwrap();
            one.say("MAIL FROM:<a@b.test>").await.unwrap();
            for _ in 0..20 {
                for _ in 0..2 {
                    let Ok(_) = one.say("RCPT TO:<postmaster@here.test>").await else {
                        continue 'all;
                    };
                }
                let name = format!("RCPT TO:<guess{guesses}@here.test>");
                match one.say(&name).await {
                    Ok(reply) if reply.code == 550 => guesses += 1,
                    Ok(_) => {}
                    Err(_) => continue 'all,
                }
            }
        }
        assert!(guesses <= 40, "{guesses}");
        let now = UnixMillis::from(internet.wall());
        assert!(host.store().banned(from, now).is_some());
    });
}

#[test]
fn good_names_spf_correspondents_and_choices_are_not_asked_to_wait() {
    Internet::simulated(6, async |internet| {
        let host = here(&internet).await;
        let at = |last: u8| IpAddr::from([203, 0, 113, last]);
        // A neighbourhood of its own for each, or one would vouch for the other.
        let fresh = |third: u8| IpAddr::from([203, 0, third, 7]);
        internet.zones().host("mail.good.test", fresh(1));
        let (code, greeted) = knock(&internet, &host, fresh(1), "a@good.test").await;
        assert_eq!(code, 250, "a mail server by its name");
        assert!(greeted < Duration::from_millis(100), "{greeted:?}");

        internet.zones().host("2-0-203.dsl.line.test", fresh(2));
        assert_eq!(
            knock(&internet, &host, fresh(2), "a@line.test").await.0,
            451
        );
        internet
            .domain("spf.test")
            .txt("v=spf1 ip4:203.0.2.0/23 -all");
        assert_eq!(knock(&internet, &host, fresh(2), "a@spf.test").await.0, 250);

        assert_eq!(
            knock(&internet, &host, fresh(4), "friend@far.test").await.0,
            451
        );
        host.submit(ANN, &["friend@far.test"], "Subject: hi\r\n\r\nHello!\r\n")
            .await;
        assert_eq!(
            knock(&internet, &host, fresh(5), "friend@far.test").await.0,
            250
        );

        let domain = mail::Domain::parse("here.test").unwrap();
        host.store()
            .write_blocking::<_, store::StoreError>(store::Durability::Durable, move |change| {
                change.set_greylisting(Some(&domain), false, UnixMillis(0))
            })
            .unwrap();
        assert_eq!(
            knock(&internet, &host, at(9), "x@unknown.test").await.0,
            250
        );
    });
}

#[test]
fn a_pool_that_changes_its_address_gets_in() {
    Internet::simulated(7, async |internet| {
        let host = here(&internet).await;
        let codes = async |third: u8, last: u8| {
            let from = IpAddr::from([203, 0, third, last]);
            knock(&internet, &host, from, "news@pool.test").await.0
        };
        // The same /24: each of its servers may come again.
        assert_eq!(codes(1, 1).await, 451);
        internet.pass(minutes(5)).await;
        assert_eq!(codes(1, 200).await, 250);
        // Another network each time.
        let other = async |third: u8| {
            let from = IpAddr::from([203, 0, third, 1]);
            knock(&internet, &host, from, "more@pool.test").await.0
        };
        assert_eq!(other(10).await, 451);
        internet.pass(minutes(30)).await;
        assert_eq!(other(11).await, 451);
        internet.pass(minutes(31)).await;
        assert_eq!(other(12).await, 250);
    });
}

#[test]
fn those_who_talk_early_or_as_us_are_sent_away() {
    Internet::simulated(8, async |internet| {
        let host = here(&internet).await;
        let nameless = internet.fresh_address();
        let mut early = internet.connect_from(nameless, host.mx()).await;
        early.send("EHLO early.test").await.unwrap();
        assert_eq!(early.reply().await.unwrap().code, 554);

        let mut liar = internet.connect(host.mx()).await;
        liar.reply().await.unwrap();
        liar.say("EHLO mx.here.test").await.unwrap();
        let reply = liar.say("MAIL FROM:<a@b.test>").await.unwrap();
        assert_eq!(reply.code, 550);
        assert!(reply.text.contains("its own name"), "{reply:?}");

        // Bad answers come later and later.
        let mut junk = internet.connect(host.mx()).await;
        junk.reply().await.unwrap();
        junk.say("EHLO junk.test").await.unwrap();
        let mut waits = Vec::new();
        for number in 0..6 {
            let start = internet.now();
            let said = junk
                .say(&format!("RCPT TO:<nobody{number}@here.test>"))
                .await;
            assert_eq!(said.unwrap().code, 503);
            waits.push((internet.now() - start).as_secs());
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8]);
    });
}
