//! A signed document as openssl judges it: ours as it was, from whom it says, and nobody else's.

use std::path::Path;
use std::process::{Command, Output};

use world::Certificate;

use crate::chain::{Chain, Dates};

const DOCUMENT: &[u8] = b"<plist>\r\nwhat is signed\xff\n</plist>";

/// `openssl cms -verify` of a signature, with a root it believes in.
fn verify(dir: &Path, signed: &[u8], root: &str) -> Option<Output> {
    std::fs::write(dir.join("signed"), signed).unwrap();
    std::fs::write(dir.join("root.pem"), root).unwrap();
    let mut command = Command::new("openssl");
    command
        .args([
            "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in",
        ])
        .arg(dir.join("signed"))
        .arg("-CAfile")
        .arg(dir.join("root.pem"));
    command.output().ok()
}

#[test]
fn a_signed_document_is_believed_by_openssl() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::new("mail.here.test", Dates::Good);
    let whole = format!("{}{}", chain.leaf, chain.middle);
    let ecdsa = Certificate::from_pem(whole.as_bytes(), chain.key.as_bytes()).unwrap();
    let signed = ecdsa.sign_document(DOCUMENT).unwrap();
    let Some(output) = verify(dir.path(), &signed, &chain.root) else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, DOCUMENT);
    let at = signed
        .windows(6)
        .position(|bytes| bytes == b"signed")
        .unwrap();
    let mut changed = signed.clone();
    changed[at] ^= 1;
    assert!(
        !verify(dir.path(), &changed, &chain.root)
            .unwrap()
            .status
            .success()
    );
    let other = Chain::new("mail.here.test", Dates::Good);
    assert!(
        !verify(dir.path(), &signed, &other.root)
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn rsa_keys_sign_too() {
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("key"), dir.path().join("certificate"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/O=Ours/CN=mail.here.test",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:mail.here.test",
            "-days",
            "9",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if made.is_err() {
        eprintln!("skipped: openssl is not installed");
        return;
    }
    let root = std::fs::read_to_string(&certificate).unwrap();
    let rsa = Certificate::from_pem(root.as_bytes(), &std::fs::read(&key).unwrap()).unwrap();
    let signed = rsa.sign_document(DOCUMENT).unwrap();
    let output = verify(dir.path(), &signed, &root).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, DOCUMENT);
}
