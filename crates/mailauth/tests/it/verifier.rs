//! A small DKIM verifier for the tests: just enough to check what we sign and the public vectors.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use mailauth::dkim::{BodyHash, relaxed_field};

/// `k=` and `p=` of a key record.
pub struct Record {
    pub kind: String,
    pub key: Vec<u8>,
}

impl Record {
    pub fn parse(text: &str) -> Option<Self> {
        let kind = tag(text, "k").unwrap_or_else(|| "rsa".to_owned());
        let key = lenient().decode(tag(text, "p")?).ok()?;
        Some(Self { kind, key })
    }
}

pub fn tag(list: &str, name: &str) -> Option<String> {
    list.split(';').find_map(|part| {
        let (found, value) = part.split_once('=')?;
        (found.trim() == name).then(|| value.split_whitespace().collect())
    })
}

pub fn fields(message: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2);
    let body = message.get(end + 2..).unwrap_or_default().to_vec();
    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    for line in message[..end].split_inclusive(|&b| b == b'\n') {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(last) = out.last_mut() {
                last.1.extend_from_slice(line);
            }
        } else if let Some(colon) = line.iter().position(|&b| b == b':') {
            let name = String::from_utf8_lossy(&line[..colon]).into_owned();
            out.push((name, line[colon + 1..].to_vec()));
        }
    }
    (out, body)
}

/// Checks one signature value against a record: `Err` says what failed.
pub fn verify(message: &[u8], signature: &[u8], record: &Record) -> Result<(), &'static str> {
    let text = String::from_utf8_lossy(signature).into_owned();
    let (fields, body) = fields(message);
    let want = tag(&text, "bh").ok_or("no bh")?;
    if STANDARD.encode(BodyHash::of(&body)) != want {
        return Err("body hash");
    }
    let mut signed = Vec::new();
    let mut used = vec![false; fields.len()];
    for name in tag(&text, "h").ok_or("no h")?.split(':') {
        let found =
            fields.iter().enumerate().rev().find(|(index, (field, _))| {
                !used[*index] && field.trim().eq_ignore_ascii_case(name)
            });
        if let Some((index, (field, value))) = found {
            used[index] = true;
            relaxed_field(field.as_bytes(), value, &mut signed);
            signed.extend_from_slice(b"\r\n");
        }
    }
    let unsigned = strip_b(&text);
    relaxed_field(b"DKIM-Signature", unsigned.as_bytes(), &mut signed);
    let b = STANDARD
        .decode(tag(&text, "b").ok_or("no b")?)
        .map_err(|_| "b is not base64")?;
    let hash = digest::digest(&digest::SHA256, &signed);
    let result = match record.kind.as_str() {
        "rsa" => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &record.key).verify(&signed, &b)
        }
        _ => UnparsedPublicKey::new(&ED25519, &record.key).verify(hash.as_ref(), &b),
    };
    result.map_err(|_| "signature")
}

pub fn signatures(message: &[u8]) -> Vec<Vec<u8>> {
    fields(message)
        .0
        .into_iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("dkim-signature"))
        .map(|(_, value)| value)
        .collect()
}

fn strip_b(text: &str) -> String {
    let mut out = Vec::new();
    for part in text.split(';') {
        match part.split_once('=') {
            Some((name, _)) if name.trim() == "b" => out.push(format!("{name}=")),
            _ => out.push(part.to_owned()),
        }
    }
    out.join(";")
}

fn lenient() -> GeneralPurpose {
    GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    )
}
