//! Who is there: the store's answers to the machine's questions. Only the store makes a `LoggedIn`.

use store::{Client, LoginError};
use wire::sasl::server::Question;

use super::session::{LoginState, Session};

const WRONG: &str = "[AUTHENTICATIONFAILED] Login name or password is wrong.";
const UNAVAILABLE: &str = "[UNAVAILABLE] Logins cannot be checked now; try again.";
const THROTTLED: &str = "[UNAVAILABLE] Too many failed logins; try again later.";

impl Session {
    pub(super) async fn ask(&mut self, question: Question) {
        let now = self.now();
        let answered = match question {
            Question::Password { login, password } => {
                let password = password.expose();
                let right = self.entrance.password(&login, password, now).await;
                right.map(|()| self.talk.machine().password_was(true))
            }
            Question::Scram { login } => match self.entrance.scram(&login, now).await {
                Ok(keys) => {
                    let keys = crate::login::for_machine(keys);
                    self.talk.machine().scram_keys(keys);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match answered {
            Ok(()) => {}
            Err(LoginError::Wrong) => self.talk.machine().password_was(false),
            Err(error) => self.login_unavailable(&error),
        }
    }

    pub(super) async fn verified(&mut self, login: &str, key: usize) {
        let peer = self.talk.peer_addr().ip();
        match self.entrance.prove(key, self.now()).await {
            Ok(user) => {
                let account = user.account();
                tracing::debug!(%peer, login, "IMAP login");
                self.login = Some(LoginState {
                    account,
                    watcher: self.access.store.watch(account),
                    session: Box::new(self.access.store.watch_session(&user)),
                });
                self.talk.machine().logged_in();
            }
            Err(error) => self.login_unavailable(&error),
        }
    }

    /// Programs say what they are right after they logged in, if they do.
    pub(super) fn note_client(&mut self) {
        if self.entrance.is_unnoted() {
            let machine = self.talk.machine();
            let tls = machine.tls().map(|tls| tls.version.as_str());
            self.entrance.note_client(Client {
                name: machine.client().unwrap_or_default(),
                tls: tls.unwrap_or_default(),
            });
        }
    }

    fn login_unavailable(&mut self, error: &LoginError) {
        let text = match error {
            LoginError::Throttled { .. } => THROTTLED,
            LoginError::Wrong => WRONG,
            LoginError::Store(error) => {
                tracing::error!(%error, "a login could not be checked");
                UNAVAILABLE
            }
        };
        self.talk.machine().login_unavailable(text);
    }
}
