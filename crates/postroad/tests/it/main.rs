//! The real program, run as a person or a script runs it: commands, exit status, signals, conversations.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests stand outside, where sockets are real"
)]

mod auth;
mod certificates;
mod commands;
mod config;
mod conversation;
mod deliveries;
mod doctor;
mod keys;
mod policies;
mod postgres;
mod privileges;
mod quickstart;
mod refusals;
mod reports;
mod rig;
mod sending;
mod serving;
mod spam_test;
mod spam_why;
mod tls;
