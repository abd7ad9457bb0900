//! How a scripted server behaves, as data. By default it accepts everything.
//! A rule says what happens at one point of the conversation, for whom and how many times.

use std::time::Duration;

/// The behaviour of one server.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) extensions: Vec<String>,
    pub(super) extensions_under_tls: Vec<String>,
    pub(super) tls: TlsOffer,
    pub(super) door: ScriptDoor,
    pub(super) rules: Vec<Rule>,
    pub(super) pace: Duration,
    pub(super) connections_max: Option<usize>,
    pub(super) login: Option<(String, String)>,
    pub(super) greylist: Option<Duration>,
    pub(super) faults_permille: u64,
}

/// A point of the conversation at which the server may misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Instead of the greeting.
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Recipient,
    /// Instead of 354.
    Data,
    /// While the body comes, before its end.
    Body,
    /// Instead of the reply to the whole message.
    End,
    Quit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Say this instead; several lines are divided by `\n`. After a 421 the connection is closed.
    Reply(String),
    /// Nothing ever comes.
    Hang,
    /// The connection is closed without a word.
    Cut,
    /// At [`Phase::End`]: the message is kept, but the reply never comes and the line is cut.
    KeepAndCut,
    /// Later than usual.
    Wait(Duration),
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) phase: Phase,
    /// `None`: all; else a recipient's address, or `@` and a domain.
    pub(super) recipient: Option<String>,
    pub(super) act: Act,
    /// How many times it still applies.
    pub(super) left: Option<u32>,
}

/// What becomes of STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsOffer {
    None,
    /// A certificate of the internet's authority for the server's name.
    Trusted,
    /// For the right name, signed by itself.
    SelfSigned,
    /// Of the authority, for another name.
    WrongName,
    /// Of the authority, until 2020.
    Expired,
    /// For the right name, of an authority that nobody knows.
    UnknownAuthority,
    /// As `Trusted`, after a change of the key.
    Renewed,
    /// 220, and then not TLS.
    Garbage,
    /// 220, and then the line is cut.
    Cut,
    /// 220, and then nothing.
    Silent,
    /// 454 TLS not available (RFC 3207 §4).
    NotNow,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptDoor {
    Clear,
    /// TLS from the first byte (RFC 8314).
    ImplicitTls,
}

impl Script {
    /// Takes everything, as a friendly modern server.
    pub fn accept() -> Self {
        let extensions = [
            "PIPELINING",
            "SIZE 52428800",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
        ];
        Self {
            extensions: extensions.map(str::to_owned).to_vec(),
            extensions_under_tls: Vec::new(),
            tls: TlsOffer::Trusted,
            door: ScriptDoor::Clear,
            rules: Vec::new(),
            pace: Duration::ZERO,
            connections_max: None,
            login: None,
            greylist: None,
            faults_permille: 0,
        }
    }

    /// RFC 821 with EHLO, and nothing more.
    pub fn plain() -> Self {
        Self {
            extensions: Vec::new(),
            tls: TlsOffer::None,
            ..Self::accept()
        }
    }

    pub fn extensions(mut self, extensions: &[&str]) -> Self {
        self.extensions = extensions.iter().map(|&text| text.to_owned()).collect();
        self
    }

    /// Offered under TLS only, beside the others, as REQUIRETLS is (RFC 8689 §2).
    pub fn extensions_under_tls(mut self, extensions: &[&str]) -> Self {
        self.extensions_under_tls = extensions.iter().map(|&text| text.to_owned()).collect();
        self
    }

    pub fn tls(mut self, tls: TlsOffer) -> Self {
        self.tls = tls;
        self
    }

    pub fn door(mut self, door: ScriptDoor) -> Self {
        self.door = door;
        self
    }

    pub(crate) fn door_of(&self) -> ScriptDoor {
        self.door
    }

    /// At this phase always this.
    pub fn at(self, phase: Phase, act: Act) -> Self {
        self.rule(phase, None, act, None)
    }

    /// At this phase this, for the first `times` times.
    pub fn first(self, times: u32, phase: Phase, act: Act) -> Self {
        self.rule(phase, None, act, Some(times))
    }

    /// This reply at this phase.
    pub fn reply(self, phase: Phase, reply: &str) -> Self {
        self.at(phase, Act::Reply(reply.to_owned()))
    }

    /// This reply to one recipient, or to a domain's when it begins with `@`.
    pub fn recipient(self, recipient: &str, reply: &str) -> Self {
        let act = Act::Reply(reply.to_owned());
        self.rule(Phase::Recipient, Some(recipient.to_owned()), act, None)
    }

    /// As [`Script::recipient`], the first `times` times.
    pub fn recipient_first(self, times: u32, recipient: &str, reply: &str) -> Self {
        let act = Act::Reply(reply.to_owned());
        self.rule(
            Phase::Recipient,
            Some(recipient.to_owned()),
            act,
            Some(times),
        )
    }

    fn rule(
        mut self,
        phase: Phase,
        recipient: Option<String>,
        act: Act,
        left: Option<u32>,
    ) -> Self {
        self.rules.push(Rule {
            phase,
            recipient,
            act,
            left,
        });
        self
    }

    /// Waits this long before each reply.
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// More connections at once get 421.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.connections_max = Some(connections);
        self
    }

    /// Mail only after AUTH (PLAIN or LOGIN) with these.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// A triplet of peer, sender and recipient is deferred until it comes again after so long.
    pub fn greylist(mut self, delay: Duration) -> Self {
        self.greylist = Some(delay);
        self
    }

    /// At each point, with this probability in a thousand, a fault drawn from the seed.
    pub fn faults(mut self, permille: u64) -> Self {
        self.faults_permille = permille;
        self
    }
}
