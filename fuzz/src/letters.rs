//! What stands in messages: the whole, addresses, dates.

use mail::submission::{self, Submitter};
use mail::{
    Address, Domain, Message, ReversePath, Structure, Summary, UnixMillis, date, search::Needle,
};

/// Any bytes are a message; what is learnt of them must fit them, and be readable again.
pub fn message(data: &[u8]) {
    let message = Message::parse(data);
    let structure = message.structure();
    assert_eq!(&Structure::of(data), structure);
    for part in structure.parts() {
        for range in [&part.header, &part.body] {
            assert!(
                range.start <= range.end && range.end <= data.len(),
                "a part outside of the message"
            );
        }
        let _ = message.content(part);
        let _ = message.text(part);
    }
    let again = Structure::decode(&structure.encode());
    assert_eq!(
        again.as_ref(),
        Ok(structure),
        "what is stored cannot be read"
    );
    let summary = Summary::of(data);
    assert_eq!(Summary::decode(&summary.encode()).as_ref(), Ok(&summary));
    assert!(summary.preview.chars().count() <= 200);
    for needle in ["a", "é", "zyzzogeton"] {
        let _ = Needle::new(needle).in_message(data, structure);
    }
    for field in message.fields() {
        let _ = field.text();
    }
    prepared(data);
}

/// What leaves has no second header by trickery, and preparing it again changes nothing of its authors.
fn prepared(data: &[u8]) {
    let submitter = Submitter {
        now: UnixMillis(1_000_000_000_000),
        host: "mx.example.test",
        unique: "x",
        client: None,
        default_author: None,
    };
    if let Ok(once) = submission::prepare(data, &submitter) {
        let twice = submission::prepare(&once.message, &submitter)
            .expect("what was prepared can be prepared");
        assert_eq!(twice.authors, once.authors);
        assert_eq!(twice.message, once.message, "preparing is not idempotent");
    }
}

/// What can be read is written so that it reads the same.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(address) = Address::parse(text) {
        let shown = address.to_string();
        assert_eq!(Address::parse(&shown).as_ref(), Ok(&address), "{shown}");
        assert!(
            !shown.contains(['\r', '\n', '\0', '<', '>']) || shown.contains('"'),
            "{shown}"
        );
        assert!(!shown.contains(['\r', '\n', '\0']), "{shown}");
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain));
        assert!(domain.as_str().is_ascii());
    }
    let _ = ReversePath::parse(text);
}

pub fn date(data: &[u8]) {
    if let Some(read) = date::parse(data) {
        let _ = date::format(read.at);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(read) = date::parse_imap(text)
    {
        let shown = date::format_imap(read.at);
        assert_eq!(
            date::parse_imap(&shown).map(|again| again.at.secs()),
            Some(read.at.secs()),
            "{shown}"
        );
    }
}
