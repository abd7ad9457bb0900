//! The name servers at which we may change zones, and the secrets that allow it. How a zone is changed is the business of `world`,
//! and with what of `jobs`.

use std::fmt;

use mail::{Domain, UnixMillis};

use crate::domains::stored_domain;
use crate::engine::{Param, Row, SqlResult};
use crate::{Change, StoreError, View};

/// Where a zone can be changed (RFC 2136).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsServer {
    /// What has the SOA record; names below it are changed there too.
    pub zone: Domain,
    /// A host name or an address, with a port.
    pub at: String,
    pub key: Option<DnsServerKey>,
}

/// A secret shared with the server (TSIG, RFC 8945).
#[derive(Clone, PartialEq, Eq)]
pub struct DnsServerKey {
    pub name: String,
    /// As configuration files write it, such as `hmac-sha256`.
    pub algorithm: String,
    pub secret: Vec<u8>,
}

impl View<'_> {
    /// All of them, by zone.
    pub fn dns_servers(&self) -> Result<Vec<DnsServer>, StoreError> {
        let sql = "SELECT zone, at, key_name, algorithm, secret FROM dns_server ORDER BY zone";
        self.sql.all(sql, &[], |row| self.read_dns_server(row))
    }

    /// The one for the zone in which a name lies, if there is one: the longest zone wins.
    pub fn dns_server_for(&self, name: &str) -> Result<Option<DnsServer>, StoreError> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let within = |zone: &str| {
            name.strip_suffix(zone)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let servers = self.dns_servers()?.into_iter();
        Ok(servers
            .filter(|server| within(server.zone.as_str()))
            .max_by_key(|server| server.zone.as_str().len()))
    }

    fn read_dns_server(&self, row: &Row<'_>) -> SqlResult<DnsServer> {
        let zone = stored_domain(row.text(0)?)?;
        let secret = match row.blob(4)? {
            [] => None,
            sealed => Some(self.shared.sealing.unseal(&purpose(&zone), sealed)?),
        };
        let key = match (row.opt_text(2)?, row.opt_text(3)?, secret) {
            (Some(name), Some(algorithm), Some(secret)) => Some(DnsServerKey {
                name: name.to_owned(),
                algorithm: algorithm.to_owned(),
                secret,
            }),
            _ => None,
        };
        Ok(DnsServer {
            at: row.text(1)?.to_owned(),
            zone,
            key,
        })
    }
}

impl Change<'_> {
    /// Takes the place of the one that was known for the zone.
    pub fn set_dns_server(
        &mut self,
        server: &DnsServer,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sealed = server
            .key
            .as_ref()
            .map(|key| {
                self.shared
                    .sealing
                    .seal(&purpose(&server.zone), &key.secret)
            })
            .transpose()?
            .unwrap_or_default();
        self.remove_dns_server(&server.zone)?;
        let sql = "INSERT INTO dns_server (zone, at, key_name, algorithm, secret, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let key = server.key.as_ref();
        let params = [
            Param::Text(server.zone.as_str()),
            Param::Text(&server.at),
            Param::OptText(key.map(|key| key.name.as_str())),
            Param::OptText(key.map(|key| key.algorithm.as_str())),
            Param::Blob(&sealed),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Whether it was known.
    pub fn remove_dns_server(&mut self, zone: &Domain) -> Result<bool, StoreError> {
        let sql = "DELETE FROM dns_server WHERE zone = ?1";
        let gone = self.sql.execute(sql, &[Param::Text(zone.as_str())])?;
        Ok(0 < gone)
    }
}

fn purpose(zone: &Domain) -> String {
    format!("dns server {zone}")
}

impl fmt::Debug for DnsServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DnsServerKey({}, {})", self.name, self.algorithm)
    }
}
