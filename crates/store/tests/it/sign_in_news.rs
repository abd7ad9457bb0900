//! Log-ins from networks that are new to an account: what is kept until its user was told.

use std::net::IpAddr;

use mail::UnixMillis;
use store::*;

use crate::fixture::*;

on_both!(
    a_neighbourhood_is_news_once,
    failures_and_the_first_week_are_no_news,
    the_account_chooses_before_the_server,
    a_flood_of_networks_is_bounded,
    what_is_familiar_is_where_its_user_was,
    nothing_is_left_of_a_removed_account,
);

const DAY: i64 = 86_400_000;

fn at(days: i64) -> UnixMillis {
    UnixMillis(NOW.0 + days * DAY)
}

fn peer(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn try_in(home: &Home, password: &str, from: &str, client: &str, now: UnixMillis) -> bool {
    let visit = Visit {
        protocol: Protocol::Imap,
        peer: peer(from),
    };
    let mut entrance = Entrance::new(home.store.clone(), visit);
    let right = block_on(entrance.password("ann@here.example", password, now)).is_ok();
    if right {
        block_on(entrance.prove(0, now)).expect("proved");
        entrance.note_client(Client {
            name: client,
            tls: "",
        });
    }
    home.store.settle();
    right
}

fn sign_in(home: &Home, from: &str, now: UnixMillis) {
    assert!(try_in(home, PASSWORD, from, "mutt", now), "{from}");
}

/// The addresses of what is to be told.
fn news(home: &Home, account: AccountId) -> Vec<String> {
    let news = home.read(move |view| view.sign_in_news(account));
    news.iter().map(|one| one.peer.to_string()).collect()
}

fn a_neighbourhood_is_news_once(home: &Home) {
    let ann = home.account("ann");
    sign_in(home, "192.0.2.7", at(0));
    assert!(try_in(home, PASSWORD, "203.0.113.9", "Some Mail 7", at(10)));
    sign_in(home, "203.0.200.9", at(10));
    sign_in(home, "198.51.100.1", at(11));
    assert_eq!(
        home.read(move |view| view.sign_ins_to_tell(None)),
        [ann],
        "once for all of its networks"
    );
    assert_eq!(home.read(move |view| view.sign_ins_to_tell(Some(ann))), []);
    let all = home.read(move |view| view.sign_in_news(ann));
    assert_eq!(news(home, ann), ["203.0.113.9", "198.51.100.1"]);
    let first = &all[0];
    assert_eq!(
        (first.at, first.protocol, first.client.as_str()),
        (at(10), Protocol::Imap, "Some Mail 7")
    );
    assert_eq!(first.used, PasswordUsed::Main);
    // One is told, the other turns out to be nothing.
    let (told, nothing) = (vec![all[0].clone()], vec![all[1].clone()]);
    home.write(move |change| {
        change.drop_sign_in_news(ann, &told, Some(at(11)))?;
        change.drop_sign_in_news(ann, &nothing, None)
    })
    .expect("noted");
    assert_eq!(news(home, ann), Vec::<String>::new());
    let last = move |view: &View<'_>| view.sign_ins_last_told(ann);
    assert_eq!(home.read(last), [Some(at(11)), None]);
    sign_in(home, "203.0.113.10", at(12));
    sign_in(home, "203.0.7.10", at(12));
    assert_eq!(news(home, ann), Vec::<String>::new(), "known by now");
    home.write(move |change| change.drop_sign_in_news(ann, &[], Some(at(13))))
        .expect("noted");
    assert_eq!(home.read(last), [Some(at(13)), Some(at(11))]);
}

fn failures_and_the_first_week_are_no_news(home: &Home) {
    let ann = home.account("ann");
    sign_in(home, "192.0.2.7", at(0));
    sign_in(home, "203.0.113.9", at(6));
    assert!(!try_in(home, "a guess", "198.51.100.1", "", at(30)));
    assert_eq!(news(home, ann), Vec::<String>::new());
    sign_in(home, "198.51.100.1", at(30));
    assert_eq!(news(home, ann), ["198.51.100.1"], "it got in");
}

fn the_account_chooses_before_the_server(home: &Home) {
    let ann = home.account("ann");
    let tells = || home.read(move |view| view.tells_sign_ins(ann));
    let choose = |of: RulesOf, choice: Option<bool>| {
        home.write(move |change| change.set_sign_in_notices(of, choice))
            .expect("chosen");
    };
    assert!(tells());
    choose(RulesOf::Server, Some(false));
    assert!(!tells());
    sign_in(home, "192.0.2.7", at(0));
    sign_in(home, "203.0.113.9", at(10));
    assert_eq!(news(home, ann), Vec::<String>::new());
    choose(RulesOf::Account(ann), Some(true));
    assert!(tells());
    sign_in(home, "198.51.100.1", at(11));
    assert_eq!(news(home, ann), ["198.51.100.1"]);
    choose(RulesOf::Server, None);
    choose(RulesOf::Account(ann), Some(false));
    assert!(!tells());
    // Telling is no choice.
    home.write(move |change| {
        change.set_sign_in_notices(RulesOf::Account(ann), None)?;
        change.drop_sign_in_news(ann, &[], Some(at(12)))
    })
    .expect("noted");
    let own = home.read(move |view| view.sign_in_notices(RulesOf::Account(ann)));
    assert_eq!((own, tells()), (None, true));
}

fn a_flood_of_networks_is_bounded(home: &Home) {
    let ann = home.account("ann");
    sign_in(home, "192.0.2.7", at(0));
    for second in 0..60 {
        sign_in(home, &format!("10.{second}.0.1"), at(10));
    }
    assert_eq!(news(home, ann).len(), 50);
}

fn what_is_familiar_is_where_its_user_was(home: &Home) {
    let ann = home.account("ann");
    let familiar = |most: usize| {
        let found = home.read(move |view| view.familiar_peers(ann, most));
        found.iter().map(IpAddr::to_string).collect::<Vec<String>>()
    };
    sign_in(home, "192.0.2.7", at(0));
    sign_in(home, "192.0.200.7", at(1));
    sign_in(home, "2001:db8::1", at(2));
    assert!(!try_in(home, "a guess", "198.51.100.1", "", at(3)));
    sign_in(home, "203.0.113.9", at(10));
    assert_eq!(
        familiar(9),
        ["2001:db8::1", "192.0.200.7"],
        "neither who failed nor who is to be told of"
    );
    assert_eq!(familiar(1), ["2001:db8::1"]);
    let all = home.read(move |view| view.sign_in_news(ann));
    home.write(move |change| change.drop_sign_in_news(ann, &all, Some(at(10))))
        .expect("noted");
    assert_eq!(familiar(1), ["203.0.113.9"], "told of: no more to say");
}

fn nothing_is_left_of_a_removed_account(home: &Home) {
    let ann = home.account("ann");
    sign_in(home, "192.0.2.7", at(0));
    sign_in(home, "203.0.113.9", at(10));
    home.write(move |change| {
        change.set_sign_in_notices(RulesOf::Account(ann), Some(false))?;
        change.remove_account(ann)
    })
    .expect("removed");
    assert_eq!(home.read(|view| view.sign_ins_to_tell(None)), []);
    let own = home.read(move |view| view.sign_in_notices(RulesOf::Account(ann)));
    assert_eq!(own, None);
}
