//! `postroad config`: look at the machine's settings. Works on the file alone.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use world::Certificate;

use crate::config::{Config, ConfigError, Fault, describe};
use crate::data_dir::DataDir;
use crate::filters;
use crate::output::{Answer, Failure};
use crate::place::Place;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Look for mistakes; exit status 3 when there are some
    Check,
    /// Show every setting with its value in force
    Show,
}

pub fn run(place: &Place, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Check => check(place),
        Command::Show => show(place),
    }
}

fn check(place: &Place) -> Result<Answer, Failure> {
    let faults = match place.load() {
        Ok(Some(config)) => check_around(&config, &place.config),
        Ok(None) => return Err(place.nothing_there()),
        Err(ConfigError::Faults(faults)) => faults,
        Err(error) => return Err(Failure::failed(error.to_string())),
    };
    let file = place.config.display();
    let value = json!({ "file": place.config, "ok": faults.is_empty(), "findings": faults });
    if faults.is_empty() {
        return Ok(Answer::new(value).line(format!("{file} is fine.")));
    }
    let answer = Answer::new(value).findings();
    Ok(faults
        .iter()
        .fold(answer, |answer, fault| answer.line(fault.to_string())))
}

/// Faults that show only when the file is held against the machine.
fn check_around(config: &Config, file: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |message: String| {
        faults.push(Fault {
            file: file.display().to_string(),
            line: 0,
            message,
        });
    };
    if let Err(error) = DataDir::open(&config.data) {
        fault(error.to_string());
    }
    if let Some((certificate, key)) = &config.tls.files {
        match (std::fs::read(certificate), std::fs::read(key)) {
            (Ok(chain), Ok(secret)) => {
                if let Err(error) = Certificate::from_pem(&chain, &secret) {
                    fault(format!("tls: {}: {error}", certificate.display()));
                }
            }
            (Err(error), _) => fault(format!(
                "tls.certificate: {}: {error}",
                certificate.display()
            )),
            (_, Err(error)) => fault(format!("tls.key: {}: {error}", key.display())),
        }
    }
    if let Some(roots) = &config.tls.roots
        && let Err(error) = std::fs::metadata(roots)
    {
        fault(format!("tls.roots: {}: {error}", roots.display()));
    }
    if let Some(user) = &config.user
        && !matches!(nix::unistd::User::from_name(user), Ok(Some(_)))
    {
        fault(format!(
            "user: there is no user {user} on this machine; make it, or leave the key out"
        ));
    }
    for (filter, problem) in filters::ask_all(config) {
        if let Some(problem) = problem {
            fault(format!(
                "filters: {} cannot be asked at {}: {problem}; start it, or correct its address",
                filter.name, filter.at
            ));
        }
    }
    let reachable = config
        .listen
        .services
        .values()
        .flatten()
        .any(|socket| !socket.ip().is_loopback());
    if config.tls.cleartext_login && reachable {
        fault("tls.cleartext_login: passwords would cross the network unencrypted; use it on loopback only".to_owned());
    }
    faults
}

fn show(place: &Place) -> Result<Answer, Failure> {
    let config = place.load_or_fail()?;
    let value = describe(&config);
    let mut answer =
        Answer::new(value.clone()).remark(format!("# from {}", place.config.display()));
    for line in lines("", &value) {
        answer = answer.line(line);
    }
    Ok(answer)
}

/// `outbound.port = 25` for each setting that has a value.
fn lines(prefix: &str, value: &serde_json::Value) -> Vec<String> {
    let Some(table) = value.as_object() else {
        return vec![format!("{prefix} = {value}")];
    };
    table
        .iter()
        .filter(|(_, value)| !value.is_null())
        .flat_map(|(key, value)| {
            let name = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            lines(&name, value)
        })
        .collect()
}
