//! A search program made ready for one mailbox: sets resolved, keywords looked up, texts folded.
//! Pure: a row gives yes, no, or "only the body knows".

use mail::{Needle, Structure, UnixMillis};
use store::{Flags, Keyword, Placement, UidSet};
use wire::imap::{By, Date, DateTest, Flag, SearchKey};

use super::super::flags::system;
use super::super::message::Message;
use super::super::selected::Selected;

/// What the program is compiled against.
pub(super) struct Context<'a> {
    pub(super) selected: &'a Selected,
    pub(super) now: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// More of the message must be read.
    Open,
}

#[derive(Debug)]
pub(super) enum Test {
    Always,
    Never,
    And(Vec<Test>),
    Or(Box<(Test, Test)>),
    Not(Box<Test>),
    Flag(Flags),
    Keyword(Keyword),
    Uids(UidSet),
    Larger(u64),
    Smaller(u64),
    Internal(DateTest, i64),
    Saved(DateTest, i64),
    InternalAfter(UnixMillis),
    InternalUpTo(UnixMillis),
    ModSeq(u64),
    Message(i64),
    Thread(i64),
    Sent(DateTest, i64),
    Field(String, Needle),
    Body(Needle),
    Text(Needle),
}

/// How much of a message a program may have to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reads {
    Row,
    Message,
    Header,
    Body,
}

/// What a deep test looks at. Without bytes where the program needs none.
pub(super) struct Deep<'a> {
    pub(super) stored: &'a Message,
    pub(super) structure: Option<&'a Structure>,
    pub(super) bytes: &'a [u8],
}

impl Test {
    /// The program's nesting is bounded by the parser, and so is this recursion.
    pub(super) fn compile(key: &SearchKey, context: &Context<'_>) -> Test {
        let set = |set, by| Test::Uids(context.selected.matching(set, by));
        match key {
            SearchKey::All | SearchKey::SaveDateSupported => Test::Always,
            SearchKey::Recent => Test::Never,
            SearchKey::And(keys) => {
                Test::And(keys.iter().map(|key| Test::compile(key, context)).collect())
            }
            SearchKey::Or(both) => Test::Or(Box::new((
                Test::compile(&both.0, context),
                Test::compile(&both.1, context),
            ))),
            SearchKey::Not(inner) => Test::Not(Box::new(Test::compile(inner, context))),
            SearchKey::Flag(flag) => match (system(flag), flag) {
                (Some(bit), _) => Test::Flag(bit),
                (None, Flag::Keyword(name)) => context
                    .selected
                    .keywords
                    .find(name)
                    .map_or(Test::Never, Test::Keyword),
                (None, _) => Test::Never,
            },
            SearchKey::Sequence(numbers) => set(numbers, By::Sequence),
            SearchKey::Uid(uids) => set(uids, By::Uid),
            SearchKey::Larger(size) => Test::Larger(*size),
            SearchKey::Smaller(size) => Test::Smaller(*size),
            SearchKey::Internal(test, Date { days }) => Test::Internal(*test, *days),
            SearchKey::Saved(test, Date { days }) => Test::Saved(*test, *days),
            SearchKey::Sent(test, Date { days }) => Test::Sent(*test, *days),
            SearchKey::Younger(seconds) => Test::InternalAfter(before(context.now, *seconds)),
            SearchKey::Older(seconds) => Test::InternalUpTo(before(context.now, *seconds)),
            SearchKey::ModSeq(modseq) => Test::ModSeq(*modseq),
            SearchKey::EmailId(id) => object_id(id, 'E').map_or(Test::Never, Test::Message),
            SearchKey::ThreadId(id) => object_id(id, 'T').map_or(Test::Never, Test::Thread),
            SearchKey::Header(name, text) => Test::Field(name.clone(), Needle::new(text)),
            SearchKey::Body(text) => Test::Body(Needle::new(text)),
            SearchKey::Text(text) => Test::Text(Needle::new(text)),
        }
    }

    /// The messages among which all matches are: a set at the top of the program bounds the reading.
    pub(super) fn uids(&self, all: &UidSet) -> UidSet {
        match self {
            Test::Uids(uids) => both(uids, all),
            Test::Never => UidSet::new(),
            Test::And(tests) => tests.iter().fold(all.clone(), |left, test| match test {
                Test::Uids(uids) => both(uids, &left),
                _ => left,
            }),
            _ => all.clone(),
        }
    }

    pub(super) fn reads(&self) -> Reads {
        match self {
            Test::And(tests) => tests.iter().map(Test::reads).max().unwrap_or(Reads::Row),
            Test::Or(two) => two.0.reads().max(two.1.reads()),
            Test::Not(inner) => inner.reads(),
            Test::Thread(_) | Test::Sent(..) => Reads::Message,
            Test::Field(..) => Reads::Header,
            Test::Body(_) | Test::Text(_) => Reads::Body,
            _ => Reads::Row,
        }
    }

    /// As far as the row alone decides.
    pub(super) fn row(&self, row: &Placement) -> Verdict {
        self.verdict(row, None)
    }

    /// With all that the program may ask for.
    pub(super) fn deep(&self, deep: &Deep<'_>) -> bool {
        self.verdict(&deep.stored.placement, Some(deep)) == Verdict::Yes
    }

    fn verdict(&self, row: &Placement, deep: Option<&Deep<'_>>) -> Verdict {
        let known = match self {
            Test::Always => true,
            Test::Never => false,
            Test::And(tests) => return and(tests, row, deep),
            Test::Or(two) => {
                return match two.0.verdict(row, deep) {
                    Verdict::Yes => Verdict::Yes,
                    Verdict::No => two.1.verdict(row, deep),
                    Verdict::Open if two.1.verdict(row, deep) == Verdict::Yes => Verdict::Yes,
                    Verdict::Open => Verdict::Open,
                };
            }
            Test::Not(inner) => {
                return match inner.verdict(row, deep) {
                    Verdict::Yes => Verdict::No,
                    Verdict::No => Verdict::Yes,
                    Verdict::Open => Verdict::Open,
                };
            }
            Test::Flag(flag) => row.flags.has(*flag),
            Test::Keyword(keyword) => row.keywords.contains(*keyword),
            Test::Uids(uids) => uids.contains(row.uid),
            Test::Larger(size) => row.size > *size,
            Test::Smaller(size) => row.size < *size,
            Test::Internal(test, day) => on_day(*test, row.internal_date.day(), *day),
            Test::Saved(test, day) => on_day(*test, row.saved.day(), *day),
            Test::InternalAfter(moment) => row.internal_date > *moment,
            Test::InternalUpTo(moment) => row.internal_date <= *moment,
            Test::ModSeq(modseq) => row.modseq.0 >= *modseq,
            Test::Message(id) => row.message.0 == *id,
            deeper => match deep {
                Some(deep) => deeper.look(deep),
                None => return Verdict::Open,
            },
        };
        if known { Verdict::Yes } else { Verdict::No }
    }

    fn look(&self, deep: &Deep<'_>) -> bool {
        match self {
            Test::Thread(id) => deep.stored.thread.0 == *id,
            Test::Sent(test, day) => {
                sent_day(deep.stored).is_some_and(|sent| on_day(*test, sent, *day))
            }
            Test::Field(name, needle) => needle.in_field(deep.bytes, name),
            Test::Body(needle) => deep
                .structure
                .is_some_and(|structure| needle.in_body(deep.bytes, structure)),
            Test::Text(needle) => deep
                .structure
                .is_some_and(|structure| needle.in_message(deep.bytes, structure)),
            _ => false,
        }
    }
}

fn and(tests: &[Test], row: &Placement, deep: Option<&Deep<'_>>) -> Verdict {
    let mut verdict = Verdict::Yes;
    for test in tests {
        match test.verdict(row, deep) {
            Verdict::Yes => {}
            Verdict::No => return Verdict::No,
            Verdict::Open => verdict = Verdict::Open,
        }
    }
    verdict
}

/// The date as the sender wrote it, whatever the zone (RFC 9051 §6.4.4): it is the first string of the envelope.
fn sent_day(stored: &Message) -> Option<i64> {
    let written = stored
        .envelope
        .strip_prefix(b"(\"")
        .and_then(|rest| rest.split(|byte| *byte == b'"').next());
    let zoned = written.and_then(mail::date::parse);
    zoned
        .map(|zoned| zoned.written_day())
        .or_else(|| stored.sent.map(UnixMillis::day))
}

fn on_day(test: DateTest, day: i64, wanted: i64) -> bool {
    match test {
        DateTest::Before => day < wanted,
        DateTest::On => day == wanted,
        DateTest::Since => day >= wanted,
    }
}

fn before(now: UnixMillis, seconds: u32) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(i64::from(seconds) * 1_000))
}

fn object_id(id: &str, kind: char) -> Option<i64> {
    id.strip_prefix(kind)?.parse().ok()
}

fn both(a: &UidSet, b: &UidSet) -> UidSet {
    let mut both = UidSet::new();
    let (mut left, mut right) = (a.ranges().peekable(), b.ranges().peekable());
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        let (from, to) = ((*x.start()).max(*y.start()), (*x.end()).min(*y.end()));
        if from <= to {
            both.insert_range(from..=to);
        }
        if x.end() < y.end() {
            left.next();
        } else {
            right.next();
        }
    }
    both
}
