//! Allow and block lists, and choices about the spam filter, by account, domain and server.

use store::lessons::*;
use store::*;

use crate::fixture::*;

on_both!(
    lists_fit_the_narrowest_first,
    choices_are_merged_and_remembered
);

fn lists_fit_the_narrowest_first(home: &Home) {
    let [ann, bob] = ["ann", "bob"].map(|name| home.account(name));
    let here = Scope::Domain(domain("here.example"));
    for (scope, wish, entry) in [
        (Scope::Server, Wish::Block, "spam.example"),
        (Scope::Server, Wish::Allow, "good.spam.example"),
        (here.clone(), Wish::Block, "eve@good.spam.example"),
        (Scope::Account(ann), Wish::Allow, "Eve@Good.Spam.Example"),
        (Scope::Server, Wish::Block, "192.0.2.0/24"),
        (Scope::Server, Wish::Allow, "192.0.2.7"),
        (
            Scope::Domain(domain("other.example")),
            Wish::Block,
            "eve@good.spam.example",
        ),
    ] {
        home.write(move |change| change.add_sender_rule(&scope, wish, entry, false, NOW))
            .expect("added");
    }
    let found = |account: AccountId, author: &str, peer: &str| {
        let (author, peer) = (address(author), peer.parse().ok());
        home.read(move |view| {
            let names = SenderNames {
                author: Some(&author),
                reverse_path: None,
                peer,
            };
            view.sender_rules(account, &names)
        })
        .into_iter()
        .map(|rule| (rule.by, rule.wish, rule.entry))
        .collect::<Vec<_>>()
    };
    let server = |wish, entry: &str| (Scope::Server, wish, entry.to_owned());
    let eve = "eve@good.spam.example";
    assert_eq!(
        found(ann, eve, "-"),
        [
            (Scope::Account(ann), Wish::Allow, eve.to_owned()),
            (here.clone(), Wish::Block, eve.to_owned()),
            server(Wish::Allow, "good.spam.example"),
            server(Wish::Block, "spam.example"),
        ]
    );
    assert_eq!(found(bob, eve, "-").len(), 3);
    assert_eq!(
        found(ann, "x@a.spam.example", "192.0.2.7"),
        [
            server(Wish::Block, "spam.example"),
            server(Wish::Allow, "192.0.2.7/32"),
            server(Wish::Block, "192.0.2.0/24"),
        ]
    );
    assert_eq!(
        found(ann, "x@else.example", "192.0.2.7"),
        [
            server(Wish::Allow, "192.0.2.7/32"),
            server(Wish::Block, "192.0.2.0/24"),
        ]
    );
    assert_eq!(
        found(ann, "x@else.example", "192.0.2.8"),
        [server(Wish::Block, "192.0.2.0/24")]
    );
    assert_eq!(found(ann, "x@notspam.example", "198.51.100.1"), []);
    assert_eq!(
        found(ann, "eve+news@good.spam.example", "-")[0].0,
        Scope::Account(ann)
    );
    let forged = home.read(move |view| {
        let (author, envelope) = (address("x@spam.example"), address(eve));
        let names = SenderNames {
            author: Some(&author),
            reverse_path: Some(&envelope),
            peer: None,
        };
        view.sender_rules_for(&[bob, ann], &names)
    });
    let of_ann: Vec<_> = forged[1].iter().map(|rule| (rule.of, rule.wish)).collect();
    // What stands in the envelope displaces nothing that the author's name says.
    let want = [
        (RuleOf::ReversePath, Wish::Allow),
        (RuleOf::ReversePath, Wish::Block),
        (RuleOf::Author, Wish::Block),
        (RuleOf::ReversePath, Wish::Allow),
        (RuleOf::ReversePath, Wish::Block),
    ];
    assert_eq!(of_ann, want);
    assert_eq!(forged[0], forged[1][1..]);
    let removed = home.write(move |change| {
        change.remove_sender_rule(&Scope::Account(ann), Wish::Allow, " EVE@good.spam.example")
    });
    assert!(removed.expect("removed"));
    let left = home.read(|view| view.sender_rules_of(None, Wish::Allow));
    assert_eq!(left.len(), 2);
    let bad =
        home.write(move |change| change.add_sender_rule(&here, Wish::Allow, "a b", false, NOW));
    assert!(matches!(bad, Err(BadRule::NotASender(_))));
    everybody_is_no_sender(home);
}

fn everybody_is_no_sender(home: &Home) {
    for (wish, entry, fits) in [
        (Wish::Allow, "0.0.0.0/0", false),
        (Wish::Block, "10.0.0.0/7", false),
        (Wish::Allow, "10.0.0.0/8", true),
        (Wish::Block, "2001:db8::/16", false),
        (Wish::Allow, "[2001:db8::1]", true),
        (Wish::Allow, "com", false),
        (Wish::Allow, "*.com", false),
        (Wish::Block, "top", true),
    ] {
        let added = home
            .write(move |change| change.add_sender_rule(&Scope::Server, wish, entry, false, NOW));
        match added {
            Ok(_) => assert!(fits, "{entry}"),
            Err(error) => assert!(matches!(error, BadRule::TooWide(_)) && !fits, "{entry}"),
        }
    }
}

fn choices_are_merged_and_remembered(home: &Home) {
    let [ann, bob] = ["ann", "bob"].map(|name| home.account(name));
    let of = |account| home.read(move |view| view.spam_choices(account));
    assert_eq!(of(ann), SpamChoices::default());
    let here = Scope::Domain(domain("here.example"));
    for (scope, choice) in [
        (Scope::Server, Choice::Threshold(5.0)),
        (Scope::Server, Choice::Weight("content".to_owned(), 0.5)),
        (here.clone(), Choice::Digest(true)),
        (here, Choice::Weight("content".to_owned(), 2.0)),
        (Scope::Account(bob), Choice::Filtering(false)),
        (Scope::Account(bob), Choice::Threshold(4.0)),
    ] {
        home.write(move |change| change.set_spam_choice(&scope, &choice, NOW))
            .expect("set");
    }
    let for_ann = SpamChoices {
        filtering: true,
        threshold: Some(5.0),
        weights: vec![("content".to_owned(), 2.0)],
        digest: true,
    };
    assert_eq!(of(ann), for_ann);
    assert_eq!((of(bob).filtering, of(bob).threshold), (false, Some(4.0)));
    let reset =
        home.write(move |change| change.reset_spam_choice(&Scope::Account(bob), "threshold", NOW));
    assert!(reset.expect("reset"));
    assert_eq!(of(bob).threshold, Some(5.0));
    let history = home.read(|view| view.spam_choice_history());
    assert_eq!(history.len(), 7);
    assert_eq!(
        (history[0].name.as_str(), &history[0].value),
        ("threshold", &None)
    );
}
