//! Reads a script: header, steps, expected answers; and an mbox file.

pub struct Script {
    pub capabilities: Vec<String>,
    pub connections: usize,
    pub messages: Option<usize>,
    pub state: String,
    pub steps: Vec<Step>,
}

pub struct Step {
    pub connection: usize,
    /// In small letters; empty when any will do.
    pub outcome: String,
    pub command: String,
    /// Text, and whether it is wanted (`*`) or unwanted (`!`).
    pub answers: Vec<(String, bool)>,
}

impl Script {
    pub fn parse(text: &str) -> Script {
        let (header, body) = text.split_once("\n\n").unwrap_or(("", text));
        let field = |name: &str| {
            header
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        let connections = field("connections").map_or(1, |count| count.parse().expect("a number"));
        let mut script = Script {
            capabilities: field("capabilities")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_uppercase)
                .collect(),
            connections,
            messages: field("messages").and_then(|count| count.parse().ok()),
            state: field("state").unwrap_or("selected").to_owned(),
            steps: Vec::new(),
        };
        for line in joined(body) {
            script.line(&line);
        }
        script
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(answer) = line.strip_prefix("* ").or_else(|| line.strip_prefix("! ")) {
            let step = self.steps.last_mut().expect("a command before its answers");
            return step
                .answers
                .push((answer.to_owned(), line.starts_with('*')));
        }
        let (connection, rest) = match line.split_once(' ') {
            Some((number, rest)) if self.connections > 1 => match number.parse() {
                Ok(number) => (number, rest),
                Err(_) => (1, line),
            },
            _ => (1, line),
        };
        let (word, command) = rest.split_once(' ').unwrap_or((rest, ""));
        let outcome = word.to_lowercase();
        if !["ok", "no", "bad", "\"\""].contains(&outcome.as_str()) {
            // The second form, where the outcome stands behind the answers, is not used here.
            panic!("{line}: a form that this runner does not know");
        }
        let outcome = outcome.trim_matches('"').to_owned();
        self.steps.push(Step {
            connection,
            outcome,
            command: command.to_owned(),
            answers: Vec::new(),
        });
    }
}

/// Lines, those with `{{{` … `}}}` as one with a literal inside: `{n}` CR LF and n bytes.
fn joined(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.to_owned();
        while line.ends_with("{{{") {
            line.truncate(line.len() - 3);
            let mut content: Vec<&str> = Vec::new();
            let rest = loop {
                let next = lines.next().expect("}}}");
                match next.strip_prefix("}}}") {
                    Some(rest) => break rest,
                    None => content.push(next),
                }
            };
            let content = content.join("\r\n");
            line.push_str(&format!("{{{}}}\r\n{content}{rest}", content.len()));
        }
        out.push(line);
    }
    out
}

pub struct Mail {
    /// The internal date, as APPEND wants it.
    pub arguments: String,
    pub text: String,
}

/// Messages with CR LF; the empty line before the next one is not theirs. The date of arrival is on
/// the line that divides them: `From user@domain  Fri Feb 22 17:06:23 2008`.
pub fn mbox(text: &str) -> Vec<Mail> {
    let mut mails: Vec<Mail> = Vec::new();
    let mut before_is_empty = true;
    for line in text.lines() {
        if line.starts_with("From ") && before_is_empty {
            if let Some(last) = mails.last_mut() {
                last.text.truncate(last.text.len().saturating_sub(2));
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let arguments = match words.as_slice() {
                [_, _, _, month, day, time, year] => {
                    format!("\"{day:>2}-{month}-{year} {time} +0000\" ")
                }
                _ => String::new(),
            };
            mails.push(Mail {
                arguments,
                text: String::new(),
            });
        } else if let Some(mail) = mails.last_mut() {
            mail.text.push_str(line);
            mail.text.push_str("\r\n");
        }
        before_is_empty = line.is_empty();
    }
    mails
}
