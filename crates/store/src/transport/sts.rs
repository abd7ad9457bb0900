//! The MTA-STS policies of others, kept until they end. RFC 8461 §5.1.

use mail::UnixMillis;

use crate::domains::stored_domain;
use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

/// A policy as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    pub domain: mail::Domain,
    /// The `id` of the TXT record that announced it.
    pub record_id: String,
    /// The file, word for word.
    pub policy: String,
    pub fetched: UnixMillis,
    /// From then on it binds nobody.
    pub expires: UnixMillis,
    /// When to look for a new one.
    pub refresh: UnixMillis,
    /// When mail last asked for it, to a day.
    pub used: UnixMillis,
}

/// How exactly the last use is known: one write a day is enough.
const USE_STEP_MILLIS: i64 = 86_400_000;

const COLUMNS: &str = "SELECT domain, record_id, policy, fetched, expires, refresh, used FROM sts_policy WHERE domain = ?1";

impl View<'_> {
    pub fn sts_policy(&self, domain: &mail::Domain) -> Result<Option<StsPolicy>, StoreError> {
        self.sql
            .first(COLUMNS, &[Param::Text(domain.as_str())], read)
    }

    /// Those whose time to be fetched anew has come, the longest overdue first.
    pub fn sts_policies_to_refresh(
        &self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<StsPolicy>, StoreError> {
        let sql = "SELECT domain, record_id, policy, fetched, expires, refresh, used FROM sts_policy \
                   WHERE refresh <= ?1 ORDER BY refresh, domain LIMIT ?2";
        let limit = Param::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        self.sql.all(sql, &[Param::Int(now.0), limit], read)
    }
}

impl Change<'_> {
    /// In place of an older one.
    pub fn keep_sts_policy(&mut self, policy: &StsPolicy) -> Result<(), StoreError> {
        let sql = "INSERT INTO sts_policy (domain, record_id, policy, fetched, expires, refresh, used) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (domain) DO UPDATE SET \
                   record_id = excluded.record_id, policy = excluded.policy, fetched = excluded.fetched, \
                   expires = excluded.expires, refresh = excluded.refresh, used = excluded.used";
        let params = [
            Param::Text(policy.domain.as_str()),
            Param::Text(&policy.record_id),
            Param::Text(&policy.policy),
            Param::Int(policy.fetched.0),
            Param::Int(policy.expires.0),
            Param::Int(policy.refresh.0),
            Param::Int(policy.used.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Mail asked for it.
    pub fn note_sts_use(
        &mut self,
        domain: &mail::Domain,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sts_policy SET used = ?2 WHERE domain = ?1 AND used < ?3";
        let params = [
            Param::Text(domain.as_str()),
            Param::Int(now.0),
            Param::Int(now.0.saturating_sub(USE_STEP_MILLIS)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// It could not be fetched anew, or need not: the next look is then.
    pub fn put_off_sts_refresh(
        &mut self,
        domain: &mail::Domain,
        until: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sts_policy SET refresh = ?2 WHERE domain = ?1";
        let params = [Param::Text(domain.as_str()), Param::Int(until.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Forgets what has ended, and what no mail has asked for since `unused_since`.
    pub fn forget_sts_policies(
        &mut self,
        now: UnixMillis,
        unused_since: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM sts_policy WHERE expires <= ?1 OR used < ?2";
        let params = [Param::Int(now.0), Param::Int(unused_since.0)];
        self.sql.execute(sql, &params).map(drop)
    }
}

fn read(row: &Row<'_>) -> SqlResult<StsPolicy> {
    Ok(StsPolicy {
        domain: stored_domain(row.text(0)?)?,
        record_id: row.text(1)?.to_owned(),
        policy: row.text(2)?.to_owned(),
        fetched: UnixMillis(row.int(3)?),
        expires: UnixMillis(row.int(4)?),
        refresh: UnixMillis(row.int(5)?),
        used: UnixMillis(row.int(6)?),
    })
}
