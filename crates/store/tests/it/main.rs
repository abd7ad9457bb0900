//! The store as its users see it, on both databases.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests speak and have a real clock"
)]

mod accounts;
mod bans;
mod certificates;
mod changes;
mod commits;
mod crash;
mod deliveries;
mod dns_servers;
mod findings;
mod fixture;
mod forwarding;
mod full;
mod held;
mod jobs;
mod keys;
mod lesson_voices;
mod lessons;
mod login;
mod login_rules;
mod mailboxes;
mod messages;
mod nodes;
mod open;
mod postgres_server;
mod queue;
mod reports;
mod senders;
mod sending;
mod sending_held;
mod sign_in_news;
mod spam_choices;
mod tidy;
mod transport;
