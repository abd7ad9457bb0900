//! `postroad setup ADDRESS`: from a fresh host to mail that arrives. Looks before it asks, asks little, and says what it finds.
//! Each step looks at what is there already, so that it can be run again at any time and goes on where it stopped.

mod ask;
mod certificate;
mod files;
mod first;
mod host;
mod kind;
mod own;
mod records;
mod say;
mod start;
mod unit;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mail::Address;
use serde_json::json;

use super::find;
use crate::config::Config;
use crate::output::{Answer, Failure, Form, Style};
use crate::password::AccountPassword;
use crate::place::Place;

pub use first::{Request, execute};
use own::Own;
use say::Say;

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Run it again at any time: what is done stays, and it goes on where it stopped.\n\n\
Exit status: 0 done, 1 failed, 2 wrong usage, 3 something is left for you to do.")]
pub struct Args {
    /// The first address, such as you@example.org; its domain is served
    address: String,
    /// Ask nothing and take the default of whatever is not given
    #[arg(long, short)]
    yes: bool,
    /// The name of this host [default: what its address resolves back to, else mail.DOMAIN]
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    #[command(flatten)]
    password: AccountPassword,
    /// Send a first message there when all is ready, and say how it went
    #[arg(long, value_name = "ADDRESS")]
    first_message_to: Option<String>,
    /// Send everything through this relay, such as smtps://user@relay.example:465
    #[arg(long, value_name = "URL")]
    relay: Option<String>,
    /// The file with the relay's password
    #[arg(long, value_name = "FILE", requires = "relay")]
    relay_password_file: Option<PathBuf>,
    /// Publish the records by ourselves at this name server (RFC 2136), the primary of the domain's zone
    #[arg(long, value_name = "HOST:PORT")]
    dns_server: Option<String>,
    /// The name of the key for it, where the file does not say it
    #[arg(long, value_name = "NAME", requires = "dns_server")]
    tsig_key: Option<String>,
    /// The file with the key for it, as tsig-keygen writes it
    #[arg(long, value_name = "FILE", requires = "dns_server")]
    tsig_file: Option<PathBuf>,
    /// With --dns-server: remove other mail hosts of the domain, so that all of its mail comes here
    #[arg(long, requires = "dns_server")]
    take_over: bool,
    /// The certificate authority: letsencrypt, the address of another's directory, or none
    #[arg(long, value_name = "URL", default_value = "letsencrypt")]
    acme: String,
    /// For how many seconds to wait for DNS records and certificate [default: 3600 on a terminal, else 300]
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    #[command(flatten)]
    surroundings: Surroundings,
}

/// What differs from a host in the open Internet: for trials, and for unusual ones.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Unusual surroundings")]
struct Surroundings {
    /// The public address of this host, where it is not on an interface; may be given several times
    #[arg(long = "public-address", value_name = "ADDRESS")]
    public_addresses: Vec<IpAddr>,
    /// Listen on this address only
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<IpAddr>,
    /// Added to every standard port: SMTP is 25 plus this
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    port_offset: u16,
    /// Where the mail servers of others listen
    #[arg(long, value_name = "PORT", default_value_t = 25)]
    outbound_port: u16,
    /// Ask this DNS resolver instead of the system's; may be given several times
    #[arg(long = "resolver", value_name = "ADDRESS:PORT")]
    resolvers: Vec<SocketAddr>,
    /// Ask only this name server whether the records are there; may be given several times
    #[arg(long = "name-server", value_name = "ADDRESS:PORT")]
    name_servers: Vec<SocketAddr>,
    /// A file with extra roots to believe, for the authority and for relays
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Try port 25 outwards with this server instead of those of big providers; may be given several times
    #[arg(long = "probe", value_name = "HOST:PORT")]
    probes: Vec<String>,
    /// Make no service unit and no user; the server runs in the background as whoever runs this
    #[arg(long)]
    no_systemd: bool,
}

/// What is left for the operator, and what was learnt.
struct Findings {
    host: host::Host,
    made_password: Option<String>,
    /// All records are right but those that only others can set.
    records_right: bool,
    certificate: bool,
    first_message: Option<first::Fate>,
}

/// Everything a step works with.
struct Setup<'a> {
    args: &'a Args,
    place: &'a Place,
    address: Address,
    own: Own,
    say: &'a Say,
    /// When waiting ends.
    patience: Duration,
}

const PATIENCE_TERMINAL: Duration = Duration::from_secs(3600);
const PATIENCE_ELSEWHERE: Duration = Duration::from_secs(300);

pub fn run(place: &Place, args: &Args, style: Style) -> Result<Answer, Failure> {
    let address = find::parse_address(&args.address)?;
    if let Some(to) = &args.first_message_to {
        find::parse_address(to)?;
    }
    let given = match args.password.is_named() {
        true => Some(args.password.read(&args.address, &[])?),
        false => None,
    };
    let own = Own::new(place)?;
    // The settings may name another directory than the usual one.
    let mut place = place.clone();
    let known = place
        .load()
        .map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(config) = &known {
        place.data.clone_from(&config.data);
    }
    let say = Say::new(style);
    let waits = if say.is_terminal() {
        PATIENCE_TERMINAL
    } else {
        PATIENCE_ELSEWHERE
    };
    let setup = Setup {
        args,
        place: &place,
        address,
        own,
        say: &say,
        patience: args.wait.map_or(waits, Duration::from_secs),
    };
    let findings = setup.steps(known, given)?;
    Ok(summary(&setup, &findings, style))
}

impl Setup<'_> {
    /// In the order that saves grief: what cannot be mended here comes first.
    fn steps(&self, known: Option<Config>, given: Option<String>) -> Result<Findings, Failure> {
        let runs = start::runs(&self.place.data);
        let host = host::look(self, known.as_ref())?;
        let answers = ask::questions(self, known.as_ref(), &host)?;
        let config = match known {
            Some(config) => {
                self.say.ok(format!(
                    "settings are there: {}",
                    self.place.config.display()
                ));
                config
            }
            None => files::write_config(self, &host, &answers)?,
        };
        if !runs {
            host::ports_are_free(self, &config)?;
        }
        let user = files::user_and_directory(self)?;
        let made_password = files::domain_and_account(self, given)?;
        let published = records::publish(self)?;
        let records_right = records::wait(self, published)?;
        start::serve(self, user.as_deref())?;
        let certificate = certificate::get(self, &config)?;
        let records_right = if certificate {
            records::pins(self, published)? && records_right
        } else {
            records_right
        };
        let first_message = match &answers.first_message_to {
            Some(to) if records_right => Some(first::send(self, to)?),
            Some(to) => {
                self.say.note(format!(
                    "the first message to {to} waits until the records are right"
                ));
                None
            }
            None => None,
        };
        Ok(Findings {
            host,
            made_password,
            records_right,
            certificate: certificate || config.tls.acme.is_none(),
            first_message,
        })
    }
}

fn summary(setup: &Setup<'_>, findings: &Findings, style: Style) -> Answer {
    let address = &setup.address;
    let mut left = findings.host.left.clone();
    if !findings.records_right {
        left.push(format!(
            "DNS records are missing; see: postroad dns check {}",
            address.domain()
        ));
    }
    if !findings.certificate {
        left.push("There is no certificate yet; see: postroad certificate list".to_owned());
    }
    if let Some(fate) = &findings.first_message
        && !fate.is_good()
    {
        left.push(format!("The first message: {fate}"));
    }
    let mut answer = Answer::new(json!({
        "address": address.to_string(),
        "password": findings.made_password,
        "config": setup.place.config,
        "data": setup.place.data,
        "records_right": findings.records_right,
        "certificate": findings.certificate,
        "first_message": findings.first_message.as_ref().map(ToString::to_string),
        "steps": setup.say.steps(),
        "left": left,
    }));
    if style.form == Form::People {
        answer = answer.line("");
    }
    if let Some(password) = &findings.made_password {
        answer = answer
            .line(format!("  Login     {address}"))
            .line(format!("  Password  {password}   (shown only now; change it with: postroad account passwd {address})"))
            .line("");
    }
    if left.is_empty() {
        answer = answer.line(format!(
            "{} is ready. For your mail program: postroad account settings {address}",
            address.domain()
        ));
    } else {
        answer = answer.line("Left to do:");
        for one in &left {
            answer = answer.line(format!("  - {one}"));
        }
        answer = answer.line("Then run the same command again; it goes on where it stopped.");
    }
    let answer = answer.remark(
        "To hear of trouble outside of this server: postroad doctor notify add mail you@elsewhere.example",
    );
    match left.is_empty() {
        true => answer,
        false => answer.findings(),
    }
}
