//! The argument of EHLO and HELO: the client's name for itself.

use super::{BadCommand, arguments};

/// A name in DNS has 255 octets at most (RFC 5321 §4.5.3.1.2).
const NAME_BYTES_MAX: usize = 255;

/// RFC 5321 §4.1.1.1 wants a domain or an address literal; printers and desktops send what they are
/// called (underscores, bare names), and §4.1.4 forbids to refuse mail for it. So: one printable word.
pub(super) fn parse(rest: &str) -> Result<String, BadCommand> {
    let name = rest.split(' ').next().unwrap_or_default();
    let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !printable {
        return Err(arguments("Syntax: EHLO hostname"));
    }
    Ok(name.to_owned())
}
