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
fn wanted_mail_gives_back_what_unknown_recipients_take() {
    for factor in [1, 5] {
        let (mut rates, from) = (Rates::default(), network("2001:db8::1"));
        for _ in 0..1_000 {
            assert!(rates.take(from, Act::UnknownRecipient, factor, NOW));
            rates.give_back(from, Act::UnknownRecipient, factor, 50);
            rates.give_back(from, Act::UnknownRecipient, factor, 50);
        }
        // Nothing is saved up beyond what there was at first, and no more comes back than was taken.
        assert_eq!(
            taken(&mut rates, from, Act::UnknownRecipient, factor, NOW),
            (l::UNKNOWN_BURST * factor) as usize
        );
    }
}

#[test]
fn a_site_of_many_networks_has_a_bound() {
    let mut rates = Rates::default();
    let guesses = (0..10_000_u128).filter(|number| {
        let address = 0x2001_0db8_0001_u128 << 80 | number << 64 | 1;
        let from = Network::of(std::net::Ipv6Addr::from(address).into());
        rates.has(from, Act::UnknownRecipient, 1, NOW)
            && rates.take(from, Act::UnknownRecipient, 1, NOW)
    });
    assert_eq!(
        guesses.count(),
        (l::UNKNOWN_BURST * l::SITE_FACTOR) as usize
    );
    let other = network("2001:db8:2::1");
    assert!(rates.take(other, Act::UnknownRecipient, 1, NOW));
    // Messages are those of its servers.
    let server = network("2001:db8:1::1");
    assert!(rates.take(server, Act::Message, 1, NOW));
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
