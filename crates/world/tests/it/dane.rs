//! Which certificates a set of TLSA records believes. RFC 7672, RFC 7671.

use std::sync::Arc;

use world::{Authentication, Certificate, Record, TlsClients, TlsFailure, TlsServer, TokioClock};

use crate::chain::{Chain, Dates, shake_hands};

const NAME: &str = "mx.there.test";
const NEXT_HOP: &str = "there.test";

fn tlsa(usage: u8, selector: u8, matching: u8, data: Vec<u8>) -> Record {
    Record::Tlsa {
        usage,
        selector,
        matching,
        data,
    }
}

fn clients() -> TlsClients {
    TlsClients::new(Arc::new(TokioClock::real()), None).unwrap()
}

/// `Ok` is how the server was authenticated.
async fn meet(records: &[Record], certificate: Certificate) -> Result<Authentication, TlsFailure> {
    let client = clients().dane(records, &[NAME, NEXT_HOP]);
    let server = TlsServer::new(vec![certificate]).unwrap();
    match shake_hands(&client, NAME, &server).await {
        Ok((facts, _)) => {
            assert_eq!(facts.authenticated, client.authenticates());
            Ok(facts.authenticated)
        }
        Err(error) => {
            assert!(error.is_certificate(), "{error}");
            Err(error.failure())
        }
    }
}

#[track_caller]
fn check(
    what: &str,
    got: Result<Authentication, TlsFailure>,
    want: Result<Authentication, TlsFailure>,
) {
    assert_eq!(got, want, "{what}");
}

const BELIEVED: Result<Authentication, TlsFailure> = Ok(Authentication::Dane);
const NO_MATCH: Result<Authentication, TlsFailure> = Err(TlsFailure::TlsaInvalid);

#[tokio::test]
async fn the_servers_own_certificate() {
    let chains = [
        ("good", Chain::new(NAME, Dates::Good)),
        // RFC 7672 §3.1.1: neither names nor dates count.
        ("another name", Chain::new("elsewhere.test", Dates::Good)),
        ("expired", Chain::new(NAME, Dates::Past)),
        ("self-signed", Chain::self_signed("x", Dates::Past)),
    ];
    for (what, chain) in &chains {
        for selector in [0, 1] {
            for matching in [0, 1, 2] {
                let what = format!("{what}, 3 {selector} {matching}");
                let own = chain.leaf_alone();
                let data = own.tlsa_data(selector, matching).unwrap();
                let record = tlsa(3, selector, matching, data.clone());
                check(
                    &what,
                    meet(std::slice::from_ref(&record), own.clone()).await,
                    BELIEVED,
                );
                // A further record that does not match changes nothing: keys change that way.
                let other = Chain::self_signed(NAME, Dates::Good).leaf_alone();
                let next = tlsa(
                    3,
                    selector,
                    matching,
                    other.tlsa_data(selector, matching).unwrap(),
                );
                check(
                    &what,
                    meet(&[next.clone(), record], own.clone()).await,
                    BELIEVED,
                );
                check(&what, meet(&[next], own.clone()).await, NO_MATCH);
                // The right data for another selector is the wrong data.
                let crossed = tlsa(3, 1 - selector, matching, data);
                if matching != 0 {
                    check(&what, meet(&[crossed], own).await, NO_MATCH);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_authority() {
    let good = Chain::new(NAME, Dates::Good);
    for selector in [0, 1] {
        for matching in [0, 1, 2] {
            let what = format!("2 {selector} {matching}");
            let root = tlsa(
                2,
                selector,
                matching,
                good.data(&good.root, selector, matching),
            );
            let middle = tlsa(
                2,
                selector,
                matching,
                good.data(&good.middle, selector, matching),
            );
            check(
                &what,
                meet(std::slice::from_ref(&root), good.with_root()).await,
                BELIEVED,
            );
            check(
                &what,
                meet(std::slice::from_ref(&middle), good.certificate()).await,
                BELIEVED,
            );
            // An authority that is not sent can be known only if the record holds it whole.
            let want = if matching == 0 { BELIEVED } else { NO_MATCH };
            check(
                &what,
                meet(std::slice::from_ref(&root), good.certificate()).await,
                want,
            );
            check(&what, meet(&[middle], good.leaf_alone()).await, want);
            // Another authority of the same name, with another key.
            let other = Chain::new(NAME, Dates::Good);
            let got = meet(&[root], other.with_root()).await;
            let want = match (matching, &got) {
                // The names fit, the signature does not.
                (0, Err(TlsFailure::CertificateNotTrusted)) => got,
                _ => NO_MATCH,
            };
            check(&what, got, want);
        }
    }
}

#[tokio::test]
async fn below_an_authority_names_and_dates_count() {
    let next_hop = Chain::new(NEXT_HOP, Dates::Good);
    let record = |chain: &Chain| tlsa(2, 0, 1, chain.data(&chain.root, 0, 1));
    check(
        "the next hop's name will do",
        meet(&[record(&next_hop)], next_hop.with_root()).await,
        BELIEVED,
    );
    let wild = Chain::new("*.there.test", Dates::Good);
    check(
        "a wildcard",
        meet(&[record(&wild)], wild.with_root()).await,
        BELIEVED,
    );
    let other = Chain::new("elsewhere.test", Dates::Good);
    check(
        "another name",
        meet(&[record(&other)], other.with_root()).await,
        Err(TlsFailure::CertificateHostMismatch),
    );
    let past = Chain::new(NAME, Dates::Past);
    check(
        "expired",
        meet(&[record(&past)], past.with_root()).await,
        Err(TlsFailure::CertificateExpired),
    );
    // A record for the server itself heals all that.
    let own = tlsa(3, 1, 1, past.leaf_alone().tlsa_data(1, 1).unwrap());
    check(
        "expired, but pinned",
        meet(&[record(&past), own], past.with_root()).await,
        BELIEVED,
    );
}

#[tokio::test]
async fn records_that_cannot_be_used_leave_encryption_alone() {
    let chain = Chain::new(NAME, Dates::Good);
    let own = chain.with_root();
    let data = |selector, matching| own.tlsa_data(selector, matching).unwrap();
    let unusable = [
        // RFC 7672 §3.1.3
        tlsa(0, 0, 1, chain.data(&chain.root, 0, 1)),
        tlsa(1, 1, 1, data(1, 1)),
        tlsa(4, 0, 1, data(0, 1)),
        tlsa(255, 0, 1, data(0, 1)),
        tlsa(3, 2, 1, data(0, 1)),
        tlsa(3, 0, 3, data(0, 1)),
        // Digests of the wrong length, and things that are no certificate.
        tlsa(3, 0, 1, data(0, 2)),
        tlsa(3, 0, 2, data(0, 1)),
        tlsa(3, 0, 1, Vec::new()),
        tlsa(2, 0, 0, b"not a certificate".to_vec()),
        tlsa(2, 1, 0, b"not a key".to_vec()),
        Record::Txt(vec![b"nor a TLSA record".to_vec()]),
    ];
    let none = Ok(Authentication::None);
    for record in &unusable {
        let what = format!("{record:?}");
        check(
            &what,
            meet(std::slice::from_ref(record), own.clone()).await,
            none,
        );
    }
    check("all of them", meet(&unusable, own.clone()).await, none);
    check("none at all", meet(&[], own.clone()).await, none);
    // One usable record beside them, and it counts alone.
    let mut records = unusable.to_vec();
    records.push(tlsa(3, 1, 1, vec![0; 32]));
    check(
        "and a wrong one",
        meet(&records, own.clone()).await,
        NO_MATCH,
    );
    records.push(tlsa(3, 1, 1, data(1, 1)));
    check("and the right one", meet(&records, own).await, BELIEVED);
}

/// RFC 7671 §9: who publishes a strong digest beside a weak one does not rely on the weak one.
#[tokio::test]
async fn the_strongest_digest_counts() {
    let chain = Chain::new(NAME, Dates::Good);
    let own = chain.with_root();
    let weak = tlsa(3, 1, 1, own.tlsa_data(1, 1).unwrap());
    let strong_but_other = tlsa(3, 1, 2, vec![0; 64]);
    let got = meet(&[weak.clone(), strong_but_other], own.clone()).await;
    check("only the weak one matches", got, NO_MATCH);
    let elsewhere = tlsa(3, 0, 2, vec![0; 64]);
    let got = meet(&[weak, elsewhere], own).await;
    check("another selector is another matter", got, BELIEVED);
}

/// The certificate's worth by the roots is told beside what TLSA says.
#[tokio::test]
async fn what_the_roots_say_is_told_too() {
    let good = Chain::new(NAME, Dates::Good);
    let own = good.with_root();
    let record = tlsa(3, 1, 1, own.tlsa_data(1, 1).unwrap());
    let server = TlsServer::new(vec![own]).unwrap();
    let clock = Arc::new(TokioClock::real());
    let roots = [
        (None, Err(TlsFailure::CertificateNotTrusted)),
        (Some(good.root.as_bytes()), Ok(())),
    ];
    for (extra, want) in roots {
        let clients = TlsClients::new(clock.clone(), extra).unwrap();
        let client = clients.dane(std::slice::from_ref(&record), &[NAME]);
        let (facts, _) = shake_hands(&client, NAME, &server).await.unwrap();
        assert_eq!(facts.pkix, Some(want));
    }
}
