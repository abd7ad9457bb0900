//! Findings over time and the operator's channels.

use std::time::Duration;

use mail::UnixMillis;
use store::findings::*;
use store::*;

use crate::fixture::*;

on_both!(
    a_finding_is_told_once_and_once_when_it_is_over,
    what_is_unknown_stays_as_it_was,
    a_channel_keeps_its_secret_and_what_it_has_to_carry
);

fn at(hours: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(3_600 * hours))
}

fn one(check: &str, about: &str) -> Observed {
    Observed {
        check: check.to_owned(),
        about: about.to_owned(),
        severity: "error".to_owned(),
        seen: "it is not there".to_owned(),
        fix: "Publish it.".to_owned(),
    }
}

fn examined(home: &Home, found: &[Observed], unknown: &'static str, hours: u64) -> Examined {
    let found = found.to_vec();
    home.write(move |change| {
        let is_unknown = |check: &str| !unknown.is_empty() && check.starts_with(unknown);
        change.note_examination(&found, &is_unknown, at(hours))
    })
    .map_err(|error: StoreError| error)
    .expect("an examination is noted")
}

fn titles(home: &Home) -> Vec<String> {
    let notices = home.read(|view| view.notices_to_tell());
    notices.into_iter().map(|notice| notice.title).collect()
}

fn a_finding_is_told_once_and_once_when_it_is_over(home: &Home) {
    let (spf, ptr) = (
        one("spf.exists", "a.test"),
        one("ip.ptr4.exists", "192.0.2.1"),
    );
    let first = examined(home, &[spf.clone(), ptr.clone()], "", 0);
    assert_eq!(first.fresh.len(), 2);
    assert_eq!(titles(home).len(), 2);
    let again = examined(home, &[spf.clone(), ptr.clone()], "", 1);
    assert_eq!(again, Examined::default());
    assert_eq!(titles(home).len(), 2, "known already");
    let open = home.read(|view| view.open_findings());
    assert_eq!((open[0].first_seen, open[0].last_seen), (at(0), at(1)));
    let mended = examined(home, std::slice::from_ref(&spf), "", 2);
    assert_eq!(mended.resolved, std::slice::from_ref(&ptr));
    let told = titles(home);
    assert_eq!(told.len(), 3);
    assert!(told[2].contains("well again"), "{told:?}");
    assert_eq!(home.read(|view| view.open_findings()).len(), 1);
    // When it comes back it is new.
    let back = examined(home, &[spf, ptr.clone()], "", 30);
    assert_eq!(back.fresh, [ptr]);
    let all = home.read(|view| view.findings());
    let known = all
        .iter()
        .find(|one| one.observed.check == "ip.ptr4.exists");
    let known = known.expect("it is remembered");
    assert_eq!((known.first_seen, known.resolved), (at(30), None));
    assert_eq!(titles(home).len(), 4);
}

fn what_is_unknown_stays_as_it_was(home: &Home) {
    let spf = one("spf.exists", "a.test");
    examined(home, std::slice::from_ref(&spf), "", 0);
    let unknown = examined(home, &[], "spf.", 1);
    assert_eq!(unknown, Examined::default());
    assert_eq!(home.read(|view| view.open_findings()).len(), 1);
    let known = examined(home, &[], "", 2);
    assert_eq!(known.resolved, [spf]);
}

fn a_channel_keeps_its_secret_and_what_it_has_to_carry(home: &Home) {
    let channel = NewChannel {
        kind: ChannelKind::Webhook,
        target: "https://hook.example/x".to_owned(),
        secret: Some(b"open sesame".to_vec()),
    };
    assert!(!format!("{channel:?}").contains("sesame"));
    let new = channel.clone();
    let id = home
        .write(move |change| change.add_operator_channel(&new, NOW))
        .expect("a new one");
    let same = channel.clone();
    let twice = home.write(move |change| change.add_operator_channel(&same, NOW));
    assert!(matches!(twice, Err(ChannelError::Known(_))), "{twice:?}");
    let kept = home.read(|view| view.operator_channels());
    assert_eq!(kept[0].channel, channel);
    assert!(!home.read(|view| view.has_operator_posts(NOW)));
    home.write(move |change| change.post_to_operator(id, "{}", NOW))
        .map_err(|error: StoreError| error)
        .expect("kept");
    assert!(home.read(|view| view.has_operator_posts(NOW)));
    let post = home.read(|view| view.operator_posts(NOW)).remove(0);
    let failed = post.clone();
    home.write(move |change| change.operator_post_failed(&failed, "no answer", Some(at(1))))
        .map_err(|error: StoreError| error)
        .expect("noted");
    assert!(!home.read(|view| view.has_operator_posts(NOW)), "later");
    assert!(home.read(|view| view.has_operator_posts(at(1))));
    let kept = home.read(|view| view.operator_channels());
    assert_eq!(kept[0].problem.as_deref(), Some("no answer"));
    home.write(move |change| change.operator_post_done(&post, at(1)))
        .map_err(|error: StoreError| error)
        .expect("noted");
    let kept = home.read(|view| view.operator_channels());
    assert_eq!((kept[0].told, kept[0].problem.clone()), (Some(at(1)), None));
    assert!(!home.read(|view| view.has_operator_posts(at(9))));
    let gone = home.write(move |change| change.remove_operator_channel(id));
    assert!(gone.map_err(|error: StoreError| error).expect("an answer"));
    assert!(home.read(|view| view.operator_channels()).is_empty());
}
