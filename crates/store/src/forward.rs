//! Forwarding to other servers: where aliases lead, and what the return addresses of forwarded mail
//! (SRS) are made with. What such an address looks like is the business of `mta`.

use mail::{Address, UnixMillis};

use crate::accounts::folded;
use crate::domains::stored_domain;
use crate::engine::{Param, SqlResult};
use crate::limits::{ALIAS_TARGETS_MAX, SRS_SECRETS_MAX, SRS_SENDERS_PER_TIDY};
use crate::{Change, StoreError, View};

/// A way of an alias to another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Nothing for the domain's catch-all.
    pub local: Option<String>,
    pub domain: mail::Domain,
    pub target: Address,
}

/// What SRS addresses are authenticated with.
#[derive(Clone, PartialEq, Eq)]
pub struct SrsSecret {
    pub created: UnixMillis,
    pub secret: Vec<u8>,
}

impl View<'_> {
    /// All ways to other servers, or those of one domain, by alias.
    pub fn forwards(&self, domain: Option<&mail::Domain>) -> Result<Vec<Forward>, StoreError> {
        let sql = "SELECT local, domain, target FROM forward WHERE ?1 = '' OR domain = ?1 \
                   ORDER BY domain, local, target";
        let domain = domain.map_or("", |domain| domain.as_str());
        self.sql.all(sql, &[Param::Text(domain)], |row| {
            let local = row.text(0)?;
            Ok(Forward {
                local: (!local.is_empty()).then(|| local.to_owned()),
                domain: stored_domain(row.text(1)?)?,
                target: stored_address(row.text(2)?)?,
            })
        })
    }

    /// The secrets of this server, newest first. None before the first forwarding.
    pub fn srs_secrets(&self) -> Result<Vec<SrsSecret>, StoreError> {
        let sql = "SELECT created, secret FROM srs_secret ORDER BY created DESC";
        self.sql.all(sql, &[], |row| {
            let created = row.int(0)?;
            Ok(SrsSecret {
                created: UnixMillis(created),
                secret: self
                    .shared
                    .sealing
                    .unseal(&sealing_purpose(created), row.blob(1)?)?,
            })
        })
    }

    /// Whom a token of [`Change::note_srs_sender`] stands for. Case does not matter.
    pub fn srs_sender(&self, token: &str) -> Result<Option<Address>, StoreError> {
        let sql = "SELECT address FROM srs_sender WHERE token = ?1";
        self.sql.first(sql, &[Param::Text(&folded(token))], |row| {
            stored_address(row.text(0)?)
        })
    }

    /// Where the alias of exactly this address leads outside.
    pub(crate) fn forwards_of(&self, domain: &str, local: &str) -> SqlResult<Vec<Address>> {
        let sql =
            "SELECT target FROM forward WHERE domain = ?1 AND local = ?2 ORDER BY target LIMIT ?3";
        let params = [
            Param::Text(domain),
            Param::Text(local),
            Param::Int(ALIAS_TARGETS_MAX),
        ];
        self.sql
            .all(sql, &params, |row| stored_address(row.text(0)?))
    }
}

impl Change<'_> {
    /// A new secret from now on. The ones before it stay good for checking, the oldest go. If another
    /// node made one since `newest_known`, nothing is done.
    pub fn add_srs_secret(
        &mut self,
        secret: &[u8],
        newest_known: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let newest = self.sql.first(
            "SELECT created FROM srs_secret ORDER BY created DESC LIMIT 1",
            &[],
            |row| row.int(0),
        )?;
        if newest != newest_known.map(|created| created.0) {
            return Ok(());
        }
        let sealed = self.shared.sealing.seal(&sealing_purpose(now.0), secret)?;
        let sql = "INSERT INTO srs_secret (created, secret) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.sql
            .execute(sql, &[Param::Int(now.0), Param::Blob(&sealed)])?;
        let sql = "DELETE FROM srs_secret WHERE created NOT IN \
                   (SELECT created FROM srs_secret ORDER BY created DESC LIMIT ?1)";
        self.sql
            .execute(sql, &[Param::Int(SRS_SECRETS_MAX)])
            .map(drop)
    }

    /// Remembers whom a token in an SRS address stands for. Those not used since `forget_before` go.
    pub fn note_srs_sender(
        &mut self,
        token: &str,
        address: &Address,
        now: UnixMillis,
        forget_before: UnixMillis,
    ) -> Result<(), StoreError> {
        let old = "DELETE FROM srs_sender WHERE token IN \
                   (SELECT token FROM srs_sender WHERE used < ?1 ORDER BY used LIMIT ?2)";
        let params = [
            Param::Int(forget_before.0),
            Param::Int(SRS_SENDERS_PER_TIDY),
        ];
        self.sql.execute(old, &params)?;
        let sql = "INSERT INTO srs_sender (token, address, used) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (token) DO UPDATE SET used = excluded.used";
        let text = address.to_string();
        let params = [
            Param::Text(&folded(token)),
            Param::Text(&text),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

fn stored_address(text: &str) -> SqlResult<Address> {
    Address::parse(text).map_err(|e| StoreError::Damaged(format!("the stored address {text}: {e}")))
}

fn sealing_purpose(created: i64) -> String {
    format!("srs secret {created}")
}

impl std::fmt::Debug for SrsSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SrsSecret({:?})", self.created)
    }
}
