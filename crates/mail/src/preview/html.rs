//! The text of an HTML page for a preview: tags dropped, the common entities read.
//! Not for showing pages, and no protection against anything.

use super::Line;

/// Elements whose content is no text.
const SILENT: [&str; 6] = ["style", "script", "head", "title", "noscript", "template"];

/// Elements that do not part words.
const INLINE: [&str; 14] = [
    "a", "b", "i", "u", "em", "strong", "span", "font", "small", "big", "sub", "sup", "code", "wbr",
];

pub(super) fn push_text(line: &mut Line, page: &str) {
    let mut rest = page;
    while !line.is_full() {
        let Some(at) = rest.find(['<', '&']) else {
            line.push(rest);
            return;
        };
        let (before, markup) = rest.split_at(at);
        line.push(before);
        rest = if markup.starts_with('&') {
            push_entity(line, markup)
        } else {
            push_tag(line, markup)
        };
    }
}

/// Steps over a tag or comment, and over the content of silent elements.
fn push_tag<'p>(line: &mut Line, markup: &'p str) -> &'p str {
    if let Some(comment) = markup.strip_prefix("<!--") {
        return comment
            .find("-->")
            .and_then(|end| comment.get(end + 3..))
            .unwrap_or_default();
    }
    let inner = markup.get(1..).unwrap_or_default();
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?') {
        line.push_char('<');
        return inner;
    }
    let Some(end) = inner.find('>') else {
        return "";
    };
    let rest = inner.get(end + 1..).unwrap_or_default();
    let tag = inner.trim_start_matches('/');
    let name_len = tag
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(tag.len());
    let name = tag.get(..name_len).unwrap_or_default();
    let is = |known: &&&str| known.eq_ignore_ascii_case(name);
    if !INLINE.iter().any(|known| is(&known)) {
        line.push_char(' ');
    }
    match SILENT.iter().find(is) {
        Some(silent) if !inner.starts_with('/') => after_closing(rest, silent),
        _ => rest,
    }
}

fn after_closing<'p>(page: &'p str, name: &str) -> &'p str {
    let mut rest = page;
    while let Some(at) = rest.find("</") {
        rest = rest.get(at + 2..).unwrap_or_default();
        if rest
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
        {
            return rest
                .find('>')
                .and_then(|end| rest.get(end + 1..))
                .unwrap_or_default();
        }
    }
    ""
}

fn push_entity<'p>(line: &mut Line, markup: &'p str) -> &'p str {
    let inner = markup.get(1..).unwrap_or_default();
    let end = inner.bytes().take(10).position(|byte| byte == b';');
    let Some((name, rest)) = end.and_then(|end| Some((inner.get(..end)?, inner.get(end + 1..)?)))
    else {
        line.push_char('&');
        return inner;
    };
    let number = |digits: &str, radix: u32| {
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
    };
    let c = match name {
        "nbsp" | "ensp" | "emsp" | "thinsp" => Some(' '),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" | "rsquo" | "lsquo" => Some('\''),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "copy" => Some('©'),
        "euro" => Some('€'),
        "auml" => Some('ä'),
        "ouml" => Some('ö'),
        "uuml" => Some('ü'),
        "szlig" => Some('ß'),
        "eacute" => Some('é'),
        "egrave" => Some('è'),
        "zwnj" | "zwj" | "shy" => return rest,
        _ => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(hex) => number(hex, 16),
                None => number(digits, 10),
            },
            None => None,
        },
    };
    match c {
        Some(c) => {
            line.push_char(c);
            rest
        }
        None => {
            line.push_char('&');
            inner
        }
    }
}
