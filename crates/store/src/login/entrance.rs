//! One connection's way in, the same for all protocols: it keeps what is proved so far, and sees to it that an exchange
//! that never came to its end counts as a failure.

use mail::UnixMillis;

use super::journal::Entry;
use super::{LoggedIn, LoginError, ScramAttempt, ScramKeys, SignInOutcome, Visit};
use crate::limits::CLIENT_BYTES_MAX;
use crate::{AccountId, Store};

/// What a client tells about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client<'a> {
    /// The name in EHLO or ID.
    pub name: &'a str,
    /// The version of TLS; empty without.
    pub tls: &'a str,
}

/// Held by a session from its first byte on.
#[derive(Debug)]
pub struct Entrance {
    store: Store,
    visit: Visit,
    pending: Option<Pending>,
    /// Who came in and is not among the sign-ins yet.
    unnoted: Option<Box<(LoggedIn, UnixMillis)>>,
}

#[derive(Debug)]
enum Pending {
    Password(Box<LoggedIn>),
    Scram(Box<ScramAttempt>, UnixMillis),
}

impl Entrance {
    #[must_use]
    pub fn new(store: Store, visit: Visit) -> Self {
        Self {
            store,
            visit,
            pending: None,
            unnoted: None,
        }
    }

    /// Looks at a password. What was begun before is given up.
    pub async fn password(
        &mut self,
        login: &str,
        password: &str,
        now: UnixMillis,
    ) -> Result<(), LoginError> {
        self.give_up();
        let user = self.store.log_in(login, password, self.visit, now).await?;
        self.pending = Some(Pending::Password(Box::new(user)));
        Ok(())
    }

    /// The keys for a SCRAM exchange. What was begun before is given up.
    pub async fn scram(&mut self, login: &str, now: UnixMillis) -> Result<ScramKeys, LoginError> {
        self.give_up();
        let attempt = self.store.begin_scram(login, self.visit, now).await?;
        let keys = attempt.keys().clone();
        self.pending = Some(Pending::Scram(Box::new(attempt), now));
        Ok(keys)
    }

    /// The machine says that all is proved; by which of the keys. The only way out with a [`LoggedIn`].
    pub async fn prove(&mut self, key: usize, now: UnixMillis) -> Result<LoggedIn, LoginError> {
        let user = match self.pending.take() {
            Some(Pending::Password(user)) => *user,
            Some(Pending::Scram(attempt, _)) => self.store.finish_scram(*attempt, key, now).await?,
            None => return Err(LoginError::Wrong),
        };
        self.unnoted = Some(Box::new((user.clone(), now)));
        Ok(user)
    }

    /// Whether somebody came in of whose client nothing was noted yet.
    #[must_use]
    pub fn is_unnoted(&self) -> bool {
        self.unnoted.is_some()
    }

    /// Puts the log-in among the account's sign-ins, as soon as the client has told what it is. Once.
    pub fn note_client(&mut self, client: Client<'_>) {
        if let Some(unnoted) = self.unnoted.take() {
            let (user, at) = *unnoted;
            self.store.note_sign_in(&user, self.visit, client, at);
        }
    }

    fn give_up(&mut self) {
        if let Some(Pending::Scram(attempt, begun)) = self.pending.take() {
            self.store.scram_failed(&attempt, begun);
        }
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.give_up();
        self.note_client(Client::default());
    }
}

impl Store {
    /// Remembers a log-in that was right.
    pub(super) fn note_sign_in(
        &self,
        user: &LoggedIn,
        visit: Visit,
        client: Client<'_>,
        now: UnixMillis,
    ) {
        let names = (printable(client.name), printable(client.tls));
        let names = (names.0.as_str(), names.1.as_str());
        let used = Some(user.used.clone());
        let entry = Entry::new(user.account, SignInOutcome::Right, used, visit, names, now);
        self.count_sign_in(entry);
    }

    pub(super) fn note_failed_sign_in(
        &self,
        account: AccountId,
        outcome: SignInOutcome,
        visit: Visit,
        now: UnixMillis,
    ) {
        self.count_sign_in(Entry::new(account, outcome, None, visit, ("", ""), now));
    }
}

/// What a stranger chose, fit to be shown.
fn printable(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).collect();
    let end = shown.floor_char_boundary(CLIENT_BYTES_MAX);
    shown.truncate(end);
    shown
}
