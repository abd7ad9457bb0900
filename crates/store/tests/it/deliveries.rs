//! What is kept of mail that left: events and their sums, incidents, notices, treatment of providers, relays.

use mail::UnixMillis;
use store::deliveries::*;
use store::*;

use crate::fixture::*;

on_both!(
    events_tell_a_message_s_story,
    sums_are_by_provider,
    old_events_are_forgotten,
    one_incident_per_cause_is_open,
    a_matter_is_on_the_board_once,
    standings_are_kept,
    relays_keep_their_passwords_sealed,
    what_waits_for_a_provider_becomes_due
);

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn write<T: Send + 'static>(
    home: &Home,
    work: impl FnMut(&mut Change<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    home.write(work).expect("writing works")
}

fn at(millis: i64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

fn event(provider: &str, fate: Fate, when: i64, delay: i64) -> DeliveryEvent {
    DeliveryEvent {
        at: at(when),
        trace: trace(),
        message_id: "one@here.example".to_owned(),
        queue: QueueId(1),
        account: None,
        sender_domain: "here.example".to_owned(),
        recipient: address("bob@there.example"),
        provider: provider.to_owned(),
        host: Some("mx.there.example".to_owned()),
        ip: Some("192.0.2.1".to_owned()),
        source: Some("192.0.2.2".to_owned()),
        relay: None,
        fate,
        class: (fate != Fate::Accepted).then(|| "reputation".to_owned()),
        rule: None,
        reply: "550 5.7.1 one\n550 5.7.1 two".to_owned(),
        delay_millis: delay,
        tls: Some("TLS 1.3".to_owned()),
    }
}

fn note(home: &Home, events: Vec<DeliveryEvent>) {
    write(home, move |change| {
        events
            .iter()
            .try_for_each(|event| change.note_delivery(event))
    });
}

fn incident(cause: &str) -> Incident {
    Incident {
        id: None,
        cause: cause.to_owned(),
        provider: "outlook".to_owned(),
        provider_name: "Outlook.com".to_owned(),
        class: "reputation".to_owned(),
        rule: "outlook.block.s3150".to_owned(),
        sender_domain: None,
        opened: at(0),
        last: at(0),
        closed: None,
        refusals: 1,
        senders: vec!["ann@here.example".to_owned()],
        tags: vec!["s3150".to_owned()],
        sample: "550 5.7.1 no (S3150)".to_owned(),
        phase: "mail".to_owned(),
        host: None,
        ip: Some("192.0.2.2".to_owned()),
        recipient: "bob@there.example".to_owned(),
        trace: trace().to_string(),
        told: true,
    }
}

fn events_tell_a_message_s_story(home: &Home) {
    let first = event("outlook", Fate::Deferred, 0, 1_000);
    let second = DeliveryEvent {
        trace: first.trace,
        ..event("outlook", Fate::Accepted, MINUTE, 61_000)
    };
    let story = vec![first, second];
    note(home, story.clone());
    let one = story[0].trace;
    assert_eq!(home.read(move |view| view.deliveries_of(&one)), story);
    let found = home.read(|view| view.traces_of("one@here.example"));
    assert_eq!(found, [one]);
    assert_eq!(home.read(|view| view.traces_of("two@here.example")), []);
    let newest = home.read(|view| view.recent_deliveries("outlook", 1));
    assert_eq!(newest, story[1..]);
}

fn sums_are_by_provider(home: &Home) {
    let mut events: Vec<DeliveryEvent> = (1..=100)
        .map(|n| event("google", Fate::Accepted, n * MINUTE, n * 1_000))
        .collect();
    events.push(event("outlook", Fate::Accepted, MINUTE, 5));
    events.push(event("outlook", Fate::Deferred, 80 * MINUTE, 5));
    events.push(event("outlook", Fate::Refused, 81 * MINUTE, 5));
    events[100].relay = Some("smtp.relay.example".to_owned());
    note(home, events);
    let sums = home.read(|view| view.delivery_sums(None, at(0), at(100 * MINUTE)));
    let [google, outlook] = sums.as_slice() else {
        panic!("{sums:?}");
    };
    assert_eq!((google.provider.as_str(), google.accepted), ("google", 100));
    assert_eq!(google.delay, Some([50_000, 90_000, 99_000]));
    let counts = (
        outlook.accepted,
        outlook.relayed,
        outlook.deferred,
        outlook.refused,
    );
    assert_eq!(counts, (1, 1, 1, 1));
    let trend = (outlook.trend.before, outlook.trend.now);
    assert_eq!(trend, (Some(100), Some(0)));
    let one = home.read(|view| view.delivery_sums(Some("outlook"), at(0), at(100 * MINUTE)));
    assert_eq!(one.first(), Some(outlook));
    let later = home.read(|view| view.delivery_sums(None, at(200 * MINUTE), at(300 * MINUTE)));
    assert_eq!(later, []);
}

fn old_events_are_forgotten(home: &Home) {
    let old = event("google", Fate::Accepted, 0, 1);
    let young = event("google", Fate::Accepted, 60 * DAY, 1);
    note(home, vec![old, young.clone()]);
    let left = || home.read(|view| view.recent_deliveries("google", 10));
    block_on(home.store.tidy_deliveries(at(80 * DAY))).expect("tidied");
    assert_eq!(left().len(), 2);
    block_on(home.store.tidy_deliveries(at(100 * DAY))).expect("tidied");
    assert_eq!(left(), [young]);
}

fn one_incident_per_cause_is_open(home: &Home) {
    let first = incident("outlook/s3150");
    let (one, again) = (first.clone(), first.clone());
    let id = write(home, move |change| change.keep_incident(&one));
    assert!(id.is_some());
    assert_eq!(
        write(home, move |change| change.keep_incident(&again)),
        None
    );
    let open = || home.read(|view| view.open_incidents(Some("outlook")));
    assert_eq!(
        open(),
        [Incident {
            id,
            ..first.clone()
        }]
    );
    assert_eq!(home.read(|view| view.open_incidents(Some("google"))), []);
    let closed = Incident {
        id,
        refusals: 7,
        closed: Some(at(DAY)),
        ..first.clone()
    };
    let written = closed.clone();
    write(home, move |change| change.keep_incident(&written));
    assert_eq!(open(), []);
    assert_eq!(
        home.read(|view| view.incidents_since(None, at(0))),
        [closed]
    );
    // The same cause again is a new incident.
    let again = write(home, move |change| change.keep_incident(&first));
    assert!(again.is_some() && again != id);
    // What nobody heard of for months is over.
    block_on(home.store.tidy_deliveries(at(100 * DAY))).expect("tidied");
    assert_eq!(open(), []);
}

fn a_matter_is_on_the_board_once(home: &Home) {
    let notice = NewNotice {
        kind: "incident-opened".to_owned(),
        topic: "incident/1".to_owned(),
        title: "Outlook.com refuses our mail".to_owned(),
        fix: "File the form.".to_owned(),
        created: at(0),
    };
    let add = || {
        let notice = notice.clone();
        write(home, move |change| change.add_notice(&notice))
    };
    assert!(add());
    assert!(!add(), "the same matter again");
    let waiting = home.read(|view| view.notices_to_tell());
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].title, notice.title);
    let id = waiting[0].id;
    write(home, move |change| change.note_told(id, at(MINUTE)));
    assert_eq!(home.read(|view| view.notices_to_tell()), []);
    assert!(!add(), "told before");
    assert_eq!(home.read(|view| view.notices())[0].told, Some(at(MINUTE)));
    assert!(write(home, |change| change.drop_notice("incident/1")));
    assert!(add(), "a new one");
}

fn standings_are_kept(home: &Home) {
    let standing = |state: &str| Standing {
        provider: "outlook".to_owned(),
        sender_domain: String::new(),
        state: state.to_owned(),
        changed: at(0),
    };
    for state in ["{}", "{\"v\":1}"] {
        let row = standing(state);
        write(home, move |change| change.keep_standing(&row));
        assert_eq!(home.read(|view| view.standings()), [standing(state)]);
    }
    write(home, |change| change.forget_standing("outlook", ""));
    assert_eq!(home.read(|view| view.standings()), []);
    assert!(home.read(|view| view.holds_on_reputation()));
    write(home, |change| change.hold_on_reputation(false));
    assert!(!home.read(|view| view.holds_on_reputation()));
}

fn relays_keep_their_passwords_sealed(home: &Home) {
    let relay = ProviderRelay {
        provider: "outlook".to_owned(),
        host: "smtp.relay.example".to_owned(),
        port: 465,
        protection: RelayProtection::Implicit,
        login: Some(("postroad".to_owned(), "pass word".to_owned())),
        always: false,
        created: at(0),
    };
    let bare = ProviderRelay {
        login: None,
        always: true,
        ..relay.clone()
    };
    for kept in [relay, bare] {
        let written = kept.clone();
        write(home, move |change| change.keep_provider_relay(&written));
        assert_eq!(
            home.read(|view| view.provider_relay("outlook")),
            Some(kept.clone())
        );
        assert_eq!(home.read(|view| view.provider_relays()), [kept]);
    }
    assert!(write(home, |change| change.forget_provider_relay("outlook")));
    assert!(!write(home, |change| change.forget_provider_relay("outlook")));
    assert_eq!(home.read(|view| view.provider_relay("outlook")), None);
}

fn what_waits_for_a_provider_becomes_due(home: &Home) {
    let kept = block_on(home.store.keep("Subject: hi\r\n\r\nhello\r\n")).expect("kept");
    let recipient = |text: &str| queue::NewRecipient {
        address: address(text),
        dsn: queue::RecipientDsn::default(),
        due: at(DAY),
    };
    let queued = queue::NewQueued {
        trace: trace(),
        kept,
        prefix: Vec::new(),
        account: None,
        forwarded: false,
        reverse_path: mail::ReversePath::Null,
        recipients: vec![
            recipient("bob@there.example"),
            recipient("x@elsewhere.example"),
        ],
        dsn: queue::MessageDsn::default(),
        tls: queue::TlsWish::default(),
        needs_smtputf8: false,
        body: queue::BodyKind::SevenBit,
        created: at(0),
        expires: at(5 * DAY),
    };
    write(home, move |change| change.enqueue(&queued).map(drop));
    note(home, vec![event("outlook", Fate::Deferred, 0, 1)]);
    let retry = |provider: &'static str| {
        write(home, move |change| {
            change.retry_provider(provider, at(MINUTE))
        })
    };
    assert_eq!(retry("google"), 0);
    assert_eq!(retry("outlook"), 1);
    assert_eq!(home.read(|view| view.next_due(&[])), Some(at(MINUTE)));
}
