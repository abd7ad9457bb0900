//! Certificate chains for tests, and handshakes on a pipe in memory.

use std::net::SocketAddr;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Certificate, Stream, TlsClient, TlsError, TlsFacts, TlsServer};

/// An authority, one below it, and the server's certificate.
pub struct Chain {
    pub root: String,
    pub middle: String,
    pub leaf: String,
    pub key: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    Good,
    Past,
}

impl Chain {
    pub fn new(name: &str, dates: Dates) -> Self {
        let root = authority("Root");
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let middle = authority("Middle");
        let middle =
            CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &root).unwrap();
        let (parameters, key) = leaf(name, dates);
        let leaf = parameters.signed_by(&key, &middle).unwrap();
        Self {
            root: root.pem(),
            middle: middle.pem(),
            leaf: leaf.pem(),
            key: key.serialize_pem(),
        }
    }

    pub fn self_signed(name: &str, dates: Dates) -> Self {
        let (parameters, key) = leaf(name, dates);
        let leaf = parameters.self_signed(&key).unwrap();
        Self {
            root: String::new(),
            middle: String::new(),
            leaf: leaf.pem(),
            key: key.serialize_pem(),
        }
    }

    /// As usual: without the root.
    pub fn certificate(&self) -> Certificate {
        self.served(&[&self.leaf, &self.middle])
    }

    pub fn with_root(&self) -> Certificate {
        self.served(&[&self.leaf, &self.middle, &self.root])
    }

    pub fn leaf_alone(&self) -> Certificate {
        self.served(&[&self.leaf])
    }

    fn served(&self, parts: &[&String]) -> Certificate {
        let chain: String = parts.iter().map(|part| part.as_str()).collect();
        Certificate::from_pem(chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// Data of a TLSA record for a part of the chain.
    pub fn data(&self, part: &str, selector: u8, matching: u8) -> Vec<u8> {
        // Any key will do to load a certificate of its own for its hash; the first one's issuer is it.
        let chain = format!("{}{part}", self.leaf);
        let loaded = Certificate::from_pem(chain.as_bytes(), self.key.as_bytes()).unwrap();
        loaded.tlsa_data_of_issuer(selector, matching).unwrap()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

fn leaf(name: &str, dates: Dates) -> (CertificateParams, KeyPair) {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    if dates == Dates::Past {
        parameters.not_before = date_time_ymd(2019, 1, 1);
        parameters.not_after = date_time_ymd(2020, 1, 1);
    }
    (parameters, KeyPair::generate().unwrap())
}

/// What each side learnt. A byte goes each way afterwards, so that tickets have come.
pub async fn shake_hands(
    client: &TlsClient,
    name: &str,
    server: &TlsServer,
) -> Result<(TlsFacts, TlsFacts), TlsError> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let here = SocketAddr::from(([127, 0, 0, 1], 1));
    let there = SocketAddr::from(([127, 0, 0, 1], 25));
    let mut near = Stream::new(near, here, there);
    let mut far = Stream::new(far, there, here);
    let serve = async {
        let facts = far.start_tls_server(server).await?;
        let byte = far.read_u8().await.map_err(TlsError::Handshake)?;
        far.write_u8(byte).await.map_err(TlsError::Handshake)?;
        far.flush().await.map_err(TlsError::Handshake)?;
        Ok::<_, TlsError>(facts)
    };
    let ask = async move {
        let facts = near.start_tls_client(client, name).await?;
        near.write_u8(7).await.map_err(TlsError::Handshake)?;
        near.flush().await.map_err(TlsError::Handshake)?;
        near.read_u8().await.map_err(TlsError::Handshake)?;
        // Dropped here, so that a server that waits for more is not waited for.
        Ok::<_, TlsError>(facts)
    };
    let (asked, served) = tokio::join!(ask, serve);
    Ok((asked?, served?))
}
