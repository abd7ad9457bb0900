//! What each command does, and when it may come. RFC 5321 §4.1.4.

use super::{
    Asked, AuthRule, Ending, Event, Hello, Mistake, Role, Server, StartTlsRule, State, Transaction,
    replies,
};
use crate::Step;
use crate::sasl::Mechanism;
use crate::smtp::command::{BadKind, Command};
use crate::smtp::{Body, ForwardPath, MailParams, RcptParams, Reply};
use mail::ReversePath;

impl Server {
    /// Acts on one command line. The question it raises, if any, is the step to hand out.
    pub(super) fn command(&mut self, line: &[u8]) -> Option<Step<Event>> {
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(bad) => {
                let sender = line
                    .get(..4)
                    .is_some_and(|verb| verb.eq_ignore_ascii_case(b"MAIL"));
                self.group_refused |= sender && self.transaction.is_none();
                match bad.kind {
                    BadKind::Unknown => self.unknown(&bad.reply),
                    BadKind::Arguments => self.error(&bad.reply),
                    BadKind::Foreign => self.close(&bad.reply, Ending::Foreign),
                    BadKind::OutOfStep => self.close(&bad.reply, Ending::BadFraming),
                }
                return None;
            }
        };
        match command {
            Command::Ehlo(name) => return self.say_hello(name, true),
            Command::Helo(name) => return self.say_hello(name, false),
            Command::Mail { from, params } => return self.mail(from, params),
            Command::Rcpt { to, params } => return self.rcpt(to, params),
            Command::Data => return self.data(),
            Command::Bdat { size, last } => return self.bdat(size, last),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_deref()),
            Command::StartTls => self.starttls(),
            Command::Rset => {
                self.forget_transaction();
                self.chat(&replies::OK);
            }
            Command::Noop => self.chat(&replies::OK),
            Command::Vrfy => self.probe(&replies::CANNOT_VERIFY),
            Command::Expn => self.probe(&replies::NO_LISTS),
            Command::Help => self.chat(&replies::HELP),
            Command::Quit => self.close(&replies::BYE, Ending::Quit),
        }
        None
    }

    /// A reply to a peer that did something wrong; too many of them end the conversation.
    pub(super) fn error(&mut self, reply: &Reply) {
        self.say(reply);
        self.tell(Mistake::Command);
        if self.tally.error() {
            self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
        }
    }

    fn unknown(&mut self, reply: &Reply) {
        self.say(reply);
        self.tell(Mistake::Command);
        if self.tally.unknown() {
            self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
        }
    }

    fn probe(&mut self, reply: &Reply) {
        self.tell(Mistake::Probe);
        self.chat(reply);
    }

    fn tell(&mut self, mistake: Mistake) {
        if self.settings.tell_mistakes {
            self.pending = Some(Event::Mistake(mistake));
        }
    }

    /// A refusal that the peer could not foresee when it sent the command along with others.
    pub(super) fn follow(&mut self, reply: &Reply) {
        self.say(reply);
        if self.tally.following() {
            self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
        }
    }

    /// RCPT or DATA without a sender: blameless behind a MAIL that was refused.
    fn without_sender(&mut self) {
        match self.group_refused {
            true => self.follow(&replies::MAIL_FIRST),
            false => self.error(&replies::MAIL_FIRST),
        }
    }

    /// A reply to a command that is right but brings no mail.
    fn chat(&mut self, reply: &Reply) {
        self.say(reply);
        if self.tally.idle() {
            self.close(&replies::TOO_MANY_COMMANDS, Ending::TooManyErrors);
        }
    }

    fn say_hello(&mut self, name: String, extended: bool) -> Option<Step<Event>> {
        self.forget_transaction();
        self.spoke_ahead |= self.hello.is_none() && self.tls.is_none() && !self.input.is_empty();
        self.hello = Some(Hello {
            name: name.clone(),
            extended,
        });
        let answer = if extended {
            self.offer()
        } else {
            self.settings.hostname.clone()
        };
        self.chat(&Reply::plain(250, answer));
        Some(Step::Event(Event::Hello { name, extended }))
    }

    /// The lines of the EHLO answer.
    fn offer(&self) -> String {
        let settings = &self.settings;
        let mut lines = vec![
            settings.hostname.clone(),
            "PIPELINING".to_owned(),
            format!("SIZE {}", settings.size_max),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "DSN".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            "CHUNKING".to_owned(),
            "BINARYMIME".to_owned(),
        ];
        if self.tls.is_none() && settings.starttls == StartTlsRule::Offered {
            lines.push("STARTTLS".to_owned());
        }
        if self.may_log_in() && self.login.is_none() {
            let names: Vec<_> = Mechanism::offered(self.tls.as_ref())
                .map(Mechanism::name)
                .collect();
            lines.push(format!("AUTH {}", names.join(" ")));
        }
        // Only who came over TLS can have its promise kept. RFC 8689 §2.
        if self.tls.is_some() {
            lines.push("REQUIRETLS".to_owned());
        }
        lines.push(format!(
            "LIMITS RCPTMAX={} MAILMAX={}",
            settings.recipients_max, settings.messages_max
        ));
        lines.join("\n")
    }

    pub(super) fn may_log_in(&self) -> bool {
        match self.settings.auth {
            AuthRule::Never => false,
            AuthRule::OverTls => self.tls.is_some(),
            AuthRule::Always => true,
        }
    }

    fn mail(&mut self, from: ReversePath, params: MailParams) -> Option<Step<Event>> {
        if let Some(reply) = self.mail_out_of_order(&params) {
            self.group_refused = self.transaction.is_none();
            self.error(&reply);
            return None;
        }
        self.group_refused = false;
        if self.tally.messages() >= self.settings.messages_max {
            self.close(&replies::TOO_MANY_MESSAGES, Ending::TooManyMessages);
            return None;
        }
        let transaction = Transaction {
            recipients: 0,
            body: params.body,
            smtputf8: params.smtputf8,
            declared: params.size.unwrap_or(0),
            chunks: None,
        };
        self.ask(Asked::Mail(transaction), Event::Mail { from, params })
    }

    fn mail_out_of_order(&self, params: &MailParams) -> Option<Reply> {
        if self.hello.is_none() {
            return Some(replies::HELLO_FIRST);
        }
        if self.transaction.is_some() {
            return Some(replies::NESTED_MAIL);
        }
        if self.settings.role == Role::Submission && self.login.is_none() {
            let needs_tls = self.tls.is_none() && self.settings.auth == AuthRule::OverTls;
            return Some(if needs_tls {
                replies::TLS_FIRST
            } else {
                replies::LOG_IN_FIRST
            });
        }
        if params.require_tls && self.tls.is_none() {
            return Some(replies::REQUIRETLS_IN_CLEAR);
        }
        // RFC 1870 §6.1: what is declared too big is refused before it is sent.
        params
            .size
            .is_some_and(|size| size > self.settings.size_max)
            .then_some(replies::TOO_BIG)
    }

    fn rcpt(&mut self, to: ForwardPath, params: RcptParams) -> Option<Step<Event>> {
        let Some(transaction) = &self.transaction else {
            self.without_sender();
            return None;
        };
        if transaction.chunks.is_some() {
            self.error(&replies::IN_CHUNKS);
        } else if !transaction.smtputf8 && needs_smtputf8(&to) {
            self.error(&replies::NEEDS_UTF8);
        } else if transaction.recipients >= self.settings.recipients_max {
            // RFC 5321 §4.5.3.1.10: the client comes back with the rest.
            self.follow(&replies::TOO_MANY_RECIPIENTS);
        } else {
            return self.ask(Asked::Rcpt, Event::Rcpt { to, params });
        }
        None
    }

    fn data(&mut self) -> Option<Step<Event>> {
        let Some(transaction) = &self.transaction else {
            self.without_sender();
            return None;
        };
        if transaction.chunks.is_some() {
            self.error(&replies::IN_CHUNKS);
        } else if transaction.recipients == 0 {
            self.follow(&replies::NO_RECIPIENTS);
        } else if transaction.body == Body::BinaryMime {
            // RFC 3030 §3.
            self.error(&replies::BINARY_BY_DATA);
        } else {
            return self.ask(Asked::Data, Event::Data);
        }
        None
    }

    fn starttls(&mut self) {
        if self.tls.is_some() {
            return self.error(&replies::TLS_TWICE);
        }
        if self.settings.starttls == StartTlsRule::NotOffered {
            return self.error(&replies::TLS_NOT_HERE);
        }
        if self.hello.is_none() {
            return self.error(&replies::HELLO_FIRST);
        }
        if !self.input.is_empty() {
            // Somebody on the way may have put it there, to be read as if it came through TLS.
            return self.close(&replies::TLS_INJECTED, Ending::InjectedBeforeTls);
        }
        self.forget_transaction();
        self.say(&replies::READY_FOR_TLS);
        self.state = State::StartTls;
    }

    fn forget_transaction(&mut self) {
        self.transaction = None;
        self.group_refused = false;
    }

    pub(super) fn ask(&mut self, asked: Asked, event: Event) -> Option<Step<Event>> {
        self.state = State::Asked(asked);
        Some(Step::Event(event))
    }
}

fn needs_smtputf8(to: &ForwardPath) -> bool {
    matches!(to, ForwardPath::Address(address) if address.needs_smtputf8())
}
