//! The words of clamd, as it says them, byte by byte.

use super::*;

fn ask(command: Command, said: &[u8]) -> Event {
    let mut client = Client::new(command);
    loop {
        match client.step() {
            Step::Event(Event::Body) => client.sent(),
            Step::Event(event) => return event,
            Step::Send(_) => {}
            Step::NeedInput { .. } => {
                for byte in said {
                    client.receive(&[*byte]);
                }
                client.end_of_input();
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn answers_are_understood() {
    let found = |name: &str| Event::Answer(Answer::Found(name.to_owned()));
    for (command, said, expected) in [
        (Command::Ping, &b"PONG\0"[..], Event::Answer(Answer::Pong)),
        (
            Command::Version,
            b"ClamAV 1.0.3/27000/x\0",
            Event::Answer(Answer::Version("ClamAV 1.0.3/27000/x".to_owned())),
        ),
        (Command::Scan, b"stream: OK\0", Event::Answer(Answer::Clean)),
        (
            Command::Scan,
            b"stream: Eicar.UNOFFICIAL FOUND\0",
            found("Eicar.UNOFFICIAL"),
        ),
        (
            Command::Scan,
            b"stream: A\r\nB FOUND\0",
            Event::Failed(Failure::NotClamd),
        ),
        (
            Command::Scan,
            b"INSTREAM size limit exceeded. ERROR\0",
            Event::Answer(Answer::TooLarge),
        ),
        (
            Command::Scan,
            b"stream: Can't allocate memory ERROR\0",
            Event::Answer(Answer::Error("Can't allocate memory".to_owned())),
        ),
        (Command::Scan, b"stream: OK", Event::Failed(Failure::Closed)),
        (
            Command::Scan,
            b"220 mail.example ESMTP\r\n",
            Event::Failed(Failure::NotClamd),
        ),
        (
            Command::Ping,
            b"stream: OK\0",
            Event::Failed(Failure::NotClamd),
        ),
    ] {
        assert_eq!(ask(command, said), expected, "{}", said.escape_ascii());
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    assert_eq!(
        ask(Command::Scan, &[b'x'; 100_000]),
        Event::Failed(Failure::NotClamd)
    );
}
