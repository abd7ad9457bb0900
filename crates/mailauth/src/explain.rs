//! What was looked at and why a check said what it said, step by step, for people.
//! Nothing is collected unless somebody asked for it: a check in production passes [`Notes::off`].

use world::{Answer, AnswerStatus, DnsError, Kind, Record};

/// Most steps that are kept: a hostile record must not make an endless story.
const STEPS_MAX: usize = 2_000;

/// Most characters of an answer that are shown.
const ANSWER_CHARS_MAX: usize = 4_000;

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub text: String,
    /// How deep this step lies within others (an included SPF record, one signature of several).
    pub depth: u8,
    /// The question to the DNS that this step is about.
    pub asked: Option<Asked>,
}

/// A question to the DNS, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    pub kind: Kind,
    /// The records, or why there are none.
    pub answer: String,
}

/// Takes the steps of one check, if somebody wants them.
#[derive(Debug)]
pub struct Notes {
    steps: Option<Vec<Step>>,
    depth: u8,
}

impl Notes {
    /// Keeps nothing and costs nothing.
    pub fn off() -> Self {
        Self {
            steps: None,
            depth: 0,
        }
    }

    pub fn on() -> Self {
        Self {
            steps: Some(Vec::new()),
            depth: 0,
        }
    }

    pub fn wanted(&self) -> bool {
        self.steps.is_some()
    }

    /// An empty one of the same mood and depth, for a part that runs beside others; [`Notes::join`]
    /// brings it back.
    pub fn branch(&self) -> Self {
        Self {
            steps: self.steps.as_ref().map(|_| Vec::new()),
            depth: self.depth,
        }
    }

    pub fn join(&mut self, branch: Self) {
        for step in branch.into_steps() {
            self.push(step);
        }
    }

    /// The text is only made when it is wanted.
    pub fn say(&mut self, text: impl FnOnce() -> String) {
        if self.wanted() {
            let step = Step {
                text: text(),
                depth: self.depth,
                asked: None,
            };
            self.push(step);
        }
    }

    /// A question, with why it was asked.
    pub fn asked(&mut self, why: &str, name: &str, kind: Kind, answer: &Result<Answer, DnsError>) {
        if self.wanted() {
            let step = Step {
                text: why.to_owned(),
                depth: self.depth,
                asked: Some(Asked {
                    name: name.to_owned(),
                    kind,
                    answer: in_words(answer),
                }),
            };
            self.push(step);
        }
    }

    /// What follows lies one level deeper, until [`Notes::back`].
    pub fn deeper(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    pub fn back(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub fn into_steps(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }

    fn push(&mut self, step: Step) {
        if let Some(steps) = &mut self.steps
            && steps.len() < STEPS_MAX
        {
            steps.push(step);
        }
    }
}

/// An answer as a person would write it down.
pub fn in_words(answer: &Result<Answer, DnsError>) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return format!("no answer: {error}"),
    };
    match answer.status {
        AnswerStatus::NoSuchName => return "the name does not exist".to_owned(),
        AnswerStatus::NoData => return "no such record".to_owned(),
        AnswerStatus::Found if answer.records.is_empty() => return "no such record".to_owned(),
        AnswerStatus::Found => {}
    }
    let mut text = String::new();
    for record in &answer.records {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&record_in_words(record));
        if ANSWER_CHARS_MAX < text.len() {
            let cut = text.floor_char_boundary(ANSWER_CHARS_MAX);
            text.truncate(cut);
            text.push('…');
            break;
        }
    }
    text
}

fn record_in_words(record: &Record) -> String {
    match record {
        Record::A(address) => address.to_string(),
        Record::Aaaa(address) => address.to_string(),
        Record::Mx {
            preference,
            exchange,
        } => format!("{preference} {exchange}"),
        Record::Txt(strings) => format!("\"{}\"", printable(&strings.concat())),
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => name.clone(),
        other => format!("{other:?}"),
    }
}

/// Bytes of strangers, safe to show: printable ASCII as it is, the rest escaped.
pub fn printable(bytes: &[u8]) -> String {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if let (true, Ok(text)) = (bytes.iter().all(plain), std::str::from_utf8(bytes)) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}
