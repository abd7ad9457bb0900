//! What is built on SPF and DKIM: chains of seals, the policy of a domain, and the field that tells.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::FutureExt;
use mail::ReversePath;
use mailauth::arc::{self, ChainState, Sealer};
use mailauth::dkim::{self, Algorithm, SigningKey};
use mailauth::dmarc::{self, Author, DmarcResult, Policy, Record};
use mailauth::explain::Notes;
use mailauth::results;
use mailauth::spf::Sender;
use mailauth::verdict::{self, Verdict};
use world::{Answer, BoxFuture, Dns, DnsError, Kind};

use crate::auth::Pieces;

const NOW: u64 = 1_000_000_000;
const US: &str = "mx.example.org";

/// A field's value, or a message: reading ends, and what pretends to be ours is gone after one pass.
pub fn auth_results(data: &[u8]) {
    if let Some(read) = results::parse(data) {
        assert!(read.results.len() <= 100);
        let bounded = |one: &results::MethodResult| one.properties.len() <= 30;
        assert!(read.results.iter().all(bounded));
    }
    let found = results::forged(data, US);
    let mut kept = Vec::new();
    let mut at = 0;
    for place in &found {
        kept.extend_from_slice(&data[at..place.start]);
        at = place.end;
    }
    kept.extend_from_slice(&data[at..]);
    assert!(results::forged(&kept, US).is_empty());
    hostile_words_stay_words(data);
}

/// Whatever others say, our field has our results and no more.
fn hostile_words_stay_words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut verdict = found(
        &Pieces::new(std::iter::empty()),
        b"From: a@b.example\r\n\r\n",
    );
    verdict.iprev.name = Some(text.to_string());
    verdict.helo.matched = Some(text.to_string());
    verdict.spf.domain = text.to_string();
    verdict.dmarc.domain = Some(text.to_string());
    let field = String::from_utf8(results::write(US, &verdict)).expect("it is text");
    let value = field
        .strip_prefix("Authentication-Results:")
        .expect("it has its name");
    let read = results::parse(value.as_bytes()).expect("ours can be read");
    let methods: Vec<&str> = read.results.iter().map(|one| one.method.as_str()).collect();
    assert_eq!(methods, ["iprev", "spf", "dkim", "arc", "dmarc"], "{field}");
    assert_eq!(read.results[0].result, verdict.iprev.result.as_str());
    assert!(
        !value
            .trim_end()
            .replace("\r\n\t", "")
            .contains(['\r', '\n']),
        "{field}"
    );
    assert!(value.split("\r\n").all(|line| line.len() < 998), "{field}");
}

fn found(dns: &dyn Dns, message: &[u8]) -> Verdict {
    let ip: IpAddr = [192, 0, 2, 1].into();
    let sender = Sender {
        ip,
        helo: "helo.example",
        mail_from: &ReversePath::Null,
        receiver: US,
        now: NOW,
    };
    let early = verdict::early(dns, &sender).now_or_never();
    let early = early.expect("no answer was waited for");
    let verdict = verdict::message(dns, early, message, NOW).now_or_never();
    verdict.expect("no answer was waited for")
}

/// The first line is a From field, the second the domain of a signature that passes, the others what the
/// DNS says.
pub fn dmarc_policy(data: &[u8]) {
    if let Ok(record) = Record::parse(data) {
        assert!(record.rua.len() <= 10 && record.ruf.len() <= 10);
        assert!(record.text.trim_start().starts_with(['v', 'V']));
    }
    let mut lines = data.split(|byte| *byte == b'\n');
    let from = lines.next().unwrap_or_default();
    let signer = String::from_utf8_lossy(lines.next().unwrap_or_default()).to_ascii_lowercase();
    let dns = Pieces::new(lines);
    let author = Author::of_from(from);
    let mut verdict = found(&Pieces::new(std::iter::empty()), b"\r\n");
    verdict.spf.result = mailauth::spf::SpfResult::Pass;
    verdict.spf.domain = signer;
    let mut notes = Notes::on();
    let dmarc = dmarc::check(&dns, author, &verdict.spf, &[], &mut notes).now_or_never();
    let dmarc = dmarc.expect("no answer was waited for");
    // Two walks and the question whether the domain exists; or that for each of four authors, one walk each.
    assert!(dns.asked() <= 4 * (8 + 1), "{} questions", dns.asked());
    let passes = dmarc.spf_aligned || dmarc.dkim_aligned;
    assert_eq!(dmarc.result == DmarcResult::Pass, passes);
    // Of several authors, of whom DMARC says nothing, it is what the strictest of them wishes.
    let wishes = matches!(dmarc.result, DmarcResult::Fail | DmarcResult::PermError);
    assert!(dmarc.wish == Policy::None || wishes);
    assert!(dmarc.result != DmarcResult::Fail || dmarc.published.is_some());
}

static KEY: LazyLock<(SigningKey, String)> = LazyLock::new(|| {
    let der = dkim::generate(Algorithm::Ed25519Sha256).expect("a key can be made");
    let key = SigningKey::from_pkcs8("example.org", "s", &der).expect("and read");
    (key, dkim::public_record(&der).expect("and published"))
});

/// Says the same to every question.
struct Always<'a>(&'a str);

impl Dns for Always<'_> {
    fn ask<'b>(&'b self, _name: &'b str, _kind: Kind) -> BoxFuture<'b, Result<Answer, DnsError>> {
        let record = world::Record::Txt(vec![self.0.as_bytes().to_vec()]);
        let answer = Answer::found(vec![record], Duration::from_secs(60));
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// A message: its chain is judged, and what is sealed here makes a chain that passes if it passed before.
pub fn arc_chain(data: &[u8]) {
    let (key, record) = &*KEY;
    let dns = Always(record);
    let before = arc::validate(&dns, data, NOW, &mut Notes::on()).now_or_never();
    let before = before.expect("no answer was waited for");
    assert_eq!(before.cv == ChainState::Pass, before.oldest_pass.is_some());
    assert!(before.cv == ChainState::Fail || before.sets.len() <= 50);
    // A fold at the start would become a part of the seal, and bare line ends are mended first.
    let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let bare = line.len() < data.len() && !line.ends_with(b"\r");
    if bare || data.starts_with(b" ") || data.starts_with(b"\t") {
        return;
    }
    let sealer = Sealer {
        key,
        authserv_id: US,
        now: NOW,
    };
    let Some(seal) = arc::seal(data, &sealer, "spf=none; dmarc=none", &before) else {
        return;
    };
    let sent = [&seal[..], data].concat();
    if 990 < sent.split(|byte| *byte == b'\n').count() {
        return;
    }
    let after = arc::validate(&dns, &sent, NOW, &mut Notes::off()).now_or_never();
    let after = after.expect("no answer was waited for");
    assert_eq!(
        after.cv == ChainState::Fail,
        before.cv == ChainState::Fail,
        "{after:?}"
    );
}
