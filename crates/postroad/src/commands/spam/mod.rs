//! `postroad spam`: what is junk here, why, and who taught it.

pub mod blocklist;
pub mod digest;
pub mod eval;
pub mod learn;
pub mod lists;
pub mod status;
pub mod test;
pub mod train_base;
pub mod weights;
pub mod why;

mod archive;
mod corpus;
mod scope;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use store::lessons::Wish;

use super::Context;
use crate::local;
use crate::output::{Answer, Failure};
use crate::place::Place;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// What the filter said of a stored message, why, and how to change it
    Why(why::Args),
    /// How a message would be judged, and why
    Test(test::Args),
    /// Teach an account's filter by messages in files, or by a whole mailbox
    Learn(learn::Args),
    /// Take back what messages in files taught
    Forget(learn::ForgetArgs),
    /// Senders whose mail is wanted
    #[command(subcommand)]
    Allow(lists::Command),
    /// Senders whose mail is junk
    #[command(subcommand)]
    Block(lists::Command),
    /// The lists in the DNS that senders and links are looked up in
    #[command(subcommand)]
    Blocklist(blocklist::Command),
    /// How much each kind of reason counts
    #[command(subcommand)]
    Weights(weights::Command),
    /// The daily summary of what was junked: show it, mail it, switch it on or off
    Digest(digest::Args),
    /// What was junked, rescued and taught
    Status(status::Args),
    /// Make the base model from corpora of wanted and unwanted mail
    TrainBase(train_base::Args),
    /// Measure the filter on mail whose kind is known
    Eval(Box<eval::Args>),
}

/// What of it concerns the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Why(why::Request),
    Blocklist(blocklist::Request),
    Lists(lists::Request),
    Weights(weights::Request),
    Digest(digest::Request),
    Status(status::Request),
    Learn(learn::Request),
}

pub fn run(place: &Place, command: Command) -> Result<Answer, Failure> {
    let request = match command {
        Command::Test(args) => return test::run(&args),
        Command::TrainBase(args) => return train_base::run(&args),
        Command::Eval(args) => return eval::run(&args),
        Command::Learn(args) => return learn::run(place, args),
        Command::Forget(args) => return learn::forget(place, &args),
        Command::Allow(command) => Request::Lists(command.into_request(Wish::Allow)),
        Command::Block(command) => Request::Lists(command.into_request(Wish::Block)),
        Command::Why(args) => Request::Why(args.into()),
        Command::Blocklist(command) => Request::Blocklist(command.into()),
        Command::Weights(command) => Request::Weights(command.into()),
        Command::Digest(args) => Request::Digest(args.into()),
        Command::Status(args) => Request::Status(args.into()),
    };
    local::run(place, super::Request::Spam(request))
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Why(request) => why::execute(context, request),
        Request::Blocklist(request) => blocklist::execute(context, request),
        Request::Lists(request) => lists::execute(context, request),
        Request::Weights(request) => weights::execute(context, request),
        Request::Digest(request) => digest::execute(context, request),
        Request::Status(request) => status::execute(context, request),
        Request::Learn(request) => learn::execute(context, request),
    }
}
