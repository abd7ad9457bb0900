//! Conversations as files, run on a bare server machine: whole, byte by byte, and cut at each offset,
//! with the same result each time.
//!
//! The lines of a `.chat` file:
//! `# …` comment; `set NAME VALUE` before the first other line; `C: text` the client says, CR LF added;
//! `C! text` the same without CR LF (escapes of smtp-smuggling's tables hold in both); `S: text` the
//! next reply begins like this (a reply of many lines counts as one, its dashes as blanks); `S* text`
//! the reply just read holds this; `E: text` the next message event, escaped; `TLS` the handshake;
//! `TIMEOUT` patience runs out; `EOF` the client closes; `CLOSED` the server closed, by here.

use std::path::{Path, PathBuf};

use wire::{Machine, Step};

use crate::shared::pieces;

#[derive(Clone, Debug)]
pub enum Act {
    Say(Vec<u8>),
    Tls,
    Timeout,
    Eof,
}

#[derive(Debug, Default)]
pub struct Script {
    pub settings: Vec<(String, String)>,
    pub acts: Vec<Act>,
    /// Replies, each with what it must hold.
    pub replies: Vec<(String, Vec<String>)>,
    pub messages: Vec<Vec<u8>>,
    pub closed: bool,
}

/// What a run showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub sent: Vec<u8>,
    pub messages: Vec<Vec<u8>>,
    pub closed: bool,
}

/// A machine with a flow that answers its events in a fixed way.
pub trait Subject: Machine {
    fn answer(&mut self, event: Self::Event, trace: &mut Trace);
    fn handshake(&mut self);
}

pub fn files(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("the corpus is here")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "chat")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no conversations in {folder}");
    files
}

pub fn read(path: &Path) -> Script {
    let text = std::fs::read_to_string(path).expect("the conversation is readable");
    let mut script = Script::default();
    for line in text.lines() {
        let (head, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match (head, line) {
            ("C:", _) => script.say(&format!("{rest}\\r\\n")),
            ("C!", _) => script.say(rest),
            ("S:", _) => script.replies.push((rest.to_owned(), Vec::new())),
            ("S*", _) => script
                .replies
                .last_mut()
                .expect("S: before S*")
                .1
                .push(rest.to_owned()),
            ("E:", _) => script.messages.push(pieces(rest).concat()),
            (_, "TLS") => script.acts.push(Act::Tls),
            (_, "TIMEOUT") => script.acts.push(Act::Timeout),
            (_, "EOF") => script.acts.push(Act::Eof),
            (_, "CLOSED") => script.closed = true,
            _ if line.is_empty() || line.starts_with('#') => {}
            _ => {
                let (name, value) = line
                    .strip_prefix("set ")
                    .and_then(|set| set.split_once(' '))
                    .unwrap_or_else(|| panic!("{line}?"));
                script.settings.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    script
}

impl Script {
    /// What is said in a row is one piece, for the run to cut.
    fn say(&mut self, text: &str) {
        let bytes = pieces(text).concat();
        match self.acts.last_mut() {
            Some(Act::Say(before)) => before.extend_from_slice(&bytes),
            _ => self.acts.push(Act::Say(bytes)),
        }
    }
}

/// Runs all cuts; returns the one trace they must all have.
pub fn run_all<S: Subject>(name: &str, acts: &[Act], make: impl Fn() -> S) -> Trace {
    let whole = run(&mut make(), acts, &|bytes| vec![bytes.to_vec()]);
    let single = run(&mut make(), acts, &|bytes| {
        bytes.iter().map(|byte| vec![*byte]).collect()
    });
    assert_same(name, "byte by byte", &whole, &single);
    let longest = acts
        .iter()
        .map(|act| {
            if let Act::Say(bytes) = act {
                bytes.len()
            } else {
                0
            }
        })
        .max()
        .unwrap_or(0);
    // Long ones are tried at enough places to meet every state.
    let stride = (longest / 400).max(1);
    for cut in (1..longest).step_by(stride) {
        let trace = run(&mut make(), acts, &|bytes| {
            let (head, tail) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
            vec![head.to_vec(), tail.to_vec()]
        });
        assert_same(name, &format!("cut at {cut}"), &whole, &trace);
    }
    whole
}

#[track_caller]
fn assert_same(name: &str, how: &str, want: &Trace, got: &Trace) {
    assert_eq!(
        (
            String::from_utf8_lossy(&want.sent),
            &want.messages,
            want.closed
        ),
        (
            String::from_utf8_lossy(&got.sent),
            &got.messages,
            got.closed
        ),
        "{name}: {how}"
    );
}

pub fn run<S: Subject>(
    machine: &mut S,
    acts: &[Act],
    cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Trace {
    let mut trace = Trace::default();
    settle(machine, &mut trace);
    for act in acts {
        match act {
            Act::Say(bytes) => {
                for piece in cut(bytes) {
                    machine.receive(&piece);
                    settle(machine, &mut trace);
                }
            }
            Act::Tls => machine.handshake(),
            Act::Timeout => machine.timed_out(),
            Act::Eof => machine.end_of_input(),
        }
        settle(machine, &mut trace);
    }
    trace
}

/// Until the machine waits for the peer, for TLS, or is done.
pub fn settle<S: Subject>(machine: &mut S, trace: &mut Trace) {
    loop {
        match machine.step() {
            Step::Send(bytes) => trace.sent.extend_from_slice(&bytes),
            Step::Event(event) => machine.answer(event, trace),
            Step::NeedInput { .. } | Step::StartTls => return,
            Step::Close => {
                trace.closed = true;
                return;
            }
        }
    }
}

/// Compares a trace of SMTP-like replies with the script.
pub fn check(name: &str, script: &Script, trace: &Trace) {
    let replies = replies(&trace.sent);
    let shown = replies.join("\n");
    for (at, (want, holds)) in script.replies.iter().enumerate() {
        let got = replies
            .get(at)
            .unwrap_or_else(|| panic!("{name}: no reply {want:?} in\n{shown}"));
        assert!(
            got.starts_with(want.as_str()),
            "{name}: wanted {want:?} as number {at} in\n{shown}"
        );
        for word in holds {
            assert!(
                got.contains(word.as_str()),
                "{name}: {word:?} is not in {got:?}"
            );
        }
    }
    assert_eq!(
        replies.len(),
        script.replies.len(),
        "{name}: more was said:\n{shown}"
    );
    let text = |messages: &[Vec<u8>]| {
        messages
            .iter()
            .map(|m| m.escape_ascii().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        text(&trace.messages),
        text(&script.messages),
        "{name}: messages"
    );
    assert_eq!(trace.closed, script.closed, "{name}: closed\n{shown}");
}

/// Whole replies, each as one text: `250-a` `250 b` is "250 a\n250 b".
pub fn replies(sent: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(sent);
    assert!(
        text.is_empty() || text.ends_with("\r\n"),
        "half a reply: {text:?}"
    );
    let mut replies: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 510, "a reply line is too long: {line:?}");
        let numbered = line
            .as_bytes()
            .get(..3)
            .is_some_and(|code| code.iter().all(u8::is_ascii_digit));
        let goes_on = numbered && line.as_bytes().get(3) == Some(&b'-');
        let line = if goes_on {
            line.replacen('-', " ", 1)
        } else {
            line.to_owned()
        };
        match replies.last_mut() {
            Some(last) if open => {
                last.push('\n');
                last.push_str(&line);
            }
            _ => replies.push(line),
        }
        open = goes_on;
    }
    replies
}
