//! FETCH: items, sections, BINARY (RFC 3516), CHANGEDSINCE and VANISHED (RFC 7162).

use super::super::command::{
    By, Command, Fetch, FetchItem, Fields, Label, Partial, Section, SectionText, Seen,
};
use super::super::input::{Input, ParseError, Parsed};
use super::super::limits::LIST_ITEMS_MAX;
use super::{Empty, list as bracketed};

pub(super) fn fetch(input: &mut Input<'_>, by: By) -> Parsed<Command> {
    input.space()?;
    let set = input.sequence_set()?;
    input.space()?;
    let mut items = if input.peek() == Some(b'(') {
        let mut items = Vec::new();
        bracketed(input, Empty::Refused, |input| {
            items.extend(item(input, Macros::Refused)?);
            Ok(())
        })?;
        items
    } else {
        item(input, Macros::Allowed)?
    };
    let (mut changed_since, mut vanished) = (None, false);
    if input.take(b' ') {
        bracketed(input, Empty::Refused, |input| {
            match input.upper_word()?.as_str() {
                "CHANGEDSINCE" => {
                    input.space()?;
                    changed_since = Some(input.mod_seq()?);
                }
                "VANISHED" => vanished = true,
                _ => return Err(ParseError::Syntax("Unknown modifier.")),
            }
            Ok(())
        })?;
    }
    if vanished && (by == By::Sequence || changed_since.is_none()) {
        return Err(ParseError::Syntax(
            "VANISHED is for UID FETCH with CHANGEDSINCE.",
        ));
    }
    let mut seen_items: Vec<FetchItem> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        if !seen_items.contains(&item) {
            seen_items.push(item);
        }
    }
    Ok(Command::Fetch(Box::new(Fetch {
        set,
        by,
        items: seen_items,
        changed_since,
        vanished,
    })))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Macros {
    Allowed,
    Refused,
}

fn item(input: &mut Input<'_>, macros: Macros) -> Parsed<Vec<FetchItem>> {
    use FetchItem::{Body, Envelope, Flags, InternalDate, Rfc822Size};
    let name = input.upper_word()?;
    Ok(vec![match name.as_str() {
        "ALL" if macros == Macros::Allowed => {
            return Ok(vec![Flags, InternalDate, Rfc822Size, Envelope]);
        }
        "FAST" if macros == Macros::Allowed => return Ok(vec![Flags, InternalDate, Rfc822Size]),
        "FULL" if macros == Macros::Allowed => {
            return Ok(vec![Flags, InternalDate, Rfc822Size, Envelope, Body]);
        }
        "ENVELOPE" => Envelope,
        "FLAGS" => Flags,
        "INTERNALDATE" => InternalDate,
        "RFC822.SIZE" => Rfc822Size,
        "UID" => FetchItem::Uid,
        "BODYSTRUCTURE" => FetchItem::BodyStructure,
        "MODSEQ" => FetchItem::ModSeq,
        "EMAILID" => FetchItem::EmailId,
        "THREADID" => FetchItem::ThreadId,
        "SAVEDATE" => FetchItem::SaveDate,
        "PREVIEW" => preview(input)?,
        "RFC822" => old(SectionText::Whole, Seen::Mark, Label::Rfc822),
        "RFC822.HEADER" => old(SectionText::Header, Seen::Peek, Label::Rfc822Header),
        "RFC822.TEXT" => old(SectionText::Text, Seen::Mark, Label::Rfc822Text),
        "BODY" if input.peek() != Some(b'[') => Body,
        "BODY" => body(input, Seen::Mark)?,
        "BODY.PEEK" => body(input, Seen::Peek)?,
        "BINARY" => binary(input, Seen::Mark)?,
        "BINARY.PEEK" => binary(input, Seen::Peek)?,
        "BINARY.SIZE" => FetchItem::BinarySize {
            path: binary_path(input)?,
        },
        _ => return Err(ParseError::Syntax("Unknown fetch item.")),
    }])
}

fn old(what: SectionText, seen: Seen, label: Label) -> FetchItem {
    FetchItem::Section {
        section: Section {
            path: Vec::new(),
            what,
        },
        partial: None,
        seen,
        label,
    }
}

/// `PREVIEW` or `PREVIEW (LAZY)`, RFC 8970.
fn preview(input: &mut Input<'_>) -> Parsed<FetchItem> {
    if input.rest().starts_with(b" (")
        && input
            .rest()
            .get(2..6)
            .is_some_and(|w| w.eq_ignore_ascii_case(b"LAZY"))
    {
        input.space()?;
        bracketed(input, Empty::Refused, |input| input.upper_word())?;
    }
    Ok(FetchItem::Preview)
}

fn body(input: &mut Input<'_>, seen: Seen) -> Parsed<FetchItem> {
    input.expect(b'[', "A section is missing.")?;
    let section = section(input)?;
    input.expect(b']', "A bracket is missing.")?;
    let partial = partial(input)?;
    Ok(FetchItem::Section {
        section,
        partial,
        seen,
        label: Label::Body,
    })
}

fn binary(input: &mut Input<'_>, seen: Seen) -> Parsed<FetchItem> {
    let path = binary_path(input)?;
    let partial = partial(input)?;
    Ok(FetchItem::Binary {
        path,
        partial,
        seen,
    })
}

fn binary_path(input: &mut Input<'_>) -> Parsed<Vec<u32>> {
    input.expect(b'[', "A section is missing.")?;
    let mut path = Vec::new();
    while !input.take(b']') {
        if path.len() >= LIST_ITEMS_MAX {
            return Err(ParseError::Syntax("The section is too deep."));
        }
        if !path.is_empty() {
            input.expect(b'.', "The section is malformed.")?;
        }
        path.push(input.nonzero()?.get());
    }
    Ok(path)
}

fn section(input: &mut Input<'_>) -> Parsed<Section> {
    let mut path = Vec::new();
    while input.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        if path.len() >= LIST_ITEMS_MAX {
            return Err(ParseError::Syntax("The section is too deep."));
        }
        path.push(input.nonzero()?.get());
        if !input.take(b'.') {
            return Ok(Section {
                path,
                what: SectionText::Whole,
            });
        }
    }
    if path.is_empty() && input.peek() == Some(b']') {
        return Ok(Section {
            path,
            what: SectionText::Whole,
        });
    }
    let what = match input.upper_word()?.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if !path.is_empty() => SectionText::Mime,
        "HEADER.FIELDS" => fields(input, Fields::These)?,
        "HEADER.FIELDS.NOT" => fields(input, Fields::AllBut)?,
        _ => return Err(ParseError::Syntax("Unknown section.")),
    };
    Ok(Section { path, what })
}

fn fields(input: &mut Input<'_>, choice: Fields) -> Parsed<SectionText> {
    input.space()?;
    let names = bracketed(input, Empty::Refused, |input| input.astring_text())?;
    Ok(SectionText::HeaderFields { names, choice })
}

fn partial(input: &mut Input<'_>) -> Parsed<Option<Partial>> {
    if !input.take(b'<') {
        return Ok(None);
    }
    let offset = input.mod_seq()?;
    input.expect(b'.', "The partial range is malformed.")?;
    let count = input.mod_seq()?;
    input.expect(b'>', "The partial range is malformed.")?;
    if count == 0 {
        return Err(ParseError::Syntax("The partial range is empty."));
    }
    Ok(Some(Partial { offset, count }))
}
