//! A question before something that cannot be taken back. Scripts are not asked.

use std::io::{BufRead, IsTerminal, Write};

use crate::output::Failure;

/// Longer answers are not an address.
const ANSWER_BYTES_MAX: u64 = 1024;

/// On a terminal the address must be typed again.
pub fn removal(address: &str) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(());
    }
    let broken = |error: std::io::Error| Failure::failed(format!("the terminal: {error}"));
    let mut stderr = std::io::stderr();
    write!(
        stderr,
        "This removes {address} with all its mail. Type the address to go on: "
    )
    .and_then(|()| stderr.flush())
    .map_err(broken)?;
    let mut answer = String::new();
    let mut input = std::io::Read::take(stdin.lock(), ANSWER_BYTES_MAX);
    input.read_line(&mut answer).map_err(broken)?;
    if answer.trim() == address {
        Ok(())
    } else {
        Err(Failure::failed("not removed: the answer was another one"))
    }
}
