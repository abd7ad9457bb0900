//! `postroad dns server`: where records may be changed by us (RFC 2136), and the keys for it, which are kept sealed.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{DnsServer, DnsServerKey, Durability};
use world::TsigHash;

use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Name the primary server of a zone and the key that it takes changes with
    Add {
        /// The zone, such as example.org
        zone: String,
        /// Its primary server, such as ns1.example.org:53
        #[arg(value_name = "HOST:PORT")]
        at: String,
        /// The key's name, where the file does not say it
        #[arg(long, value_name = "NAME")]
        tsig_key: Option<String>,
        /// The file with the key: as tsig-keygen writes it, or the secret alone in base64
        #[arg(long, value_name = "FILE")]
        tsig_file: Option<PathBuf>,
    },
    /// List them
    List,
    /// Forget one with its key
    Remove {
        /// The zone, such as example.org
        zone: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        zone: String,
        at: String,
        key: Option<Key>,
    },
    List,
    Remove {
        zone: String,
    },
}

/// A key as it crosses the admin socket.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    pub name: String,
    pub algorithm: String,
    pub secret: Vec<u8>,
}

/// What keys are made with unless the file says otherwise.
const ALGORITHM: &str = "hmac-sha256";

/// A key is a few lines.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

impl Command {
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Command::Add {
                zone,
                at,
                tsig_key,
                tsig_file,
            } => Request::Add {
                zone,
                at,
                key: read_key(tsig_key.as_deref(), tsig_file.as_deref())?,
            },
            Command::List => Request::List,
            Command::Remove { zone } => Request::Remove { zone },
        })
    }
}

/// The key in a file; `None` where no file is named.
pub fn read_key(name: Option<&str>, file: Option<&Path>) -> Result<Option<Key>, Failure> {
    let Some(file) = file else {
        return match name {
            None => Ok(None),
            Some(_) => Err(Failure::usage(
                "--tsig-key needs --tsig-file with its secret",
            )),
        };
    };
    let failed = |problem: String| Failure::failed(format!("{}: {problem}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?;
    if KEY_FILE_BYTES_MAX < size.len() {
        return Err(failed("this is no key".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    parse_key(name, &text)
        .map(Some)
        .map_err(|problem| failed(problem.to_owned()))
}

/// `key "name" { algorithm hmac-sha256; secret "…"; };` or the bare secret.
fn parse_key(name: Option<&str>, text: &str) -> Result<Key, &'static str> {
    const BAD: &str = "there is no secret in base64 in it; make a key with: tsig-keygen postroad";
    let words: Vec<&str> = text
        .split(|c: char| c.is_ascii_whitespace() || "{};\"".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let after = |word: &str| {
        let at = words.iter().position(|one| *one == word)?;
        words.get(at + 1).copied()
    };
    let secret = match (after("secret"), words.as_slice()) {
        (Some(secret), _) => secret,
        (None, [secret]) => secret,
        _ => return Err(BAD),
    };
    let algorithm = after("algorithm").unwrap_or(ALGORITHM);
    if TsigHash::parse(algorithm).is_none() {
        return Err(
            "its algorithm is none of hmac-sha256, hmac-sha384, hmac-sha512; make another with: tsig-keygen postroad",
        );
    }
    let secret = STANDARD.decode(secret).map_err(|_| BAD)?;
    let name = name
        .or_else(|| after("key"))
        .ok_or("it does not say the key's name; give it with --tsig-key")?;
    Ok(Key {
        name: name.to_owned(),
        algorithm: algorithm.to_ascii_lowercase(),
        secret,
    })
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add { zone, at, key } => add(context, &zone, at, key),
        Request::List => list(context),
        Request::Remove { zone } => remove(context, &zone),
    }
}

fn add(context: &Context, zone: &str, at: String, key: Option<Key>) -> Result<Answer, Failure> {
    let zone = find::parse_domain(zone)?;
    let port = at.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        return Err(Failure::usage(format!(
            "{at:?} is not a host with a port, such as ns1.example.org:53"
        )));
    }
    let keyless = key.is_none();
    let server = DnsServer {
        zone: zone.clone(),
        at,
        key: key.map(|key| DnsServerKey {
            name: key.name,
            algorithm: key.algorithm,
            secret: key.secret,
        }),
    };
    let value = value(&server);
    let now = context.now();
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.set_dns_server(&server, now)
        })?;
    let answer = Answer::new(value)
        .line(format!("Signing keys, pins of certificates and the MTA-STS id of {zone} are kept published there from now on."))
        .remark(format!("All records, once: postroad dns publish {zone} --dry-run, then without it"));
    Ok(match keyless {
        true => answer.remark("Without a key the server must go by this host's address; better use one: tsig-keygen postroad"),
        false => answer,
    })
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let servers = context.store.read_blocking(|view| view.dns_servers())?;
    let answer = Answer::new(servers.iter().map(value).collect());
    if servers.is_empty() {
        return Ok(answer.line("No name server takes changes from here. Add one with: postroad dns server add example.org ns1.example.org:53 --tsig-file FILE"));
    }
    let rows = servers.iter().map(|server| {
        let key = server.key.as_ref();
        vec![
            server.zone.to_string(),
            server.at.clone(),
            key.map_or_else(String::new, |key| {
                format!("{} ({})", key.name, key.algorithm)
            }),
        ]
    });
    Ok(answer.table(&["zone", "server", "key"], rows.collect()))
}

fn remove(context: &Context, zone: &str) -> Result<Answer, Failure> {
    let zone = find::parse_domain(zone)?;
    let name = zone.clone();
    let known = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.remove_dns_server(&name)
        })?;
    if !known {
        return Err(Failure::failed(format!(
            "there is no name server for {zone}; see: postroad dns server list"
        )));
    }
    Ok(
        Answer::new(json!({ "zone": zone.to_string(), "removed": true })).line(format!(
            "Forgotten. The records of {zone} stay as they are."
        )),
    )
}

fn value(server: &DnsServer) -> serde_json::Value {
    json!({
        "zone": server.zone.to_string(),
        "at": server.at,
        "key": server.key.as_ref().map(|key| &key.name),
        "algorithm": server.key.as_ref().map(|key| &key.algorithm),
    })
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {})", self.name, self.algorithm)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Request::Add { .. } => "Add",
            Request::List => "List",
            Request::Remove { .. } => "Remove",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse_key;

    #[test]
    fn keys_are_read_as_tools_write_them() {
        let bind = "key \"postroad\" {\n\talgorithm hmac-sha512;\n\tsecret \"c2VjcmV0\";\n};\n";
        let read = |name, text| {
            let key = parse_key(name, text).unwrap();
            (key.name, key.algorithm, key.secret)
        };
        let key = |name: &str, algorithm: &str| {
            (name.to_owned(), algorithm.to_owned(), b"secret".to_vec())
        };
        assert_eq!(read(None, bind), key("postroad", "hmac-sha512"));
        assert_eq!(read(Some("other"), bind), key("other", "hmac-sha512"));
        assert_eq!(read(Some("k"), "c2VjcmV0\n"), key("k", "hmac-sha256"));
        for (name, text) in [
            (None, "c2VjcmV0\n"),
            (Some("k"), ""),
            (Some("k"), "two words"),
            (Some("k"), "not base64!"),
            (
                Some("k"),
                "key k { algorithm hmac-md5; secret \"c2VjcmV0\"; };",
            ),
        ] {
            assert!(parse_key(name, text).is_err(), "{text:?}");
        }
    }
}
