//! SEARCH, SORT and THREAD: return options, charset and the search program.
//! Programs nest at most `SEARCH_DEPTH_MAX` deep and have at most `SEARCH_KEYS_MAX` keys.

use super::super::command::{
    By, Command, DateTest, Direction, Flag, Search, SearchKey, SearchReturn, Sort, SortCriterion,
    SortKey, Thread, ThreadAlgorithm,
};
use super::super::input::{Input, ParseError, Parsed, utf8};
use super::super::limits::{SEARCH_DEPTH_MAX, SEARCH_KEYS_MAX, SEARCH_TEXT_KEY_COST};
use super::{Empty, list as bracketed};

pub(super) fn search(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let mut want = None;
    if input.word("RETURN") {
        input.space()?;
        want = Some(wanted(input)?);
        input.space()?;
    }
    if input.word("CHARSET") {
        input.space()?;
        charset(input)?;
        input.space()?;
    }
    let key = program(input)?;
    Ok(Command::Search(Box::new(Search { by, want, key })))
}

pub(super) fn sort(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let mut want = None;
    if input.word("RETURN") {
        input.space()?;
        want = Some(wanted(input)?);
        input.space()?;
    }
    let order = bracketed(input, Empty::Refused, criterion)?;
    input.space()?;
    charset(input)?;
    input.space()?;
    let key = program(input)?;
    Ok(Command::Sort(Box::new(Sort {
        by,
        want,
        order,
        key,
    })))
}

pub(super) fn thread(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let algorithm = match input.upper_word()?.as_str() {
        "ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
        "REFERENCES" => ThreadAlgorithm::References,
        _ => return Err(ParseError::Syntax("Unknown algorithm.")),
    };
    input.space()?;
    charset(input)?;
    input.space()?;
    let key = program(input)?;
    Ok(Command::Thread(Box::new(Thread { by, algorithm, key })))
}

fn wanted(input: &mut Input<'_>) -> Parsed<SearchReturn> {
    let mut want = SearchReturn::default();
    bracketed(input, Empty::Allowed, |input| {
        match input.upper_word()?.as_str() {
            "MIN" => want.min = true,
            "MAX" => want.max = true,
            "ALL" => want.all = true,
            "COUNT" => want.count = true,
            "SAVE" => want.save = true,
            _ => return Err(ParseError::Syntax("Unknown return option.")),
        }
        Ok(())
    })?;
    // RFC 4731 §3.1: nothing named means ALL; RFC 5182 §2.1: SAVE alone asks for no answer.
    if !(want.min || want.max || want.all || want.count || want.save) {
        want.all = true;
    }
    Ok(want)
}

fn criterion(input: &mut Input<'_>) -> Parsed<SortCriterion> {
    let mut name = input.upper_word()?;
    let mut direction = Direction::Up;
    if name == "REVERSE" {
        input.space()?;
        direction = Direction::Down;
        name = input.upper_word()?;
    }
    let key = match name.as_str() {
        "ARRIVAL" => SortKey::Arrival,
        "CC" => SortKey::Cc,
        "DATE" => SortKey::Date,
        "FROM" => SortKey::From,
        "SIZE" => SortKey::Size,
        "SUBJECT" => SortKey::Subject,
        "TO" => SortKey::To,
        "DISPLAYFROM" => SortKey::DisplayFrom,
        "DISPLAYTO" => SortKey::DisplayTo,
        _ => return Err(ParseError::Syntax("Unknown sort key.")),
    };
    Ok(SortCriterion { key, direction })
}

fn charset(input: &mut Input<'_>) -> Parsed<()> {
    let name = input.astring()?;
    if name.eq_ignore_ascii_case(b"US-ASCII") || name.eq_ignore_ascii_case(b"UTF-8") {
        Ok(())
    } else {
        Err(ParseError::BadCharset)
    }
}

fn program(input: &mut Input<'_>) -> Parsed<SearchKey> {
    let mut keys_left = SEARCH_KEYS_MAX;
    let mut keys = vec![key(input, 0, &mut keys_left)?];
    while input.take(b' ') {
        keys.push(key(input, 0, &mut keys_left)?);
    }
    Ok(joined(keys))
}

fn joined(mut keys: Vec<SearchKey>) -> SearchKey {
    match keys.pop() {
        Some(only) if keys.is_empty() => only,
        Some(last) => {
            keys.push(last);
            SearchKey::And(keys)
        }
        None => SearchKey::All,
    }
}

fn key(input: &mut Input<'_>, depth: usize, keys_left: &mut usize) -> Parsed<SearchKey> {
    if depth > SEARCH_DEPTH_MAX {
        return Err(ParseError::Syntax("The search is nested too deeply."));
    }
    *keys_left = keys_left
        .checked_sub(1)
        .ok_or(ParseError::Syntax("The search has too many keys."))?;
    match input.peek() {
        Some(b'(') => {
            input.expect(b'(', "A bracket is missing.")?;
            let mut keys = vec![key(input, depth + 1, keys_left)?];
            while input.take(b' ') {
                keys.push(key(input, depth + 1, keys_left)?);
            }
            input.expect(b')', "A bracket is missing.")?;
            return Ok(joined(keys));
        }
        Some(b'0'..=b'9' | b'*' | b'$') => return input.sequence_set().map(SearchKey::Sequence),
        _ => {}
    }
    let name = input.upper_word()?;
    if matches!(name.as_str(), "BODY" | "TEXT") {
        *keys_left = keys_left.saturating_sub(SEARCH_TEXT_KEY_COST - 1);
    }
    match name.as_str() {
        "NOT" => {
            input.space()?;
            Ok(SearchKey::Not(Box::new(key(input, depth + 1, keys_left)?)))
        }
        "OR" => {
            input.space()?;
            let first = key(input, depth + 1, keys_left)?;
            input.space()?;
            let second = key(input, depth + 1, keys_left)?;
            Ok(SearchKey::Or(Box::new((first, second))))
        }
        // The program of RFC 6203 and others is not ours: what is left has no nested keys.
        name => match bare(name) {
            Some(key) => Ok(key),
            None => {
                input.space()?;
                with_argument(input, name)
            }
        },
    }
}

/// Keys that stand alone.
fn bare(name: &str) -> Option<SearchKey> {
    let not = |flag| SearchKey::Not(Box::new(SearchKey::Flag(flag)));
    Some(match name {
        "ALL" => SearchKey::All,
        "ANSWERED" => SearchKey::Flag(Flag::Answered),
        "DELETED" => SearchKey::Flag(Flag::Deleted),
        "DRAFT" => SearchKey::Flag(Flag::Draft),
        "FLAGGED" => SearchKey::Flag(Flag::Flagged),
        "SEEN" => SearchKey::Flag(Flag::Seen),
        "UNANSWERED" => not(Flag::Answered),
        "UNDELETED" => not(Flag::Deleted),
        "UNDRAFT" => not(Flag::Draft),
        "UNFLAGGED" => not(Flag::Flagged),
        "UNSEEN" => not(Flag::Seen),
        // RFC 3501 §6.4.4, with a \Recent that is never there.
        "NEW" => SearchKey::And(vec![SearchKey::Recent, not(Flag::Seen)]),
        "OLD" => SearchKey::Not(Box::new(SearchKey::Recent)),
        "RECENT" => SearchKey::Recent,
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}

fn with_argument(input: &mut Input<'_>, name: &str) -> Parsed<SearchKey> {
    use DateTest::{Before, On, Since};
    let header =
        |field: &str, input: &mut Input<'_>| Ok(SearchKey::Header(field.to_owned(), text(input)?));
    match name {
        "BCC" => header("Bcc", input),
        "CC" => header("Cc", input),
        "FROM" => header("From", input),
        "SUBJECT" => header("Subject", input),
        "TO" => header("To", input),
        "HEADER" => {
            let field = input.astring_text()?;
            input.space()?;
            Ok(SearchKey::Header(field, text(input)?))
        }
        "BODY" => text(input).map(SearchKey::Body),
        "TEXT" => text(input).map(SearchKey::Text),
        "KEYWORD" => keyword(input),
        "UNKEYWORD" => Ok(SearchKey::Not(Box::new(keyword(input)?))),
        "LARGER" => input.mod_seq().map(SearchKey::Larger),
        "SMALLER" => input.mod_seq().map(SearchKey::Smaller),
        "UID" => input.sequence_set().map(SearchKey::Uid),
        "BEFORE" => Ok(SearchKey::Internal(Before, input.date()?)),
        "ON" => Ok(SearchKey::Internal(On, input.date()?)),
        "SINCE" => Ok(SearchKey::Internal(Since, input.date()?)),
        "SENTBEFORE" => Ok(SearchKey::Sent(Before, input.date()?)),
        "SENTON" => Ok(SearchKey::Sent(On, input.date()?)),
        "SENTSINCE" => Ok(SearchKey::Sent(Since, input.date()?)),
        "SAVEDBEFORE" => Ok(SearchKey::Saved(Before, input.date()?)),
        "SAVEDON" => Ok(SearchKey::Saved(On, input.date()?)),
        "SAVEDSINCE" => Ok(SearchKey::Saved(Since, input.date()?)),
        "YOUNGER" => Ok(SearchKey::Younger(input.nonzero()?.get())),
        "OLDER" => Ok(SearchKey::Older(input.nonzero()?.get())),
        "MODSEQ" => mod_seq(input),
        "EMAILID" => input.astring_text().map(SearchKey::EmailId),
        "THREADID" => input.astring_text().map(SearchKey::ThreadId),
        _ => Err(ParseError::Syntax("Unknown search key.")),
    }
}

fn text(input: &mut Input<'_>) -> Parsed<String> {
    utf8(input.astring()?)
}

fn keyword(input: &mut Input<'_>) -> Parsed<SearchKey> {
    Ok(SearchKey::Flag(Flag::Keyword(input.atom()?.to_owned())))
}

/// `MODSEQ ["/flags/\\seen" all] 1`: the entry name changes nothing, since a message has one modseq.
fn mod_seq(input: &mut Input<'_>) -> Parsed<SearchKey> {
    if input.peek() == Some(b'"') {
        input.string()?;
        input.space()?;
        if !(input.word("priv") || input.word("shared") || input.word("all")) {
            return Err(ParseError::Syntax("priv, shared or all is missing."));
        }
        input.space()?;
    }
    input.mod_seq().map(SearchKey::ModSeq)
}
