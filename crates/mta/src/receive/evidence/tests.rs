//! What is told: to authors' domains in reports, to senders in replies.

use mail::Address;
use mailauth::arc::Arc;
use mailauth::dmarc::{Policy, PolicyTag, Reason as Why};
use mailauth::iprev::{Iprev, IprevResult};
use mailauth::spf::Identity;
use store::reports::Disposition;

use super::super::judge::{self, Facts};
use super::*;

const NOW: UnixMillis = UnixMillis(1_772_442_000_000);

fn ip() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn spf(result: SpfResult, domain: &str) -> Spf {
    Spf {
        result,
        identity: Identity::MailFrom,
        domain: domain.to_owned(),
        matched: None,
        boundless: false,
        explanation: None,
        problem: None,
    }
}

fn verdict(record: &str, policy: Policy, wish: Policy, result: DmarcResult) -> Verdict {
    Verdict {
        iprev: Iprev {
            result: IprevResult::Fail,
            reason: None,
            ip: ip(),
            name: None,
        },
        helo: spf(SpfResult::None, "mx.bounce.example"),
        spf: spf(SpfResult::Pass, "bounce.example"),
        dkim: Vec::new(),
        arc: Arc::none(),
        dmarc: Dmarc {
            result,
            reason: Why::NotAligned,
            domain: Some("news.author.example".to_owned()),
            org_domain: None,
            published: Some(Published {
                domain: "author.example".to_owned(),
                record: Record::parse(record.as_bytes()).unwrap(),
                tag: PolicyTag::Sp,
                policy,
            }),
            spf_aligned: false,
            dkim_aligned: false,
            wish,
        },
    }
}

fn judged(verdict: &Verdict, choice: store::DmarcChoice) -> Judgement {
    judge::decide(&Facts {
        dmarc: &verdict.dmarc,
        choice,
        voucher: None,
        detour: false,
        trouble: None,
        waited: false,
    })
}

#[test]
fn evidence_holds_what_a_report_needs() {
    let record = "v=DMARC1; p=none; sp=reject; adkim=s; fo=1:d; rua=mailto:d@author.example";
    let verdict = verdict(record, Policy::Reject, Policy::Reject, DmarcResult::Fail);
    let from = ReversePath::from(Address::parse("x@bounce.example").unwrap());
    let judgement = judged(&verdict, store::DmarcChoice::Junk);
    let told = evidence(&verdict, ip(), &from, judgement, NOW).unwrap();
    assert_eq!(told.policy_domain, "author.example");
    assert_eq!(told.policy.sp.as_deref(), Some("reject"));
    assert_eq!(told.policy.adkim.as_deref(), Some("s"));
    assert_eq!(told.policy.fo.as_deref(), Some("1:d"));
    assert_eq!(told.policy.rua, ["mailto:d@author.example"]);
    let entry = told.entry;
    assert_eq!(entry.header_from, "news.author.example");
    assert_eq!(entry.envelope_from.as_deref(), Some("bounce.example"));
    assert_eq!(entry.disposition, Disposition::Quarantine);
    assert_eq!(entry.overrides[0].kind, "local_policy");
    let seen = entry.spf.unwrap();
    assert_eq!(
        (seen.scope, seen.result.as_str()),
        (SpfScope::Mfrom, "pass")
    );
    // A report has a null reverse-path: the name of HELO was looked at.
    let judgement = judged(&verdict, store::DmarcChoice::Reject);
    let told = evidence(&verdict, ip(), &ReversePath::Null, judgement, NOW).unwrap();
    assert_eq!(told.entry.envelope_from, None);
    assert_eq!(told.entry.disposition, Disposition::Reject);
    assert_eq!(told.entry.spf.unwrap().scope, SpfScope::Helo);
}

#[test]
fn tests_of_the_policys_owner_are_named() {
    let record = "v=DMARC1; p=reject; t=y; rua=mailto:d@author.example";
    let verdict = verdict(
        record,
        Policy::Reject,
        Policy::Quarantine,
        DmarcResult::Fail,
    );
    let judgement = judged(&verdict, store::DmarcChoice::Reject);
    let told = evidence(&verdict, ip(), &ReversePath::Null, judgement, NOW).unwrap();
    assert!(told.policy.testing);
    assert_eq!(told.entry.overrides[0].kind, "policy_test_mode");
    assert_eq!(told.entry.disposition, Disposition::Quarantine);
}

#[test]
fn nothing_is_noted_for_those_who_want_no_reports() {
    let verdict = verdict(
        "v=DMARC1; p=reject",
        Policy::Reject,
        Policy::Reject,
        DmarcResult::Fail,
    );
    let judgement = judged(&verdict, store::DmarcChoice::Reject);
    assert_eq!(
        evidence(&verdict, ip(), &ReversePath::Null, judgement, NOW),
        None
    );
}

#[test]
fn refusals_say_whose_wish_it_is_what_failed_and_how_to_mend_it() {
    let verdict = verdict(
        "v=DMARC1; p=reject",
        Policy::Reject,
        Policy::Reject,
        DmarcResult::Fail,
    );
    let text = why_refused(&verdict);
    for wanted in [
        "author.example wishes (DMARC, p=reject)",
        "in the name of news.author.example",
        "SPF for bounce.example: pass, but that is not news.author.example",
        "DKIM: no signature",
        "should sign as news.author.example",
    ] {
        assert!(text.contains(wanted), "no {wanted:?} in {text}");
    }
    assert!(text.lines().all(|line| line.len() < 480), "{text}");
    let reply = crate::Refusal::Policy(text).reply();
    assert_eq!((reply.code(), reply.lines().count()), (550, 3));
    let text = why_put_off(&verdict, Trouble::Authentication);
    assert!(
        text.contains("whether this message is really from news.author.example"),
        "{text}"
    );
    assert_eq!(crate::Refusal::DnsTrouble(text).reply().code(), 451);
}

#[test]
fn a_report_is_believed_only_if_somebody_vouches_for_its_author() {
    let with = |result, spf: &str, spf_result| {
        let mut verdict = verdict("v=DMARC1; p=none", Policy::None, Policy::None, result);
        verdict.spf = self::spf(spf_result, spf);
        submitter(&verdict)
    };
    let author = Some("news.author.example".to_owned());
    assert_eq!(
        with(DmarcResult::Pass, "x.example", SpfResult::Fail),
        author
    );
    assert_eq!(
        with(DmarcResult::None, "author.example", SpfResult::Pass),
        author
    );
    assert_eq!(
        with(DmarcResult::None, "news.author.example", SpfResult::Pass),
        author
    );
    assert_eq!(
        with(DmarcResult::None, "thor.example", SpfResult::Pass),
        None
    );
    assert_eq!(with(DmarcResult::None, "example", SpfResult::Pass), None);
    assert_eq!(
        with(DmarcResult::None, "author.example", SpfResult::SoftFail),
        None
    );
    assert_eq!(
        with(DmarcResult::Fail, "author.example", SpfResult::Pass),
        None
    );
}
