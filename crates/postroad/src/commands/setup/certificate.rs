//! The certificate of this host: the server fetches it as soon as its name leads here; this waits for it.

use std::time::Duration;

use serde_json::Value;

use super::Setup;
use crate::config::{Config, Service};
use crate::output::Failure;

/// An authority looks at a name from several places, which takes some seconds each time.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(300);

/// It is fetched right after the first one.
const SECOND_PATIENCE: Duration = Duration::from_secs(30);

/// After a failure the authority's counters are spared.
const RETRY_PAUSE: Duration = Duration::from_secs(20);
const TRIES_MAX: u32 = 3;

/// Whether there is one.
pub(super) fn get(setup: &Setup<'_>, config: &Config) -> Result<bool, Failure> {
    if config.tls.acme.is_none() {
        setup
            .say
            .note("no authority is asked for a certificate; see [tls] in postroad.toml");
        return Ok(false);
    }
    let patience = PATIENCE.min(setup.patience);
    if !wait(setup, &config.hostname, patience)? {
        return Ok(false);
    }
    // The policy and the settings of mail programs are fetched from names of the domain, which have one of their own.
    // Mail goes without it.
    if config.listen.port(Service::Https).is_some() {
        let name = format!("mta-sts.{}", setup.address.domain());
        if !wait(setup, &name, patience.min(SECOND_PATIENCE))? {
            setup.say.note(format!(
                "the certificate of {name} is still to come; see: postroad certificate list"
            ));
        }
    }
    Ok(true)
}

/// Whether there is one with this name in time.
fn wait(setup: &Setup<'_>, name: &str, patience: Duration) -> Result<bool, Failure> {
    let own = &setup.own;
    let until = own.now() + patience;
    let mut tries = 0;
    let mut told = String::new();
    loop {
        let listed = own.run(&["certificate", "list"], "")?.value;
        let host = Host::of(&listed, name);
        if let Some(valid_until) = host.until {
            setup
                .say
                .ok(format!("certificate of {name} until {valid_until}"));
            return Ok(true);
        }
        let failed = host.problem.is_some();
        if let Some(problem) = host.problem
            && problem != told
        {
            setup.say.trouble(format!("no certificate yet: {problem}"));
            told = problem;
        }
        if until <= own.now() {
            return Ok(false);
        }
        if tries == 0 || (failed && tries < TRIES_MAX) {
            if 0 < tries {
                own.rest(RETRY_PAUSE);
            }
            tries += 1;
            // The server looks at once, and not at the end of its quarter of an hour.
            own.run(&["certificate", "fetch"], "")?;
        }
        own.rest(PAUSE);
    }
}

/// The certificate of one name, as `certificate list --json` tells it.
struct Host {
    until: Option<String>,
    problem: Option<String>,
}

impl Host {
    fn of(listed: &Value, name: &str) -> Self {
        let all = listed.get("certificates").and_then(Value::as_array);
        let carries = |one: &&Value| {
            let names = one.get("names").and_then(Value::as_array);
            names
                .into_iter()
                .flatten()
                .any(|other| other.as_str() == Some(name))
        };
        let one = all.into_iter().flatten().find(carries);
        let text = |key| Some(one?.get(key)?.as_str()?.to_owned());
        Host {
            until: text("until"),
            problem: text("problem"),
        }
    }
}
