//! Domains whose mail can be told from forgeries: with SPF, DKIM and DMARC records, and a host to send
//! from. For the scenarios of `authentication.rs` and `forwarding.rs`.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use mailauth::dkim::{Algorithm, SigningKey, generate, public_key, public_record, sign};
use simulator::{Client, Host, Internet, Reply};
use store::{DkimAlgorithm, DkimState, Durability, NewDkimKey};

const SELECTOR: &str = "s1";

/// A domain that sends mail.
pub struct Author {
    pub domain: &'static str,
    /// Its only mail host, which SPF names.
    pub address: IpAddr,
    internet: Internet,
}

impl Author {
    /// With SPF, DKIM and this DMARC policy.
    pub fn new(internet: &Internet, domain: &'static str, policy: &str) -> Self {
        let author = Self {
            domain,
            address: internet.fresh_address(),
            internet: internet.clone(),
        };
        internet.zones().host(&author.host(), author.address);
        let spf = format!("v=spf1 ip4:{} -all", author.address);
        internet.domain(domain).txt(&spf);
        internet.domain(&author.host()).txt(&spf);
        let record = public_record(key(Algorithm::RsaSha256)).unwrap();
        internet
            .domain(&format!("{SELECTOR}._domainkey.{domain}"))
            .txt(&record);
        internet
            .domain(&format!("_dmarc.{domain}"))
            .txt(&format!("v=DMARC1; {policy}"));
        author
    }

    pub fn host(&self) -> String {
        format!("mx.{}", self.domain)
    }

    pub fn key(&self) -> SigningKey {
        SigningKey::from_pkcs8(self.domain, SELECTOR, key(Algorithm::RsaSha256)).unwrap()
    }

    /// A message from somebody of the domain, unsigned.
    pub fn letter(&self, subject: &str) -> String {
        format!(
            "From: Al <al@{}>\r\nTo: <ann@here.test>\r\nSubject: {subject}\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\n\
             Message-ID: <{}@{}>\r\n\r\nHello, this is about {subject}.\r\n",
            self.domain,
            subject.replace(' ', "."),
            self.domain
        )
    }

    pub fn signed(&self, message: &str) -> String {
        let fields = sign(message.as_bytes(), &[&self.key()], seconds(&self.internet)).unwrap();
        format!("{}{message}", String::from_utf8(fields).unwrap())
    }

    /// From its own host, with its own envelope.
    pub async fn send(&self, to: &Host, recipients: &[&str], message: &str) -> Reply {
        let from = format!("al@{}", self.domain);
        let mut client = self.connect(to.mx()).await;
        client.transact(&from, recipients, message).await.unwrap()
    }

    pub async fn connect(&self, to: SocketAddr) -> Client {
        client(&self.internet, self.address, &self.host(), to).await
    }
}

/// A connection from an address, EHLO said.
pub async fn client(internet: &Internet, from: IpAddr, hello: &str, to: SocketAddr) -> Client {
    let world = internet.world(hello, vec![from]);
    let stream = world.net.connect(Some(from), to).await;
    let mut client = Client::new(stream.expect("the server listens"));
    client.reply().await.expect("a greeting");
    client.say(&format!("EHLO {hello}")).await.expect("a reply");
    client
}

pub fn seconds(internet: &Internet) -> u64 {
    let since = internet.wall().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// Keys for a domain of a host, published, and its SPF record.
pub fn publish_domain(internet: &Internet, host: &Host, domain: &'static str) {
    internet
        .domain(domain)
        .txt(&format!("v=spf1 ip4:{} -all", host.address()));
    for (selector, algorithm, stored) in [
        ("r1", Algorithm::RsaSha256, DkimAlgorithm::RsaSha256),
        ("e1", Algorithm::Ed25519Sha256, DkimAlgorithm::Ed25519Sha256),
    ] {
        let private = key(algorithm);
        internet
            .domain(&format!("{selector}._domainkey.{domain}"))
            .txt(&public_record(private).unwrap());
        let name = mail::Domain::parse(domain).unwrap();
        let key = NewDkimKey {
            selector: selector.to_owned(),
            algorithm: stored,
            private: private.to_vec(),
            public: public_key(private).unwrap(),
            state: DkimState::Active,
        };
        host.store()
            .write_blocking(Durability::Durable, move |change| {
                change.add_dkim_key(&name, &key, mail::UnixMillis(1_772_442_000_000))
            })
            .unwrap();
    }
}

/// Making RSA keys takes long, and nothing here depends on their being different.
pub fn key(algorithm: Algorithm) -> &'static [u8] {
    static RSA: OnceLock<Vec<u8>> = OnceLock::new();
    static ED25519: OnceLock<Vec<u8>> = OnceLock::new();
    let key = match algorithm {
        Algorithm::RsaSha256 => &RSA,
        Algorithm::Ed25519Sha256 => &ED25519,
    };
    key.get_or_init(|| generate(algorithm).unwrap())
}

/// The fields of this name, unfolded.
pub fn fields(message: &str, name: &str) -> Vec<String> {
    mail::header::fields(message.as_bytes())
        .filter(|field| field.is(name))
        .map(|field| {
            let value = mail::header::unfold(field.value).into_owned();
            String::from_utf8(value).unwrap().replace('\t', " ")
        })
        .collect()
}

/// The one Authentication-Results field of a host, which must say all of this.
#[track_caller]
pub fn assert_results(message: &str, host: &str, wanted: &[&str]) {
    let all = fields(message, "Authentication-Results");
    let ours: Vec<_> = all
        .iter()
        .filter(|field| field.starts_with(&format!("{host};")))
        .collect();
    assert_eq!(ours.len(), 1, "{message}");
    for wanted in wanted {
        assert!(ours[0].contains(wanted), "no {wanted:?} in {}", ours[0]);
    }
}
