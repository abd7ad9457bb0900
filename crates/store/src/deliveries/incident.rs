//! Incidents: one provider and we do not get on, for one cause. What opens and closes one is decided elsewhere.

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::limits::{INCIDENTS_AGE_MILLIS, INCIDENTS_OPEN_MAX};
use crate::{Change, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentId(pub i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Nothing before it is kept.
    pub id: Option<IncidentId>,
    /// Provider and cause: at most one is open under the same.
    pub cause: String,
    /// The group of mail hosts, or a domain.
    pub provider: String,
    pub provider_name: String,
    pub class: String,
    pub rule: String,
    /// Set where the provider is cross with one sender's domain only.
    pub sender_domain: Option<String>,
    pub opened: UnixMillis,
    pub last: UnixMillis,
    pub closed: Option<UnixMillis>,
    pub refusals: u32,
    /// Addresses whose mail it met, some of them.
    pub senders: Vec<String>,
    pub tags: Vec<String>,
    /// The first reply, all its lines.
    pub sample: String,
    /// When in the dialogue it was said.
    pub phase: String,
    /// Who said it.
    pub host: Option<String>,
    /// Our address that it was said to.
    pub ip: Option<String>,
    /// Whose mail it was said of.
    pub recipient: String,
    pub trace: String,
    /// A notice of it was made.
    pub told: bool,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, cause, provider, provider_name, class, rule, sender_domain, opened, last, closed, refusals, senders, ",
            "tags, sample, host, ip, recipient, trace, told, phase FROM incident ",
            $rest
        )
    };
}

impl View<'_> {
    /// Those of one provider, or all, oldest first.
    pub fn open_incidents(&self, provider: Option<&str>) -> Result<Vec<Incident>, StoreError> {
        let sql =
            columns!("WHERE closed IS NULL AND (?1 = '' OR provider = ?1) ORDER BY id LIMIT ?2");
        let params = [
            Param::Text(provider.unwrap_or_default()),
            Param::Int(INCIDENTS_OPEN_MAX),
        ];
        self.sql.all(sql, &params, read)
    }

    /// Those of one provider, or all, that were open at some time since then, newest first.
    pub fn incidents_since(
        &self,
        provider: Option<&str>,
        since: UnixMillis,
    ) -> Result<Vec<Incident>, StoreError> {
        let sql = columns!(
            "WHERE (closed IS NULL OR closed >= ?2) AND (?1 = '' OR provider = ?1) ORDER BY id DESC LIMIT ?3"
        );
        let params = [
            Param::Text(provider.unwrap_or_default()),
            Param::Int(since.0),
            Param::Int(INCIDENTS_OPEN_MAX),
        ];
        self.sql.all(sql, &params, read)
    }
}

impl Change<'_> {
    /// Keeps what is new of an incident. Nothing where another one of this cause was opened meanwhile, or too many
    /// are open.
    pub fn keep_incident(&mut self, incident: &Incident) -> Result<Option<IncidentId>, StoreError> {
        match incident.id {
            Some(id) => self.update_incident(id, incident).map(|()| Some(id)),
            None => self.insert_incident(incident),
        }
    }

    fn insert_incident(&mut self, incident: &Incident) -> Result<Option<IncidentId>, StoreError> {
        let open = "SELECT COUNT(*) FROM incident WHERE closed IS NULL";
        if self.sql.one(open, &[], |row| row.int(0))? >= INCIDENTS_OPEN_MAX {
            return Ok(None);
        }
        let sql = "INSERT INTO incident (cause, provider, provider_name, class, rule, sender_domain, opened, last, closed, \
                   refusals, senders, tags, sample, host, ip, recipient, trace, told, phase) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
                   ON CONFLICT DO NOTHING RETURNING id";
        let (senders, tags) = (incident.senders.join(" "), incident.tags.join(" "));
        let params = [
            Param::Text(&incident.cause),
            Param::Text(&incident.provider),
            Param::Text(&incident.provider_name),
            Param::Text(&incident.class),
            Param::Text(&incident.rule),
            Param::OptText(incident.sender_domain.as_deref()),
            Param::Int(incident.opened.0),
            Param::Int(incident.last.0),
            Param::OptInt(incident.closed.map(|at| at.0)),
            Param::Int(incident.refusals.into()),
            Param::Text(&senders),
            Param::Text(&tags),
            Param::Text(&incident.sample),
            Param::OptText(incident.host.as_deref()),
            Param::OptText(incident.ip.as_deref()),
            Param::Text(&incident.recipient),
            Param::Text(&incident.trace),
            Param::Int(i64::from(incident.told)),
            Param::Text(&incident.phase),
        ];
        let id = self.sql.first(sql, &params, |row| row.int(0))?;
        Ok(id.map(IncidentId))
    }

    fn update_incident(&mut self, id: IncidentId, incident: &Incident) -> Result<(), StoreError> {
        let sql = "UPDATE incident SET last = ?2, closed = ?3, refusals = ?4, senders = ?5, told = ?6 WHERE id = ?1";
        let senders = incident.senders.join(" ");
        let params = [
            Param::Int(id.0),
            Param::Int(incident.last.0),
            Param::OptInt(incident.closed.map(|at| at.0)),
            Param::Int(incident.refusals.into()),
            Param::Text(&senders),
            Param::Int(i64::from(incident.told)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Forgets what was over long ago, and closes what nobody heard of for as long.
    pub(crate) fn trim_incidents(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let before = [Param::Int(now.0.saturating_sub(INCIDENTS_AGE_MILLIS))];
        self.sql
            .execute("DELETE FROM incident WHERE closed < ?1", &before)?;
        let sql = "UPDATE incident SET closed = last WHERE closed IS NULL AND last < ?1";
        self.sql.execute(sql, &before).map(drop)
    }
}

fn read(row: &Row<'_>) -> SqlResult<Incident> {
    let text =
        |at: usize| -> SqlResult<Option<String>> { Ok(row.opt_text(at)?.map(str::to_owned)) };
    let words = |at: usize| -> SqlResult<Vec<String>> {
        let words = row.text(at)?.split(' ').filter(|word| !word.is_empty());
        Ok(words.map(str::to_owned).collect())
    };
    Ok(Incident {
        id: Some(IncidentId(row.int(0)?)),
        cause: row.text(1)?.to_owned(),
        provider: row.text(2)?.to_owned(),
        provider_name: row.text(3)?.to_owned(),
        class: row.text(4)?.to_owned(),
        rule: row.text(5)?.to_owned(),
        sender_domain: text(6)?,
        opened: UnixMillis(row.int(7)?),
        last: UnixMillis(row.int(8)?),
        closed: row.opt_int(9)?.map(UnixMillis),
        refusals: u32::try_from(row.int(10)?).unwrap_or(u32::MAX),
        senders: words(11)?,
        tags: words(12)?,
        sample: row.text(13)?.to_owned(),
        host: text(14)?,
        ip: text(15)?,
        recipient: row.text(16)?.to_owned(),
        trace: row.text(17)?.to_owned(),
        told: row.int(18)? != 0,
        phase: row.text(19)?.to_owned(),
    })
}
