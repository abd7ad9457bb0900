//! POP3: the server machine.

use std::time::Duration;

use wire::pop3::server::{Event, LoginRule, Server, Settings};
use wire::pop3::{Entry, Maildrop};
use wire::sasl::{ScramKeys, server::Question};
use wire::smtp::server::StartTlsRule;

use crate::conversation::{Cut, Heard, converse, lines_are_whole};
use crate::smtp::contains;

/// The first byte chooses the settings and the cut, the rest is what the client says.
pub fn pop3_server(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let whole = serve(*choice, input, Cut::Whole);
    if !contains(input, b"STLS") {
        let cut = serve(*choice, input, Cut::Every(usize::from(*choice >> 2) + 1));
        assert_eq!(whole, cut, "another cut, another meaning");
    }
}

fn serve(choice: u8, input: &[u8], cut: Cut) -> Heard {
    let settings = Settings {
        hostname: "mx.example.test".to_owned(),
        version: "0".to_owned(),
        stls: if choice & 1 == 0 {
            StartTlsRule::Offered
        } else {
            StartTlsRule::NotOffered
        },
        login: if choice & 2 == 0 {
            LoginRule::Always
        } else {
            LoginRule::OverTls
        },
        patience: Duration::from_secs(600),
    };
    let mut server = Server::new(settings, [1; 32]);
    let entries: Vec<Entry> = (1..=3).map(|uid| Entry { octets: 100, uid }).collect();
    let mut opened = false;
    let heard = converse(&mut server, input, cut, |server, event| match event {
        Event::Auth(Question::Password { login, .. }) => server.password_was(login.len() % 2 == 0),
        Event::Auth(Question::Scram { .. }) => {
            server.scram_keys(ScramKeys::derive("secret", b"salt", 1))
        }
        Event::Verified { .. } => {
            opened = true;
            server.open(Maildrop {
                uid_validity: 1,
                entries: entries.clone(),
            });
        }
        Event::Retrieve { index, .. } => {
            assert!(opened && index < entries.len());
            server.begin_message();
        }
        Event::Update { delete } => {
            assert!(opened && delete.iter().all(|index| *index < entries.len()));
            server.updated();
        }
    });
    assert!(lines_are_whole(&heard.said), "a reply with half a line end");
    heard
}
