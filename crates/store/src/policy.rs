//! What is done with mail that comes in: each local domain's choice for mail that fails DMARC, whose
//! word is taken for mail they passed on, and how long mail has been put off for want of DNS.

use mail::UnixMillis;

use crate::domains::stored_domain;
use crate::engine::Param;
use crate::limits::DNS_DEFERRALS_MAX;
use crate::{Change, DomainError, StoreError, View};

/// What a local domain wants done with mail that fails the DMARC policy of its author's domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DmarcChoice {
    /// Do as the policy wishes, refusing included.
    Reject,
    /// Into the junk folder, also where the policy wishes refusal.
    #[default]
    Junk,
    /// Deliver as ever; only the header says what was found.
    Mark,
}

/// For what somebody is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustKind {
    /// Seals with ARC what it passes on; its word of what it saw is believed. RFC 8617 §9.
    ArcSealer,
    /// A mailing list: what it signed, or sent from its own hosts, is let through.
    MailingList,
}

/// The operator's word on one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    pub kind: TrustKind,
    pub domain: mail::Domain,
    /// False takes back the trust that is built in.
    pub trusted: bool,
    pub changed: UnixMillis,
}

impl View<'_> {
    /// The choice of a local domain; the built-in one if it never said.
    pub fn dmarc_choice(&self, domain: &mail::Domain) -> Result<DmarcChoice, StoreError> {
        let sql = "SELECT dmarc FROM domain_policy WHERE domain = ?1";
        let code = self
            .sql
            .first(sql, &[Param::Text(domain.as_str())], |row| row.int(0))?;
        Ok(code.map_or_else(DmarcChoice::default, DmarcChoice::of_code))
    }

    /// All that the operator said, by kind and domain.
    pub fn trust(&self) -> Result<Vec<Trust>, StoreError> {
        let sql = "SELECT kind, domain, trusted, changed FROM trust ORDER BY kind, domain";
        self.sql.all(sql, &[], |row| {
            Ok(Trust {
                kind: TrustKind::of_code(row.int(0)?),
                domain: stored_domain(row.text(1)?)?,
                trusted: row.int(2)? != 0,
                changed: UnixMillis(row.int(3)?),
            })
        })
    }

    /// Since when mail of this sender in the name of this author's domain is put off for want of DNS.
    pub fn dns_deferred_since(
        &self,
        sender: &str,
        author: &str,
    ) -> Result<Option<UnixMillis>, StoreError> {
        let sql = "SELECT first FROM dns_deferral WHERE sender = ?1 AND author = ?2";
        self.sql
            .first(sql, &[Param::Text(sender), Param::Text(author)], |row| {
                row.int(0).map(UnixMillis)
            })
    }
}

impl Change<'_> {
    pub fn set_dmarc_choice(
        &mut self,
        domain: &mail::Domain,
        choice: DmarcChoice,
        now: UnixMillis,
    ) -> Result<(), DomainError> {
        if !self.is_local(domain)? {
            return Err(DomainError::NoSuchDomain(domain.clone()));
        }
        let sql = "INSERT INTO domain_policy (domain, dmarc, changed) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (domain) DO UPDATE SET dmarc = excluded.dmarc, changed = excluded.changed";
        let params = [
            Param::Text(domain.as_str()),
            Param::Int(choice.code()),
            Param::Int(now.0),
        ];
        Ok(self.sql.execute(sql, &params).map(drop)?)
    }

    /// Says whether a domain is trusted for something, whatever is built in.
    pub fn set_trust(&mut self, trust: &Trust) -> Result<(), StoreError> {
        let sql = "INSERT INTO trust (kind, domain, trusted, changed) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (kind, domain) DO UPDATE SET trusted = excluded.trusted, changed = excluded.changed";
        let params = [
            Param::Int(trust.kind.code()),
            Param::Text(trust.domain.as_str()),
            Param::Int(i64::from(trust.trusted)),
            Param::Int(trust.changed.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Takes back what the operator said: what is built in counts again. False if nothing was said.
    pub fn forget_trust(
        &mut self,
        kind: TrustKind,
        domain: &mail::Domain,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM trust WHERE kind = ?1 AND domain = ?2";
        let params = [Param::Int(kind.code()), Param::Text(domain.as_str())];
        Ok(self.sql.execute(sql, &params)? != 0)
    }

    /// Notes that mail is put off for want of DNS. Pairs not seen since `forget_before` begin anew; beyond
    /// the bound the ones not seen for longest go.
    pub fn note_dns_deferral(
        &mut self,
        sender: &str,
        author: &str,
        now: UnixMillis,
        forget_before: UnixMillis,
    ) -> Result<(), StoreError> {
        let old = "DELETE FROM dns_deferral WHERE last < ?1";
        self.sql.execute(old, &[Param::Int(forget_before.0)])?;
        let sql = "INSERT INTO dns_deferral (sender, author, first, last) VALUES (?1, ?2, ?3, ?3) \
                   ON CONFLICT (sender, author) DO UPDATE SET last = excluded.last";
        let params = [Param::Text(sender), Param::Text(author), Param::Int(now.0)];
        self.sql.execute(sql, &params)?;
        let count = self
            .sql
            .one("SELECT COUNT(*) FROM dns_deferral", &[], |row| row.int(0))?;
        if DNS_DEFERRALS_MAX < count {
            let oldest = "DELETE FROM dns_deferral WHERE last <= \
                          (SELECT last FROM dns_deferral ORDER BY last LIMIT 1 OFFSET ?1)";
            self.sql
                .execute(oldest, &[Param::Int(DNS_DEFERRALS_MAX / 10)])?;
        }
        Ok(())
    }
}

impl DmarcChoice {
    fn code(self) -> i64 {
        match self {
            Self::Reject => 1,
            Self::Junk => 2,
            Self::Mark => 3,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Reject,
            3 => Self::Mark,
            _ => Self::Junk,
        }
    }
}

impl TrustKind {
    fn code(self) -> i64 {
        match self {
            Self::ArcSealer => 1,
            Self::MailingList => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::ArcSealer,
            _ => Self::MailingList,
        }
    }
}
