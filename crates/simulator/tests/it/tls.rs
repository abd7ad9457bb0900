//! Opportunistic TLS: any certificate is better than none, and broken TLS does not lose mail.

use simulator::{Internet, Script, TlsOffer, hours, minutes};

use crate::{ANN, BOB, here, letter, letter_from};

#[test]
fn any_certificate_encrypts() {
    let offers = [
        TlsOffer::Trusted,
        TlsOffer::SelfSigned,
        TlsOffer::WrongName,
        TlsOffer::Expired,
    ];
    for offer in offers {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(offer))
                .await;
            host.submit(ANN, &[BOB], &letter("sealed")).await;
            internet
                .until(minutes(10), || there.taken_count() == 1)
                .await;
            assert!(there.taken()[0].tls.is_some(), "{offer:?}");
        });
    }
}

#[test]
fn broken_tls_falls_back_to_clear_text() {
    let offers = [
        TlsOffer::Garbage,
        TlsOffer::Cut,
        TlsOffer::Silent,
        TlsOffer::NotNow,
        TlsOffer::None,
    ];
    for offer in offers {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(offer))
                .await;
            host.submit(ANN, &[BOB], &letter("open")).await;
            internet.until(hours(2), || there.taken_count() == 1).await;
            assert_eq!(there.taken()[0].tls, None, "{offer:?}");
            internet
                .until(minutes(10), || host.queue().is_empty())
                .await;
            assert!(host.inbox(ANN).is_empty());
        });
    }
}

async fn strangers_can_encrypt(internet: Internet) {
    let host = here(&internet).await;
    let mut stranger = internet.stranger(host.mx()).await;
    let hello = stranger.say("EHLO stranger.test").await.unwrap();
    assert!(hello.offers("STARTTLS"), "{hello:?}");
    let hello = stranger
        .start_tls(&internet.tls_client(), "mx.here.test")
        .await
        .unwrap();
    assert!(!hello.offers("STARTTLS"), "{hello:?}");
    let reply = stranger
        .transact("x@far.test", &[ANN], &letter_from("x@far.test", "hi"))
        .await
        .unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let message = &host.inbox(ANN)[0];
    assert!(message.contains("with ESMTPS"), "{message}");
}

#[test]
fn strangers_can_encrypt_simulated() {
    Internet::simulated(1, strangers_can_encrypt);
}

#[test]
fn strangers_can_encrypt_real() {
    Internet::real(strangers_can_encrypt);
}
