//! Which request gets which answer.

use super::*;

fn asked(door: Door, method: Method, host: &str, path: &str) -> Asked {
    Asked {
        method,
        path: path.to_owned(),
        query: String::new(),
        host: host.to_owned(),
        door,
    }
}

#[test]
fn what_is_where() {
    let to_tls = |address: &str| Decision::ToTls(address.to_owned());
    let policy = || Host::PolicyOf(MtaStsMode::Enforce);
    let name = "mta-sts.here.test";
    let cases = [
        (
            Door::Tls,
            Method::GET,
            mta_sts::PATH,
            policy(),
            Decision::Policy(MtaStsMode::Enforce),
        ),
        (
            Door::Tls,
            Method::HEAD,
            mta_sts::PATH,
            policy(),
            Decision::Policy(MtaStsMode::Enforce),
        ),
        (
            Door::Tls,
            Method::POST,
            mta_sts::PATH,
            policy(),
            Decision::Only("GET, HEAD"),
        ),
        (Door::Tls, Method::GET, "/", policy(), Decision::NotFound),
        (
            Door::Tls,
            Method::GET,
            "/.well-known/mta-sts.txt/",
            policy(),
            Decision::NotFound,
        ),
        (
            Door::Tls,
            Method::GET,
            mta_sts::PATH,
            Host::Own,
            Decision::NotFound,
        ),
        (
            Door::Tls,
            Method::GET,
            mta_sts::PATH,
            Host::Unknown,
            Decision::NotFound,
        ),
        // A policy without TLS would be anybody's.
        (
            Door::Plain,
            Method::GET,
            mta_sts::PATH,
            policy(),
            Decision::NotFound,
        ),
        (
            Door::Plain,
            Method::GET,
            "/.well-known/acme-challenge/x",
            Host::Unknown,
            Decision::Challenge("x".to_owned()),
        ),
        (
            Door::Plain,
            Method::GET,
            "/a",
            policy(),
            to_tls("https://mta-sts.here.test/a"),
        ),
        (
            Door::Plain,
            Method::HEAD,
            "/",
            Host::Own,
            to_tls("https://mta-sts.here.test/"),
        ),
        (
            Door::Plain,
            Method::POST,
            "/",
            Host::Own,
            Decision::Only("GET, HEAD"),
        ),
        // Not to be used to send people elsewhere.
        (
            Door::Plain,
            Method::GET,
            "/",
            Host::Unknown,
            Decision::NotFound,
        ),
    ];
    for (door, method, path, host, want) in cases {
        let asked = asked(door, method, name, path);
        assert_eq!(decide(&asked, host.clone()), want, "{asked:?} {host:?}");
    }
    let nameless = asked(Door::Tls, Method::GET, "", "/");
    assert_eq!(decide(&nameless, Host::Unknown), Decision::NoHost);
}

#[test]
fn the_host_of_a_request() {
    let of = |uri: &str, host: Option<&str>| {
        let mut request = http::Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        Asked::of(&request.body(()).unwrap(), Door::Tls).host
    };
    assert_eq!(of("/", Some("MTA-STS.Here.test")), "mta-sts.here.test");
    assert_eq!(
        of("/", Some("mta-sts.here.test.:8443")),
        "mta-sts.here.test"
    );
    assert_eq!(of("https://a.test/x", Some("b.test")), "a.test");
    assert_eq!(of("/", None), "");
    assert_eq!(of("/", Some("not a host")), "");
}

#[test]
fn mail_programs_set_themselves_up() {
    let domain = Domain::parse("here.test").unwrap();
    let ann = || Address::parse("ann@here.test").unwrap();
    let autoconfig = |address| {
        Decision::Setup(Setup::Autoconfig {
            domain: domain.clone(),
            address,
        })
    };
    let of = |door, method, host: &str, at: &str, is: Host| {
        let (path, query) = at.split_once('?').unwrap_or((at, ""));
        let asked = Asked {
            query: query.to_owned(),
            ..asked(door, method, host, path)
        };
        decide(&asked, is)
    };
    let setup = || Host::SetupOf(domain.clone());
    let (get, post) = (Method::GET, Method::POST);
    let file = "/mail/config-v1.1.xml?emailaddress=ann%40here.test";
    for door in [Door::Plain, Door::Tls] {
        assert_eq!(
            of(door, get.clone(), "autoconfig.here.test", file, setup()),
            autoconfig(Some(ann()))
        );
    }
    let well_known = "/.well-known/autoconfig/mail/config-v1.1.xml";
    assert_eq!(
        of(
            Door::Tls,
            get.clone(),
            "here.test",
            well_known,
            Host::Domain(domain.clone())
        ),
        autoconfig(None)
    );
    assert_eq!(
        of(
            Door::Tls,
            get.clone(),
            "mail.here.test",
            well_known,
            Host::Own
        ),
        Decision::NotFound
    );
    assert_eq!(
        of(Door::Tls, get.clone(), "x.test", file, Host::Unknown),
        Decision::NotFound
    );
    let discover = "/Autodiscover/Autodiscover.xml";
    assert_eq!(
        of(
            Door::Tls,
            post.clone(),
            "autodiscover.here.test",
            discover,
            setup()
        ),
        Decision::Setup(Setup::Autodiscover)
    );
    assert_eq!(
        of(
            Door::Tls,
            get.clone(),
            "autodiscover.here.test",
            discover,
            setup()
        ),
        Decision::Only("POST")
    );
    let to = "https://autodiscover.here.test/Autodiscover/Autodiscover.xml".to_owned();
    assert_eq!(
        of(
            Door::Plain,
            post,
            "autodiscover.here.test",
            discover,
            setup()
        ),
        Decision::ToTls(to)
    );
    let profile = "/mail.mobileconfig?emailaddress=ann%40here.test";
    assert_eq!(
        of(Door::Tls, get.clone(), "mail.here.test", profile, Host::Own),
        Decision::Setup(Setup::Profile(ann()))
    );
    let to = format!("https://mail.here.test{profile}");
    assert_eq!(
        of(Door::Plain, get, "mail.here.test", profile, Host::Own),
        Decision::ToTls(to)
    );
}
