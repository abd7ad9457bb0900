//! Domains we serve, and their DKIM keys.

use mail::UnixMillis;

use crate::{Change, StoreError, View};

/// A local domain. The name is the lower-case A-label form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    pub name: mail::Domain,
    pub created: UnixMillis,
    pub accounts: u64,
    pub aliases: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    #[error("{0} is already a domain of this server")]
    Exists(mail::Domain),
    #[error("{0} is no domain of this server")]
    NoSuchDomain(mail::Domain),
    #[error("{domain} still has {accounts} accounts; remove them first")]
    HasAccounts { domain: mail::Domain, accounts: u64 },
    #[error("the selector {0} is already in use")]
    SelectorExists(String),
    #[error("there is no DKIM key with the selector {0}")]
    NoSuchSelector(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimAlgorithm {
    RsaSha256,
    /// RFC 8463.
    Ed25519Sha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimState {
    /// Signs.
    Active,
    /// Published, but not yet or no longer used for signing.
    Published,
    /// Kept for the record.
    Retired,
}

/// A key pair of a domain. On disk the private key is encrypted with the key file.
#[derive(Clone, PartialEq, Eq)]
pub struct DkimKey {
    pub domain: mail::Domain,
    pub selector: String,
    pub algorithm: DkimAlgorithm,
    /// PKCS #8, DER.
    pub private: Vec<u8>,
    /// As it stands in the DNS record: SubjectPublicKeyInfo DER for RSA, 32 raw bytes for Ed25519.
    pub public: Vec<u8>,
    pub state: DkimState,
    pub created: UnixMillis,
}

#[derive(Clone)]
pub struct NewDkimKey {
    pub selector: String,
    pub algorithm: DkimAlgorithm,
    pub private: Vec<u8>,
    pub public: Vec<u8>,
    pub state: DkimState,
}

impl View<'_> {
    /// All local domains in the order of their names.
    pub fn domains(&self) -> Result<Vec<Domain>, StoreError> {
        todo!()
    }

    pub fn domain(&self, name: &mail::Domain) -> Result<Option<Domain>, StoreError> {
        let _ = name;
        todo!()
    }

    /// Whether mail for this domain stays here. Cheap.
    pub fn is_local(&self, name: &mail::Domain) -> Result<bool, StoreError> {
        let _ = name;
        todo!()
    }

    /// All keys of a domain, newest first.
    pub fn dkim_keys(&self, domain: &mail::Domain) -> Result<Vec<DkimKey>, StoreError> {
        let _ = domain;
        todo!()
    }
}

impl Change<'_> {
    pub fn add_domain(&mut self, name: &mail::Domain, now: UnixMillis) -> Result<(), DomainError> {
        let _ = (name, now);
        todo!()
    }

    /// Removes a domain with its aliases and keys. Its accounts must be gone before.
    pub fn remove_domain(&mut self, name: &mail::Domain) -> Result<(), DomainError> {
        let _ = name;
        todo!()
    }

    pub fn add_dkim_key(&mut self, domain: &mail::Domain, key: &NewDkimKey, now: UnixMillis) -> Result<(), DomainError> {
        let _ = (domain, key, now);
        todo!()
    }

    pub fn set_dkim_state(&mut self, domain: &mail::Domain, selector: &str, state: DkimState) -> Result<(), DomainError> {
        let _ = (domain, selector, state);
        todo!()
    }

    pub fn remove_dkim_key(&mut self, domain: &mail::Domain, selector: &str) -> Result<(), DomainError> {
        let _ = (domain, selector);
        todo!()
    }
}
