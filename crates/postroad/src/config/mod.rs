//! The machine's settings: `postroad.toml`. A normal installation sets one to five keys.
//! What belongs to the service (domains, accounts, aliases) lives in the store, not here.

mod filters;
mod listen;
mod reader;
mod relay;
mod show;
mod template;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use reader::Reader;

pub use listen::{Listen, Service};
pub use relay::{Relay, RelayLogin, RelaySecurity, parse as parse_relay};
pub use show::describe;
pub use template::{ForSetup, for_quickstart, for_setup};

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "postroad.toml";

/// Every setting with its value. Made from a file by [`Config::load`], or in code by [`Config::new`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this host: greeting, HELO, certificate, Received lines.
    pub hostname: String,
    pub data: PathBuf,
    /// Whom to become after the ports are open, when started as root.
    pub user: Option<String>,
    /// Under which the world sees this host, where they are on none of its interfaces.
    pub public_addresses: Vec<IpAddr>,
    pub listen: Listen,
    /// `None`: SQLite in the data directory. Else `postgres://…`.
    pub store_url: Option<String>,
    /// Empty: as the system is configured.
    pub resolvers: Vec<SocketAddr>,
    pub tls: TlsConfig,
    pub outbound: Outbound,
    pub limits: Limits,
    pub doctor: Doctor,
    pub bans: Bans,
    /// Programs of others that look at messages.
    pub filters: mta::FilterSettings,
}

/// How those who are shut out are kept out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bans {
    /// The kernel's firewall turns them away as well.
    pub nftables: bool,
}

/// How the server looks after itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// It examines itself once a day, which asks block lists and the servers of big providers.
    pub daily: bool,
    /// Disks and memory are looked at. Not in simulated worlds.
    pub machine: bool,
}

#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// PEM files; both or none. Without any certificate a self-signed one is made.
    pub files: Option<(PathBuf, PathBuf)>,
    /// A directory of further pairs, NAME.crt or NAME.pem with NAME.key, each for the names it carries.
    pub certificates: Option<PathBuf>,
    /// The address of the directory of an authority that gives certificates (ACME).
    pub acme: Option<String>,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// Whether passwords may cross an unencrypted connection. For trials and tests only.
    pub cleartext_login: bool,
    /// Extra roots, for relays with a private certificate authority.
    pub roots: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Outbound {
    /// Where the mail servers of others listen. Not 25 only in tests.
    pub port: u16,
    /// Source addresses for outgoing connections.
    pub addresses: Vec<IpAddr>,
    /// Everything goes through it.
    pub relay: Option<Relay>,
    /// Mail for these domains goes through these instead.
    pub relays: BTreeMap<String, Relay>,
}

/// The few bounds that an operator may want to move. `None` means the built-in one.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub message_bytes: Option<usize>,
    pub recipients: Option<usize>,
    pub connections: Option<usize>,
    pub connections_per_address: Option<usize>,
    /// How long a message is tried before its sender is told that it failed.
    pub queue_days: Option<u32>,
}

/// Why a file is no good: every fault with its place and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "{path} cannot be read: {source}; run the command as the owner of the data, or as root"
    )]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error("{}", join(.0))]
    Faults(Vec<Fault>),
}

/// One fault in the file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    pub file: String,
    pub line: usize,
    pub message: String,
}

/// The directory of Let's Encrypt.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// A relay or a mail server elsewhere listens here (RFC 5321 §4.5.4.2).
const SMTP_PORT: u16 = 25;

impl Config {
    /// The defaults: everything on the standard ports of all addresses.
    pub fn new(hostname: impl Into<String>, data: impl Into<PathBuf>) -> Self {
        Config {
            hostname: hostname.into(),
            data: data.into(),
            user: None,
            public_addresses: Vec::new(),
            listen: Listen::standard(),
            store_url: None,
            resolvers: Vec::new(),
            tls: TlsConfig::default(),
            outbound: Outbound {
                port: SMTP_PORT,
                addresses: Vec::new(),
                relay: None,
                relays: BTreeMap::new(),
            },
            limits: Limits::default(),
            doctor: Doctor {
                daily: true,
                machine: true,
            },
            bans: Bans::default(),
            filters: mta::FilterSettings::default(),
        }
    }

    /// Reads the file. Paths in it are relative to its directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// The same for a text already read. `path` says where faults lie and what relative paths mean.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let home = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        let name = path.display().to_string();
        let document = match toml::de::DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return Err(ConfigError::Faults(vec![Fault {
                    file: name,
                    line: reader::line_of(text, at),
                    message: format!("this is not TOML: {}", error.message().trim()),
                }]));
            }
        };
        let mut root = Reader::new(text, &name, document.into_inner());
        let config = read(&mut root, &home);
        let faults = root.finish();
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Faults(faults))
        }
    }
}

fn read(root: &mut Reader<'_>, home: &Path) -> Config {
    let data = root
        .path("data", home)
        .unwrap_or_else(|| home.to_path_buf());
    let hostname = root
        .host_name("hostname")
        .or_else(system_host_name)
        .unwrap_or_else(|| {
            root.missing(
                "hostname",
                "set `hostname` to the full name of this host, such as \"mail.example.org\"",
            );
            "localhost".to_owned()
        });
    let mut config = Config::new(hostname, data);
    config.user = root.string("user");
    config.public_addresses = root.addresses("public_addresses");
    config.doctor.daily = root.boolean("doctor").unwrap_or(true);
    root.table("listen", |table| listen::read(table, &mut config.listen));
    root.table("store", |table| {
        config.store_url = table.string("url");
        if config
            .store_url
            .as_ref()
            .is_some_and(|url| !is_postgres(url))
        {
            table.bad(
                "url",
                "use \"postgres://user@host/database\", or leave it out for the embedded database",
            );
        }
    });
    root.table("dns", |table| {
        config.resolvers = table.socket_addresses("resolvers", 53)
    });
    root.table("tls", |table| read_tls(table, home, &mut config.tls));
    root.table("outbound", |table| {
        read_outbound(table, home, &mut config.outbound)
    });
    root.table("bans", |table| {
        config.bans.nftables = table.boolean("nftables").unwrap_or(false);
    });
    root.table("limits", |table| read_limits(table, &mut config.limits));
    root.table("filters", |table| filters::read(table, &mut config.filters));
    config
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn read_tls(table: &mut Reader<'_>, home: &Path, tls: &mut TlsConfig) {
    let files = (table.path("certificate", home), table.path("key", home));
    match files {
        (Some(certificate), Some(key)) => tls.files = Some((certificate, key)),
        (None, None) => {}
        (Some(_), None) => table.bad("certificate", "a certificate needs its key: set `key` too"),
        (None, Some(_)) => table.bad("key", "a key needs its certificate: set `certificate` too"),
    }
    tls.certificates = table.path("certificates", home);
    tls.acme = table.string("acme").map(|acme| match acme.as_str() {
        "letsencrypt" => LETS_ENCRYPT.to_owned(),
        _ => acme,
    });
    if tls
        .acme
        .as_ref()
        .is_some_and(|url| !url.starts_with("https://"))
    {
        table.bad(
            "acme",
            "use \"letsencrypt\", or the https address of another authority's directory",
        );
    }
    tls.contact = table.string("contact");
    if tls
        .contact
        .as_ref()
        .is_some_and(|contact| mail::Address::parse(contact).is_err())
    {
        table.bad(
            "contact",
            "use an e-mail address, such as \"you@example.org\"",
        );
    }
    tls.cleartext_login = table.boolean("cleartext_login").unwrap_or(false);
    tls.roots = table.path("roots", home);
}

fn read_outbound(table: &mut Reader<'_>, home: &Path, outbound: &mut Outbound) {
    if let Some(port) = table.port("port") {
        outbound.port = port;
    }
    outbound.addresses = table.addresses("addresses");
    let password_file = table.path("relay_password_file", home);
    outbound.relay = relay::read(table, "relay", password_file.as_deref());
    if password_file.is_some()
        && outbound
            .relay
            .as_ref()
            .is_none_or(|relay| relay.login.is_none())
    {
        table.bad(
            "relay_password_file",
            "a password needs a relay with a user, such as relay = \"smtps://user@relay.example:465\"",
        );
    }
    table.each_table("relays", |domain, table| {
        let password_file = table.path("password_file", home);
        if let Some(relay) = relay::read(table, "url", password_file.as_deref()) {
            outbound.relays.insert(domain.to_ascii_lowercase(), relay);
        }
    });
}

fn read_limits(table: &mut Reader<'_>, limits: &mut Limits) {
    limits.message_bytes = table.size("message_bytes");
    limits.recipients = table.size("recipients");
    limits.connections = table.size("connections");
    limits.connections_per_address = table.size("connections_per_address");
    limits.queue_days = table
        .size("queue_days")
        .and_then(|days| u32::try_from(days).ok());
}

/// The system's own name, when it is a full one.
fn system_host_name() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
    name.contains('.').then(|| name.to_ascii_lowercase())
}

fn join(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(Fault::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}
