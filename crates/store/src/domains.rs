//! Domains we serve, and their DKIM keys.

use std::fmt;

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
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
        self.sql.all(DOMAINS, &[], read_domain)
    }

    pub fn domain(&self, name: &mail::Domain) -> Result<Option<Domain>, StoreError> {
        self.sql
            .first(DOMAIN, &[Param::Text(name.as_str())], read_domain)
    }

    /// Whether mail for this domain stays here. Cheap.
    pub fn is_local(&self, name: &mail::Domain) -> Result<bool, StoreError> {
        let sql = "SELECT created FROM domain WHERE name = ?1";
        Ok(self
            .sql
            .first(sql, &[Param::Text(name.as_str())], |row| row.int(0))?
            .is_some())
    }

    /// All keys of a domain, newest first.
    pub fn dkim_keys(&self, domain: &mail::Domain) -> Result<Vec<DkimKey>, StoreError> {
        let sql = "SELECT selector, algorithm, state, created, public_key, private_key FROM dkim_key \
                   WHERE domain = ?1 ORDER BY created DESC, selector";
        self.sql.all(sql, &[Param::Text(domain.as_str())], |row| {
            let selector = row.text(0)?.to_owned();
            let private = self
                .shared
                .sealing
                .unseal(&sealing_purpose(domain, &selector), row.blob(5)?)?;
            Ok(DkimKey {
                domain: domain.clone(),
                selector,
                algorithm: DkimAlgorithm::of_code(row.int(1)?)?,
                state: DkimState::of_code(row.int(2)?)?,
                created: UnixMillis(row.int(3)?),
                public: row.blob(4)?.to_vec(),
                private,
            })
        })
    }
}

impl Change<'_> {
    pub fn add_domain(&mut self, name: &mail::Domain, now: UnixMillis) -> Result<(), DomainError> {
        let sql = "INSERT INTO domain (name, created) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        match self
            .sql
            .execute(sql, &[Param::Text(name.as_str()), Param::Int(now.0)])?
        {
            0 => Err(DomainError::Exists(name.clone())),
            _ => Ok(()),
        }
    }

    /// Removes a domain with its aliases and keys. Its accounts must be gone before.
    pub fn remove_domain(&mut self, name: &mail::Domain) -> Result<(), DomainError> {
        let domain = self
            .domain(name)?
            .ok_or_else(|| DomainError::NoSuchDomain(name.clone()))?;
        if domain.accounts != 0 {
            return Err(DomainError::HasAccounts {
                domain: name.clone(),
                accounts: domain.accounts,
            });
        }
        let key = [Param::Text(name.as_str())];
        self.sql
            .execute("DELETE FROM alias WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM dkim_key WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM domain WHERE name = ?1", &key)?;
        Ok(())
    }

    pub fn add_dkim_key(
        &mut self,
        domain: &mail::Domain,
        key: &NewDkimKey,
        now: UnixMillis,
    ) -> Result<(), DomainError> {
        if !self.is_local(domain)? {
            return Err(DomainError::NoSuchDomain(domain.clone()));
        }
        let sealed = self
            .shared
            .sealing
            .seal(&sealing_purpose(domain, &key.selector), &key.private)?;
        let sql = "INSERT INTO dkim_key (domain, selector, algorithm, state, created, public_key, private_key) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(&key.selector),
            Param::Int(key.algorithm.code()),
            Param::Int(key.state.code()),
            Param::Int(now.0),
            Param::Blob(&key.public),
            Param::Blob(&sealed),
        ];
        match self.sql.execute(sql, &params)? {
            0 => Err(DomainError::SelectorExists(key.selector.clone())),
            _ => Ok(()),
        }
    }

    pub fn set_dkim_state(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        state: DkimState,
    ) -> Result<(), DomainError> {
        let sql = "UPDATE dkim_key SET state = ?3 WHERE domain = ?1 AND selector = ?2";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(selector),
            Param::Int(state.code()),
        ];
        found(self.sql.execute(sql, &params)?, selector)
    }

    pub fn remove_dkim_key(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
    ) -> Result<(), DomainError> {
        let sql = "DELETE FROM dkim_key WHERE domain = ?1 AND selector = ?2";
        found(
            self.sql
                .execute(sql, &[Param::Text(domain.as_str()), Param::Text(selector)])?,
            selector,
        )
    }
}

const DOMAINS: &str = "SELECT d.name, d.created, \
     (SELECT COUNT(*) FROM account a WHERE a.domain = d.name), \
     (SELECT COUNT(*) FROM alias x WHERE x.domain = d.name) \
     FROM domain d ORDER BY d.name";

const DOMAIN: &str = "SELECT d.name, d.created, \
     (SELECT COUNT(*) FROM account a WHERE a.domain = d.name), \
     (SELECT COUNT(*) FROM alias x WHERE x.domain = d.name) \
     FROM domain d WHERE d.name = ?1";

fn read_domain(row: &Row<'_>) -> SqlResult<Domain> {
    Ok(Domain {
        name: stored_domain(row.text(0)?)?,
        created: UnixMillis(row.int(1)?),
        accounts: row.int(2)?.max(0) as u64,
        aliases: row.int(3)?.max(0) as u64,
    })
}

/// A domain as it was written here earlier.
pub(crate) fn stored_domain(text: &str) -> SqlResult<mail::Domain> {
    mail::Domain::parse_with_literal(text)
        .map_err(|e| StoreError::Damaged(format!("the stored domain {text}: {e}")))
}

fn found(rows: u64, selector: &str) -> Result<(), DomainError> {
    if rows == 0 {
        Err(DomainError::NoSuchSelector(selector.to_owned()))
    } else {
        Ok(())
    }
}

fn sealing_purpose(domain: &mail::Domain, selector: &str) -> String {
    format!("dkim key {selector} of {domain}")
}

impl DkimAlgorithm {
    fn code(self) -> i64 {
        match self {
            Self::RsaSha256 => 1,
            Self::Ed25519Sha256 => 2,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::RsaSha256),
            2 => Ok(Self::Ed25519Sha256),
            _ => Err(StoreError::Damaged(format!("DKIM algorithm {code}"))),
        }
    }
}

impl DkimState {
    fn code(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Published => 2,
            Self::Retired => 3,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::Active),
            2 => Ok(Self::Published),
            3 => Ok(Self::Retired),
            _ => Err(StoreError::Damaged(format!("DKIM state {code}"))),
        }
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DkimKey({} of {}, {:?}, {:?})",
            self.selector, self.domain, self.algorithm, self.state
        )
    }
}

impl fmt::Debug for NewDkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NewDkimKey({}, {:?}, {:?})",
            self.selector, self.algorithm, self.state
        )
    }
}
