//! What a command has to say: for people (lines and tables) and for programs (JSON), made together.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of a command that did what it was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// For `--json`.
    pub value: Value,
    /// For people.
    pub view: Vec<Block>,
    /// Not always `Done`: a check that ran well may have found something.
    pub exit: Exit,
}

/// A piece of the view.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    Line(String),
    /// Advice around the result; `--quiet` leaves it out.
    Remark(String),
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
}

/// A command that failed: what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

/// The exit status (a contract with scripts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Done,
    Failed,
    Usage,
    Findings,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub form: Form,
    pub loudness: Loudness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    People,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    Quiet,
    Normal,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Findings => 3,
        }
    }
}

impl Answer {
    pub fn new(value: Value) -> Self {
        Answer {
            value,
            view: Vec::new(),
            exit: Exit::Done,
        }
    }

    pub fn line(mut self, text: impl Into<String>) -> Self {
        self.view.push(Block::Line(text.into()));
        self
    }

    pub fn remark(mut self, text: impl Into<String>) -> Self {
        self.view.push(Block::Remark(text.into()));
        self
    }

    pub fn table(mut self, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        self.view.push(Block::Table { head, rows });
        self
    }

    /// A check that found something.
    pub fn findings(self) -> Self {
        Answer {
            exit: Exit::Findings,
            ..self
        }
    }

    /// Prints to `out`. A closed pipe is not an error.
    pub fn print(&self, style: Style, out: &mut dyn Write) -> std::io::Result<()> {
        let text = match style.form {
            Form::Json => format!("{:#}\n", self.value),
            Form::People => self.for_people(style.loudness),
        };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    fn for_people(&self, loudness: Loudness) -> String {
        let mut text = String::new();
        for block in &self.view {
            match block {
                Block::Remark(_) if loudness == Loudness::Quiet => {}
                Block::Line(line) | Block::Remark(line) => {
                    text.push_str(&visible(line));
                    text.push('\n');
                }
                Block::Table { head, rows } => {
                    text.push_str(&render(head, rows));
                    text.push('\n');
                }
            }
        }
        text
    }
}

fn render(head: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.iter().map(|name| name.to_uppercase()));
    let cell =
        |cell: &String| -> String { cell.chars().map(|letter| harmless(letter, "")).collect() };
    table.add_rows(rows.iter().map(|row| row.iter().map(cell)));
    table.trim_fmt()
}

/// Lines as a terminal may have them.
pub fn visible(lines: &str) -> String {
    lines
        .chars()
        .map(|letter| harmless(letter, "\n\t"))
        .collect()
}

/// What strangers wrote goes to a terminal without what moves its cursor, hides letters or turns their direction.
fn harmless(letter: char, spared: &str) -> char {
    match letter {
        letter if spared.contains(letter) => letter,
        '\n' | '\r' | '\t' => ' ',
        letter if mail::shown::misleads(letter) => '\u{fffd}',
        letter => letter,
    }
}

impl Failure {
    pub fn failed(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Failed,
            message: message.into(),
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Usage,
            message: message.into(),
        }
    }
}
