//! Answers as trees of words and lists, and whether one fits what a script expects.

use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Word(String),
    List(Vec<Node>),
}

/// What scripts remember from answers.
pub struct Variables(HashMap<String, String>);

impl Variables {
    pub fn new() -> Variables {
        let mut known = HashMap::new();
        for (name, value) in [
            ("mailbox", "imaptest"),
            ("user", "alice@example.test"),
            ("username", "alice"),
        ] {
            known.insert(name.to_owned(), value.to_owned());
        }
        Variables(known)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The text with its variables; `$$` is a dollar.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let (name, after) = variable(rest);
            out.push_str(
                self.0
                    .get(name)
                    .ok_or_else(|| format!("${name} is not known"))?,
            );
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The name at the start of what follows a dollar, and what follows it.
fn variable(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text
        .strip_prefix('{')
        .and_then(|inner| inner.split_once('}'))
    {
        return (name, after);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Whether an untagged answer is what the script wants; remembers variables if it is.
pub fn matches(wanted: &str, got: &str, original: Option<u32>, variables: &mut Variables) -> bool {
    let wanted = nodes(wanted);
    let got = nodes(got.strip_prefix("* ").unwrap_or(got));
    let mut bound = HashMap::new();
    let fits = top(&wanted, &got, original, variables, &mut bound);
    if fits {
        variables.0.extend(bound);
    }
    fits
}

type Bound = HashMap<String, String>;

fn top(
    wanted: &[Node],
    got: &[Node],
    original: Option<u32>,
    known: &Variables,
    bound: &mut Bound,
) -> bool {
    let word = |nodes: &[Node], at: usize| match nodes.get(at) {
        Some(Node::Word(word)) => word.to_lowercase(),
        _ => String::new(),
    };
    let kind = if word(wanted, 1) == "fetch" {
        "fetch".to_owned()
    } else {
        word(wanted, 0)
    };
    // Only the start of a status text counts.
    let is_status = ["ok", "no", "bad", "bye"].contains(&kind.as_str());
    if wanted.len() != got.len() && !(is_status && wanted.len() <= got.len()) {
        return false;
    }
    wanted
        .iter()
        .zip(got)
        .enumerate()
        .all(|(at, (want, have))| {
            if let (Node::Word(name), 0, Some(original)) = (want, at, original)
                && let Some(number) = name
                    .strip_prefix('$')
                    .and_then(|number| number.parse::<u32>().ok())
            {
                return number == original;
            }
            node(want, have, &kind, known, bound)
        })
}

fn node(want: &Node, have: &Node, kind: &str, known: &Variables, bound: &mut Bound) -> bool {
    match (want, have) {
        (Node::Word(want), have) if want == "$" => {
            let _ = have;
            true
        }
        (Node::Word(want), Node::Word(have)) => word(want, have, known, bound),
        (Node::List(want), Node::List(have)) => list(want, have, kind, known, bound),
        _ => false,
    }
}

fn word(want: &str, have: &str, known: &Variables, bound: &mut Bound) -> bool {
    if let Some(rest) = want.strip_prefix('$') {
        let (name, after) = variable(rest);
        if after.is_empty() && !name.is_empty() && !known.0.contains_key(name) {
            return match bound.get(name) {
                Some(value) => value.eq_ignore_ascii_case(have),
                None => {
                    bound.insert(name.to_owned(), have.to_owned());
                    true
                }
            };
        }
    }
    let with_bound = Variables(
        known
            .0
            .iter()
            .chain(bound.iter())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
    );
    with_bound
        .fill(want)
        .is_ok_and(|want| plain(&want).eq_ignore_ascii_case(&plain(have)))
}

/// Texts of several lines are compared without CR: a cut may fall between CR and LF.
fn plain(text: &str) -> String {
    if text.contains('\n') || text.contains('\r') {
        return text.replace('\r', "").trim_matches('\n').to_owned();
    }
    text.to_owned()
}

fn list(want: &[Node], have: &[Node], kind: &str, known: &Variables, bound: &mut Bound) -> bool {
    match kind {
        "fetch" | "status" => pairs(want, have, known, bound),
        "flags" => {
            let have: Vec<Node> = have
                .iter()
                .filter(|node| **node != Node::Word("\\Recent".into()))
                .cloned()
                .collect();
            want.len() == have.len() && each_somewhere(want, &have, known, bound)
        }
        "list" | "lsub" => each_somewhere(want, have, known, bound),
        _ => {
            want.len() == have.len()
                && want
                    .iter()
                    .zip(have)
                    .all(|(want, have)| node(want, have, "", known, bound))
        }
    }
}

/// `$!unordered=2`: names with values, others may stand between.
fn pairs(want: &[Node], have: &[Node], known: &Variables, bound: &mut Bound) -> bool {
    want.chunks(2).all(|want| {
        have.chunks(2).any(|have| {
            let kind = match want.first() {
                Some(Node::Word(name)) if name.eq_ignore_ascii_case("flags") => "flags",
                _ => "",
            };
            want.len() == have.len()
                && want
                    .iter()
                    .zip(have)
                    .all(|(want, have)| node(want, have, kind, known, bound))
        })
    })
}

fn each_somewhere(want: &[Node], have: &[Node], known: &Variables, bound: &mut Bound) -> bool {
    want.iter()
        .all(|want| have.iter().any(|have| node(want, have, "", known, bound)))
}

fn nodes(text: &str) -> Vec<Node> {
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
    };
    reader.nodes(None)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn nodes(&mut self, end: Option<u8>) -> Vec<Node> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.text.get(self.at).copied() {
            if Some(byte) == end {
                self.at += 1;
                break;
            }
            match byte {
                b' ' => self.at += 1,
                b'(' => {
                    self.at += 1;
                    nodes.push(Node::List(self.nodes(Some(b')'))));
                }
                b'[' => {
                    self.at += 1;
                    nodes.push(Node::List(self.nodes(Some(b']'))));
                }
                b'"' => nodes.push(self.quoted()),
                b'{' => nodes.push(self.literal()),
                b'~' if self.text.get(self.at + 1) == Some(&b'{') => self.at += 1,
                _ => nodes.push(self.word()),
            }
        }
        nodes
    }

    fn quoted(&mut self) -> Node {
        let mut value = Vec::new();
        self.at += 1;
        while let Some(byte) = self.text.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    value.extend(self.text.get(self.at));
                    self.at += 1;
                }
                byte => value.push(byte),
            }
        }
        Node::Word(String::from_utf8_lossy(&value).into_owned())
    }

    fn literal(&mut self) -> Node {
        let rest = &self.text[self.at + 1..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'}')
            .expect("a bracket");
        let size: usize = std::str::from_utf8(&rest[..end])
            .expect("digits")
            .parse()
            .expect("a size");
        let start = self.at + 1 + end + 3;
        self.at = start + size;
        Node::Word(String::from_utf8_lossy(&self.text[start..self.at]).into_owned())
    }

    /// Up to a space or bracket; `BODY[HEADER.FIELDS (A B)]` is one word.
    fn word(&mut self) -> Node {
        let start = self.at;
        let mut depth = 0;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'[' => depth += 1,
                b']' if depth == 0 => break,
                b']' => depth -= 1,
                b' ' | b'(' | b')' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        Node::Word(String::from_utf8_lossy(&self.text[start..self.at]).into_owned())
    }
}
