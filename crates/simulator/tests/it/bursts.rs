//! Postroad before the models of big providers: bursts, limits, strangers at the door, bad reputation. Nothing
//! bounces, nothing is hammered, and what is slowed down arrives.

use std::net::IpAddr;
use std::time::Duration;

use simulator::{Host, Internet, Model, Provider, days, hours, minutes};
use store::StoreError;

use crate::ANN;
use crate::authors::publish_domain;
use crate::month::{OURS, number_in};

async fn here(internet: &Internet) -> Host {
    let host = internet
        .host("mx.here.test")
        .at(OURS.parse().unwrap())
        .domain("here.test")
        .account(ANN);
    let host = host.start().await;
    publish_domain(internet, &host, "here.test");
    internet
        .domain("_dmarc.here.test")
        .txt("v=DMARC1; p=quarantine");
    host
}

fn ours() -> IpAddr {
    OURS.parse().unwrap()
}

async fn send(host: &Host, provider: &Provider, numbers: std::ops::Range<usize>) {
    let domain = provider.model().domains().next().unwrap();
    for number in numbers {
        let to = format!("friend{number}@{domain}");
        let text = format!("Subject: letter {number}\r\nTo: <{to}>\r\n\r\nHello!\r\n");
        host.submit(ANN, &[&to], &text).await;
    }
}

/// Each of them once.
#[track_caller]
fn assert_all_there(provider: &Provider, count: usize) {
    let taken = provider.taken();
    let mut numbers: Vec<_> = taken
        .iter()
        .map(|it| number_in(&it.text()).unwrap())
        .collect();
    numbers.sort();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    assert!(taken.iter().all(|it| it.spam.is_none() && it.tls.is_some()));
}

fn fixes(host: &Host) -> String {
    let notices = host
        .store()
        .read_blocking(|view| -> Result<_, StoreError> { view.notices() });
    let notices = notices.expect("the store can be read").into_iter();
    notices.map(|notice| notice.fix).collect()
}

/// What a new server's burst of 120 messages meets: how long it may take and how many refusals it may cost.
#[test]
fn a_burst_arrives_within_the_limits_of_each() {
    for (id, within, refusals) in [
        ("gmail", hours(3), 12),
        ("microsoft", hours(4), 12),
        ("yahoo", hours(1), 40),
        ("apple", hours(2), 40),
        ("gmx", hours(3), 12),
        ("t-online", hours(3), 12),
    ] {
        Internet::simulated(1, async |internet| {
            let provider = internet.provider(id).await;
            provider.let_in(ours());
            let host = here(&internet).await;
            send(&host, &provider, 0..120).await;
            internet
                .until(within, || provider.taken_count() == 120)
                .await;
            assert_all_there(&provider, 120);
            let refused = provider.refusals();
            eprintln!("{id}: {:?}, {refused:?}", internet.elapsed());
            let count: usize = refused.values().sum();
            assert!(count <= refusals, "{id}: {refused:?}");
            assert!(host.queue().is_empty());
            assert!(host.inbox(ANN).is_empty(), "{id}: nobody was bothered");
        });
    }
}

/// Google's stated rule, kept by both sides: ten minutes of silence, one connection, one more each time.
#[test]
fn gmails_quota_is_met_once_in_ten_minutes() {
    Internet::simulated(1, async |internet| {
        let mut model = Model::built_in("gmail");
        model.tier.iter_mut().for_each(|tier| tier.per_minute = 10);
        let provider = internet.provider_like(model).await;
        let host = here(&internet).await;
        send(&host, &provider, 0..60).await;
        internet
            .until(days(1), || provider.taken_count() == 60)
            .await;
        assert_all_there(&provider, 60);
        let met: Vec<Duration> = provider.refused().iter().map(|it| it.at).collect();
        let bouts = met.chunk_by(|before, after| *after - *before < minutes(1));
        let starts: Vec<Duration> = bouts.map(|bout| bout[0]).collect();
        let far = |pair: &[Duration]| Duration::from_secs(599) <= pair[1] - pair[0];
        assert!(starts.windows(2).all(far), "came back too early: {met:?}");
        assert!(host.inbox(ANN).is_empty(), "nothing bounced");
    });
}

/// T-Online lets nobody in who has not asked: the mail is kept, and the operator told whom to write.
#[test]
fn t_onlines_door_opens_after_a_letter_to_its_postmaster() {
    Internet::simulated(1, async |internet| {
        let provider = internet.provider("t-online").await;
        let host = here(&internet).await;
        send(&host, &provider, 0..5).await;
        internet.pass(hours(20)).await;
        assert_eq!(provider.taken_count(), 0);
        assert_eq!(host.queue().len(), 5, "it is kept");
        let fixes = fixes(&host);
        for wanted in ["tobr@rx.t-online.de", OURS, "https://mx.here.test/"] {
            assert!(fixes.contains(wanted), "{wanted}: {fixes}");
        }
        assert!(provider.refusals()["stranger"] <= 24 * 4, "not hammered");
        provider.let_in(ours());
        internet
            .until(hours(8), || provider.taken_count() == 5)
            .await;
        assert_all_there(&provider, 5);
        let bounced = |report: &String| report.contains("Action: failed");
        assert!(!host.inbox(ANN).iter().any(bounced));
    });
}

/// An address of bad reputation at Yahoo: put off, and taken when it has healed; nothing is lost.
#[test]
fn yahoo_takes_the_mail_when_the_address_has_healed() {
    Internet::simulated(1, async |internet| {
        let provider = internet.provider("yahoo").await;
        let host = here(&internet).await;
        // Three points below what Yahoo takes: a day of good behaviour.
        provider.set_reputation(ours(), 22.0);
        send(&host, &provider, 0..5).await;
        internet
            .until(days(2), || provider.taken_count() == 5)
            .await;
        assert_all_there(&provider, 5);
        let refused = provider.refusals();
        assert!(refused["reputation-poor"] <= 36, "{refused:?}");
        assert!(fixes(&host).contains("senders.yahooinc.com"));
    });
}
