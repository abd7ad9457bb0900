//! The words of clamd, as it says them, byte by byte.

use super::*;

fn scan() -> Command {
    Command::Scan(Bytes::from_static(b"Subject: x\r\n\r\n"))
}

fn ask(command: Command, said: &[u8]) -> Event {
    let mut client = Client::new(command);
    loop {
        match client.step() {
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
        (scan(), b"stream: OK\0", Event::Answer(Answer::Clean)),
        (
            scan(),
            b"stream: Eicar.UNOFFICIAL FOUND\0",
            found("Eicar.UNOFFICIAL"),
        ),
        (
            scan(),
            b"stream: A\r\nB FOUND\0",
            Event::Failed(Failure::NotClamd),
        ),
        (
            scan(),
            b"INSTREAM size limit exceeded. ERROR\0",
            Event::Answer(Answer::TooLarge),
        ),
        (
            scan(),
            b"stream: Can't allocate memory ERROR\0",
            Event::Answer(Answer::Error("Can't allocate memory".to_owned())),
        ),
        (scan(), b"stream: OK", Event::Failed(Failure::Closed)),
        (
            scan(),
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
        ask(scan(), &[b'x'; 100_000]),
        Event::Failed(Failure::NotClamd)
    );
}

#[test]
fn a_message_goes_in_pieces_and_an_empty_one_ends_it() {
    for size in [
        0,
        1,
        CLAMD_PIECE_BYTES - 1,
        CLAMD_PIECE_BYTES,
        CLAMD_PIECE_BYTES + 1,
        3 * CLAMD_PIECE_BYTES + 7,
    ] {
        let message: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let mut client = Client::new(Command::Scan(message.clone().into()));
        let mut sent = Vec::new();
        while let Step::Send(bytes) = client.step() {
            sent.extend(bytes);
        }
        let mut rest = sent.strip_prefix(b"zINSTREAM\0").unwrap();
        let mut told = Vec::new();
        loop {
            let (length, after) = rest.split_first_chunk::<4>().unwrap();
            let (piece, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            told.extend_from_slice(piece);
            rest = after;
            if piece.is_empty() {
                break;
            }
        }
        assert!(rest.is_empty() && told == message, "{size}");
    }
}

#[test]
fn what_was_said_in_the_midst_of_it_is_heard() {
    let message = vec![b'x'; 10 * CLAMD_PIECE_BYTES];
    let mut client = Client::new(Command::Scan(message.into()));
    for _ in 0..3 {
        assert!(matches!(client.step(), Step::Send(_)));
    }
    client.receive(b"INSTREAM size limit exceeded. ERROR\0");
    client.end_of_input();
    assert_eq!(client.step(), Step::Event(Event::Answer(Answer::TooLarge)));
    assert_eq!(client.step(), Step::Close);
}
