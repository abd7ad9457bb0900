//! Apache James's SMTP scripts, as far as they speak of the protocol and not of James: our replies
//! have its codes, in its order.

use wire::smtp::server::{AuthRule, Role, Server};

use crate::chat::{self, Act};
use crate::shared::corpus;
use crate::smtp_server::settings;

/// Scripts whose wishes are James's own, with the reason.
const NOT_OURS: [(&str, &str); 3] = [
    (
        "authplain.test",
        "logs in before EHLO, as a user of James's",
    ),
    (
        "starttls_session_fixation.test",
        "refuses STARTTLS after AUTH; we forget the login instead",
    ),
    (
        "starttls_with_injection.test",
        "answers an injection with 451; ours is a row of the smuggling table",
    ),
];

#[test]
fn scripts_of_james() {
    let Some(dir) = corpus("imap-scripts/james/smtp") else {
        return;
    };
    let mut run = 0;
    for entry in std::fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if let Some((_, reason)) = NOT_OURS.iter().find(|(other, _)| *other == name) {
            println!("skipped: {name}: {reason}");
            continue;
        }
        script(&name, &std::fs::read_to_string(&path).expect("readable"));
        run += 1;
    }
    assert!(run >= 3, "{run}");
}

fn script(name: &str, text: &str) {
    let mut said = Vec::new();
    let mut codes = Vec::new();
    for line in text.lines() {
        match line.split_at_checked(2) {
            Some(("C:", rest)) => {
                said.extend(format!("{}\r\n", rest.strip_prefix(' ').unwrap_or(rest)).bytes())
            }
            // Lines before the last of one reply are James's own offers.
            Some(("S:", rest)) if rest.get(4..5) != Some("-") && !rest.ends_with(".*") => {
                codes.push(rest.get(1..4).expect("a code").to_owned());
            }
            _ => {}
        }
    }
    let mut settings = settings(Role::Mx);
    settings.auth = AuthRule::Always;
    let trace = chat::run_all(name, &[Act::Say(said)], || {
        Server::new(settings.clone(), [1; 32])
    });
    let got: Vec<_> = chat::replies(&trace.sent)
        .iter()
        .map(|reply| reply[..3].to_owned())
        .collect();
    assert_eq!(got, codes, "{name}");
    assert_eq!(trace.messages.len(), 1, "{name}");
}
