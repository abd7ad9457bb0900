//! What a filter says, parsed. Everything it names (header fields, addresses, texts) is checked here: a line end smuggled into
//! a value would become a header field of its own, or the end of the header.

use crate::limits::{
    MILTER_ADDRESS_BYTES_MAX, MILTER_FIELD_BYTES_MAX, MILTER_MACROS_MAX, MILTER_TEXT_BYTES_MAX,
};
use crate::milter::flags::{Actions, Stage, Steps};
use crate::smtp::{self, EnhancedCode};

/// One packet of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What it wants, in answer to what we offered; the macros it wants to see at some stages.
    Agreed {
        version: u32,
        actions: Actions,
        steps: Steps,
        macros: Vec<(Stage, Vec<String>)>,
    },
    Continue,
    Accept,
    Discard,
    Reject,
    TryLater,
    /// It has seen enough of this step.
    Skip,
    /// The connection is to be closed (421).
    Shutdown,
    /// A reply in its own words; its code is 4xx or 5xx.
    Words(smtp::Reply),
    /// It works on it.
    Progress,
    Change(Change),
}

/// What is to be changed, in the order in which it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// At the end of the header.
    AddHeader {
        name: String,
        value: Vec<u8>,
    },
    /// Before the field at this place, counted from 0 over all fields.
    InsertHeader {
        at: u32,
        name: String,
        value: Vec<u8>,
    },
    /// The field of this name with this number, counted from 1. An empty value deletes it.
    ChangeHeader {
        number: u32,
        name: String,
        value: Vec<u8>,
    },
    /// A piece of the new body; all pieces together are it.
    ReplaceBody(Vec<u8>),
    /// With angle brackets or without; the parameters are those of RCPT.
    AddRecipient {
        address: String,
        parameters: String,
    },
    DeleteRecipient(String),
    ChangeSender {
        address: String,
        parameters: String,
    },
    Quarantine(String),
}

impl Change {
    /// What it must be allowed to do for this.
    pub fn needs(&self) -> Actions {
        match self {
            Self::AddHeader { .. } | Self::InsertHeader { .. } => Actions::ADD_HEADERS,
            Self::ChangeHeader { .. } => Actions::CHANGE_HEADERS,
            Self::ReplaceBody(_) => Actions::REPLACE_BODY,
            Self::AddRecipient { parameters, .. } if parameters.is_empty() => {
                Actions::ADD_RECIPIENTS
            }
            Self::AddRecipient { .. } => Actions::ADD_RECIPIENTS_WITH_PARAMETERS,
            Self::DeleteRecipient(_) => Actions::DELETE_RECIPIENTS,
            Self::ChangeSender { .. } => Actions::CHANGE_SENDER,
            Self::Quarantine(_) => Actions::QUARANTINE,
        }
    }
}

impl Change {
    /// Memory that it takes, but for a body, which has a bound of its own.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::AddHeader { name, value }
            | Self::InsertHeader { name, value, .. }
            | Self::ChangeHeader { name, value, .. } => name.len() + value.len(),
            Self::ReplaceBody(_) => 0,
            Self::AddRecipient {
                address,
                parameters,
            }
            | Self::ChangeSender {
                address,
                parameters,
            } => address.len() + parameters.len(),
            Self::DeleteRecipient(text) | Self::Quarantine(text) => text.len(),
        }
    }
}

/// What cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    #[error("a packet with the unknown letter {0:?}")]
    Letter(char),
    #[error("a packet that is cut short")]
    Short,
    #[error("a header field with a name or value that none can have")]
    Field,
    #[error("a reply that is none of SMTP")]
    Words,
    #[error("an address or text with control characters, or a very long one")]
    Text,
    #[error("too many macros are asked for")]
    Macros,
}

impl Reply {
    pub fn parse(command: u8, data: &[u8]) -> Result<Self, BadReply> {
        Ok(match command {
            b'O' => agreed(data)?,
            b'c' => Self::Continue,
            b'a' => Self::Accept,
            b'd' => Self::Discard,
            b'r' => Self::Reject,
            // Sendmail takes the failed connection for a moment's trouble as well.
            b't' | b'f' => Self::TryLater,
            b's' => Self::Skip,
            b'4' => Self::Shutdown,
            b'p' => Self::Progress,
            b'y' => Self::Words(words(data)?),
            b'h' => Self::Change(add_header(data)?),
            b'i' => Self::Change(insert_header(data)?),
            b'm' => Self::Change(change_header(data)?),
            b'b' => Self::Change(Change::ReplaceBody(data.to_vec())),
            b'+' | b'2' => Self::Change(add_recipient(data)?),
            b'-' => Self::Change(Change::DeleteRecipient(address(string(data)?.0)?)),
            b'e' => Self::Change(change_sender(data)?),
            b'q' => Self::Change(Change::Quarantine(text(string(data)?.0)?)),
            other => return Err(BadReply::Letter(char::from(other))),
        })
    }
}

fn agreed(data: &[u8]) -> Result<Reply, BadReply> {
    let (version, data) = number(data)?;
    let (actions, data) = number(data)?;
    let (steps, mut data) = number(data)?;
    let mut macros = Vec::new();
    while !data.is_empty() {
        let (stage, rest) = number(data)?;
        let (list, rest) = string(rest)?;
        data = rest;
        let list = String::from_utf8_lossy(list);
        let names: Vec<String> = list.split_ascii_whitespace().map(str::to_owned).collect();
        if MILTER_MACROS_MAX < names.len() || MILTER_MACROS_MAX < macros.len() {
            return Err(BadReply::Macros);
        }
        // A stage that we do not know has no macros of ours either.
        if let Some(stage) = Stage::of_code(stage) {
            macros.push((stage, names));
        }
    }
    Ok(Reply::Agreed {
        version,
        actions: Actions(actions),
        steps: Steps(steps),
        macros,
    })
}

fn add_header(data: &[u8]) -> Result<Change, BadReply> {
    let (name, rest) = string(data)?;
    let (value, _) = string(rest)?;
    Ok(Change::AddHeader {
        name: field_name(name)?,
        value: field_value(value)?,
    })
}

fn insert_header(data: &[u8]) -> Result<Change, BadReply> {
    let (at, rest) = number(data)?;
    let (name, rest) = string(rest)?;
    let (value, _) = string(rest)?;
    Ok(Change::InsertHeader {
        at,
        name: field_name(name)?,
        value: field_value(value)?,
    })
}

fn change_header(data: &[u8]) -> Result<Change, BadReply> {
    let (number, rest) = number(data)?;
    let (name, rest) = string(rest)?;
    let (value, _) = string(rest)?;
    Ok(Change::ChangeHeader {
        // Some filters count from 0 and mean the first.
        number: number.max(1),
        name: field_name(name)?,
        value: field_value(value)?,
    })
}

fn add_recipient(data: &[u8]) -> Result<Change, BadReply> {
    let (to, rest) = string(data)?;
    Ok(Change::AddRecipient {
        address: address(to)?,
        parameters: parameters(rest)?,
    })
}

fn change_sender(data: &[u8]) -> Result<Change, BadReply> {
    let (from, rest) = string(data)?;
    Ok(Change::ChangeSender {
        address: address(from)?,
        parameters: parameters(rest)?,
    })
}

fn parameters(data: &[u8]) -> Result<String, BadReply> {
    match data {
        [] => Ok(String::new()),
        _ => text(string(data)?.0),
    }
}

/// A reply of SMTP, of one line or several, each with the same code; `%` is doubled in it.
fn words(data: &[u8]) -> Result<smtp::Reply, BadReply> {
    let (bytes, _) = string(data)?;
    if MILTER_TEXT_BYTES_MAX < bytes.len() {
        return Err(BadReply::Words);
    }
    let whole = String::from_utf8_lossy(bytes).replace("%%", "%");
    let mut code = None;
    let mut enhanced = None;
    let mut lines = Vec::new();
    for line in whole.split('\n').map(|line| line.trim_end_matches('\r')) {
        if line.is_empty() {
            continue;
        }
        let (digits, rest) = line.split_at_checked(3).ok_or(BadReply::Words)?;
        let number: u16 = digits.parse().map_err(|_| BadReply::Words)?;
        if !(400..600).contains(&number) || code.is_some_and(|code| code != number) {
            return Err(BadReply::Words);
        }
        code = Some(number);
        let rest = rest.strip_prefix(['-', ' ']).unwrap_or(rest);
        let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match first.parse::<EnhancedCode>() {
            Ok(status) if u16::from(status.0) == number / 100 => {
                enhanced.get_or_insert(status);
                lines.push(after.to_owned());
            }
            _ => lines.push(rest.to_owned()),
        }
    }
    let code = code.ok_or(BadReply::Words)?;
    let class = if code < 500 { 4 } else { 5 };
    let enhanced = enhanced.unwrap_or(EnhancedCode(class, 7, 1));
    // 421 would promise that the connection is closed.
    let code = if code == 421 { 451 } else { code };
    Ok(smtp::Reply::new(code, enhanced, lines.join("\n")))
}

fn number(data: &[u8]) -> Result<(u32, &[u8]), BadReply> {
    let (head, rest) = data.split_first_chunk::<4>().ok_or(BadReply::Short)?;
    Ok((u32::from_be_bytes(*head), rest))
}

fn string(data: &[u8]) -> Result<(&[u8], &[u8]), BadReply> {
    let end = memchr::memchr(0, data).ok_or(BadReply::Short)?;
    let (text, rest) = data.split_at(end);
    Ok((text, rest.get(1..).unwrap_or_default()))
}

/// RFC 5322 §2.2: printable characters without space and colon.
fn field_name(bytes: &[u8]) -> Result<String, BadReply> {
    let good = !bytes.is_empty()
        && bytes.len() <= 128
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b':');
    match str::from_utf8(bytes) {
        Ok(name) if good => Ok(name.to_owned()),
        _ => Err(BadReply::Field),
    }
}

/// The value with strict line ends. Each further line must begin with white space and hold more than that: anything else would be
/// a field of its own, or the end of the header. RFC 5322 §2.2.3.
fn field_value(bytes: &[u8]) -> Result<Vec<u8>, BadReply> {
    if MILTER_FIELD_BYTES_MAX < bytes.len() {
        return Err(BadReply::Field);
    }
    let mut end = bytes;
    while let [rest @ .., b'\r' | b'\n'] = end {
        end = rest;
    }
    let mut value = Vec::with_capacity(end.len() + 8);
    for (number, line) in end.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        let blank = line.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if line.contains(&b'\r') || number > 0 && (!folded || blank) {
            return Err(BadReply::Field);
        }
        if number > 0 {
            value.extend_from_slice(b"\r\n");
        }
        value.extend_from_slice(line);
    }
    Ok(value)
}

fn address(bytes: &[u8]) -> Result<String, BadReply> {
    if MILTER_ADDRESS_BYTES_MAX < bytes.len() {
        return Err(BadReply::Text);
    }
    text(bytes)
}

fn text(bytes: &[u8]) -> Result<String, BadReply> {
    let text = String::from_utf8_lossy(bytes);
    match text.len() <= MILTER_TEXT_BYTES_MAX && !text.contains(char::is_control) {
        true => Ok(text.trim().to_owned()),
        false => Err(BadReply::Text),
    }
}
