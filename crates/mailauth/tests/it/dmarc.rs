//! DMARC by RFC 9989: what a message gets, by what stands in the DNS.

use mailauth::dkim::{self, DkimResult};
use mailauth::dmarc::{
    self, Alignment, Author, Dmarc, DmarcResult, NoAuthor, Policy, PolicyTag, Reason, Record,
};
use mailauth::explain::Notes;
use mailauth::spf::{Identity, Spf, SpfResult};
use world::{DnsError, Kind};

use crate::zone::{Zone, now};

/// What SPF and DKIM found: `spf=pass example.com`, `dkim=temperror other.example`.
struct Found {
    spf: Spf,
    dkim: Vec<dkim::Verdict>,
}

fn found(results: &[&str]) -> Found {
    let mut spf = spf(SpfResult::None, "");
    let mut dkim = Vec::new();
    for result in results {
        let (result, domain) = result.split_once(' ').unwrap();
        match result {
            "spf=pass" => spf = self::spf(SpfResult::Pass, domain),
            "spf=fail" => spf = self::spf(SpfResult::Fail, domain),
            "spf=temperror" => spf = self::spf(SpfResult::TempError, domain),
            "dkim=pass" => dkim.push(signature(DkimResult::Pass, domain)),
            "dkim=fail" => dkim.push(signature(DkimResult::Fail, domain)),
            "dkim=temperror" => dkim.push(signature(DkimResult::TempError, domain)),
            other => panic!("{other}"),
        }
    }
    Found { spf, dkim }
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

pub fn signature(result: DkimResult, domain: &str) -> dkim::Verdict {
    dkim::Verdict {
        result,
        reason: match result {
            DkimResult::Pass => dkim::Reason::Good,
            DkimResult::TempError => dkim::Reason::Dns("no answer".to_owned()),
            _ => dkim::Reason::SignatureWrong,
        },
        domain: domain.to_owned(),
        selector: "s1".to_owned(),
        identity: format!("@{domain}"),
        algorithm: Some(dkim::Algorithm::RsaSha256),
        algorithm_name: "rsa-sha256".to_owned(),
        bits: Some(2_048),
        signature_start: "AbCdEfGh".to_owned(),
        testing: false,
        covers_whole_body: true,
        signed_fields: dkim::FieldNames::new("from"),
        signed_at: None,
        expires_at: None,
        record: None,
    }
}

fn judge(zone: &Zone, from: &str, results: &[&str]) -> Dmarc {
    let found = found(results);
    let author = Author::of_from(from.as_bytes());
    now(dmarc::check(
        zone,
        author,
        &found.spf,
        &found.dkim,
        &mut Notes::off(),
    ))
}

#[track_caller]
fn check(zone: &Zone, from: &str, results: &[&str], want: (DmarcResult, Reason, Policy)) -> Dmarc {
    let dmarc = judge(zone, from, results);
    let got = (dmarc.result, dmarc.reason, dmarc.wish);
    assert_eq!(got, want, "{from} with {results:?}");
    dmarc
}

const PASS: (DmarcResult, Reason, Policy) = (DmarcResult::Pass, Reason::Aligned, Policy::None);
const NO_POLICY: (DmarcResult, Reason, Policy) =
    (DmarcResult::None, Reason::NoPolicy, Policy::None);

fn fails(reason: Reason, wish: Policy) -> (DmarcResult, Reason, Policy) {
    (DmarcResult::Fail, reason, wish)
}

fn unknown(reason: Reason) -> (DmarcResult, Reason, Policy) {
    (DmarcResult::TempError, reason, Policy::None)
}

fn record(domain: &str, text: &str) -> Zone {
    Zone::new().txt(&format!("_dmarc.{domain}"), text)
}

#[test]
fn one_aligned_pass_is_enough() {
    let zone = record(
        "example.com",
        "v=DMARC1; p=reject; rua=mailto:d@example.com",
    );
    let from = "Ann <ann@example.com>";
    let by_spf = check(&zone, from, &["spf=pass example.com"], PASS);
    assert!(by_spf.spf_aligned && !by_spf.dkim_aligned);
    let by_dkim = check(
        &zone,
        from,
        &["spf=fail example.com", "dkim=pass example.com"],
        PASS,
    );
    assert!(!by_dkim.spf_aligned && by_dkim.dkim_aligned);
    // Any one signature of several; the others need not pass or belong.
    let several = [
        "dkim=fail example.com",
        "dkim=pass elsewhere.org",
        "dkim=pass example.com",
    ];
    assert!(check(&zone, from, &several, PASS).dkim_aligned);
    // Relaxed: a name below, and a name above.
    let relaxed = check(&zone, from, &["spf=pass bounces.example.com"], PASS);
    assert_eq!(relaxed.org_domain.as_deref(), Some("example.com"));
    assert!(relaxed.spf_aligned);
    check(
        &zone,
        "a@news.example.com",
        &["dkim=pass example.com"],
        PASS,
    );
    check(
        &zone,
        "a@news.example.com",
        &["dkim=pass other.example.com"],
        PASS,
    );
}

#[test]
fn foreign_passes_do_not_count() {
    let zone = record("example.com", "v=DMARC1; p=reject");
    let refused = |reason| fails(reason, Policy::Reject);
    let from = "ann@example.com";
    check(
        &zone,
        from,
        &["spf=pass elsewhere.org"],
        refused(Reason::NotAligned),
    );
    check(
        &zone,
        from,
        &["dkim=pass elsewhere.com"],
        refused(Reason::NotAligned),
    );
    // The names only look alike.
    check(
        &zone,
        from,
        &["dkim=pass badexample.com"],
        refused(Reason::NotAligned),
    );
    check(&zone, from, &["dkim=pass com"], refused(Reason::NotAligned));
    check(
        &zone,
        from,
        &["spf=fail example.com"],
        refused(Reason::NothingPassed),
    );
    check(&zone, from, &[], refused(Reason::NothingPassed));
}

#[test]
fn strict_alignment_wants_the_very_name() {
    let zone = record("example.com", "v=DMARC1; p=quarantine; adkim=s; aspf=r");
    let refused = fails(Reason::NotAligned, Policy::Quarantine);
    check(
        &zone,
        "a@example.com",
        &["dkim=pass mail.example.com"],
        refused,
    );
    check(&zone, "a@example.com", &["spf=pass mail.example.com"], PASS);
    let zone = record("example.com", "v=DMARC1; p=quarantine; aspf=s");
    check(
        &zone,
        "a@example.com",
        &["spf=pass mail.example.com"],
        refused,
    );
    check(
        &zone,
        "a@example.com",
        &["dkim=pass mail.example.com"],
        PASS,
    );
    // Nothing but the author's own record is needed for that.
    zone.asked();
    check(
        &zone,
        "a@example.com",
        &["spf=pass mail.example.com"],
        refused,
    );
    assert_eq!(zone.asked(), [("_dmarc.example.com".to_owned(), Kind::Txt)]);
}

#[test]
fn the_policy_for_subdomains() {
    let zone = record("example.com", "v=DMARC1; p=reject; sp=quarantine; np=none")
        .address("mail.example.com", "192.0.2.1");
    let failed = |wish| fails(Reason::NothingPassed, wish);
    let own = check(&zone, "a@example.com", &[], failed(Policy::Reject));
    assert_eq!(own.published.unwrap().tag, PolicyTag::P);
    let below = check(&zone, "a@mail.example.com", &[], failed(Policy::Quarantine));
    let published = below.published.unwrap();
    assert_eq!(
        (published.tag, published.domain.as_str()),
        (PolicyTag::Sp, "example.com")
    );
    let missing = check(&zone, "a@nowhere.example.com", &[], failed(Policy::None));
    assert_eq!(missing.published.unwrap().tag, PolicyTag::Np);
    // np falls back to sp, and that to p.
    let zone = record("example.com", "v=DMARC1; p=none; sp=reject");
    check(&zone, "a@nowhere.example.com", &[], failed(Policy::Reject));
    let zone = record("example.com", "v=DMARC1; p=quarantine; np=reject")
        .address("mail.example.com", "192.0.2.1");
    check(&zone, "a@mail.example.com", &[], failed(Policy::Quarantine));
    check(&zone, "a@nowhere.example.com", &[], failed(Policy::Reject));
    // A name with other records than the ones asked for exists.
    let zone = zone.mx("mx-only.example.com", "mail.example.com");
    check(
        &zone,
        "a@mx-only.example.com",
        &[],
        failed(Policy::Quarantine),
    );
    // The subdomain's own record comes first, and its p, not its sp.
    let zone = record("example.com", "v=DMARC1; p=reject")
        .txt("_dmarc.shop.example.com", "v=DMARC1; p=none; sp=reject");
    check(&zone, "a@shop.example.com", &[], failed(Policy::None));
}

#[test]
fn existence_is_asked_only_where_it_matters() {
    let zone = record("example.com", "v=DMARC1; p=reject; sp=reject; np=reject");
    judge(&zone, "a@mail.example.com", &[]);
    assert!(zone.asked().iter().all(|(_, kind)| *kind == Kind::Txt));
}

#[test]
fn public_suffixes() {
    let zone = record(
        "bank",
        "v=DMARC1; p=reject; sp=quarantine; np=reject; psd=y",
    )
    .address("example.bank", "192.0.2.1");
    let failed = |wish| fails(Reason::NothingPassed, wish);
    // A name below without a record of its own falls under the suffix.
    let dmarc = check(&zone, "a@example.bank", &[], failed(Policy::Quarantine));
    assert_eq!(dmarc.policy_domain(), Some("bank"));
    check(
        &zone,
        "a@never.registered.bank",
        &[],
        failed(Policy::Reject),
    );
    // Two names below a suffix are strangers.
    let foreign = fails(Reason::NotAligned, Policy::Quarantine);
    check(&zone, "a@example.bank", &["dkim=pass other.bank"], foreign);
    check(
        &zone,
        "a@example.bank",
        &["dkim=pass mail.example.bank"],
        PASS,
    );
    // Where the organisation has a record, the suffix has no say.
    let zone = zone.txt("_dmarc.example.bank", "v=DMARC1; p=none");
    check(&zone, "a@mail.example.bank", &[], failed(Policy::None));
    // A suffix that sends mail itself has a policy like anybody.
    check(&zone, "a@bank", &[], failed(Policy::Reject));
}

#[test]
fn psd_n_is_the_top_of_its_organisation() {
    let zone = record("example.com", "v=DMARC1; p=reject")
        .txt("_dmarc.lab.example.com", "v=DMARC1; p=quarantine; psd=n");
    let refused = fails(Reason::NotAligned, Policy::Quarantine);
    check(
        &zone,
        "a@lab.example.com",
        &["dkim=pass example.com"],
        refused,
    );
    check(
        &zone,
        "a@lab.example.com",
        &["dkim=pass x.lab.example.com"],
        PASS,
    );
    check(
        &zone,
        "a@x.lab.example.com",
        &["spf=pass lab.example.com"],
        PASS,
    );
}

#[test]
fn what_a_policy_of_old_and_of_new_means() {
    let none = fails(Reason::NothingPassed, Policy::None);
    let quarantine = fails(Reason::NothingPassed, Policy::Quarantine);
    let reject = fails(Reason::NothingPassed, Policy::Reject);
    let unusable = (DmarcResult::None, Reason::UnusableRecord, Policy::None);
    let cases = [
        ("v=DMARC1; p=reject; t=y", quarantine),
        ("v=DMARC1; p=quarantine; t=y", none),
        ("v=DMARC1; p=none; t=y", none),
        ("v=DMARC1; p=reject; t=n", reject),
        // pct, rf and ri are unknown tags now.
        ("v=DMARC1; p=reject; pct=0; rf=afrf; ri=86400", reject),
        // Missing p.
        ("v=DMARC1", none),
        ("v=DMARC1; rua=mailto:d@example.com", none),
        ("v=DMARC1; sp=reject", none),
        // A p that is none of the three counts only with an address for reports.
        ("v=DMARC1; p=discard", unusable),
        ("v=DMARC1; p=discard; rua=mailto:d@example.com", none),
        (
            "v=DMARC1; p=reject; sp=discard; rua=mailto:d@example.com",
            none,
        ),
        ("v=DMARC1; p=reject; np=; rua=nonsense", unusable),
        // v is there, first, and in this case.
        ("p=reject; v=DMARC1", NO_POLICY),
        ("v=dmarc1; p=reject", NO_POLICY),
        ("v=DMARC2; p=reject", NO_POLICY),
        ("v=DMARC1 p=reject", NO_POLICY),
        ("DMARC1; p=reject", NO_POLICY),
        // Space around anything, tags in any order and case, rubbish in between.
        ("v = DMARC1 ;T=y;; P = Reject ; nonsense; x=1;", quarantine),
        (" v=DMARC1;p=reject", reject),
    ];
    for (text, want) in cases {
        let dmarc = judge(&record("example.com", text), "a@example.com", &[]);
        assert_eq!((dmarc.result, dmarc.reason, dmarc.wish), want, "{text}");
    }
}

#[test]
fn several_records_are_none() {
    let zone =
        record("example.com", "v=DMARC1; p=reject").txt("_dmarc.example.com", "v=DMARC1; p=none");
    check(&zone, "a@example.com", &[], NO_POLICY);
    // Other texts beside the one do not matter.
    let zone = record("example.com", "v=DMARC1; p=reject").txt("_dmarc.example.com", "v=spf1 -all");
    check(
        &zone,
        "a@example.com",
        &[],
        fails(Reason::NothingPassed, Policy::Reject),
    );
    // A long one comes in several strings.
    let long = format!(
        "v=DMARC1; rua=mailto:{}@example.com; p=reject",
        "d".repeat(400)
    );
    let zone = record("example.com", &long);
    check(
        &zone,
        "a@example.com",
        &[],
        fails(Reason::NothingPassed, Policy::Reject),
    );
}

#[test]
fn no_domain_costs_more_than_eight_questions() {
    let zone = Zone::new();
    let long = format!("a@{}.example.com", vec!["x"; 100].join("."));
    check(&zone, &long, &[], NO_POLICY);
    let asked = zone.asked();
    assert_eq!(asked.len(), 8);
    assert!(asked.contains(&("_dmarc.x.x.x.x.x.example.com".to_owned(), Kind::Txt)));
    assert!(asked.contains(&("_dmarc.com".to_owned(), Kind::Txt)));
    // Names that several walks have in common are asked once.
    let zone = record("example.com", "v=DMARC1; p=none");
    let results = [
        "spf=pass b.example.com",
        "dkim=pass c.example.com",
        "dkim=pass d.example.com",
    ];
    check(&zone, "a@a.example.com", &results, PASS);
    let mut asked = zone.asked();
    let count = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), count, "a name was asked twice");
    // The author's own record and an exact match need no walk at all.
    check(&zone, "a@example.com", &["dkim=pass example.com"], PASS);
    assert_eq!(zone.asked().len(), 1);
}

#[test]
fn trouble_of_the_dns_is_never_a_failure() {
    let lame = || DnsError::ServerFailure;
    let zone = Zone::new().error("_dmarc.example.com", lame());
    let from = "a@example.com";
    check(&zone, from, &[], unknown(Reason::PolicyUnknown));
    check(
        &zone,
        from,
        &["dkim=pass elsewhere.org"],
        unknown(Reason::PolicyUnknown),
    );
    // Whatever the policy is, this satisfies it.
    check(
        &zone,
        from,
        &["dkim=pass example.com"],
        unknown(Reason::AlignedPolicyUnknown),
    );
    // Above the author's domain it counts as well, unless the walk ends before.
    check(
        &zone,
        "a@mail.example.com",
        &[],
        unknown(Reason::PolicyUnknown),
    );
    let zone = zone.txt("_dmarc.mail.example.com", "v=DMARC1; p=reject");
    check(
        &zone,
        "a@mail.example.com",
        &[],
        fails(Reason::NothingPassed, Policy::Reject),
    );
    // Whether the other domain belongs to the author is not known.
    let other = ["dkim=pass news.example.com"];
    check(
        &zone,
        "a@mail.example.com",
        &other,
        unknown(Reason::AlignmentUnknown),
    );
}

#[test]
fn checks_without_an_answer_count_if_they_could_have_passed() {
    let zone = record("example.com", "v=DMARC1; p=reject");
    let from = "a@example.com";
    let open = unknown(Reason::AuthenticationUnknown);
    check(&zone, from, &["spf=temperror example.com"], open);
    check(
        &zone,
        from,
        &["dkim=temperror mail.example.com", "spf=fail example.com"],
        open,
    );
    // Not for domains of others: nobody may keep a forgery alive that way.
    let refused = fails(Reason::NothingPassed, Policy::Reject);
    check(&zone, from, &["dkim=temperror elsewhere.org"], refused);
    check(&zone, from, &["spf=temperror elsewhere.com"], refused);
    // And not where something else passes.
    check(
        &zone,
        from,
        &["spf=temperror example.com", "dkim=pass example.com"],
        PASS,
    );
    // Strict alignment leaves fewer that could have.
    let zone = record("example.com", "v=DMARC1; p=reject; adkim=s; aspf=s");
    check(&zone, from, &["dkim=temperror mail.example.com"], refused);
}

#[test]
fn existence_that_is_not_known() {
    let zone = record("example.com", "v=DMARC1; p=none; np=reject")
        .error("mail.example.com", DnsError::TimedOut);
    check(
        &zone,
        "a@mail.example.com",
        &[],
        unknown(Reason::PolicyUnknown),
    );
    check(
        &zone,
        "a@mail.example.com",
        &["dkim=pass mail.example.com"],
        PASS,
    );
}

#[test]
fn the_author() {
    let domain = |text: &str| Author::of_from(text.as_bytes()).domain();
    let one = |text: &str| assert_eq!(domain(text).as_deref(), Some("example.com"), "{text}");
    one("ann@example.com");
    one("\"Ann, of <x@evil.example>\" <ann@EXAMPLE.com>");
    one("=?utf-8?q?x=40evil.example?= <ann@example.com>");
    one("Ann (x@evil.example) <ann@example.com>");
    one("Team: ann@example.com, bob@example.com;");
    one("ann@example.com, Bob <bob@Example.Com>");
    one("ann@example.com.");
    assert_eq!(
        domain("ann@bücher.example").as_deref(),
        Some("xn--bcher-kva.example")
    );
    assert_eq!(
        domain("ann@xn--bcher-kva.example").as_deref(),
        Some("xn--bcher-kva.example")
    );
}

#[test]
fn a_name_without_address_hides_no_author() {
    for from in [
        "Doe, Ann <ann@b.example>",
        "ann@b.example, nobody",
        "x@, <ann@b.example>",
        "\"<c@d.example>\" <ann@b.example>",
        "\"a\\\"<c@d.example>\" (<e@f.example> \\) <x@y.example>) <ann@b.example>",
        "<@d.example,@e.example:ann@b.example>",
        "Ann <ann@b.example> <ann@b.example>",
    ] {
        let author = Author::of_from(from.as_bytes());
        assert_eq!(author.domain().as_deref(), Some("b.example"), "{from}");
    }
}

#[test]
fn messages_without_one_author() {
    let cases = [
        ("Subject: x\r\n\r\n", NoAuthor::NoFrom),
        (
            "From: a@b.example\r\nFrom: a@b.example\r\n\r\n",
            NoAuthor::SeveralFroms,
        ),
        (
            "From: a@b.example, c@d.example\r\n\r\n",
            NoAuthor::SeveralDomains,
        ),
        // Not even beside one that cannot exist does an author escape.
        (
            "From: a@b.example, c@d..example\r\n\r\n",
            NoAuthor::SeveralDomains,
        ),
        (
            "From: x@[192.0.2.1], a@b.example\r\n\r\n",
            NoAuthor::SeveralDomains,
        ),
        // Which of them is shown, readers do not agree.
        (
            "From: <a@b.example> <c@d.example>\r\n\r\n",
            NoAuthor::SeveralDomains,
        ),
        (
            "From: <a@b.example>c@d.example\r\n\r\n",
            NoAuthor::SeveralDomains,
        ),
        ("From: Team:;\r\n\r\n", NoAuthor::NoAddress),
        ("From: nobody\r\n\r\n", NoAuthor::NoAddress),
        ("From: ann@[192.0.2.1]\r\n\r\n", NoAuthor::NoAddress),
        ("From: ann@example..com\r\n\r\n", NoAuthor::NoAddress),
        ("From:\r\n\r\n", NoAuthor::NoAddress),
    ];
    let zone = record("b.example", "v=DMARC1; p=reject");
    for (message, problem) in cases {
        let author = Author::of(message.as_bytes());
        let found = found(&["spf=pass b.example"]);
        let dmarc = now(dmarc::check(
            &zone,
            author,
            &found.spf,
            &found.dkim,
            &mut Notes::off(),
        ));
        assert_eq!(dmarc.reason, Reason::NoAuthor(problem), "{message:?}");
        // Where there are several, what the strictest of them wishes; b.example wishes refusal.
        let wish = match problem {
            NoAuthor::SeveralFroms | NoAuthor::SeveralDomains => Policy::Reject,
            NoAuthor::NoFrom | NoAuthor::NoAddress => Policy::None,
        };
        assert_eq!(
            (dmarc.result, dmarc.wish),
            (DmarcResult::PermError, wish),
            "{message:?}"
        );
    }
    let unwatched = "From: a@f.example, c@d.example\r\n\r\n";
    let crowd = "From: a@1.example, a@2.example, a@3.example, a@4.example, a@5.example\r\n\r\n";
    for (message, wish) in [(unwatched, Policy::None), (crowd, Policy::Quarantine)] {
        let found = found(&["spf=pass b.example"]);
        let author = Author::of(message.as_bytes());
        let dmarc = now(dmarc::check(
            &zone,
            author,
            &found.spf,
            &found.dkim,
            &mut Notes::off(),
        ));
        assert_eq!(dmarc.wish, wish, "{message:?}");
    }
}

#[test]
fn records_tell_where_reports_go() {
    let text = "v=DMARC1; p=none; fo=1:d:s; adkim=s; \
                rua=mailto:a@example.com!10m, mailto:b%2Bx@example.net?subject=x,https://r.example/in; ruf=mailto:f@example.com";
    let record = Record::parse(text.as_bytes()).unwrap();
    let addresses: Vec<_> = record
        .rua
        .iter()
        .map(|uri| uri.address.as_ref().map(ToString::to_string))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        addresses,
        [some("a@example.com"), some("b+x@example.net"), None]
    );
    assert_eq!(record.rua[0].uri, "mailto:a@example.com");
    assert_eq!(record.ruf.len(), 1);
    assert_eq!(record.fo.as_text(), "1:d:s");
    assert_eq!(
        (record.adkim, record.aspf),
        (Alignment::Strict, Alignment::Relaxed)
    );
    // What cannot be read has the default.
    let record = Record::parse(b"v=DMARC1; fo=2; adkim=x; rua=ann@example.com").unwrap();
    assert_eq!(
        (record.fo.as_text().as_str(), record.adkim),
        ("0", Alignment::Relaxed)
    );
    assert!(record.rua.is_empty(), "an address is no URI");
}
