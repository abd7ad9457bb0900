//! Buckets over time.

use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn network(text: &str) -> Network {
    Network::of(text.parse().unwrap())
}

fn later(seconds: i64) -> UnixMillis {
    UnixMillis(NOW.0 + seconds * 1_000)
}

fn taken(rates: &mut Rates, from: Network, act: Act, factor: u32, now: UnixMillis) -> usize {
    (0..100_000)
        .take_while(|_| rates.take(from, act, factor, now))
        .count()
}

#[test]
fn a_burst_and_then_so_many_a_minute() {
    let acts = [
        Act::Connection,
        Act::Message,
        Act::Recipient,
        Act::UnknownRecipient,
        Act::GreylistRow,
    ];
    for act in acts {
        let (burst, per_minute) = act.allowance();
        let (mut rates, from) = (Rates::default(), network("192.0.2.1"));
        assert_eq!(
            taken(&mut rates, from, act, 1, NOW),
            burst as usize,
            "{act:?}"
        );
        assert!(!rates.has(from, act, 1, NOW));
        assert_eq!(
            taken(&mut rates, from, act, 1, later(60)),
            per_minute as usize
        );
        let hours = later(60 + 24 * 3_600);
        assert_eq!(taken(&mut rates, from, act, 1, hours), burst as usize);
        // Others have their own.
        assert!(rates.take(network("192.0.2.2"), act, 1, NOW));
        let known = network("192.0.2.3");
        assert_eq!(taken(&mut rates, known, act, 5, NOW), 5 * burst as usize);
    }
}

#[test]
fn good_recipients_give_back_what_unknown_ones_take() {
    let (mut rates, from) = (Rates::default(), network("2001:db8::1"));
    for _ in 0..1_000 {
        assert!(rates.take(from, Act::UnknownRecipient, 1, NOW));
        rates.give_back(from, Act::UnknownRecipient, 50);
        rates.give_back(from, Act::UnknownRecipient, 50);
    }
    // Nothing is saved up beyond what there was at first.
    assert_eq!(
        taken(&mut rates, from, Act::UnknownRecipient, 1, NOW),
        l::UNKNOWN_BURST as usize
    );
}

#[test]
fn all_that_strangers_do_fits_into_the_table() {
    let mut rates = Rates::default();
    for n in 0..200_000_u32 {
        let from = Network::of(std::net::Ipv4Addr::from(n).into());
        rates.take(from, Act::Connection, 1, NOW);
        assert!(rates.len() <= l::RATED_NETWORKS_MAX + 1);
    }
}
