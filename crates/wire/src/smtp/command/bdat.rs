//! `BDAT chunk-size [LAST]`. RFC 3030 §2.

use super::{BadCommand, BadKind, Command, EnhancedCode, bad};

/// More digits than any size we could store; the number is read no further.
const DIGITS_MAX: usize = 18;

pub(super) fn parse(rest: &str) -> Result<Command, BadCommand> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let size = words.next().unwrap_or_default();
    let last = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => true,
        _ => return Err(out_of_step()),
    };
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || size.len() > DIGITS_MAX {
        return Err(out_of_step());
    }
    size.parse()
        .map(|size| Command::Bdat { size, last })
        .map_err(|_| out_of_step())
}

/// What follows is content of a length we do not know.
fn out_of_step() -> BadCommand {
    bad(
        BadKind::OutOfStep,
        501,
        EnhancedCode(5, 5, 4),
        "Syntax: BDAT size [LAST], with a size that can be",
    )
}
