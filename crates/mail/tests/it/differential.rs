//! The same messages read by `mail-parser`: subjects, authors, dates and leaf contents must mostly agree.
//! Where the two differ the message is malformed; each kind of difference was looked at once.

use mail::structure::Kind;
use mail::{Message, mailboxes};
use mail_parser::{MessageParser, MimeHeaders};

use crate::corpora;

/// Of a hundred values, how many must be equal.
const SUBJECTS_MIN: usize = 96;
const AUTHORS_MIN: usize = 96;
const DATES_MIN: usize = 97;
const CONTENTS_MIN: usize = 90;

#[derive(Default)]
struct Tally {
    what: &'static str,
    same: usize,
    different: Vec<String>,
}

impl Tally {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    fn add<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, ours: &T, theirs: &T) {
        if ours == theirs {
            self.same += 1;
        } else {
            self.different.push(format!(
                "{name}\n  ours   {ours:.200?}\n  theirs {theirs:.200?}"
            ));
        }
    }

    #[track_caller]
    fn check(&self, percent_min: usize) {
        let total = self.same + self.different.len();
        println!("{}: {} of {total} are the same", self.what, self.same);
        if self.same * 100 < total * percent_min {
            panic!(
                "{}: {} of {total}\n{}",
                self.what,
                self.same,
                self.different.join("\n")
            );
        }
        if std::env::var_os("DIFFERENCES").is_some() {
            println!("{}", self.different.join("\n"));
        }
    }
}

#[test]
fn another_reader_mostly_agrees() {
    let mut subjects = Tally::new("subjects");
    let mut authors = Tally::new("authors");
    let mut dates = Tally::new("dates");
    let mut contents = Tally::new("contents");
    for (name, bytes) in corpora::mime_messages() {
        let ours = Message::parse(&bytes);
        let Some(theirs) = MessageParser::new().parse(&bytes) else {
            continue;
        };
        if let (Some(subject), Some(other)) = (ours.header_text("subject"), theirs.subject()) {
            subjects.add(&name, &words(&subject), &words(other));
        }
        if let (Some(value), Some(other)) = (ours.header("from"), theirs.from()) {
            let list = |address: Option<&str>| address.unwrap_or_default().to_lowercase();
            let found = mailboxes::flatten(mailboxes::parse(value))
                .find(|mailbox| !mailbox.domain.is_empty());
            let author = found.map(|mailbox| {
                let (local, domain) = (
                    String::from_utf8_lossy(&mailbox.local),
                    String::from_utf8_lossy(&mailbox.domain),
                );
                format!("{local}@{domain}").to_lowercase()
            });
            let other = other.first().map(|address| list(address.address()));
            if other.as_ref().is_some_and(|other| other.contains('@')) {
                authors.add(&name, &author, &other);
            }
        }
        if let (Some(date), Some(other)) = (
            ours.header("date").and_then(mail::date::parse),
            theirs.date(),
        ) {
            dates.add(&name, &date.at.secs(), &other.to_timestamp());
        }
        let leaves = |message: &mail_parser::Message<'_>| {
            let leaf = message
                .parts
                .iter()
                .filter(|part| !part.is_multipart() && !part.is_message());
            leaf.map(|part| {
                (
                    part.attachment_name().map(str::to_owned),
                    letters(part.contents()),
                )
            })
            .collect::<Vec<_>>()
        };
        let parts = ours
            .structure()
            .own_parts()
            .filter(|part| part.kind == Kind::Leaf);
        let own: Vec<_> = parts
            .map(|part| {
                let content = ours.content(part);
                let is_text = part.media_type == "text";
                let bytes = if is_text {
                    ours.text(part).into_bytes()
                } else {
                    content.into_owned()
                };
                (part.file_name(), letters(&bytes))
            })
            .collect();
        contents.add(&name, &own, &leaves(&theirs));
    }
    subjects.check(SUBJECTS_MIN);
    authors.check(AUTHORS_MIN);
    dates.check(DATES_MIN);
    contents.check(CONTENTS_MIN);
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Line ends and white space are told differently; letters are not.
fn letters(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .count()
}
