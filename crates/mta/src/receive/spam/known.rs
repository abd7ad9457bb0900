//! What the store knows of a message's sender, for each account that gets it: one look, on one snapshot.

use std::net::IpAddr;
use std::sync::Arc;

use mail::{Address, UnixMillis};
use store::lessons::{Lore, Scope, SenderNames, SenderRule, SpamChoices};
use store::senders::{History, SenderKey, Standing};
use store::{AccountId, StoreError, View};

use crate::limits;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) accounts: Vec<AccountId>,
    pub(super) author: Option<Address>,
    pub(super) reverse_path: Option<Address>,
    pub(super) peer: IpAddr,
    pub(super) learning: Vec<u64>,
    /// Messages that it answers.
    pub(super) answered: Vec<String>,
    /// Senders whose standing is not in memory.
    pub(super) keys: Vec<SenderKey>,
    pub(super) now: UnixMillis,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// For who has no choices of their own.
    pub(super) server: SpamChoices,
    pub(super) accounts: Vec<KnownToAccount>,
    /// What all accounts taught.
    pub(super) taught: Lore,
    pub(super) standings: Vec<(SenderKey, Arc<Standing>)>,
}

#[derive(Clone, Debug)]
pub(super) struct KnownToAccount {
    pub(super) account: AccountId,
    pub(super) choices: SpamChoices,
    pub(super) history: History,
    pub(super) answers_us: bool,
    /// Where people live whom it wrote to; not asked for where the author is one of them.
    pub(super) domains: Vec<String>,
    pub(super) rules: Vec<SenderRule>,
    pub(super) taught: Lore,
}

impl Wanted {
    pub(super) fn read(&self, view: &View<'_>) -> Result<Known, StoreError> {
        let mut known = Known {
            server: view.spam_choices_of(&Scope::Server)?,
            taught: view.taught_by_others(&self.learning)?,
            ..Known::default()
        };
        let names = SenderNames {
            author: self.author.as_ref(),
            reverse_path: self.reverse_path.as_ref(),
            peer: Some(self.peer),
        };
        let rules = view.sender_rules_for(&self.accounts, &names)?;
        for (at, (account, rules)) in self.accounts.iter().zip(rules).enumerate() {
            let compared = at < limits::ACCOUNTS_COMPARED_MAX;
            let one = self.of_account(view, *account, rules, compared)?;
            known.accounts.push(one);
        }
        for key in &self.keys {
            let standing = view.standing(key, self.now)?;
            known.standings.push((key.clone(), Arc::new(standing)));
        }
        Ok(known)
    }

    fn of_account(
        &self,
        view: &View<'_>,
        account: AccountId,
        rules: Vec<SenderRule>,
        compared: bool,
    ) -> Result<KnownToAccount, StoreError> {
        let choices = view.spam_choices(account)?;
        if !choices.filtering {
            return Ok(KnownToAccount {
                account,
                choices,
                history: History::default(),
                answers_us: false,
                domains: Vec::new(),
                rules: Vec::new(),
                taught: Lore::default(),
            });
        }
        let history = match &self.author {
            Some(author) => view.history(account, author)?,
            None => History::default(),
        };
        let is_strange = compared && self.author.is_some() && history.written_at_domain == 0;
        Ok(KnownToAccount {
            account,
            choices,
            domains: match is_strange {
                true => view.domains_written_to(account)?,
                false => Vec::new(),
            },
            history,
            answers_us: view.is_answer_to(account, &self.answered)?,
            rules,
            taught: view.taught_by_account(account, &self.learning)?,
        })
    }
}
