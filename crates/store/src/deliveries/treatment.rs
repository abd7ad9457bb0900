//! How providers are treated at the moment, so that a restart neither forgets a pause nor a block; and whether mail
//! is kept for a provider that refuses us.

use mail::UnixMillis;

use crate::engine::Param;
use crate::limits::STANDINGS_AGE_MILLIS;
use crate::{Change, StoreError, View};

/// One row, as `mta` wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The group of mail hosts, or the hosts themselves.
    pub provider: String,
    /// Empty for all senders.
    pub sender_domain: String,
    pub state: String,
    pub changed: UnixMillis,
}

/// The name of the choice among those of transport.
const HOLD: &str = "hold-on-reputation";

impl View<'_> {
    pub fn standings(&self) -> Result<Vec<Standing>, StoreError> {
        let sql = "SELECT provider, sender_domain, state, changed FROM provider_standing \
                   ORDER BY provider, sender_domain";
        self.sql.all(sql, &[], |row| {
            Ok(Standing {
                provider: row.text(0)?.to_owned(),
                sender_domain: row.text(1)?.to_owned(),
                state: row.text(2)?.to_owned(),
                changed: UnixMillis(row.int(3)?),
            })
        })
    }

    /// Whether mail that a provider refuses for our reputation is kept. So at first.
    pub fn holds_on_reputation(&self) -> Result<bool, StoreError> {
        let sql = "SELECT value FROM transport_choice WHERE name = ?1";
        let value = self
            .sql
            .first(sql, &[Param::Text(HOLD)], |row| row.int(0))?;
        Ok(value != Some(0))
    }
}

impl Change<'_> {
    pub fn keep_standing(&mut self, standing: &Standing) -> Result<(), StoreError> {
        let sql = "INSERT INTO provider_standing (provider, sender_domain, state, changed) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (provider, sender_domain) DO UPDATE SET state = excluded.state, changed = excluded.changed";
        let params = [
            Param::Text(&standing.provider),
            Param::Text(&standing.sender_domain),
            Param::Text(&standing.state),
            Param::Int(standing.changed.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    pub fn forget_standing(
        &mut self,
        provider: &str,
        sender_domain: &str,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM provider_standing WHERE provider = ?1 AND sender_domain = ?2";
        let key = [Param::Text(provider), Param::Text(sender_domain)];
        self.sql.execute(sql, &key).map(drop)
    }

    pub fn hold_on_reputation(&mut self, hold: bool) -> Result<(), StoreError> {
        let sql = "INSERT INTO transport_choice (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let params = [Param::Text(HOLD), Param::Int(i64::from(hold))];
        self.sql.execute(sql, &params).map(drop)
    }

    /// A standing that nothing touched for so long says nothing any more.
    pub(crate) fn trim_standings(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let sql = "DELETE FROM provider_standing WHERE changed < ?1";
        let before = now.0.saturating_sub(STANDINGS_AGE_MILLIS);
        self.sql.execute(sql, &[Param::Int(before)]).map(drop)
    }
}
