//! What the DMARC records of our own domains were seen to ask of others. What we do with the mail of others is in
//! `policy.rs`.

use mail::UnixMillis;

use crate::engine::Param;
use crate::{Change, StoreError, View};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnDmarc {
    /// The parts of the record that decide what happens to mail; empty if there is none.
    pub policy: String,
    /// When it was seen to differ from what was seen before.
    pub changed: Option<UnixMillis>,
    pub looked: UnixMillis,
}

impl View<'_> {
    pub fn own_dmarc(&self, domain: &mail::Domain) -> Result<Option<OwnDmarc>, StoreError> {
        let sql = "SELECT policy, changed, looked FROM own_dmarc WHERE domain = ?1";
        self.sql.first(sql, &[Param::Text(domain.as_str())], |row| {
            Ok(OwnDmarc {
                policy: row.text(0)?.to_owned(),
                changed: row.opt_int(1)?.map(UnixMillis),
                looked: UnixMillis(row.int(2)?),
            })
        })
    }
}

impl Change<'_> {
    /// What the DNS says now.
    pub fn note_own_dmarc(
        &mut self,
        domain: &mail::Domain,
        policy: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO own_dmarc (domain, policy, looked) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (domain) DO UPDATE SET \
                   changed = CASE WHEN own_dmarc.policy = excluded.policy THEN own_dmarc.changed ELSE excluded.looked END, \
                   policy = excluded.policy, looked = excluded.looked";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(policy),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        Ok(())
    }
}
