//! What a right password is good for: protocols and networks, per account and for the whole server. Pure but for
//! reading and writing the rules.

use std::fmt;
use std::net::IpAddr;

use mail::UnixMillis;

use super::network::{join, split};
use super::protocol::{Protocol, Protocols};
use super::sessions::SERVER;
use crate::bans::Network;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::LOGIN_NETWORKS_MAX;
use crate::{AccountId, Change, StoreError, View};

/// What bounds log-ins, of one account or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRules {
    pub protocols_off: Protocols,
    /// The main password opens no mail program's door.
    pub app_passwords_only: bool,
    /// Where mail may be sent from; empty for everywhere.
    pub submission_networks: Vec<Network>,
}

/// Whom rules are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesOf {
    /// What is refused here, nobody has.
    Server,
    Account(AccountId),
}

/// Why a right password was not taken. A peer hears the same as after a wrong one: who guesses must not learn that
/// a password is right somewhere else. The owner reads it among the sign-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Barred {
    AccountDisabled,
    ProtocolOffServer,
    ProtocolOffAccount,
    /// Only app passwords open mail programs' doors.
    MainPassword,
    AppPasswordProtocol,
    AppPasswordNetwork,
    AppPasswordExpired,
    SubmissionNetworkServer,
    SubmissionNetworkAccount,
}

/// What an app password is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPasswordBounds {
    pub protocols: Protocols,
    /// Empty for everywhere.
    pub networks: Vec<Network>,
    pub expires: Option<UnixMillis>,
}

/// Everything that decides about a password that is right.
pub(super) struct Facts<'a> {
    pub(super) is_active: bool,
    pub(super) server: &'a LoginRules,
    pub(super) account: &'a LoginRules,
    /// Of the app password; nothing for the main password.
    pub(super) bounds: Option<&'a AppPasswordBounds>,
    pub(super) protocol: Protocol,
    pub(super) peer: IpAddr,
    pub(super) now: UnixMillis,
}

/// Whether a password that is right is taken.
pub(super) fn admit(facts: &Facts<'_>) -> Result<(), Barred> {
    let refuse = |cause: bool, why: Barred| if cause { Err(why) } else { Ok(()) };
    let outside = |networks: &[Network]| {
        !networks.is_empty() && !networks.iter().any(|one| one.contains(facts.peer))
    };
    let sends = facts.protocol == Protocol::Submission;
    refuse(!facts.is_active, Barred::AccountDisabled)?;
    refuse(
        facts.server.protocols_off.has(facts.protocol),
        Barred::ProtocolOffServer,
    )?;
    refuse(
        facts.account.protocols_off.has(facts.protocol),
        Barred::ProtocolOffAccount,
    )?;
    match facts.bounds {
        None => refuse(
            facts.server.app_passwords_only || facts.account.app_passwords_only,
            Barred::MainPassword,
        )?,
        Some(bounds) => {
            let over = bounds.expires.is_some_and(|expires| expires <= facts.now);
            refuse(over, Barred::AppPasswordExpired)?;
            refuse(
                !bounds.protocols.has(facts.protocol),
                Barred::AppPasswordProtocol,
            )?;
            refuse(outside(&bounds.networks), Barred::AppPasswordNetwork)?;
        }
    }
    refuse(
        sends && outside(&facts.server.submission_networks),
        Barred::SubmissionNetworkServer,
    )?;
    refuse(
        sends && outside(&facts.account.submission_networks),
        Barred::SubmissionNetworkAccount,
    )
}

impl Default for LoginRules {
    fn default() -> Self {
        Self {
            protocols_off: Protocols::none(),
            app_passwords_only: false,
            submission_networks: Vec::new(),
        }
    }
}

impl RulesOf {
    pub(super) fn key(self) -> i64 {
        match self {
            Self::Server => SERVER,
            Self::Account(account) => account.0,
        }
    }
}

impl Barred {
    pub(super) const ALL: [Self; 9] = [
        Self::AccountDisabled,
        Self::ProtocolOffServer,
        Self::ProtocolOffAccount,
        Self::MainPassword,
        Self::AppPasswordProtocol,
        Self::AppPasswordNetwork,
        Self::AppPasswordExpired,
        Self::SubmissionNetworkServer,
        Self::SubmissionNetworkAccount,
    ];

    pub(super) fn code(self) -> i64 {
        match self {
            Self::AccountDisabled => 10,
            Self::ProtocolOffServer => 11,
            Self::ProtocolOffAccount => 12,
            Self::MainPassword => 13,
            Self::AppPasswordProtocol => 14,
            Self::AppPasswordNetwork => 15,
            Self::AppPasswordExpired => 16,
            Self::SubmissionNetworkServer => 17,
            Self::SubmissionNetworkAccount => 18,
        }
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountDisabled => "the account is disabled",
            Self::ProtocolOffServer => "the protocol is off on this server",
            Self::ProtocolOffAccount => "the protocol is off for this account",
            Self::MainPassword => "only app passwords are taken from mail programs",
            Self::AppPasswordProtocol => "the app password is not for this protocol",
            Self::AppPasswordNetwork => "the app password is not for this network",
            Self::AppPasswordExpired => "the app password has expired",
            Self::SubmissionNetworkServer => "this server takes no mail of users from this network",
            Self::SubmissionNetworkAccount => "the account may not send mail from this network",
        })
    }
}

impl View<'_> {
    /// What bounds the log-ins of an account, or of all.
    pub fn login_rules(&self, of: RulesOf) -> Result<LoginRules, StoreError> {
        let sql = "SELECT protocols_off, app_passwords_only, submission_networks FROM login_rule WHERE account = ?1";
        let rules = self
            .sql
            .first(sql, &[Param::Int(of.key())], |row| read_rules(row, 0))?;
        Ok(rules.unwrap_or_default())
    }
}

impl Change<'_> {
    /// Takes the place of the rules so far. Sessions end: those that may go on log in anew.
    pub fn set_login_rules(&mut self, of: RulesOf, rules: &LoginRules) -> Result<(), StoreError> {
        let sql = "INSERT INTO login_rule (account, epoch, protocols_off, app_passwords_only, submission_networks) \
                   VALUES (?1, 1, ?2, ?3, ?4) ON CONFLICT (account) DO UPDATE SET epoch = login_rule.epoch + 1, \
                   protocols_off = excluded.protocols_off, app_passwords_only = excluded.app_passwords_only, \
                   submission_networks = excluded.submission_networks RETURNING epoch";
        let networks: Vec<Network> = rules
            .submission_networks
            .iter()
            .take(LOGIN_NETWORKS_MAX)
            .copied()
            .collect();
        let networks = join(&networks);
        let params = [
            Param::Int(of.key()),
            Param::Int(rules.protocols_off.code()),
            Param::Int(i64::from(rules.app_passwords_only)),
            Param::Text(&networks),
        ];
        let epoch = self.sql.one(sql, &params, |row| row.int(0))?;
        let account = AccountId(of.key());
        self.effects.note_ended(account, epoch);
        self.bump(account).map(drop)
    }
}

/// The three columns of the rules, from one of the row's on.
pub(super) fn read_rules(row: &Row<'_>, from: usize) -> SqlResult<LoginRules> {
    Ok(LoginRules {
        protocols_off: Protocols::of_code(row.int(from)?),
        app_passwords_only: row.int(from + 1)? != 0,
        submission_networks: split(row.text(from + 2)?)?,
    })
}

#[cfg(test)]
mod tests;
