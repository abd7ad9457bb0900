//! Flags and keywords of a placement.
//! A keyword is a number in the account's dictionary, so that a row stays small.

use std::fmt;

/// The system flags as bits. RFC 9051 §2.3.2. (`\Recent` does not exist any more.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub(crate) u8);

impl Flags {
    pub const NONE: Self = Self(0);
    pub const SEEN: Self = Self(1);
    pub const ANSWERED: Self = Self(2);
    pub const FLAGGED: Self = Self(4);
    pub const DELETED: Self = Self(8);
    pub const DRAFT: Self = Self(16);
    pub const ALL: Self = Self(31);

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn bits(self) -> i64 {
        i64::from(self.0)
    }

    pub(crate) fn of_bits(bits: i64) -> Self {
        Self((bits & i64::from(Self::ALL.0)) as u8)
    }
}

/// `\Seen \Answered`: in the order of the bits, with a space between.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::SEEN, "\\Seen"),
            (Self::ANSWERED, "\\Answered"),
            (Self::FLAGGED, "\\Flagged"),
            (Self::DELETED, "\\Deleted"),
            (Self::DRAFT, "\\Draft"),
        ];
        let mut set = names
            .iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| *name);
        if let Some(first) = set.next() {
            f.write_str(first)?;
        }
        set.try_for_each(|name| write!(f, " {name}"))
    }
}

/// A keyword's number in its account's [`Keywords`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyword(pub u16);

/// The keywords of one placement, ascending. Most have none, which costs no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeywordSet(pub(crate) Vec<Keyword>);

impl KeywordSet {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn contains(&self, keyword: Keyword) -> bool {
        self.0.binary_search(&keyword).is_ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = Keyword> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn insert(&mut self, keyword: Keyword) {
        if let Err(at) = self.0.binary_search(&keyword) {
            self.0.insert(at, keyword);
        }
    }

    pub(crate) fn remove(&mut self, keyword: Keyword) {
        if let Ok(at) = self.0.binary_search(&keyword) {
            self.0.remove(at);
        }
    }
}

/// An account's dictionary of keywords. It only grows, so a number read once stays right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords {
    pub(crate) names: Vec<String>,
}

impl Keywords {
    /// The name as it was first written. A number from a newer snapshot has none: read again.
    #[must_use]
    pub fn name(&self, keyword: Keyword) -> Option<&str> {
        self.names.get(usize::from(keyword.0)).map(String::as_str)
    }

    /// Case does not matter in keywords. RFC 9051 §2.3.2.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Keyword> {
        self.names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
            .map(|at| Keyword(at as u16))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Keyword, &str)> {
        self.names
            .iter()
            .enumerate()
            .map(|(at, name)| (Keyword(at as u16), name.as_str()))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a client may still invent one (`\*` in PERMANENTFLAGS).
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.names.len() < crate::limits::KEYWORDS_MAX
    }
}

/// Flags and keywords by name, as a client or a rule gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub flags: Flags,
    pub keywords: Vec<String>,
}

impl Marks {
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}

impl From<Flags> for Marks {
    fn from(flags: Flags) -> Self {
        Self {
            flags,
            keywords: Vec::new(),
        }
    }
}

/// What STORE asks for. RFC 9051 §6.4.6, RFC 7162 §3.1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagEdit {
    Set(Marks),
    Add(Marks),
    Remove(Marks),
}

/// As the table holds it: numbers with a space between, nothing for none.
pub(crate) fn write_keywords(set: &KeywordSet) -> Option<String> {
    let mut numbers = set.iter().map(|keyword| keyword.0.to_string());
    let first = numbers.next()?;
    Some(numbers.fold(first, |text, number| text + " " + &number))
}

pub(crate) fn read_keywords(text: Option<&str>) -> KeywordSet {
    let numbers = text
        .unwrap_or_default()
        .split(' ')
        .filter_map(|number| number.parse().ok());
    KeywordSet(numbers.map(Keyword).collect())
}
