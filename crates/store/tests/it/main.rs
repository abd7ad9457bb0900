//! The store as its users see it, on both databases.

mod accounts;
mod changes;
mod commits;
mod crash;
mod fixture;
mod full;
mod login;
mod mailboxes;
mod messages;
mod open;
mod postgres_server;
mod queue;
mod tidy;
