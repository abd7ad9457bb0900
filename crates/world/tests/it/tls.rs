//! Who trusts whom, which sessions are taken up again, and which certificate is shown.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use world::{
    Authentication, BoxFuture, Certificate, Clock, Record, TlsClients, TlsError, TlsFailure,
    TlsServer, TokioClock,
};

use crate::chain::{Chain, Dates, shake_hands};

const NAME: &str = "mx.there.test";

fn clients(roots: Option<&str>) -> TlsClients {
    let clock = Arc::new(TokioClock::real());
    TlsClients::new(clock, roots.map(str::as_bytes)).unwrap()
}

fn server(certificate: Certificate) -> TlsServer {
    TlsServer::new(vec![certificate]).unwrap()
}

/// A certificate is judged the same by those who insist on it and by those who only take note.
#[tokio::test]
async fn certificates_by_the_roots() {
    let good = Chain::new(NAME, Dates::Good);
    let other = Chain::new("elsewhere.test", Dates::Good);
    let past = Chain::new(NAME, Dates::Past);
    let alone = Chain::self_signed(NAME, Dates::Good);
    let stranger = Chain::new(NAME, Dates::Good);
    let roots = [&good.root, &other.root, &past.root]
        .map(String::as_str)
        .concat();
    let cases = [
        ("good", good.certificate(), Ok(())),
        ("with its root", good.with_root(), Ok(())),
        (
            "without its issuer",
            good.leaf_alone(),
            Err(TlsFailure::CertificateNotTrusted),
        ),
        (
            "another name",
            other.certificate(),
            Err(TlsFailure::CertificateHostMismatch),
        ),
        (
            "expired",
            past.certificate(),
            Err(TlsFailure::CertificateExpired),
        ),
        (
            "self-signed",
            alone.leaf_alone(),
            Err(TlsFailure::CertificateNotTrusted),
        ),
        (
            "of an unknown authority",
            stranger.with_root(),
            Err(TlsFailure::CertificateNotTrusted),
        ),
    ];
    let clients = clients(Some(&roots));
    for (what, certificate, want) in cases {
        let server = server(certificate);
        // Twice: the second time the session is resumed, and the verdict is the same.
        for resumed in [false, true] {
            let (facts, _) = shake_hands(&clients.opportunistic(), NAME, &server)
                .await
                .unwrap();
            assert_eq!(facts.pkix, Some(want), "{what}, resumed: {resumed}");
            assert_eq!(facts.authenticated, Authentication::None, "{what}");
        }
        let verified = shake_hands(&clients.verified(), NAME, &server).await;
        match (verified, want) {
            (Ok((facts, _)), Ok(())) => {
                assert_eq!(facts.authenticated, Authentication::Pkix, "{what}");
            }
            (Err(error), Err(failure)) => {
                assert!(error.is_certificate(), "{what}: {error}");
                assert_eq!(error.failure(), failure, "{what}: {error}");
            }
            (got, want) => panic!("{what}: {got:?} {want:?}"),
        }
    }
}

#[tokio::test]
async fn sessions_are_resumed_and_never_lent_to_another_way_of_trusting() {
    let chain = Chain::new(NAME, Dates::Good);
    let clients = clients(Some(&chain.root));
    let server = server(chain.with_root());
    let own = chain.with_root().tlsa_data(1, 1).unwrap();
    let record = Record::Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data: own,
    };
    let ways = [
        clients.opportunistic(),
        clients.verified(),
        clients.dane(std::slice::from_ref(&record), &[NAME]),
    ];
    for client in &ways {
        let mut resumed = Vec::new();
        for _ in 0..3 {
            let (here, there) = shake_hands(client, NAME, &server).await.unwrap();
            assert_eq!(here.resumed, there.resumed);
            assert_eq!(
                (here.version.as_str(), here.pkix),
                ("TLSv1.3", Some(Ok(())))
            );
            resumed.push(here.resumed);
        }
        assert_eq!(resumed, [false, true, true], "{client:?}");
    }
    // The same records again are the same client, with its sessions; other ones are not.
    let again = clients.dane(std::slice::from_ref(&record), &[NAME]);
    let (facts, _) = shake_hands(&again, NAME, &server).await.unwrap();
    assert!(facts.resumed);
    let next = Record::Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data: vec![0; 32],
    };
    let both = clients.dane(&[record, next], &[NAME]);
    let (facts, _) = shake_hands(&both, NAME, &server).await.unwrap();
    assert!(!facts.resumed);
}

/// A clock that a test sets.
struct SetClock(std::sync::Mutex<SystemTime>);

impl Clock for SetClock {
    fn now(&self) -> std::time::Instant {
        TokioClock::real().now()
    }

    fn wall(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    fn until(&self, at: std::time::Instant) -> BoxFuture<'static, ()> {
        TokioClock::real().until(at)
    }
}

#[tokio::test]
async fn a_certificate_that_expires_is_noticed_in_resumed_sessions_too() {
    let chain = Chain::new(NAME, Dates::Past);
    let before = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800 - 1_800);
    let clock = Arc::new(SetClock(std::sync::Mutex::new(before)));
    let clients = TlsClients::new(clock.clone(), Some(chain.root.as_bytes())).unwrap();
    let server = server(chain.certificate());
    let (facts, _) = shake_hands(&clients.verified(), NAME, &server)
        .await
        .unwrap();
    assert_eq!(facts.pkix, Some(Ok(())));
    let (facts, _) = shake_hands(&clients.opportunistic(), NAME, &server)
        .await
        .unwrap();
    assert_eq!(facts.pkix, Some(Ok(())));
    // Half an hour before 2020, and an hour and a half after its beginning.
    *clock.0.lock().unwrap() = before + Duration::from_secs(7_200);
    let (facts, _) = shake_hands(&clients.opportunistic(), NAME, &server)
        .await
        .unwrap();
    assert!(facts.resumed);
    assert_eq!(facts.pkix, Some(Err(TlsFailure::CertificateExpired)));
    let error = shake_hands(&clients.verified(), NAME, &server)
        .await
        .unwrap_err();
    assert_eq!(error.failure(), TlsFailure::CertificateExpired);
    assert!(matches!(error, TlsError::Untrusted(_)), "{error}");
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_new_ones_without_a_restart() {
    let a = Chain::new("a.test", Dates::Good);
    let b = Chain::new("*.b.test", Dates::Good);
    let roots = [&a.root, &b.root].map(String::as_str).concat();
    let server = TlsServer::new(vec![a.certificate(), b.certificate()]).unwrap();
    let verify = async |name: &str, roots: &str| {
        let clients = clients(Some(roots));
        shake_hands(&clients.verified(), name, &server).await
    };
    for name in ["a.test", "x.b.test", "X.B.test"] {
        let (_, there) = verify(name, &roots).await.unwrap();
        assert_eq!(there.server_name, Some(name.to_ascii_lowercase()));
    }
    for name in ["b.test", "x.y.b.test", "c.test"] {
        let error = verify(name, &roots).await.unwrap_err();
        assert_eq!(
            error.failure(),
            TlsFailure::CertificateHostMismatch,
            "{name}"
        );
    }
    // The wrong pairs change nothing; good ones serve from the next handshake on.
    assert!(server.reload(Vec::new()).is_err());
    verify("a.test", &roots).await.unwrap();
    let renewed = Chain::new("a.test", Dates::Good);
    server.reload(vec![renewed.certificate()]).unwrap();
    assert!(verify("a.test", &roots).await.is_err());
    verify("a.test", &renewed.root).await.unwrap();
}
