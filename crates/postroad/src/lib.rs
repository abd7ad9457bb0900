//! The program's parts: config, server wiring, commands. `main.rs` only calls them.
//! Knows nothing of protocols and nothing of tables: it joins the rooms and talks to the operator.

pub mod cli;
pub mod commands;
pub mod config;
pub mod output;
pub mod server;

mod addresses;
mod admin;
mod confirm;
mod data_dir;
mod filters;
mod local;
mod logging;
mod nearest;
mod password;
mod place;
mod signing_keys;
mod version;
mod welcome;

pub use config::Config;
pub use server::{Ending, Running, Server, StartError};
