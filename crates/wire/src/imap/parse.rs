//! From the text of one command to a `Command`. The table of commands is here, their arguments in the
//! files below. Never recursive without a bound, never larger than its input.

mod append;
mod fetch;
mod mailbox;
mod search;
mod session;
mod store;

use super::command::{By, Command, Mode, Tagged};
pub use super::input::{Dialect, ParseError};
use super::input::{Input, Parsed, is_atom_char};
use super::limits::{LIST_ITEMS_MAX, TAG_BYTES_MAX};

/// A command that could not be read, with the tag if there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub tag: Option<String>,
    pub error: ParseError,
}

/// Reads one command. `text` is without the last CR LF; each literal has left its `{n}` CR LF in the
/// text and its bytes in `literals`.
pub fn command(
    text: &[u8],
    literals: Vec<Vec<u8>>,
    dialect: Dialect,
) -> Result<Tagged, Unreadable> {
    let mut input = Input::new(text, literals, dialect);
    let Some(tag) = tag(&mut input) else {
        return Err(Unreadable {
            tag: None,
            error: ParseError::Syntax("A tag is missing."),
        });
    };
    match after_tag(&mut input) {
        Ok(command) => Ok(Tagged { tag, command }),
        Err(error) => Err(Unreadable {
            tag: Some(tag),
            error,
        }),
    }
}

/// The tag at the start of a line, also of one that is not complete.
pub(crate) fn tag_of(text: &[u8]) -> Option<String> {
    tag(&mut Input::new(text, Vec::new(), Dialect::Rev1))
}

fn tag(input: &mut Input<'_>) -> Option<String> {
    let run = input.run(|byte| (is_atom_char(byte) || byte == b']') && byte != b'+');
    if run.is_empty() || run.len() > TAG_BYTES_MAX {
        return None;
    }
    String::from_utf8(run.to_vec()).ok()
}

fn after_tag(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let name = input.upper_word().map_err(|_| ParseError::UnknownCommand)?;
    let command = match name.as_str() {
        "UID" => {
            input.space()?;
            let name = input.upper_word()?;
            numbered(input, &name, By::Uid)?
        }
        name => match simple(name) {
            Some(command) => command,
            None => with_arguments(input, name)?,
        },
    };
    input.end()?;
    Ok(command)
}

/// Commands without arguments.
fn simple(name: &str) -> Option<Command> {
    Some(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        _ => return None,
    })
}

fn with_arguments(input: &mut Input<'_>, name: &str) -> Parsed<Command> {
    match name {
        "ID" => session::id(input),
        "LOGIN" => session::login(input),
        "AUTHENTICATE" => session::authenticate(input),
        "ENABLE" => session::enable(input),
        "SELECT" => mailbox::select(input, Mode::ReadWrite),
        "EXAMINE" => mailbox::select(input, Mode::ReadOnly),
        "CREATE" => mailbox::create(input),
        "DELETE" => one_mailbox(input).map(Command::Delete),
        "RENAME" => mailbox::rename(input),
        "SUBSCRIBE" => one_mailbox(input).map(Command::Subscribe),
        "UNSUBSCRIBE" => one_mailbox(input).map(Command::Unsubscribe),
        "LIST" => mailbox::list(input),
        "LSUB" => mailbox::lsub(input),
        "STATUS" => mailbox::status(input),
        "APPEND" => append::append(input),
        "GETQUOTA" => session::get_quota(input),
        "GETQUOTAROOT" => one_mailbox(input).map(Command::GetQuotaRoot),
        "SETQUOTA" => session::set_quota(input),
        _ => numbered(input, name, By::Sequence),
    }
}

/// Commands with a UID form.
fn numbered(input: &mut Input<'_>, name: &str, by: By) -> Parsed<Command> {
    match (name, by) {
        ("FETCH", _) => fetch::fetch(input, by),
        ("STORE", _) => store::store(input, by),
        ("COPY", _) => store::copy(input, by),
        ("MOVE", _) => store::move_(input, by),
        ("SEARCH", _) => search::search(input, by),
        ("SORT", _) => search::sort(input, by),
        ("THREAD", _) => search::thread(input, by),
        ("EXPUNGE", By::Uid) => {
            input.space()?;
            input.sequence_set().map(|set| Command::Expunge(Some(set)))
        }
        _ => Err(ParseError::UnknownCommand),
    }
}

fn one_mailbox(input: &mut Input<'_>) -> Parsed<super::command::MailboxName> {
    input.space()?;
    input.mailbox()
}

/// `(item item)`; `item` reads one. Empty lists are refused unless `empty` allows them.
fn list<T>(
    input: &mut Input<'_>,
    empty: Empty,
    mut item: impl FnMut(&mut Input<'_>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    input.expect(b'(', "A list is missing.")?;
    let mut items = Vec::new();
    if empty == Empty::Allowed && input.take(b')') {
        return Ok(items);
    }
    loop {
        if items.len() >= LIST_ITEMS_MAX {
            return Err(ParseError::Syntax("The list is too long."));
        }
        items.push(item(input)?);
        if input.take(b')') {
            return Ok(items);
        }
        input.space()?;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Allowed,
    Refused,
}
