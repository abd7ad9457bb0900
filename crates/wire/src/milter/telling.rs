//! One message told to a filter, command by command: what comes next, and in which bytes.

use std::collections::BTreeMap;

use super::flags::{Stage, Steps, VERSION_WITH_DATA};
use super::packet::Packet;
use super::work::{Origin, Outcome, Said, Work};
use crate::limits::{MILTER_CHUNK_BYTES, MILTER_SHOWN_FIELD_BYTES_MAX, MILTER_SHOWN_FIELDS_MAX};
use mail::header;

/// What both sides agreed on.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreed {
    pub(super) version: u32,
    pub(super) actions: super::Actions,
    pub(super) steps: Steps,
    /// The macros that the filter wants at a stage; else ours.
    pub(super) macros: BTreeMap<Stage, Vec<String>>,
}

/// Where in a message we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Connect,
    Hello,
    Mail,
    Recipient(usize),
    Data,
    /// The field that begins at this byte, and its number.
    Header {
        byte: usize,
        number: usize,
    },
    EndOfHeader,
    /// The piece of the body that begins at this byte of the message.
    Body(usize),
    End,
    Over,
}

#[derive(Debug)]
pub(super) struct Telling {
    pub(super) work: Work,
    /// What is said next.
    pub(super) next: At,
    /// What was said last and waits for its answer.
    pub(super) asked: Option<At>,
    pub(super) outcome: Outcome,
    /// Of the changes in it, but for the body's.
    pub(super) change_bytes: usize,
    /// Where the body begins.
    body: usize,
    /// The filter has macros of a former message.
    told_before: bool,
}

impl Telling {
    pub(super) fn new(work: Work, next: At, told_before: bool) -> Self {
        let body = header::extent(&work.message).end;
        Self {
            work,
            next,
            asked: None,
            outcome: Outcome {
                said: Said::Pass,
                refused: Vec::new(),
                changes: Vec::new(),
            },
            change_bytes: 0,
            body,
            told_before,
        }
    }

    /// Writes the next command, if the filter wants it, and says what it is waited for, if it answers.
    pub(super) fn say(&mut self, agreed: &Agreed, out: &mut Vec<u8>) {
        let now = self.next;
        self.next = self.after(now);
        self.asked = None;
        if !wants(agreed, now) {
            return;
        }
        let answers = match now {
            At::Connect => self.connect(agreed, out),
            At::Hello => self.hello(agreed, out),
            At::Mail => self.mail(agreed, out),
            At::Recipient(number) => self.recipient(number, agreed, out),
            At::Data => self.plain(Stage::Data, agreed, out),
            At::Header { byte, number } => self.header(byte, number, agreed, out),
            At::EndOfHeader => self.plain(Stage::EndOfHeader, agreed, out),
            At::Body(at) => self.piece(at, out),
            At::End => self.plain(Stage::EndOfMessage, agreed, out),
            At::Over => false,
        };
        if answers && is_answered(agreed.steps, now) {
            self.asked = Some(now);
        }
    }

    /// What comes after it.
    fn after(&self, at: At) -> At {
        match at {
            At::Connect => At::Hello,
            At::Hello => At::Mail,
            At::Mail if self.work.recipients.is_empty() => At::Data,
            At::Mail => At::Recipient(0),
            At::Recipient(number) if number + 1 < self.work.recipients.len() => {
                At::Recipient(number + 1)
            }
            At::Recipient(_) => At::Data,
            At::Data => At::Header { byte: 0, number: 0 },
            At::Header { byte, number } => match header::fields(self.rest(byte)).next() {
                Some(field) if number + 1 < MILTER_SHOWN_FIELDS_MAX => At::Header {
                    byte: byte + field.end,
                    number: number + 1,
                },
                _ => At::EndOfHeader,
            },
            At::EndOfHeader if self.body < self.work.message.len() => At::Body(self.body),
            At::EndOfHeader => At::End,
            At::Body(at) if at + MILTER_CHUNK_BYTES < self.work.message.len() => {
                At::Body(at + MILTER_CHUNK_BYTES)
            }
            At::Body(_) => At::End,
            At::End | At::Over => At::Over,
        }
    }

    /// The filter wants no more of this kind.
    pub(super) fn skip(&mut self, at: At) {
        self.next = match at {
            At::Recipient(_) => At::Data,
            At::Header { .. } => At::EndOfHeader,
            At::Body(_) => At::End,
            _ => self.next,
        };
    }

    fn rest(&self, byte: usize) -> &[u8] {
        self.work.message.get(byte..).unwrap_or_default()
    }

    fn connect(&self, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        self.macros(Stage::Connect, agreed, &[], out);
        let connection = &self.work.connection;
        let packet = Packet::begin(out, b'C').string(connection.name.as_bytes());
        match &connection.origin {
            Origin::Internet { address, port } => {
                let family: &[u8] = if address.is_ipv4() { b"4" } else { b"6" };
                let packet = packet.bytes(family).bytes(&port.to_be_bytes());
                packet.string(address.to_string().as_bytes()).end();
            }
            Origin::Local(path) => {
                let packet = packet.bytes(b"L").bytes(&[0, 0]);
                packet.string(path.as_bytes()).end();
            }
            Origin::Unknown => packet.bytes(b"U").end(),
        }
        true
    }

    fn hello(&self, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        self.macros(Stage::Hello, agreed, &[], out);
        Packet::begin(out, b'H')
            .string(self.work.connection.hello.as_bytes())
            .end();
        true
    }

    fn mail(&self, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        self.macros(Stage::Mail, agreed, &[], out);
        Packet::begin(out, b'M')
            .string(self.work.sender.as_bytes())
            .strings(self.work.parameters.iter().map(String::as_str))
            .end();
        true
    }

    fn recipient(&self, number: usize, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        let Some(recipient) = self.work.recipients.get(number) else {
            return false;
        };
        self.macros(Stage::Recipient, agreed, &recipient.macros, out);
        Packet::begin(out, b'R')
            .string(recipient.address.as_bytes())
            .strings(recipient.parameters.iter().map(String::as_str))
            .end();
        true
    }

    fn plain(&self, stage: Stage, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        self.macros(stage, agreed, &[], out);
        Packet::begin(out, stage.command()).end();
        true
    }

    /// Lines that are no field are not shown: there is no packet for them.
    fn header(&self, byte: usize, _number: usize, agreed: &Agreed, out: &mut Vec<u8>) -> bool {
        let Some(field) = header::fields(self.rest(byte)).next() else {
            return false;
        };
        if field.name.is_empty() {
            return false;
        }
        let value = match field.value.strip_prefix(b" ") {
            Some(bare) if !agreed.steps.has(Steps::LEADING_SPACE) => bare,
            _ => field.value,
        };
        // A name that leaves no room for a value is none that a filter could take.
        let Some(room) = MILTER_SHOWN_FIELD_BYTES_MAX.checked_sub(field.name.len()) else {
            return false;
        };
        let shown = value.get(..room).unwrap_or(value);
        // Lines inside a value end with LF alone on this wire.
        let shown: Vec<u8> = shown
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect();
        Packet::begin(out, b'L')
            .string(field.name)
            .string(&shown)
            .end();
        true
    }

    fn piece(&self, at: usize, out: &mut Vec<u8>) -> bool {
        let rest = self.rest(at);
        let piece = rest.get(..MILTER_CHUNK_BYTES).unwrap_or(rest);
        out.reserve(piece.len() + 5);
        Packet::begin(out, b'B').bytes(piece).end();
        true
    }

    fn macros(
        &self,
        stage: Stage,
        agreed: &Agreed,
        own: &[(&'static str, String)],
        out: &mut Vec<u8>,
    ) {
        let mut told = told(stage, agreed, &self.work, own);
        // A stage's list takes the place of its former one: without one, what was true of the last message would be believed of this.
        if told.is_empty() && self.told_before {
            told.extend(
                self.work
                    .macros
                    .get_key_value("i")
                    .map(|(name, id)| (*name, id)),
            );
        }
        if told.is_empty() {
            return;
        }
        let packet = Packet::begin(out, b'D').bytes(&[stage.command()]);
        let packet = told.iter().fold(packet, |packet, (name, value)| {
            packet.string(name.as_bytes()).string(value.as_bytes())
        });
        packet.end();
    }
}

/// What the filter wants to know at a stage and is known.
fn told<'a>(
    stage: Stage,
    agreed: &'a Agreed,
    work: &'a Work,
    own: &'a [(&'static str, String)],
) -> Vec<(&'a str, &'a String)> {
    let known = |name: &str| {
        let of_own = own.iter().find(|(own, _)| *own == name);
        let value = of_own.map(|(_, value)| value);
        value.or_else(|| work.macros.get(name))
    };
    match agreed.macros.get(&stage) {
        Some(wanted) => {
            let wanted = wanted.iter().map(String::as_str);
            wanted
                .filter_map(|name| Some((name, known(name)?)))
                .collect()
        }
        None => {
            let usual = stage.macros().iter().copied();
            usual
                .filter_map(|name| Some((name, known(name)?)))
                .collect()
        }
    }
}

/// What is told before the first message of a peer and holds for all that follow: not what is of one message, wherever it is asked for.
pub(super) fn greeting(agreed: &Agreed, work: &Work) -> Vec<(String, String)> {
    let stages = [(At::Connect, Stage::Connect), (At::Hello, Stage::Hello)];
    let wanted = stages.into_iter().filter(|(at, _)| wants(agreed, *at));
    let all = wanted.flat_map(|(_, stage)| told(stage, agreed, work, &[]));
    let lasting =
        all.filter(|(name, _)| !matches!(*name, "i" | "b") && !name.starts_with("{mail_"));
    lasting
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

fn wants(agreed: &Agreed, at: At) -> bool {
    let without = match at {
        At::Connect => Steps::NO_CONNECT,
        At::Hello => Steps::NO_HELLO,
        At::Mail => Steps::NO_MAIL,
        At::Recipient(_) => Steps::NO_RECIPIENT,
        At::Data if agreed.version < VERSION_WITH_DATA => return false,
        At::Data => Steps::NO_DATA,
        At::Header { .. } => Steps::NO_HEADERS,
        At::EndOfHeader => Steps::NO_END_OF_HEADER,
        At::Body(_) => Steps::NO_BODY,
        At::End => return true,
        At::Over => return false,
    };
    !agreed.steps.has(without)
}

fn is_answered(steps: Steps, at: At) -> bool {
    let silent = match at {
        At::Connect => Steps::SILENT_CONNECT,
        At::Hello => Steps::SILENT_HELLO,
        At::Mail => Steps::SILENT_MAIL,
        At::Recipient(_) => Steps::SILENT_RECIPIENT,
        At::Data => Steps::SILENT_DATA,
        At::Header { .. } => Steps::SILENT_HEADER,
        At::EndOfHeader => Steps::SILENT_END_OF_HEADER,
        At::Body(_) => Steps::SILENT_BODY,
        At::End | At::Over => return true,
    };
    !steps.has(silent)
}
