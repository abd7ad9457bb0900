//! Circles are seen, long ways are not mistaken for them.

use super::*;

fn message(hosts: usize, ours: usize) -> Vec<u8> {
    let mut out = String::new();
    for at in 0..hosts {
        let by = if at < ours {
            "US.example"
        } else {
            "them.example"
        };
        out.push_str(&format!(
            "Received: from x.example\r\n\tby {by} with ESMTP; now\r\n"
        ));
    }
    out.push_str("Subject: x\r\n\r\nReceived: by us.example\r\n");
    out.into_bytes()
}

#[track_caller]
fn check(hosts: usize, ours: usize, taken: bool) {
    let passed = Passed::of(&message(hosts, ours), &Domain::parse("us.example").unwrap());
    assert_eq!(passed, Passed { hosts, ours });
    assert_eq!(check_loop(passed).is_ok(), taken, "{hosts} {ours}");
}

#[test]
fn circles() {
    check(0, 0, true);
    check(30, 0, true);
    check(limits::RECEIVED_FIELDS_MAX, 0, true);
    check(limits::RECEIVED_FIELDS_MAX + 1, 0, false);
    check(3, 3, true);
    check(7, 7, false);
}
