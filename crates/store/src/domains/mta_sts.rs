//! What our domains ask of those who send to them: MTA-STS (RFC 8461). The policy is served by `web`.

use mail::UnixMillis;

use super::DomainError;
use crate::engine::{Param, SqlResult};
use crate::{Change, StoreError, View};

/// How strict others shall be with TLS towards us. RFC 8461 §5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MtaStsMode {
    /// Report what fails, and deliver all the same. Safe to begin with.
    #[default]
    Testing,
    /// Do not deliver without a valid certificate.
    Enforce,
    /// Forget earlier policies.
    None,
}

/// The wish of one domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnMtaSts {
    pub mode: MtaStsMode,
    /// When it was chosen; `None` while it is the default.
    pub changed: Option<UnixMillis>,
}

impl View<'_> {
    /// A local domain's wish.
    pub fn mta_sts(&self, domain: &mail::Domain) -> Result<OwnMtaSts, StoreError> {
        let sql = "SELECT mode, changed FROM mta_sts_own WHERE domain = ?1";
        let found = self
            .sql
            .first(sql, &[Param::Text(domain.as_str())], |row| {
                Ok(OwnMtaSts {
                    mode: MtaStsMode::of_code(row.int(0)?)?,
                    changed: Some(UnixMillis(row.int(1)?)),
                })
            })?;
        Ok(found.unwrap_or(OwnMtaSts {
            mode: MtaStsMode::default(),
            changed: None,
        }))
    }

    pub fn mta_sts_mode(&self, domain: &mail::Domain) -> Result<MtaStsMode, StoreError> {
        Ok(self.mta_sts(domain)?.mode)
    }
}

impl Change<'_> {
    pub fn set_mta_sts_mode(
        &mut self,
        domain: &mail::Domain,
        mode: MtaStsMode,
        now: UnixMillis,
    ) -> Result<(), DomainError> {
        if !self.is_local(domain)? {
            return Err(DomainError::NoSuchDomain(domain.clone()));
        }
        let sql = "INSERT INTO mta_sts_own (domain, mode, changed) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (domain) DO UPDATE SET mode = excluded.mode, changed = excluded.changed";
        let params = [
            Param::Text(domain.as_str()),
            Param::Int(mode.code()),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        Ok(())
    }
}

impl MtaStsMode {
    /// As it stands in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::Enforce => "enforce",
            Self::None => "none",
        }
    }

    fn code(self) -> i64 {
        match self {
            Self::Testing => 1,
            Self::Enforce => 2,
            Self::None => 3,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::Testing),
            2 => Ok(Self::Enforce),
            3 => Ok(Self::None),
            _ => Err(StoreError::Damaged(format!("MTA-STS mode {code}"))),
        }
    }
}
