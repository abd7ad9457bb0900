//! Real refusals of the shared corpora with the labels of others, and which half each belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use doctor::replies::{Class, Phase, Refusal, bounce, classify};

use super::labels;

/// One labelled refusal.
pub struct Sample {
    pub name: String,
    pub label: String,
    /// First: the usual class of the label; all: what is accepted.
    pub accepted: &'static [Class],
    /// `None`: the bounce message gave no such recipient.
    pub refusal: Option<Refusal>,
}

/// The corpora's folder: `../shared/corpora` beside the repository, or under `$POSTROAD_SHARED`.
pub fn folder(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("POSTROAD_SHARED").map(PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = here.ancestors().map(|above| above.join("../shared"));
    given
        .into_iter()
        .chain(above)
        .map(|shared| shared.join("corpora").join(name))
        .find(|folder| folder.is_dir())
}

/// Which part of a set a sample belongs to, by FNV-1a of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Rules were written looking at these (half).
    Development,
    /// Looked at once, to see what kinds of text were not thought of (a quarter).
    Second,
    /// Not looked at before its figure was written down (a quarter).
    Held,
}

pub fn part_of(name: &str) -> Part {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    match hash % 4 {
        0 | 2 => Part::Development,
        1 => Part::Second,
        _ => Part::Held,
    }
}

/// Bounce messages labelled by sisimai.
pub fn sisimai() -> Vec<Sample> {
    let Some(folder) = folder("bounces") else {
        println!("skipped: bounces (309 labels)");
        return Vec::new();
    };
    let table = fs::read_to_string(folder.join("sisimai-labels.tsv")).unwrap();
    let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        reasons.entry(cells[0]).or_default().insert(cells[4]);
    }
    let mut samples = Vec::new();
    for (file, reasons) in reasons {
        let message = fs::read(folder.join("sisimai/bsd").join(file)).unwrap();
        let mut returned: Vec<Refusal> = bounce::read(&message)
            .into_iter()
            .map(|returned| returned.refusal)
            .collect();
        for reason in reasons {
            let Some(accepted) = labels::sisimai(reason) else {
                continue;
            };
            // By file: each of its reasons wants a recipient of its own, in whatever order.
            let fitting = returned
                .iter()
                .position(|refusal| accepted.contains(&classify(refusal).class));
            let taken = fitting.or((!returned.is_empty()).then_some(0));
            samples.push(Sample {
                name: file.to_owned(),
                label: reason.to_owned(),
                accepted,
                refusal: taken.map(|at| returned.remove(at)),
            });
        }
    }
    samples
}

/// Replies quoted in the comments of ZoneMTA's rules; the rule below labels them.
pub fn zonemta() -> Vec<Sample> {
    let Some(folder) = folder("bounce-rules") else {
        println!("skipped: bounce-rules (ZoneMTA's quoted replies)");
        return Vec::new();
    };
    let text = fs::read_to_string(folder.join("zonemta-bounces.txt")).unwrap();
    let mut quoted: Vec<&str> = Vec::new();
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let looks_said = comment.starts_with(['4', '5'])
                && comment.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
            if looks_said {
                quoted.push(comment);
            }
        } else if line.trim().is_empty() {
            quoted.clear();
        } else if !line.starts_with('#') {
            let category = line.rsplit(',').nth(1).unwrap_or_default();
            if let Some(accepted) = labels::zonemta(category) {
                samples.extend(quoted.drain(..).map(|reply| Sample {
                    name: reply.to_owned(),
                    label: category.to_owned(),
                    accepted,
                    refusal: Some(Refusal::read("", "", Phase::Unknown, reply)),
                }));
            }
        }
    }
    samples
}

/// Texts made from expressions of other servers' rules: their simplest match.
pub fn rules() -> Vec<Sample> {
    let Some(folder) = folder("bounce-rules") else {
        println!("skipped: bounce-rules (452 rules)");
        return Vec::new();
    };
    let mut samples = Vec::new();
    let zone = fs::read_to_string(folder.join("zonemta-bounces.txt")).unwrap();
    for line in zone.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.rsplitn(4, ',');
        let category = fields.nth(1).unwrap_or_default();
        let expression = fields.nth(1).unwrap_or_default();
        if let Some(accepted) = labels::zonemta(category) {
            push_rule(&mut samples, expression, category, accepted);
        }
    }
    for file in ["kumomta-iana.toml", "kumomta-community-bounces.toml"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let mut class = "";
        for line in text.lines() {
            if let Some((name, _)) = line.split_once(" = [") {
                class = name;
            } else if let Some(quoted) = line.trim().strip_prefix('"') {
                let end = quoted.rfind("\",").or(quoted.rfind('"')).unwrap_or(0);
                let expression = quoted[..end].replace("\\\\", "\\");
                if let Some(accepted) = labels::kumomta(class) {
                    push_rule(&mut samples, &expression, class, accepted);
                }
            }
        }
    }
    samples
}

fn push_rule(samples: &mut Vec<Sample>, expression: &str, label: &str, accepted: &'static [Class]) {
    let reply = simplest(expression);
    samples.push(Sample {
        name: format!("{expression} => {reply}"),
        label: label.to_owned(),
        accepted,
        refusal: Some(Refusal::read("", "", Phase::Unknown, &reply)),
    });
}

/// A plain text that an expression of these files matches: first alternatives, digits as 0, gaps as a blank.
fn simplest(expression: &str) -> String {
    let mut text = String::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '^' | '$' => {}
            '\\' => match rest.next() {
                Some('d') => text.push('1'),
                Some('s') => text.push(' '),
                Some('b') | None => {}
                Some(other) => text.push(other),
            },
            '.' => text.push(' '),
            '[' => {
                let set: String = rest.by_ref().take_while(|c| *c != ']').collect();
                text.push(if set.contains("\\d") {
                    '1'
                } else {
                    set.chars().next().unwrap_or(' ')
                });
            }
            '(' => {
                let mut inner = String::new();
                let mut depth = 1;
                for c in rest.by_ref() {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    if depth == 0 {
                        break;
                    }
                    inner.push(c);
                }
                if !inner.starts_with("?!") {
                    let inner = inner.trim_start_matches("?:");
                    text.push_str(&simplest(inner.split('|').next().unwrap_or_default()));
                }
            }
            '*' | '+' => {}
            '?' => {
                text.pop();
            }
            '{' => {
                let count: String = rest.by_ref().take_while(|c| *c != '}').collect();
                if let (Ok(count), Some(last)) = (count.parse::<usize>(), text.pop()) {
                    text.extend(std::iter::repeat_n(last, count));
                }
            }
            other => text.push(other),
        }
    }
    // "Any 5xx" and "any code" become the commonest.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let usual = match text.get(..5) {
        Some(code) if code.starts_with("411") || code == "111 4" => "450",
        Some(code) if code.starts_with("511") || code == "111 5" => "550",
        _ => return text,
    };
    format!("{usual}{}", &text[3..])
}
