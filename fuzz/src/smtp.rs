//! SMTP, both roles.

use bytes::Bytes;
use mail::{Address, ReversePath};
use wire::sasl::client::{ClearText, Credentials};
use wire::sasl::{ScramKeys, Secret, server::Question};
use wire::smtp::client::{self, Client, Patience, Recipient, TlsRule, Transaction};
use wire::smtp::server::{self, AuthRule, Role, Server, StartTlsRule};
use wire::smtp::{Body, EnhancedCode, Reply};

use crate::conversation::{Cut, Heard, converse, lines_are_whole};

/// The first byte chooses the door and the cut, the rest is what the client says.
pub fn smtp_server(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let whole = serve(*choice, input, Cut::Whole);
    // The same bytes mean the same, however the network cuts them. TLS is the exception: what stands
    // behind STARTTLS in one piece is an injection, in the next piece it is what TLS will make of it.
    if !contains(input, b"STARTTLS") {
        let cut = serve(*choice, input, Cut::Every(usize::from(*choice >> 3) + 1));
        assert_eq!(whole, cut, "another cut, another meaning");
    }
}

fn serve(choice: u8, input: &[u8], cut: Cut) -> Heard {
    let role = if choice & 1 == 0 {
        Role::Mx
    } else {
        Role::Submission
    };
    let mut settings = server::Settings::new(role, "mx.example.test");
    settings.size_max = 4096;
    settings.recipients_max = 5;
    settings.messages_max = 10;
    settings.starttls = if choice & 2 == 0 {
        StartTlsRule::Offered
    } else {
        StartTlsRule::NotOffered
    };
    if choice & 4 != 0 {
        settings.auth = AuthRule::Always;
    }
    let mut server = Server::new(settings, [3; 32]);
    let (mut binary, mut recipients, mut logged_in) = (false, 0, false);
    let heard = converse(&mut server, input, cut, |server, event| match event {
        server::Event::Hello { .. } | server::Event::Mistake(_) => {}
        server::Event::Auth(Question::Password { login, .. }) => {
            server.password_was(login.len() % 2 == 0);
        }
        server::Event::Auth(Question::Scram { .. }) => {
            server.scram_keys(ScramKeys::derive("secret", b"salt", 1));
        }
        server::Event::Verified { .. } => {
            logged_in = true;
            server.accept();
        }
        server::Event::Mail { params, .. } => {
            assert!(role == Role::Mx || logged_in, "mail before a login");
            binary = params.body == Body::BinaryMime;
            recipients = 0;
            server.accept();
        }
        server::Event::Rcpt { to, .. } => {
            if format!("{to:?}").len() % 7 == 0 {
                server.refuse(no());
            } else {
                recipients += 1;
                server.accept();
            }
        }
        server::Event::Data => {
            assert!(0 < recipients, "a body for nobody");
            server.accept();
        }
        server::Event::Message(body) => {
            assert!(0 < recipients, "a message for nobody");
            assert!(body.len() <= 4096, "more than the limit");
            assert!(
                binary || lines_are_whole(&body),
                "a bare line end went through"
            );
            server.finish(Reply::new(250, EnhancedCode(2, 0, 0), "kept"));
        }
    });
    assert!(lines_are_whole(&heard.said), "a reply with half a line end");
    heard
}

fn no() -> Reply {
    Reply::new(550, EnhancedCode(5, 1, 1), "no such user")
}

/// The first byte chooses the settings, the rest is what the server replies.
pub fn smtp_client(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let first = send(*choice, input, Cut::Whole);
    if !contains(input, b"220") || choice & 1 == 0 {
        let cut = send(*choice, input, Cut::Every(usize::from(*choice >> 3) + 1));
        assert_eq!(first.closed, cut.closed);
    }
}

fn send(choice: u8, input: &[u8], cut: Cut) -> Heard {
    let settings = client::Settings {
        hello_name: "mx.example.test".to_owned(),
        tls: match choice & 3 {
            0 => TlsRule::Never,
            1 => TlsRule::Opportunistic,
            2 => TlsRule::FromTheStart,
            _ => TlsRule::Required,
        },
        login: (choice & 4 != 0).then(|| Credentials {
            login: "alice@example.test".to_owned(),
            password: Secret::new("secret".to_owned()),
        }),
        clear_text: ClearText::Allowed,
        patience: Patience::RFC5321,
    };
    let mut client = Client::new(settings, [5; 32]);
    let mut sent = 0;
    let heard = converse(&mut client, input, cut, |client, event| match event {
        client::Event::Ready | client::Event::Finished(_) if sent < 3 => {
            sent += 1;
            if client.send(transaction()).is_err() {
                client.quit();
            }
        }
        client::Event::Ready | client::Event::Finished(_) => client.quit(),
        client::Event::Failed(_) => {}
    });
    assert!(lines_are_whole(&heard.said), "half a line end leaves");
    heard
}

fn transaction() -> Transaction {
    let to = |text: &str| Recipient {
        to: Address::parse(text).expect("an address"),
        notify: None,
        orcpt: None,
    };
    Transaction {
        from: ReversePath::Null,
        recipients: vec![to("a@sink.test"), to("b@sink.test")],
        body: Bytes::from_static(b"Subject: x\r\n\r\n.dot\r\nlf\n.\ncr\r.\r"),
        body_kind: Body::SevenBit,
        smtputf8: false,
        require_tls: false,
        ret: None,
        envid: None,
    }
}

pub fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}
