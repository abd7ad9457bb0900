//! The openssl command-line program as peer: no old protocol, no weak suite, sessions resumed both ways,
//! certificates by name and exchanged while serving. Says so and does nothing where it is not installed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{DnsSettings, Listener, TlsClients, TlsServer, World};

use crate::chain::{Chain, Dates};

fn installed() -> bool {
    let found = Command::new("openssl").arg("version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: openssl is not installed");
    }
    found
}

/// Greets over TLS, and takes the answer.
async fn serve(world: World, listener: Listener, server: TlsServer) {
    while let Ok(mut stream) = listener.accept().await {
        let server = server.clone();
        world.tasks.spawn("a test's connection", async move {
            if stream.start_tls_server(&server).await.is_ok() {
                let _ = stream.write_all(b"hello\r\n").await;
                let _ = stream.flush().await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                let _ = stream.shutdown().await;
            }
        });
    }
}

/// What `openssl s_client` says when it connects with these arguments, and whether it was content.
async fn s_client(port: u16, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().unwrap();
        // The end of input ends it, after tickets have come: Q is its own command for that.
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let mut line = String::new();
        while 0 < stdout.read_line(&mut line).unwrap_or(0) {
            said.push_str(&line);
            if line.starts_with("hello") {
                let _ = stdin.write_all(b"Q\n");
            }
            line.clear();
        }
        let output = child.wait_with_output().unwrap();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn start(certificates: Vec<world::Certificate>) -> (TlsServer, u16) {
    let world = World::real(DnsSettings::system());
    let server = TlsServer::new(certificates).unwrap();
    let listener = world.net.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let port = listener.local_addr().port();
    tokio::spawn(serve(world, listener, server.clone()));
    (server, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_protocols_and_weak_suites_are_refused() {
    if !installed() {
        return;
    }
    let (_, port) = start(vec![Chain::new("a.test", Dates::Good).with_root()]).await;
    // At security level 0 openssl itself would speak all of them.
    let refused: [&[&str]; 10] = [
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "kDHE:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "SHA1:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ECDHE+SHA256:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "CAMELLIA:ARIA:SEED:3DES:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AESCCM:@SECLEVEL=0"],
        &["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"],
    ];
    for arguments in refused {
        let (content, said) = s_client(port, arguments).await;
        let hello = said.lines().any(|line| line.starts_with("hello"));
        assert!(!content && !hello, "{arguments:?}: {said}");
    }
    for arguments in [
        &["-tls1_2"][..],
        &["-tls1_3"],
        &["-tls1_2", "-cipher", "ECDHE+CHACHA20"],
        &["-tls1_2", "-cipher", "ECDHE+AESGCM"],
    ] {
        let (content, said) = s_client(port, arguments).await;
        assert!(content && said.contains("hello"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_resumes_its_sessions_with_us() {
    if !installed() {
        return;
    }
    let (_, port) = start(vec![Chain::new("a.test", Dates::Good).with_root()]).await;
    let home = std::env::temp_dir().join(format!("postroad-tls-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    for version in ["-tls1_2", "-tls1_3"] {
        let session = home.join(version);
        let session = session.to_str().unwrap();
        let (_, said) = s_client(port, &[version, "-sess_out", session]).await;
        assert!(said.contains("New, TLSv1"), "{said}");
        let (_, said) = s_client(port, &[version, "-sess_in", session]).await;
        assert!(said.contains("Reused, TLSv1"), "{version}: {said}");
    }
    std::fs::remove_dir_all(&home).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_sees_the_certificate_of_the_name_and_the_new_one_after_a_reload() {
    if !installed() {
        return;
    }
    let (a, b) = (
        Chain::new("a.test", Dates::Good),
        Chain::new("b.test", Dates::Good),
    );
    let (server, port) = start(vec![a.with_root(), b.with_root()]).await;
    let subject = async |name: &str| {
        let (_, said) = s_client(port, &["-servername", name]).await;
        let line = said.lines().find(|line| line.starts_with("subject="));
        line.unwrap_or_default().to_owned()
    };
    assert!(subject("a.test").await.ends_with("a.test"));
    assert!(subject("b.test").await.ends_with("b.test"));
    assert!(subject("unknown.test").await.ends_with("a.test"));
    let c = Chain::new("c.test", Dates::Good);
    server.reload(vec![c.with_root(), b.with_root()]).unwrap();
    assert!(subject("a.test").await.ends_with("c.test"));
    assert!(subject("b.test").await.ends_with("b.test"));
}

/// An `openssl s_server` that is killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_resume_our_sessions_with_openssl() {
    if !installed() {
        return;
    }
    let chain = Chain::new("a.test", Dates::Good);
    let home = std::env::temp_dir().join(format!("postroad-s_server-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let (leaf, key) = (home.join("leaf.pem"), home.join("key.pem"));
    std::fs::write(&leaf, format!("{}{}", chain.leaf, chain.middle)).unwrap();
    std::fs::write(&key, &chain.key).unwrap();
    for version in ["-tls1_2", "-tls1_3"] {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", version, "-www"])
            .arg("-cert")
            .arg(&leaf)
            .arg("-cert_chain")
            .arg(&leaf)
            .arg("-key")
            .arg(&key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let _server = Server(child);
        let accepts = stdout.lines().map_while(Result::ok);
        let accept = accepts.into_iter().find(|line| line.starts_with("ACCEPT "));
        let port = accept.unwrap().rsplit(':').next().unwrap().parse().unwrap();
        let world = World::real(DnsSettings::system());
        let clients = TlsClients::new(world.clock.clone(), Some(chain.root.as_bytes())).unwrap();
        let clients = Arc::new(clients);
        let mut resumed = Vec::new();
        for _ in 0..2 {
            let to = ([127, 0, 0, 1], port).into();
            let mut stream = world.net.connect(None, to).await.unwrap();
            let client = clients.verified();
            let facts = stream.start_tls_client(&client, "a.test").await.unwrap();
            assert_eq!(facts.pkix, Some(Ok(())));
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
            stream.flush().await.unwrap();
            // With the answer the tickets have come.
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.is_empty());
            resumed.push(facts.resumed);
        }
        assert_eq!(resumed, [false, true], "{version}");
    }
    std::fs::remove_dir_all(&home).unwrap();
}

/// TLS-ALPN-01: the authority gets its proof, everybody else what he always gets. RFC 8737
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_gets_its_proof_and_others_do_not_notice() {
    if !installed() {
        return;
    }
    let (server, port) = start(vec![Chain::new("a.test", Dates::Good).with_root()]).await;
    let probe = async |arguments: &[&str]| {
        let arguments = [&["-showcerts"], arguments].concat();
        s_client(port, &arguments).await.1
    };
    let challenge = ["-servername", "b.test", "-alpn", "acme-tls/1"];
    let answers = [("b.test".to_owned(), "token.thumbprint".to_owned())];
    server.answer_challenges(&answers).unwrap();
    let said = probe(&challenge).await;
    assert!(said.contains("ALPN protocol: acme-tls/1"), "{said}");
    let leaf = said
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap();
    let leaf = &leaf[leaf.find("-----BEGIN").unwrap()..];
    let text = x509(leaf);
    assert!(text.contains("DNS:b.test"), "{text}");
    assert!(text.contains("1.3.6.1.5.5.7.1.31: critical"), "{text}");
    let hash = digest(&SHA256, b"token.thumbprint");
    let der = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
    assert!(der.windows(32).any(|bytes| bytes == hash.as_ref()));
    // Not for another name, not beside other protocols, not without asking.
    let said = probe(&["-servername", "a.test", "-alpn", "acme-tls/1"]).await;
    assert!(!said.contains("hello"), "{said}");
    for arguments in [
        &["-servername", "a.test"][..],
        &["-servername", "b.test", "-alpn", "acme-tls/1,http/1.1"],
        &["-servername", "b.test", "-alpn", "http/1.1"],
    ] {
        let said = probe(arguments).await;
        assert!(
            said.contains("hello") && said.contains("CN = a.test"),
            "{said}"
        );
        assert!(said.contains("No ALPN negotiated"), "{said}");
    }
    server.answer_challenges(&[]).unwrap();
    let said = probe(&challenge).await;
    assert!(said.contains("CN = a.test"), "{said}");
}

fn x509(pem: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["x509", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(pem.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
