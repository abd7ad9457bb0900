//! MAIL FROM and RCPT TO: the path in its brackets, and what follows. RFC 5321 §4.1.2.

use mail::{Address, ReversePath};

use super::{BadCommand, BadKind, Command, EnhancedCode, arguments, bad, params};
use crate::smtp::ForwardPath;

/// RFC 5321 §4.5.3.1.3 says 256; UTF-8 (RFC 6531) and quoting need more room to spell the same.
const PATH_BYTES_MAX: usize = 512;

pub(super) fn parse_mail(rest: &str) -> Result<Command, BadCommand> {
    let syntax = || arguments("Syntax: MAIL FROM:<address> [parameters]");
    let (path, rest) = keyword(rest, "FROM:")
        .and_then(bracketed)
        .ok_or_else(syntax)?;
    let from = match path {
        "" => ReversePath::Null,
        path => ReversePath::Address(address(path).ok_or_else(bad_sender)?),
    };
    let params = params::parse_mail(rest)?;
    let international = matches!(&from, ReversePath::Address(address) if address.needs_smtputf8());
    if international && !params.smtputf8 {
        return Err(bad(
            BadKind::Arguments,
            553,
            EnhancedCode(5, 6, 7),
            "This address needs the SMTPUTF8 parameter",
        ));
    }
    Ok(Command::Mail { from, params })
}

pub(super) fn parse_rcpt(rest: &str) -> Result<Command, BadCommand> {
    let syntax = || arguments("Syntax: RCPT TO:<address> [parameters]");
    let (path, rest) = keyword(rest, "TO:")
        .and_then(bracketed)
        .ok_or_else(syntax)?;
    let to = if path.eq_ignore_ascii_case("postmaster") {
        ForwardPath::Postmaster
    } else {
        ForwardPath::Address(address(path).ok_or_else(bad_recipient)?)
    };
    Ok(Command::Rcpt {
        to,
        params: params::parse_rcpt(rest)?,
    })
}

fn bad_sender() -> BadCommand {
    bad(
        BadKind::Arguments,
        501,
        EnhancedCode(5, 1, 7),
        "This is no sender's address: <local@domain> is wanted",
    )
}

fn bad_recipient() -> BadCommand {
    bad(
        BadKind::Arguments,
        501,
        EnhancedCode(5, 1, 3),
        "This is no recipient's address: <local@domain> is wanted",
    )
}

/// Blanks after the colon are wrong but everywhere; they change nothing.
fn keyword<'a>(rest: &'a str, word: &str) -> Option<&'a str> {
    let (head, tail) = rest.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word)
        .then(|| tail.trim_start_matches(' '))
}

/// The inside of `<…>`, and what follows the bracket. A `>` inside a quoted string is none.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let path = inside.get(..at)?;
                let rest = inside.get(at + 1..)?;
                let apart = rest.is_empty() || rest.starts_with(' ');
                return (apart && path.len() <= PATH_BYTES_MAX).then_some((path, rest));
            }
            _ => {}
        }
    }
    None
}

fn address(path: &str) -> Option<Address> {
    Address::parse(without_route(path)?).ok()
}

/// Source routes (`@relay,@relay:user@domain`) are read and ignored. RFC 5321 §4.1.2, appendix C.
fn without_route(path: &str) -> Option<&str> {
    if !path.starts_with('@') {
        return Some(path);
    }
    let (route, mailbox) = path.split_once(':')?;
    let hop = |hop: &str| {
        hop.strip_prefix('@')
            .is_some_and(|name| !name.is_empty() && !name.contains(['@', '"', ' ']))
    };
    route.split(',').all(hop).then_some(mailbox)
}
