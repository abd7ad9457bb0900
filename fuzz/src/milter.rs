//! What a milter says: the machine ends, and what it wants changed leaves a message with a header.

use wire::milter::{Client, Connection, Event, Macros, Origin, Recipient, Settings, Work, edit};
use wire::{Machine, Step};

const MESSAGE: &[u8] = b"From: a@b.c\r\nSubject: one\r\n two\r\n\r\nbody\r\n";

pub fn milter(data: &[u8]) {
    let mut client = Client::new(Settings::new(10_000));
    let mut pieces = data.chunks(data.first().map_or(1, |first| usize::from(*first) + 1));
    let mut told = 0;
    for _ in 0..100_000 {
        match client.step() {
            Step::Send(_) => {}
            Step::Event(event) => {
                if let Event::Finished(outcome) = event
                    && let Some(edited) = edit::apply(MESSAGE, &outcome.changes)
                {
                    // Nothing smuggles an end of the header: what follows the first empty line is the body.
                    let lines = edited.split(|byte| *byte == b'\n');
                    assert!(lines.clone().any(|line| line == b"\r"));
                }
                told += 1;
                if told < 4 {
                    client.tell(work());
                } else {
                    client.quit();
                }
            }
            Step::NeedInput { .. } => match pieces.next() {
                Some(piece) => client.receive(piece),
                None => client.end_of_input(),
            },
            Step::Close => return,
            Step::StartTls => panic!("there is no TLS"),
        }
    }
    panic!("it does not end");
}

fn work() -> Work {
    let recipient = |number: u32| Recipient {
        address: format!("<r{number}@here.example>"),
        ..Recipient::default()
    };
    Work {
        connection: Connection {
            name: "localhost".to_owned(),
            origin: Origin::Unknown,
            hello: "client".to_owned(),
        },
        sender: "<a@b.c>".to_owned(),
        parameters: Vec::new(),
        recipients: vec![recipient(0), recipient(1)],
        message: MESSAGE.into(),
        macros: Macros::from([("i", "ID".to_owned())]),
    }
}
