//! One line from a client as a value. RFC 5321 §4.1 and the extensions' parameters; strict.
//! Whether a command may come now is the server machine's business.

mod bdat;
mod hello;
mod params;
mod path;

use crate::smtp::{EnhancedCode, ForwardPath, MailParams, RcptParams, Reply};
use mail::ReversePath;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Ehlo(String),
    Helo(String),
    Mail {
        from: ReversePath,
        params: MailParams,
    },
    Rcpt {
        to: ForwardPath,
        params: RcptParams,
    },
    Data,
    Bdat {
        size: u64,
        last: bool,
    },
    Rset,
    Noop,
    Quit,
    StartTls,
    /// The name is not judged yet; the initial response is still base64.
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
    Vrfy,
    Expn,
    Help,
}

/// Why a line is no command, and what to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCommand {
    pub kind: BadKind,
    pub reply: Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKind {
    /// We do not know the word.
    Unknown,
    /// We know it, the rest is wrong.
    Arguments,
    /// The peer speaks another protocol (a web browser, a TLS handshake): do not go on.
    Foreign,
    /// BDAT whose length cannot be known: going on would read content as commands.
    OutOfStep,
}

impl Command {
    /// `line` is without its line end.
    pub fn parse(line: &[u8]) -> Result<Command, BadCommand> {
        if line.first() == Some(&0x16) {
            return Err(foreign());
        }
        let Ok(line) = std::str::from_utf8(line) else {
            return Err(bad(
                BadKind::Arguments,
                500,
                EnhancedCode(5, 5, 2),
                "The command is not UTF-8",
            ));
        };
        // Trailing blanks are common and harmless (RFC 5321 §4.1.1 asks to tolerate them).
        let line = line.trim_end_matches([' ', '\t']);
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start_matches(' ');
        Command::of(&verb.to_ascii_uppercase(), rest)
    }

    fn of(verb: &str, rest: &str) -> Result<Command, BadCommand> {
        match verb {
            "EHLO" => hello::parse(rest).map(Command::Ehlo),
            "HELO" => hello::parse(rest).map(Command::Helo),
            "MAIL" => path::parse_mail(rest),
            "RCPT" => path::parse_rcpt(rest),
            "DATA" => alone(rest, Command::Data),
            "BDAT" => bdat::parse(rest),
            "RSET" => alone(rest, Command::Rset),
            "NOOP" => Ok(Command::Noop),
            "QUIT" => alone(rest, Command::Quit),
            "STARTTLS" => alone(rest, Command::StartTls),
            "AUTH" => auth(rest),
            "VRFY" => Ok(Command::Vrfy),
            "EXPN" => Ok(Command::Expn),
            "HELP" => Ok(Command::Help),
            "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" | "PRI" | "HOST:"
            | "USER-AGENT:" => Err(foreign()),
            _ => Err(bad(
                BadKind::Unknown,
                500,
                EnhancedCode(5, 5, 1),
                "Command not recognised",
            )),
        }
    }
}

/// `AUTH mechanism [initial-response]`. RFC 4954 §4.
fn auth(rest: &str) -> Result<Command, BadCommand> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    match (words.next(), words.next(), words.next()) {
        (Some(mechanism), initial, None) => Ok(Command::Auth {
            mechanism: mechanism.to_owned(),
            initial: initial.map(str::to_owned),
        }),
        _ => Err(arguments("Syntax: AUTH mechanism [initial-response]")),
    }
}

fn alone(rest: &str, command: Command) -> Result<Command, BadCommand> {
    if rest.is_empty() {
        Ok(command)
    } else {
        Err(arguments("This command takes no argument"))
    }
}

fn arguments(text: &'static str) -> BadCommand {
    bad(BadKind::Arguments, 501, EnhancedCode(5, 5, 4), text)
}

fn foreign() -> BadCommand {
    bad(
        BadKind::Foreign,
        502,
        EnhancedCode(5, 7, 0),
        "This is a mail server: SMTP is spoken here",
    )
}

fn bad(kind: BadKind, code: u16, enhanced: EnhancedCode, text: &'static str) -> BadCommand {
    BadCommand {
        kind,
        reply: Reply::fixed(code, enhanced, text),
    }
}
