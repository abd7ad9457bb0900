//! The ValiMail test suite for ARC, run from its files: chains to validate, and chains to continue.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailauth::arc::{self, Arc, ChainState, Reason, SealKey, Sealer};
use mailauth::dkim::Algorithm;
use mailauth::explain::Notes;
use mailauth::results;
use num_bigint::BigUint;
use saphyr::{LoadableYamlNode, Yaml};

use crate::shared::corpus;
use crate::zone::{Zone, now};

/// Seconds since 1970 at which the messages are looked at; their seals say 12345 and a little more.
const NOW: u64 = 1_500_000_000;

#[test]
fn every_chain_is_validated() {
    let mut passed = 0;
    let mut wrong = Vec::new();
    for group in documents("arc-draft-validation-tests.yml") {
        let zone = zone(&group["txt-records"]);
        for (name, test) in group["tests"].as_mapping().unwrap() {
            let message = message(&test["message"]);
            let arc = now(arc::validate(&zone, &message, NOW, &mut Notes::off()));
            match check(text(&test["cv"]), &arc) {
                true => passed += 1,
                false => wrong.push(format!("{:?}: {} ({})", name, arc.cv.as_str(), arc.why)),
            }
        }
    }
    println!("{passed} chains validated as the suite wants");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An empty wish is that of the drafts for a chain which a sealer has already declared broken: they
/// gave no result at all. RFC 8617 §5.2 steps 2 and 3 say fail, and that is what is wanted here.
fn check(wanted: &str, arc: &Arc) -> bool {
    match wanted.trim().to_ascii_lowercase().as_str() {
        "" => arc.cv == ChainState::Fail && matches!(arc.why, Reason::SealedAsFailed { .. }),
        wanted => arc.cv.as_str() == wanted,
    }
}

#[test]
fn every_chain_is_continued() {
    let mut sealed = 0;
    let mut wrong = Vec::new();
    for group in documents("arc-draft-sign-tests.yml") {
        let zone = zone(&group["txt-records"]);
        let (domain, selector) = (text(&group["domain"]), text(&group["sel"]));
        let key = SmallKey::read(text(&group["privatekey"]), domain, selector);
        for (name, test) in group["tests"].as_mapping().unwrap() {
            let message = message(&test["message"]);
            let found = seal(&zone, &key, &message, test);
            for field in ["AAR", "AMS", "AS"] {
                let got = found.get(field).map(String::as_str).unwrap_or_default();
                if tags(got) != tags(text(&test[field])) {
                    wrong.push(format!(
                        "{name:?} {field}:\n{got}\nwanted\n{}",
                        text(&test[field])
                    ));
                }
            }
            sealed += 1;
        }
    }
    println!("{sealed} chains continued as the suite wants");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The new set, by the short names of its fields.
fn seal(
    zone: &Zone,
    key: &dyn SealKey,
    message: &[u8],
    test: &Yaml<'_>,
) -> std::collections::BTreeMap<&'static str, String> {
    let authserv_id = text(&test["srv-id"]);
    let sealer = Sealer {
        key,
        authserv_id,
        now: test["t"].as_integer().unwrap().try_into().unwrap(),
    };
    let ours = mail::header::fields(message)
        .filter(|field| field.is("Authentication-Results"))
        .find(|field| results::parse(field.value).unwrap().authserv_id == authserv_id)
        .unwrap();
    let value = String::from_utf8(ours.value.to_vec()).unwrap();
    let (_, said) = value.split_once(';').unwrap();
    let names: Vec<&str> = text(&test["sig-headers"]).split(':').collect();
    let previous = now(arc::validate(zone, message, NOW, &mut Notes::off()));
    let fields = arc::seal_fields(message, &sealer, said, &previous, &names).unwrap();
    // What was added makes a chain that says what we said.
    let sent = [fields.as_slice(), message].concat();
    let after = now(arc::validate(zone, &sent, NOW, &mut Notes::off()));
    assert_eq!(
        after.cv == ChainState::Fail,
        previous.cv == ChainState::Fail
    );
    let short = [
        ("ARC-Seal", "AS"),
        ("ARC-Message-Signature", "AMS"),
        ("ARC-Authentication-Results", "AAR"),
    ];
    let fields = mail::header::fields(&fields).map(|field| {
        let name = short.iter().find(|(name, _)| field.is(name)).unwrap().1;
        (name, String::from_utf8(field.value.to_vec()).unwrap())
    });
    fields.collect()
}

/// Tags in order of their names, white space reduced, and gone where it means nothing.
fn tags(field: &str) -> Vec<String> {
    let mut tags: Vec<String> = field
        .split(';')
        .map(|tag| {
            let words: Vec<&str> = tag.split_whitespace().collect();
            let base64 = words.first().is_some_and(|word| word.starts_with("b="));
            words.join(if base64 { "" } else { " " })
        })
        .collect();
    tags.sort();
    tags
}

fn documents(file: &str) -> Vec<Yaml<'static>> {
    let Some(folder) = corpus("arc-valimail") else {
        return Vec::new();
    };
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let documents = Yaml::load_from_str(text.leak()).unwrap();
    assert!(!documents.is_empty());
    documents
}

fn zone(records: &Yaml<'_>) -> Zone {
    let mut zone = Zone::new();
    for (name, record) in records.as_mapping().into_iter().flatten() {
        zone = zone.txt(name.as_str().unwrap(), text(record).trim_end());
    }
    zone
}

fn message(message: &Yaml<'_>) -> Vec<u8> {
    text(message).replace('\n', "\r\n").into_bytes()
}

fn text<'a>(value: &'a Yaml<'_>) -> &'a str {
    value.as_str().unwrap_or_default()
}

/// The suite's key has 1024 bits: enough to verify (RFC 8301 §3.2), too short for the library that we
/// sign with. So it signs here by plain arithmetic (RFC 8017 §8.2.1), which gives the same bytes.
struct SmallKey {
    domain: String,
    selector: String,
    modulus: BigUint,
    exponent: BigUint,
}

impl SmallKey {
    /// Reads a PKCS#1 key in PEM: a sequence of version, modulus, public and private exponent, and
    /// what makes arithmetic faster.
    fn read(pem: &str, domain: &str, selector: &str) -> Self {
        let base64: String = pem.lines().filter(|line| !line.contains("-----")).collect();
        let der = STANDARD.decode(base64).unwrap();
        let (content, _) = element(&der);
        let (_version, rest) = element(content);
        let (modulus, rest) = element(rest);
        let (_public, rest) = element(rest);
        let (exponent, _) = element(rest);
        Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            modulus: BigUint::from_bytes_be(modulus),
            exponent: BigUint::from_bytes_be(exponent),
        }
    }
}

impl SealKey for SmallKey {
    fn domain(&self) -> &str {
        &self.domain
    }

    fn selector(&self) -> &str {
        &self.selector
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::RsaSha256
    }

    fn sign(&self, text: &[u8]) -> Option<String> {
        let sha256 = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text);
        let length = 128;
        let padding = vec![0xff; length - 3 - sha256.len() - digest.as_ref().len()];
        let padded = [&[0, 1], &padding[..], &[0], &sha256, digest.as_ref()].concat();
        let signed = BigUint::from_bytes_be(&padded).modpow(&self.exponent, &self.modulus);
        let bytes = signed.to_bytes_be();
        let zeros = vec![0; length - bytes.len()];
        Some(STANDARD.encode([zeros, bytes].concat()))
    }
}

/// The content of the DER element at the start, and what follows.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let long = usize::from(der[1] & 0x7f);
    let (length, head) = match der[1] {
        short @ ..0x80 => (usize::from(short), 2),
        _ => {
            let bytes = der[2..2 + long].iter();
            (
                bytes.fold(0, |length, byte| length << 8 | usize::from(*byte)),
                2 + long,
            )
        }
    };
    (&der[head..head + length], &der[head + length..])
}
