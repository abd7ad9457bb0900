//! `postroad doctor`: looks at the server as the world sees it and says what is wrong, why it matters and how to mend it.

mod channels;
mod message;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use jobs::doctor::{Examination, Examiner, Reach};
use mail::Domain;
use serde::{Deserialize, Serialize};
use world::http::HttpClient;
use world::{Clock, DnsSettings, TlsClients, World};

use super::{Context, find};
use crate::local;
use crate::output::{Answer, Exit, Failure, Style};
use crate::place::Place;
use crate::server::{doctor as server_doctor, settings};

#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Look at this domain only
    domain: Option<String>,
    /// Look again every half minute, until nothing is wrong
    #[arg(long)]
    watch: bool,
    /// Say what a check is and why it matters, such as spf.exists
    #[arg(long, value_name = "ID", conflicts_with_all = ["domain", "watch"])]
    explain: Option<String>,
    /// List all checks
    #[arg(long, conflicts_with_all = ["domain", "watch", "explain"])]
    list: bool,
    /// What was found before, since when, and when it was well again
    #[arg(long, conflicts_with_all = ["domain", "watch", "explain", "list"])]
    history: bool,
    /// Judge a message before it is sent; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "watch", "explain", "list", "history"])]
    message: Option<PathBuf>,
    /// The message goes to many readers
    #[arg(long, requires = "message")]
    bulk: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Who is told when something is wrong, and when it is well again
    #[command(subcommand)]
    Notify(channels::Command),
    /// Make the address check@DOMAIN: it judges what your users send to it, and answers them
    Address {
        /// A domain of this server
        domain: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Examine {
        domain: Option<String>,
        /// Only what is ours: for a look that comes again and again.
        home: bool,
    },
    History,
    Message {
        bytes: Vec<u8>,
        bulk: bool,
    },
    Notify(channels::Request),
    Address {
        domain: String,
    },
}

/// Between two looks of `--watch`.
const WATCH_PAUSE: Duration = Duration::from_secs(30);

/// What runs here, and what is asked of the server or the store.
pub fn run(place: &Place, args: Args, style: Style) -> Result<Answer, Failure> {
    if let Some(id) = &args.explain {
        return show::explain(id);
    }
    if args.list {
        return Ok(show::list());
    }
    let request = match args.command {
        Some(Command::Notify(command)) => Request::Notify(command.into_request()?),
        Some(Command::Address { domain }) => Request::Address { domain },
        None if args.history => Request::History,
        None => match &args.message {
            Some(path) => Request::Message {
                bytes: message::read(path)?,
                bulk: args.bulk,
            },
            None => Request::Examine {
                domain: args.domain,
                home: false,
            },
        },
    };
    let ask = |request: &Request| local::run(place, super::Request::Doctor(request.clone()));
    if !args.watch {
        return ask(&request);
    }
    let mut request = request;
    loop {
        let answer = ask(&request)?;
        // Block lists and providers count how often we come.
        if let Request::Examine { home, .. } = &mut request {
            *home = true;
        }
        if answer.exit == Exit::Done {
            return Ok(answer);
        }
        // Above the new picture the old one stays, to be scrolled to.
        let shown = answer.line("");
        shown
            .print(style, &mut std::io::stdout().lock())
            .map_err(|error| Failure::failed(format!("standard output: {error}")))?;
        let clock = world::TokioClock::real();
        let until = clock.now() + WATCH_PAUSE;
        while clock.now() < until {
            std::thread::park_timeout(WATCH_PAUSE);
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Examine { domain, home } => {
            let reach = if home { Reach::Home } else { Reach::Providers };
            examine(context, domain.as_deref(), reach)
        }
        Request::History => {
            let known = context.store.read_blocking(|view| view.findings())?;
            Ok(show::history(&known))
        }
        Request::Message { bytes, bulk } => message::judge(context, &bytes, bulk),
        Request::Notify(request) => channels::execute(context, request),
        Request::Address { domain } => message::make_address(context, &domain),
    }
}

fn examine(context: &Context, domain: Option<&str>, reach: Reach) -> Result<Answer, Failure> {
    let domain = match domain {
        Some(name) => {
            let name = find::parse_domain(name)?;
            let wanted = name.clone();
            context
                .store
                .read_blocking(move |view| find::domain(view, &wanted).map(drop))?;
            Some(name)
        }
        None => None,
    };
    let examination = look(context, domain.as_ref(), reach)?;
    let known = context.store.read_blocking(|view| view.open_findings())?;
    let answer = show::examination(context, &examination, &known);
    Ok(match context.tls {
        Some(_) => answer,
        None => {
            answer.remark("No server runs here: ports, TLS and what is served were not looked at.")
        }
    })
}

/// An examination now. Commands are on a thread of their own, in the server too.
fn look(context: &Context, domain: Option<&Domain>, reach: Reach) -> Result<Examination, Failure> {
    let config = &context.config;
    let brief = server_doctor::brief(config, &context.store, context.tls.as_ref(), domain)?;
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let roots = settings::roots(config).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    let store = context.store.clone();
    let resolvers = config.resolvers.clone();
    runtime.block_on(async {
        let world = World::real(DnsSettings::servers(resolvers));
        let clients = TlsClients::new(world.clock.clone(), roots.as_deref())
            .map_err(|error| failed(&error))?;
        let examiner = Examiner {
            http: HttpClient::new(world.clone(), clients.verified()),
            tls: clients.opportunistic(),
            reach,
            world,
            store,
        };
        Ok(examiner.examine(&brief).await?)
    })
}
