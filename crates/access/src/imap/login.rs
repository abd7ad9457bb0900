//! Who is there: the store's answers to the machine's questions. Only the store makes a `LoggedIn`.

use store::LoginError;
use wire::sasl::server::Question;

use super::session::{LoginState, Session};

/// The keys an exchange runs against, to be shown to the store at its end.
pub(super) struct ScramAttempt {
    login: String,
    keys: store::ScramKeys,
}

const UNAVAILABLE: &str = "[UNAVAILABLE] Logins cannot be checked now; try again.";
const THROTTLED: &str = "[UNAVAILABLE] Too many failed logins; try again later.";

impl Session {
    pub(super) async fn ask(&mut self, question: Question) {
        let (peer, now) = (self.talk.peer_addr().ip(), self.now());
        let store = self.access.store.clone();
        self.forget_attempt();
        match question {
            Question::Password { login, password } => {
                match store.log_in(&login, password.expose(), peer, now).await {
                    Ok(logged_in) => {
                        self.proven = Some(logged_in);
                        self.talk.machine().password_was(true);
                    }
                    Err(LoginError::Wrong) => {
                        tracing::info!(%peer, login, "IMAP login failed");
                        self.talk.machine().password_was(false);
                    }
                    Err(error) => self.login_unavailable(&error),
                }
            }
            Question::Scram { login } => match store.scram_keys(&login, peer, now).await {
                Ok(keys) => {
                    let for_machine = wire::sasl::ScramKeys {
                        salt: keys.salt.clone(),
                        iterations: keys.iterations,
                        stored_key: keys.stored_key,
                        server_key: keys.server_key,
                        others: Vec::new(),
                    };
                    self.scram = Some(Box::new(ScramAttempt { login, keys }));
                    self.talk.machine().scram_keys(for_machine);
                }
                Err(error) => self.login_unavailable(&error),
            },
        }
    }

    pub(super) async fn verified(&mut self, login: &str) {
        let (peer, now) = (self.talk.peer_addr().ip(), self.now());
        let store = self.access.store.clone();
        let logged_in = match (self.proven.take(), self.scram.take()) {
            (Some(logged_in), _) => Ok(logged_in),
            (None, Some(attempt)) => {
                let ScramAttempt { login, keys } = *attempt;
                store.log_in_scram(&login, &keys, peer, now).await
            }
            (None, None) => Err(LoginError::Wrong),
        };
        match logged_in {
            Ok(logged_in) => {
                let account = logged_in.account();
                tracing::debug!(%peer, login, "IMAP login");
                self.login = Some(LoginState {
                    account,
                    watcher: store.watch(account),
                });
                self.talk.machine().logged_in();
            }
            Err(LoginError::Wrong) => {
                self.talk
                    .machine()
                    .login_unavailable("[AUTHENTICATIONFAILED] Login name or password is wrong.");
            }
            Err(error) => self.login_unavailable(&error),
        }
    }

    /// A SCRAM exchange that never came to its end counts as a failure.
    pub(super) fn forget_attempt(&mut self) {
        self.proven = None;
        if let Some(attempt) = self.scram.take() {
            let (peer, now) = (self.talk.peer_addr().ip(), self.now());
            self.access.store.scram_failed(&attempt.login, peer, now);
        }
    }

    fn login_unavailable(&mut self, error: &LoginError) {
        let text = match error {
            LoginError::Throttled { .. } => THROTTLED,
            LoginError::Wrong => "[AUTHENTICATIONFAILED] Login name or password is wrong.",
            LoginError::Store(error) => {
                tracing::error!(%error, "a login could not be checked");
                UNAVAILABLE
            }
        };
        self.talk.machine().login_unavailable(text);
    }
}
