//! A table of facts and what becomes of the message.

use mailauth::dmarc::{PolicyTag, Published, Record};

use super::*;

const CHOICES: [DmarcChoice; 3] = [DmarcChoice::Reject, DmarcChoice::Junk, DmarcChoice::Mark];

fn published(text: &str, policy: Policy) -> Published {
    Published {
        domain: "author.example".to_owned(),
        record: Record::parse(text.as_bytes()).unwrap(),
        tag: PolicyTag::P,
        policy,
    }
}

fn dmarc(result: DmarcResult, reason: Why, policy: Option<(&str, Policy)>, wish: Policy) -> Dmarc {
    Dmarc {
        result,
        reason,
        domain: Some("author.example".to_owned()),
        org_domain: None,
        published: policy.map(|(text, policy)| published(text, policy)),
        spf_aligned: false,
        dkim_aligned: false,
        wish,
    }
}

fn failing(wish: Policy) -> Dmarc {
    let text = format!("v=DMARC1; p={}", wish.as_str());
    dmarc(
        DmarcResult::Fail,
        Why::NothingPassed,
        Some((&text, wish)),
        wish,
    )
}

fn facts(dmarc: &Dmarc, choice: DmarcChoice) -> Facts<'_> {
    Facts {
        dmarc,
        choice,
        voucher: None,
        detour: false,
        trouble: None,
        waited: false,
    }
}

#[track_caller]
fn check(facts: &Facts<'_>, place: Place, reason: Reason) {
    assert_eq!(decide(facts), Judgement { place, reason }, "{facts:?}");
}

#[test]
fn what_passes_or_has_no_policy_is_taken_by_all() {
    let pass = dmarc(DmarcResult::Pass, Why::Aligned, None, Policy::None);
    let none = dmarc(DmarcResult::None, Why::NoPolicy, None, Policy::None);
    let broken = dmarc(
        DmarcResult::PermError,
        Why::UnusableRecord,
        None,
        Policy::None,
    );
    let nobody = Why::NoAuthor(NoAuthor::NoAddress);
    let nobody = dmarc(DmarcResult::PermError, nobody, None, Policy::None);
    for choice in CHOICES {
        check(&facts(&pass, choice), Place::Inbox, Reason::Passed);
        check(&facts(&none, choice), Place::Inbox, Reason::NoPolicy);
        check(&facts(&broken, choice), Place::Inbox, Reason::NoPolicy);
        check(&facts(&nobody, choice), Place::Inbox, Reason::NoPolicy);
        check(
            &facts(&failing(Policy::None), choice),
            Place::Inbox,
            Reason::Watched,
        );
    }
}

#[test]
fn what_fails_goes_where_the_recipients_domain_chose() {
    use DmarcChoice::{Junk, Mark, Reject};
    let (quarantine, reject) = (failing(Policy::Quarantine), failing(Policy::Reject));
    check(
        &facts(&quarantine, Reject),
        Place::Junk,
        Reason::Quarantined,
    );
    check(&facts(&quarantine, Junk), Place::Junk, Reason::Quarantined);
    check(&facts(&quarantine, Mark), Place::Inbox, Reason::MarkOnly);
    check(&facts(&reject, Reject), Place::Refuse, Reason::Refused);
    check(&facts(&reject, Junk), Place::Junk, Reason::JunkChosen);
    check(&facts(&reject, Mark), Place::Inbox, Reason::MarkOnly);
    // p=reject alone refuses nobody who came by a detour.
    let detour = |choice| Facts {
        detour: true,
        ..facts(&reject, choice)
    };
    check(&detour(Reject), Place::Junk, Reason::Detour);
    check(&detour(Junk), Place::Junk, Reason::JunkChosen);
    // Nothing but DMARC's failure refuses: signs of a detour alone are harmless.
    let pass = dmarc(DmarcResult::Pass, Why::Aligned, None, Policy::None);
    let passed = Facts {
        detour: true,
        ..facts(&pass, Reject)
    };
    check(&passed, Place::Inbox, Reason::Passed);
}

#[test]
fn who_is_trusted_overrides_any_policy() {
    for choice in CHOICES {
        for wish in [Policy::Quarantine, Policy::Reject] {
            let failing = failing(wish);
            let voucher = |voucher| Facts {
                voucher: Some(voucher),
                ..facts(&failing, choice)
            };
            check(
                &voucher(Voucher::Sealer("google.com")),
                Place::Inbox,
                Reason::TrustedSealer,
            );
            check(
                &voucher(Voucher::List("lists.example")),
                Place::Inbox,
                Reason::TrustedList,
            );
        }
    }
}

#[test]
fn more_authors_than_one_are_suspicious() {
    for (why, reason) in [
        (NoAuthor::SeveralFroms, Reason::SeveralFroms),
        (NoAuthor::SeveralDomains, Reason::SeveralAuthors),
    ] {
        let several = Why::NoAuthor(why);
        let unwatched = dmarc(DmarcResult::PermError, several, None, Policy::None);
        assert!(
            !is_choice_needed(&unwatched, None),
            "nobody wishes anything"
        );
        let several = dmarc(DmarcResult::PermError, several, None, Policy::Reject);
        assert!(is_choice_needed(&several, None));
        for choice in [DmarcChoice::Reject, DmarcChoice::Junk] {
            check(&facts(&several, choice), Place::Junk, reason);
        }
        check(
            &facts(&several, DmarcChoice::Mark),
            Place::Inbox,
            Reason::NoPolicy,
        );
    }
}

#[test]
fn trouble_of_the_dns_puts_off_and_never_refuses() {
    let policy = dmarc(
        DmarcResult::TempError,
        Why::PolicyUnknown,
        None,
        Policy::None,
    );
    let unsure = |text, wish| {
        let policy = Some((text, wish));
        dmarc(
            DmarcResult::TempError,
            Why::AuthenticationUnknown,
            policy,
            Policy::None,
        )
    };
    let reject = unsure("v=DMARC1; p=reject", Policy::Reject);
    let watching = unsure("v=DMARC1; p=none", Policy::None);
    let testing = unsure("v=DMARC1; p=quarantine; t=y", Policy::Quarantine);
    let chain = failing(Policy::Reject);
    for choice in CHOICES {
        for waited in [false, true] {
            let with = |dmarc, trouble| Facts {
                trouble: Some(trouble),
                waited,
                ..facts(dmarc, choice)
            };
            let mark = choice == DmarcChoice::Mark;
            for (dmarc, trouble, after) in [
                (&policy, Trouble::Policy, Place::Inbox),
                (&reject, Trouble::Authentication, Place::Junk),
                (&chain, Trouble::Chain, Place::Junk),
            ] {
                let facts = with(dmarc, trouble);
                match (mark, waited) {
                    (true, _) => check(&facts, Place::Inbox, Reason::MarkOnly),
                    (_, false) => check(&facts, Place::Defer, Reason::DnsTrouble(trouble)),
                    (_, true) => check(&facts, after, Reason::WaitedEnough(trouble)),
                }
                let voucher = Some(Voucher::List("lists.example"));
                if !mark {
                    check(
                        &Facts { voucher, ..facts },
                        Place::Inbox,
                        Reason::TrustedList,
                    );
                }
            }
            // The answer would not matter: nobody waits for it.
            for harmless in [&watching, &testing] {
                let facts = with(harmless, Trouble::Authentication);
                check(&facts, Place::Inbox, Reason::Watched);
            }
        }
    }
}

#[test]
fn only_what_is_beyond_doubt_leaves_for_other_servers() {
    let pass = dmarc(DmarcResult::Pass, Why::Aligned, None, Policy::None);
    let none = dmarc(DmarcResult::None, Why::NoPolicy, None, Policy::None);
    let reject = failing(Policy::Reject);
    for choice in CHOICES {
        assert!(decide(&facts(&pass, choice)).may_leave());
        assert!(decide(&facts(&none, choice)).may_leave());
        assert!(decide(&facts(&failing(Policy::None), choice)).may_leave());
        assert!(!decide(&facts(&reject, choice)).may_leave(), "{choice:?}");
        let voucher = Some(Voucher::Sealer("google.com"));
        assert!(
            decide(&Facts {
                voucher,
                ..facts(&reject, choice)
            })
            .may_leave()
        );
    }
}

#[test]
fn the_report_says_what_was_done_and_why() {
    let reject = failing(Policy::Reject);
    let told = |facts: &Facts<'_>| {
        let judgement = decide(facts);
        (
            judgement.disposition(),
            judgement.overridden().map(|(kind, _)| kind),
        )
    };
    let pass = dmarc(DmarcResult::Pass, Why::Aligned, None, Policy::None);
    assert_eq!(
        told(&facts(&pass, DmarcChoice::Reject)),
        (Disposition::Pass, None)
    );
    assert_eq!(
        told(&facts(&reject, DmarcChoice::Reject)),
        (Disposition::Reject, None)
    );
    let junk = (Disposition::Quarantine, Some("local_policy"));
    assert_eq!(told(&facts(&reject, DmarcChoice::Junk)), junk);
    let mark = (Disposition::None, Some("local_policy"));
    assert_eq!(told(&facts(&reject, DmarcChoice::Mark)), mark);
    let sealed = Facts {
        voucher: Some(Voucher::Sealer("google.com")),
        ..facts(&reject, DmarcChoice::Reject)
    };
    assert_eq!(
        told(&sealed),
        (Disposition::None, Some("trusted_forwarder"))
    );
}
