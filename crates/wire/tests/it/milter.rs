//! The milter machine against a filter of a few lines: what it is told, in what order, and what each answer does; however the bytes
//! are cut.

use bytes::Bytes;
use proptest::prelude::*;
use wire::milter::{
    Actions, Change, Client, Connection, Event, Failure, Macros, Origin, Outcome, Recipient, Said,
    Settings, Steps, Work,
};
use wire::{Machine, Step};

const MESSAGE: &[u8] =
    b"From: a@b.example\r\nSubject: one\r\n two\r\nno field\r\nX:y\r\n\r\nbody\r\nof two lines\r\n";

/// What a filter says to a command; nothing: it nods.
type Says<'a> = &'a dyn Fn(u8, &[u8]) -> Option<Vec<u8>>;

/// A filter: what it wants at first, and what it says to each command.
struct Filter<'a> {
    agree: Vec<u8>,
    says: Says<'a>,
    input: Vec<u8>,
    seen: Vec<(u8, Vec<u8>)>,
}

fn packet(letter: u8, data: &[u8]) -> Vec<u8> {
    let mut out = (data.len() as u32 + 1).to_be_bytes().to_vec();
    out.push(letter);
    out.extend_from_slice(data);
    out
}

fn agree(version: u32, actions: u32, steps: u32) -> Vec<u8> {
    let numbers = [version, actions, steps].map(u32::to_be_bytes).concat();
    packet(b'O', &numbers)
}

/// Continue to everything that wants an answer.
fn nods(letter: u8) -> Vec<u8> {
    match letter {
        b'D' | b'A' | b'K' | b'Q' => Vec::new(),
        _ => packet(b'c', b""),
    }
}

impl<'a> Filter<'a> {
    fn new(agree: Vec<u8>, says: Says<'a>) -> Self {
        Self {
            agree,
            says,
            input: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some((head, rest)) = self.input.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*head) as usize;
            if rest.len() < length {
                break;
            }
            let (letter, data) = (rest[0], rest[1..length].to_vec());
            self.input.drain(..4 + length);
            out.extend(match letter {
                b'O' => self.agree.clone(),
                _ => (self.says)(letter, &data).unwrap_or_else(|| nods(letter)),
            });
            self.seen.push((letter, data));
        }
        out
    }

    fn letters(&self) -> String {
        let letters = self.seen.iter().map(|(letter, _)| char::from(*letter));
        letters.filter(|letter| *letter != 'D').collect()
    }
}

fn work(recipients: usize, message: &[u8]) -> Work {
    let recipient = |number: usize| Recipient {
        address: format!("<r{number}@here.example>"),
        parameters: Vec::new(),
        macros: vec![("{rcpt_addr}", format!("r{number}@here.example"))],
    };
    Work {
        connection: Connection {
            name: "[192.0.2.1]".to_owned(),
            origin: Origin::Internet {
                address: "192.0.2.1".parse().unwrap(),
                port: 258,
            },
            hello: "client.example".to_owned(),
        },
        sender: "<a@b.example>".to_owned(),
        parameters: vec!["SIZE=9".to_owned()],
        recipients: (0..recipients).map(recipient).collect(),
        message: Bytes::copy_from_slice(message),
        macros: Macros::from([
            ("i", "TRACE".to_owned()),
            ("j", "mail.here.example".to_owned()),
            ("{client_addr}", "192.0.2.1".to_owned()),
        ]),
    }
}

/// Runs until the machine closes or has nothing more to do, with answers cut into pieces of `cut`.
fn run(
    client: &mut Client,
    filter: &mut Filter<'_>,
    works: &mut Vec<Work>,
    cut: usize,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut answers: Vec<u8> = Vec::new();
    for _ in 0..100_000 {
        match client.step() {
            Step::Send(bytes) => answers.extend(filter.hear(&bytes)),
            Step::Event(event) => {
                let over = matches!(event, Event::Failed(_));
                events.push(event);
                if over {
                    continue;
                }
                match works.pop() {
                    Some(work) => client.tell(work),
                    None => client.quit(),
                }
            }
            Step::NeedInput { .. } if answers.is_empty() => client.end_of_input(),
            Step::NeedInput { .. } => {
                let piece: Vec<u8> = answers.drain(..cut.min(answers.len())).collect();
                client.receive(&piece);
            }
            Step::Close => return events,
            Step::StartTls => panic!("a milter has no TLS"),
        }
    }
    panic!("it never ends: {events:?}");
}

/// One message: what came out, the same for every cut, and what the filter saw.
fn one(says: Says<'_>, steps: u32) -> (Event, String) {
    let mut first = None;
    for cut in [usize::MAX, 1, 2, 3, 7] {
        let mut filter = Filter::new(agree(6, 0x1ff, steps), says);
        let mut client = Client::new(Settings::new(1_000_000));
        let events = run(&mut client, &mut filter, &mut vec![work(2, MESSAGE)], cut);
        assert_eq!(events[0], Event::Ready);
        let found = (events[1].clone(), filter.letters());
        let before = first.get_or_insert_with(|| found.clone());
        assert_eq!(*before, found, "cut {cut}");
    }
    first.unwrap()
}

fn outcome(event: Event) -> Outcome {
    match event {
        Event::Finished(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_is_told_in_order() {
    let (event, letters) = one(&|_, _| None, 0);
    assert_eq!(outcome(event).said, Said::Pass);
    // Connect, hello, mail, two recipients, data, three fields, end of header, a piece, end.
    assert_eq!(letters, "OCHMRRTLLLNBEQ");
}

#[test]
fn what_a_filter_does_not_want_is_not_said() {
    let (_, letters) = one(&|_, _| None, 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x200);
    assert_eq!(letters, "OMBEQ");
    let silent = Steps::SILENT_CONNECT
        | Steps::SILENT_HELLO
        | Steps::SILENT_MAIL
        | Steps::SILENT_RECIPIENT
        | Steps::SILENT_DATA
        | Steps::SILENT_HEADER
        | Steps::SILENT_END_OF_HEADER
        | Steps::SILENT_BODY;
    let quiet = |letter: u8, _: &[u8]| (letter != b'E').then(Vec::new);
    let (event, letters) = one(&quiet, silent.0);
    assert_eq!(outcome(event).said, Said::Pass);
    assert_eq!(letters, "OCHMRRTLLLNBEQ");
}

#[test]
fn packets_are_as_libmilter_reads_them() {
    let mut filter = Filter::new(agree(6, 0x1ff, 0), &|_, _| None);
    let mut client = Client::new(Settings::new(1_000_000));
    run(
        &mut client,
        &mut filter,
        &mut vec![work(1, MESSAGE)],
        usize::MAX,
    );
    let data = |letter: u8| -> Vec<&[u8]> {
        let all = filter.seen.iter().filter(|(seen, _)| *seen == letter);
        all.map(|(_, data)| data.as_slice()).collect()
    };
    assert_eq!(data(b'O'), [&b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"[..]]);
    assert_eq!(data(b'C'), [&b"[192.0.2.1]\x004\x01\x02192.0.2.1\0"[..]]);
    assert_eq!(data(b'M'), [&b"<a@b.example>\0SIZE=9\0"[..]]);
    assert_eq!(data(b'L')[1], b"Subject\0one\n two\0");
    assert_eq!(data(b'B'), [&b"body\r\nof two lines\r\n"[..]]);
    let macros = data(b'D');
    assert_eq!(
        macros[0],
        b"Cj\0mail.here.example\0{client_addr}\x00192.0.2.1\0"
    );
    assert!(macros.contains(&&b"Ri\0TRACE\0{rcpt_addr}\0r0@here.example\0"[..]));
}

#[test]
fn answers_at_each_step() {
    let at = |letter: u8, answer: Vec<u8>| {
        move |seen: u8, _: &[u8]| (seen == letter).then(|| answer.clone())
    };
    for letter in *b"CHMTLNBE" {
        let (event, _) = one(&at(letter, packet(b'r', b"")), 0);
        let Said::Refuse(reply) = outcome(event).said else {
            panic!("{}", char::from(letter))
        };
        assert_eq!(reply.code(), 550);
        for temporary in [b't', b'4', b'f'] {
            let (event, _) = one(&at(letter, packet(temporary, b"")), 0);
            assert!(matches!(outcome(event).said, Said::Refuse(reply) if reply.code() == 451));
        }
        let (event, letters) = one(&at(letter, packet(b'a', b"")), 0);
        assert_eq!(outcome(event).said, Said::Pass);
        assert!(letters.contains(char::from(letter)) && (letter == b'E' || !letters.contains('E')));
        let (event, _) = one(&at(letter, packet(b'd', b"")), 0);
        assert_eq!(outcome(event).said, Said::Discard);
    }
    let (event, letters) = one(&at(b'L', packet(b's', b"")), 0);
    assert_eq!(outcome(event).said, Said::Pass);
    assert_eq!(letters, "OCHMRRTLNBEQ", "the other fields are skipped");
}

#[test]
fn a_refused_recipient_is_one_of_several() {
    let first = |letter: u8, data: &[u8]| {
        let mine = letter == b'R' && data.starts_with(b"<r0@");
        mine.then(|| packet(b'y', b"450 4.2.1 not %%now\0"))
    };
    let (event, letters) = one(&first, 0);
    let out = outcome(event);
    assert_eq!((out.refused.len(), out.refused[0].0), (1, 0));
    assert_eq!(
        out.refused[0].1.to_string().trim_end(),
        "450 4.2.1 not %now"
    );
    assert!(letters.contains('E'));
    let all = |letter: u8, _: &[u8]| (letter == b'R').then(|| packet(b'r', b""));
    let (event, letters) = one(&all, 0);
    assert_eq!(outcome(event).refused.len(), 2);
    assert!(!letters.contains('T'), "nobody is left: {letters}");
}

#[test]
fn changes_come_in_their_order_and_bodies_in_pieces() {
    let says = |letter: u8, _: &[u8]| {
        (letter == b'E').then(|| {
            [
                packet(b'h', b"A\0b\n\tc\0"),
                packet(b'p', b""),
                packet(b'b', b"one "),
                packet(b'i', b"\0\0\0\x02I\0j\0"),
                packet(b'b', b"two"),
                packet(b'm', b"\0\0\0\0Subject\0\0"),
                packet(b'2', b"<x@y.example>\0NOTIFY=NEVER\0"),
                packet(b'-', b"<r0@here.example>\0"),
                packet(b'e', b"<>\0"),
                packet(b'q', b"odd\0"),
                packet(b'c', b""),
            ]
            .concat()
        })
    };
    let (event, _) = one(&says, 0);
    let value = |text: &str| text.as_bytes().to_vec();
    assert_eq!(
        outcome(event).changes,
        [
            Change::AddHeader {
                name: "A".to_owned(),
                value: value(" b\r\n\tc")
            },
            Change::ReplaceBody(value("one two")),
            Change::InsertHeader {
                at: 2,
                name: "I".to_owned(),
                value: value(" j")
            },
            Change::ChangeHeader {
                number: 1,
                name: "Subject".to_owned(),
                value: Vec::new()
            },
            Change::AddRecipient {
                address: "<x@y.example>".to_owned(),
                parameters: "NOTIFY=NEVER".to_owned()
            },
            Change::DeleteRecipient("<r0@here.example>".to_owned()),
            Change::ChangeSender {
                address: "<>".to_owned(),
                parameters: String::new()
            },
            Change::Quarantine("odd".to_owned()),
        ]
    );
    // With the leading space agreed on, values are as they are.
    let says = |letter: u8, _: &[u8]| {
        (letter == b'E').then(|| [packet(b'h', b"A\0b\0"), packet(b'c', b"")].concat())
    };
    let (event, _) = one(&says, Steps::LEADING_SPACE.0);
    let added = &outcome(event).changes[0];
    assert!(matches!(added, Change::AddHeader { value, .. } if value == b"b"));
}

#[test]
fn what_cannot_be_is_a_failure() {
    let at_end =
        |packets: Vec<u8>| move |letter: u8, _: &[u8]| (letter == b'E').then(|| packets.clone());
    for packets in [
        packet(b'h', b"A\0b\r\nBcc: c\0"),
        packet(b'h', b"A\0b\n\nbody\0"),
        packet(b'h', b"A\0b\n \t\n c\0"),
        packet(b'h', b"A\0b\rc\0"),
        packet(b'h', b"A B\0c\0"),
        packet(b'h', b"\0c\0"),
        packet(b'h', b"A\0no end"),
        packet(b'i', b"\0\0"),
        packet(b'y', b"250 2.0.0 fine\0"),
        packet(b'y', b"550 one\r\n450 two\0"),
        packet(b'y', b"5\0"),
        packet(b'+', b"<a@b>\r\n\0"),
        packet(b'Z', b""),
        packet(b'O', b""),
        0u32.to_be_bytes().to_vec(),
        u32::MAX.to_be_bytes().to_vec(),
    ] {
        let (event, _) = one(&at_end(packets.clone()), 0);
        assert!(
            matches!(event, Event::Failed(_)),
            "{}: {event:?}",
            packets.escape_ascii()
        );
    }
    let early = |letter: u8, _: &[u8]| (letter == b'M').then(|| packet(b'h', b"A\0b\0"));
    assert!(matches!(
        one(&early, 0).0,
        Event::Failed(Failure::Unexpected(_))
    ));
    let twice =
        |letter: u8, _: &[u8]| (letter == b'E').then(|| packet(b'h', b"A\0b\0").repeat(2_000));
    assert!(matches!(
        one(&twice, 0).0,
        Event::Failed(Failure::TooManyChanges)
    ));
}

#[test]
fn bounds_and_wishes_are_held_against_it() {
    let body =
        |letter: u8, _: &[u8]| (letter == b'E').then(|| packet(b'b', &[b'x'; 600]).repeat(2));
    let mut filter = Filter::new(agree(6, 0x1ff, 0), &body);
    let mut client = Client::new(Settings::new(1_000));
    let events = run(&mut client, &mut filter, &mut vec![work(1, MESSAGE)], 7);
    assert_eq!(events[1], Event::Failed(Failure::BodyTooLarge));
    let much = |letter: u8, _: &[u8]| {
        let field = [&b"A\0"[..], &[b'x'; 60_000], b"\0"].concat();
        (letter == b'E').then(|| packet(b'h', &field).repeat(30))
    };
    let mut filter = Filter::new(agree(6, 0x1ff, 0), &much);
    let mut client = Client::new(Settings::new(1_000));
    let events = run(
        &mut client,
        &mut filter,
        &mut vec![work(1, MESSAGE)],
        50_000,
    );
    assert_eq!(events[1], Event::Failed(Failure::TooManyChanges));
    let agreeing = |agree: Vec<u8>| {
        let mut filter = Filter::new(agree, &|_, _| None);
        let mut client = Client::new(Settings::new(1_000));
        run(&mut client, &mut filter, &mut vec![work(1, MESSAGE)], 5)
    };
    assert_eq!(
        agreeing(agree(1, 0, 0)),
        [Event::Failed(Failure::Version(1))]
    );
    assert_eq!(
        agreeing(agree(7, 0, 0)),
        [Event::Failed(Failure::Version(7))]
    );
    let more = Event::Failed(Failure::Wants(0x1000_0000, 0));
    assert_eq!(agreeing(agree(6, 0, 0x1000_0000)), [more]);
    // Version 2 knows no DATA.
    let mut filter = Filter::new(agree(2, 0x3f, 0), &|_, _| None);
    let mut client = Client::new(Settings::new(1_000));
    run(&mut client, &mut filter, &mut vec![work(1, MESSAGE)], 5);
    assert_eq!(filter.letters(), "OCHMRLLLNBEQ");
    // What it did not ask to change it may not change.
    let added = |letter: u8, _: &[u8]| (letter == b'E').then(|| packet(b'h', b"A\0b\0"));
    let mut filter = Filter::new(agree(6, Actions::QUARANTINE.0, 0), &added);
    let mut client = Client::new(Settings::new(1_000));
    let events = run(&mut client, &mut filter, &mut vec![work(1, MESSAGE)], 5);
    assert_eq!(events[1], Event::Failed(Failure::NotAgreed));
}

#[test]
fn one_connection_serves_several_messages_and_peers() {
    let mut other = work(1, MESSAGE);
    other.connection.hello = "other.example".to_owned();
    let mut filter = Filter::new(agree(6, 0x1ff, 0), &|letter, data| {
        (letter == b'M' && data.starts_with(b"<bad@")).then(|| packet(b'r', b""))
    });
    let mut refused = work(1, MESSAGE);
    refused.sender = "<bad@b.example>".to_owned();
    let mut works = vec![other, work(1, MESSAGE), refused, work(1, MESSAGE)];
    let mut client = Client::new(Settings::new(1_000));
    let events = run(&mut client, &mut filter, &mut works, 4);
    assert_eq!(events.len(), 5, "{events:?}");
    assert_eq!(client.tellings(), 4);
    // The second message begins at MAIL and is refused there; the third needs an ABORT; the fourth is of another peer.
    assert_eq!(filter.letters(), "OCHMRTLLLNBEMAMRTLLLNBEKCHMRTLLLNBEQ");
    assert!(!client.lasts());
    // What is said to the peer's greeting ends the conversation, and the filter is told.
    for (at, answer, seen) in [
        (b'C', b'r', "OCQ"),
        (b'C', b'a', "OCQ"),
        (b'H', b'r', "OCHQ"),
        (b'M', b'r', "OCHM"),
    ] {
        let says = move |letter: u8, _: &[u8]| (letter == at).then(|| packet(answer, b""));
        let mut filter = Filter::new(agree(6, 0x1ff, 0), &says);
        let mut client = Client::new(Settings::new(1_000));
        let mut answers = Vec::new();
        let said = loop {
            match client.step() {
                Step::Send(bytes) => answers.extend(filter.hear(&bytes)),
                Step::Event(Event::Ready) => client.tell(work(1, MESSAGE)),
                Step::Event(event) => break event,
                Step::NeedInput { .. } => client.receive(&std::mem::take(&mut answers)),
                step => panic!("{step:?}"),
            }
        };
        assert!(matches!(said, Event::Finished(_)), "{said:?}");
        assert_eq!(client.lasts(), at == b'M', "{seen}");
        if !client.lasts() {
            client.quit();
            while let Step::Send(bytes) = client.step() {
                filter.hear(&bytes);
            }
            assert!(matches!(client.step(), Step::Close));
        }
        assert_eq!(filter.letters(), seen);
    }
    // An old filter cannot begin anew.
    let mut filter = Filter::new(agree(2, 0x1f, 0), &|_, _| None);
    let mut client = Client::new(Settings::new(1_000));
    run(&mut client, &mut filter, &mut vec![work(1, MESSAGE)], 4);
    assert!(!client.is_fit_for(&work(1, MESSAGE)), "it is closed");
}

/// The same host at another door, or with TLS, is another peer: what a filter was told of the first is not true of the second.
#[test]
fn macros_of_one_message_are_not_believed_of_the_next() {
    let at_door = |door: &str, tls: Option<&str>, user: Option<&str>| {
        let mut work = work(1, MESSAGE);
        work.macros.insert("{daemon_name}", door.to_owned());
        if let Some(tls) = tls {
            work.macros.insert("{tls_version}", tls.to_owned());
        }
        if let Some(user) = user {
            work.macros.insert("{auth_authen}", user.to_owned());
        }
        work
    };
    let (mta, tls) = (at_door("MTA", None, None), Some("TLSv1.3"));
    let msa = at_door("MSA", tls, Some("ann"));
    let mut works = vec![
        mta.clone(),
        msa.clone(),
        msa.clone(),
        at_door("MTA", tls, None),
        mta.clone(),
        mta.clone(),
    ];
    let mut filter = Filter::new(agree(6, 0x1ff, 0x1 << 5 | 0x10 | 0x40), &|_, _| None);
    let mut client = Client::new(Settings::new(1_000));
    run(&mut client, &mut filter, &mut works, 5);
    let all = "MRTE";
    let expected = format!("OCH{all}{all}KCH{all}KCH{all}{all}KCH{all}Q");
    assert_eq!(filter.letters(), expected);
    let greetings = filter
        .seen
        .iter()
        .filter(|(letter, data)| *letter == b'D' && data.starts_with(b"C"));
    let doors: Vec<&[u8]> = greetings
        .map(|(_, data)| {
            let door = |three: &&[u8]| *three == b"MTA" || *three == b"MSA";
            data.windows(3).find(door).unwrap()
        })
        .collect();
    assert_eq!(doors, [b"MTA", b"MTA", b"MSA", b"MTA"]);
    // Who came without a user after one with one is told as such: a list that would be empty still takes the place of the former.
    let mut filter = Filter::new(
        packet(
            b'O',
            &[
                [6, 0x1ff, 0x1 | 0x2 | 1 << 5 | 0x10 | 0x40]
                    .map(u32::to_be_bytes)
                    .concat(),
                [&2u32.to_be_bytes()[..], b"{auth_authen}\0"].concat(),
            ]
            .concat(),
        ),
        &|_, _| None,
    );
    let mut client = Client::new(Settings::new(1_000));
    let mut works = vec![mta.clone(), msa, mta];
    run(&mut client, &mut filter, &mut works, 5);
    let told: Vec<&[u8]> = filter
        .seen
        .iter()
        .filter(|(letter, data)| *letter == b'D' && data.starts_with(b"M"))
        .map(|(_, data)| data.as_slice())
        .collect();
    assert_eq!(told, [&b"M{auth_authen}\0ann\0"[..], b"Mi\0TRACE\0"]);
}

/// libmilter closes at packets above 64 KB: one odd message must not look like a filter that is gone.
#[test]
fn fields_with_long_names_stay_below_what_a_packet_holds() {
    for name in [1, 5_000, 50_000, 61_439, 61_440, 70_000, 200_000] {
        let message = [
            vec![b'N'; name],
            b":".to_vec(),
            vec![b'v'; 100_000],
            b"\r\n\r\n".to_vec(),
        ]
        .concat();
        let mut filter = Filter::new(agree(6, 0, 0), &|_, _| None);
        let mut client = Client::new(Settings::new(1_000));
        let events = run(&mut client, &mut filter, &mut vec![work(1, &message)], 9);
        assert!(matches!(events[1], Event::Finished(_)), "{name}");
        for (letter, data) in &filter.seen {
            assert!(
                data.len() < 65_535,
                "{name}: {} {}",
                char::from(*letter),
                data.len()
            );
        }
    }
}

#[test]
fn a_large_body_goes_in_pieces_and_may_be_skipped() {
    let message = [b"A: b\r\n\r\n".to_vec(), vec![b'x'; 200_000]].concat();
    let sizes = |says: Says<'_>| -> Vec<usize> {
        let mut filter = Filter::new(agree(6, 0, 0), says);
        let mut client = Client::new(Settings::new(1_000));
        run(&mut client, &mut filter, &mut vec![work(1, &message)], 9);
        let pieces = filter.seen.iter().filter(|(letter, _)| *letter == b'B');
        pieces.map(|(_, data)| data.len()).collect()
    };
    assert_eq!(sizes(&|_, _| None), [65_535, 65_535, 65_535, 3_395]);
    assert_eq!(
        sizes(&|letter, _| (letter == b'B').then(|| packet(b's', b""))),
        [65_535]
    );
}

proptest! {
    #[test]
    fn garbage_ends_and_never_panics(
        pieces in prop::collection::vec((prop::sample::select(b"OcadrtsyhmibpZ+-eq24f".to_vec()), prop::collection::vec(any::<u8>(), 0..40)), 0..30),
        message in "[ab:\\r\\n \\t]{0,80}",
        cut in 1usize..9,
    ) {
        let mut noise = agree(6, 0x1ff, 0);
        noise.extend(pieces.iter().flat_map(|(letter, data)| packet(*letter, data)));
        let mut client = Client::new(Settings::new(100));
        let mut told = 0;
        let mut closed = false;
        for _ in 0..20_000 {
            match client.step() {
                Step::Send(_) => {}
                Step::Event(_) if told < 3 => {
                    told += 1;
                    client.tell(work(2, message.as_bytes()));
                }
                Step::Event(_) => client.quit(),
                Step::NeedInput { .. } if noise.is_empty() => client.end_of_input(),
                Step::NeedInput { .. } => {
                    let piece: Vec<u8> = noise.drain(..cut.min(noise.len())).collect();
                    client.receive(&piece);
                }
                Step::Close => {
                    closed = true;
                    break;
                }
                Step::StartTls => unreachable!(),
            }
        }
        prop_assert!(closed);
    }
}
