//! Text as rules compare it: one case, no accents, no invisible characters, letters of other alphabets that look like
//! ours made ours, one space between words.

use unicode_normalization::char::decompose_compatible;

/// Folds a text, at most so many bytes of it.
pub(super) fn fold(text: &str, bytes_max: usize) -> String {
    let text = text
        .get(..text.floor_char_boundary(bytes_max.min(text.len())))
        .unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for piece in text.split(char::is_whitespace) {
        if piece.is_empty() {
            continue;
        }
        if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        let start = out.len();
        if piece.is_ascii() {
            out.push_str(piece);
        } else {
            for c in piece.chars().filter(|c| !is_invisible(*c)) {
                push_folded(c, &mut out);
            }
        }
        if let Some(new) = out.get_mut(start..) {
            new.make_ascii_lowercase();
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters that take no room on the screen.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
    )
}

fn push_folded(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c);
        return;
    }
    decompose_compatible(c, |piece| {
        if unicode_normalization::char::is_combining_mark(piece) {
            return;
        }
        for lower in piece.to_lowercase() {
            match lower {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{b4}' => out.push('\''),
                '\u{2010}'..='\u{2015}' => out.push('-'),
                lower => out.push(alike(lower)),
            }
        }
    });
}

/// The Latin letter that a letter looks like.
fn alike(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'ԁ' | 'đ' | 'ð' => 'd',
        'е' | 'ҽ' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'հ' => 'h',
        'і' | 'ι' | 'ı' | 'ɩ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ł' | 'ӏ' => 'l',
        'м' => 'm',
        'ո' => 'n',
        'о' | 'ο' | 'օ' | 'ø' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn what_is_made_one() {
        for (text, want) in [
            ("  Hello\r\n\tWorld ", "hello world"),
            ("Straße über Łódź", "strasse uber lodz"),
            ("Pаypаl", "paypal"),
            ("𝐏𝐚𝐲 ＰＡＹ", "pay pay"),
            ("ac\u{200b}co\u{ad}unt\u{feff}", "account"),
            ("l’accès", "l'acces"),
        ] {
            assert_eq!(fold(text, usize::MAX), want);
        }
        assert_eq!(fold("ééé", 3), "e");
    }
}
