//! At most three questions, each with a default; none where nobody can answer.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::Setup;
use super::host::Host;
use crate::commands::find;
use crate::config::Config;
use crate::output::Failure;

/// Longer answers are a mistake.
const ANSWER_BYTES_MAX: u64 = 1024;

pub(super) struct Answers {
    pub hostname: String,
    pub relay: Option<String>,
    pub first_message_to: Option<String>,
}

pub(super) fn questions(
    setup: &Setup<'_>,
    known: Option<&Config>,
    host: &Host,
) -> Result<Answers, Failure> {
    let args = setup.args;
    let domain = setup.address.domain();
    let default_name = host
        .reverse_name
        .clone()
        .unwrap_or_else(|| format!("mail.{domain}"));
    let asks = !args.yes && std::io::stdin().is_terminal();
    // What is in the settings is answered.
    let hostname = match (known, &args.hostname) {
        (Some(config), _) => config.hostname.clone(),
        (None, Some(name)) => name.clone(),
        (None, None) if asks => ask("The name of this host", &default_name)?,
        (None, None) => default_name,
    };
    let hostname = find::parse_domain(&hostname)?.as_str().to_owned();
    let relay = match (known, &args.relay) {
        (Some(_), _) => None,
        (None, Some(relay)) => Some(relay.clone()),
        (None, None) if asks && host.port_25 == Some(false) => {
            let answer = ask(
                "A relay for outgoing mail, such as smtps://user@relay.example:465 (empty for none)",
                "",
            )?;
            Some(answer).filter(|relay| !relay.is_empty())
        }
        (None, None) => None,
    };
    let first_message_to = match &args.first_message_to {
        Some(to) => Some(to.clone()),
        None if asks => {
            let answer = ask(
                "Send a first message to (an address elsewhere; empty for none)",
                "",
            )?;
            Some(answer).filter(|to| !to.is_empty())
        }
        None => None,
    };
    if let Some(to) = &first_message_to {
        find::parse_address(to)?;
    }
    Ok(Answers {
        hostname,
        relay,
        first_message_to,
    })
}

fn ask(question: &str, default: &str) -> Result<String, Failure> {
    let broken = |error: std::io::Error| Failure::failed(format!("the terminal: {error}"));
    let mut stderr = std::io::stderr();
    let shown = match default {
        "" => String::new(),
        default => format!(" [{default}]"),
    };
    write!(stderr, "\n{question}{shown}: ")
        .and_then(|()| stderr.flush())
        .map_err(broken)?;
    let mut answer = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), ANSWER_BYTES_MAX);
    input.read_line(&mut answer).map_err(broken)?;
    Ok(match answer.trim() {
        "" => default.to_owned(),
        answer => answer.to_owned(),
    })
}
