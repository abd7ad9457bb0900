//! `postroad account protocols`, `networks`, `main-password`, `notices`, `sign-out`: what a right password is good for, who is
//! told of its use, and the end of what it opened. App passwords and the history have files of their own.

mod app_password;
mod sign_ins;

use std::str::FromStr;

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::bans::Network;
use store::limits::LOGIN_NETWORKS_MAX;
use store::{AccountId, Durability, LoginRules, Protocol, Protocols, RulesOf};

use super::{Context, find_account};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Passwords for single devices, each with bounds of its own
    #[command(subcommand)]
    AppPassword(app_password::Command),
    /// Whether mail programs may log in with the main password, or with app passwords only
    MainPassword {
        /// The account's address, or `everyone`
        address: String,
        /// Nothing: say how it is
        switch: Option<Switch>,
    },
    /// Show which protocols log-ins may use, or switch one on or off
    Protocols {
        /// The account's address, or `everyone`
        address: String,
        /// smtp (sending), imap or pop3
        #[arg(requires = "switch", value_parser = parse_protocol)]
        protocol: Option<String>,
        switch: Option<Switch>,
    },
    /// Show from where mail may be sent, or bound it to networks
    Networks {
        /// The account's address, or `everyone`
        address: String,
        /// Such as 192.0.2.0/24 or 2001:db8::/32; `any` takes the bound back
        networks: Vec<String>,
    },
    /// Show who logged in, when, from where and with what program
    SignIns {
        /// The account's address
        address: String,
        /// Those that failed alone
        #[arg(long)]
        failures: bool,
        /// The networks alone that the account is known from
        #[arg(long, conflicts_with = "failures")]
        networks: bool,
    },
    /// Whether a message in the account's own mailbox tells of log-ins from networks that are new to it
    Notices {
        /// The account's address, or `everyone`
        address: String,
        /// Nothing: say how it is; `default` leaves it to what holds for everyone (which is on)
        #[arg(value_parser = ["on", "off", "default"])]
        state: Option<String>,
    },
    /// End all sessions; whoever has a password that is good logs in anew
    SignOut {
        /// The account's address
        address: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    AppPassword(app_password::Request),
    MainPassword {
        address: String,
        switch: Option<Switch>,
    },
    Protocols {
        address: String,
        change: Option<(String, Switch)>,
    },
    Networks {
        address: String,
        networks: Vec<String>,
    },
    SignIns {
        address: String,
        failures: bool,
        networks: bool,
    },
    Notices {
        address: String,
        state: Option<String>,
    },
    SignOut {
        address: String,
    },
}

/// In place of an address: the rules of the server.
const EVERYONE: &str = "everyone";

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::AppPassword(command) => Self::AppPassword(command.into()),
            Command::MainPassword { address, switch } => Self::MainPassword { address, switch },
            Command::Protocols {
                address,
                protocol,
                switch,
            } => Self::Protocols {
                address,
                change: protocol.zip(switch),
            },
            Command::Networks { address, networks } => Self::Networks { address, networks },
            Command::SignIns {
                address,
                failures,
                networks,
            } => Self::SignIns {
                address,
                failures,
                networks,
            },
            Command::Notices { address, state } => Self::Notices { address, state },
            Command::SignOut { address } => Self::SignOut { address },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::AppPassword(request) => app_password::execute(context, request),
        Request::MainPassword { address, switch } => main_password(context, &address, switch),
        Request::Protocols { address, change } => protocols(context, &address, change),
        Request::Networks { address, networks } => set_networks(context, &address, &networks),
        Request::SignIns {
            address,
            failures,
            networks,
        } => sign_ins::answer(context, &address, failures, networks),
        Request::Notices { address, state } => notices(context, &address, state.as_deref()),
        Request::SignOut { address } => sign_out(context, &address),
    }
}

/// Whose rules are meant, and how they are called.
struct Subject {
    of: RulesOf,
    name: String,
}

impl Subject {
    fn find(context: &Context, address: &str) -> Result<Self, Failure> {
        if address == EVERYONE {
            return Ok(Self {
                of: RulesOf::Server,
                name: EVERYONE.to_owned(),
            });
        }
        let account = find_account(context, address)?;
        Ok(Self {
            of: RulesOf::Account(account.id),
            name: account.address.to_string(),
        })
    }

    fn rules(&self, context: &Context) -> Result<LoginRules, Failure> {
        let of = self.of;
        Ok(context
            .store
            .read_blocking(move |view| view.login_rules(of))?)
    }

    /// Sets the rules if they differ: that ends sessions.
    fn set(&self, context: &Context, rules: &LoginRules) -> Result<(), Failure> {
        if self.rules(context)? == *rules {
            return Ok(());
        }
        let (of, rules) = (self.of, rules.clone());
        Ok(context
            .store
            .write_blocking(Durability::Durable, move |change| {
                change.set_login_rules(of, &rules)
            })?)
    }

    fn describe(&self, rules: &LoginRules) -> Value {
        let on = Protocol::ALL
            .iter()
            .map(|protocol| {
                let on = !rules.protocols_off.has(*protocol);
                (protocol.name().to_owned(), on.into())
            })
            .collect::<serde_json::Map<_, _>>();
        let networks: Vec<String> = rules
            .submission_networks
            .iter()
            .map(Network::to_string)
            .collect();
        json!({
            "address": self.name,
            "protocols": on,
            "main_password": !rules.app_passwords_only,
            "submission_networks": networks,
        })
    }

    /// What an account is told when the server refuses it for all.
    fn remark_of_server(&self, context: &Context, answer: Answer) -> Result<Answer, Failure> {
        if self.of == RulesOf::Server {
            return Ok(answer);
        }
        let server = context
            .store
            .read_blocking(|view| view.login_rules(RulesOf::Server))?;
        if server == LoginRules::default() {
            return Ok(answer);
        }
        Ok(answer.remark("There are rules for everyone, too: postroad account protocols everyone"))
    }
}

/// `account show` tells what a password is good for, where that was bounded.
pub fn with_rules(context: &Context, id: AccountId, answer: Answer) -> Result<Answer, Failure> {
    let (rules, apps) = context.store.read_blocking(move |view| {
        let rules = view.login_rules(RulesOf::Account(id))?;
        Ok::<_, store::StoreError>((rules, view.app_passwords(id)?.len()))
    })?;
    let off: Vec<&str> = Protocol::ALL
        .iter()
        .filter(|protocol| rules.protocols_off.has(**protocol))
        .map(|protocol| protocol.name())
        .collect();
    let mut answer = answer;
    if let Some(value) = answer.value.as_object_mut() {
        value.insert("protocols_off".to_owned(), json!(off));
        value.insert("main_password".to_owned(), json!(!rules.app_passwords_only));
        value.insert("app_passwords".to_owned(), json!(apps));
    }
    let mut logins = match (rules.app_passwords_only, apps) {
        (true, apps) => format!("{apps} app passwords, not the main one"),
        (false, 0) => "main password".to_owned(),
        (false, apps) => format!("main password, {apps} app passwords"),
    };
    if !off.is_empty() {
        logins.push_str(&format!("; not for {}", off.join(", ")));
    }
    Ok(answer.line(format!("log-ins   {logins}")))
}

fn main_password(
    context: &Context,
    address: &str,
    switch: Option<Switch>,
) -> Result<Answer, Failure> {
    let subject = Subject::find(context, address)?;
    let mut rules = subject.rules(context)?;
    if let Some(switch) = switch {
        rules.app_passwords_only = switch == Switch::Off;
        subject.set(context, &rules)?;
    }
    let said = match rules.app_passwords_only {
        true => "Mail programs log in with app passwords only",
        false => "Mail programs may log in with the main password",
    };
    let answer = Answer::new(subject.describe(&rules)).line(format!("{said} ({}).", subject.name));
    let answer = match (&subject.of, rules.app_passwords_only) {
        (RulesOf::Account(account), true) if has_no_app_password(context, *account)? => answer
            .remark(format!(
                "There is none yet; make one with: postroad account app-password add {address} phone"
            )),
        _ => answer,
    };
    subject.remark_of_server(context, answer)
}

fn has_no_app_password(context: &Context, account: AccountId) -> Result<bool, Failure> {
    let all = context
        .store
        .read_blocking(move |view| view.app_passwords(account))?;
    Ok(all.is_empty())
}

fn protocols(
    context: &Context,
    address: &str,
    change: Option<(String, Switch)>,
) -> Result<Answer, Failure> {
    let subject = Subject::find(context, address)?;
    let mut rules = subject.rules(context)?;
    if let Some((name, switch)) = change {
        let protocol = Protocol::from_name(&name).ok_or_else(|| unknown_protocol(&name))?;
        rules.protocols_off = match switch {
            Switch::On => rules.protocols_off.without(protocol),
            Switch::Off => rules.protocols_off.with(protocol),
        };
        subject.set(context, &rules)?;
    }
    let rows = Protocol::ALL.iter().map(|protocol| {
        let state = match rules.protocols_off.has(*protocol) {
            true => "off",
            false => "on",
        };
        vec![protocol.name().to_owned(), state.to_owned()]
    });
    let answer =
        Answer::new(subject.describe(&rules)).table(&["protocol", "log-in"], rows.collect());
    subject.remark_of_server(context, answer)
}

fn set_networks(context: &Context, address: &str, given: &[String]) -> Result<Answer, Failure> {
    let subject = Subject::find(context, address)?;
    let mut rules = subject.rules(context)?;
    match given {
        [] => {}
        [any] if any == "any" => {
            rules.submission_networks = Vec::new();
            subject.set(context, &rules)?;
        }
        given => {
            rules.submission_networks = parse_networks(given)?;
            subject.set(context, &rules)?;
        }
    }
    let answer = Answer::new(subject.describe(&rules));
    let answer = if rules.submission_networks.is_empty() {
        answer.line(format!("{} may send from everywhere.", subject.name))
    } else {
        let texts: Vec<String> = rules
            .submission_networks
            .iter()
            .map(Network::to_string)
            .collect();
        answer.line(format!(
            "{} may send from {} only.",
            subject.name,
            texts.join(", ")
        ))
    };
    subject.remark_of_server(context, answer)
}

fn notices(context: &Context, address: &str, state: Option<&str>) -> Result<Answer, Failure> {
    let subject = Subject::find(context, address)?;
    let of = subject.of;
    if let Some(state) = state {
        let choice = match state {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        context
            .store
            .write_blocking(Durability::Durable, move |change| {
                change.set_sign_in_notices(of, choice)
            })?;
    }
    let (own, is_on) = context.store.read_blocking(move |view| {
        let own = view.sign_in_notices(of)?;
        let is_on = match of {
            RulesOf::Server => own.unwrap_or(true),
            RulesOf::Account(account) => view.tells_sign_ins(account)?,
        };
        Ok::<_, store::StoreError>((own, is_on))
    })?;
    let name = &subject.name;
    let said = match (is_on, of) {
        (true, RulesOf::Server) => {
            "Users are told of log-ins from networks that are new to them".to_owned()
        }
        (false, RulesOf::Server) => "Users are not told of log-ins from new networks".to_owned(),
        (true, _) => format!("{name} is told of log-ins from networks that are new to it"),
        (false, _) => format!("{name} is not told of log-ins from new networks"),
    };
    let by = match (own, of) {
        (None, RulesOf::Account(_)) => " (as everyone)",
        (Some(_), RulesOf::Server) => ", unless an account chose otherwise",
        _ => "",
    };
    let chosen = match own {
        None => "default",
        Some(true) => "on",
        Some(false) => "off",
    };
    let value = json!({ "address": name, "notices": is_on, "chosen": chosen });
    Ok(Answer::new(value).line(format!("{said}{by}.")))
}

fn sign_out(context: &Context, address: &str) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let id = account.id;
    context
        .store
        .write_blocking(Durability::Durable, move |change| change.end_sessions(id))?;
    let said = format!("All sessions of {} have ended.", account.address);
    Ok(Answer::new(json!({ "address": account.address.to_string(), "signed_out": true }))
        .line(said)
        .remark("A program that knows a good password logs in anew; change it with: postroad account passwd"))
}

fn parse_protocol(text: &str) -> Result<String, String> {
    match Protocol::from_name(text) {
        Some(protocol) => Ok(protocol.name().to_owned()),
        None => Err("smtp, imap or pop3".to_owned()),
    }
}

fn unknown_protocol(text: &str) -> Failure {
    Failure::usage(format!("{text:?} is no protocol: smtp, imap or pop3"))
}

fn parse_protocols(names: &[String]) -> Result<Protocols, Failure> {
    names
        .iter()
        .map(|name| Protocol::from_name(name.trim()).ok_or_else(|| unknown_protocol(name)))
        .collect()
}

fn parse_networks(texts: &[String]) -> Result<Vec<Network>, Failure> {
    if LOGIN_NETWORKS_MAX < texts.len() {
        return Err(Failure::usage(format!(
            "{LOGIN_NETWORKS_MAX} networks at most; name larger ones"
        )));
    }
    texts
        .iter()
        .map(|text| Network::from_str(text.trim()).map_err(|e| Failure::usage(e.to_string())))
        .collect()
}
