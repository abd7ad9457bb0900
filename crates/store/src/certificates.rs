//! Certificates fetched from an authority, their keys, and what the authority must find here meanwhile.
//! How they are fetched is the business of `jobs`.

use std::fmt;

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

/// A certificate with its key. Keys are PKCS #8, DER; on disk they are encrypted with the key file.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCertificate {
    /// The first of `names`, by which it is known.
    pub name: String,
    /// All names it is for, in A-label form.
    pub names: Vec<String>,
    /// The address of the authority's directory.
    pub directory: String,
    pub fetched: Option<Fetched>,
    /// A key that the next certificate will hold, and since when it is known: its TLSA record comes first.
    pub next_key: Option<(Vec<u8>, UnixMillis)>,
    /// When it was last tried to fetch it, and how that went.
    pub tried: Option<UnixMillis>,
    pub failures: u64,
    pub problem: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// PEM, the certificate first.
    pub chain: String,
    pub private_key: Vec<u8>,
    pub not_before: UnixMillis,
    pub not_after: UnixMillis,
}

/// How an authority makes sure of a name. RFC 8555 §8, RFC 8737.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChallengeKind {
    Http01,
    TlsAlpn01,
    /// A record in the DNS; what is kept here is for taking it away again.
    Dns01,
}

/// What must be found here for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub kind: ChallengeKind,
    pub name: String,
    pub token: String,
    /// The key authorization.
    pub answer: String,
}

impl View<'_> {
    /// Who we are to this authority, if it knows us.
    pub fn acme_account(&self, directory: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT credentials FROM acme_account WHERE directory = ?1";
        self.sql.first(sql, &[Param::Text(directory)], |row| {
            self.shared
                .sealing
                .unseal(&account_purpose(directory), row.blob(0)?)
        })
    }

    /// The key authorization for a token, whichever name it is for (HTTP-01).
    pub fn acme_answer(&self, token: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT answer FROM acme_challenge WHERE kind = ?1 AND token = ?2";
        let params = [Param::Int(ChallengeKind::Http01.code()), Param::Text(token)];
        self.sql
            .first(sql, &params, |row| Ok(row.text(0)?.to_owned()))
    }

    /// What is asked of us now.
    pub fn acme_challenges(&self, kind: ChallengeKind) -> Result<Vec<Challenge>, StoreError> {
        let sql =
            "SELECT name, token, answer FROM acme_challenge WHERE kind = ?1 ORDER BY name, token";
        self.sql.all(sql, &[Param::Int(kind.code())], |row| {
            Ok(Challenge {
                kind,
                name: row.text(0)?.to_owned(),
                token: row.text(1)?.to_owned(),
                answer: row.text(2)?.to_owned(),
            })
        })
    }

    /// All certificates, those still to be fetched included, by name.
    pub fn certificates(&self) -> Result<Vec<StoredCertificate>, StoreError> {
        let sql = "SELECT name, names, directory, chain, private_key, not_before, not_after, next_key, next_since, \
                   tried, failures, problem FROM certificate ORDER BY name";
        self.sql.all(sql, &[], |row| self.read_certificate(row))
    }

    fn read_certificate(&self, row: &Row<'_>) -> SqlResult<StoredCertificate> {
        let name = row.text(0)?.to_owned();
        let unseal = |sealed: &[u8]| self.shared.sealing.unseal(&key_purpose(&name), sealed);
        let key = row.opt_blob(4)?.map(unseal).transpose()?;
        let fetched = match (row.opt_text(3)?, key, row.opt_int(5)?, row.opt_int(6)?) {
            (Some(chain), Some(private_key), Some(from), Some(to)) => Some(Fetched {
                chain: chain.to_owned(),
                private_key,
                not_before: UnixMillis(from),
                not_after: UnixMillis(to),
            }),
            _ => None,
        };
        let next_key = row.opt_blob(7)?.map(unseal).transpose()?;
        Ok(StoredCertificate {
            names: row.text(1)?.split(' ').map(str::to_owned).collect(),
            directory: row.text(2)?.to_owned(),
            fetched,
            next_key: next_key.zip(row.opt_int(8)?.map(UnixMillis)),
            tried: row.opt_int(9)?.map(UnixMillis),
            failures: row.int(10)?.max(0) as u64,
            problem: row.opt_text(11)?.map(str::to_owned),
            name,
        })
    }
}

impl Change<'_> {
    pub fn set_acme_account(
        &mut self,
        directory: &str,
        credentials: &[u8],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sealed = self
            .shared
            .sealing
            .seal(&account_purpose(directory), credentials)?;
        let sql = "INSERT INTO acme_account (directory, credentials, created) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (directory) DO UPDATE SET credentials = excluded.credentials";
        let params = [
            Param::Text(directory),
            Param::Blob(&sealed),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    pub fn add_acme_challenge(
        &mut self,
        challenge: &Challenge,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO acme_challenge (kind, name, token, answer, created) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (kind, name, token) DO UPDATE SET answer = excluded.answer";
        let params = [
            Param::Int(challenge.kind.code()),
            Param::Text(&challenge.name),
            Param::Text(&challenge.token),
            Param::Text(&challenge.answer),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Forgets what was asked for a name, and whatever is older than `before` (a crash left it).
    pub fn remove_acme_challenges(
        &mut self,
        name: &str,
        before: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM acme_challenge WHERE name = ?1 OR created < ?2";
        let params = [Param::Text(name), Param::Int(before.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Notes an attempt that failed.
    pub fn certificate_failed(
        &mut self,
        names: &[String],
        directory: &str,
        problem: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let Some(name) = names.first() else {
            return Ok(());
        };
        let sql = "INSERT INTO certificate (name, names, directory, tried, failures, problem) VALUES (?1, ?2, ?3, ?4, 1, ?5) \
                   ON CONFLICT (name) DO UPDATE SET tried = excluded.tried, \
                   failures = certificate.failures + 1, problem = excluded.problem";
        let all = names.join(" ");
        let params = [
            Param::Text(name),
            Param::Text(&all),
            Param::Text(directory),
            Param::Int(now.0),
            Param::Text(problem),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// What failed is tried again as if it had not.
    pub fn forget_certificate_failures(&mut self) -> Result<(), StoreError> {
        let sql = "UPDATE certificate SET failures = 0, problem = NULL WHERE failures <> 0";
        self.sql.execute(sql, &[]).map(drop)
    }

    /// Keeps a fetched certificate in place of the one before; a next key that it holds is the next no more.
    pub fn set_certificate(
        &mut self,
        names: &[String],
        directory: &str,
        fetched: &Fetched,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let Some(name) = names.first() else {
            return Ok(());
        };
        let sealed = self
            .shared
            .sealing
            .seal(&key_purpose(name), &fetched.private_key)?;
        let held = self
            .next_certificate_key(name)?
            .is_some_and(|next| next == fetched.private_key);
        let sql = "INSERT INTO certificate (name, names, directory, chain, private_key, not_before, not_after, tried, failures) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0) \
                   ON CONFLICT (name) DO UPDATE SET names = excluded.names, directory = excluded.directory, \
                   chain = excluded.chain, private_key = excluded.private_key, not_before = excluded.not_before, \
                   not_after = excluded.not_after, tried = excluded.tried, failures = 0, problem = NULL";
        let all = names.join(" ");
        let params = [
            Param::Text(name),
            Param::Text(&all),
            Param::Text(directory),
            Param::Text(&fetched.chain),
            Param::Blob(&sealed),
            Param::Int(fetched.not_before.0),
            Param::Int(fetched.not_after.0),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        if held {
            let sql = "UPDATE certificate SET next_key = NULL, next_since = NULL WHERE name = ?1";
            self.sql.execute(sql, &[Param::Text(name)])?;
        }
        Ok(())
    }

    /// The key for the certificate after this one. False if there is no such certificate.
    pub fn set_next_certificate_key(
        &mut self,
        name: &str,
        key: &[u8],
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let sealed = self.shared.sealing.seal(&key_purpose(name), key)?;
        let sql = "UPDATE certificate SET next_key = ?2, next_since = ?3 WHERE name = ?1";
        let params = [Param::Text(name), Param::Blob(&sealed), Param::Int(now.0)];
        Ok(self.sql.execute(sql, &params)? == 1)
    }

    /// Forgets a certificate whose names are served no more.
    pub fn remove_certificate(&mut self, name: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM certificate WHERE name = ?1";
        self.sql.execute(sql, &[Param::Text(name)]).map(drop)
    }

    fn next_certificate_key(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT next_key FROM certificate WHERE name = ?1 AND next_key IS NOT NULL";
        self.sql.first(sql, &[Param::Text(name)], |row| {
            self.shared.sealing.unseal(&key_purpose(name), row.blob(0)?)
        })
    }
}

impl ChallengeKind {
    fn code(self) -> i64 {
        match self {
            Self::Http01 => 1,
            Self::TlsAlpn01 => 2,
            Self::Dns01 => 3,
        }
    }
}

fn account_purpose(directory: &str) -> String {
    format!("account at {directory}")
}

fn key_purpose(name: &str) -> String {
    format!("certificate key of {name}")
}

impl fmt::Debug for StoredCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCertificate")
            .field("names", &self.names)
            .field("fetched", &self.fetched)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({:?} to {:?})", self.not_before, self.not_after)
    }
}
