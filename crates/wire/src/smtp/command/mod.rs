//! One line from a client as a value. RFC 5321 §4.1 and the extensions' parameters; strict.

use crate::smtp::{ForwardPath, MailParams, RcptParams, Reply};
use mail::ReversePath;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Ehlo(String),
    Helo(String),
    Mail { from: ReversePath, params: MailParams },
    Rcpt { to: ForwardPath, params: RcptParams },
    Data,
    Bdat { size: u64, last: bool },
    Rset,
    Noop,
    Quit,
    StartTls,
    /// The name is not judged yet; the initial response is still base64.
    Auth { mechanism: String, initial: Option<String> },
    Vrfy,
    Expn,
    Help,
}

impl Command {
    /// `line` is without its line end. The error is the reply to give.
    pub fn parse(line: &[u8]) -> Result<Command, Reply> {
        let _ = line;
        todo!()
    }
}
