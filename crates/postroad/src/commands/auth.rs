//! `postroad auth`: who sent a message, and whether it can be believed.

pub mod check;
pub mod rules;

use clap::Subcommand;

use super::auth_trust;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Explain step by step what SPF, DKIM, DMARC and ARC say of a message
    Check(check::Args),
    /// Whose word is taken for mail that they passed on
    #[command(subcommand)]
    Trust(auth_trust::Command),
}
