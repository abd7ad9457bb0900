//! The Authentication-Results field (RFC 8601): writing ours, reading those of others, and finding
//! fields that only pretend to be ours. Says nothing of whether a foreign field can be believed.

mod forged;
mod limits;
mod read;
mod write;

pub use forged::forged;
pub use read::parse;
pub(crate) use read::parse_or_empty;
pub use write::{summary, write};

/// What an Authentication-Results field says, in its own words: nothing in it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Who claims to have done the checks.
    pub authserv_id: String,
    pub results: Vec<MethodResult>,
}

/// One `method=result` with what belongs to it, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    pub method: String,
    pub result: String,
    pub reason: Option<String>,
    pub properties: Vec<Property>,
}

/// `ptype.property=value`, names in lower case, quotes gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub ptype: String,
    pub property: String,
    pub value: String,
}

impl Results {
    /// The results of one method, in the order of the field.
    pub fn of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a MethodResult> {
        self.results
            .iter()
            .filter(move |result| result.method == method)
    }
}

impl MethodResult {
    /// The value of a property, as `header.d`.
    pub fn property(&self, ptype: &str, property: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|one| one.ptype == ptype && one.property == property)
            .map(|one| one.value.as_str())
    }
}
