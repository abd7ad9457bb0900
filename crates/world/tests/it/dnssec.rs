//! Zones signed by BIND's tools and served by its name server, validated here: ECDSA with NSEC, RSA with
//! NSEC3, wildcards, expired signatures. Says so and does nothing where BIND is not installed. What needs no
//! other program is in the simulator's tests.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use world::{AnswerStatus, DnsError, DnsSettings, Kind, RootKey, Validation, World};

struct Bind {
    home: tempfile::TempDir,
    at: SocketAddr,
    root: RootKey,
    named: Option<Child>,
}

impl Drop for Bind {
    fn drop(&mut self) {
        if let Some(named) = &mut self.named {
            let _ = named.kill();
            let _ = named.wait();
        }
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const HEAD: &str =
    "$TTL 300\n@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60\n@ NS ns.invalid.\n";
const HOSTS: &str = "@ MX 10 mx\nmx A 192.0.2.7\n_25._tcp.mx TLSA 3 1 1 \
    0000000000000000000000000000000000000000000000000000000000000007\nwww CNAME mx\n*.wild TXT \"any\"\n\
    a.deep.name A 192.0.2.8\n";

impl Bind {
    /// `None` where BIND is not installed.
    fn start() -> Option<Self> {
        let installed = ["named", "dnssec-keygen", "dnssec-signzone"].map(|program| {
            let asked = Command::new(program).arg("-V").output();
            asked.is_ok()
        });
        if installed.contains(&false) {
            eprintln!("skipped: BIND is not installed");
            return None;
        }
        let at = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let probe = UdpSocket::bind((at, 0)).unwrap();
        let mut bind = Self {
            home: tempfile::TempDir::new().unwrap(),
            at: probe.local_addr().unwrap(),
            root: RootKey {
                algorithm: 13,
                public_key: Vec::new(),
            },
            named: None,
        };
        drop(probe);
        bind.sign("ecdsa.test", HOSTS, "ECDSAP256SHA256", &[]);
        bind.sign("rsa.test", HOSTS, "RSASHA256", &["-3", "-"]);
        let past = ["-s", "20200101000000", "-e", "20200201000000"];
        bind.sign("old.test", HOSTS, "ECDSAP256SHA256", &past);
        bind.zone("plain.test", &format!("{HEAD}{HOSTS}"), "plain.test.zone");
        let mut test = String::new();
        for child in ["ecdsa", "rsa", "old"] {
            let ds = fs::read_to_string(bind.path(&format!("dsset-{child}.test."))).unwrap();
            test.push_str(&format!("{child} NS ns.invalid.\n{ds}"));
        }
        test.push_str("plain NS ns.invalid.\n");
        bind.sign("test", &test, "ECDSAP256SHA256", &[]);
        let ds = fs::read_to_string(bind.path("dsset-test.")).unwrap();
        let key = bind.sign(
            ".",
            &format!("ns.invalid. A 127.0.0.1\ntest NS ns.invalid.\n{ds}"),
            "ECDSAP256SHA256",
            &[],
        );
        bind.root.public_key = key;
        bind.serve();
        Some(bind)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn zone(&self, name: &str, text: &str, file: &str) {
        fs::write(self.path(file), text).unwrap();
        let mut zones = fs::read_to_string(self.path("zones")).unwrap_or_default();
        zones.push_str(&format!(
            "zone \"{name}\" {{ type primary; file \"{file}\"; }};\n"
        ));
        fs::write(self.path("zones"), zones).unwrap();
    }

    /// Gives the public key.
    fn sign(&self, name: &str, records: &str, algorithm: &str, more: &[&str]) -> Vec<u8> {
        let mut keygen = Command::new("dnssec-keygen");
        keygen.args(["-q", "-a", algorithm, "-f", "KSK", "-n", "ZONE"]);
        let key = run(keygen
            .args(["-K", "."])
            .arg(name)
            .current_dir(self.home.path()));
        let key = fs::read_to_string(self.path(&format!("{}.key", key.trim()))).unwrap();
        let plain = format!("{name}.plain");
        fs::write(self.path(&plain), format!("{HEAD}{records}{key}")).unwrap();
        let signed = format!("{name}.signed");
        // -z: the one key signs everything; -P: also what has expired already.
        let mut signzone = Command::new("dnssec-signzone");
        signzone
            .args(["-q", "-P", "-z", "-o", name, "-f", &signed])
            .args(more);
        run(signzone.arg(&plain).current_dir(self.home.path()));
        let text = fs::read_to_string(self.path(&signed)).unwrap();
        self.zone(name, &text, &signed);
        // `… IN DNSKEY 257 3 13 base64 base64`
        let line = key.lines().find(|line| line.contains(" DNSKEY ")).unwrap();
        let fields = line.split_whitespace();
        let text: String = fields
            .skip_while(|field| *field != "DNSKEY")
            .skip(4)
            .collect();
        decode(self.home.path(), &text)
    }

    fn serve(&mut self) {
        let home = self.home.path().display();
        let zones = fs::read_to_string(self.path("zones")).unwrap();
        let config = format!(
            "options {{ directory \"{home}\"; pid-file none; listen-on port {port} {{ {ip}; }}; \
             listen-on-v6 {{ none; }}; recursion no; notify no; dnssec-validation no; \
             session-keyfile none; }};\ncontrols {{ }};\n{zones}",
            port = self.at.port(),
            ip = self.at.ip(),
        );
        fs::write(self.path("named.conf"), config).unwrap();
        let log = fs::File::create(self.path("log")).unwrap();
        let mut named = Command::new("named");
        named.arg("-g").arg("-c").arg(self.path("named.conf"));
        let started = named.stdout(Stdio::null()).stderr(log).spawn();
        self.named = Some(started.unwrap());
    }

    fn world(&self) -> World {
        World::real(DnsSettings {
            validation: Validation::Here,
            root_keys: vec![self.root.clone()],
            ..DnsSettings::servers(vec![self.at])
        })
    }

    /// Until it answers.
    async fn ready(&self) -> World {
        let plain = World::real(DnsSettings {
            validation: Validation::Off,
            ..DnsSettings::servers(vec![self.at])
        });
        for _ in 0..500 {
            if plain.dns.ask("plain.test", Kind::Mx).await.is_ok() {
                return self.world();
            }
            let soon = std::time::Duration::from_millis(20);
            plain.clock.after(soon).await;
        }
        panic!(
            "named does not start: {}",
            fs::read_to_string(self.path("log")).unwrap()
        );
    }
}

fn decode(home: &Path, text: &str) -> Vec<u8> {
    let file = home.join("base64");
    fs::write(&file, text).unwrap();
    let output = Command::new("base64")
        .arg("-d")
        .arg(&file)
        .output()
        .unwrap();
    output.stdout
}

const FOUND: AnswerStatus = AnswerStatus::Found;
const NO_DATA: AnswerStatus = AnswerStatus::NoData;
const NO_NAME: AnswerStatus = AnswerStatus::NoSuchName;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zones_signed_by_bind() {
    let Some(bind) = Bind::start() else {
        return;
    };
    let world = bind.ready().await;
    let cases = [
        ("", Kind::Mx, FOUND),
        ("mx.", Kind::A, FOUND),
        ("_25._tcp.mx.", Kind::Tlsa, FOUND),
        ("www.", Kind::A, FOUND),
        ("x.wild.", Kind::Txt, FOUND),
        ("x.y.wild.", Kind::Txt, FOUND),
        ("mx.", Kind::Tlsa, NO_DATA),
        ("_tcp.mx.", Kind::A, NO_DATA),
        ("name.", Kind::A, NO_DATA),
        ("x.wild.", Kind::Mx, NO_DATA),
        ("nobody.", Kind::A, NO_NAME),
        ("_25._tcp.nobody.", Kind::Tlsa, NO_NAME),
        ("zz.", Kind::A, NO_NAME),
    ];
    for zone in ["ecdsa.test", "rsa.test", "plain.test"] {
        let secure = zone != "plain.test";
        for (name, kind, status) in cases {
            let name = format!("{name}{zone}");
            let answer = world.dns.ask(&name, kind).await;
            let got = answer.map(|answer| (answer.status, answer.secure));
            assert_eq!(got, Ok((status, secure)), "{name} {kind:?}");
        }
    }
    for (name, kind) in [
        ("old.test", Kind::Mx),
        ("mx.old.test", Kind::A),
        ("nobody.old.test", Kind::A),
    ] {
        let answer = world.dns.ask(name, kind).await;
        assert_eq!(answer, Err(DnsError::Bogus), "{name} {kind:?}");
    }
    // With another root key nothing can be believed, and nothing is used unchecked.
    let stranger = World::real(DnsSettings {
        validation: Validation::Here,
        root_keys: vec![RootKey {
            algorithm: 13,
            public_key: vec![7; 64],
        }],
        ..DnsSettings::servers(vec![bind.at])
    });
    for name in ["ecdsa.test", "plain.test"] {
        let answer = stranger.dns.ask(name, Kind::Mx).await;
        assert_eq!(answer, Err(DnsError::Bogus), "{name}");
    }
}
