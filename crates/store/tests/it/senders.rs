//! Correspondents of accounts, and the reputation of senders.

use mail::{Summary, UnixMillis};
use store::senders::*;
use store::*;

use crate::fixture::*;

on_both!(
    nobody_is_known_at_first,
    whom_one_writes_to_is_known,
    answers_are_known,
    who_writes_is_remembered,
    the_operator_chooses_lists,
    mail_sent_before_is_read_once,
    what_is_filed_later_counts_later,
    a_new_mailbox_makes_nobody_known,
    those_only_heard_from_are_forgotten,
    an_account_that_goes_leaves_nothing,
    counts_of_senders_fade,
    lessons_are_in_the_voice_of_an_account,
    lessons_are_taken_back,
    what_was_never_counted_is_not_taken_back,
    what_programs_send_by_themselves_makes_nobody_known
);

const DAY: i64 = 86_400_000;

fn at(days: i64) -> UnixMillis {
    UnixMillis(NOW.0 + days * DAY)
}

fn send(home: &Home, account: AccountId, to: &[&str], now: UnixMillis) {
    let to: Vec<_> = to.iter().map(|to| address(to)).collect();
    home.write(move |change| change.note_sent(account, &to, now))
        .expect("noted");
}

fn receive(home: &Home, account: AccountId, author: &str, network: &str, now: UnixMillis) {
    let new = NewReceived {
        account,
        author: address(author),
        confirmed: author.starts_with("sure"),
        network: Some(network.to_owned()),
    };
    home.write(move |change| change.note_received(&new, now))
        .expect("noted");
}

fn history(home: &Home, account: AccountId, other: &str) -> History {
    let other = address(other);
    home.read(move |view| view.history(account, &other))
}

fn is_first_time(home: &Home, account: AccountId, other: &str) -> bool {
    let other = address(other);
    home.read(move |view| view.is_first_time(account, &other))
}

fn tidy(home: &Home, now: UnixMillis) {
    block_on(home.store.tidy_senders(now)).expect("tidied");
}

/// Each account has its turn once in a day.
fn tidy_for_a_day(home: &Home, now: UnixMillis) {
    for hour in 0..24 {
        tidy(home, UnixMillis(now.0 + hour * 3_600_000));
    }
}

fn nobody_is_known_at_first(home: &Home) {
    let ann = home.account("ann");
    assert!(is_first_time(home, ann, "bob@there.example"));
    assert_eq!(history(home, ann, "bob@there.example"), History::default());
}

fn whom_one_writes_to_is_known(home: &Home) {
    let (ann, dan) = (home.account("ann"), home.account("dan"));
    send(
        home,
        ann,
        &["Bob+Shop@There.example", "bob@there.example", "dan"],
        NOW,
    );
    send(
        home,
        ann,
        &["bob@there.example", "eve@there.example"],
        at(3),
    );
    for one in ["bob@there.example", "BOB+x@there.example", "dan", "Dan"] {
        assert!(!is_first_time(home, ann, one), "{one}");
        assert!(is_first_time(home, dan, one), "{one}");
    }
    assert!(is_first_time(home, ann, "bo@there.example"));
    let bob = history(home, ann, "bob@there.example");
    let want = History {
        sent: 2,
        first_sent: Some(NOW),
        last_sent: Some(at(3)),
        written_at_domain: 2,
        ..History::default()
    };
    assert_eq!(bob, want);
    let stranger = history(home, ann, "fay@there.example");
    assert_eq!((stranger.sent, stranger.written_at_domain), (0, 2));
    let mut domains = home.read(move |view| view.domains_written_to(ann));
    domains.sort();
    assert_eq!(domains, ["here.example", "there.example"]);
}

fn answers_are_known(home: &Home) {
    let (ann, dan) = (home.account("ann"), home.account("dan"));
    for id in ["one@here.example", "two@here.example", "one@here.example"] {
        home.write(move |change| change.note_sent_id(ann, id, NOW))
            .expect("noted");
    }
    let answers = |account, ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        home.read(move |view| view.is_answer_to(account, &ids))
    };
    assert!(answers(ann, &["x@there.example", "two@here.example"]));
    assert!(!answers(ann, &["x@there.example", "Two@here.example"]));
    assert!(!answers(ann, &[]));
    assert!(!answers(dan, &["one@here.example"]));
    tidy(home, at(200));
    assert!(!answers(ann, &["one@here.example"]));
}

fn who_writes_is_remembered(home: &Home) {
    let ann = home.account("ann");
    receive(home, ann, "sure@there.example", "one", NOW);
    receive(home, ann, "sure+list@there.example", "one", at(1));
    receive(home, ann, "maybe@there.example", "one", NOW);
    receive(home, ann, "maybe@there.example", "two", NOW);
    receive(home, ann, "maybe@there.example", "one", NOW);
    let sure = history(home, ann, "sure@there.example");
    let want = History {
        received: 2,
        confirmed: 2,
        network: Some("one".to_owned()),
        first_received: Some(NOW),
        last_received: Some(at(1)),
        ..History::default()
    };
    assert_eq!(sure, want);
    assert!(is_first_time(home, ann, "sure@there.example"));
    let maybe = history(home, ann, "maybe@there.example");
    assert_eq!(
        (maybe.received, maybe.confirmed, maybe.network),
        (3, 0, None)
    );
    // A network is somebody's own after a proof, or some messages; who proves nothing takes it from nobody.
    let network = |author: &str| history(home, ann, author).network;
    receive(home, ann, "perhaps@there.example", "one", NOW);
    receive(home, ann, "perhaps@there.example", "one", NOW);
    assert_eq!(network("perhaps@there.example"), None);
    receive(home, ann, "perhaps@there.example", "one", NOW);
    assert_eq!(network("perhaps@there.example"), Some("one".to_owned()));
    let forged = |author: &str, confirmed, network: &str| {
        let new = NewReceived {
            account: ann,
            author: address(author),
            confirmed,
            network: Some(network.to_owned()),
        };
        home.write(move |change| change.note_received(&new, NOW))
            .expect("noted");
    };
    forged("victim@there.example", false, "forger's");
    forged("victim@there.example", true, "own");
    forged("victim@there.example", false, "forger's");
    assert_eq!(network("victim@there.example"), Some("own".to_owned()));
    forged("victim@there.example", true, "another");
    assert_eq!(network("victim@there.example"), None);
    send(home, ann, &["sure@there.example"], at(5));
    let sure = history(home, ann, "sure@there.example");
    assert_eq!(
        (sure.sent, sure.received, sure.first_sent),
        (1, 2, Some(at(5)))
    );
}

fn the_operator_chooses_lists(home: &Home) {
    let choice = |zone: &str, is_on| BlocklistChoice {
        zone: zone.to_owned(),
        is_on,
        list: is_on.then(|| "{}".to_owned()),
        changed: NOW,
    };
    let (one, other) = (choice("a.example", true), choice("b.example", false));
    for new in [choice("a.example", false), one.clone(), other.clone()] {
        home.write(move |change| change.set_blocklist(&new))
            .expect("set");
    }
    assert_eq!(
        home.read(|view| view.blocklist_choices()),
        [one, other.clone()]
    );
    let forget = |zone: &'static str| home.write(move |change| change.forget_blocklist(zone));
    assert!(forget("a.example").expect("forgotten"));
    assert!(!forget("a.example").expect("nothing to forget"));
    assert_eq!(home.read(|view| view.blocklist_choices()), [other]);
}

/// A message in Sent, as a program that brings a mailbox along files it.
fn file_sent(home: &Home, account: AccountId, to: &str, date: UnixMillis) {
    file_in(home, account, "Sent", to, date);
}

fn file_in(home: &Home, account: AccountId, mailbox: &str, to: &str, date: UnixMillis) {
    file_with(
        home,
        account,
        mailbox,
        &format!("To: {to}\r\nSubject: x"),
        date,
    );
}

fn file_with(home: &Home, account: AccountId, mailbox: &str, header: &str, date: UnixMillis) {
    let sent = home.mailbox(account, mailbox);
    let body = format!("From: ann@here.example\r\n{header}\r\n\r\nhello\r\n");
    let kept = home
        .store
        .keep_blocking(body.clone().into_bytes())
        .expect("kept");
    let append = Append {
        account,
        mailbox: sent.id,
        kept,
        summary: Summary::of(body.as_bytes()),
        trace: trace(),
        marks: Marks::none(),
        internal_date: date,
        now: NOW,
    };
    home.write(move |change| change.append(&append))
        .expect("filed");
}

fn mail_sent_before_is_read_once(home: &Home) {
    let ann = home.account("ann");
    send(home, ann, &["known@there.example"], at(-1));
    for number in 0..250 {
        file_sent(
            home,
            ann,
            &format!("Nr {number} <n{number}@there.example>"),
            at(-9),
        );
    }
    file_sent(home, ann, "known@there.example, n0@there.example", at(-3));
    tidy(home, NOW);
    for one in ["n0", "n249", "known"] {
        assert!(
            !is_first_time(home, ann, &format!("{one}@there.example")),
            "{one}"
        );
    }
    let known = history(home, ann, "known@there.example");
    // The copy of what was sent from here is no second message.
    assert_eq!((known.sent, known.first_sent), (1, Some(at(-3))));
    assert_eq!(
        (known.last_sent, known.written_at_domain),
        (Some(at(-1)), 50)
    );
    tidy(home, at(1));
    assert_eq!(history(home, ann, "known@there.example"), known);
    assert!(is_first_time(home, ann, "ann"));
}

fn what_is_filed_later_counts_later(home: &Home) {
    let ann = home.account("ann");
    tidy(home, NOW);
    file_sent(home, ann, "victim@there.example", at(-100));
    tidy(home, NOW);
    // For what comes in it is known, for what goes out it is new, until a thief would be found out.
    assert_eq!(history(home, ann, "victim@there.example").sent, 1);
    assert!(is_first_time(home, ann, "victim@there.example"));
    tidy(home, at(2));
    assert!(is_first_time(home, ann, "victim@there.example"));
    tidy(home, at(4));
    assert!(!is_first_time(home, ann, "victim@there.example"));
    file_sent(home, ann, "other@there.example", at(-100));
    tidy(home, at(5));
    assert!(is_first_time(home, ann, "other@there.example"));
    send(home, ann, &["other@there.example"], at(5));
    assert!(!is_first_time(home, ann, "other@there.example"));
}

fn a_new_mailbox_makes_nobody_known(home: &Home) {
    let ann = home.account("ann");
    tidy(home, NOW);
    for name in ["Gesendet", "Sent Items"] {
        let made = mailbox_name(name);
        home.write(move |change| change.create_mailbox(ann, &made, None, NOW))
            .expect("made");
    }
    file_in(home, ann, "Gesendet", "one@there.example", at(-900));
    file_in(home, ann, "Sent Items", "two@there.example", at(-900));
    tidy(home, at(1));
    // Sent itself, removed and made anew.
    home.write(move |change| {
        let sent = mailbox_name("Sent");
        change.delete_mailbox(ann, &sent)?;
        change.create_mailbox(ann, &sent, None, at(1))
    })
    .expect("made anew");
    file_in(home, ann, "Sent", "three@there.example", at(-900));
    tidy(home, at(2));
    for one in ["one", "two", "three"] {
        let other = address(&format!("{one}@there.example"));
        let found = home.read(move |view| view.acquaintance(ann, &other, at(2)));
        assert_eq!(found, sending::Acquaintance::FirstTime, "{one}");
    }
    tidy(home, at(9));
    assert!(!is_first_time(home, ann, "one@there.example"), "in time");
}

fn those_only_heard_from_are_forgotten(home: &Home) {
    let ann = home.account("ann");
    receive(home, ann, "old@there.example", "one", NOW);
    receive(home, ann, "young@there.example", "one", at(200));
    receive(home, ann, "friend@there.example", "one", NOW);
    send(home, ann, &["friend@there.example"], NOW);
    tidy_for_a_day(home, at(300));
    assert_eq!(history(home, ann, "old@there.example").received, 0);
    assert_eq!(history(home, ann, "young@there.example").received, 1);
    assert_eq!(history(home, ann, "friend@there.example").received, 1);
}

fn an_account_that_goes_leaves_nothing(home: &Home) {
    let ann = home.account("ann");
    let dan = home.account("dan");
    for account in [ann, dan] {
        send(home, account, &["bob@there.example"], NOW);
        teach(home, account, true, false);
    }
    home.write(move |change| change.remove_account(ann))
        .expect("removed");
    assert!(is_first_time(home, ann, "bob@there.example"));
    assert!(!is_first_time(home, dan, "bob@there.example"));
    let voices: Vec<_> = standing(home, 0, NOW)
        .voices
        .iter()
        .map(|voice| voice.account)
        .collect();
    assert_eq!(voices, [dan]);
}

fn origin() -> Origin {
    Origin {
        ip: "198.51.100.7".parse().ok(),
        domain: Some(domain("there.example")),
        author: Some(address("bob@there.example")),
        confirmed: true,
    }
}

fn standing(home: &Home, which: usize, now: UnixMillis) -> Standing {
    let key = origin().keys()[which].clone();
    home.read(move |view| view.standing(&key, now))
}

fn teach(home: &Home, account: AccountId, junk: bool, undone: bool) {
    let lesson = SenderLesson {
        account,
        origin: origin(),
        junk,
        undone,
    };
    home.write(move |change| change.note_sender_lesson(&lesson, NOW))
        .expect("taught");
}

fn counts_of_senders_fade(home: &Home) {
    let keys = origin().keys();
    let names: Vec<_> = keys.iter().map(|key| key.name.clone()).collect();
    assert_eq!(names, ["198.51.100.7", "198.51.100.0/24", "there.example"]);
    let seen: Vec<Seen> = keys
        .iter()
        .map(|key| Seen {
            key: key.clone(),
            wanted: 8,
            junk: 4,
        })
        .collect();
    let again = seen.clone();
    home.write(move |change| change.note_seen(&seen, NOW))
        .expect("noted");
    for which in 0..3 {
        let now = standing(home, which, NOW);
        assert_eq!((now.wanted, now.junk), (8.0, 4.0));
        let later = standing(home, which, at(30));
        assert_eq!((later.wanted, later.junk), (4.0, 2.0));
    }
    home.write(move |change| change.note_seen(&again, at(30)))
        .expect("noted");
    let later = standing(home, 2, at(60));
    assert_eq!((later.wanted, later.junk), (6.0, 3.0));
    tidy(home, at(140));
    assert!(standing(home, 0, at(140)).wanted > 0.0);
    tidy(home, at(160));
    assert_eq!(standing(home, 0, at(160)), Standing::default());
}

fn lessons_are_in_the_voice_of_an_account(home: &Home) {
    let (ann, dan) = (home.account("ann"), home.account("dan"));
    receive(home, ann, "bob@there.example", "one", NOW);
    for _ in 0..5 {
        teach(home, ann, true, false);
    }
    teach(home, dan, false, false);
    let want = vec![
        Voice {
            account: ann,
            wanted: 0.0,
            junk: 5.0,
        },
        Voice {
            account: dan,
            wanted: 1.0,
            junk: 0.0,
        },
    ];
    assert_eq!(standing(home, 2, NOW).voices, want);
    let of = |account| {
        let history = history(home, account, "bob@there.example");
        (history.received, history.confirmed, history.junked)
    };
    assert_eq!(of(ann), (0, 0, 5));
    // Whoever is rescued from Junk was heard from.
    assert_eq!(of(dan), (1, 1, 0));
}

fn lessons_are_taken_back(home: &Home) {
    let ann = home.account("ann");
    receive(home, ann, "bob@there.example", "one", NOW);
    teach(home, ann, true, false);
    assert_eq!(history(home, ann, "bob@there.example").received, 0);
    teach(home, ann, true, true);
    teach(home, ann, true, true);
    assert_eq!(history(home, ann, "bob@there.example").junked, 0);
    assert_eq!(history(home, ann, "bob@there.example").received, 2);
    let voices = standing(home, 0, NOW).voices;
    assert!(
        voices
            .iter()
            .all(|voice| voice.junk == 0.0 && voice.wanted == 0.0)
    );
}

/// The filter had it in Junk by itself: a person's word for that, taken back, makes it no wanted message.
fn what_was_never_counted_is_not_taken_back(home: &Home) {
    let ann = home.account("ann");
    send(home, ann, &["bob@there.example"], NOW);
    teach(home, ann, true, false);
    teach(home, ann, true, true);
    let of_bob = history(home, ann, "bob@there.example");
    assert_eq!(
        (of_bob.received, of_bob.confirmed, of_bob.junked),
        (0, 0, 0)
    );
}

fn what_programs_send_by_themselves_makes_nobody_known(home: &Home) {
    let ann = home.account("ann");
    home.write(move |change| change.note_sent_by_itself(ann, Some("away@here.example"), NOW))
        .expect("noted");
    let ids = ["away@here.example".to_owned()];
    assert!(!home.read(move |view| view.is_answer_to(ann, &ids)));
    // The program files what it sent.
    let headers = [
        "Subject: away\r\nMessage-ID: <away@here.example>",
        "Subject: Read\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nread\r\n--b--",
        "Subject: unsubscribe",
    ];
    for (which, header) in headers.iter().enumerate() {
        let header = format!("To: spam{which}@there.example\r\n{header}");
        file_with(home, ann, "Sent", &header, at(-9));
    }
    file_sent(home, ann, "friend@there.example", at(-9));
    tidy(home, NOW);
    for (which, header) in headers.iter().enumerate() {
        let spammer = format!("spam{which}@there.example");
        assert_eq!(history(home, ann, &spammer).sent, 0, "{header}");
    }
    assert_eq!(history(home, ann, "friend@there.example").sent, 1);
}
