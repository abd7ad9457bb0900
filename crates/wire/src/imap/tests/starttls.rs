//! Nothing sent before TLS survives it: the IMAP rows of the shared corpus of injections.

use std::path::{Path, PathBuf};

use super::super::*;
use super::machine::{server, settings, talk};
use crate::{Machine, TlsFacts};

/// The corpus beside the repository, or where $POSTROAD_SHARED says.
fn corpus() -> Option<PathBuf> {
    let shared = match std::env::var_os("POSTROAD_SHARED") {
        Some(place) => PathBuf::from(place),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|above| above.join("../shared"))
            .find(|place| place.join("corpora").is_dir())?,
    };
    let file = shared.join("corpora/smtp-smuggling/starttls-injection.tsv");
    file.is_file().then_some(file)
}

fn unescape(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

/// Rows that inject behind STARTTLS: the injected line is never answered, and the connection closes.
#[test]
fn injected_lines_are_never_carried_out() {
    let Some(file) = corpus() else {
        println!("skipped: corpora/smtp-smuggling (IMAP rows of starttls-injection.tsv)");
        return;
    };
    let text = std::fs::read_to_string(file).expect("the corpus can be read");
    let mut rows = 0;
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, "IMAP", "server", "greeting", sent, ..] = fields.as_slice() else {
            continue;
        };
        rows += 1;
        let mut server = server();
        talk(&mut server);
        server.receive(&unescape(sent));
        let (said, closed) = talk(&mut server);
        assert!(!said.contains("a2 "), "{id}: {said}");
        assert!(!said.contains("<handshake>"), "{id}: {said}");
        assert!(
            said.contains("a1 BAD") && said.contains("* BYE") && closed,
            "{id}: {said}"
        );
    }
    assert!(rows >= 7, "only {rows} rows");
}

fn started() -> Server {
    let mut server = server();
    talk(&mut server);
    server.receive(b"a1 STARTTLS\r\n");
    let (said, _) = talk(&mut server);
    assert!(
        said.starts_with("a1 OK") && said.ends_with("<handshake>"),
        "{said}"
    );
    server
}

#[test]
fn bytes_during_the_handshake_are_dropped() {
    let mut server = started();
    server.receive(b"a2 NOOP\r\n");
    server.tls_started(TlsFacts::default());
    server.receive(b"a3 CAPABILITY\r\n");
    let (said, _) = talk(&mut server);
    assert!(
        !said.contains("a2") && !said.contains("STARTTLS") && said.contains("a3 OK"),
        "{said}"
    );
}

#[test]
fn imap_twice() {
    let mut server = started();
    server.tls_started(TlsFacts::default());
    server.receive(b"a2 STARTTLS\r\n");
    assert!(talk(&mut server).0.starts_with("a2 BAD"));
}

#[test]
fn imap_after_login() {
    let mut server = server();
    talk(&mut server);
    server.receive(b"a1 LOGIN user secret\r\na2 STARTTLS\r\n");
    assert!(talk(&mut server).0.contains("a2 BAD"));
}

#[test]
fn imap_logindisabled() {
    let mut server = Server::new(settings(ClearTextLogin::Refused));
    talk(&mut server);
    server.receive(b"a1 LOGIN user secret\r\na2 CAPABILITY\r\na3 AUTHENTICATE PLAIN AGEAYg==\r\n");
    let (said, _) = talk(&mut server);
    assert!(
        said.contains("a1 NO [PRIVACYREQUIRED]") && said.contains("LOGINDISABLED"),
        "{said}"
    );
    assert!(said.contains("a3 NO [PRIVACYREQUIRED]"), "{said}");
}
