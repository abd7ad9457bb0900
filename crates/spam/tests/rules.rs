//! The rules over mail of three eras: what they must not say of wanted mail, and that they find something at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use spam::reasons::{Kind, Nature};
use spam::{Envelope, Facts, Finding, Sight, Verdict, Weights, judge, rules};

/// `shared/corpora` beside the repository, or under $POSTROAD_SHARED.
fn corpora() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("POSTROAD_SHARED").map_or_else(beside, PathBuf::from);
    shared.join("corpora")
}

struct Message {
    path: String,
    is_spam: bool,
    findings: Vec<Finding>,
}

/// All messages of a corpus with what rules say; nothing where the corpus is absent.
fn corpus(name: &str) -> Option<Vec<Message>> {
    let path = corpora().join(name).join(format!("{name}.tar.gz"));
    let Ok(packed) = fs::read(&path) else {
        eprintln!("skipped: {name} is not here");
        return None;
    };
    let mut tar = Vec::new();
    GzDecoder::new(packed.as_slice())
        .read_to_end(&mut tar)
        .unwrap();
    let mut messages = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + 512) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let name = text(0..100);
        if name.is_empty() {
            break;
        }
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        let body = &tar[at + 512..at + 512 + size];
        at += 512 + size.next_multiple_of(512);
        if header[156] == b'0' || header[156] == 0 {
            messages.push(Message {
                is_spam: name.contains("spam/"),
                findings: rules(&Sight::of(body), &Envelope::default()),
                path: name,
            });
        }
    }
    Some(messages)
}

/// How often each kind is found among wanted and unwanted messages.
fn table(messages: &[Message]) -> BTreeMap<Kind, (usize, usize)> {
    let mut table = BTreeMap::new();
    for message in messages {
        let mut kinds: Vec<Kind> = message
            .findings
            .iter()
            .map(|finding| finding.kind)
            .collect();
        kinds.sort();
        kinds.dedup();
        for kind in kinds {
            let (ham, spam): &mut (usize, usize) = table.entry(kind).or_default();
            *(if message.is_spam { spam } else { ham }) += 1;
        }
    }
    table
}

/// Prints the table and the wanted messages that rules speak against: `cargo nextest run -p spam --test rules --no-capture`.
fn show(name: &str, messages: &[Message]) {
    let of = |spam: bool| messages.iter().filter(|one| one.is_spam == spam).count();
    eprintln!("{name}: {} wanted, {} spam", of(false), of(true));
    for (kind, (ham, spam)) in table(messages) {
        eprintln!("  {:28} wanted {ham:5}  spam {spam:5}", kind.id());
    }
    for message in messages.iter().filter(|one| !one.is_spam) {
        let hard = message
            .findings
            .iter()
            .filter(|one| one.kind.nature() == Nature::Hard);
        for finding in hard {
            eprintln!(
                "    {} {:+.1} {}",
                message.path,
                finding.weight,
                finding.words()
            );
        }
    }
}

#[test]
fn tricks_are_rare_in_wanted_mail() {
    for (name, most) in [
        ("spam-spamassassin-public", 0.01),
        ("spam-csdmc2010", 0.01),
        ("spam-foff-2025", 0.02),
    ] {
        let Some(messages) = corpus(name) else {
            continue;
        };
        show(name, &messages);
        // Rules alone, before the model has said anything.
        let junked = |message: &&Message| {
            judge(
                0.0,
                &message.findings,
                &Facts::default(),
                &Weights::default(),
            )
            .is_junk()
        };
        let ham: Vec<&Message> = messages.iter().filter(|one| !one.is_spam).collect();
        let wrong: Vec<&str> = ham
            .iter()
            .copied()
            .filter(junked)
            .map(|one| one.path.as_str())
            .collect();
        let share = wrong.len() as f32 / ham.len() as f32;
        assert!(share <= most, "{name}: {wrong:?}");
        let speaks = |one: &&Message| one.findings.iter().any(|finding| finding.weight >= 1.0);
        let noticed = messages
            .iter()
            .filter(|one| one.is_spam)
            .filter(speaks)
            .count();
        assert!(noticed > 0, "{name}: the rules find nothing");
    }
}

#[test]
fn whatever_comes_is_judged() {
    let folder = corpora().join("mime-messages");
    let mut files = Vec::new();
    walk(&folder, &mut files);
    if files.is_empty() {
        eprintln!("skipped: mime-messages is not here");
    }
    for file in files {
        let message = fs::read(&file).unwrap();
        let findings = rules(&Sight::of(&message), &Envelope::default());
        let verdict = judge(0.0, &findings, &Facts::default(), &Weights::default());
        let read = Verdict::of_message(&verdict.header_field("mx.example")).unwrap();
        assert_eq!(read.verdict.words(), verdict.words(), "{}", file.display());
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn features_of_old_test_mail() {
    let Some(messages) = corpus("spam-sa-testdata") else {
        return;
    };
    show("spam-sa-testdata", &messages);
    let junk = |message: &Message| {
        judge(
            0.0,
            &message.findings,
            &Facts::default(),
            &Weights::default(),
        )
        .is_junk()
    };
    let wrong: Vec<&str> = messages
        .iter()
        .filter(|one| !one.is_spam && junk(one))
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(wrong, [""; 0]);
    let test_lines = messages.iter().filter(|one| {
        one.findings
            .iter()
            .any(|finding| finding.kind == Kind::TestString)
    });
    assert!(test_lines.clone().count() > 0, "no GTUBE among them");
    assert!(test_lines.into_iter().all(|one| one.is_spam && junk(one)));
}
