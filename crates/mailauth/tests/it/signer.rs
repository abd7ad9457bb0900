//! A plain, slow DKIM signer for the tests, which signs what it is told, right or wrong.
//! Shares no code with the program: canonical forms are made as RFC 6376 §3.4 tells them.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::zone::Zone;

pub static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
pub static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

/// `p=` of the two.
pub fn rsa_public() -> String {
    let der: PublicKeyX509Der<'_> = RSA.public_key().as_der().unwrap();
    STANDARD.encode(der.as_ref())
}

pub fn ed25519_public() -> String {
    STANDARD.encode(ED25519.public_key().as_ref())
}

/// Both keys, under the selectors `r` and `e` of example.org.
pub fn zone() -> Zone {
    let rsa = format!("v=DKIM1; k=rsa; p={}", rsa_public());
    let ed25519 = format!("v=DKIM1; k=ed25519; p={}", ed25519_public());
    Zone::new()
        .txt("r._domainkey.example.org", &rsa)
        .txt("e._domainkey.example.org", &ed25519)
}

/// What one signature says. `bh=` and `b=` are made to fit.
#[derive(Clone)]
pub struct Wanted {
    pub tags: Vec<(String, String)>,
    pub header: Form,
    pub body: Form,
    pub length: Option<usize>,
    pub names: String,
    pub rsa: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Simple,
    Relaxed,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }
}

/// An ordinary signature of example.org over From and Subject.
pub fn wanted(rsa: bool) -> Wanted {
    let (algorithm, selector) = match rsa {
        true => ("rsa-sha256", "r"),
        false => ("ed25519-sha256", "e"),
    };
    let tags = [
        ("v", "1"),
        ("a", algorithm),
        ("d", "example.org"),
        ("s", selector),
    ];
    let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Wanted {
        tags: tags.to_vec(),
        header: Form::Relaxed,
        body: Form::Relaxed,
        length: None,
        names: "From:Subject".to_owned(),
        rsa,
    }
}

impl Wanted {
    /// Sets a tag, or takes it out.
    pub fn tag(mut self, name: &str, value: Option<&str>) -> Self {
        self.tags.retain(|(found, _)| found != name);
        if let Some(value) = value {
            self.tags.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub fn forms(mut self, header: Form, body: Form) -> Self {
        self.header = header;
        self.body = body;
        self
    }

    pub fn length(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    pub fn names(mut self, names: &str) -> Self {
        self.names = names.to_owned();
        self
    }

    /// The message with the signature on top.
    pub fn sign(&self, message: &str) -> String {
        format!("{}{message}", self.field(message))
    }

    /// The signature's field, with its line end.
    pub fn field(&self, message: &str) -> String {
        let (header, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
        let mut canonical = canonical_body(body, self.body);
        if let Some(length) = self.length {
            canonical.truncate(length);
        }
        let hash = STANDARD.encode(digest(&SHA256, canonical.as_bytes()));
        let mut value = String::new();
        for (name, text) in &self.tags {
            value.push_str(&format!(" {name}={text};"));
        }
        let (forms, bh) = (
            format!("{}/{}", self.header.name(), self.body.name()),
            &hash,
        );
        value.push_str(&format!(" c={forms}; bh={bh}; h={};", self.names));
        if let Some(length) = self.length {
            value.push_str(&format!(" l={length};"));
        }
        value.push_str("\r\n b=");
        let mut signed = signed_fields(header, &self.names, self.header);
        signed.push_str(&canonical_field("DKIM-Signature", &value, self.header));
        let bytes = match self.rsa {
            true => {
                let mut bytes = vec![0; RSA.public_modulus_len()];
                let random = SystemRandom::new();
                RSA.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut bytes)
                    .unwrap();
                bytes
            }
            false => {
                let hash = digest(&SHA256, signed.as_bytes());
                ED25519.sign(hash.as_ref()).as_ref().to_vec()
            }
        };
        format!("DKIM-Signature:{value}{}\r\n", STANDARD.encode(bytes))
    }
}

fn signed_fields(header: &str, names: &str, form: Form) -> String {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in header.split("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.1.push_str("\r\n");
                last.1.push_str(line);
            }
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    fields.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    let mut out = String::new();
    for name in names.split(':') {
        let wanted = |field: &(String, String)| field.0.trim().eq_ignore_ascii_case(name.trim());
        if let Some(at) = fields.iter().rposition(wanted) {
            let (name, value) = fields.remove(at);
            out.push_str(&canonical_field(&name, &value, form));
            out.push_str("\r\n");
        }
    }
    out
}

fn canonical_field(name: &str, value: &str, form: Form) -> String {
    match form {
        Form::Simple => format!("{name}:{value}"),
        Form::Relaxed => {
            let value = squeeze(&value.replace("\r\n", ""));
            let name = name.trim().to_ascii_lowercase();
            format!("{name}:{}", value.trim_matches(' '))
        }
    }
}

fn canonical_body(body: &str, form: Form) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(str::to_owned).collect();
    if form == Form::Relaxed {
        for line in &mut lines {
            *line = squeeze(line).trim_end_matches(' ').to_owned();
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && form == Form::Simple {
        lines.push(String::new());
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// Every run of white space becomes one space.
fn squeeze(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c == '\t' { ' ' } else { c };
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}
