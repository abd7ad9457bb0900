//! What the operator chose for kinds of attachments, for all domains or for one. Which kinds there are, and what holds where nothing was
//! chosen, is for others.

use mail::{Domain, UnixMillis};

use crate::engine::Param;
use crate::{Change, StoreError, View};

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRule {
    /// Nothing: for all domains that say nothing of their own.
    pub domain: Option<Domain>,
    pub kind: String,
    pub action: String,
    pub changed: UnixMillis,
}

impl View<'_> {
    /// All choices: those for all domains first.
    pub fn attachment_rules(&self) -> Result<Vec<AttachmentRule>, StoreError> {
        let sql = "SELECT domain, kind, action, changed FROM attachment_rule ORDER BY domain, kind";
        self.sql.all(sql, &[], |row| {
            Ok(AttachmentRule {
                domain: match row.text(0)? {
                    "" => None,
                    name => Some(crate::domains::stored_domain(name)?),
                },
                kind: row.text(1)?.to_owned(),
                action: row.text(2)?.to_owned(),
                changed: UnixMillis(row.int(3)?),
            })
        })
    }
}

impl Change<'_> {
    /// Takes the place of an earlier choice.
    pub fn set_attachment_rule(&mut self, rule: &AttachmentRule) -> Result<(), StoreError> {
        let sql = "INSERT INTO attachment_rule (domain, kind, action, changed) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (domain, kind) DO UPDATE SET action = excluded.action, changed = excluded.changed";
        let params = [
            Param::Text(rule.domain.as_ref().map_or("", Domain::as_str)),
            Param::Text(&rule.kind),
            Param::Text(&rule.action),
            Param::Int(rule.changed.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Takes choices back, all of a domain (or of all) or that for one kind. Says how many there were.
    pub fn reset_attachment_rules(
        &mut self,
        domain: Option<&Domain>,
        kind: Option<&str>,
    ) -> Result<u64, StoreError> {
        let name = domain.map_or("", Domain::as_str);
        match kind {
            Some(kind) => self.sql.execute(
                "DELETE FROM attachment_rule WHERE domain = ?1 AND kind = ?2",
                &[Param::Text(name), Param::Text(kind)],
            ),
            None => self.sql.execute(
                "DELETE FROM attachment_rule WHERE domain = ?1",
                &[Param::Text(name)],
            ),
        }
    }
}
