//! Which request gets which answer.

use super::*;

fn asked(door: Door, method: Method, host: &str, path: &str) -> Asked {
    Asked {
        method,
        path: path.to_owned(),
        host: host.to_owned(),
        door,
    }
}

#[test]
fn what_is_where() {
    let to_tls = |address: &str| Decision::ToTls(address.to_owned());
    let policy = Host::PolicyOf(MtaStsMode::Enforce);
    let name = "mta-sts.here.test";
    let cases = [
        (
            Door::Tls,
            Method::GET,
            mta_sts::PATH,
            policy,
            Decision::Policy(MtaStsMode::Enforce),
        ),
        (
            Door::Tls,
            Method::HEAD,
            mta_sts::PATH,
            policy,
            Decision::Policy(MtaStsMode::Enforce),
        ),
        (
            Door::Tls,
            Method::POST,
            mta_sts::PATH,
            policy,
            Decision::ReadOnly,
        ),
        (Door::Tls, Method::GET, "/", policy, Decision::NotFound),
        (
            Door::Tls,
            Method::GET,
            "/.well-known/mta-sts.txt/",
            policy,
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
            policy,
            Decision::NotFound,
        ),
        (
            Door::Plain,
            Method::GET,
            "/.well-known/acme-challenge/x",
            Host::Own,
            Decision::NotFound,
        ),
        (
            Door::Plain,
            Method::GET,
            "/a",
            policy,
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
            Decision::ReadOnly,
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
        assert_eq!(decide(&asked, host), want, "{asked:?} {host:?}");
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
