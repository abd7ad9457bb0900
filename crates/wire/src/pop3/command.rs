//! One POP3 command line as a value. RFC 1939 §9, RFC 2449 §4.

/// Message numbers are as the client counts: from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    User(String),
    Pass(String),
    /// The mechanism is not judged yet; without one, the client asks for the list.
    Auth {
        mechanism: Option<String>,
        initial: Option<String>,
    },
    Capa,
    Stls,
    Utf8,
    Stat,
    List(Option<u32>),
    Uidl(Option<u32>),
    Retr(u32),
    Top {
        number: u32,
        lines: u64,
    },
    Dele(u32),
    Noop,
    Rset,
    Quit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    #[error("unknown command")]
    Unknown,
    #[error("the arguments do not fit the command")]
    Arguments,
    #[error("the command is not UTF-8")]
    NotUtf8,
}

impl Command {
    /// `line` is without its line end.
    pub fn parse(line: &[u8]) -> Result<Command, BadCommand> {
        let line = std::str::from_utf8(line).map_err(|_| BadCommand::NotUtf8)?;
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        // A password may begin and end with blanks: it is everything after the one blank.
        if verb == "PASS" {
            return some(rest).map(Command::Pass);
        }
        let rest = rest.trim_matches(' ');
        match verb.trim_end_matches('\t') {
            "USER" => some(rest).map(Command::User),
            "AUTH" => auth(rest),
            "CAPA" => alone(rest, Command::Capa),
            "STLS" => alone(rest, Command::Stls),
            "UTF8" => alone(rest, Command::Utf8),
            "STAT" => alone(rest, Command::Stat),
            "LIST" => optional(rest).map(Command::List),
            "UIDL" => optional(rest).map(Command::Uidl),
            "RETR" => number(rest).map(Command::Retr),
            "DELE" => number(rest).map(Command::Dele),
            "TOP" => top(rest),
            "NOOP" => alone(rest, Command::Noop),
            "RSET" => alone(rest, Command::Rset),
            "QUIT" => alone(rest, Command::Quit),
            _ => Err(BadCommand::Unknown),
        }
    }
}

/// `AUTH [mechanism [initial-response]]`. RFC 5034 §4.
fn auth(rest: &str) -> Result<Command, BadCommand> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let (mechanism, initial) = (words.next(), words.next());
    match words.next() {
        None => Ok(Command::Auth {
            mechanism: mechanism.map(str::to_owned),
            initial: initial.map(str::to_owned),
        }),
        Some(_) => Err(BadCommand::Arguments),
    }
}

fn top(rest: &str) -> Result<Command, BadCommand> {
    let (first, lines) = rest.split_once(' ').ok_or(BadCommand::Arguments)?;
    let lines = digits(lines.trim_start_matches(' '))?;
    let lines = lines.parse().map_err(|_| BadCommand::Arguments)?;
    Ok(Command::Top {
        number: number(first)?,
        lines,
    })
}

fn optional(rest: &str) -> Result<Option<u32>, BadCommand> {
    if rest.is_empty() {
        Ok(None)
    } else {
        number(rest).map(Some)
    }
}

fn number(text: &str) -> Result<u32, BadCommand> {
    digits(text)?.parse().map_err(|_| BadCommand::Arguments)
}

fn digits(text: &str) -> Result<&str, BadCommand> {
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound {
        Ok(text)
    } else {
        Err(BadCommand::Arguments)
    }
}

fn some(text: &str) -> Result<String, BadCommand> {
    if text.is_empty() {
        Err(BadCommand::Arguments)
    } else {
        Ok(text.to_owned())
    }
}

fn alone(rest: &str, command: Command) -> Result<Command, BadCommand> {
    if rest.is_empty() {
        Ok(command)
    } else {
        Err(BadCommand::Arguments)
    }
}
