//! The operator's list of destinations that get mail over TLS only.

use std::fmt;
use std::str::FromStr;

use mail::{Domain, UnixMillis};

use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRequirement {
    pub scope: TlsScope,
    pub level: TlsLevel,
    /// What the names of the mail hosts must match: a name, or `*.` and a name. Empty: as the DNS says.
    pub mx: Vec<String>,
    pub created: UnixMillis,
}

/// Which destinations are meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsScope {
    Domain(Domain),
    /// Every domain below this one, not itself.
    Below(Domain),
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsLevel {
    /// TLS, with any certificate.
    Encrypted,
    /// TLS with a certificate that is valid for the mail host.
    Verified,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is neither a domain, nor *. and a domain, nor * for all")]
pub struct BadTlsScope(String);

/// Names above a domain that are looked up: no name has more labels.
const PARENTS_MAX: usize = 127;

impl View<'_> {
    /// The most specific demand that names the domain.
    pub fn tls_requirement(&self, domain: &Domain) -> Result<Option<TlsRequirement>, StoreError> {
        let sql = "SELECT domain, level, mx, created FROM tls_requirement WHERE domain = ?1";
        let find = |name: &str| self.sql.first(sql, &[Param::Text(name)], read);
        if let Some(found) = find(domain.as_str())? {
            return Ok(Some(found));
        }
        // Most hosts have no list at all: then one question is enough.
        let some = "SELECT created FROM tls_requirement LIMIT 1";
        if self.sql.first(some, &[], |row| row.int(0))?.is_none() {
            return Ok(None);
        }
        let mut name = domain.as_str();
        for _ in 0..PARENTS_MAX {
            let Some((_, parent)) = name.split_once('.') else {
                break;
            };
            if let Some(found) = find(&format!("*.{parent}"))? {
                return Ok(Some(found));
            }
            name = parent;
        }
        find("*")
    }

    /// All of them, by name.
    pub fn tls_requirements(&self) -> Result<Vec<TlsRequirement>, StoreError> {
        let sql = "SELECT domain, level, mx, created FROM tls_requirement ORDER BY domain";
        self.sql.all(sql, &[], read)
    }
}

impl Change<'_> {
    /// Adds a demand, or replaces the one of the same scope.
    pub fn require_tls(&mut self, requirement: &TlsRequirement) -> Result<(), StoreError> {
        let sql = "INSERT INTO tls_requirement (domain, level, mx, created) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (domain) DO UPDATE SET level = excluded.level, mx = excluded.mx";
        let (scope, mx) = (requirement.scope.to_string(), requirement.mx.join(" "));
        let params = [
            Param::Text(&scope),
            Param::Int(requirement.level.code()),
            Param::Text(&mx),
            Param::Int(requirement.created.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// False if there was none.
    pub fn forget_tls_requirement(&mut self, scope: &TlsScope) -> Result<bool, StoreError> {
        let sql = "DELETE FROM tls_requirement WHERE domain = ?1";
        let scope = scope.to_string();
        Ok(self.sql.execute(sql, &[Param::Text(&scope)])? != 0)
    }
}

fn read(row: &Row<'_>) -> SqlResult<TlsRequirement> {
    let scope = row.text(0)?;
    Ok(TlsRequirement {
        scope: scope
            .parse()
            .map_err(|error: BadTlsScope| StoreError::Damaged(error.to_string()))?,
        level: TlsLevel::of_code(row.int(1)?),
        mx: row
            .text(2)?
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
        created: UnixMillis(row.int(3)?),
    })
}

impl TlsLevel {
    fn code(self) -> i64 {
        match self {
            Self::Encrypted => 1,
            Self::Verified => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        if code == 1 {
            Self::Encrypted
        } else {
            Self::Verified
        }
    }
}

impl fmt::Display for TlsLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypted => "encrypted",
            Self::Verified => "verified",
        })
    }
}

impl fmt::Display for TlsScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => f.write_str(domain.as_str()),
            Self::Below(domain) => write!(f, "*.{}", domain.as_str()),
            Self::All => f.write_str("*"),
        }
    }
}

impl FromStr for TlsScope {
    type Err = BadTlsScope;

    fn from_str(text: &str) -> Result<Self, BadTlsScope> {
        let bad = |_| BadTlsScope(text.to_owned());
        match text.strip_prefix("*.") {
            Some(domain) => Domain::parse(domain).map(Self::Below).map_err(bad),
            None if text == "*" => Ok(Self::All),
            None => Domain::parse(text).map(Self::Domain).map_err(bad),
        }
    }
}
