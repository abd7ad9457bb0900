//! APPEND with MULTIAPPEND (RFC 3502), BINARY (RFC 3516) and the UTF8 wrapper (RFC 6855, RFC 9755).

use mail::UnixMillis;

use super::super::command::{Command, NewMessage};
use super::super::input::{Input, ParseError, Parsed};
use super::super::limits::LIST_ITEMS_MAX;

pub(super) fn append(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let mailbox = input.mailbox()?;
    let mut messages = Vec::new();
    while messages.is_empty() || input.peek() == Some(b' ') {
        if messages.len() >= LIST_ITEMS_MAX {
            return Err(ParseError::Syntax("Too many messages."));
        }
        input.space()?;
        messages.push(message(input)?);
    }
    Ok(Command::Append { mailbox, messages })
}

fn message(input: &mut Input<'_>) -> Parsed<NewMessage> {
    let mut flags = Vec::new();
    let mut internal_date = None;
    if input.peek() == Some(b'(') {
        flags = input.flag_list()?;
        input.space()?;
    }
    if input.peek() == Some(b'"') {
        internal_date = Some(UnixMillis(input.date_time()?));
        input.space()?;
    }
    let bytes = if input.word("UTF8") {
        input.space()?;
        input.expect(b'(', "A literal is missing.")?;
        let bytes = input.message_literal()?;
        input.expect(b')', "A bracket is missing.")?;
        bytes
    } else {
        input.message_literal()?
    };
    Ok(NewMessage {
        flags,
        internal_date,
        bytes,
    })
}
