//! Domains we serve. Their signing keys are in `domains/dkim.rs`, what they ask of senders in `domains/mta_sts.rs`.

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

mod dkim;
mod mta_sts;
mod own_dmarc;

pub use dkim::{
    DkimAlgorithm, DkimKey, DkimLook, DkimRecord, DkimRotation, DkimState, NewDkimKey, signing,
};
pub use mta_sts::{MtaStsMode, OwnMtaSts};
pub use own_dmarc::OwnDmarc;

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
            .execute("DELETE FROM forward WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM domain_policy WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM dkim_key WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM dkim_schedule WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM mta_sts_own WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM own_dmarc WHERE domain = ?1", &key)?;
        self.sql
            .execute("DELETE FROM domain WHERE name = ?1", &key)?;
        Ok(())
    }
}

const DOMAINS: &str = "SELECT d.name, d.created, \
     (SELECT COUNT(*) FROM account a WHERE a.domain = d.name), \
     (SELECT COUNT(*) FROM alias x WHERE x.domain = d.name) + (SELECT COUNT(*) FROM forward f WHERE f.domain = d.name) \
     FROM domain d ORDER BY d.name";

const DOMAIN: &str = "SELECT d.name, d.created, \
     (SELECT COUNT(*) FROM account a WHERE a.domain = d.name), \
     (SELECT COUNT(*) FROM alias x WHERE x.domain = d.name) + (SELECT COUNT(*) FROM forward f WHERE f.domain = d.name) \
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
