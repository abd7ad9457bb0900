//! `postroad quickstart ADDRESS`: from nothing to a serving mail server, with what a person needs to know next.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use mail::{Address, Domain};
use store::{NewAccount, Store};
use world::{OsRandom, TokioClock};

use super::serve::serve;
use super::{Context, account, domain, find};
use crate::config::{self, Config, Listen, Service};
use crate::data_dir::{DataDir, write_private};
use crate::output::{Failure, Form, Loudness, Style};
use crate::password::{self, AccountPassword};
use crate::place::Place;
use crate::welcome::{self, Password, Welcome};

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The first address, such as alice@example.test
    address: String,
    #[command(flatten)]
    password: AccountPassword,
    /// Added to every standard port: SMTP is 25 plus this
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    port_offset: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
}

/// The first account, as far as it is told.
struct First {
    address: Address,
    password: Password,
}

pub fn run(place: &Place, args: &Args, style: Style) -> Result<(), Failure> {
    let address = find::parse_address(&args.address)?;
    let domain = address.domain().clone();
    let given = if args.password.is_named() {
        Some(args.password.read(&args.address, &[])?)
    } else {
        None
    };
    let config = load_or_write(place, args, &domain)?;
    DataDir::open_or_make(&config.data)?;
    let shared = Arc::new(config.clone());
    let place = place.clone();
    serve(config, move |listeners, store| {
        let context = Context {
            store: store.clone(),
            config: shared.clone(),
            clock: Arc::new(TokioClock::real()),
            random: Arc::new(OsRandom),
            tls: None,
            wanted: None,
            changed: None,
            post: None,
        };
        let password = set_up(&context, store, &domain, &address, given)?;
        greet(
            &context,
            listeners,
            &place,
            &First { address, password },
            style,
        )
    })
}

fn load_or_write(place: &Place, args: &Args, domain: &Domain) -> Result<Config, Failure> {
    if let Some(config) = place
        .load()
        .map_err(|error| Failure::failed(error.to_string()))?
    {
        return Ok(config);
    }
    if Listen::on(&[args.listen], args.port_offset).is_none() {
        return Err(Failure::usage(format!(
            "--port-offset {}: the ports would leave the range; use 64540 at most",
            args.port_offset
        )));
    }
    DataDir::open_or_make(&place.data)?;
    let text = config::for_quickstart(&format!("mail.{domain}"), args.listen, args.port_offset);
    write_private(&place.config, text.as_bytes())
        .map_err(|error| Failure::failed(format!("{}: {error}", place.config.display())))?;
    place.load_or_fail()
}

/// Adds what is missing. The ports are open by now, so that a made-up password is never made in vain.
fn set_up(
    context: &Context,
    store: &Store,
    name: &Domain,
    address: &Address,
    given: Option<String>,
) -> Result<Password, Failure> {
    let (wanted, login) = (name.clone(), address.clone());
    let (has_domain, has_account) = store.read_blocking(move |view| {
        let has_domain = view.domain(&wanted)?.is_some();
        let has_account = has_domain && view.account_by_address(&login)?.is_some();
        Ok::<_, Failure>((has_domain, has_account))
    })?;
    if !has_domain {
        domain::add(context, name.clone())?;
    }
    if has_account {
        return Ok(Password::Kept);
    }
    let password = match given {
        Some(password) => Password::Given(password),
        None => Password::Made(password::generate(&*context.random)),
    };
    if let Password::Given(text) | Password::Made(text) = &password {
        let fresh = NewAccount {
            address: address.clone(),
            name: String::new(),
            password: text.clone(),
            quota: None,
        };
        account::add(context, fresh)?;
    }
    Ok(password)
}

fn greet(
    context: &Context,
    listeners: &[(Service, SocketAddr)],
    place: &Place,
    first: &First,
    style: Style,
) -> Result<(), Failure> {
    // A password that was made here is shown whatever was asked: there is no second chance.
    if style.loudness == Loudness::Quiet && !matches!(first.password, Password::Made(_)) {
        return Ok(());
    }
    let welcome = Welcome {
        host: &context.config.hostname,
        address: &first.address,
        password: &first.password,
        services: listeners,
        data: &context.config.data,
        config: &place.config,
        self_signed: crate::server::tls::uses_own(&context.config),
        records: super::dns::wishes(context, first.address.domain())?,
    };
    let text = match style.form {
        Form::People => welcome::text(&welcome),
        Form::Json => format!("{}\n", welcome::json(&welcome)),
    };
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    Ok(())
}
