//! The letters that are sent: the same for every server, each with a body of its own, so that
//! storing equal bodies once earns nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The word that one letter in a hundred holds, for SEARCH.
pub const RARE: &str = "zyzzogeton";
/// Letters above this size are one base64 attachment, as large mail is.
const ATTACHMENT_FROM: usize = 200_000;

/// A small generator of numbers (splitmix64): the letters are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Writes letters.
pub struct Letters {
    words: Vec<String>,
    paragraphs: Vec<String>,
}

/// What varies from letter to letter.
pub struct Letter<'a> {
    pub number: usize,
    pub size: usize,
    pub from: &'a str,
    pub to: &'a str,
}

impl Letters {
    pub fn new() -> Self {
        let mut numbers = Numbers(20_240_601);
        let words: Vec<String> = (0..6000).map(|_| word(&mut numbers)).collect();
        let paragraphs = (0..400).map(|_| paragraph(&mut numbers, &words)).collect();
        Self { words, paragraphs }
    }

    /// The subject word that letter `number` starts with.
    pub fn subject_word(&self, number: usize) -> &str {
        &self.words[(number * 7919) % self.words.len()]
    }

    /// A whole message with CR LF; no line starts with a dot.
    pub fn write(&self, letter: &Letter<'_>) -> Vec<u8> {
        let i = letter.number;
        let mut numbers = Numbers(i as u64 * 7919 + letter.size as u64);
        let subject: Vec<&str> = (0..5)
            .map(|_| self.words[numbers.below(self.words.len())].as_str())
            .collect();
        let large = ATTACHMENT_FROM < letter.size;
        let kind = if large {
            "application/octet-stream\r\nContent-Transfer-Encoding: base64"
        } else {
            "text/plain; charset=utf-8"
        };
        let mut text = format!(
            "Date: Mon, {:02} Jun 2024 {:02}:{:02}:00 +0000\r\nFrom: Bench <{}>\r\nTo: <{}>\r\nSubject: {} {}\r\n\
             Message-ID: <{i}.{:x}@remote.test>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n",
            1 + i % 28,
            i % 24,
            i % 60,
            letter.from,
            letter.to,
            self.subject_word(i),
            subject.join(" "),
            numbers.next(),
        );
        if large {
            attach(&mut text, &mut numbers, letter.size);
        } else {
            self.tell(&mut text, &mut numbers, letter);
        }
        text.into_bytes()
    }

    fn tell(&self, text: &mut String, numbers: &mut Numbers, letter: &Letter<'_>) {
        if holds_rare_word(letter.number) {
            text.push_str(RARE);
            text.push_str("\r\n");
        }
        while text.len() + 2 < letter.size {
            let paragraph = &self.paragraphs[numbers.below(self.paragraphs.len())];
            let room = (letter.size - text.len() - 2).min(paragraph.len());
            text.push_str(paragraph[..room].trim_end());
            text.push_str("\r\n");
        }
    }
}

pub fn holds_rare_word(number: usize) -> bool {
    number % 100 == 7
}

fn attach(text: &mut String, numbers: &mut Numbers, size: usize) {
    while text.len() < size {
        let bytes: Vec<u8> = (0..8)
            .flat_map(|_| numbers.next().to_le_bytes())
            .take(57)
            .collect();
        STANDARD.encode_string(bytes, text);
        text.push_str("\r\n");
    }
}

fn word(numbers: &mut Numbers) -> String {
    let mut word = String::new();
    for _ in 0..1 + numbers.below(4) {
        word.push(char::from(b"bcdfghklmnprstvz"[numbers.below(16)]));
        word.push(char::from(b"aeiou"[numbers.below(5)]));
    }
    word
}

fn paragraph(numbers: &mut Numbers, words: &[String]) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for _ in 0..50 + numbers.below(40) {
        let word = &words[numbers.below(words.len())];
        if 72 < column + word.len() {
            text.push_str("\r\n");
            column = 0;
        }
        text.push_str(word);
        text.push(' ');
        column += word.len() + 1;
    }
    text.push_str("\r\n");
    text
}
