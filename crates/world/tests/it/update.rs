//! BIND as the primary server of a zone that we change: additions and removals, the key checked, mistakes told
//! apart. Says so and does nothing where it is not installed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use world::{
    Answer, Dns, DnsSettings, Kind, Record, Resolver, TsigHash, TsigKey, UpdateError, UpdateServer,
    World, ZoneEdit, update_zone,
};

const NAMED: &str = "/usr/sbin/named";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const ZONE: &str = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n@ TXT \"others=1\"\n@ TXT \"v=spf1 old -all\"\n";

struct Named {
    process: Child,
    at: SocketAddr,
}

impl Named {
    async fn start(dir: &Path, world: &World) -> Self {
        let port = free_port();
        // The secret in base64, as a configuration has it.
        let secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let dir_name = dir.display();
        let settings = format!(
            "options {{ directory \"{dir_name}\"; pid-file \"{dir_name}/pid\"; session-keyfile \"{dir_name}/session\"; \
             listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; \
             managed-keys-directory \"{dir_name}\"; }};\n\
             controls {{ }};\n\
             key \"postroad\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n\
             zone \"here.test\" {{ type primary; file \"{dir_name}/zone\"; update-policy {{ grant postroad zonesub ANY; }}; }};\n"
        );
        std::fs::write(dir.join("named.conf"), settings).unwrap();
        std::fs::write(dir.join("zone"), ZONE).unwrap();
        let mut command = Command::new(NAMED);
        command
            .args(["-g", "-c"])
            .arg(dir.join("named.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let deadline = Instant::now() + Duration::from_secs(30);
        while world.net.connect(None, at).await.is_err() {
            assert!(Instant::now() < deadline, "named does not start");
            world.clock.after(Duration::from_millis(20)).await;
        }
        let named = Self { process, at };
        // The port is open before the zone is there.
        loop {
            let resolver = Resolver::new(DnsSettings::servers(vec![at]));
            let answer = resolver.ask("here.test", Kind::Soa).await;
            if answer.is_ok_and(|answer| !answer.records.is_empty()) {
                return named;
            }
            assert!(Instant::now() < deadline, "named does not load the zone");
            world.clock.after(Duration::from_millis(20)).await;
        }
    }

    /// Asked with a fresh resolver, which remembers nothing.
    async fn ask(&self, name: &str, kind: Kind) -> Answer {
        let resolver = Resolver::new(DnsSettings::servers(vec![self.at]));
        resolver.ask(name, kind).await.unwrap()
    }

    async fn texts(&self) -> Vec<String> {
        let answer = self.ask("here.test", Kind::Txt).await;
        let mut texts: Vec<_> = answer
            .texts()
            .map(|text| String::from_utf8(text).unwrap())
            .collect();
        texts.sort();
        texts
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Free for UDP and TCP.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn text(text: &str) -> Record {
    Record::Txt(text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect())
}

#[tokio::test]
async fn a_zone_is_changed_at_bind() {
    if !Path::new(NAMED).exists() {
        eprintln!("skipped: bind9 is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(DnsSettings::system());
    let named = Named::start(dir.path(), &world).await;
    let key = TsigKey {
        name: "postroad".to_owned(),
        algorithm: TsigHash::parse("hmac-sha256").unwrap(),
        secret: SECRET.to_vec(),
    };
    let server = UpdateServer {
        at: named.at,
        zone: "here.test".to_owned(),
        key: Some(key.clone()),
    };
    let long = format!("v=DKIM1; k=rsa; p={}", "A".repeat(392));
    let add = |name: &str, record: Record| ZoneEdit::Add {
        name: name.to_owned(),
        ttl_secs: 300,
        record,
    };
    let mx = Record::Mx {
        preference: 10,
        exchange: "mail.here.test".to_owned(),
    };
    let tlsa = Record::Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data: vec![7; 32],
    };
    let caa = Record::Caa {
        critical: false,
        tag: "issue".to_owned(),
        value: b"letsencrypt.org".to_vec(),
    };
    let edits = [
        add("here.test", mx.clone()),
        add("mail.here.test", Record::A(Ipv4Addr::new(192, 0, 2, 7))),
        add("s1._domainkey.here.test", text(&long)),
        add("_25._tcp.mail.here.test", tlsa.clone()),
        add("here.test", caa.clone()),
        // One SPF record for another, and the other texts stay.
        ZoneEdit::Remove {
            name: "here.test".to_owned(),
            record: text("v=spf1 old -all"),
        },
        add("here.test", text("v=spf1 mx -all")),
    ];
    update_zone(&world, &server, &edits).await.unwrap();
    assert_eq!(named.ask("here.test", Kind::Mx).await.records, [mx]);
    assert_eq!(
        named
            .ask("_25._tcp.mail.here.test", Kind::Tlsa)
            .await
            .records,
        [tlsa]
    );
    assert_eq!(named.ask("here.test", Kind::Caa).await.records, [caa]);
    let key_record = named.ask("s1._domainkey.here.test", Kind::Txt).await;
    assert_eq!(key_record.texts().collect::<Vec<_>>(), [long.into_bytes()]);
    assert_eq!(named.texts().await, ["others=1", "v=spf1 mx -all"]);

    // The same again is no error.
    update_zone(&world, &server, &edits).await.unwrap();
    let all = ZoneEdit::RemoveAll {
        name: "here.test".to_owned(),
        kind: Kind::Txt,
    };
    update_zone(&world, &server, &[all]).await.unwrap();
    assert_eq!(named.texts().await, [""; 0]);

    let wrong = |change: &dyn Fn(&mut UpdateServer)| {
        let mut server = server.clone();
        change(&mut server);
        server
    };
    let edit = [add("x.here.test", text("x"))];
    let bad_secret = wrong(&|server| {
        server.key = Some(TsigKey {
            secret: b"other".to_vec(),
            ..key.clone()
        })
    });
    let answer = update_zone(&world, &bad_secret, &edit).await;
    assert!(
        matches!(answer, Err(UpdateError::KeyRefused(_))),
        "{answer:?}"
    );
    let no_key = wrong(&|server| server.key = None);
    assert_eq!(
        update_zone(&world, &no_key, &edit).await,
        Err(UpdateError::NotAllowed)
    );
    let other_zone = wrong(&|server| server.zone = "there.test".to_owned());
    let answer = update_zone(&world, &other_zone, &[add("x.there.test", text("x"))]).await;
    assert_eq!(answer, Err(UpdateError::WrongZone("there.test".to_owned())));
    let answer = update_zone(&world, &server, &[add("x..here.test", text("x"))]).await;
    assert!(matches!(answer, Err(UpdateError::BadEdit(_))), "{answer:?}");
    assert_eq!(named.ask("x.here.test", Kind::Txt).await.records, []);
}
