//! What a user's message needs before it may leave: completed, checked, and free of what tells on its sender.
//! Whether the user owns the authors' addresses is decided by the caller, from what comes back.

use crate::compose::push_field;
use crate::header::{Field, fields};
use crate::{Address, UnixMillis, date, mailboxes};

/// What the message is completed with.
#[derive(Clone, Debug)]
pub struct Submitter<'a> {
    pub now: UnixMillis,
    /// Right side of a new Message-ID.
    pub host: &'a str,
    /// Left side of a new Message-ID: unique, such as a trace id.
    pub unique: &'a str,
    /// What the user's program called its host (EHLO), unless that is a name of the user's own domains.
    pub client: Option<&'a str>,
    /// For a message without From, which then gets this one; `None` refuses it.
    pub default_author: Option<&'a Address>,
}

/// A message ready to leave, and in whose name it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub message: Vec<u8>,
    /// All addresses of From. Each must belong to the user.
    pub authors: Vec<Address>,
    /// The address of Sender, if there is one.
    pub sender: Option<Address>,
}

/// Why a user's message cannot leave. All are for the user (5xx).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error("the message has no From header field")]
    NoAuthor,
    #[error("the From header field has no valid address")]
    AuthorMalformed,
    #[error("the Sender header field is not one valid address")]
    SenderMalformed,
    #[error("the header field {0} stands more than once")]
    Repeated(&'static str),
    #[error("line {line} of the header is malformed")]
    HeaderLine { line: usize },
    #[error("the header holds a NUL or a bare carriage return")]
    ControlCharacter,
}

/// May stand once only: two of them mean one thing to one program and another to the next. RFC 5322 §3.6, RFC 2045 §3.
const SINGLE: [&str; 15] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
];

/// Never leaves: hidden recipients, what delivery adds, and what names the user's program, host or address.
const REMOVED: &[&str] = &[
    "Bcc",
    "Resent-Bcc",
    "Return-Path",
    "Delivered-To",
    "Received",
    "User-Agent",
    "X-Mailer",
    "X-Newsreader",
    "Mailer",
    "X-MimeOLE",
    "X-MSMail-Priority",
    "X-Enigmail-Version",
    "X-Mailer-Version",
    "X-Universally-Unique-Identifier",
    "X-Authenticated-Sender",
    "X-Authenticated-User",
    "X-AuthUser",
    "X-Identity-Key",
    "X-Account-Key",
    "X-Uniform-Type-Identifier",
    "X-Sender",
    "X-Sender-IP",
    "X-Client-IP",
    "X-Source-IP",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-PHP-Originating-Script",
];

/// Families of fields by which programs speak to themselves, and name themselves in doing so.
const REMOVED_FAMILIES: &[&str] = &[
    "X-Originating-",
    "X-Mozilla-",
    "X-Evolution-",
    "X-KMail-",
    "X-Android-",
    "X-Apple-",
    "X-Sylpheed-",
    "X-Claws-",
    "X-Gnus-",
    "X-Outlook-",
    "X-eM-Client-",
];

/// Right sides of a Message-ID that name a host in somebody's home or office.
const LOCAL_ENDINGS: &[&str] = &[
    ".local",
    ".lan",
    ".home",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".localdomain",
    ".home.arpa",
];

/// Completes and cleans a message that a user submits. RFC 6409 §6, §8.
pub fn prepare(message: &[u8], submitter: &Submitter<'_>) -> Result<Prepared, PrepareError> {
    let head = message
        .get(crate::header::extent(message))
        .unwrap_or_default();
    if has_control_character(head) {
        return Err(PrepareError::ControlCharacter);
    }
    check_fields(message)?;
    let (authors, author_is_missing) = authors(message, submitter)?;
    let sender = sender(message)?;
    let mut out = Vec::with_capacity(message.len() + 256);
    let mut end = 0;
    for field in fields(message) {
        end = field.end;
        push_kept(&mut out, message, &field, submitter);
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    if author_is_missing && let Some(author) = authors.first() {
        push_field(&mut out, "From", &author.to_string());
    }
    if crate::header::first(message, "Date").is_none() {
        push_field(&mut out, "Date", &date::format(submitter.now));
    }
    if crate::header::first(message, "Message-ID").is_none() {
        push_field(
            &mut out,
            "Message-ID",
            &format!("<{}@{}>", submitter.unique, submitter.host),
        );
    }
    match message.get(end..) {
        Some(rest) if !rest.is_empty() => out.extend_from_slice(rest),
        _ => out.extend_from_slice(b"\r\n"),
    }
    Ok(Prepared {
        message: out,
        authors,
        sender,
    })
}

fn check_fields(message: &[u8]) -> Result<(), PrepareError> {
    let mut seen = 0_u32;
    let mut line = 1;
    for field in fields(message) {
        if field.name.is_empty() {
            return Err(PrepareError::HeaderLine { line });
        }
        if let Some(at) = SINGLE.iter().position(|name| field.is(name)) {
            if seen >> at & 1 == 1 {
                return Err(PrepareError::Repeated(SINGLE[at]));
            }
            seen |= 1 << at;
        }
        line += memchr::memchr_iter(
            b'\n',
            message.get(field.start..field.end).unwrap_or_default(),
        )
        .count();
    }
    Ok(())
}

/// The addresses of From, and whether they are the default ones.
fn authors(
    message: &[u8],
    submitter: &Submitter<'_>,
) -> Result<(Vec<Address>, bool), PrepareError> {
    let Some(value) = crate::header::first(message, "From") else {
        let author = submitter.default_author.ok_or(PrepareError::NoAuthor)?;
        return Ok((vec![author.clone()], true));
    };
    let authors = addresses(value)
        .filter(|authors| !authors.is_empty())
        .ok_or(PrepareError::AuthorMalformed)?;
    Ok((authors, false))
}

fn sender(message: &[u8]) -> Result<Option<Address>, PrepareError> {
    let Some(value) = crate::header::first(message, "Sender") else {
        return Ok(None);
    };
    match addresses(value).as_deref() {
        Some([sender]) => Ok(Some(sender.clone())),
        _ => Err(PrepareError::SenderMalformed),
    }
}

/// All addresses of a list of which no other program could read anything else; `None` otherwise.
fn addresses(value: &[u8]) -> Option<Vec<Address>> {
    let list = mailboxes::parse_list(value);
    if !list.is_clean {
        return None;
    }
    mailboxes::flatten(list.entries)
        .map(|mailbox| mailbox.address())
        .collect()
}

fn push_kept(out: &mut Vec<u8>, message: &[u8], field: &Field<'_>, submitter: &Submitter<'_>) {
    if REMOVED.iter().any(|name| field.is(name)) || is_of_removed_family(field.name) {
        return;
    }
    if field.is("Message-ID")
        && let Some(left) = left_of_telling_id(field.value, submitter.client)
    {
        // The left side stays, so that the copy the user kept can still be recognised.
        return push_field(out, "Message-ID", &format!("<{left}@{}>", submitter.host));
    }
    if field.is("MIME-Version") {
        // Some programs write their name into a comment here.
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        return;
    }
    out.extend_from_slice(message.get(field.start..field.end).unwrap_or_default());
}

fn is_of_removed_family(name: &[u8]) -> bool {
    REMOVED_FAMILIES.iter().any(|family| {
        name.get(..family.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(family.as_bytes()))
    })
}

/// The left side of a Message-ID whose right side names the user's machine: what it called itself in
/// EHLO, a name without a dot, one for use in a local network, or an IP address.
fn left_of_telling_id<'a>(value: &'a [u8], client: Option<&str>) -> Option<&'a str> {
    let id = std::str::from_utf8(value).ok()?.trim();
    let (left, right) = id.strip_prefix('<')?.strip_suffix('>')?.rsplit_once('@')?;
    let bare = right.trim_start_matches('[').trim_end_matches(']');
    let right = right.to_ascii_lowercase();
    let tells = client.is_some_and(|client| client.eq_ignore_ascii_case(&right))
        || !right.contains('.')
        || LOCAL_ENDINGS.iter().any(|ending| right.ends_with(ending))
        || bare.parse::<std::net::IpAddr>().is_ok()
        || right.starts_with('[');
    let plain = !left.is_empty()
        && left
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>');
    (tells && plain).then_some(left)
}

fn has_control_character(head: &[u8]) -> bool {
    memchr::memchr2_iter(0, b'\r', head)
        .any(|at| head.get(at) == Some(&0) || head.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests;
