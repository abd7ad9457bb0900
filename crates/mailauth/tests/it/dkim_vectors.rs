//! Signed messages of other projects, verified from their files with the keys that come with them.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailauth::dkim::{DkimResult, Reason, SignError, SigningKey, Verdict, sign, verify};
use mailauth::explain::Notes;

use crate::shared::corpus;
use crate::verifier::{fields, tag};
use crate::zone::{Entry, Zone, now};
use world::{DnsError, Record};

/// Verifies at the time of the youngest signature, as its receiver did.
fn judge(zone: &Zone, message: &[u8]) -> Vec<Verdict> {
    let strict = crlf(message);
    let times = fields(&strict).0.into_iter().filter_map(|(name, value)| {
        let signature = name.eq_ignore_ascii_case("dkim-signature");
        let value = String::from_utf8_lossy(&value).into_owned();
        signature.then(|| tag(&value, "t")?.parse().ok()).flatten()
    });
    let at: u64 = times.max().unwrap_or(1_200_000_000);
    now(verify(zone, message, at, &mut Notes::off()))
}

fn crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        if line.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

/// `name record` lines. A record in quotes may be empty.
fn fake_dns(text: &str) -> Zone {
    let mut zone = Zone::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, record)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        match record.trim() {
            "NXDOMAIN" => {}
            "~~Query timed out~~" => zone.put(name, Entry::Error(DnsError::TimedOut)),
            "~~SERVFAIL~~" => zone.put(name, Entry::Error(DnsError::ServerFailure)),
            record => {
                let text = record.trim_matches('"').as_bytes().to_vec();
                zone.put(name, Entry::Record(Record::Txt(vec![text])));
            }
        }
    }
    zone
}

/// What the list says, but for what the RFCs have ruled out since.
fn agrees(listed: &str, verdicts: &[Verdict]) -> Result<(), String> {
    let passed = verdicts.iter().any(Verdict::passed);
    // RFC 8301: these passed once, and must not any more.
    let retired = |verdict: &Verdict| match verdict.reason {
        // v=0.5 is a draft's; RFC 6376 §6.1.1 asks for PERMFAIL.
        Reason::Version => verdict.result == DkimResult::PermError,
        Reason::Sha1 => verdict.algorithm_name == "rsa-sha1",
        Reason::KeyTooShort(bits) => bits < 1_024 && verdict.bits == Some(bits),
        _ => false,
    };
    let agrees = match listed {
        "pass" => passed || verdicts.iter().any(retired),
        "fail" => {
            let failed = |it: &Verdict| it.result == DkimResult::Fail || retired(it);
            !passed && verdicts.iter().any(failed)
        }
        // Keys or signatures that cannot be used, for ever or for now.
        "invalid" => {
            let refused = |it: &Verdict| {
                use DkimResult::{PermError, Policy, TempError};
                matches!(it.result, PermError | Policy | TempError)
            };
            verdicts.iter().all(refused)
        }
        other => return Err(format!("lists {other}")),
    };
    match agrees {
        true => Ok(()),
        false => Err(format!("should {listed}: {verdicts:#?}")),
    }
}

/// DomainKeys, and drafts of DKIM, from before there was a standard.
fn is_before_dkim(file: &str) -> bool {
    file.contains("_dk_") || file.starts_with("dk_") || file.contains("ietf00")
}

#[test]
fn mail_dkim() {
    let Some(folder) = corpus("dkim-vectors/mail-dkim") else {
        return;
    };
    let zone = fake_dns(&fs::read_to_string(folder.join("FAKE_DNS.dat")).unwrap());
    let list = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut passed = 0;
    for row in list.lines().skip(1) {
        let (file, listed) = row.split_once('\t').unwrap();
        let message = fs::read(folder.join("corpus").join(file)).unwrap();
        let verdicts = judge(&zone, &message);
        passed += usize::from(verdicts.iter().any(Verdict::passed));
        for verdict in &verdicts {
            println!(
                "{file}: listed {listed}, {} ({}, {})",
                verdict.result, verdict.algorithm_name, verdict.reason
            );
        }
        let outcome = if is_before_dkim(file) {
            let passed = verdicts.iter().any(Verdict::passed);
            (!passed).then_some(()).ok_or("passed".to_owned())
        } else {
            agrees(listed, &verdicts)
        };
        if let Err(why) = outcome {
            wrong.push(format!("{file}: {why}"));
        }
    }
    println!(
        "{} messages, {passed} with a signature that counts today",
        list.lines().count() - 1
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(3 <= passed);
}

#[test]
fn mail_auth() {
    let Some(folder) = corpus("dkim-vectors/mail-auth/dkim") else {
        return;
    };
    for file in messages_in(&folder) {
        let text = fs::read(&file).unwrap();
        let split = memchr::memmem::find(&text, b"\n\n").unwrap();
        let (zone, message) = text.split_at(split + 1);
        let zone = fake_dns(std::str::from_utf8(zone).unwrap());
        let verdicts = judge(&zone, message.strip_prefix(b"\n").unwrap());
        assert!(
            verdicts.iter().all(Verdict::passed) && !verdicts.is_empty(),
            "{}: {verdicts:#?}",
            file.display()
        );
    }
}

#[test]
fn dkimpy() {
    let Some(folder) = corpus("dkim-vectors/dkimpy") else {
        return;
    };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let key = |name: &str| String::from_utf8(read(name)).unwrap();
    let zone = Zone::new().txt("sed._domainkey.test.ex", &key("eximtest.dns"));
    let verdicts = judge(&zone, &read("ed25519test2.msg"));
    assert!(verdicts.iter().all(Verdict::passed), "{verdicts:#?}");
    assert_eq!(verdicts.len(), 1);
    // A signature that none of the keys made (dkimpy agrees), and keys that are spoilt, each in its own way.
    for (record, why) in [
        ("test.txt", "the signature does not fit the header"),
        ("test2.txt", "the signature does not fit the header"),
        (
            "test_bad.txt",
            "the key record cannot be read: p= holds no public key",
        ),
        (
            "badk.txt",
            "the key record cannot be read: k= names a kind of key that is not known",
        ),
        (
            "badversion.txt",
            "the key record cannot be read: v= is not DKIM1 or not the first tag",
        ),
        ("test_tlsrpt.txt", "the key is not for mail"),
        ("eximtest.dns", "the key is for another algorithm"),
        (
            "1024_testkey_wo_markers.pub.txt",
            "the signature does not fit the header",
        ),
        (
            "1024_testkey_wo_markers.pub.rsa.txt",
            "the signature does not fit the header",
        ),
    ] {
        let zone = Zone::new().txt("test._domainkey.football.example.com", &key(record));
        let verdicts = judge(&zone, &read("rfc6376.signed.no_t.msg"));
        assert_eq!(verdicts[0].reason.to_string(), why, "{record}");
        assert!(verdicts[0].covers_whole_body);
    }
    for unsigned in ["test.message", "test_nofrom.message"] {
        assert!(judge(&zone, &read(unsigned)).is_empty());
    }
}

/// What we sign with their keys verifies with their records, whatever form the key has.
#[test]
fn dkimpy_round_trips() {
    let Some(folder) = corpus("dkim-vectors/dkimpy") else {
        return;
    };
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let rsa = |name: &str| pkcs8(&RSA_PREFIX, &pem(&read(name)));
    let ed25519 = |name: &str| pkcs8(&ED25519_PREFIX, &pem(&read(name)));
    let message = crlf(read("test.message").as_bytes());
    for (private, record) in [
        (rsa("2048_testkey.key"), "2048_testkey_wo_markers.pub.txt"),
        (
            rsa("2048_testkey.key"),
            "2048_testkey_wo_markers.pub.rsa.txt",
        ),
        (
            pem(&read("2048_testkey_PKCS8.key")),
            "2048_testkey_PKCS8.key.pub.txt",
        ),
        (ed25519("ed25519test.key"), "ed25519test.dns"),
    ] {
        let key = SigningKey::from_pkcs8("example.com", "s", &private).unwrap();
        let mut signed = sign(&message, &[&key], 1_300_000_000).unwrap();
        signed.extend_from_slice(&message);
        let zone = Zone::new().txt("s._domainkey.example.com", &read(record));
        let verdicts = judge(&zone, &signed);
        assert!(verdicts[0].passed(), "{record}: {verdicts:#?}");
        let unsigned = crlf(read("test_nofrom.message").as_bytes());
        assert_eq!(sign(&unsigned, &[&key], 0), Err(SignError::NoFrom));
    }
    // Two of their keys have 1024 bits: enough to verify with, too short to sign with.
    for short in ["1024_testkey.key", "test.private"] {
        let refused = SigningKey::from_pkcs8("example.com", "s", &rsa(short));
        assert!(refused.is_err(), "{short}");
    }
}

/// PKCS#8 around a PKCS#1 RSA key or an Ed25519 seed: version 0 and the algorithm.
const RSA_PREFIX: [u8; 18] = [
    2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0,
];
const ED25519_PREFIX: [u8; 10] = [2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

fn pkcs8(prefix: &[u8], key: &[u8]) -> Vec<u8> {
    let key = match key.len() {
        32 => der(4, key),
        _ => key.to_vec(),
    };
    der(0x30, &[prefix, &der(4, &key)].concat())
}

fn der(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![kind, length[7]],
        _ => vec![kind, 0x82, length[6], length[7]],
    };
    [&head[..], content].concat()
}

fn pem(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// The keys of these stood in the public DNS only, so that nothing can pass. Their bodies can be checked,
/// and that each is read as what it is.
#[test]
fn spamassassin() {
    let Some(folder) = corpus("dkim-vectors/spamassassin") else {
        return;
    };
    let nobody = Zone::new();
    let mut bodies = 0;
    for file in messages_in(&folder.join("dkim")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let message = fs::read(&file).unwrap();
        let verdicts = judge(&nobody, &message);
        if verdicts.is_empty() {
            // ADSP was about messages without signatures (RFC 5617, historic).
            assert!(name.contains("adsp"), "{name} has no signature");
            continue;
        }
        for verdict in &verdicts {
            assert_eq!(verdict.reason, Reason::NoKey, "{name}");
            assert!(verdict.domain.starts_with("sa-test"), "{name}");
            assert!(verdict.signed_fields.contains("from"), "{name}");
            // The canonical form of the body; `covers_whole_body` is known without a key.
            assert!(verdict.covers_whole_body, "{name}");
        }
        // With the key in trouble a changed body is still told from an unknown one.
        let trouble = fs::read(&file).unwrap();
        let troubled = verdicts.iter().fold(Zone::new(), |zone, verdict| {
            let name = format!("{}._domainkey.{}", verdict.selector, verdict.domain);
            zone.error(&name, DnsError::TimedOut)
        });
        for verdict in judge(&troubled, &trouble) {
            match verdict.reason {
                Reason::Dns(_) => bodies += 1,
                Reason::BodyChanged => assert!(name.contains("fail"), "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    println!("{bodies} bodies have the hash that was signed");
    assert!(5 <= bodies);
    // Drafts of DKIM: rsa-sha1, c=nowsp, no bh=, negative x=.
    for file in messages_in(&folder.join("nice-dkim")) {
        for verdict in judge(&nobody, &fs::read(&file).unwrap()) {
            assert_eq!(verdict.result, DkimResult::PermError, "{}", file.display());
        }
    }
}

fn messages_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
