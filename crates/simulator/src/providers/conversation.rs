//! One connection to a provider. Its SMTP is its own, not the one under test; at each point the
//! rules of the model are asked first.

use std::io;
use std::time::UNIX_EPOCH;

use mail::ReversePath;
use mailauth::explain::Notes;
use mailauth::iprev;
use mailauth::spf::Sender;
use mailauth::verdict::{self, Early};
use world::Stream;

use super::facts;
use super::model::{Point, Rule};
use super::visit::{Envelope, Seen, Visit, domain_of, domain_state};
use super::{Accepted, Provider, Refused};
use crate::remote::{Input, Servers, TlsOffer, path};

struct Conversation<'a> {
    provider: &'a Provider,
    host: &'a str,
    servers: &'a Servers,
    input: Input,
    visit: Visit,
    chunks: Vec<u8>,
}

enum Next {
    Go,
    End,
}

pub(super) async fn hold(
    provider: &Provider,
    host: &str,
    servers: &Servers,
    stream: Stream,
    number: usize,
) {
    let peer = stream.peer_addr();
    provider.note(format!("#{number} connection from {} to {host}", peer.ip()));
    let dns = &*provider.shared.world.dns;
    let name = iprev::check(dns, peer.ip(), &mut Notes::off()).await;
    let mut conversation = Conversation {
        provider,
        host,
        servers,
        input: Input::new(stream),
        visit: Visit {
            number,
            peer,
            name,
            helo: String::new(),
            tls: None,
            messages: 0,
            envelope: None,
            recipient: String::new(),
            message: None,
        },
        chunks: Vec::new(),
    };
    let how = match conversation.talk().await {
        Ok(()) => "closed",
        Err(_) => "lost",
    };
    provider.note(format!("#{number} {how}"));
}

impl Conversation<'_> {
    async fn talk(&mut self) -> io::Result<()> {
        if let Some(rule) = self.rule(Point::Connect) {
            self.refuse(&rule).await?;
            return Ok(());
        }
        let greeting = self.provider.shared.model.greeting.clone();
        self.say(&greeting).await?;
        loop {
            let line = self.input.line().await?;
            let (verb, arguments) = line.split_once(' ').unwrap_or((&line, ""));
            let next = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(arguments, true).await?,
                "HELO" => self.hello(arguments, false).await?,
                "STARTTLS" => self.start_tls().await?,
                "MAIL" => self.mail(arguments).await?,
                "RCPT" => self.recipient(arguments).await?,
                "DATA" => self.data().await?,
                "BDAT" => self.bdat(arguments).await?,
                "RSET" => {
                    self.forget();
                    self.say("250 2.0.0 OK").await?
                }
                "NOOP" => self.say("250 2.0.0 OK").await?,
                "QUIT" => {
                    self.say("221 2.0.0 closing connection").await?;
                    Next::End
                }
                _ => self.say("502 5.5.1 Unrecognized command").await?,
            };
            if let Next::End = next {
                return Ok(());
            }
        }
    }

    async fn hello(&mut self, name: &str, extended: bool) -> io::Result<Next> {
        self.forget();
        self.visit.helo = name.to_owned();
        {
            let now = self.provider.shared.world.now();
            let model = &self.provider.shared.model;
            let mut state = self.provider.state();
            state.books.hello(model, self.visit.ip(), name, now);
        }
        if let Some(rule) = self.rule(Point::Ehlo) {
            return self.refuse(&rule).await;
        }
        if !extended {
            return self.say("250 {host}").await;
        }
        let mut lines = vec!["{host} at your service, [{ip}]".to_owned()];
        lines.extend(self.provider.shared.model.ehlo.iter().cloned());
        if self.visit.tls.is_none() {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate().map(|(index, line)| {
            let mark = if index == last { ' ' } else { '-' };
            format!("250{mark}{line}")
        });
        let reply = lines.collect::<Vec<_>>().join("\n");
        self.say(&reply).await
    }

    async fn start_tls(&mut self) -> io::Result<Next> {
        if self.visit.tls.is_some() {
            return self.say("503 5.5.1 TLS already in use").await;
        }
        let Some(server) = self.servers.get(TlsOffer::Trusted) else {
            return self.say("454 4.7.0 TLS not available").await;
        };
        self.say("220 2.0.0 Ready to start TLS").await?;
        self.input.forget();
        match self.input.stream.start_tls_server(&server).await {
            Ok(facts) => {
                self.visit.tls = Some(facts.version);
                self.visit.helo.clear();
                self.forget();
                Ok(Next::Go)
            }
            Err(_) => Ok(Next::End),
        }
    }

    async fn mail(&mut self, arguments: &str) -> io::Result<Next> {
        if self.visit.helo.is_empty() {
            return self.say("503 5.5.1 EHLO/HELO first.").await;
        }
        if self.visit.envelope.is_some() {
            return self.say("503 5.5.1 Sender already specified").await;
        }
        let parsed = path(arguments, "FROM:")
            .and_then(|(from, _)| ReversePath::parse(&from).ok().map(|path| (from, path)));
        let Some((from, reverse_path)) = parsed else {
            return self.say("501 5.1.7 Invalid address").await;
        };
        let early = self.early(&reverse_path).await;
        let dns = &*self.provider.shared.world.dns;
        let domain = domain_state(dns, domain_of(&from)).await;
        self.visit.envelope = Some(Envelope {
            from,
            early,
            domain,
            to: Vec::new(),
        });
        if let Some(rule) = self.rule(Point::Mail) {
            let next = self.refuse(&rule).await;
            self.forget();
            return next;
        }
        self.say("250 2.1.0 Sender OK").await
    }

    async fn early(&self, mail_from: &ReversePath) -> Early {
        let sender = Sender {
            ip: self.visit.ip(),
            helo: &self.visit.helo,
            mail_from,
            receiver: self.host,
            now: self.seconds(),
        };
        verdict::early(&*self.provider.shared.world.dns, &sender).await
    }

    async fn recipient(&mut self, arguments: &str) -> io::Result<Next> {
        let Some((to, _)) = path(arguments, "TO:") else {
            return self.say("501 5.1.3 Invalid address").await;
        };
        if self.visit.envelope.is_none() {
            return self.say("503 5.5.1 MAIL first.").await;
        }
        self.visit.recipient.clone_from(&to);
        let domain = domain_of(&to).to_ascii_lowercase();
        if self.provider.model().domains().all(|ours| ours != domain) {
            return self.say("550 5.7.1 Relaying denied").await;
        }
        if let Some(rule) = self.rule(Point::Recipient) {
            let next = self.refuse(&rule).await;
            self.visit.recipient.clear();
            return next;
        }
        if let Some(envelope) = &mut self.visit.envelope {
            envelope.to.push(to);
        }
        self.say("250 2.1.5 Recipient OK").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if !self.has_recipients() {
            return self.say("503 5.5.1 RCPT first.").await;
        }
        self.say("354 Go ahead").await?;
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
            return self.say("503 5.5.1 RCPT first.").await;
        }
        self.chunks.extend_from_slice(&chunk);
        if !last.eq_ignore_ascii_case("LAST") {
            return self.say("250 2.0.0 OK").await;
        }
        let message = std::mem::take(&mut self.chunks);
        self.end(message).await
    }

    async fn end(&mut self, message: Vec<u8>) -> io::Result<Next> {
        let Some(envelope) = &self.visit.envelope else {
            return Ok(Next::End);
        };
        let shared = &self.provider.shared;
        let dns = &*shared.world.dns;
        let early = envelope.early.clone();
        let verdict = verdict::message(dns, early, &message, self.seconds()).await;
        let seen = Seen::of(dns, &shared.model.limits, verdict, &message).await;
        self.visit.message = Some(seen);
        let rule = self.rule(Point::End);
        let next = match rule {
            Some(rule) if !rule.spam => self.refuse(&rule).await?,
            rule => {
                self.take(message, rule);
                let taken = shared.model.taken.clone();
                self.say(&taken).await?
            }
        };
        self.forget();
        Ok(next)
    }

    fn take(&mut self, message: Vec<u8>, spam: Option<Rule>) {
        let (model, now) = (
            &self.provider.shared.model,
            self.provider.shared.world.now(),
        );
        let at = self.provider.elapsed();
        let mut state = self.provider.state();
        if let Some(rule) = &spam {
            state.books.applied(model, rule, &self.visit, now);
        }
        state.books.took(model, &self.visit, spam.is_some(), now);
        self.visit.messages += 1;
        let (Some(envelope), Some(seen)) = (self.visit.envelope.take(), self.visit.message.take())
        else {
            return;
        };
        let to = envelope.to.join(" ");
        let number = self.visit.number;
        state.taken.push(Accepted {
            from: envelope.from.clone(),
            to: envelope.to,
            message,
            verdict: seen.verdict,
            spam: spam.map(|rule| rule.id),
            ip: self.visit.peer.ip(),
            helo: self.visit.helo.clone(),
            tls: self.visit.tls.clone(),
            host: self.host.to_owned(),
            connection: number,
            at,
        });
        drop(state);
        self.provider
            .note(format!("#{number} took <{}> for {to}", envelope.from));
    }

    fn rule(&self, point: Point) -> Option<Rule> {
        let (model, now) = (
            &self.provider.shared.model,
            self.provider.shared.world.now(),
        );
        let mut state = self.provider.state();
        facts::first(model, point, &mut state.books, &self.visit, now).cloned()
    }

    async fn refuse(&mut self, rule: &Rule) -> io::Result<Next> {
        let reply = self.fill(rule.reply.as_deref().unwrap_or_default());
        self.record(rule, &reply);
        if reply.is_empty() {
            return Ok(Next::End);
        }
        let next = self.send(&reply).await?;
        match rule.close {
            true => Ok(Next::End),
            false => Ok(next),
        }
    }

    fn record(&self, rule: &Rule, reply: &str) {
        let (model, now) = (
            &self.provider.shared.model,
            self.provider.shared.world.now(),
        );
        let number = self.visit.number;
        let envelope = self.visit.envelope.as_ref();
        let mut to = envelope.map(|it| it.to.clone()).unwrap_or_default();
        if rule.at == Point::Recipient {
            to.push(self.visit.recipient.clone());
        }
        let refused = Refused {
            rule: rule.id.clone(),
            point: rule.at,
            reply: reply.to_owned(),
            ip: self.visit.ip(),
            host: self.host.to_owned(),
            from: envelope.map(|it| it.from.clone()).unwrap_or_default(),
            to,
            connection: number,
            at: self.provider.elapsed(),
        };
        let mut state = self.provider.state();
        state.books.applied(model, rule, &self.visit, now);
        state.refused.push(refused);
        drop(state);
        self.provider
            .note(format!("#{number} refuses: {}", rule.id));
    }

    async fn say(&mut self, template: &str) -> io::Result<Next> {
        let reply = self.fill(template);
        self.send(&reply).await
    }

    async fn send(&mut self, reply: &str) -> io::Result<Next> {
        let bytes = format!("{}\r\n", reply.replace('\n', "\r\n"));
        self.input.say(&bytes).await?;
        match reply.starts_with("421") {
            true => Ok(Next::End),
            false => Ok(Next::Go),
        }
    }

    /// A model's text with what is known of this visit.
    fn fill(&self, template: &str) -> String {
        let visit = &self.visit;
        let model = &self.provider.shared.model;
        let from = visit.envelope.as_ref().map(|envelope| &envelope.from);
        let from = from.map_or("", String::as_str);
        let mut text = template.trim_end().to_owned();
        let message = visit.message.as_ref();
        let values = [
            ("{ip}", visit.ip().to_string()),
            ("{range}", model.limits.range_of(visit.ip()).to_string()),
            ("{host}", self.host.to_owned()),
            ("{helo}", visit.helo.clone()),
            ("{from}", from.to_owned()),
            ("{from-domain}", domain_of(from).to_owned()),
            ("{to}", visit.recipient.clone()),
            (
                "{author-domain}",
                message.map_or_else(String::new, |seen| seen.organisation.clone()),
            ),
        ];
        for (name, value) in values {
            text = text.replace(name, &value);
        }
        if text.contains("{session}") {
            text = text.replace("{session}", &self.session());
        }
        text
    }

    /// What the real ones put into their replies to find them again.
    fn session(&self) -> String {
        let mut drawn = [0; 12];
        self.provider.shared.random.fill(&mut drawn);
        drawn.map(|byte| format!("{byte:02x}")).concat()
    }

    fn seconds(&self) -> u64 {
        let wall = self.provider.shared.world.wall();
        wall.duration_since(UNIX_EPOCH)
            .map_or(0, |passed| passed.as_secs())
    }

    fn forget(&mut self) {
        self.visit.envelope = None;
        self.visit.message = None;
        self.visit.recipient.clear();
        self.chunks.clear();
    }

    fn has_recipients(&self) -> bool {
        self.visit
            .envelope
            .as_ref()
            .is_some_and(|envelope| !envelope.to.is_empty())
    }
}
