//! IMAP: the server machine, the command parser, mailbox names.

use wire::imap::{
    ClearTextLogin, Command, Dialect, Event, Offer, Server, ServerSettings, mutf7, parse,
};
use wire::sasl::{ScramKeys, server::Question};

use crate::conversation::{Cut, Heard, converse};
use crate::smtp::contains;

/// The first byte chooses the settings and the cut, the rest is what the client says.
pub fn imap_server(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let whole = serve(*choice, input, Cut::Whole);
    if !contains(input, b"STARTTLS") {
        let cut = serve(*choice, input, Cut::Every(usize::from(*choice >> 2) + 1));
        assert_eq!(whole, cut, "another cut, another meaning");
    }
}

fn serve(choice: u8, input: &[u8], cut: Cut) -> Heard {
    let clear_text_login = if choice & 1 == 0 {
        ClearTextLogin::Allowed
    } else {
        ClearTextLogin::Refused
    };
    let mut server = Server::new(ServerSettings {
        hostname: "mx.example.test".to_owned(),
        offer: Offer {
            starttls: choice & 2 == 0,
            clear_text_login,
            append_bytes_max: 128 * 1024,
        },
        nonce: "0123456789abcdefghijklmn".to_owned(),
    });
    let mut room_held = false;
    converse(&mut server, input, cut, |server, event| match event {
        Event::Command(tagged) => {
            room_held = false;
            match tagged.command {
                Command::Idle => server.idle(tagged.tag),
                Command::Logout => server.bye("bye"),
                _ => server.done(),
            }
        }
        Event::Room { bytes } if bytes.is_multiple_of(3) => server.room_denied(),
        Event::Room { .. } => {
            room_held = true;
            server.room_granted();
        }
        Event::RoomFree => {
            assert!(
                std::mem::take(&mut room_held),
                "room is given back that was not held"
            );
            server.done();
        }
        Event::Ask(Question::Password { login, .. }) => server.password_was(login.len() % 2 == 0),
        Event::Ask(Question::Scram { .. }) => {
            server.scram_keys(ScramKeys::derive("secret", b"salt", 1))
        }
        Event::Verified { .. } => server.logged_in(),
        Event::IdleDone { .. } => server.done(),
    })
}

/// One command after login, where the grammar is widest; `{n}` in the text takes from the rest.
pub fn imap_command(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let dialect = if choice & 1 == 0 {
        Dialect::Rev1
    } else {
        Dialect::Utf8
    };
    let mut parts = input.split(|byte| *byte == 0);
    let text = parts.next().unwrap_or_default();
    let literals: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
    let _ = parse(text, literals, dialect);
}

/// Modified UTF-7: what can be read is written the same way again.
pub fn mailbox_name(data: &[u8]) {
    if let Some(name) = mutf7::decode(data) {
        let mut again = Vec::new();
        mutf7::encode(&name, &mut again);
        assert_eq!(mutf7::decode(&again).as_deref(), Some(name.as_str()));
    }
    if let Ok(name) = std::str::from_utf8(data) {
        let mut text = Vec::new();
        mutf7::encode(name, &mut text);
        assert!(text.is_ascii());
        assert_eq!(mutf7::decode(&text).as_deref(), Some(name));
    }
}
