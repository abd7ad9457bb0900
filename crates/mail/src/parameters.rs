//! Values with parameters: Content-Type and Content-Disposition, with RFC 2231 continuations and charsets.

/// `type/subtype; name=value…` or `disposition; name=value…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameterised {
    /// What stands before the first semicolon, lower case.
    pub value: String,
    /// Names in lower case, values decoded; each name once (the first wins).
    pub parameters: Vec<(String, String)>,
}

pub fn parse(_value: &[u8]) -> Parameterised {
    todo!()
}
