//! `postroad auth check`: why iprev, SPF, DKIM, DMARC and ARC say what they say of a message, step by
//! step, each with the record that was read, and what Postroad would do. Changes nothing; works
//! without a data directory.

mod arrival;
mod report;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use mailauth::verdict::{self, UntilLate};
use world::{Dns, DnsSettings, World};

use super::rules::Rules;
use crate::output::{Answer, Failure};
use crate::place::Place;

/// Messages beyond this are not mail.
const MESSAGE_BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// How long the DNS may take for all of it. More than a server waits: here a person does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands for this host where it has no name yet.
const NOBODY: &str = "postroad.invalid";

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Without --ip, --helo and --from they are taken from the topmost Received field that names an address, and \
from Return-Path; the output says so.\n\n\
Exit status: 0 DMARC passes or the author's domain has no policy, 1 failed, 2 wrong usage, 3 something fails.")]
pub struct Args {
    /// The message as it lies in a file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The address of the host that sent it
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// What that host called itself (HELO or EHLO)
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// The envelope's sender (MAIL FROM); <> for the null one
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    from: Option<String>,
    /// The domain here that it is for [default: all of this server]
    #[arg(long = "for", value_name = "DOMAIN")]
    for_domain: Option<String>,
}

/// Does the check with the DNS servers of the config, or those of the system where there is none.
pub fn run(place: &Place, args: &Args) -> Result<Answer, Failure> {
    let message = read(&args.file)?;
    let config = place
        .load()
        .map_err(|error| Failure::failed(error.to_string()))?;
    let rules = Rules::find(place, config.is_some(), args.for_domain.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    runtime.block_on(async {
        let resolvers = config.iter().flat_map(|config| config.resolvers.clone());
        let world = World::real(DnsSettings::servers(resolvers.collect()));
        let late = world.clock.after(PATIENCE);
        let dns = UntilLate::new(&*world.dns, late);
        let now = world.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let host = config.as_ref().map(|config| config.hostname.as_str());
        let host = host.unwrap_or(NOBODY);
        check(&dns, host, &rules, args, &message, now.as_secs()).await
    })
}

/// The check itself, over any DNS.
async fn check(
    dns: &dyn Dns,
    host: &str,
    rules: &Rules,
    args: &Args,
    message: &[u8],
    now: u64,
) -> Result<Answer, Failure> {
    let arrival = arrival::of(message, args)?;
    let sender = arrival.sender(host, now);
    let (verdict, explanation) = verdict::explained(dns, &sender, message).await;
    let report = report::Report {
        arrival: &arrival,
        verdict: &verdict,
        explanation: &explanation,
        fates: &rules.apply(&verdict, message),
        remark: rules.remark.as_deref(),
        host,
        message,
    };
    Ok(report.answer())
}

/// A message in a file; `-` is the standard input.
pub(in crate::commands) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", file.display()));
    let mut message = Vec::new();
    let taken = if file == Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut message)
    } else {
        let opened = std::fs::File::open(file).map_err(failed)?;
        opened.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut message)
    };
    if taken.map_err(failed)? as u64 > MESSAGE_BYTES_MAX {
        return Err(Failure::failed(
            "the message is larger than any mail server takes",
        ));
    }
    if message.trim_ascii().is_empty() {
        return Err(Failure::failed(format!(
            "{}: there is no message in it",
            file.display()
        )));
    }
    Ok(message)
}
