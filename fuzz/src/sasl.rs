//! Logging in: both sides of every mechanism.

use wire::sasl::server::{Exchange, Question, Turn};
use wire::sasl::{Mechanism, ScramKeys, Secret, client};

use crate::conversation::facts;

/// The first byte chooses the mechanism and the side; lines of the rest are the peer's messages.
pub fn sasl(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let messages = input.split(|byte| *byte == b'\n');
    if choice & 8 == 0 {
        server_side(*choice, messages)
    } else {
        client_side(*choice, messages)
    }
}

fn server_side<'a>(choice: u8, mut messages: impl Iterator<Item = &'a [u8]>) {
    let mechanism = Mechanism::ALL[usize::from(choice & 3)];
    let tls = facts();
    let mut exchange = Exchange::new(
        mechanism,
        (choice & 4 == 0).then_some(&tls),
        "0123456789abcdefghijklmn".to_owned(),
    );
    let mut asked = false;
    let mut turn = exchange.start(if choice & 16 == 0 {
        messages.next()
    } else {
        None
    });
    for _ in 0..64 {
        turn = match turn {
            Turn::Challenge(_) => match messages.next() {
                Some(message) => exchange.respond(message),
                None => return,
            },
            Turn::Ask(Question::Password { login, .. }) => {
                asked = true;
                exchange.password_was(login == "alice")
            }
            Turn::Ask(Question::Scram { .. }) => {
                asked = true;
                exchange.scram_keys(ScramKeys::derive("secret", b"salt", 1))
            }
            Turn::Verified { .. } => {
                assert!(asked, "verified without a look at the store");
                return;
            }
            Turn::Failed(_) => return,
        };
    }
    panic!("a login without end");
}

fn client_side<'a>(choice: u8, messages: impl Iterator<Item = &'a [u8]>) {
    let tls = facts();
    let credentials = client::Credentials {
        login: "alice".to_owned(),
        password: Secret::new("secret".to_owned()),
    };
    let offered = &Mechanism::ALL[usize::from(choice & 3)..];
    let chosen = client::Exchange::choose(
        offered,
        credentials,
        (choice & 4 == 0).then_some(&tls),
        client::ClearText::Allowed,
        "0123456789abcdefghijklmn".to_owned(),
    );
    let Ok(mut exchange) = chosen else { return };
    let scram = matches!(
        exchange.mechanism(),
        Mechanism::ScramSha256 | Mechanism::ScramSha256Plus
    );
    let _ = exchange.initial();
    for message in messages.take(64) {
        if exchange.respond(message).is_err() {
            return;
        }
    }
    // Nobody who does not know the password can pass for the server.
    assert!(
        !scram || exchange.succeeded(None).is_err(),
        "an impostor is believed"
    );
}
