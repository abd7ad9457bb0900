//! Text cut into words: case, accents, look-alike letters and invisible characters undone, numbers by their length.
//! No allocation per word. Scripts without spaces give pairs of characters.

use super::shape::Buffer;
use crate::hash;

/// Longest word in bytes; longer ones are cut there.
const WORD_BYTES_MAX: usize = 24;

/// What a piece of text has.
const LOWER: u8 = 1;
const UPPER: u8 = 2;
/// A colon or dot, without which it is no link.
const PARTING: u8 = 4;
const AT: u8 = 8;
const NOT_ASCII: u8 = 16;
const OTHER: u8 = 32;

const SEEN: [u8; 256] = {
    let mut seen = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        seen[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b':' | b'.' => PARTING,
            b'@' => AT,
            128.. => NOT_ASCII,
            _ => OTHER,
        };
        byte += 1;
    }
    seen
};

/// What was odd about the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Oddities {
    /// Characters that show nothing, inside words.
    pub invisible: usize,
    /// Words whose letters come from several scripts.
    pub mixed: usize,
    /// Letters of mathematics and the like, used as letters.
    pub fancy: usize,
    /// Words written letter by letter, with spaces or signs between.
    pub spaced: usize,
    /// Longer than words are.
    pub long: usize,
    pub upper: usize,
    pub letters: usize,
    pub digits: usize,
    pub not_ascii: usize,
    pub exclamations: usize,
    pub money: usize,
    pub emoji: usize,
    pub urls: usize,
    pub addresses: usize,
}

/// Calls `take` with each word: its hash and bytes, and whether a pair of characters instead.
pub(super) fn cut(text: &str, words_max: usize, mut take: impl FnMut(u64, &[u8])) -> Oddities {
    let mut cutter = Cutter {
        word: Buffer::new(),
        singles: Buffer::new(),
        has_digit: false,
        scripts: 0,
        before: None,
        left: words_max,
        odd: Oddities::default(),
        take: &mut take,
    };
    for chunk in text.split_ascii_whitespace() {
        if cutter.left == 0 {
            break;
        }
        cutter.chunk(chunk);
    }
    cutter.end_spaced();
    cutter.odd
}

struct Cutter<'t, F: FnMut(u64, &[u8])> {
    word: Buffer<WORD_BYTES_MAX>,
    /// Letters that stood alone, one after the other.
    singles: Buffer<WORD_BYTES_MAX>,
    has_digit: bool,
    /// Bits: Latin 1, other 2.
    scripts: u8,
    /// The last character of a script without spaces.
    before: Option<char>,
    left: usize,
    odd: Oddities,
    take: &'t mut F,
}

impl<F: FnMut(u64, &[u8])> Cutter<'_, F> {
    fn chunk(&mut self, chunk: &str) {
        let bytes = chunk.as_bytes();
        let seen = bytes
            .iter()
            .fold(0, |seen, byte| seen | SEEN[usize::from(*byte)]);
        if seen & !(LOWER | UPPER) == 0 {
            self.letters(bytes, seen & UPPER != 0);
            self.before = None;
            return;
        } else if bytes.len() > 8 && seen & PARTING != 0 && is_url(bytes) {
            self.odd.urls += 1;
            self.give(b"://");
            return;
        } else if bytes.len() > 5 && seen & AT != 0 && is_address(bytes) {
            self.odd.addresses += 1;
            self.give(b"@");
            return;
        } else if seen & NOT_ASCII == 0 {
            for &byte in bytes {
                self.ascii(byte);
            }
        } else {
            for c in chunk.chars() {
                self.character(c);
            }
        }
        self.end_word();
        self.before = None;
    }

    /// The same as [`Self::ascii`] for each and then the word's end, where all are letters: most words are.
    #[inline]
    fn letters(&mut self, bytes: &[u8], has_upper: bool) {
        self.odd.letters += bytes.len();
        if has_upper {
            self.odd.upper += bytes
                .iter()
                .filter(|byte| byte.is_ascii_uppercase())
                .count();
        }
        let mut word = [0; WORD_BYTES_MAX];
        for (slot, byte) in word.iter_mut().zip(bytes) {
            *slot = byte | 32;
        }
        let len = bytes.len().min(WORD_BYTES_MAX);
        if len == 1 {
            self.singles.push(word[0]);
        } else {
            self.end_spaced();
        }
        self.odd.long += usize::from(len == WORD_BYTES_MAX);
        if self.left > 0 {
            self.left -= 1;
            let written = word.get(..len).unwrap_or_default();
            (self.take)(hash::of_padded(&word, len), written);
        }
    }

    #[inline]
    fn ascii(&mut self, byte: u8) {
        match byte {
            b'a'..=b'z' => {
                self.odd.letters += 1;
                self.scripts |= 1;
                self.word.push(byte);
            }
            b'A'..=b'Z' => {
                self.odd.letters += 1;
                self.odd.upper += 1;
                self.scripts |= 1;
                self.word.push(byte | 32);
            }
            b'0'..=b'9' => {
                self.odd.digits += 1;
                self.has_digit = true;
                self.word.push(b'0');
            }
            // Inside words and numbers: don't, 1,000.
            b'\'' => {}
            b',' | b'.' if self.word.last() == Some(b'0') => {}
            b'$' => {
                self.end_word();
                self.odd.money += 1;
                self.word.push(b'$');
            }
            b'%' if self.word.last() == Some(b'0') => {
                self.word.push(b'%');
                self.end_word();
            }
            b'!' => {
                self.end_word();
                self.odd.exclamations += 1;
                if self.odd.exclamations > 1 {
                    self.give(b"!");
                }
            }
            _ => self.end_word(),
        }
    }

    fn character(&mut self, c: char) {
        if c.is_ascii() {
            self.ascii(c as u8);
            return;
        }
        self.odd.not_ascii += 1;
        match c {
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}' => {
                self.odd.invisible += 1;
            }
            '’' | '‘' => {}
            '€' | '£' | '¥' => {
                self.end_word();
                self.odd.money += 1;
                self.word.push(b'$');
            }
            '\u{2e80}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2ffff}' => self.ideograph(c),
            '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' => {
                self.end_word();
                self.odd.emoji += 1;
            }
            _ => self.letter(c),
        }
    }

    fn letter(&mut self, c: char) {
        if let Some(plain) = plain_letter(c) {
            self.odd.fancy += usize::from(c > '\u{2000}');
            self.ascii(plain);
        } else if c.is_alphabetic() {
            self.odd.letters += 1;
            self.scripts |= 2;
            for lower in c.to_lowercase() {
                self.word.extend(lower.encode_utf8(&mut [0; 4]).as_bytes());
            }
        } else if !c.is_alphanumeric() {
            self.end_word();
        }
    }

    fn ideograph(&mut self, c: char) {
        self.end_word();
        self.odd.letters += 1;
        if let Some(before) = self.before {
            let mut pair = Buffer::<8>::new();
            pair.extend(before.encode_utf8(&mut [0; 4]).as_bytes());
            pair.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            self.give(pair.as_slice());
        }
        self.before = Some(c);
    }

    fn end_word(&mut self) {
        if self.word.len() == 0 {
            return;
        }
        self.before = None;
        if self.scripts == 3 {
            self.unmix();
        }
        let word = std::mem::replace(&mut self.word, Buffer::new());
        if self.scripts != 0 && word.len() == 1 {
            self.singles.extend(word.as_slice());
        } else {
            self.end_spaced();
        }
        self.odd.long += usize::from(word.len() == WORD_BYTES_MAX);
        self.scripts = 0;
        self.has_digit = false;
        self.give(word.as_slice());
    }

    /// Letters of other scripts that look Latin are, in a word that is Latin elsewhere.
    fn unmix(&mut self) {
        self.odd.mixed += 1;
        let mixed = String::from_utf8_lossy(self.word.as_slice()).into_owned();
        self.word.clear();
        for c in mixed.chars() {
            match look_alike(c) {
                Some(plain) => self.word.push(plain),
                None => self.word.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// `v i a g r a` is one word.
    fn end_spaced(&mut self) {
        if self.singles.len() >= 4 {
            self.odd.spaced += 1;
            let word = std::mem::replace(&mut self.singles, Buffer::new());
            self.give(word.as_slice());
        } else {
            self.singles.clear();
        }
    }

    #[inline]
    fn give(&mut self, word: &[u8]) {
        if self.left > 0 {
            self.left -= 1;
            (self.take)(hash::of(word), word);
        }
    }
}

fn is_url(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(24)).unwrap_or_default();
    head.windows(3).any(|three| three == b"://")
        || head
            .get(..8)
            .unwrap_or(head)
            .windows(4)
            .any(|four| four == b"www.")
}

fn is_address(bytes: &[u8]) -> bool {
    memchr::memchr(b'@', bytes).is_some_and(|at| {
        at > 0
            && bytes
                .get(at..)
                .is_some_and(|rest| memchr::memchr(b'.', rest).is_some())
    })
}

/// Letters with marks, wide letters and the letters of mathematics, as the plain letter.
fn plain_letter(c: char) -> Option<u8> {
    let from = |first: u32, start: u8, len: u32| {
        let offset = (u32::from(c) - first) % len;
        start + u8::try_from(offset).unwrap_or_default()
    };
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => b'a',
        'À'..='Å' => b'A',
        'ç' | 'ć' | 'č' => b'c',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => b'e',
        'È'..='Ë' => b'E',
        'ì'..='ï' | 'ī' | 'ı' => b'i',
        'Ì'..='Ï' | 'İ' => b'I',
        'ñ' | 'ń' | 'ň' => b'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => b'o',
        'Ò'..='Ö' | 'Ø' => b'O',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => b'u',
        'Ù'..='Ü' => b'U',
        'ý' | 'ÿ' => b'y',
        'ś' | 'š' | 'ş' => b's',
        'ź' | 'ż' | 'ž' => b'z',
        'ł' => b'l',
        'ğ' => b'g',
        '\u{ff21}'..='\u{ff3a}' => from(0xff21, b'A', 26),
        '\u{ff41}'..='\u{ff5a}' => from(0xff41, b'a', 26),
        '\u{ff10}'..='\u{ff19}' => from(0xff10, b'0', 10),
        '\u{1d400}'..='\u{1d6a3}' if (u32::from(c) - 0x1d400) % 52 < 26 => {
            b'A' + u8::try_from((u32::from(c) - 0x1d400) % 52).unwrap_or_default()
        }
        '\u{1d400}'..='\u{1d6a3}' => {
            b'a' + u8::try_from((u32::from(c) - 0x1d400) % 52 - 26).unwrap_or_default()
        }
        '\u{1d7ce}'..='\u{1d7ff}' => from(0x1d7ce, b'0', 10),
        '\u{24b6}'..='\u{24cf}' => from(0x24b6, b'A', 26),
        '\u{24d0}'..='\u{24e9}' => from(0x24d0, b'a', 26),
        '\u{1f130}'..='\u{1f149}' => from(0x1f130, b'A', 26),
        _ => return None,
    })
}

/// Letters of other scripts that look like Latin ones.
fn look_alike(c: char) -> Option<u8> {
    Some(match c {
        'а' | 'α' => b'a',
        'в' | 'β' => b'b',
        'с' | 'ϲ' => b'c',
        'ԁ' => b'd',
        'е' | 'ε' | 'ҽ' => b'e',
        'һ' => b'h',
        'і' | 'ι' | 'ї' => b'i',
        'ј' => b'j',
        'к' | 'κ' => b'k',
        'ӏ' => b'l',
        'м' => b'm',
        'п' | 'η' => b'n',
        'о' | 'ο' | 'σ' => b'o',
        'р' | 'ρ' => b'p',
        'ѕ' => b's',
        'т' | 'τ' => b't',
        'υ' | 'ц' => b'u',
        'ν' => b'v',
        'ѡ' | 'ω' => b'w',
        'х' | 'χ' => b'x',
        'у' | 'γ' => b'y',
        _ => return None,
    })
}
