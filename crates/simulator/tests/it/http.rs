//! The HTTP client of the world against web servers good and bad, in both modes; and what these servers
//! remember.

use std::time::Duration;

use simulator::{Internet, Page, TlsOffer};
use world::TlsFailure;
use world::http::{HttpClient, HttpError, Request, Response};

const URL: &str = "https://www.there.test/page";

async fn get(client: &HttpClient, url: &str) -> Result<Response, HttpError> {
    client.fetch(Request::get(url)).await
}

async fn pages(internet: Internet) {
    let host = internet
        .https("www.there.test", &[("/page", "hello")])
        .await;
    let client = internet.http_client();
    let page = get(&client, URL).await.unwrap();
    assert_eq!((page.status, page.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(page.content_type().as_deref(), Some("text/plain"));
    assert_eq!(page.header("content-length"), Some("5"));
    assert_eq!(page.tls.unwrap().pkix, Some(Ok(())));
    assert_eq!(
        get(&client, "https://www.there.test/")
            .await
            .unwrap()
            .status,
        404
    );
    let query = get(&client, "https://WWW.there.test:443/page?a=b")
        .await
        .unwrap();
    assert_eq!(query.status, 200);
    let request = Request::post(
        "https://www.there.test/report",
        "application/json",
        b"{}".to_vec(),
    );
    host.set("/report", Page::of(201, "text/plain", ""));
    let request = request.header("X-Trace", "7");
    assert_eq!(client.fetch(request).await.unwrap().status, 201);
    let asked = host.asked();
    let lines = asked
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.path));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["GET /page", "GET /", "GET /page?a=b", "POST /report"]
    );
    let post = asked.last().unwrap();
    assert_eq!(post.body, b"{}");
    assert_eq!(post.field("content-type"), Some("application/json"));
    assert_eq!(post.field("x-trace"), Some("7"));
    assert_eq!(post.field("host"), Some("www.there.test"));
    // A body without a length ends with the connection.
    host.set(
        "/page",
        Page::Raw(b"HTTP/1.0 200 OK\r\n\r\nto the end".to_vec()),
    );
    assert_eq!(get(&client, URL).await.unwrap().body, b"to the end");
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    host.set("/page", Page::Raw(chunked.to_vec()));
    assert_eq!(get(&client, URL).await.unwrap().body, b"abcde");
}

#[test]
fn pages_simulated() {
    Internet::simulated(1, pages);
}

#[test]
fn pages_real() {
    Internet::real(pages);
}

#[test]
fn certificates_are_checked() {
    let offers = [
        (TlsOffer::SelfSigned, TlsFailure::CertificateNotTrusted),
        (
            TlsOffer::UnknownAuthority,
            TlsFailure::CertificateNotTrusted,
        ),
        (TlsOffer::WrongName, TlsFailure::CertificateHostMismatch),
        (TlsOffer::Expired, TlsFailure::CertificateExpired),
        (TlsOffer::Garbage, TlsFailure::ValidationFailure),
        (TlsOffer::Cut, TlsFailure::ValidationFailure),
    ];
    Internet::simulated(1, async |internet| {
        let host = internet
            .https("www.there.test", &[("/page", "hello")])
            .await;
        let client = internet.http_client();
        for (offer, want) in offers {
            host.set_tls(offer);
            let error = get(&client, URL).await.unwrap_err();
            assert_eq!(error.tls_failure(), Some(want), "{offer:?}: {error}");
        }
        assert!(host.asked().is_empty());
        host.set_tls(TlsOffer::Trusted);
        assert_eq!(get(&client, URL).await.unwrap().status, 200);
    });
}

#[test]
fn everything_has_a_bound() {
    Internet::simulated(1, async |internet| {
        let host = internet
            .https("www.there.test", &[("/page", "hello")])
            .await;
        let client = internet.http_client();
        // Time: a page that never comes, a handshake that never ends, a host that is not there.
        for silent in [Page::Hang, Page::Raw(b"HTTP/1.1 200 OK\r\n".to_vec())] {
            host.set("/page", silent.clone());
            let began = internet.elapsed();
            let error = get(&client, URL).await.unwrap_err();
            let passed = internet.elapsed() - began;
            assert!(passed <= Duration::from_secs(61), "{silent:?} {passed:?}");
            assert!(
                matches!(error, HttpError::TimedOut | HttpError::Protocol(_)),
                "{error}"
            );
        }
        host.set_tls(TlsOffer::Silent);
        let error = get(&client, URL).await.unwrap_err();
        assert!(matches!(error, HttpError::Connect { .. }), "{error}");
        host.set_tls(TlsOffer::Trusted);
        let request = Request::get("https://www.there.test/page").within(Duration::from_secs(5));
        host.set("/page", Page::Hang);
        let began = internet.elapsed();
        let error = client.fetch(request).await.unwrap_err();
        assert!(matches!(error, HttpError::TimedOut), "{error}");
        assert!(internet.elapsed() - began <= Duration::from_secs(6));
        // Size: announced, chunked, and without an end.
        let long = "x".repeat(2000);
        let announced = Page::text(&long);
        let endless = Page::Raw(format!("HTTP/1.0 200 OK\r\n\r\n{long}").into_bytes());
        for page in [announced, endless] {
            host.set("/page", page);
            let error = client.fetch(Request::get(URL).body_bytes_max(1999)).await;
            assert!(matches!(error, Err(HttpError::TooLong(1999))), "{error:?}");
            let fits = client.fetch(Request::get(URL).body_bytes_max(2000)).await;
            assert_eq!(fits.unwrap().body.len(), 2000);
        }
        let header = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "y".repeat(100_000));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Y: z\r\n".repeat(1000));
        for header in [header, many] {
            host.set("/page", Page::Raw(header.into_bytes()));
            let error = get(&client, URL).await.unwrap_err();
            assert!(matches!(error, HttpError::Protocol(_)), "{error}");
        }
        for broken in [Page::Cut, Page::Raw(b"HELO\r\n\r\n".to_vec())] {
            host.set("/page", broken);
            let error = get(&client, URL).await.unwrap_err();
            assert!(matches!(error, HttpError::Protocol(_)), "{error}");
        }
    });
}

#[test]
fn redirects_are_followed_only_when_asked_to() {
    Internet::simulated(1, async |internet| {
        let host = internet.https("www.there.test", &[("/c", "here")]).await;
        host.set("/a", Page::redirect(302, "/b"));
        host.set("/b", Page::redirect(301, "https://www.there.test/c"));
        host.set("/loop", Page::redirect(302, "/loop"));
        host.set("/clear", Page::redirect(302, "http://www.there.test/c"));
        host.set("/odd", Page::redirect(302, "gopher://there"));
        let client = internet.http_client();
        let at = |path: &str| Request::get(&format!("https://www.there.test{path}"));
        assert_eq!(client.fetch(at("/a")).await.unwrap().status, 302);
        let followed = client.fetch(at("/a").redirects_max(2)).await.unwrap();
        assert_eq!(followed.body, b"here");
        let short = client.fetch(at("/a").redirects_max(1)).await.unwrap();
        assert_eq!(short.status, 301);
        let before = host.connections();
        let looped = client.fetch(at("/loop").redirects_max(5)).await.unwrap();
        assert_eq!((looped.status, host.connections() - before), (302, 6));
        let error = client
            .fetch(at("/clear").redirects_max(1))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::NotSecure(_)), "{error}");
        let error = client.fetch(at("/odd").redirects_max(1)).await.unwrap_err();
        assert!(
            matches!(error, HttpError::BadUrl(_) | HttpError::Redirects(_)),
            "{error}"
        );
    });
}

#[test]
fn addresses_that_lead_nowhere() {
    Internet::simulated(1, async |internet| {
        let clear = internet.http("www.clear.test", &[("/", "in clear")]).await;
        let client = internet.http_client();
        let error = get(&client, "http://www.clear.test/").await.unwrap_err();
        assert!(matches!(error, HttpError::NotSecure(_)), "{error}");
        assert_eq!(clear.connections(), 0);
        let plain = client.fetch(Request::get("http://www.clear.test/").allow_plain());
        assert_eq!(plain.await.unwrap().body, b"in clear");
        for bad in [
            "",
            "www.there.test",
            "https://",
            "https:///x",
            "ftp://a.test/",
            "https://user@a.test/",
        ] {
            let error = get(&client, bad).await.unwrap_err();
            assert!(matches!(error, HttpError::BadUrl(_)), "{bad}: {error}");
        }
        let error = get(&client, "https://nobody.test/").await.unwrap_err();
        assert!(matches!(error, HttpError::NoAddress(_)), "{error}");
        internet
            .zones()
            .fault("broken.test", simulator::DnsFault::ServFail);
        let error = get(&client, "https://broken.test/").await.unwrap_err();
        assert!(matches!(error, HttpError::Dns { .. }), "{error}");
        internet.zones().host("down.test", internet.fresh_address());
        let error = get(&client, "https://down.test/").await.unwrap_err();
        assert!(matches!(error, HttpError::Connect { .. }), "{error}");
    });
}

/// One dead address of two costs some time, not the page.
#[test]
fn another_address_is_tried() {
    Internet::simulated(1, async |internet| {
        let dead = internet.fresh_address();
        internet.zones().host("www.there.test", dead);
        let network = internet.network();
        network.set_reach(dead, simulator::Reach::Silent);
        internet
            .https("www.there.test", &[("/page", "hello")])
            .await;
        assert_eq!(get(&internet.http_client(), URL).await.unwrap().status, 200);
    });
}
