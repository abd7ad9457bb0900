//! What was learnt of the TLS of destinations: under which names their mail hosts showed a valid certificate,
//! each time, and since when. A session without one begins the count anew.

use mail::UnixMillis;

use crate::domains::stored_domain;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::LEARNT_SITES_MAX;
use crate::{Change, StoreError, View};

/// One name under which the mail hosts of a destination stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntTls {
    pub domain: mail::Domain,
    /// A mail host, or `*.` and what follows its first label.
    pub site: String,
    /// The first of an unbroken row of sessions, and the last (to a day).
    pub since: UnixMillis,
    pub last: UnixMillis,
}

/// How exactly the last session is known: one write a day is enough.
const STEP_MILLIS: i64 = 86_400_000;

const INSIST: &str = "insist-on-learnt-tls";

impl View<'_> {
    pub fn learnt_tls(&self, domain: &mail::Domain) -> Result<Vec<LearntTls>, StoreError> {
        let sql =
            "SELECT domain, site, since, last FROM tls_learnt WHERE domain = ?1 ORDER BY site";
        self.sql.all(sql, &[Param::Text(domain.as_str())], read)
    }

    /// Of all destinations after this one, by name.
    pub fn all_learnt_tls(
        &self,
        after: Option<&mail::Domain>,
        limit: usize,
    ) -> Result<Vec<LearntTls>, StoreError> {
        let sql = "SELECT domain, site, since, last FROM tls_learnt WHERE domain > ?1 ORDER BY domain, site LIMIT ?2";
        let params = [
            Param::Text(after.map_or("", |domain| domain.as_str())),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        self.sql.all(sql, &params, read)
    }

    /// Whether the operator wants what was learnt to be insisted on. Not so at first.
    pub fn insists_on_learnt_tls(&self) -> Result<bool, StoreError> {
        let sql = "SELECT value FROM transport_choice WHERE name = ?1";
        let value = self
            .sql
            .first(sql, &[Param::Text(INSIST)], |row| row.int(0))?;
        Ok(value == Some(1))
    }
}

impl Change<'_> {
    pub fn insist_on_learnt_tls(&mut self, insist: bool) -> Result<(), StoreError> {
        let sql = "INSERT INTO transport_choice (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let params = [Param::Text(INSIST), Param::Int(i64::from(insist))];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Mail went to the destination over TLS with a certificate that is valid for its host.
    pub fn note_valid_tls(
        &mut self,
        domain: &mail::Domain,
        site: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE tls_learnt SET last = ?3 WHERE domain = ?1 AND site = ?2 AND last < ?4";
        let domain = Param::Text(domain.as_str());
        let params = [
            domain,
            Param::Text(site),
            Param::Int(now.0),
            Param::Int(now.0.saturating_sub(STEP_MILLIS)),
        ];
        if self.sql.execute(sql, &params)? != 0 {
            return Ok(());
        }
        let sql = "INSERT INTO tls_learnt (domain, site, since, last) SELECT ?1, ?2, ?3, ?3 \
                   WHERE (SELECT COUNT(*) FROM tls_learnt WHERE domain = ?1) < ?4 ON CONFLICT DO NOTHING";
        let params = [
            domain,
            Param::Text(site),
            Param::Int(now.0),
            Param::Int(LEARNT_SITES_MAX),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Forgets what was learnt of a destination. False if it was nothing.
    pub fn forget_learnt_tls(&mut self, domain: &mail::Domain) -> Result<bool, StoreError> {
        let sql = "DELETE FROM tls_learnt WHERE domain = ?1";
        Ok(self.sql.execute(sql, &[Param::Text(domain.as_str())])? != 0)
    }

    /// Forgets what no session has confirmed since.
    pub fn forget_learnt_tls_before(&mut self, before: UnixMillis) -> Result<(), StoreError> {
        let sql = "DELETE FROM tls_learnt WHERE last < ?1";
        self.sql.execute(sql, &[Param::Int(before.0)]).map(drop)
    }
}

fn read(row: &Row<'_>) -> SqlResult<LearntTls> {
    Ok(LearntTls {
        domain: stored_domain(row.text(0)?)?,
        site: row.text(1)?.to_owned(),
        since: UnixMillis(row.int(2)?),
        last: UnixMillis(row.int(3)?),
    })
}
