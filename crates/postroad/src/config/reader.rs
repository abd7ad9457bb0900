//! Reads typed values from a TOML table and remembers every fault with its line.
//! What nobody asked for is an unknown key, reported with the nearest known one.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Fault;
use crate::nearest::nearest;

/// One table of the file.
pub struct Reader<'i> {
    text: &'i str,
    file: &'i str,
    /// Dotted name of this table with its dot, or empty for the top.
    prefix: String,
    table: DeTable<'i>,
    /// Where the table begins, for faults about what is not there.
    at: usize,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'i> Reader<'i> {
    pub fn new(text: &'i str, file: &'i str, table: DeTable<'i>) -> Self {
        Reader {
            text,
            file,
            prefix: String::new(),
            table,
            at: 0,
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The faults found, with those of keys that nobody read.
    pub fn finish(mut self) -> Vec<Fault> {
        self.report_unknown();
        self.faults.sort_by_key(|fault| fault.line);
        self.faults
    }

    pub fn string(&mut self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => self.wrong(&value, key, "a text in quotes"),
        }
    }

    /// A host name, in lower case A-labels.
    pub fn host_name(&mut self, key: &'static str) -> Option<String> {
        let name = self.string(key)?;
        match mail::Domain::parse(&name) {
            Ok(domain) => Some(domain.to_string()),
            Err(_) => {
                self.bad(
                    key,
                    &format!("{name:?} is not a host name, such as \"mail.example.org\""),
                );
                None
            }
        }
    }

    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        value
            .get_ref()
            .as_bool()
            .or_else(|| self.wrong(&value, key, "true or false"))
    }

    pub fn port(&mut self, key: &'static str) -> Option<u16> {
        let value = self.value(key)?;
        integer(value.get_ref())
            .and_then(|number| u16::try_from(number).ok())
            .or_else(|| self.wrong(&value, key, "a port, 0 to 65535"))
    }

    /// A positive number.
    pub fn size(&mut self, key: &'static str) -> Option<usize> {
        let value = self.value(key)?;
        integer(value.get_ref())
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| 0 < *number)
            .or_else(|| self.wrong(&value, key, "a number above zero"))
    }

    /// A path; a relative one begins at `home`.
    pub fn path(&mut self, key: &'static str, home: &Path) -> Option<PathBuf> {
        self.string(key).map(|path| home.join(path))
    }

    pub fn addresses(&mut self, key: &'static str) -> Vec<IpAddr> {
        self.list(
            key,
            "an IP address in quotes, or several in brackets",
            |value| value.as_str()?.parse().ok(),
        )
    }

    /// Addresses with or without a port.
    pub fn socket_addresses(&mut self, key: &'static str, port: u16) -> Vec<SocketAddr> {
        self.list(
            key,
            "an \"address\" or \"address:port\", or several in brackets",
            |value| {
                let text = value.as_str()?;
                let bare = || {
                    text.parse()
                        .ok()
                        .map(|address: IpAddr| SocketAddr::new(address, port))
                };
                text.parse().ok().or_else(bare)
            },
        )
    }

    /// One value or an array of them, each taken by `take`.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        mut take: impl FnMut(&DeValue<'i>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let taken = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| take(item.get_ref())).collect(),
            single => take(single).map(|one| vec![one]),
        };
        taken
            .or_else(|| self.wrong(&value, key, wanted))
            .unwrap_or_default()
    }

    /// Any value, taken by the caller.
    pub fn value(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.get(key).cloned()
    }

    /// A table inside this one; does nothing when it is not there.
    pub fn table(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'i>)) {
        if let Some(value) = self.value(key) {
            self.enter(key, value, read);
        }
    }

    /// Every table inside the table `key`, whose names are free.
    pub fn each_table(&mut self, key: &'static str, mut read: impl FnMut(&str, &mut Reader<'i>)) {
        let Some(value) = self.value(key) else { return };
        let DeValue::Table(tables) = value.get_ref() else {
            let _: Option<()> = self.wrong(&value, key, "a table, one entry for each name");
            return;
        };
        for (name, inner) in tables {
            let full = format!("{key}.{}", name.get_ref());
            self.enter(&full, inner.clone(), |table| read(name.get_ref(), table));
        }
    }

    /// An array of entries, or one alone. Each is a table, or a text that stands for a table with this one key.
    pub fn each_entry(
        &mut self,
        key: &'static str,
        short: &'static str,
        mut read: impl FnMut(&mut Reader<'i>),
    ) {
        let Some(value) = self.value(key) else { return };
        let entries = match value.get_ref() {
            DeValue::Array(items) => items.iter().cloned().collect(),
            _ => vec![value],
        };
        for entry in entries {
            let span = entry.span();
            let table = match entry.get_ref() {
                DeValue::String(_) => {
                    let mut table = DeTable::new();
                    table.insert(Spanned::new(span.clone(), short.into()), entry);
                    Spanned::new(span, DeValue::Table(table))
                }
                _ => entry,
            };
            self.enter(key, table, &mut read);
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let word = self.string(key)?;
        let found = words.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            let names: Vec<String> = words
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            self.bad(key, &format!("use {}", names.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes that the value of a key will not do.
    pub fn bad(&mut self, key: &str, advice: &str) {
        let at = self
            .table
            .get(key)
            .map_or(self.at, |value| value.span().start);
        self.fault(at, format!("{}{key}: {advice}", self.prefix));
    }

    /// Notes that a key is not there.
    pub fn missing(&mut self, key: &str, advice: &str) {
        self.fault(
            self.at,
            format!("{}{key} is missing: {advice}", self.prefix),
        );
    }

    fn enter(
        &mut self,
        key: &str,
        value: Spanned<DeValue<'i>>,
        read: impl FnOnce(&mut Reader<'i>),
    ) {
        let at = value.span().start;
        let DeValue::Table(table) = value.into_inner() else {
            self.fault(
                at,
                format!(
                    "{}{key} must be a table: write [{}{key}] on a line of its own",
                    self.prefix, self.prefix
                ),
            );
            return;
        };
        let mut inner = Reader::new(self.text, self.file, table);
        inner.prefix = format!("{}{key}.", self.prefix);
        inner.at = at;
        read(&mut inner);
        inner.report_unknown();
        self.faults.append(&mut inner.faults);
    }

    fn report_unknown(&mut self) {
        let unknown: Vec<(usize, String)> = self
            .table
            .keys()
            .filter(|key| !self.known.contains(&key.get_ref().as_ref()))
            .map(|key| (key.span().start, key.get_ref().to_string()))
            .collect();
        for (at, key) in unknown {
            let advice = match nearest(&key, self.known.iter().copied()) {
                Some(guess) => format!("did you mean `{}{guess}`?", self.prefix),
                None => format!("known here: {}", self.known.join(", ")),
            };
            self.fault(at, format!("unknown key `{}{key}`; {advice}", self.prefix));
        }
    }

    fn wrong<T>(&mut self, value: &Spanned<DeValue<'i>>, key: &str, wanted: &str) -> Option<T> {
        let message = format!("{}{key} must be {wanted}", self.prefix);
        self.fault(value.span().start, message);
        None
    }

    fn fault(&mut self, at: usize, message: String) {
        let line = line_of(self.text, at);
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line,
            message,
        });
    }
}

/// The number of the line that holds the byte at `at`.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text
        .as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
}

pub fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
