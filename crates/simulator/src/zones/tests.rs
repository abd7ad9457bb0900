//! What the table says to questions.

use super::*;

#[track_caller]
fn check(zones: &Zones, name: &str, kind: Kind, want: AnswerStatus, records: usize) {
    let answer = zones.answer(name, kind);
    assert_eq!(
        (answer.status, answer.records.len()),
        (want, records),
        "{name} {kind:?}"
    );
}

#[test]
fn found_no_data_and_no_such_name() {
    let zones = Zones::new();
    zones
        .name("There.Test.")
        .mx("mx.there.test")
        .mx_at(20, "mx2.there.test");
    zones.name("www.there.test").cname("there.test");
    zones.name("loop.test").cname("loop.test");
    zones.host("a.deep.there.test", [192, 0, 2, 1].into());
    check(&zones, "there.test", Kind::Mx, AnswerStatus::Found, 2);
    check(&zones, "THERE.test.", Kind::Mx, AnswerStatus::Found, 2);
    check(&zones, "www.there.test", Kind::Mx, AnswerStatus::Found, 2);
    check(&zones, "www.there.test", Kind::A, AnswerStatus::NoData, 0);
    check(&zones, "there.test", Kind::A, AnswerStatus::NoData, 0);
    check(&zones, "deep.there.test", Kind::A, AnswerStatus::NoData, 0);
    check(&zones, "nobody.test", Kind::A, AnswerStatus::NoSuchName, 0);
    check(&zones, "ere.test", Kind::A, AnswerStatus::NoSuchName, 0);
    check(&zones, ".", Kind::Ns, AnswerStatus::NoData, 0);
    check(&zones, "loop.test", Kind::A, AnswerStatus::NoData, 0);
    check(
        &zones,
        "1.2.0.192.in-addr.arpa",
        Kind::Ptr,
        AnswerStatus::Found,
        1,
    );
}

#[test]
fn faults_spoil_a_name_and_all_below_it() {
    let zones = Zones::new();
    zones.fault("there.test", DnsFault::ServFail);
    assert_eq!(zones.meet_fault("mx.there.test"), Some(DnsFault::ServFail));
    assert_eq!(zones.meet_fault("there.test"), Some(DnsFault::ServFail));
    assert_eq!(zones.meet_fault("test"), None);
    zones.mend("there.test");
    assert_eq!(zones.meet_fault("mx.there.test"), None);
    zones.fault_times(".", DnsFault::Silent, 2);
    let met = [(); 3].map(|()| zones.meet_fault("any.test"));
    assert_eq!(met, [Some(DnsFault::Silent), Some(DnsFault::Silent), None]);
}
