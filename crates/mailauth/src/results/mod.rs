//! The Authentication-Results field (RFC 8601): writing ours, reading those of others, and finding
//! fields that only pretend to be ours. Says nothing of whether a foreign field can be believed.

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
