//! The commands, one file each. Here is only how they are told apart and where they run.
//! What touches the store is a [`Request`]: the same function answers it in the server and on a stopped store.

pub mod account;
pub mod alias;
pub mod attachment;
pub mod auth;
pub mod auth_trust;
pub mod ban;
pub mod certificate;
pub mod completions;
pub mod config;
pub mod delivery;
pub mod dkim;
pub mod dns;
pub mod doctor;
pub mod domain;
pub mod greylist;
pub mod quarantine;
pub mod queue;
pub mod quickstart;
pub mod relay;
pub mod report;
pub mod serve;
pub mod setup;
pub mod spam;
pub mod tls;
pub mod version;

mod client_settings;
mod find;
mod provider;
pub(crate) mod show;

use std::sync::Arc;

use jobs::Post;
use mail::UnixMillis;
use serde::{Deserialize, Serialize};
use store::Store;
use tokio::sync::Notify;
use world::{Clock, Random, TlsServer};

use crate::config::Config;
use crate::output::{Answer, Failure};

/// A command for the store, as it crosses the admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Who is there.
    Version,
    Domain(domain::Request),
    Account(account::Request),
    Alias(alias::Request),
    Certificate(certificate::Request),
    AuthTrust(auth_trust::Request),
    AuthRules(auth::rules::Request),
    Ban(ban::Request),
    Greylist(greylist::Request),
    Queue(queue::Request),
    Quarantine(quarantine::Request),
    Attachment(attachment::Request),
    Delivery(delivery::Request),
    Relay(relay::Request),
    Dns(dns::Request),
    Doctor(doctor::Request),
    Dkim(dkim::Request),
    Report(report::Request),
    Setup(setup::Request),
    Spam(spam::Request),
    Tls(tls::Request),
}

/// What a command works with.
#[derive(Clone)]
pub struct Context {
    pub store: Store,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// The certificates that are served; `None` where no server runs.
    pub tls: Option<Arc<TlsServer>>,
    /// To be told when there may be a certificate to fetch; `None` where no server runs.
    pub wanted: Option<Arc<Notify>>,
    /// To be told when there may be a record to publish; `None` where no server runs.
    pub changed: Option<Arc<Notify>>,
    /// Takes messages of our own; `None` where no server runs.
    pub post: Option<Arc<dyn Post>>,
}

impl Context {
    pub fn now(&self) -> UnixMillis {
        UnixMillis::from(self.clock.wall())
    }

    /// For what must be waited for: the runtime of the server, on whose threads for waiting commands are answered.
    fn handle(&self) -> Result<tokio::runtime::Handle, Failure> {
        tokio::runtime::Handle::try_current()
            .map_err(|_| Failure::failed("the server does not run"))
    }
}

/// Does what is asked. Waits for the store, so not for the event loop's threads.
pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let may_publish = matches!(
        request,
        Request::Domain(_)
            | Request::Dkim(_)
            | Request::Certificate(certificate::Request::NewKey { .. })
            | Request::Dns(dns::Request::Server(_))
    );
    let answer = answer(context, request);
    if let (true, Some(changed)) = (may_publish, &context.changed) {
        changed.notify_one();
    }
    answer
}

fn answer(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Version => Ok(version::answer()),
        Request::Domain(request) => {
            let answer = domain::execute(context, request);
            // A new domain has names of its own.
            if let Some(wanted) = &context.wanted {
                wanted.notify_one();
            }
            answer
        }
        Request::Account(request) => account::execute(context, request),
        Request::Alias(request) => alias::execute(context, request),
        Request::Certificate(request) => certificate::execute(context, request),
        Request::AuthTrust(request) => auth_trust::execute(context, request),
        Request::AuthRules(request) => auth::rules::execute(context, request),
        Request::Ban(request) => ban::execute(context, request),
        Request::Greylist(request) => greylist::execute(context, request),
        Request::Queue(request) => queue::execute(context, request),
        Request::Quarantine(request) => quarantine::execute(context, request),
        Request::Attachment(request) => attachment::execute(context, request),
        Request::Delivery(request) => delivery::execute(context, request),
        Request::Relay(request) => relay::execute(context, request),
        Request::Dns(request) => dns::execute(context, request),
        Request::Doctor(request) => doctor::execute(context, request),
        Request::Dkim(request) => dkim::execute(context, request),
        Request::Report(request) => report::execute(context, request),
        Request::Setup(request) => setup::execute(context, request),
        Request::Spam(request) => spam::execute(context, request),
        Request::Tls(request) => tls::execute(context, request),
    }
}
