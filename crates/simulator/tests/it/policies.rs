//! The policy of a domain of ours as others fetch it, with our own HTTP client and with curl; what else
//! the web doors say, and what they do not put up with.

use std::process::Command;
use std::time::Duration;

use simulator::{Client, Host, Interception, Internet, Service, minutes};
use store::MtaStsMode;
use world::TlsFailure;
use world::http::{Request, Response};

use crate::{ANN, letter};

const POLICY: &str = "https://mta-sts.here.test/.well-known/mta-sts.txt";

async fn serving(internet: &Internet) -> Host {
    let host = internet.host("mx.here.test").domain("here.test");
    host.account(ANN).policies().start().await
}

async fn fetch(internet: &Internet, request: Request) -> Response {
    let fetched = internet.http_client().fetch(request.allow_plain()).await;
    fetched.expect("an answer")
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

async fn policies(internet: Internet) {
    let host = serving(&internet).await;
    let testing = "version: STSv1\r\nmode: testing\r\nmx: mx.here.test\r\nmax_age: 604800\r\n";
    let answer = fetch(&internet, Request::get(POLICY)).await;
    assert_eq!((answer.status, text(&answer).as_str()), (200, testing));
    assert_eq!(answer.content_type().as_deref(), Some("text/plain"));
    assert_eq!(answer.tls.as_ref().unwrap().pkix, Some(Ok(())));
    let head = fetch(&internet, Request::head(POLICY)).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        answer.header("content-length")
    );
    // A changed wish is served at once, under another id.
    let records = || {
        internet
            .zones()
            .answer("_mta-sts.here.test", world::Kind::Txt)
            .records
    };
    let before = records();
    host.set_policy("here.test", MtaStsMode::Enforce);
    assert_ne!(records(), before);
    let answer = fetch(&internet, Request::get(POLICY)).await;
    assert_eq!(text(&answer), testing.replace("testing", "enforce"));
    host.set_policy("here.test", MtaStsMode::None);
    let answer = fetch(&internet, Request::get(POLICY)).await;
    assert!(
        text(&answer).contains("mode: none\r\n"),
        "{}",
        text(&answer)
    );
    // Reading is all that can be done.
    let post = Request::post(POLICY, "text/plain", b"mode: none".to_vec());
    let answer = fetch(&internet, post).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD"))
    );
    for nothing in [
        "https://mta-sts.here.test/",
        "https://mx.here.test/.well-known/mta-sts.txt",
    ] {
        assert_eq!(
            fetch(&internet, Request::get(nothing)).await.status,
            404,
            "{nothing}"
        );
    }
}

#[test]
fn policies_simulated() {
    Internet::simulated(1, policies);
}

#[test]
fn policies_real() {
    Internet::real(policies);
}

#[test]
fn a_domain_that_is_not_ours_has_no_policy_here() {
    Internet::simulated(1, async |internet| {
        let host = serving(&internet).await;
        internet.zones().host("mta-sts.far.test", host.address());
        let far = POLICY.replace("here", "far");
        let error = internet
            .http_client()
            .fetch(Request::get(&far))
            .await
            .unwrap_err();
        assert_eq!(
            error.tls_failure(),
            Some(TlsFailure::CertificateHostMismatch)
        );
        // Neither for who does not look at the certificate.
        let request = Request::get(&far.replace("https", "http")).allow_plain();
        assert_eq!(fetch(&internet, request).await.status, 404);
    });
}

#[test]
fn the_clear_door_leads_to_the_other_one() {
    Internet::simulated(1, async |internet| {
        let _host = serving(&internet).await;
        for (url, status, location) in [
            ("http://mx.here.test/", 308, Some("https://mx.here.test/")),
            (
                "http://mta-sts.here.test/a/b",
                308,
                Some("https://mta-sts.here.test/a/b"),
            ),
            // RFC 8461 §3.3: a policy over clear text would be anybody's.
            (
                "http://mta-sts.here.test/.well-known/mta-sts.txt",
                404,
                None,
            ),
        ] {
            let answer = fetch(&internet, Request::get(url)).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (status, location),
                "{url}"
            );
        }
    });
}

/// Says something in HTTP, and gives the status line of the answer.
async fn status(client: &mut Client, request: &str) -> String {
    // It may be too long to be heard to its end.
    let _ = client.send_raw(request.as_bytes()).await;
    client.line().await.unwrap_or_default()
}

#[test]
fn requests_that_are_none() {
    Internet::simulated(1, async |internet| {
        let host = serving(&internet).await;
        let door = host.service(Service::Http);
        let long = "x".repeat(100_000);
        let cases = [
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
            ("HELO here\r\n\r\n".to_owned(), "400"),
            (format!("GET /{long} HTTP/1.1\r\n\r\n"), "4"),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"),
                "431",
            ),
            (
                format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200)),
                "431",
            ),
        ];
        for (request, want) in cases {
            let mut client = internet.connect(door).await;
            let said = status(&mut client, &request).await;
            let code = said.split(' ').nth(1).unwrap_or_default();
            assert!(
                code.starts_with(want),
                "{}: {said}",
                request.get(..20).unwrap_or_default()
            );
        }
        // And the door is still open.
        assert_eq!(fetch(&internet, Request::get(POLICY)).await.status, 200);
    });
}

#[test]
fn whoever_dribbles_is_left() {
    Internet::simulated(1, async |internet| {
        let host = serving(&internet).await;
        let mut silent = internet.connect(host.service(Service::Http)).await;
        let mut slow = internet.connect(host.service(Service::Https)).await;
        let began = internet.elapsed();
        assert!(silent.line().await.is_err());
        assert!(slow.line().await.is_err());
        assert!(internet.elapsed() - began <= Duration::from_secs(41));
        // A line every few seconds does not help.
        let mut dribbler = internet.connect(host.service(Service::Http)).await;
        let began = internet.elapsed();
        while dribbler.send_raw(b"A: b\r\n").await.is_ok() {
            internet.pass(Duration::from_secs(5)).await;
            assert!(internet.elapsed() - began <= minutes(6));
        }
    });
}

#[test]
fn many_requests_on_one_connection_and_a_stop_in_between() {
    Internet::simulated(1, async |internet| {
        let mut host = serving(&internet).await;
        let mut client = internet.connect(host.service(Service::Http)).await;
        let request = "GET /x HTTP/1.1\r\nHost: mx.here.test\r\n\r\n";
        for _ in 0..3 {
            let line = status(&mut client, request).await;
            // Before it stands the body of the last answer, which ends with a bare LF.
            assert!(line.ends_with("HTTP/1.1 308 Permanent Redirect"), "{line}");
            while !client.line().await.unwrap().is_empty() {}
        }
        // An idle connection does not hold up the end.
        host.stop().await;
        assert!(client.line().await.is_err());
    });
}

#[test]
fn curl_fetches_the_policy() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    Internet::real(async |internet| {
        let host = serving(&internet).await;
        let root = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(root.path(), internet.authority().root_pem()).unwrap();
        let at = host.service(Service::Https);
        let curl = async |arguments: &[&str]| {
            let mut command = Command::new("curl");
            command
                .args(["-sS", "--max-time", "20", "--noproxy", "*", "--connect-to"])
                .arg(format!("mta-sts.here.test:443:{}:{}", at.ip(), at.port()))
                .arg("--cacert")
                .arg(root.path())
                .args(arguments);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap());
            String::from_utf8(output.await.unwrap().stdout).unwrap()
        };
        let policy = curl(&[POLICY]).await;
        assert!(
            policy.starts_with("version: STSv1\r\nmode: testing\r\n"),
            "{policy}"
        );
        let head = curl(&["-I", POLICY]).await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert!(head.contains("content-type: text/plain\r\n"), "{head}");
        let status = ["-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}"];
        for (more, want) in [
            (&["https://mta-sts.here.test/other"][..], "404 0"),
            (&["-X", "DELETE", POLICY], "405 0"),
            (&["--tls-max", "1.2", POLICY], "200 0"),
            (&["--http1.0", POLICY], "200 0"),
        ] {
            let said = curl(&[&status[..], more].concat()).await;
            assert_eq!(said, want, "{more:?}");
        }
    });
}

/// Two hosts of ours: one says what it wants, the other one goes by it.
#[test]
fn one_of_us_enforces_what_the_other_serves() {
    Internet::simulated(1, async |internet| {
        let there = internet.host("mx.there.test").domain("there.test");
        let there = there.account("bob@there.test").policies().start().await;
        there.set_policy("there.test", MtaStsMode::Enforce);
        let here = serving(&internet).await;
        let network = internet.network();
        let mallory = network.intercept(there.address(), Interception::Listen);
        here.submit(ANN, &["bob@there.test"], &letter("first"))
            .await;
        internet
            .until(minutes(10), || there.inbox("bob@there.test").len() == 1)
            .await;
        assert!(!mallory.seen().contains("first"));
        // The policy is known now. Somebody strips STARTTLS, or shows a certificate of his own.
        let forged = internet.authority().self_signed("mx.there.test");
        for how in [
            Interception::StripStartTls,
            Interception::Certificate(Box::new(forged)),
        ] {
            // Connections that are kept for more mail end first.
            internet.pass(minutes(10)).await;
            let mallory = network.intercept(there.address(), how);
            here.submit(ANN, &["bob@there.test"], &letter("second"))
                .await;
            internet.pass(minutes(60)).await;
            assert!(1 <= mallory.connections());
            assert!(!mallory.seen().contains("second"), "{}", mallory.seen());
        }
        assert_eq!(here.queue().len(), 2);
        network.leave_alone(there.address());
        let arrived = || there.inbox("bob@there.test").len() == 3;
        internet.until(minutes(60 * 12), arrived).await;
    });
}
