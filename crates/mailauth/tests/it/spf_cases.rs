//! SPF case by case: what RFC 7208 says of syntax, macros, limits, names and DNS trouble.

use mail::ReversePath;
use mailauth::explain::Notes;
use mailauth::spf::{Identity, Sender, Spf, SpfResult, check, check_helo, check_text};
use world::{DnsError, Kind, Record};

use crate::zone::{Entry, Zone, now};

use SpfResult::{Fail, Neutral, None as Nothing, Pass, PermError, SoftFail, TempError};

pub const IP: &str = "192.0.2.1";
const IP6: &str = "2001:db8::1";

pub fn ask(zone: &Zone, ip: &str, helo: &str, mail_from: &str) -> Spf {
    let sender = Sender {
        ip: ip.parse().unwrap(),
        helo,
        mail_from: &ReversePath::Null,
        receiver: "mx.receiver.example",
        now: 1_763_719_200,
    };
    now(check_text(zone, &sender, mail_from, &mut Notes::off()))
}

/// Other names that records may name. `example.org` has the record under test.
pub fn around(record: &[u8]) -> Zone {
    Zone::new()
        .txt_bytes("example.org", record)
        .address("example.org", "192.0.2.99")
        .mx("example.org", "mx.example.org")
        .address("mx.example.org", "192.0.2.98")
        .address("host.example.org", IP)
        .address("host.example.org", IP6)
        .address("near.example.org", "192.0.2.200")
        .address("near.example.org", "2001:db8::ffff")
        .mx("mail.example.org", "host.example.org")
        .txt("pass.example.org", "v=spf1 +all")
        .txt("fail.example.org", "v=spf1 -all exp=why.example.org")
        .txt("why.example.org", "not for you")
        .txt("broken.example.org", "v=spf1 junk")
        .txt("text.example.org", "hello")
        .error("slow.example.org", DnsError::TimedOut)
        .address("127.0.0.2.org", "127.0.0.2")
        .ptr(IP, "host.example.org")
        .ptr(IP6, "host.example.org")
}

fn judge(record: &str) -> Spf {
    ask(
        &around(record.as_bytes()),
        IP,
        "helo.example.net",
        "ann@example.org",
    )
}

#[track_caller]
fn table(cases: &[(&str, SpfResult)]) {
    for (record, result) in cases {
        let found = judge(record);
        assert_eq!(found.result, *result, "{record}: {found:?}");
    }
}

/// Records that let everybody send say nothing of who did.
#[test]
fn a_pass_for_the_whole_world_vouches_for_nobody() {
    for (record, vouches) in [
        ("v=spf1 +all", false),
        ("v=spf1 ip4:128.0.0.0/1 ip4:0.0.0.0/1 -all", false),
        ("v=spf1 a/0 -all", false),
        ("v=spf1 include:pass.example.org -all", false),
        ("v=spf1 redirect=pass.example.org", false),
        ("v=spf1 ip4:192.0.2.0/24 -all", true),
        ("v=spf1 ip4:192.0.0.0/8 +all", true),
        (
            "v=spf1 include:fail.example.org a:host.example.org -all",
            true,
        ),
        ("v=spf1 mx:mail.example.org +all", true),
    ] {
        let found = judge(record);
        assert_eq!((found.result, found.vouches()), (Pass, vouches), "{record}");
    }
}

#[test]
fn versions() {
    table(&[
        ("v=spf1", Neutral),
        ("V=SpF1 +all", Pass),
        ("v=spf1  -all  ", Fail),
        ("v=spf10 -all", Nothing),
        ("v=spf1-all", Nothing),
        ("v=spf1\t-all", Nothing),
        (" v=spf1 -all", Nothing),
        ("v=spf2.0/pra -all", Nothing),
        ("v=spf1 \t-all", PermError),
        ("v=spf1 ?all\u{e9}", PermError),
    ]);
}

#[test]
fn mechanisms_match() {
    table(&[
        ("v=spf1 +all", Pass),
        ("v=spf1 all -all", Pass),
        ("v=spf1 ~ALL", SoftFail),
        ("v=spf1 ?all", Neutral),
        ("v=spf1 a -all", Fail),
        ("v=spf1 A:Host.Example.ORG. -all", Pass),
        ("v=spf1 a:near.example.org -all", Fail),
        ("v=spf1 a:near.example.org/24 -all", Pass),
        ("v=spf1 a:near.example.org/25 -all", Fail),
        ("v=spf1 a:near.example.org//64 -all", Fail),
        ("v=spf1 a:near.example.org/0//0 -all", Pass),
        ("v=spf1 mx -all", Fail),
        ("v=spf1 mx/24 -all", Pass),
        ("v=spf1 mx:mail.example.org -all", Pass),
        ("v=spf1 ptr -all", Pass),
        ("v=spf1 ptr:EXAMPLE.org -all", Pass),
        ("v=spf1 ptr:host.example.org -all", Pass),
        ("v=spf1 ptr:ost.example.org -all", Fail),
        ("v=spf1 ptr:example.net -all", Fail),
        ("v=spf1 ip4:192.0.2.1 -all", Pass),
        ("v=spf1 ip4:192.0.2.0/31 -all", Pass),
        ("v=spf1 ip4:192.0.2.2/31 -all", Fail),
        ("v=spf1 ip4:0.0.0.0/0 -all", Pass),
        ("v=spf1 ip6:::/0 -all", Fail),
        ("v=spf1 exists:host.example.org -all", Pass),
        ("v=spf1 exists:text.example.org -all", Fail),
        ("v=spf1 include:pass.example.org -all", Pass),
        ("v=spf1 include:fail.example.org ?all", Neutral),
        ("v=spf1 -include:pass.example.org +all", Fail),
        ("v=spf1 redirect=pass.example.org", Pass),
        ("v=spf1 redirect=fail.example.org ip4:192.0.2.1", Pass),
        ("v=spf1 redirect=fail.example.org ?all", Neutral),
    ]);
}

#[test]
fn syntax() {
    for term in [
        "-all.",
        "all:x.example",
        "all/8",
        "-",
        "+",
        "*",
        "junk",
        "a:",
        "a/",
        "a/33",
        "a//129",
        "a/24/64",
        "a/032",
        "a/-1",
        "a///64",
        "a/24//",
        "a:example.org:8080",
        "a:192.0.2.1",
        "a:abc.123",
        "a:museum",
        "a:museum.",
        "a:.",
        "a:x.-com",
        "a:x.com-",
        "a:x.c_m",
        "a:\u{7f}.example.org",
        "mx:",
        "mx/33",
        "ptr:",
        "ptr/0",
        "ptr/24",
        "ip4",
        "ip4:",
        "ip4:1.2.3",
        "ip4:1.2.3.4.5",
        "ip4:1.2.3.4/33",
        "ip4:1.2.3.4/",
        "ip4:1.2.3.4//32",
        "ip4:1.2.3.4/032",
        "ip4:01.2.3.4",
        "ip4:1.2.3.4:25",
        "ip4:host.example.org",
        "ip4:::1",
        "ip6",
        "ip6:",
        "ip6:1.2.3.4",
        "ip6:::1/129",
        "ip6:::1//33",
        "ip6::CAFE::BABE",
        "ip6:::1%eth0",
        "exists",
        "exists:",
        "exists:host.example.org/24",
        "include",
        "include:",
        "include:pass.example.org/24",
        "include/24",
        "redirect:pass.example.org",
        "redirect=",
        "redirect=-all",
        "redirect=pass.example.org/24",
        "exp=",
        "exp=-all",
        "exp=why.example.org exp=why.example.org",
        "redirect=pass.example.org redirect=pass.example.org",
        "1up=x",
        "=x",
        "-foo=x",
        "foo=%abc",
        "foo=%{x}",
        "foo=100%",
        "a:%{d",
        "a:%{}.org",
        "a:%{d0}.org",
        "a:%{dr-x}.org",
        "a:%{d1r2}.org",
        "a:%a.org",
        "a:%(d).org",
        "a:%{c}.org",
        "a:%{r}.org",
        "a:%{t}.org",
        "exp=%{r}.org",
        "a:%{d}x",
        "exists:%{i}.foo/bar",
        "a:foo..%{d}.c/d",
    ] {
        for record in [format!("v=spf1 {term} +all"), format!("v=spf1 +all {term}")] {
            let found = judge(&record);
            assert_eq!(found.result, PermError, "{record}");
            let problem = found.problem.unwrap().to_string();
            assert!(problem.contains("example.org has an error at"), "{problem}");
        }
    }
    for term in [
        "foo=",
        "foo=bar",
        "f9-_.=a:b/c%%%_%-%{S}%{c}%{r}%{t}",
        "moo.cow-far_out=man:dog/cat",
        "default=-",
        "exp=why.example.org",
        "redirect=nowhere.example.org",
        "a:%{d}",
        "a:x.%{d}",
        "a:%%",
        "a:%_",
        "a:x%-y.org",
        "a:foo:bar/baz.example.org",
        "a:%{ir}.%{v}.%{l1r-+,/_=}.x.org.",
        "a:x.xn--zckzah",
        "a:x.a1",
        "a:x.1a",
        "a:x.1-1",
        "a:%{d999999999999999999999}",
    ] {
        let found = judge(&format!("v=spf1 ip4:{IP} {term}"));
        assert_eq!(found.result, Pass, "{term}: {found:?}");
    }
}

/// What is wrong in other records, or with other names.
#[test]
fn included_and_redirected() {
    table(&[
        ("v=spf1 include:broken.example.org +all", PermError),
        ("v=spf1 include:text.example.org +all", PermError),
        ("v=spf1 include:nowhere.example.org +all", PermError),
        ("v=spf1 include:slow.example.org +all", TempError),
        ("v=spf1 +all include:slow.example.org", Pass),
        ("v=spf1 redirect=broken.example.org", PermError),
        ("v=spf1 redirect=text.example.org", PermError),
        ("v=spf1 redirect=nowhere.example.org", PermError),
        ("v=spf1 redirect=slow.example.org", TempError),
        ("v=spf1 include:a..b.org +all", PermError),
        ("v=spf1 redirect=a..b.org", PermError),
    ]);
    let found = judge("v=spf1 include:fail.example.org -all");
    assert_eq!(
        found.explanation, None,
        "an included record explains nothing"
    );
    let found = judge("v=spf1 exp=text.example.org redirect=fail.example.org");
    assert_eq!(found.explanation.as_deref(), Some("not for you"));
    assert_eq!(found.matched.as_deref(), Some("-all"));
    let found = judge("v=spf1 exp=why.example.org redirect=pass.example.org");
    assert_eq!((found.result, found.explanation), (Pass, None));
}

#[test]
fn dns_trouble() {
    for error in [DnsError::TimedOut, DnsError::ServerFailure, DnsError::Bogus] {
        let zone = Zone::new().error("example.org", error.clone());
        assert_eq!(
            ask(&zone, IP, "h.example", "a@example.org").result,
            TempError
        );
        for term in [
            "a:x.example",
            "mx:x.example",
            "exists:x.example",
            "include:x.example",
        ] {
            let zone = Zone::new()
                .txt("example.org", &format!("v=spf1 {term} -all"))
                .error("x.example", error.clone());
            let found = ask(&zone, IP, "h.example", "a@example.org");
            assert_eq!(found.result, TempError, "{term}");
            assert!(found.problem.unwrap().to_string().contains("x.example"));
        }
        let zone = Zone::new()
            .txt("example.org", "v=spf1 mx -all")
            .mx("example.org", "x.example")
            .error("x.example", error.clone());
        assert_eq!(
            ask(&zone, IP, "h.example", "a@example.org").result,
            TempError
        );
        // The client's own names are the client's business. rfc7208#5.5
        let mut zone = Zone::new().txt("example.org", "v=spf1 ptr -all");
        zone.put("1.2.0.192.in-addr.arpa", Entry::Error(error.clone()));
        assert_eq!(ask(&zone, IP, "h.example", "a@example.org").result, Fail);
        let zone = Zone::new()
            .txt("example.org", "v=spf1 ptr -all")
            .ptr(IP, "slow.example.org")
            .ptr(IP, "mail.example.org")
            .error("slow.example.org", error)
            .address("mail.example.org", IP);
        assert_eq!(ask(&zone, IP, "h.example", "a@example.org").result, Pass);
    }
}

#[test]
fn several_records() {
    let two = |one: &str, other: &str| {
        let zone = Zone::new()
            .txt("example.org", one)
            .txt("example.org", other);
        ask(&zone, IP, "h.example", "a@example.org").result
    };
    assert_eq!(two("v=spf1 -all", "v=spf1 -all"), PermError);
    assert_eq!(two("v=spf1 -all", "V=SPF1"), PermError);
    assert_eq!(two("v=spf1 -all", "v=spf10"), Fail);
    assert_eq!(two("google-site-verification=x", "v=spf1 +all"), Pass);
    assert_eq!(two("hello", "there"), Nothing);
    let odd = around(b"v=spf1 +all").txt_bytes("example.org", &[0x96, 0xff]);
    assert_eq!(ask(&odd, IP, "h", "a@example.org").result, Pass);
    // Strings of one record are joined without a space, and one may be empty.
    let strings = |strings: &[&str]| {
        let strings = strings.iter().map(|text| text.as_bytes().to_vec());
        let zone = Zone::new().with("example.org", Record::Txt(strings.collect()));
        ask(&zone, IP, "h.example", "a@example.org").result
    };
    assert_eq!(strings(&["v=spf1 ip4:192", ".0.2.1 ", "-all"]), Pass);
    assert_eq!(strings(&["v=spf1", "-all"]), Nothing);
    assert_eq!(strings(&["", "v=spf1 -all", ""]), Fail);
    assert_eq!(strings(&[]), Nothing);
}

#[test]
fn bytes_beyond_ascii() {
    for record in [
        &b"v=spf1 \x80a:example.net -all"[..],
        b"v=spf1 a:\xEF\xBB\xBFgarbage.example.net -all",
        b"v=spf1 a:example.net \x96all",
        b"v=spf1 a:example.org\x0dptr -all",
        b"v=spf1 ip4:192.0.2.5\x0a include:pass.example.org ~all",
        b"v=spf1 a:foo.example.org\0",
        b"v=spf1 x=\x01 +all",
    ] {
        let found = ask(&around(record), IP, "h.example", "a@example.org");
        assert_eq!(found.result, PermError, "{}", record.escape_ascii());
    }
}

#[test]
fn ip6_clients() {
    let found = |record: &str, ip: &str| {
        ask(&around(record.as_bytes()), ip, "h.example", "a@example.org").result
    };
    for (record, result) in [
        ("v=spf1 a:host.example.org -all", Pass),
        ("v=spf1 a:near.example.org/0 -all", Fail),
        ("v=spf1 a:near.example.org//112 -all", Pass),
        ("v=spf1 a:near.example.org//113 -all", Fail),
        ("v=spf1 mx:mail.example.org -all", Pass),
        ("v=spf1 a -all", Fail),
        ("v=spf1 ptr -all", Pass),
        ("v=spf1 exists:host.example.org -all", Pass),
        ("v=spf1 exists:text.example.org -all", Fail),
        ("v=spf1 ip6:2001:DB8::/32 -all", Pass),
        ("v=spf1 ip6:2001:db9::/31 -all", Pass),
        ("v=spf1 ip6:::/0 -all", Pass),
        ("v=spf1 ip6:2001:db8::2 -all", Fail),
        ("v=spf1 ip4:0.0.0.0/0 -all", Fail),
    ] {
        assert_eq!(found(record, IP6), result, "{record}");
    }
    // An IPv4 address in IPv6 clothes. rfc7208#5
    let mapped = "::ffff:192.0.2.1";
    assert_eq!(found("v=spf1 ip4:192.0.2.1 -all", mapped), Pass);
    assert_eq!(found("v=spf1 a:host.example.org -all", mapped), Pass);
    assert_eq!(found("v=spf1 ip6:::/0 -all", mapped), Fail);
    assert_eq!(found("v=spf1 ip6:::ffff:192.0.2.1 -all", mapped), Fail);
}

/// rfc7208#4.6.4
#[test]
fn limits_of_terms() {
    let terms = |count: usize| vec!["a"; count].join(" ");
    table(&[
        (&format!("v=spf1 {} ip4:{IP} -all", terms(10)), Pass),
        (&format!("v=spf1 {} ip4:{IP} -all", terms(11)), PermError),
        (&format!("v=spf1 ip4:{IP} {} -all", terms(50)), Pass),
        (
            &format!("v=spf1 {} include:pass.example.org", terms(9)),
            Pass,
        ),
        (
            &format!("v=spf1 {} redirect=pass.example.org", terms(9)),
            Pass,
        ),
        (
            &format!("v=spf1 {} redirect=pass.example.org", terms(10)),
            PermError,
        ),
        (
            &format!("v=spf1 {} -all exp=why.example.org", terms(10)),
            Fail,
        ),
        ("v=spf1 include:example.org +all", PermError),
        ("v=spf1 redirect=example.org", PermError),
        (
            "v=spf1 a mx ptr exists:%{d} a:host.example.org/32 +all",
            Pass,
        ),
    ]);
    let found = judge("v=spf1 include:example.org +all");
    assert!(
        found
            .problem
            .unwrap()
            .to_string()
            .contains("more than 10 terms")
    );
    // The count goes on in included records, and does not start again after them.
    let zone = around(b"v=spf1 include:nine.example.org a a -all")
        .txt("nine.example.org", &format!("v=spf1 {}", terms(8)));
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, PermError);
}

#[test]
fn limits_of_void_lookups() {
    table(&[
        ("v=spf1 a:v1.example.org a:v2.example.org ?all", Neutral),
        (
            "v=spf1 a:v1.example.org a:v2.example.org a:v3.example.org ?all",
            PermError,
        ),
        (
            "v=spf1 mx:v1.example.org exists:v2.example.org a:text.example.org ?all",
            PermError,
        ),
        (
            "v=spf1 a:v1.example.org a:v2.example.org exp=v3.example.org -all",
            Fail,
        ),
        (
            "v=spf1 a:v1.example.org a:v2.example.org a ptr:v4.example.org -all",
            Fail,
        ),
    ]);
    // The client chooses its reverse names: what they lack is not the domain's fault.
    let zone = Zone::new()
        .txt(
            "example.org",
            "v=spf1 a:v1.example.org a:v2.example.org ptr -all",
        )
        .ptr(IP, "gone1.example.org")
        .ptr(IP, "gone2.example.org");
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, Fail);
    // MX hosts that do not exist are void; those with addresses of the other family only are not.
    let mut zone = Zone::new().txt("example.org", "v=spf1 mx -all");
    for host in ["m1.example.org", "m2.example.org", "m3.example.org"] {
        zone = zone.mx("example.org", host);
    }
    assert_eq!(ask(&zone, IP6, "h", "a@example.org").result, PermError);
    for host in ["m1.example.org", "m2.example.org", "m3.example.org"] {
        zone = zone.address(host, IP);
    }
    assert_eq!(ask(&zone, IP6, "h", "a@example.org").result, Fail);
}

#[test]
fn limits_of_names() {
    let mut zone = Zone::new().txt("example.org", "v=spf1 mx -all");
    for number in 0..10 {
        zone = zone
            .mx("example.org", &format!("m{number}.example.org"))
            .address(&format!("m{number}.example.org"), "192.0.2.50");
    }
    assert_eq!(ask(&zone, "192.0.2.50", "h", "a@example.org").result, Pass);
    let zone = zone.mx("example.org", "m10.example.org");
    assert_eq!(
        ask(&zone, "192.0.2.50", "h", "a@example.org").result,
        PermError
    );
    // Of the client's names ten are looked at.
    let mut zone = Zone::new().txt("example.org", "v=spf1 ptr -all");
    for number in 0..20 {
        let name = format!(
            "p{number}.example.{}",
            if number < 10 { "net" } else { "org" }
        );
        zone = zone.ptr(IP, &name).address(&name, IP);
    }
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, Fail);
    assert_eq!(
        zone.asked()
            .iter()
            .filter(|(_, kind)| *kind == Kind::A)
            .count(),
        10
    );
    // Any number of addresses.
    let mut zone = Zone::new().txt("example.org", "v=spf1 a -all");
    for last in 0..200 {
        zone = zone.address("example.org", &format!("192.0.2.{last}"));
    }
    assert_eq!(ask(&zone, "192.0.2.199", "h", "a@example.org").result, Pass);
}

#[test]
fn null_mx_and_aliases() {
    let zone = Zone::new()
        .txt("example.org", "v=spf1 mx ?all")
        .mx("example.org", ".");
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, Neutral);
    let empty = Zone::new()
        .txt("example.org", "v=spf1 mx ?all")
        .mx("example.org", "");
    assert_eq!(ask(&empty, IP, "h", "a@example.org").result, Neutral);
    let alias = |name: &str, target: &str| (name.to_owned(), Record::Cname(target.to_owned()));
    let mut zone = around(b"v=spf1 a:alias.example.org -all");
    for (name, record) in [
        alias("alias.example.org", "host.example.org"),
        alias("loop.example.org", "loop.example.org"),
    ] {
        zone.put(&name, Entry::Record(record));
    }
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, Pass);
    let mut zone = Zone::new().txt("example.org", "v=spf1 a:loop.example.org -all");
    let (name, record) = alias("loop.example.org", "loop.example.org");
    zone.put(&name, Entry::Record(record));
    assert_eq!(ask(&zone, IP, "h", "a@example.org").result, TempError);
}

/// RFC 7208 §2.3, §2.4.
#[test]
fn identities() {
    let zone = Zone::new()
        .txt("helo.example.net", "v=spf1 -all exp=exp.example.net")
        .txt("exp.example.net", "%{s} %{h}")
        .txt("example.org", "v=spf1 ip4:192.0.2.1 -all");
    let path = ReversePath::parse("ann@Example.ORG").unwrap();
    let sender = Sender {
        ip: IP.parse().unwrap(),
        helo: "helo.example.net",
        mail_from: &path,
        receiver: "mx.example",
        now: 0,
    };
    let mut notes = Notes::off();
    let found = now(check(&zone, &sender, &mut notes));
    assert_eq!((found.result, found.identity), (Pass, Identity::MailFrom));
    assert_eq!(found.matched.as_deref(), Some("ip4:192.0.2.1"));
    assert_eq!(found.domain, "example.org");
    let helo = now(check_helo(&zone, &sender, &mut notes));
    assert_eq!((helo.result, helo.identity), (Fail, Identity::Helo));
    let postmaster = "postmaster@helo.example.net helo.example.net";
    assert_eq!(helo.explanation.as_deref(), Some(postmaster));
    let bounce = Sender {
        mail_from: &ReversePath::Null,
        ..sender
    };
    let found = now(check(&zone, &bounce, &mut notes));
    assert_eq!((found.result, found.identity), (Fail, Identity::MailFrom));
    assert_eq!(found.domain, "helo.example.net");
    let literal = ReversePath::parse("ann@[192.0.2.1]").unwrap();
    let found = now(check(
        &zone,
        &Sender {
            mail_from: &literal,
            ..sender
        },
        &mut notes,
    ));
    assert_eq!(found.result, Nothing);
}

#[test]
fn steps_tell_what_was_read() {
    let zone = around(b"v=spf1 include:fail.example.org a:host.example.org -all");
    let sender = Sender {
        ip: IP.parse().unwrap(),
        helo: "h.example",
        mail_from: &ReversePath::Null,
        receiver: "mx.example",
        now: 0,
    };
    let mut notes = Notes::on();
    now(check_text(&zone, &sender, "a@example.org", &mut notes));
    let steps = notes.into_steps();
    let asked: Vec<_> = steps
        .iter()
        .filter_map(|step| step.asked.as_ref())
        .map(|asked| asked.name.as_str())
        .collect();
    assert_eq!(
        asked,
        ["example.org", "fail.example.org", "host.example.org"]
    );
    let story: String = steps.iter().map(|step| step.text.clone() + "\n").collect();
    for part in [
        "includes fail.example.org",
        "does not match",
        "a:host.example.org matches",
    ] {
        assert!(story.contains(part), "{story}");
    }
}
