//! What a person sees while it works: a line for each step, and a checklist that turns green.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};

use crate::output::{Form, Loudness, Style};

pub(super) struct Say {
    terminal: bool,
    silent: bool,
    /// For `--json`.
    steps: RefCell<Vec<String>>,
    /// How many lines of a checklist stand above the cursor.
    listed: RefCell<Vec<Item>>,
}

/// A line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub what: String,
    pub mark: &'static str,
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

impl Say {
    pub fn new(style: Style) -> Self {
        Self {
            // Progress goes beside the result, so that the result can be piped on.
            terminal: std::io::stderr().is_terminal(),
            silent: style.form == Form::Json || style.loudness == Loudness::Quiet,
            steps: RefCell::default(),
            listed: RefCell::default(),
        }
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal && !self.silent
    }

    pub fn steps(&self) -> Vec<String> {
        self.steps.borrow().clone()
    }

    /// Something is as it should be.
    pub fn ok(&self, text: impl AsRef<str>) {
        self.line("ok", GREEN, text.as_ref());
    }

    /// Worth knowing.
    pub fn note(&self, text: impl AsRef<str>) {
        self.line("--", PLAIN, text.as_ref());
    }

    /// Something stands in the way, with what to do about it.
    pub fn trouble(&self, text: impl AsRef<str>) {
        self.line("!!", YELLOW, text.as_ref());
    }

    /// A block to copy from, as it is.
    pub fn block(&self, text: &str) {
        if !self.silent {
            let _ = writeln!(std::io::stderr().lock(), "\n{text}\n");
        }
    }

    /// Shows the checklist in place of the one before; where nothing can be redrawn, a line for each change.
    pub fn checklist(&self, items: &[Item]) {
        let mut before = self.listed.borrow_mut();
        if self.is_terminal() {
            let mut out = String::new();
            if !before.is_empty() {
                out.push_str(&format!("\x1b[{}A", before.len()));
            }
            for item in items {
                let colour = if item.mark == "ok" { GREEN } else { YELLOW };
                out.push_str(&format!(
                    "\x1b[2K  {colour}{:<8}{PLAIN} {}\n",
                    item.mark, item.what
                ));
            }
            for _ in items.len()..before.len() {
                out.push_str("\x1b[2K\n");
            }
            let _ = std::io::stderr().lock().write_all(out.as_bytes());
        } else {
            for item in items.iter().filter(|item| !before.contains(item)) {
                self.line(item.mark, PLAIN, &item.what);
            }
        }
        *before = items.to_vec();
    }

    /// The next checklist begins below.
    pub fn checklist_done(&self) {
        self.listed.borrow_mut().clear();
    }

    fn line(&self, mark: &str, colour: &str, text: &str) {
        self.steps.borrow_mut().push(format!("{mark} {text}"));
        if self.silent {
            return;
        }
        let mut stderr = std::io::stderr().lock();
        let _ = match self.terminal {
            true => writeln!(stderr, "  {colour}{mark:<2}{PLAIN} {text}"),
            false => writeln!(stderr, "  {mark:<2} {text}"),
        };
    }
}
