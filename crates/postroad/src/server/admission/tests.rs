//! Who is let in when it is crowded.

use super::*;

#[test]
fn each_address_has_its_bound_and_all_together_too() {
    let admission = Admission::new(3, 2);
    let one: IpAddr = "192.0.2.1".parse().unwrap();
    let other: IpAddr = "192.0.2.2".parse().unwrap();
    let first = admission.admit(one);
    let second = admission.admit(one);
    assert!(first.is_some() && second.is_some());
    assert!(admission.admit(one).is_none());
    let third = admission.admit(other);
    assert!(third.is_some());
    assert!(admission.admit(other).is_none(), "three is the most of all");
    drop(first);
    assert!(admission.admit(other).is_some());
}

#[test]
fn what_ended_is_forgotten() {
    let admission = Admission::new(3, 2);
    for last in 0..=255 {
        drop(admission.admit(IpAddr::from([192, 0, 2, last])));
    }
    assert!(admission.inner.counts.lock().unwrap().by_address.is_empty());
}

#[test]
fn a_whole_ipv6_net_is_one_address() {
    let admission = Admission::new(10, 1);
    let first = admission.admit("2001:db8::1".parse().unwrap());
    assert!(first.is_some());
    assert!(
        admission
            .admit("2001:db8::ffff:1".parse().unwrap())
            .is_none()
    );
    assert!(
        admission
            .admit("2001:db8:0:1::1".parse().unwrap())
            .is_some()
    );
    let mapped = admission.admit("::ffff:192.0.2.1".parse().unwrap());
    assert!(mapped.is_some());
    assert!(admission.admit("192.0.2.1".parse().unwrap()).is_none());
}
