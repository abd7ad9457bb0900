//! The messages of SCRAM, read and written. RFC 5802 §7. No secrets are computed here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::limits::{SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN};

/// The channel binding flag of a client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gs2 {
    /// `n`: the client cannot bind.
    NotSupported,
    /// `y`: the client could, and believes the server cannot.
    NotOffered,
    /// `p=`: bound by this method.
    Bound(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientFirst {
    pub gs2: Gs2,
    /// With both commas, as it comes back inside `c=`.
    pub gs2_header: String,
    pub authzid: Option<String>,
    pub login: String,
    pub nonce: String,
    /// Everything after the GS2 header.
    pub bare: String,
}

impl ClientFirst {
    pub(super) fn parse(message: &[u8]) -> Option<ClientFirst> {
        let message = std::str::from_utf8(message).ok()?;
        let (flag, rest) = message.split_once(',')?;
        let (authzid, bare) = rest.split_once(',')?;
        let gs2 = match flag {
            "n" => Gs2::NotSupported,
            "y" => Gs2::NotOffered,
            _ => Gs2::Bound(flag.strip_prefix("p=")?.to_owned()),
        };
        let header_len = message.len().checked_sub(bare.len())?;
        let authzid = match authzid {
            "" => None,
            name => Some(unescape(name.strip_prefix("a=")?)?),
        };
        let mut fields = bare.split(',');
        // A mandatory extension (`m=`) would stand first; we know none, so it fails here.
        let login = unescape(fields.next()?.strip_prefix("n=")?)?;
        let nonce = fields.next()?.strip_prefix("r=")?.to_owned();
        if login.is_empty() || !is_nonce(&nonce) {
            return None;
        }
        Some(ClientFirst {
            gs2,
            gs2_header: message.get(..header_len)?.to_owned(),
            authzid,
            login,
            nonce,
            bare: bare.to_owned(),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientFinal {
    /// `c=`, decoded.
    pub channel: Vec<u8>,
    pub nonce: String,
    pub proof: [u8; 32],
    pub without_proof: String,
}

impl ClientFinal {
    pub(super) fn parse(message: &[u8]) -> Option<ClientFinal> {
        let message = std::str::from_utf8(message).ok()?;
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let proof = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let mut fields = without_proof.split(',');
        let channel = STANDARD.decode(fields.next()?.strip_prefix("c=")?).ok()?;
        let nonce = fields.next()?.strip_prefix("r=")?.to_owned();
        Some(ClientFinal {
            channel,
            nonce,
            proof,
            without_proof: without_proof.to_owned(),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerFirst {
    pub nonce: String,
    pub salt: Vec<u8>,
    pub iterations: u32,
}

impl ServerFirst {
    /// What a server answered to our first message with `client_nonce`.
    pub(super) fn parse(message: &[u8], client_nonce: &str) -> Option<ServerFirst> {
        let message = std::str::from_utf8(message).ok()?;
        let mut fields = message.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?.to_owned();
        let salt = STANDARD.decode(fields.next()?.strip_prefix("s=")?).ok()?;
        let iterations = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let ours = nonce.strip_prefix(client_nonce)?;
        let sound = !ours.is_empty() && is_nonce(&nonce) && !salt.is_empty();
        let bearable = (SCRAM_ITERATIONS_MIN..=SCRAM_ITERATIONS_MAX).contains(&iterations);
        (sound && bearable).then_some(ServerFirst {
            nonce,
            salt,
            iterations,
        })
    }
}

pub(super) fn server_first(nonce: &str, salt: &[u8], iterations: u32) -> String {
    format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt))
}

pub(super) fn server_final(verifier: &[u8; 32]) -> String {
    format!("v={}", STANDARD.encode(verifier))
}

/// The verifier in a server's last message.
pub(super) fn parse_server_final(message: &[u8]) -> Option<Vec<u8>> {
    let message = std::str::from_utf8(message).ok()?;
    let verifier = message.split(',').next()?.strip_prefix("v=")?;
    STANDARD.decode(verifier).ok()
}

/// `=2C` and `=3D` for comma and equals sign.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn unescape(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut out = pieces.next()?.to_owned();
    for piece in pieces {
        let (sign, rest) = if let Some(rest) = piece.strip_prefix("2C") {
            (',', rest)
        } else {
            ('=', piece.strip_prefix("3D")?)
        };
        out.push(sign);
        out.push_str(rest);
    }
    (!out.contains('\0')).then_some(out)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
}
