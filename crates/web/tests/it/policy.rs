//! The policy's text and its id.

use store::MtaStsMode;
use web::mta_sts::{policy_id, policy_text};

const MODES: [MtaStsMode; 3] = [MtaStsMode::Testing, MtaStsMode::Enforce, MtaStsMode::None];

#[test]
fn a_policy_has_the_form_of_rfc_8461() {
    let text = policy_text(MtaStsMode::Enforce, &["mx.here.test", "mx2.here.test"]);
    let want = "version: STSv1\r\nmode: enforce\r\nmx: mx.here.test\r\nmx: mx2.here.test\r\nmax_age: 604800\r\n";
    assert_eq!(text, want);
    let text = policy_text(MtaStsMode::Testing, &["mx.here.test"]);
    assert!(text.contains("\r\nmode: testing\r\n"), "{text}");
    // RFC 8461 §8.3
    let text = policy_text(MtaStsMode::None, &["mx.here.test"]);
    assert!(
        text.contains("\r\nmode: none\r\n") && text.contains("max_age: 86400\r\n"),
        "{text}"
    );
}

#[test]
fn the_id_changes_with_the_policy_and_only_then() {
    let mut seen = Vec::new();
    for mode in MODES {
        for mx in ["mx.here.test", "other.here.test"] {
            let id = policy_id(&policy_text(mode, &[mx]));
            assert_eq!(id, policy_id(&policy_text(mode, &[mx])));
            // RFC 8461 §3.1: 1 to 32 letters and digits.
            assert!((1..=32).contains(&id.len()), "{id}");
            assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
            assert!(!seen.contains(&id), "{id}");
            seen.push(id);
        }
    }
}
