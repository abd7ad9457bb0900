//! The command line: its grammar, and what each command leads to. The exit status is a contract.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use nix::sys::stat::Mode;

use crate::commands::{
    Request, account, alias, attachment, auth, certificate, completions, config, delivery, dkim,
    dns, doctor, domain, queue,
};
use crate::commands::{ban, greylist};
use crate::commands::{quarantine, quickstart, relay, report, serve, setup, spam, tls, version};
use crate::local;
use crate::logging::{self, Verbosity};
use crate::output::{Answer, Exit, Failure, Form, Loudness, Style};
use crate::place::Place;
use crate::version::VERSION;

/// A whole mail server in one program.
#[derive(Debug, Parser)]
#[command(
    name = "postroad",
    version = VERSION,
    after_help = "Begin with: postroad setup you@example.org (on a trial machine: postroad quickstart alice@example.test)\n\nExit status: 0 done, 1 failed, 2 wrong usage, 3 findings (setup, config check, certificate list, delivery, dkim list, dns check, dns publish, auth check, report, tls check, doctor)."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Args)]
struct Global {
    /// The data directory [default: $POSTROAD_DATA, /var/lib/postroad for root, else ~/.local/share/postroad]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    /// Leave out advice, and log only warnings
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up what is missing and serve: a trial on this machine in one command
    Quickstart(quickstart::Args),
    /// Set up this host for a domain: look, write, publish, fetch, and say what is left
    Setup(Box<setup::Args>),
    /// Serve until stopped (what a service unit runs)
    Serve,
    /// The domains whose mail this server keeps
    #[command(subcommand)]
    Domain(domain::Command),
    /// The people that have mailboxes here
    #[command(subcommand)]
    Account(account::Command),
    /// Further addresses, who gets what nobody has, and what goes on to other servers
    #[command(subcommand)]
    Alias(alias::Command),
    /// Who is shut out for guessing, searching or flooding, and who never is
    #[command(subcommand)]
    Ban(ban::Command),
    /// Senders that look doubtful are asked to come again
    #[command(subcommand)]
    Greylist(greylist::Command),
    /// Mail on its way out
    #[command(subcommand)]
    Queue(queue::Command),
    /// Messages that were taken and are held until you have looked at them
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// What is done with dangerous attachments
    #[command(subcommand)]
    Attachment(attachment::Command),
    /// How mail fares at each provider, and what became of one message
    Delivery(delivery::Args),
    /// Servers of others that take the mail for one provider
    #[command(subcommand)]
    Relay(relay::Command),
    /// The DNS records that a domain should have
    #[command(subcommand)]
    Dns(dns::Command),
    /// What is wrong with this server and its domains, why it matters and how to mend it
    Doctor(doctor::Args),
    /// Who sent a message, and whether it can be believed
    #[command(subcommand)]
    Auth(auth::Command),
    /// Certificates from an authority such as Let's Encrypt
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// The keys that sign outgoing mail
    #[command(subcommand)]
    Dkim(dkim::Command),
    /// What other servers report about a domain, and what to mend
    #[command(subcommand)]
    Report(report::Command),
    /// What is junk here, why, and who taught it
    #[command(subcommand)]
    Spam(spam::Command),
    /// How safe the way to other servers must be
    #[command(subcommand)]
    Tls(tls::Command),
    /// The settings of this machine
    #[command(subcommand)]
    Config(config::Command),
    /// Print the version
    Version,
    /// Print a script that completes commands in your shell
    Completions(completions::Args),
}

/// The program. Parses the arguments of the process and does what they say.
pub fn main() -> ExitCode {
    // Whatever we write holds mail or secrets: nobody else's business.
    nix::sys::stat::umask(Mode::from_bits_truncate(0o077));
    // Prints help and wrong usage by itself, and ends with 0 or 2.
    let cli = Cli::parse();
    let style = cli.global.style();
    match run(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            complain(&failure, style);
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    let style = global.style();
    let place = Place::find(global.data.as_deref());
    let request: Request = match command {
        Command::Quickstart(args) => {
            logging::start(global.server_verbosity());
            logging::log_panics();
            return quickstart::run(&place, &args, style).map(|()| Exit::Done);
        }
        Command::Setup(args) => {
            logging::start(global.command_verbosity());
            return print(&setup::run(&place, &args, style)?, style);
        }
        Command::Serve => {
            logging::start(global.server_verbosity());
            logging::log_panics();
            return serve::run(&place).map(|()| Exit::Done);
        }
        Command::Config(command) => return print(&config::run(&place, &command)?, style),
        Command::Auth(auth::Command::Check(args)) => {
            logging::start(global.command_verbosity());
            return print(&auth::check::run(&place, &args)?, style);
        }
        Command::Doctor(args) => {
            logging::start(global.command_verbosity());
            return print(&doctor::run(&place, args, style)?, style);
        }
        Command::Spam(command) => {
            logging::start(global.command_verbosity());
            return print(&spam::run(&place, command)?, style);
        }
        Command::Version => return print(&version::answer(), style),
        Command::Completions(args) => {
            let _ = std::io::stdout().write_all(&completions::script(&args));
            return Ok(Exit::Done);
        }
        Command::Domain(command) => Request::Domain(command.into()),
        Command::Account(command) => Request::Account(command.into_request()?),
        Command::Alias(command) => Request::Alias(command.into()),
        Command::Auth(auth::Command::Trust(command)) => Request::AuthTrust(command.into()),
        Command::Ban(command) => Request::Ban(command.into_request()?),
        Command::Greylist(command) => Request::Greylist(command.into()),
        Command::Queue(command) => Request::Queue(command.into()),
        Command::Quarantine(command) => Request::Quarantine(command.into()),
        Command::Attachment(command) => Request::Attachment(command.into()),
        Command::Delivery(args) => Request::Delivery(args.into()),
        Command::Relay(command) => Request::Relay(command.into_request()?),
        Command::Dns(command) => Request::Dns(command.into_request()?),
        Command::Dkim(command) => Request::Dkim(command.into()),
        Command::Certificate(command) => Request::Certificate(command.into()),
        Command::Report(command) => Request::Report(command.into()),
        Command::Tls(command) => Request::Tls(command.into()),
    };
    logging::start(global.command_verbosity());
    print(&local::run(&place, request)?, style)
}

fn print(answer: &Answer, style: Style) -> Result<Exit, Failure> {
    answer
        .print(style, &mut std::io::stdout().lock())
        .map_err(|error| Failure::failed(format!("standard output: {error}")))?;
    Ok(answer.exit)
}

/// The message on standard error; with `--json` as an object.
fn complain(failure: &Failure, style: Style) {
    let mut stderr = std::io::stderr().lock();
    let _ = match style.form {
        Form::Json => writeln!(
            stderr,
            "{}",
            serde_json::json!({ "error": failure.message })
        ),
        Form::People => writeln!(
            stderr,
            "postroad: {}",
            crate::output::visible(&failure.message)
        ),
    };
}

impl Global {
    fn style(&self) -> Style {
        Style {
            form: if self.json { Form::Json } else { Form::People },
            loudness: if self.quiet {
                Loudness::Quiet
            } else {
                Loudness::Normal
            },
        }
    }

    fn server_verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, 0) => Verbosity::Normal,
            (_, 1) => Verbosity::Verbose,
            _ => Verbosity::Everything,
        }
    }

    /// Short commands tell their result, not how they came to it.
    fn command_verbosity(&self) -> Verbosity {
        if self.verbose == 0 {
            Verbosity::Quiet
        } else {
            self.server_verbosity()
        }
    }
}

#[cfg(test)]
mod tests;
