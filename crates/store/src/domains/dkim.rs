//! The signing keys of our domains: their states, what was seen of their records, how often they are changed.
//! A key's life is decided in `jobs`; here it is only kept.

use std::fmt;
use std::time::Duration;

use mail::UnixMillis;

use super::DomainError;
use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DkimAlgorithm {
    RsaSha256,
    /// RFC 8463.
    Ed25519Sha256,
}

/// A key's life, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimState {
    /// Made, but signs only once its record has been seen in the DNS.
    Coming,
    /// Signs.
    Active,
    /// Signs no more; what it signed is still on the way, so its record stays.
    Kept,
    /// Its record may be removed from the DNS. When that is done the key is forgotten.
    Retired,
}

/// What the DNS said of a key's record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DkimRecord {
    /// Not looked yet.
    #[default]
    Unknown,
    /// It is there and says what it should.
    Right,
    /// There is none.
    Missing,
    /// There is another than ours, or one that nobody can use.
    Wrong,
}

/// The last look at a key's record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DkimLook {
    pub found: DkimRecord,
    /// Since when it is so, as far as we looked.
    pub since: Option<UnixMillis>,
    pub at: Option<UnixMillis>,
    /// When the operator was last told that something is to be done.
    pub reminded: Option<UnixMillis>,
}

/// A key pair of a domain. On disk the private key is encrypted with the key file.
#[derive(Clone, PartialEq, Eq)]
pub struct DkimKey {
    pub domain: mail::Domain,
    pub selector: String,
    pub algorithm: DkimAlgorithm,
    /// PKCS #8, DER.
    pub private: Vec<u8>,
    /// As it stands in the DNS record: SubjectPublicKeyInfo DER for RSA, 32 raw bytes for Ed25519.
    pub public: Vec<u8>,
    pub state: DkimState,
    pub created: UnixMillis,
    /// When its record was first seen in the DNS as it should be.
    pub seen: Option<UnixMillis>,
    /// When it began to sign.
    pub active: Option<UnixMillis>,
    /// When it was last used: it signed (noted once a day), or something it signed was still in the queue.
    pub used: Option<UnixMillis>,
    /// When it stopped signing.
    pub stopped: Option<UnixMillis>,
    pub look: DkimLook,
}

#[derive(Clone)]
pub struct NewDkimKey {
    pub selector: String,
    pub algorithm: DkimAlgorithm,
    pub private: Vec<u8>,
    pub public: Vec<u8>,
    pub state: DkimState,
}

/// How often keys are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimRotation {
    Never,
    Every { days: u32 },
}

/// Which of a domain's keys sign now: the active ones. One whose record is missing or wrong does not while
/// another's is right, because a signature that fails is worse than none beside one that holds.
pub fn signing(keys: &[DkimKey]) -> impl Iterator<Item = &DkimKey> {
    let active = |key: &&DkimKey| key.state == DkimState::Active;
    let one_is_right = keys
        .iter()
        .filter(active)
        .any(|key| key.look.found == DkimRecord::Right);
    keys.iter()
        .filter(active)
        .filter(move |key| !one_is_right || !key.look.found.is_bad())
}

impl DkimRecord {
    /// Whoever looks for the key does not find it.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Missing | Self::Wrong)
    }
}

impl Default for DkimRotation {
    /// Twice a year: seldom enough for those who enter records by hand, and a stolen key is worth little for long.
    fn default() -> Self {
        Self::Every { days: 182 }
    }
}

impl DkimRotation {
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Every { days } => Some(Duration::from_secs(u64::from(days) * 86_400)),
        }
    }
}

/// The row of [`View::dkim_rotation`] that holds for domains without one of their own.
const EVERYBODY: &str = "";

impl View<'_> {
    /// All keys of a domain, newest first.
    pub fn dkim_keys(&self, domain: &mail::Domain) -> Result<Vec<DkimKey>, StoreError> {
        let sql = "SELECT selector, algorithm, state, created, public_key, private_key, seen, active, used, stopped, \
                   record, record_since, looked, reminded FROM dkim_key \
                   WHERE domain = ?1 ORDER BY created DESC, selector";
        self.sql.all(sql, &[Param::Text(domain.as_str())], |row| {
            let selector = row.text(0)?.to_owned();
            let private = self
                .shared
                .sealing
                .unseal(&sealing_purpose(domain, &selector), row.blob(5)?)?;
            Ok(DkimKey {
                domain: domain.clone(),
                selector,
                algorithm: DkimAlgorithm::of_code(row.int(1)?)?,
                state: DkimState::of_code(row.int(2)?)?,
                created: UnixMillis(row.int(3)?),
                public: row.blob(4)?.to_vec(),
                private,
                seen: time(row, 6)?,
                active: time(row, 7)?,
                used: time(row, 8)?,
                stopped: time(row, 9)?,
                look: DkimLook {
                    found: DkimRecord::of_code(row.int(10)?)?,
                    since: time(row, 11)?,
                    at: time(row, 12)?,
                    reminded: time(row, 13)?,
                },
            })
        })
    }

    /// Whether something that this key signed is still in the queue.
    pub fn is_queued_signed_by(
        &self,
        domain: &mail::Domain,
        selector: &str,
    ) -> Result<bool, StoreError> {
        // As `mailauth` writes them in signatures and seals.
        let of_domain = format!("d={domain};");
        let of_selector = format!(" s={selector};");
        let marks = [
            Param::Blob(of_domain.as_bytes()),
            Param::Blob(of_selector.as_bytes()),
        ];
        let sql = if self.sql.is_postgres() {
            "SELECT id FROM queue_message WHERE position(?1 IN prefix) > 0 AND position(?2 IN prefix) > 0 LIMIT 1"
        } else {
            "SELECT id FROM queue_message WHERE instr(prefix, ?1) > 0 AND instr(prefix, ?2) > 0 LIMIT 1"
        };
        let found = self.sql.first(sql, &marks, |row| row.int(0))?;
        Ok(found.is_some())
    }

    /// How often a domain's keys are changed; without a domain, what holds for all that have no wish of their own.
    pub fn dkim_rotation(&self, domain: Option<&mail::Domain>) -> Result<DkimRotation, StoreError> {
        let sql = "SELECT days FROM dkim_schedule WHERE domain = ?1 OR domain = ?2 \
                   ORDER BY domain DESC LIMIT 1";
        let name = domain.map_or(EVERYBODY, mail::Domain::as_str);
        let params = [Param::Text(name), Param::Text(EVERYBODY)];
        let days = self.sql.first(sql, &params, |row| row.int(0))?;
        Ok(days.map_or_else(DkimRotation::default, DkimRotation::of_days))
    }
}

impl Change<'_> {
    pub fn add_dkim_key(
        &mut self,
        domain: &mail::Domain,
        key: &NewDkimKey,
        now: UnixMillis,
    ) -> Result<(), DomainError> {
        if !self.is_local(domain)? {
            return Err(DomainError::NoSuchDomain(domain.clone()));
        }
        let sealed = self
            .shared
            .sealing
            .seal(&sealing_purpose(domain, &key.selector), &key.private)?;
        let sql = "INSERT INTO dkim_key (domain, selector, algorithm, state, created, public_key, private_key, active) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(&key.selector),
            Param::Int(key.algorithm.code()),
            Param::Int(key.state.code()),
            Param::Int(now.0),
            Param::Blob(&key.public),
            Param::Blob(&sealed),
            Param::OptInt((key.state == DkimState::Active).then_some(now.0)),
        ];
        match self.sql.execute(sql, &params)? {
            0 => Err(DomainError::SelectorExists(key.selector.clone())),
            _ => Ok(()),
        }
    }

    /// A key begins to sign; those of the same kind stop and are kept.
    pub fn activate_dkim_key(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        now: UnixMillis,
    ) -> Result<(), DomainError> {
        let name = Param::Text(domain.as_str());
        // What stops now counts as used now: others may have read it a moment ago.
        let sql = "UPDATE dkim_key SET state = ?3, stopped = ?4, used = ?4, reminded = NULL \
                   WHERE domain = ?1 AND selector <> ?2 AND state = ?5 AND algorithm IN \
                   (SELECT algorithm FROM dkim_key WHERE domain = ?1 AND selector = ?2)";
        let params = [
            name,
            Param::Text(selector),
            Param::Int(DkimState::Kept.code()),
            Param::Int(now.0),
            Param::Int(DkimState::Active.code()),
        ];
        self.sql.execute(sql, &params)?;
        let sql = "UPDATE dkim_key SET state = ?3, active = ?4, stopped = NULL, reminded = NULL \
                   WHERE domain = ?1 AND selector = ?2";
        let params = [
            name,
            Param::Text(selector),
            Param::Int(DkimState::Active.code()),
            Param::Int(now.0),
        ];
        found(self.sql.execute(sql, &params)?, selector)
    }

    /// What the DNS says of a key's record now.
    pub fn note_dkim_record(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        record: DkimRecord,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE dkim_key SET looked = ?4, \
                   record_since = CASE WHEN record = ?3 THEN record_since ELSE ?4 END, \
                   seen = CASE WHEN seen IS NULL AND ?3 = ?5 THEN ?4 ELSE seen END, \
                   reminded = CASE WHEN record = ?3 THEN reminded ELSE NULL END, \
                   record = ?3 WHERE domain = ?1 AND selector = ?2";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(selector),
            Param::Int(record.code()),
            Param::Int(now.0),
            Param::Int(DkimRecord::Right.code()),
        ];
        self.sql.execute(sql, &params)?;
        Ok(())
    }

    /// The operator was told that something is to be done about a key.
    pub fn note_dkim_reminder(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE dkim_key SET reminded = ?3 WHERE domain = ?1 AND selector = ?2";
        self.stamp_dkim_key(sql, domain, selector, now)
    }

    /// A key signed something, or something it signed is still in the queue.
    pub fn note_dkim_use(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE dkim_key SET used = ?3 \
                   WHERE domain = ?1 AND selector = ?2 AND (used IS NULL OR used < ?3)";
        self.stamp_dkim_key(sql, domain, selector, now)
    }

    /// Notes a time at a key; one that is gone meanwhile has none.
    fn stamp_dkim_key(
        &mut self,
        sql: &'static str,
        domain: &mail::Domain,
        selector: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(selector),
            Param::Int(at.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    pub fn set_dkim_state(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
        state: DkimState,
    ) -> Result<(), DomainError> {
        let sql = "UPDATE dkim_key SET state = ?3 WHERE domain = ?1 AND selector = ?2";
        let params = [
            Param::Text(domain.as_str()),
            Param::Text(selector),
            Param::Int(state.code()),
        ];
        found(self.sql.execute(sql, &params)?, selector)
    }

    pub fn remove_dkim_key(
        &mut self,
        domain: &mail::Domain,
        selector: &str,
    ) -> Result<(), DomainError> {
        let sql = "DELETE FROM dkim_key WHERE domain = ?1 AND selector = ?2";
        let params = [Param::Text(domain.as_str()), Param::Text(selector)];
        found(self.sql.execute(sql, &params)?, selector)
    }

    /// How often keys are changed; `None` takes a wish back. Without a domain: of all that have none of their own.
    pub fn set_dkim_rotation(
        &mut self,
        domain: Option<&mail::Domain>,
        rotation: Option<DkimRotation>,
    ) -> Result<(), DomainError> {
        if let Some(domain) = domain
            && !self.is_local(domain)?
        {
            return Err(DomainError::NoSuchDomain(domain.clone()));
        }
        let name = Param::Text(domain.map_or(EVERYBODY, mail::Domain::as_str));
        match rotation {
            Some(rotation) => {
                let sql = "INSERT INTO dkim_schedule (domain, days) VALUES (?1, ?2) \
                           ON CONFLICT (domain) DO UPDATE SET days = excluded.days";
                self.sql
                    .execute(sql, &[name, Param::Int(rotation.days())])?
            }
            None => self
                .sql
                .execute("DELETE FROM dkim_schedule WHERE domain = ?1", &[name])?,
        };
        Ok(())
    }
}

fn time(row: &Row<'_>, at: usize) -> SqlResult<Option<UnixMillis>> {
    Ok(row.opt_int(at)?.map(UnixMillis))
}

fn found(rows: u64, selector: &str) -> Result<(), DomainError> {
    if rows == 0 {
        Err(DomainError::NoSuchSelector(selector.to_owned()))
    } else {
        Ok(())
    }
}

fn sealing_purpose(domain: &mail::Domain, selector: &str) -> String {
    format!("dkim key {selector} of {domain}")
}

impl DkimRotation {
    fn days(self) -> i64 {
        match self {
            Self::Never => 0,
            Self::Every { days } => i64::from(days),
        }
    }

    fn of_days(days: i64) -> Self {
        match u32::try_from(days) {
            Ok(0) | Err(_) => Self::Never,
            Ok(days) => Self::Every { days },
        }
    }
}

impl DkimAlgorithm {
    fn code(self) -> i64 {
        match self {
            Self::RsaSha256 => 1,
            Self::Ed25519Sha256 => 2,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::RsaSha256),
            2 => Ok(Self::Ed25519Sha256),
            _ => Err(StoreError::Damaged(format!("DKIM algorithm {code}"))),
        }
    }
}

impl DkimState {
    fn code(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Coming => 2,
            Self::Retired => 3,
            Self::Kept => 4,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::Active),
            2 => Ok(Self::Coming),
            3 => Ok(Self::Retired),
            4 => Ok(Self::Kept),
            _ => Err(StoreError::Damaged(format!("DKIM state {code}"))),
        }
    }
}

impl DkimRecord {
    fn code(self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::Right => 1,
            Self::Missing => 2,
            Self::Wrong => 3,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Right),
            2 => Ok(Self::Missing),
            3 => Ok(Self::Wrong),
            _ => Err(StoreError::Damaged(format!("DKIM record {code}"))),
        }
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DkimKey({} of {}, {:?}, {:?}, record {:?})",
            self.selector, self.domain, self.algorithm, self.state, self.look.found
        )
    }
}

impl fmt::Debug for NewDkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NewDkimKey({}, {:?}, {:?})",
            self.selector, self.algorithm, self.state
        )
    }
}
