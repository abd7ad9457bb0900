//! A mailbox as one POP3 session sees it: numbered once, marked, changed only at the end.

/// One message. What the flow needs to find it again is its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub octets: u64,
    pub uid: u32,
}

/// The messages at the start of the session, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maildrop {
    /// Together with a message's UID this makes its unique id. RFC 1939 §7.
    pub uid_validity: u32,
    pub entries: Vec<Entry>,
}
