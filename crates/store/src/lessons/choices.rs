//! Choices about the filter, by account, domain and server, with what they were before.

use std::fmt;

use mail::{Domain, UnixMillis};

use crate::domains::stored_domain;
use crate::engine::{Param, SqlResult};
use crate::limits::SPAM_CHOICES_SHOWN_MAX;
use crate::{AccountId, Change, StoreError, View};

/// For whom something is ordered; the narrower goes before the wider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Account(AccountId),
    Domain(Domain),
    Server,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Whether the filter looks at mail at all.
    Filtering(bool),
    /// From which sum of log-odds on a message is junk.
    Threshold(f32),
    /// By what a kind of reason is multiplied.
    Weight(String, f32),
    /// Whether a summary of what was junked is mailed daily.
    Digest(bool),
}

/// What is in force for an account.
#[derive(Clone, Debug, PartialEq)]
pub struct SpamChoices {
    pub filtering: bool,
    /// `None`: the built-in one.
    pub threshold: Option<f32>,
    /// Kinds of reasons with what they are multiplied by; those that nobody changed are not here.
    pub weights: Vec<(String, f32)>,
    pub digest: bool,
}

/// A choice as it stands, or stood.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceChange {
    pub scope: Scope,
    pub name: String,
    /// `None`: it was taken back.
    pub value: Option<String>,
    pub changed: UnixMillis,
}

impl Default for SpamChoices {
    fn default() -> Self {
        Self {
            filtering: true,
            threshold: None,
            weights: Vec::new(),
            // Mail that nobody asked for teaches people to overlook mail of the server.
            digest: false,
        }
    }
}

impl View<'_> {
    /// What is in force for an account: its own choices before those of its domain before those of the server.
    pub fn spam_choices(&self, account: AccountId) -> Result<SpamChoices, StoreError> {
        let domain = self.account_domain(account)?;
        self.spam_choices_in(Some(account), Some(&domain))
    }

    /// What is in force for whoever has no choices of their own.
    pub fn spam_choices_of(&self, scope: &Scope) -> Result<SpamChoices, StoreError> {
        match scope {
            Scope::Account(account) => self.spam_choices(*account),
            Scope::Domain(domain) => self.spam_choices_in(None, Some(domain.as_str())),
            Scope::Server => self.spam_choices_in(None, None),
        }
    }

    fn spam_choices_in(
        &self,
        account: Option<AccountId>,
        domain: Option<&str>,
    ) -> Result<SpamChoices, StoreError> {
        let account = account.map(|account| Scope::Account(account).owner());
        // The server's first, so that narrower ones come later and win.
        let sql = "SELECT name, value FROM spam_choice WHERE (scope = 3 AND owner = '') OR (scope = 2 AND owner = ?1) \
                   OR (scope = 1 AND owner = ?2) ORDER BY scope DESC, name";
        let params = [
            Param::Text(domain.unwrap_or("-")),
            Param::Text(account.as_deref().unwrap_or("-")),
        ];
        let mut choices = SpamChoices::default();
        self.sql.each(sql, &params, |row| {
            if let Some(choice) = Choice::read(row.text(0)?, row.text(1)?) {
                choices.set(choice);
            }
            Ok(())
        })?;
        Ok(choices)
    }

    /// Every choice that was made and is in force somewhere.
    pub fn spam_choices_made(&self) -> Result<Vec<ChoiceChange>, StoreError> {
        let sql = "SELECT scope, owner, name, value, changed FROM spam_choice ORDER BY scope DESC, owner, name LIMIT ?1";
        self.choices_read(sql)
    }

    /// What was changed lately, the newest first.
    pub fn spam_choice_history(&self) -> Result<Vec<ChoiceChange>, StoreError> {
        let sql = "SELECT scope, owner, name, value, changed FROM spam_choice_history ORDER BY id DESC LIMIT ?1";
        self.choices_read(sql)
    }

    fn choices_read(&self, sql: &'static str) -> Result<Vec<ChoiceChange>, StoreError> {
        self.sql
            .all(sql, &[Param::Int(SPAM_CHOICES_SHOWN_MAX)], |row| {
                Ok(ChoiceChange {
                    scope: Scope::stored(row.int(0)?, row.text(1)?)?,
                    name: row.text(2)?.to_owned(),
                    value: row.opt_text(3)?.map(str::to_owned),
                    changed: UnixMillis(row.int(4)?),
                })
            })
    }

    pub(super) fn account_domain(&self, account: AccountId) -> SqlResult<String> {
        let sql = "SELECT domain FROM account WHERE id = ?1";
        let found = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok(row.text(0)?.to_owned())
        })?;
        Ok(found.unwrap_or_default())
    }
}

impl Change<'_> {
    pub fn set_spam_choice(
        &mut self,
        scope: &Scope,
        choice: &Choice,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let (name, value) = choice.written();
        let owner = scope.owner();
        let sql = "INSERT INTO spam_choice (scope, owner, name, value, changed) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (scope, owner, name) DO UPDATE SET value = excluded.value, changed = excluded.changed";
        let params = [
            Param::Int(scope.code()),
            Param::Text(&owner),
            Param::Text(&name),
            Param::Text(&value),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        self.note_choice(scope, &name, Some(&value), now)
    }

    /// Takes a choice back: what is wider is in force again. The name as [`Choice::name`] gives it. False if there was none.
    pub fn reset_spam_choice(
        &mut self,
        scope: &Scope,
        name: &str,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let owner = scope.owner();
        let sql = "DELETE FROM spam_choice WHERE scope = ?1 AND owner = ?2 AND name = ?3";
        let key = [
            Param::Int(scope.code()),
            Param::Text(&owner),
            Param::Text(name),
        ];
        if self.sql.execute(sql, &key)? == 0 {
            return Ok(false);
        }
        self.note_choice(scope, name, None, now)?;
        Ok(true)
    }

    fn note_choice(
        &mut self,
        scope: &Scope,
        name: &str,
        value: Option<&str>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let owner = scope.owner();
        let sql = "INSERT INTO spam_choice_history (scope, owner, name, value, changed) VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = [
            Param::Int(scope.code()),
            Param::Text(&owner),
            Param::Text(name),
            Param::OptText(value),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

impl Choice {
    /// `filtering`, `threshold`, `digest`, `weight:content`.
    #[must_use]
    pub fn name(&self) -> String {
        self.written().0
    }

    fn written(&self) -> (String, String) {
        let switch = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        match self {
            Self::Filtering(on) => ("filtering".to_owned(), switch(on)),
            Self::Threshold(threshold) => ("threshold".to_owned(), threshold.to_string()),
            Self::Weight(kind, factor) => (format!("weight:{kind}"), factor.to_string()),
            Self::Digest(on) => ("digest".to_owned(), switch(on)),
        }
    }

    /// Nothing for what a newer program wrote.
    fn read(name: &str, value: &str) -> Option<Self> {
        let number = || value.parse().ok().filter(|number: &f32| number.is_finite());
        match name {
            "filtering" => Some(Self::Filtering(value == "on")),
            "digest" => Some(Self::Digest(value == "on")),
            "threshold" => Some(Self::Threshold(number()?)),
            _ => {
                let kind = name.strip_prefix("weight:")?;
                Some(Self::Weight(kind.to_owned(), number()?))
            }
        }
    }
}

impl SpamChoices {
    fn set(&mut self, choice: Choice) {
        match choice {
            Choice::Filtering(on) => self.filtering = on,
            Choice::Threshold(threshold) => self.threshold = Some(threshold),
            Choice::Digest(on) => self.digest = on,
            Choice::Weight(kind, factor) => {
                match self.weights.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, known)) => *known = factor,
                    None => self.weights.push((kind, factor)),
                }
            }
        }
    }
}

impl Scope {
    pub(super) fn code(&self) -> i64 {
        match self {
            Self::Account(_) => 1,
            Self::Domain(_) => 2,
            Self::Server => 3,
        }
    }

    pub(super) fn owner(&self) -> String {
        match self {
            Self::Account(account) => account.0.to_string(),
            Self::Domain(domain) => domain.to_string(),
            Self::Server => String::new(),
        }
    }

    pub(super) fn stored(code: i64, owner: &str) -> SqlResult<Self> {
        match code {
            1 => owner
                .parse()
                .map(|id| Self::Account(AccountId(id)))
                .map_err(|_| StoreError::Damaged(format!("the account {owner}"))),
            2 => Ok(Self::Domain(stored_domain(owner)?)),
            _ => Ok(Self::Server),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account {account}"),
            Self::Domain(domain) => write!(f, "domain {domain}"),
            Self::Server => f.write_str("server"),
        }
    }
}
