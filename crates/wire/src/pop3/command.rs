//! One POP3 command line as a value. RFC 1939 §9.

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
