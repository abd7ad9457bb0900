//! STORE with UNCHANGEDSINCE (RFC 7162), COPY and MOVE (RFC 6851).

use super::super::command::{By, Command, Store, StoreAction, StoreAnswer};
use super::super::input::{Input, ParseError, Parsed};

pub(super) fn store(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let set = input.sequence_set()?;
    input.space()?;
    let mut unchanged_since = None;
    if input.take(b'(') {
        if !input.word("UNCHANGEDSINCE") {
            return Err(ParseError::Syntax("Unknown modifier."));
        }
        input.space()?;
        unchanged_since = Some(input.mod_seq()?);
        input.expect(b')', "A bracket is missing.")?;
        input.space()?;
    }
    let action = if input.take(b'+') {
        StoreAction::Add
    } else if input.take(b'-') {
        StoreAction::Remove
    } else {
        StoreAction::Replace
    };
    let answer = match input.upper_word()?.as_str() {
        "FLAGS" => StoreAnswer::Flags,
        "FLAGS.SILENT" => StoreAnswer::Silent,
        _ => return Err(ParseError::Syntax("FLAGS is missing.")),
    };
    input.space()?;
    let flags = input.store_flags()?;
    Ok(Command::Store(Box::new(Store {
        set,
        by,
        action,
        answer,
        flags,
        unchanged_since,
    })))
}

pub(super) fn copy(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let set = input.sequence_set()?;
    input.space()?;
    let mailbox = input.mailbox()?;
    Ok(Command::Copy { set, by, mailbox })
}

pub(super) fn move_(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    match copy(input, by)? {
        Command::Copy { set, by, mailbox } => Ok(Command::Move { set, by, mailbox }),
        other => Ok(other),
    }
}
