//! Who sent it: SPF with whatever the DNS may answer, and DKIM with whatever a message may hold.

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use mail::ReversePath;
use mailauth::dkim::{self, Algorithm, DkimResult, SigningKey};
use mailauth::explain::Notes;
use mailauth::spf::{self, Sender, SpfResult};
use world::{Answer, BoxFuture, Dns, DnsError, Kind, Record};

const TTL: Duration = Duration::from_secs(60);

/// Answers each question with the next piece of the input; at its end, that there is no such name.
pub(crate) struct Pieces<'a> {
    rest: Mutex<Vec<&'a [u8]>>,
    asked: Mutex<usize>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut rest: Vec<&[u8]> = pieces.collect();
        rest.reverse();
        Self {
            rest: Mutex::new(rest),
            asked: Mutex::new(0),
        }
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl Dns for Pieces<'_> {
    fn ask<'b>(&'b self, _name: &'b str, kind: Kind) -> BoxFuture<'b, Result<Answer, DnsError>> {
        *self.asked.lock().unwrap() += 1;
        let piece = self.rest.lock().unwrap().pop().unwrap_or(b"n");
        let answer = match piece.split_first() {
            Some((b't', _)) => Err(DnsError::TimedOut),
            Some((b'f', _)) => Err(DnsError::ServerFailure),
            None | Some((b'n', _)) => Ok(Answer::no_such_name(TTL)),
            Some((b'd', _)) => Ok(Answer::no_data(TTL)),
            Some((_, records)) => {
                let records = records.split(|byte| *byte == b'|');
                let records = records.map(|text| record(kind, text)).collect();
                Ok(Answer::found(records, TTL))
            }
        };
        Box::pin(std::future::ready(answer))
    }
}

fn record(kind: Kind, text: &[u8]) -> Record {
    let name = || String::from_utf8_lossy(text).into_owned();
    let octet = |index: usize| text.get(index).copied().unwrap_or(1);
    match kind {
        Kind::A => Record::A([192, 0, 2, octet(0)].into()),
        Kind::Aaaa => Record::Aaaa([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet(0))].into()),
        Kind::Mx => Record::Mx {
            preference: 10,
            exchange: name(),
        },
        Kind::Ptr => Record::Ptr(name()),
        _ => Record::Txt(
            text.split(|byte| *byte == b'^')
                .map(<[u8]>::to_vec)
                .collect(),
        ),
    }
}

/// The first line says who is at the door, the others are what the DNS says.
pub fn spf_check(data: &[u8]) {
    let mut pieces = data.split(|byte| *byte == b'\n');
    let Ok(first) = std::str::from_utf8(pieces.next().unwrap_or_default()) else {
        return;
    };
    let dns = Pieces::new(pieces);
    let (helo, mail_from) = first.split_once(' ').unwrap_or(("helo.example", first));
    let ip: IpAddr = match data.len() % 3 {
        0 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
        1 => [192, 0, 2, 1].into(),
        _ => [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201].into(),
    };
    let sender = Sender {
        ip,
        helo,
        mail_from: &ReversePath::Null,
        receiver: "mx.example",
        now: 1_000_000_000,
    };
    let mut notes = Notes::on();
    let check = spf::check_text(&dns, &sender, mail_from, &mut notes);
    let found = check.now_or_never().expect("no answer was waited for");
    // Ten terms, each with its question and ten more; the client's names; the first record and the explanation.
    assert!(dns.asked() <= 10 * 12 + 11 + 2, "{} questions", dns.asked());
    if let Some(text) = &found.explanation {
        assert_eq!(found.result, SpfResult::Fail);
        assert!(text.len() <= 450 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
    let error = matches!(found.result, SpfResult::TempError | SpfResult::PermError);
    assert!(!error || found.problem.is_some());
    assert_eq!(
        found.matched.is_some(),
        !error && found.result != SpfResult::None
    );
    for step in notes.into_steps() {
        assert!(!step.text.contains(['\r', '\n']), "{}", step.text);
    }
}

static KEY: LazyLock<(SigningKey, String)> = LazyLock::new(|| {
    let der = dkim::generate(Algorithm::Ed25519Sha256).expect("a key can be made");
    let key = SigningKey::from_pkcs8("example.org", "s", &der).expect("and read");
    (key, dkim::public_record(&der).expect("and published"))
});

/// Up to the first empty line with bare LF: key records; then a message. Nothing forged passes; and what is
/// signed here passes here.
pub fn dkim_verify(data: &[u8]) {
    let at = data.windows(2).position(|two| two == b"\n\n");
    let (records, message) = match at {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (&b""[..], data),
    };
    let dns = Pieces::new(records.split(|byte| *byte == b'\n'));
    let mut notes = Notes::on();
    let found = dkim::verify(&dns, message, 1_000_000_000, &mut notes);
    let found = found.now_or_never().expect("no answer was waited for");
    assert!(found.len() <= 10 && dns.asked() <= found.len());
    for verdict in &found {
        assert_ne!(verdict.result, DkimResult::None);
        assert_eq!(verdict.result, verdict.reason.result());
        assert!(verdict.signature_start.len() <= 8 && verdict.domain.is_ascii());
    }
    own_signature_passes(message);
}

fn own_signature_passes(message: &[u8]) {
    // A fold at the start would become a part of the signature.
    if message.starts_with(b" ") || message.starts_with(b"\t") {
        return;
    }
    let (key, record) = &*KEY;
    let Ok(mut signed) = dkim::sign(message, &[key], 1_000_000_000) else {
        return;
    };
    signed.extend_from_slice(message);
    let fields = signed.split(|byte| *byte == b'\n').count();
    let record = [b"r", record.as_bytes()].concat();
    let dns = Pieces::new(std::iter::once(&record[..]));
    let mut notes = Notes::off();
    let found = dkim::verify(&dns, &signed, 1_000_000_000, &mut notes);
    let found = found.now_or_never().expect("no answer was waited for");
    let first = found.first().expect("there is a signature");
    assert!(
        first.passed() || 1_000 <= fields || dns.asked() != 1,
        "{first:?}"
    );
}
