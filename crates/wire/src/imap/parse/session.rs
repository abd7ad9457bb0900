//! LOGIN, AUTHENTICATE, ENABLE, ID and the quota commands.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::command::{Capability, Command};
use super::super::input::{Input, ParseError, Parsed};
use super::super::limits::{ID_PAIRS_MAX, LIST_ITEMS_MAX};

pub(super) fn login(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let login = input.astring_text()?;
    input.space()?;
    let password = input.astring_text()?;
    Ok(Command::Login { login, password })
}

/// With the initial response of SASL-IR (RFC 4959), `=` for an empty one.
pub(super) fn authenticate(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let mechanism = input.upper_word()?;
    let initial = if input.take(b' ') {
        let text = input.run(|byte| byte != b' ');
        let decoded = if text == b"=" {
            Ok(Vec::new())
        } else {
            STANDARD.decode(text)
        };
        Some(decoded.map_err(|_| ParseError::Syntax("The initial response is no base64."))?)
    } else {
        None
    };
    Ok(Command::Authenticate { mechanism, initial })
}

pub(super) fn enable(input: &mut Input<'_>) -> Parsed<Command> {
    let mut wanted = Vec::new();
    let mut count = 0;
    while count == 0 || input.peek() == Some(b' ') {
        input.space()?;
        count += 1;
        if count > LIST_ITEMS_MAX {
            return Err(ParseError::Syntax("The list is too long."));
        }
        let capability = match input.atom()?.to_ascii_uppercase().as_str() {
            "CONDSTORE" => Capability::Condstore,
            "QRESYNC" => Capability::Qresync,
            "UTF8=ACCEPT" => Capability::Utf8Accept,
            "IMAP4REV2" => Capability::Imap4Rev2,
            _ => continue,
        };
        if !wanted.contains(&capability) {
            wanted.push(capability);
        }
    }
    Ok(Command::Enable(wanted))
}

pub(super) fn id(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let mut pairs = Vec::new();
    if input.word("NIL") {
        return Ok(Command::Id(pairs));
    }
    input.expect(b'(', "A list is missing.")?;
    while !input.take(b')') {
        if pairs.len() >= ID_PAIRS_MAX {
            return Err(ParseError::Syntax("Too many pairs."));
        }
        if !pairs.is_empty() {
            input.space()?;
        }
        let field = String::from_utf8_lossy(&input.string()?).into_owned();
        input.space()?;
        pairs.push((field, input.nstring_text()?));
    }
    Ok(Command::Id(pairs))
}

pub(super) fn get_quota(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    input.astring_text().map(Command::GetQuota)
}

/// Read to its end only so that the answer can be NO and not BAD: quotas are the administrator's.
pub(super) fn set_quota(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    input.astring_text()?;
    input.space()?;
    super::list(input, super::Empty::Allowed, |input| {
        input.atom()?;
        input.space()?;
        input.number()
    })?;
    Ok(Command::SetQuota)
}
