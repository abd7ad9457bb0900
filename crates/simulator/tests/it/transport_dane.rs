//! DANE for SMTP in all its cases (RFC 7672), and how destinations with and without demands share hosts.

use simulator::{DnsFault, Host, Internet, Remote, Script, TlsOffer, hours, minutes};
use store::StoreError;
use store::reports::{TlsEntry, TlsPolicyKind, day_of};
use store::transport::{TlsLevel, TlsRequirement};

use crate::{ANN, BOB, here, letter};

async fn stage(internet: &Internet, offer: TlsOffer) -> (Host, Remote) {
    internet.zones().signed("test");
    let host = here(internet).await;
    let there = internet
        .remote_domain("there.test", Script::accept().tls(offer))
        .await;
    (host, there)
}

async fn arrives(internet: &Internet, host: &Host, there: &Remote) {
    let before = there.taken_count();
    host.submit(ANN, &[BOB], &letter("dane")).await;
    internet
        .until(minutes(10), || there.taken_count() == before + 1)
        .await;
}

async fn waits(internet: &Internet, host: &Host, there: &Remote, words: &str) {
    let before = there.taken_count();
    host.submit(ANN, &[BOB], &letter("dane")).await;
    internet.pass(hours(3)).await;
    assert_eq!(there.taken_count(), before);
    let reply = host.queue()[0].recipients[0].last_reply.clone();
    assert!(
        reply.as_deref().unwrap_or_default().contains(words),
        "{reply:?}"
    );
}

fn seen(internet: &Internet, host: &Host) -> Vec<TlsEntry> {
    let today = day_of(mail::UnixMillis::from(internet.wall()));
    let seen = host
        .store()
        .read_blocking(move |view| view.tls_seen("there.test", today));
    let seen = seen.unwrap_or_else(|error: StoreError| panic!("{error}"));
    seen.into_iter().map(|(entry, _)| entry).collect()
}

/// DANE-EE: neither dates nor names matter; only the key. RFC 7672 §3.1.1
#[test]
fn the_record_says_all() {
    for offer in [TlsOffer::SelfSigned, TlsOffer::Expired, TlsOffer::WrongName] {
        Internet::simulated(1, async |internet| {
            let (host, there) = stage(&internet, offer).await;
            internet.publish_tlsa(&there, 3, 1, 1);
            arrives(&internet, &host, &there).await;
            assert!(there.taken()[0].tls.is_some(), "{offer:?}");
            internet.pass(minutes(1)).await;
            let seen = seen(&internet, &host);
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!(seen[0].policy.kind, TlsPolicyKind::Tlsa);
            assert!(seen[0].policy.text[0].starts_with("3 1 1 "), "{seen:?}");
            assert_eq!(seen[0].failure, None);
        });
    }
}

/// DANE-TA: a chain to the authority, for the right name, in time. RFC 7672 §3.1.2
#[test]
fn an_authority_of_its_own() {
    for (offer, wanted) in [
        (TlsOffer::Trusted, None),
        (TlsOffer::Expired, Some("has expired")),
        (TlsOffer::WrongName, Some("for another name")),
        (
            TlsOffer::SelfSigned,
            Some("none of those that its TLSA records name"),
        ),
    ] {
        Internet::simulated(1, async |internet| {
            let (host, there) = stage(&internet, TlsOffer::Trusted).await;
            internet.publish_tlsa(&there, 2, 0, 1);
            there.set_script(Script::accept().tls(offer));
            match wanted {
                None => arrives(&internet, &host, &there).await,
                Some(words) => waits(&internet, &host, &there, words).await,
            }
        });
    }
}

/// A key that changed without its record: the mail waits until the record follows.
#[test]
fn a_key_that_changed_waits_for_its_record() {
    Internet::simulated(1, async |internet| {
        let (host, there) = stage(&internet, TlsOffer::Trusted).await;
        internet.publish_tlsa(&there, 3, 1, 1);
        arrives(&internet, &host, &there).await;
        // A connection that is kept for a moment was safe when it was opened.
        internet.pass(minutes(1)).await;
        there.set_script(Script::accept().tls(TlsOffer::Renewed));
        waits(
            &internet,
            &host,
            &there,
            "none of those that its TLSA records name",
        )
        .await;
        internet.publish_tlsa(&there, 3, 1, 1);
        internet.until(hours(5), || there.taken_count() == 2).await;
    });
}

/// Unusable records demand TLS, not more. RFC 7672 §2.2
#[test]
fn unusable_records_demand_tls() {
    for (offer, taken) in [(TlsOffer::SelfSigned, true), (TlsOffer::None, false)] {
        Internet::simulated(1, async |internet| {
            let (host, there) = stage(&internet, offer).await;
            let tlsa = internet.domain("_25._tcp.mx.there.test");
            tlsa.tlsa(1, 1, 1, vec![5; 32]);
            match taken {
                true => arrives(&internet, &host, &there).await,
                false => {
                    waits(&internet, &host, &there, "they forbid sending without TLS").await;
                }
            }
        });
    }
}

/// Records that cannot be had now hide nothing: the host is passed over. RFC 7672 §2.1.2
#[test]
fn what_is_not_known_is_passed_over() {
    Internet::simulated(1, async |internet| {
        let (host, there) = stage(&internet, TlsOffer::None).await;
        let second = internet.remote("mx2.there.test", Script::accept()).await;
        internet
            .zones()
            .fault("_25._tcp.mx.there.test", DnsFault::ServFail);
        waits(
            &internet,
            &host,
            &there,
            "whether mx.there.test has TLSA records (DANE)",
        )
        .await;
        let entries = seen(&internet, &host);
        let results: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry.failure.as_ref())
            .map(|failure| failure.result_type.as_str())
            .collect();
        assert_eq!(results, ["dnssec-invalid"]);
        internet.domain("there.test").mx_at(20, "mx2.there.test");
        internet.until(hours(3), || second.taken_count() == 1).await;
        assert_eq!(there.connections(), 0);
    });
}

/// No records, or a zone without signatures: mail goes as it always did.
#[test]
fn without_records_nothing_changes() {
    for unsigned in ["", "there.test", "mx.there.test", "_tcp.mx.there.test"] {
        Internet::simulated(1, async |internet| {
            let (host, there) = stage(&internet, TlsOffer::None).await;
            if !unsigned.is_empty() {
                internet.zones().unsigned(unsigned);
                // Records that nobody signed are nobody's word.
                let tlsa = internet.domain("_25._tcp.mx.there.test");
                tlsa.tlsa(3, 1, 1, vec![5; 32]);
            }
            arrives(&internet, &host, &there).await;
            assert_eq!(there.taken()[0].tls, None, "{unsigned}");
        });
    }
}

/// The records may stand at the end of the mail host's CNAMEs. RFC 7672 §2.2.2
#[test]
fn records_behind_a_cname() {
    for (record_of_alias, good) in [(true, true), (false, true), (true, false)] {
        Internet::simulated(1, async |internet| {
            internet.zones().signed("test");
            let host = here(&internet).await;
            let there = internet
                .remote(
                    "real.hoster.test",
                    Script::accept().tls(TlsOffer::SelfSigned),
                )
                .await;
            internet.domain("mx.there.test").cname("real.hoster.test");
            internet.domain("there.test").mx("mx.there.test");
            let at = if record_of_alias {
                "real.hoster.test"
            } else {
                "mx.there.test"
            };
            let record = if good {
                there.tlsa(3, 1, 1)
            } else {
                tlsa_of_nobody()
            };
            internet.domain(&format!("_25._tcp.{at}")).record(record);
            if good {
                arrives(&internet, &host, &there).await;
            } else {
                waits(
                    &internet,
                    &host,
                    &there,
                    "none of those that its TLSA records name",
                )
                .await;
            }
        });
    }
}

fn tlsa_of_nobody() -> world::Record {
    world::Record::Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data: vec![9; 32],
    }
}

/// Two domains at the same host: what one demands does not hold up the other, and a connection that was
/// opened for the careless one never carries mail of the careful one.
#[test]
fn a_kept_connection_is_as_safe_as_each_message_needs() {
    for shuffled in [false, true] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let shared = internet
                .remote("mx.hoster.test", Script::accept().tls(TlsOffer::SelfSigned))
                .await;
            internet.domain("careless.test").mx("mx.hoster.test");
            internet.domain("careful.test").mx("mx.hoster.test");
            let requirement = TlsRequirement {
                scope: "careful.test".parse().unwrap(),
                level: TlsLevel::Verified,
                mx: Vec::new(),
                created: mail::UnixMillis(0),
            };
            host.store()
                .write_blocking(store::Durability::Durable, move |change| {
                    change.require_tls(&requirement)
                })
                .unwrap_or_else(|error: StoreError| panic!("{error}"));
            let mut to = ["x@careless.test", "x@careful.test"];
            if shuffled {
                to.reverse();
            }
            for round in 0..5 {
                for to in to {
                    host.submit(ANN, &[to], &letter(&format!("round {round}")))
                        .await;
                    internet.pass(std::time::Duration::from_secs(1)).await;
                }
            }
            internet.pass(hours(1)).await;
            let taken = shared.taken();
            assert_eq!(taken.len(), 5);
            assert!(taken.iter().all(|taken| taken.to() == ["x@careless.test"]));
            assert_eq!(host.queue().len(), 5);
            shared.set_script(Script::accept());
            internet
                .until(hours(5), || shared.taken_count() == 10)
                .await;
        });
    }
}

/// Sessions are taken up again, each way of trusting among its own.
#[test]
fn tls_sessions_are_resumed() {
    Internet::simulated(1, async |internet| {
        let (host, there) = stage(&internet, TlsOffer::Trusted).await;
        internet.publish_tlsa(&there, 3, 1, 1);
        for _ in 0..3 {
            arrives(&internet, &host, &there).await;
            internet.pass(minutes(5)).await;
        }
        assert_eq!(there.connections(), 3);
        assert_eq!(there.resumptions(), 2);
    });
}

/// The same with real signatures, a real resolver that checks them, and real sockets.
#[test]
fn a_resolver_that_validates() {
    Internet::validating(async |internet| {
        let (host, there) = stage(&internet, TlsOffer::SelfSigned).await;
        internet.publish_tlsa(&there, 3, 1, 1);
        arrives(&internet, &host, &there).await;
        assert!(there.taken()[0].tls.is_some());
        let noted = || !seen(&internet, &host).is_empty();
        internet.until(minutes(1), noted).await;
        let entries = seen(&internet, &host);
        assert_eq!(entries[0].policy.kind, TlsPolicyKind::Tlsa, "{entries:?}");
        assert_eq!(entries[0].failure, None);
    });
    Internet::validating(async |internet| {
        let (host, there) = stage(&internet, TlsOffer::Trusted).await;
        internet.domain(&there.tlsa_name()).record(tlsa_of_nobody());
        host.submit(ANN, &[BOB], &letter("dane")).await;
        let refused = || {
            let queue = host.queue();
            let reply = queue
                .first()
                .and_then(|queued| queued.recipients[0].last_reply.clone());
            reply.is_some_and(|reply| reply.contains("none of those that its TLSA records name"))
        };
        internet.until(minutes(1), refused).await;
        assert_eq!(there.taken_count(), 0);
    });
}
