//! Log-ins from new networks: the account's user is told once for each, in plain words, whatever happens in between, and is
//! left in peace on a journey and by a provider who hands out other addresses every day.

use std::net::IpAddr;

use postroad::commands::account::login;
use postroad::commands::{Request, account};
use simulator::{Client, Host, Internet, PASSWORD, days, hours, minutes};

use crate::reports::told;
use crate::{ANN, here};

/// Whether the password is taken from there.
async fn log_in(internet: &Internet, host: &Host, from: &str, password: &str) -> bool {
    let at: IpAddr = from.parse().expect("an address");
    let world = internet.world("device", vec![at]);
    let stream = world.net.connect(Some(at), host.submission());
    let mut client = Client::new(stream.await.expect("the server listens"));
    client.reply().await.expect("a greeting");
    client.say("EHLO laptop.test").await.expect("a reply");
    let reply = client.log_in(ANN, password).await.expect("a reply");
    let _ = client.say("QUIT").await;
    reply.code == 235
}

async fn sign_in(internet: &Internet, host: &Host, from: &str) {
    assert!(log_in(internet, host, from, PASSWORD).await, "{from}");
}

/// What ann was told, the oldest first.
fn letters(host: &Host) -> Vec<String> {
    let mut inbox = host.inbox(ANN);
    inbox.retain(|text| text.contains("to your mail from"));
    inbox
}

fn notices(host: &Host, internet: &Internet, address: &str, state: &str) -> serde_json::Value {
    let request = login::Request::Notices {
        address: address.to_owned(),
        state: Some(state.to_owned()),
    };
    told(
        host,
        internet,
        Request::Account(account::Request::Login(request)),
    )
    .value
}

#[test]
fn a_stranger_is_told_of_once_whatever_happens() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        internet
            .zones()
            .host("vps7.rent.test", "203.0.113.9".parse().expect("an address"));
        sign_in(&internet, &host, "192.0.2.7").await;
        internet.pass(days(3)).await;
        // At work, in the first week.
        sign_in(&internet, &host, "198.51.100.4").await;
        internet.pass(days(7)).await;
        assert!(!log_in(&internet, &host, "203.0.113.9", "a guess").await);
        internet.pass(minutes(20)).await;
        assert_eq!(letters(&host), Vec::<String>::new(), "a guess is no news");
        sign_in(&internet, &host, "203.0.113.9").await;
        internet.pass(minutes(1)).await;
        assert_eq!(letters(&host).len(), 1, "at once");
        for _ in 0..5 {
            host.kill();
            host.start_again().await;
            sign_in(&internet, &host, "203.0.113.77").await;
            sign_in(&internet, &host, "192.0.2.9").await;
            internet.pass(hours(20)).await;
        }
        let told = letters(&host);
        assert_eq!(told.len(), 1, "{told:#?}");
        for part in [
            "Subject: Log-in to your mail from a new network: 203.0.113.9",
            "203.0.113.9 (vps7.rent.test)",
            "SMTP, to send mail",
            "the main password",
            "laptop.test",
            "postroad account passwd ann@here.test",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(told[0].contains(part), "{part}\n{}", told[0]);
        }
        assert!(host.queue().is_empty(), "it is not sent out");
    });
}

#[test]
fn a_crash_between_letter_and_note_tells_nothing_twice() {
    Internet::simulated(2, async |internet| {
        let mut host = here(&internet).await;
        sign_in(&internet, &host, "192.0.2.7").await;
        internet.pass(days(8)).await;
        sign_in(&internet, &host, "203.0.113.9").await;
        let find = |view: &store::View<'_>| {
            let account = view.account_by_address(&ANN.parse().expect("an address"))?;
            let account = account.expect("ann is there").id;
            Ok::<_, store::StoreError>((account, view.sign_in_news(account)?))
        };
        // The power goes before the job has told it, and again afterwards. Whose run was cut has the job for ten minutes.
        host.kill();
        host.start_again().await;
        let (ann, news) = host.store().read_blocking(find).expect("read");
        internet.pass(minutes(30)).await;
        assert_eq!(letters(&host).len(), 1, "{news:?}");
        host.kill();
        host.start_again().await;
        internet.pass(hours(1)).await;
        assert_eq!(letters(&host).len(), 1);
        let (same, left) = host.store().read_blocking(find).expect("read");
        assert_eq!((same, left.len()), (ann, 0));
    });
}

#[test]
fn a_journey_costs_two_letters_a_day_at_most() {
    Internet::simulated(3, async |internet| {
        let host = here(&internet).await;
        sign_in(&internet, &host, "192.0.2.7").await;
        internet.pass(days(9)).await;
        for stop in 1..8 {
            sign_in(&internet, &host, &format!("203.{stop}.113.9")).await;
            internet.pass(hours(1)).await;
        }
        assert_eq!(letters(&host).len(), 2);
        internet.pass(hours(24)).await;
        let told = letters(&host);
        assert_eq!(told.len(), 3, "one sums up the rest");
        assert!(
            told[2].contains("Log-ins to your mail from 5 new networks"),
            "{}",
            told[2]
        );
        assert!(told[2].contains("203.7.113.9"), "{}", told[2]);
        internet.pass(days(2)).await;
        assert_eq!(letters(&host).len(), 3);
    });
}

#[test]
fn a_provider_that_changes_addresses_is_known_by_its_names() {
    Internet::simulated(4, async |internet| {
        let host = here(&internet).await;
        let home = |day: usize| format!("{}.{day}.7.7", 80 + day);
        for day in 0..20 {
            let at = home(day).parse().expect("an address");
            internet.zones().host(&format!("p{day}.dip.isp.test"), at);
        }
        for day in 0..20 {
            sign_in(&internet, &host, &home(day)).await;
            internet.pass(days(1)).await;
        }
        assert_eq!(letters(&host), Vec::<String>::new());
        // Anybody can give an address a name; this one does not lead back.
        let liar: IpAddr = "203.0.113.9".parse().expect("an address");
        let record = world::Record::Ptr("p1.dip.isp.test".to_owned());
        internet.zones().add(&world::reverse_name(liar), record);
        sign_in(&internet, &host, "203.0.113.9").await;
        internet.pass(minutes(1)).await;
        assert_eq!(letters(&host).len(), 1);
    });
}

#[test]
fn who_does_not_want_it_is_not_told() {
    Internet::simulated(5, async |internet| {
        let host = here(&internet).await;
        sign_in(&internet, &host, "192.0.2.7").await;
        internet.pass(days(9)).await;
        assert_eq!(
            notices(&host, &internet, "everyone", "off")["notices"],
            false
        );
        sign_in(&internet, &host, "203.1.113.9").await;
        internet.pass(hours(1)).await;
        assert_eq!(letters(&host).len(), 0);
        assert_eq!(notices(&host, &internet, ANN, "on")["notices"], true);
        sign_in(&internet, &host, "203.2.113.9").await;
        internet.pass(hours(1)).await;
        assert_eq!(letters(&host).len(), 1);
        assert_eq!(notices(&host, &internet, "everyone", "on")["chosen"], "on");
        let off = notices(&host, &internet, ANN, "off");
        assert_eq!(
            (&off["notices"], &off["chosen"]),
            (&false.into(), &"off".into())
        );
        sign_in(&internet, &host, "203.3.113.9").await;
        internet.pass(hours(1)).await;
        assert_eq!(letters(&host).len(), 1);
        assert_eq!(notices(&host, &internet, ANN, "default")["notices"], true);
    });
}
