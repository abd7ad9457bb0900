//! One connection to a scripted server, from greeting to end.
//! Plain SMTP written for tests: it takes what a good client says and reports the rest.

use std::io;

use world::Stream;

use super::input::Input;
use super::{Act, Phase, Remote, ScriptDoor, Taken, TlsOffer, login};

struct Conversation<'a> {
    remote: &'a Remote,
    number: usize,
    input: Input,
    helo: String,
    tls: Option<String>,
    login: Option<String>,
    envelope: Option<Envelope>,
    chunks: Vec<u8>,
}

#[derive(Default)]
struct Envelope {
    from: String,
    from_parameters: String,
    recipients: Vec<(String, String)>,
}

/// What comes after a command.
enum Next {
    Go,
    End,
}

pub(super) async fn hold(remote: &Remote, stream: Stream, number: usize) {
    remote.note(
        number,
        format!("connection from {}", stream.peer_addr().ip()),
    );
    let mut conversation = Conversation {
        remote,
        number,
        input: Input::new(stream),
        helo: String::new(),
        tls: None,
        login: None,
        envelope: None,
        chunks: Vec::new(),
    };
    let how = match conversation.talk().await {
        Ok(()) => "closed",
        Err(_) => "lost",
    };
    remote.note(number, how);
}

impl Conversation<'_> {
    async fn talk(&mut self) -> io::Result<()> {
        let (door, offer, connections_max) = {
            let state = self.remote.state();
            (
                state.script.door,
                state.script.tls,
                state.script.connections_max,
            )
        };
        if door == ScriptDoor::ImplicitTls && !self.start_tls(offer).await? {
            return Ok(());
        }
        if connections_max.is_some_and(|most| most < self.remote.state().open) {
            return self.reply("421 4.7.0 too many connections").await;
        }
        let greeting = format!("220 {} ESMTP", self.remote.name());
        if let Next::End = self.act_or(Phase::Greeting, None, &greeting).await? {
            return Ok(());
        }
        loop {
            let line = self.input.line().await?;
            let (verb, arguments) = line.split_once(' ').unwrap_or((&line, ""));
            let next = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.ehlo(arguments).await?,
                "HELO" => {
                    self.helo = arguments.to_owned();
                    self.act_or(Phase::Ehlo, None, "250 hello").await?
                }
                "STARTTLS" => self.starttls().await?,
                "AUTH" => self.auth(arguments).await?,
                "MAIL" => self.mail(arguments).await?,
                "RCPT" => self.recipient(arguments).await?,
                "DATA" => self.data().await?,
                "BDAT" => self.bdat(arguments).await?,
                "RSET" => {
                    self.envelope = None;
                    self.chunks.clear();
                    self.say("250 2.0.0 forgotten").await?
                }
                "NOOP" => self.say("250 2.0.0 nothing done").await?,
                "QUIT" => {
                    self.act_or(Phase::Quit, None, "221 2.0.0 goodbye").await?;
                    Next::End
                }
                _ => self.say("500 5.5.1 what?").await?,
            };
            if let Next::End = next {
                return Ok(());
            }
        }
    }

    async fn ehlo(&mut self, name: &str) -> io::Result<Next> {
        self.helo = name.to_owned();
        self.envelope = None;
        let mut lines = vec![format!("{} greets {name}", self.remote.name())];
        {
            let state = self.remote.state();
            lines.extend(state.script.extensions.iter().cloned());
            if self.tls.is_some() {
                lines.extend(state.script.extensions_under_tls.iter().cloned());
            }
            if state.script.tls != TlsOffer::None && self.tls.is_none() {
                lines.push("STARTTLS".to_owned());
            }
            if state.script.login.is_some() {
                lines.push("AUTH PLAIN LOGIN".to_owned());
            }
        }
        let last = lines.len() - 1;
        let lines = lines
            .iter()
            .enumerate()
            .map(|(index, line)| match index == last {
                true => format!("250 {line}"),
                false => format!("250-{line}"),
            });
        let reply = lines.collect::<Vec<_>>().join("\n");
        self.act_or(Phase::Ehlo, None, &reply).await
    }

    async fn starttls(&mut self) -> io::Result<Next> {
        let offer = self.remote.state().script.tls;
        match offer {
            TlsOffer::None => return self.say("502 5.5.1 no TLS here").await,
            TlsOffer::NotNow => return self.say("454 4.7.0 TLS not available").await,
            _ => {}
        }
        if let Some(act) = self.remote.act(Phase::StartTls, None) {
            return self.perform(act, "220 2.0.0 go ahead").await;
        }
        self.say("220 2.0.0 go ahead").await?;
        match self.start_tls(offer).await? {
            true => Ok(Next::Go),
            false => Ok(Next::End),
        }
    }

    /// Whether the conversation goes on, under TLS.
    async fn start_tls(&mut self, offer: TlsOffer) -> io::Result<bool> {
        self.input.forget();
        match offer {
            TlsOffer::Garbage => {
                // After the hello, so that the client does not take it for part of the reply.
                self.input.some().await?;
                self.input.say("HTTP/1.1 400 Bad Request\r\n\r\n").await?;
                self.input.until_gone().await;
                return Ok(false);
            }
            TlsOffer::Silent => {
                self.input.until_gone().await;
                return Ok(false);
            }
            TlsOffer::None | TlsOffer::Cut | TlsOffer::NotNow => return Ok(false),
            _ => {}
        }
        let Some(server) = self.remote.shared.servers.get(offer) else {
            return Ok(false);
        };
        match self.input.stream.start_tls_server(&server).await {
            Ok(facts) => {
                self.remote
                    .note(self.number, format!("{} started", facts.version));
                let mut state = self.remote.state();
                state.handshakes += 1;
                state.resumptions += usize::from(facts.resumed);
                drop(state);
                self.tls = Some(facts.version);
                self.helo.clear();
                self.envelope = None;
                Ok(true)
            }
            Err(_) => {
                self.remote.note(self.number, "TLS failed");
                Ok(false)
            }
        }
    }

    async fn auth(&mut self, arguments: &str) -> io::Result<Next> {
        if let Some(act) = self.remote.act(Phase::Auth, None) {
            return self.perform(act, "535 5.7.8 no").await;
        }
        let wanted = self.remote.state().script.login.clone();
        let given = login::ask(&mut self.input, arguments).await?;
        match (given, wanted) {
            (Some(given), Some((user, password)))
                if given.user == user && given.password == password =>
            {
                self.login = Some(user);
                self.say("235 2.7.0 welcome").await
            }
            _ => self.say("535 5.7.8 wrong").await,
        }
    }

    async fn mail(&mut self, arguments: &str) -> io::Result<Next> {
        let Some((from, parameters)) = path(arguments, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<path>").await;
        };
        if self.envelope.is_some() {
            return self.say("503 5.5.1 one at a time").await;
        }
        if self.helo.is_empty() {
            return self.say("503 5.5.1 EHLO first").await;
        }
        if self.remote.state().script.login.is_some() && self.login.is_none() {
            return self.say("530 5.7.0 who are you?").await;
        }
        if let Some(act) = self.remote.act(Phase::Mail, None) {
            return self.perform(act, "250 2.1.0 ok").await;
        }
        self.envelope = Some(Envelope {
            from,
            from_parameters: parameters,
            recipients: Vec::new(),
        });
        self.say("250 2.1.0 ok").await
    }

    async fn recipient(&mut self, arguments: &str) -> io::Result<Next> {
        let Some((to, parameters)) = path(arguments, "TO:") else {
            return self.say("501 5.5.4 RCPT TO:<path>").await;
        };
        let Some(from) = self.envelope.as_ref().map(|envelope| envelope.from.clone()) else {
            return self.say("503 5.5.1 MAIL first").await;
        };
        *self.remote.state().attempts.entry(to.clone()).or_default() += 1;
        self.remote.note(self.number, format!("asked for {to}"));
        if let Some(act) = self.remote.act(Phase::Recipient, Some(&to)) {
            return self.perform(act, "250 2.1.5 ok").await;
        }
        if self
            .remote
            .greylisted(self.input.stream.peer_addr(), &from, &to)
        {
            return self.say("451 4.7.1 greylisted, come again").await;
        }
        if let Some(envelope) = &mut self.envelope {
            envelope.recipients.push((to, parameters));
        }
        self.say("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if !self.has_recipients() {
            return self.say("554 5.5.1 no valid recipients").await;
        }
        match self.remote.act(Phase::Data, None) {
            Some(act @ Act::Wait(_)) => {
                self.perform(act, "").await?;
            }
            Some(act) => {
                self.envelope = None;
                return self.perform(act, "354 go ahead").await;
            }
            None => {}
        }
        self.reply("354 go ahead").await?;
        if let Some(act) = self.remote.act(Phase::Body, None) {
            self.input.some().await?;
            return match act {
                Act::Hang => {
                    self.input.until_gone().await;
                    Ok(Next::End)
                }
                _ => Ok(Next::End),
            };
        }
        let message = self.input.dot_stuffed().await?;
        self.end(message).await
    }

    async fn bdat(&mut self, arguments: &str) -> io::Result<Next> {
        let (size, last) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let Ok(size) = size.parse() else {
            return self.say("501 5.5.4 BDAT size").await;
        };
        let chunk = self.input.exactly(size).await?;
        if !self.has_recipients() {
            return self.say("503 5.5.1 no valid recipients").await;
        }
        self.chunks.extend_from_slice(&chunk);
        if !last.eq_ignore_ascii_case("LAST") {
            return self.say("250 2.0.0 more").await;
        }
        let message = std::mem::take(&mut self.chunks);
        self.end(message).await
    }

    async fn end(&mut self, message: Vec<u8>) -> io::Result<Next> {
        let Some(envelope) = self.envelope.take() else {
            return Ok(Next::End);
        };
        let act = self.remote.act(Phase::End, None);
        if let Some(Act::Reply(_) | Act::Cut | Act::Hang) = act {
            let act = act.unwrap_or(Act::Cut);
            return self.perform(act, "").await;
        }
        let to: Vec<_> = envelope
            .recipients
            .iter()
            .map(|(to, _)| to.as_str())
            .collect();
        let to = to.join(" ");
        self.remote
            .note(self.number, format!("took <{}> for {to}", envelope.from));
        self.remote.state().taken.push(Taken {
            from: envelope.from,
            from_parameters: envelope.from_parameters,
            recipients: envelope.recipients,
            message,
            connection: self.number,
            tls: self.tls.clone(),
            login: self.login.clone(),
            helo: self.helo.clone(),
            peer: self.input.stream.peer_addr(),
        });
        match act {
            Some(Act::KeepAndCut) => Ok(Next::End),
            Some(act) => self.perform(act, "250 2.0.0 taken").await,
            None => self.say("250 2.0.0 taken").await,
        }
    }

    fn has_recipients(&self) -> bool {
        self.envelope
            .as_ref()
            .is_some_and(|envelope| !envelope.recipients.is_empty())
    }

    async fn act_or(
        &mut self,
        phase: Phase,
        recipient: Option<&str>,
        usual: &str,
    ) -> io::Result<Next> {
        match self.remote.act(phase, recipient) {
            Some(act) => self.perform(act, usual).await,
            None => self.say(usual).await,
        }
    }

    async fn perform(&mut self, act: Act, usual: &str) -> io::Result<Next> {
        match act {
            Act::Reply(reply) => self.say(&reply).await,
            Act::Hang => {
                self.remote.note(self.number, "hangs");
                self.input.until_gone().await;
                Ok(Next::End)
            }
            Act::Cut | Act::KeepAndCut => {
                self.remote.note(self.number, "cuts the line");
                Ok(Next::End)
            }
            Act::Wait(span) => {
                self.remote.shared.world.clock.after(span).await;
                match usual {
                    "" => Ok(Next::Go),
                    usual => self.say(usual).await,
                }
            }
        }
    }

    async fn say(&mut self, reply: &str) -> io::Result<Next> {
        self.reply(reply).await?;
        match reply.starts_with("421") {
            true => Ok(Next::End),
            false => Ok(Next::Go),
        }
    }

    async fn reply(&mut self, reply: &str) -> io::Result<()> {
        let pace = self.remote.state().script.pace;
        if !pace.is_zero() {
            self.remote.shared.world.clock.after(pace).await;
        }
        self.input
            .say(&format!("{}\r\n", reply.replace('\n', "\r\n")))
            .await
    }
}

/// `FROM:<path> parameters`.
pub(crate) fn path(arguments: &str, keyword: &str) -> Option<(String, String)> {
    let prefix = arguments.get(..keyword.len())?;
    if !prefix.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = arguments.get(keyword.len()..)?.trim_start();
    let rest = rest.strip_prefix('<')?;
    let (path, parameters) = rest.rsplit_once('>')?;
    Some((path.to_owned(), parameters.trim().to_owned()))
}
