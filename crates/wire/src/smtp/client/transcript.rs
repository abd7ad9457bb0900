//! What was said, for people who look into the queue: commands and replies, no bodies, no secrets.

use std::collections::VecDeque;

use crate::limits::TRANSCRIPT_BYTES_MAX;
use crate::smtp::Reply;

/// The first half is kept whole, then the most recent lines.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    dropped: usize,
}

const HALF: usize = TRANSCRIPT_BYTES_MAX / 2;

impl Transcript {
    pub(super) fn sent(&mut self, line: &str) {
        self.add("> ", line);
    }

    pub(super) fn received(&mut self, reply: &Reply) {
        let code = reply.code();
        let enhanced = reply
            .enhanced()
            .map_or_else(String::new, |enhanced| format!("{enhanced} "));
        for line in reply.lines() {
            self.add("< ", &format!("{code} {enhanced}{line}"));
        }
    }

    pub(super) fn note(&mut self, line: &str) {
        self.add("* ", line);
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.head.clone();
        if self.dropped > 0 {
            text.push_str(&format!("* {} lines left out\n", self.dropped));
        }
        self.tail.iter().for_each(|line| text.push_str(line));
        text
    }

    fn add(&mut self, mark: &str, line: &str) {
        if self.tail.is_empty() && self.head.len() + line.len() < HALF {
            self.head.push_str(mark);
            self.head.push_str(line);
            self.head.push('\n');
            return;
        }
        let line = format!("{mark}{line}\n");
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > HALF {
            let Some(first) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= first.len();
            self.dropped += 1;
        }
    }
}
