//! Whether a password is soon guessed: the common ones of the world, words, names, dates, rows of keys, and what stands
//! in the address. Offline. As NIST SP 800-63B (5.1.1.2) wants it there are no rules about kinds of characters.

use std::fmt;

/// How many guesses a password must be good for, as a power of ten: where each network has some ten a day before it is shut
/// out, a hundred thousand of them need a month.
const GUESSES_LOG10_MIN: f64 = 7.5;

/// What must be left of a password without its owner's own names.
const OTHER_CHARS_MIN: usize = 5;

/// A shorter word is in many others.
const OWN_WORD_CHARS_MIN: usize = 3;

/// The beginning decides; the rest only costs time.
const CHARS_LOOKED_AT: usize = 100;

/// Why a password is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Little but the words of the address or the name.
    OwnWords,
    /// On a list, or made by a rule that everybody knows; what rule, if that has a name.
    Guessable(Option<String>),
}

/// Looks at a password of somebody with these names: address, person's name, host.
pub fn weakness(password: &str, names: &[&str]) -> Option<Weakness> {
    let password: String = password.chars().take(CHARS_LOOKED_AT).collect();
    let own = own_words(&[names, PROGRAM].concat());
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let judged = zxcvbn::zxcvbn(&password, &own);
    if judged.guesses_log10() < GUESSES_LOG10_MIN {
        let warning = judged.feedback().and_then(|feedback| feedback.warning());
        let warning = warning.map(|warning| warning.to_string().trim_end_matches('.').to_owned());
        return Some(Weakness::Guessable(warning));
    }
    (others(&password, &own) < OTHER_CHARS_MIN).then_some(Weakness::OwnWords)
}

/// What this program is called is on the guessers' list as well.
const PROGRAM: &[&str] = &["postroad"];

/// `ann.smith@example.org` has three words worth looking at.
fn own_words(names: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = names
        .iter()
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| OWN_WORD_CHARS_MIN <= word.chars().count())
        .map(str::to_lowercase)
        .collect();
    // Longer ones first: they may hold shorter ones.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

/// Letters and digits that are of none of the words.
fn others(password: &str, own: &[&str]) -> usize {
    let mut left = password.to_lowercase();
    for word in own {
        left = left.replace(word, " ");
    }
    left.chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .count()
}

/// Goes on after "the password".
impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnWords => f.write_str("is little more than the account's own names"),
            Self::Guessable(None) => f.write_str("is soon guessed"),
            Self::Guessable(Some(why)) => write!(f, "is soon guessed ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["ann@example.org", "Ann Smith", "mail.example.org"];

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for password in [
            "12345678",
            "password1",
            "Passw0rd!",
            "P@ssw0rd2024",
            "qwertyuiop",
            "1q2w3e4r5t",
            "iloveyou123",
            "Winter2025",
            "DonaldDuck",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "19850312",
            "letmein!!",
            "passwort",
        ] {
            let found = weakness(password, &NAMES);
            assert!(
                matches!(found, Some(Weakness::Guessable(_))),
                "{password}: {found:?}"
            );
        }
    }

    #[test]
    fn ones_own_names_are_no_password() {
        for password in [
            "annsmith1980",
            "ann-example-2024",
            "SmithAnn99",
            "postroad123",
        ] {
            assert!(weakness(password, &NAMES).is_some(), "{password}");
        }
        assert_eq!(weakness("annsmith1980", &["bob@other.test"]), None);
    }

    #[test]
    fn what_takes_long_to_guess_is_taken_whatever_it_is_made_of() {
        for password in [
            "correct horse battery",
            "xkqzvbtr",
            "monkey dishwasher",
            "gr\u{fc}n\u{e4}ug\u{e4}s und wei\u{df}",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}-\u{437}\u{438}\u{43c}\u{43e}\u{439}",
            &"long and dull ".repeat(50),
            &crate::password::generate(&world::OsRandom),
        ] {
            assert_eq!(weakness(password, &NAMES), None, "{password}");
        }
    }
}
