//! Letters that a reader does not see as what they are.

/// Moves a cursor, hides letters or turns the direction of text (Unicode's controls and format characters that do so).
#[must_use]
pub fn misleads(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
