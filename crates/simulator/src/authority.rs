//! A certificate authority for the pocket internet: good certificates and bad ones.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use world::Certificate;

/// Clones are the same authority.
#[derive(Clone)]
pub struct Authority {
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    Now,
    Past,
}

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Pocket Internet Authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("it can be signed");
        Self {
            issuer: Arc::new(issuer),
        }
    }

    /// The root certificate, for those who shall trust it.
    pub fn root_pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn issue(&self, name: &str, validity: Validity) -> Certificate {
        let (parameters, key) = leaf(name, validity);
        let certificate = parameters
            .signed_by(&key, &*self.issuer)
            .expect("it can be signed");
        // With the root itself: records of DANE-TA want it in the chain. RFC 7672 §3.1.2
        load(&format!("{}{}", certificate.pem(), self.issuer.pem()), &key)
    }

    pub fn self_signed(&self, name: &str) -> Certificate {
        let (parameters, key) = leaf(name, Validity::Now);
        let certificate = parameters.self_signed(&key).expect("it can be signed");
        load(&certificate.pem(), &key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn leaf(name: &str, validity: Validity) -> (CertificateParams, KeyPair) {
    let mut parameters =
        CertificateParams::new(vec![name.to_owned()]).expect("a test's host name is a DNS name");
    parameters.distinguished_name.push(DnType::CommonName, name);
    if validity == Validity::Past {
        parameters.not_before = date_time_ymd(2019, 1, 1);
        parameters.not_after = date_time_ymd(2020, 1, 1);
    }
    (parameters, KeyPair::generate().expect("a key can be made"))
}

fn load(certificate: &str, key: &KeyPair) -> Certificate {
    Certificate::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes())
        .expect("a certificate just made is well-formed")
}
