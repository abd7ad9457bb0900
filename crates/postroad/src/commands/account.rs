//! `postroad account`: the people (and programs) that have mailboxes here.

use std::collections::BTreeMap;

use clap::Subcommand;
use mail::Address;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::sending::SendingState;
use store::{Account, AccountId, AccountState, Durability, NewAccount};

use super::{Context, client_settings, find, show};
use crate::confirm;
use crate::output::{Answer, Failure};
use crate::password::AccountPassword;

pub mod login;
pub mod sending;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make an account; asks for its password unless told where to read it
    Add {
        /// The account's address, which is its login name
        address: String,
        /// The person's name
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// Most space the mail may take, such as 500M or 2G
        #[arg(long, default_value = "none", value_parser = show::parse_quota)]
        quota: Quota,
        #[command(flatten)]
        password: AccountPassword,
    },
    /// List all accounts, or those of one domain
    List {
        /// Only this domain's
        domain: Option<String>,
    },
    /// Show one account
    Show {
        /// The account's address
        address: String,
    },
    /// Print what to type into a mail program, and a code for telephones
    Settings {
        /// The account's address
        address: String,
    },
    /// Set a new password
    Passwd {
        /// The account's address, which is its login name
        address: String,
        #[command(flatten)]
        password: AccountPassword,
    },
    /// Set the most space the mail may take, such as 500M, 2G or none
    Quota {
        /// The account's address, which is its login name
        address: String,
        /// Such as 500M, 2G or none
        #[arg(value_parser = show::parse_quota)]
        size: Quota,
    },
    /// Refuse log-ins and mail until enabled again; keeps everything
    Disable {
        /// The account's address
        address: String,
    },
    /// Take back `disable`
    Enable {
        /// The account's address
        address: String,
    },
    /// Lock an account somebody else may be using: it sends no more, and its mail that waits is held
    Lock {
        /// The account's address
        address: String,
        /// Lock sending alone, so that its user reads on (the usual way)
        #[arg(long, conflicts_with = "all")]
        sending: bool,
        /// Refuse log-ins and mail for it as well
        #[arg(long)]
        all: bool,
        /// Why, for its user
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let an account send again that was locked, by you or by an alarm
    Release {
        /// The account's address
        address: String,
        /// Release sending alone (the usual way)
        #[arg(long, conflicts_with = "all")]
        sending: bool,
        /// Allow log-ins and mail for it as well
        #[arg(long)]
        all: bool,
        /// Let all its held mail go out, too; look at it first with `postroad queue groups`
        #[arg(long)]
        with_mail: bool,
    },
    /// Show or set how much an account may send
    Limits {
        /// The account's address
        address: String,
        #[command(subcommand)]
        what: Option<sending::Limits>,
    },
    /// Show what an account sent of late beside its limits, from where, and its alarms
    Sending {
        /// The account's address
        address: String,
    },
    #[command(flatten)]
    Login(login::Command),
    /// Remove an account with all its mail, and what an alarm holds of it in the queue; asks first on a terminal
    Remove {
        /// The account's address, which is its login name
        address: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Bytes, or nothing for no bound.
pub type Quota = Option<u64>;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        address: String,
        name: String,
        quota: Quota,
        password: String,
    },
    List {
        domain: Option<String>,
    },
    Show {
        address: String,
    },
    Settings {
        address: String,
    },
    Passwd {
        address: String,
        password: String,
    },
    Quota {
        address: String,
        size: Quota,
    },
    Disable {
        address: String,
    },
    Enable {
        address: String,
    },
    Remove {
        address: String,
    },
    Sending(sending::Request),
    Login(login::Request),
}

impl Command {
    /// Reads the password where one is needed.
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Command::Add {
                address,
                name,
                quota,
                password,
            } => {
                find::parse_address(&address)?;
                let password = password.read(&address, &[&name])?;
                Request::Add {
                    address,
                    name,
                    quota,
                    password,
                }
            }
            Command::List { domain } => Request::List { domain },
            Command::Show { address } => Request::Show { address },
            Command::Settings { address } => Request::Settings { address },
            Command::Passwd { address, password } => {
                find::parse_address(&address)?;
                let password = password.read(&address, &[])?;
                Request::Passwd { address, password }
            }
            Command::Quota { address, size } => Request::Quota { address, size },
            Command::Disable { address } => Request::Disable { address },
            Command::Enable { address } => Request::Enable { address },
            Command::Lock {
                address,
                all,
                reason,
                ..
            } => Request::Sending(sending::Request::Lock {
                address,
                all,
                reason,
            }),
            Command::Release {
                address,
                all,
                with_mail,
                ..
            } => Request::Sending(sending::Request::Release {
                address,
                all,
                with_mail,
            }),
            Command::Limits { address, what } => {
                Request::Sending(sending::Request::of_limits(address, what)?)
            }
            Command::Sending { address } => Request::Sending(sending::Request::Show { address }),
            Command::Login(command) => Request::Login(command.into()),
            Command::Remove { address, yes } => {
                if !yes {
                    confirm::removal(&address)?;
                }
                Request::Remove { address }
            }
        })
    }
}

/// Without the passwords.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("account::Request")
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add {
            address,
            name,
            quota,
            password,
        } => {
            let address = find::parse_address(&address)?;
            add(
                context,
                NewAccount {
                    address,
                    name,
                    password,
                    quota,
                },
            )
        }
        Request::List { domain } => list(context, domain.as_deref()),
        Request::Show { address } => {
            let account = find_account(context, &address)?;
            let answer = sending::with_state(context, account.id, detail(&account))?;
            login::with_rules(context, account.id, answer)
        }
        Request::Settings { address } => {
            let account = find_account(context, &address)?;
            client_settings::answer(context, &account.address)
        }
        Request::Passwd { address, password } => {
            let account = find_account(context, &address)?;
            context
                .store
                .set_password_blocking(account.id, password, context.now())?;
            let said = format!("The password of {} is changed.", account.address);
            let answer = Answer::new(json!({ "address": account.address.to_string() })).line(said);
            sending::with_release(context, &account, answer)
        }
        Request::Quota { address, size } => set_quota(context, &address, size),
        Request::Disable { address } => set_state(context, &address, AccountState::Disabled),
        Request::Enable { address } => set_state(context, &address, AccountState::Active),
        Request::Remove { address } => remove(context, &address),
        Request::Sending(request) => sending::execute(context, request),
        Request::Login(request) => login::execute(context, request),
    }
}

/// Makes the account. Its domain must be there.
pub fn add(context: &Context, account: NewAccount) -> Result<Answer, Failure> {
    let address = account.address.clone();
    let domain = address.domain().clone();
    context
        .store
        .read_blocking(move |view| find::domain(view, &domain))?;
    let id = context.store.add_account_blocking(account, context.now())?;
    let account = reload(context, id)?;
    Ok(Answer::new(describe(&account)).line(format!("Made the account {address}.")))
}

fn list(context: &Context, domain: Option<&str>) -> Result<Answer, Failure> {
    let domain = domain.map(find::parse_domain).transpose()?;
    let (accounts, stopped) = context.store.read_blocking(move |view| {
        if let Some(domain) = &domain {
            find::domain(view, domain)?;
        }
        let stopped: BTreeMap<AccountId, SendingState> =
            view.stopped_accounts()?.into_iter().collect();
        Ok::<_, Failure>((view.accounts(domain.as_ref())?, stopped))
    })?;
    let sending = |account: &Account| stopped.get(&account.id).copied().unwrap_or_default();
    let described = accounts.iter().map(|account| {
        let mut value = describe(account);
        value["sending"] = json!(sending::state_name(sending(account)));
        value
    });
    let answer = Answer::new(described.collect());
    if accounts.is_empty() {
        return Ok(
            answer.remark("No accounts yet. Make one with: postroad account add you@example.org")
        );
    }
    let rows = accounts
        .iter()
        .map(|account| row(account, sending(account)))
        .collect();
    let answer = answer.table(
        &["address", "name", "state", "messages", "used", "quota"],
        rows,
    );
    Ok(
        match accounts
            .iter()
            .find(|account| stopped.contains_key(&account.id))
        {
            Some(account) => answer.remark(format!(
                "Why sending is held or locked: postroad account sending {}",
                account.address
            )),
            None => answer,
        },
    )
}

fn set_quota(context: &Context, address: &str, size: Quota) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let id = account.id;
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.set_quota(id, size)
        })?;
    let account = reload(context, id)?;
    let said = format!(
        "The quota of {} is {}.",
        account.address,
        quota_text(account.quota)
    );
    Ok(Answer::new(describe(&account)).line(said))
}

fn set_state(context: &Context, address: &str, state: AccountState) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let id = account.id;
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.set_account_state(id, state)
        })?;
    let account = reload(context, id)?;
    let said = format!("{} is {}.", account.address, state_text(account.state));
    Ok(Answer::new(describe(&account)).line(said))
}

fn remove(context: &Context, address: &str) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let id = account.id;
    let held = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let (held, _) = change.held_by_alarm(id)?;
            change.remove_account(id)?;
            Ok::<_, store::AccountError>(held)
        })?;
    let said = format!(
        "Removed {} with {} messages.",
        account.address, account.used_messages
    );
    let value = json!({
        "address": account.address.to_string(),
        "removed": true,
        "removed_from_queue": held,
    });
    let answer = Answer::new(value).line(said);
    Ok(match held {
        0 => answer,
        _ => answer.line(format!(
            "{held} messages that an alarm about it held are removed from the queue; they are not sent."
        )),
    })
}

fn find_account(context: &Context, address: &str) -> Result<Account, Failure> {
    let address: Address = find::parse_address(address)?;
    context
        .store
        .read_blocking(move |view| find::account(view, &address))
}

fn reload(context: &Context, id: AccountId) -> Result<Account, Failure> {
    let account = context.store.read_blocking(move |view| view.account(id))?;
    account.ok_or_else(|| Failure::failed("the account was removed at the same moment"))
}

fn describe(account: &Account) -> Value {
    json!({
        "address": account.address.to_string(),
        "name": account.name,
        "state": state_text(account.state),
        "messages": account.used_messages,
        "used_bytes": account.used_bytes,
        "quota_bytes": account.quota,
        "created": show::time(account.created),
    })
}

fn row(account: &Account, sending: SendingState) -> Vec<String> {
    let mut state = state_text(account.state).to_owned();
    if sending != SendingState::Free {
        state.push_str(&format!(", sending {}", sending::state_name(sending)));
    }
    vec![
        account.address.to_string(),
        account.name.clone(),
        state,
        account.used_messages.to_string(),
        show::bytes(account.used_bytes),
        quota_text(account.quota),
    ]
}

fn detail(account: &Account) -> Answer {
    Answer::new(describe(account))
        .line(format!("address   {}", account.address))
        .line(format!("name      {}", account.name))
        .line(format!("state     {}", state_text(account.state)))
        .line(format!("created   {}", show::time(account.created)))
        .line(format!("messages  {}", account.used_messages))
        .line(format!("used      {}", show::bytes(account.used_bytes)))
        .line(format!("quota     {}", quota_text(account.quota)))
}

fn state_text(state: AccountState) -> &'static str {
    match state {
        AccountState::Active => "active",
        AccountState::Disabled => "disabled",
    }
}

fn quota_text(quota: Quota) -> String {
    quota.map_or_else(|| "none".to_owned(), show::bytes)
}
