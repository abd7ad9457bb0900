//! SELECT, CREATE, RENAME, LIST, LSUB, STATUS with what RFC 5258, 5819, 6154, 7162 and 8438 add.

use super::super::command::{
    Command, Condstore, List, ListReturn, ListSelect, Mode, Qresync, SpecialUse, StatusItem,
};
use super::super::input::{Input, ParseError, Parsed};
use super::super::limits::{LIST_ITEMS_MAX, PATTERNS_MAX};
use super::{Empty, list as bracketed};

pub(super) fn select(input: &mut Input<'_>, mode: Mode) -> Parsed<Command> {
    input.space()?;
    let mailbox = input.mailbox()?;
    let (mut condstore, mut qresync) = (Condstore::NotAsked, None);
    if input.take(b' ') {
        bracketed(input, Empty::Refused, |input| {
            match input.upper_word()?.as_str() {
                "CONDSTORE" => {
                    condstore = Condstore::Asked;
                    Ok(())
                }
                "QRESYNC" => {
                    input.space()?;
                    qresync = Some(Box::new(known_state(input)?));
                    Ok(())
                }
                _ => Err(ParseError::Syntax("Unknown parameter.")),
            }
        })?;
    }
    Ok(Command::Select {
        mailbox,
        mode,
        condstore,
        qresync,
    })
}

/// `(uidvalidity modseq [known-uids] [(numbers uids)])`
fn known_state(input: &mut Input<'_>) -> Parsed<Qresync> {
    input.expect(b'(', "A list is missing.")?;
    let uid_validity = input.nonzero()?.get();
    input.space()?;
    let mod_seq = input.mod_seq()?;
    let (mut known, mut matched) = (None, None);
    if input.take(b' ') {
        if input.peek() != Some(b'(') {
            known = Some(input.sequence_set()?);
        }
        if known.is_none() || input.take(b' ') {
            input.expect(b'(', "A list is missing.")?;
            let numbers = input.sequence_set()?;
            input.space()?;
            matched = Some((numbers, input.sequence_set()?));
            input.expect(b')', "A bracket is missing.")?;
        }
    }
    input.expect(b')', "A bracket is missing.")?;
    Ok(Qresync {
        uid_validity,
        mod_seq,
        known,
        matched,
    })
}

pub(super) fn create(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let mailbox = input.mailbox()?;
    let mut special_use = Vec::new();
    if input.take(b' ') {
        input.expect(b'(', "A list is missing.")?;
        if !input.word("USE") {
            return Err(ParseError::Syntax("Unknown parameter."));
        }
        input.space()?;
        special_use = bracketed(input, Empty::Allowed, use_attribute)?;
        input.expect(b')', "A bracket is missing.")?;
    }
    Ok(Command::Create {
        mailbox,
        special_use,
    })
}

fn use_attribute(input: &mut Input<'_>) -> Parsed<SpecialUse> {
    input.expect(b'\\', "An attribute is missing.")?;
    Ok(match input.upper_word()?.as_str() {
        "ALL" => SpecialUse::All,
        "ARCHIVE" => SpecialUse::Archive,
        "DRAFTS" => SpecialUse::Drafts,
        "FLAGGED" => SpecialUse::Flagged,
        "JUNK" => SpecialUse::Junk,
        "SENT" => SpecialUse::Sent,
        "TRASH" => SpecialUse::Trash,
        _ => return Err(ParseError::Syntax("Unknown attribute.")),
    })
}

pub(super) fn rename(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let from = input.mailbox()?;
    input.space()?;
    let to = input.mailbox()?;
    Ok(Command::Rename { from, to })
}

pub(super) fn list(input: &mut Input<'_>) -> Parsed<Command> {
    let mut list = List::default();
    input.space()?;
    if input.peek() == Some(b'(') {
        list.extended = true;
        list.select = selection(input)?;
        input.space()?;
    }
    list.reference = input.mailbox_or_empty()?;
    input.space()?;
    if input.peek() == Some(b'(') {
        list.extended = true;
        list.patterns = bracketed(input, Empty::Refused, |input| input.list_mailbox())?;
        if list.patterns.len() > PATTERNS_MAX {
            return Err(ParseError::Syntax("Too many patterns."));
        }
    } else {
        list.patterns.push(input.list_mailbox()?);
    }
    if input.take(b' ') {
        list.extended = true;
        if !input.word("RETURN") {
            return Err(ParseError::Syntax("RETURN is missing."));
        }
        input.space()?;
        list.want = wanted(input)?;
    }
    Ok(Command::List(Box::new(list)))
}

fn selection(input: &mut Input<'_>) -> Parsed<ListSelect> {
    let mut select = ListSelect::default();
    bracketed(input, Empty::Allowed, |input| {
        match input.upper_word()?.as_str() {
            "SUBSCRIBED" => select.subscribed = true,
            "REMOTE" => select.remote = true,
            "RECURSIVEMATCH" => select.recursive_match = true,
            "SPECIAL-USE" => select.special_use = true,
            _ => return Err(ParseError::Syntax("Unknown selection option.")),
        }
        Ok(())
    })?;
    // RFC 5258 §3.1: it means nothing alone.
    if select.recursive_match && !select.subscribed && !select.special_use {
        return Err(ParseError::Syntax("RECURSIVEMATCH needs another option."));
    }
    Ok(select)
}

fn wanted(input: &mut Input<'_>) -> Parsed<ListReturn> {
    let mut want = ListReturn::default();
    bracketed(input, Empty::Allowed, |input| {
        match input.upper_word()?.as_str() {
            "SUBSCRIBED" => want.subscribed = true,
            "CHILDREN" => want.children = true,
            "SPECIAL-USE" => want.special_use = true,
            "STATUS" => {
                input.space()?;
                want.status = bracketed(input, Empty::Refused, status_item)?;
            }
            _ => return Err(ParseError::Syntax("Unknown return option.")),
        }
        Ok(())
    })?;
    Ok(want)
}

pub(super) fn lsub(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let reference = input.mailbox_or_empty()?;
    input.space()?;
    let pattern = input.list_mailbox()?;
    Ok(Command::Lsub { reference, pattern })
}

pub(super) fn status(input: &mut Input<'_>) -> Parsed<Command> {
    input.space()?;
    let mailbox = input.mailbox()?;
    input.space()?;
    let items = bracketed(input, Empty::Refused, status_item)?;
    debug_assert!(items.len() <= LIST_ITEMS_MAX);
    Ok(Command::Status { mailbox, items })
}

fn status_item(input: &mut Input<'_>) -> Parsed<StatusItem> {
    Ok(match input.upper_word()?.as_str() {
        "MESSAGES" => StatusItem::Messages,
        "RECENT" => StatusItem::Recent,
        "UIDNEXT" => StatusItem::UidNext,
        "UIDVALIDITY" => StatusItem::UidValidity,
        "UNSEEN" => StatusItem::Unseen,
        "DELETED" => StatusItem::Deleted,
        "DELETED-STORAGE" => StatusItem::DeletedStorage,
        "SIZE" => StatusItem::Size,
        "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
        "MAILBOXID" => StatusItem::MailboxId,
        "APPENDLIMIT" => StatusItem::AppendLimit,
        _ => return Err(ParseError::Syntax("Unknown status item.")),
    })
}
