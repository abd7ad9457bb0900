//! Patterns of LIST: `*` matches anything, `%` anything but the separator (RFC 9051 §6.3.9).
//! Time is the product of the lengths, both bounded, whatever the pattern.

const SEPARATOR: char = '/';

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    /// For INBOX, whose case does not matter.
    inbox: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `%`
    Level,
    /// `*`
    Any,
}

impl Pattern {
    pub(super) fn new(reference: &str, pattern: &str) -> Self {
        let text = format!("{reference}{pattern}");
        Pattern {
            tokens: tokens(&text),
            inbox: tokens(&text.to_ascii_uppercase()),
        }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let in_inbox = name == "INBOX"
            || name
                .strip_prefix("INBOX")
                .is_some_and(|rest| rest.starts_with(SEPARATOR));
        matches(&self.tokens, name)
            || (in_inbox && matches(&self.inbox, &name.to_ascii_uppercase()))
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len());
    for c in text.chars() {
        let token = match c {
            '%' => Token::Level,
            '*' => Token::Any,
            c => Token::Char(c),
        };
        match (tokens.last(), token) {
            // Neighbouring wildcards are one.
            (Some(Token::Any), Token::Any | Token::Level) | (Some(Token::Level), Token::Level) => {}
            (Some(Token::Level), Token::Any) => {
                tokens.pop();
                tokens.push(Token::Any);
            }
            _ => tokens.push(token),
        }
    }
    tokens
}

/// `reached[i]`: the first `i` tokens match what was read of the name so far.
fn matches(tokens: &[Token], name: &str) -> bool {
    // What nearly every client asks.
    if tokens == [Token::Any] {
        return true;
    }
    let mut reached = vec![false; tokens.len() + 1];
    let mut next = reached.clone();
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip_wildcards(tokens, &mut reached);
    for c in name.chars() {
        next.fill(false);
        for (index, token) in tokens.iter().enumerate() {
            let here = reached.get(index).copied().unwrap_or(false);
            let after = reached.get(index + 1).copied().unwrap_or(false);
            let takes = match token {
                Token::Char(wanted) => here && *wanted == c,
                Token::Level => (here || after) && c != SEPARATOR,
                Token::Any => here || after,
            };
            if let Some(slot) = next.get_mut(index + 1) {
                *slot |= takes;
            }
        }
        skip_wildcards(tokens, &mut next);
        std::mem::swap(&mut reached, &mut next);
        if !reached.contains(&true) {
            return false;
        }
    }
    reached.last().copied().unwrap_or(false)
}

/// A wildcard may match nothing.
fn skip_wildcards(tokens: &[Token], reached: &mut [bool]) {
    for (index, token) in tokens.iter().enumerate() {
        if *token == Token::Any || *token == Token::Level {
            let here = reached.get(index).copied().unwrap_or(false);
            if let Some(slot) = reached.get_mut(index + 1) {
                *slot |= here;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[track_caller]
    fn check(pattern: &str, name: &str, want: bool) {
        assert_eq!(
            Pattern::new("", pattern).matches(name),
            want,
            "{pattern} on {name}"
        );
    }

    #[test]
    fn wildcards() {
        check("*", "a/b/c", true);
        check("%", "a/b", false);
        check("%", "ab", true);
        check("a/%", "a/b", true);
        check("a/%", "a/b/c", false);
        check("%/%", "a/b", true);
        check("a*c", "a/b/c", true);
        check("%b*c", "ab/c/c", true);
        check("%3/%4", "test3/test4", true);
        check("", "a", false);
        check("inbox", "INBOX", true);
        check("In%", "INBOX", true);
        check("inbox/*", "INBOX/a", true);
        check("work", "Work", false);
        check(&"*a".repeat(300), &"a".repeat(900), true);
    }
}
