//! What a client can ask: one value for each command of RFC 9051, RFC 3501 and the extensions we offer.
//! A value that exists fits the grammar; whether it makes sense in this mailbox is the session's question.

use mail::UnixMillis;

use super::sequence::SequenceSet;

/// A command with its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    pub tag: String,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    // Any state.
    Capability,
    Noop,
    Logout,
    /// RFC 2971. `None` is NIL.
    Id(Vec<(String, Option<String>)>),
    // Not authenticated.
    StartTls,
    Login {
        login: String,
        password: String,
    },
    Authenticate {
        mechanism: String,
        initial: Option<Vec<u8>>,
    },
    // Authenticated.
    Enable(Vec<Capability>),
    Select {
        mailbox: MailboxName,
        mode: Mode,
        condstore: Condstore,
        qresync: Option<Box<Qresync>>,
    },
    Create {
        mailbox: MailboxName,
        special_use: Vec<SpecialUse>,
    },
    Delete(MailboxName),
    Rename {
        from: MailboxName,
        to: MailboxName,
    },
    Subscribe(MailboxName),
    Unsubscribe(MailboxName),
    List(Box<List>),
    Lsub {
        reference: String,
        pattern: String,
    },
    Namespace,
    Status {
        mailbox: MailboxName,
        items: Vec<StatusItem>,
    },
    Append {
        mailbox: MailboxName,
        messages: Vec<NewMessage>,
    },
    Idle,
    GetQuota(String),
    GetQuotaRoot(MailboxName),
    SetQuota,
    // Selected.
    Check,
    Close,
    Unselect,
    /// With a set it is UID EXPUNGE (RFC 4315).
    Expunge(Option<SequenceSet>),
    Search(Box<Search>),
    Sort(Box<Sort>),
    Thread(Box<Thread>),
    Fetch(Box<Fetch>),
    Store(Box<Store>),
    Copy {
        set: SequenceSet,
        by: By,
        mailbox: MailboxName,
    },
    Move {
        set: SequenceSet,
        by: By,
        mailbox: MailboxName,
    },
}

/// The state a command asks for (RFC 9051 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    NotAuthenticated,
    Authenticated,
    Selected,
}

impl Command {
    /// The states in which the command may come, lowest and highest.
    pub fn phases(&self) -> (Phase, Phase) {
        use Phase::{Authenticated, NotAuthenticated, Selected};
        match self {
            Command::Capability | Command::Noop | Command::Logout | Command::Id(_) => {
                (NotAuthenticated, Selected)
            }
            Command::StartTls | Command::Login { .. } | Command::Authenticate { .. } => {
                (NotAuthenticated, NotAuthenticated)
            }
            Command::Check
            | Command::Close
            | Command::Unselect
            | Command::Expunge(_)
            | Command::Search(_)
            | Command::Sort(_)
            | Command::Thread(_)
            | Command::Fetch(_)
            | Command::Store(_)
            | Command::Copy { .. }
            | Command::Move { .. } => (Selected, Selected),
            _ => (Authenticated, Selected),
        }
    }

    /// The name as it stands in answers: "FETCH completed."
    pub fn name(&self) -> &'static str {
        match self {
            Command::Capability => "CAPABILITY",
            Command::Noop => "NOOP",
            Command::Logout => "LOGOUT",
            Command::Id(_) => "ID",
            Command::StartTls => "STARTTLS",
            Command::Login { .. } => "LOGIN",
            Command::Authenticate { .. } => "AUTHENTICATE",
            Command::Enable(_) => "ENABLE",
            Command::Select {
                mode: Mode::ReadWrite,
                ..
            } => "SELECT",
            Command::Select {
                mode: Mode::ReadOnly,
                ..
            } => "EXAMINE",
            Command::Create { .. } => "CREATE",
            Command::Delete(_) => "DELETE",
            Command::Rename { .. } => "RENAME",
            Command::Subscribe(_) => "SUBSCRIBE",
            Command::Unsubscribe(_) => "UNSUBSCRIBE",
            Command::List(_) => "LIST",
            Command::Lsub { .. } => "LSUB",
            Command::Namespace => "NAMESPACE",
            Command::Status { .. } => "STATUS",
            Command::Append { .. } => "APPEND",
            Command::Idle => "IDLE",
            Command::GetQuota(_) => "GETQUOTA",
            Command::GetQuotaRoot(_) => "GETQUOTAROOT",
            Command::SetQuota => "SETQUOTA",
            Command::Check => "CHECK",
            Command::Close => "CLOSE",
            Command::Unselect => "UNSELECT",
            Command::Expunge(_) => "EXPUNGE",
            Command::Search(_) => "SEARCH",
            Command::Sort(_) => "SORT",
            Command::Thread(_) => "THREAD",
            Command::Fetch(_) => "FETCH",
            Command::Store(_) => "STORE",
            Command::Copy { .. } => "COPY",
            Command::Move { .. } => "MOVE",
        }
    }
}

/// A mailbox name or pattern in UTF-8; INBOX in capitals whatever the client wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailboxName(String);

impl MailboxName {
    pub(crate) fn new(text: String) -> Self {
        if text.eq_ignore_ascii_case("INBOX") {
            MailboxName("INBOX".to_owned())
        } else {
            MailboxName(text)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// What numbers in a set and in an answer mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Sequence,
    Uid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    ReadWrite,
    ReadOnly,
}

/// Whether a SELECT also switches CONDSTORE on (RFC 7162 §3.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condstore {
    Asked,
    NotAsked,
}

/// What ENABLE can switch on (RFC 5161); other names are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    Condstore,
    Qresync,
    Utf8Accept,
    Imap4Rev2,
}

/// What the client knew when it left the mailbox (RFC 7162 §3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qresync {
    pub uid_validity: u32,
    pub mod_seq: u64,
    pub known: Option<SequenceSet>,
    pub matched: Option<(SequenceSet, SequenceSet)>,
}

/// RFC 6154.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialUse {
    All,
    Archive,
    Drafts,
    Flagged,
    Junk,
    Sent,
    Trash,
}

/// LIST with what RFC 5258, RFC 5819 and RFC 6154 add.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct List {
    pub select: ListSelect,
    pub reference: String,
    pub patterns: Vec<String>,
    pub want: ListReturn,
    /// The extended form was used, so each mailbox is named once and attributes are exact.
    pub extended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ListSelect {
    pub subscribed: bool,
    pub remote: bool,
    pub recursive_match: bool,
    pub special_use: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ListReturn {
    pub subscribed: bool,
    pub children: bool,
    pub special_use: bool,
    pub status: Vec<StatusItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    DeletedStorage,
    Size,
    HighestModSeq,
    MailboxId,
    AppendLimit,
}

/// One message of APPEND. The bytes are the literal itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub flags: Vec<Flag>,
    pub internal_date: Option<UnixMillis>,
    pub bytes: Vec<u8>,
}

/// RFC 9051 §2.3.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    Answered,
    Flagged,
    Deleted,
    Seen,
    Draft,
    Keyword(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub set: SequenceSet,
    pub by: By,
    pub action: StoreAction,
    pub answer: StoreAnswer,
    pub flags: Vec<Flag>,
    pub unchanged_since: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    Replace,
    Add,
    Remove,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAnswer {
    Flags,
    /// `.SILENT`
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub set: SequenceSet,
    pub by: By,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
    /// VANISHED of RFC 7162 §3.2.6.
    pub vanished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    Envelope,
    Flags,
    InternalDate,
    Rfc822Size,
    Uid,
    Body,
    BodyStructure,
    ModSeq,
    EmailId,
    ThreadId,
    /// RFC 8970; LAZY changes nothing, since previews are always at hand.
    Preview,
    SaveDate,
    Section {
        section: Section,
        partial: Option<Partial>,
        seen: Seen,
        label: Label,
    },
    Binary {
        path: Vec<u32>,
        partial: Option<Partial>,
        seen: Seen,
    },
    BinarySize {
        path: Vec<u32>,
    },
}

/// Whether fetching a body marks the message as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Mark,
    Peek,
}

/// The name under which a section goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Body,
    Rfc822,
    Rfc822Header,
    Rfc822Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Part numbers; empty for the message itself.
    pub path: Vec<u32>,
    pub what: SectionText,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionText {
    Whole,
    Header,
    HeaderFields { names: Vec<String>, choice: Fields },
    Text,
    Mime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    These,
    AllBut,
}

/// `<offset.count>`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    pub offset: u64,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub by: By,
    /// `None`: the old form, answered with `* SEARCH` unless IMAP4rev2 is on.
    pub want: Option<SearchReturn>,
    pub key: SearchKey,
}

/// RETURN of RFC 4731 and RFC 5182.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SearchReturn {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    All,
    And(Vec<SearchKey>),
    Or(Box<(SearchKey, SearchKey)>),
    Not(Box<SearchKey>),
    Flag(Flag),
    /// \Recent, which we never give: always false.
    Recent,
    Sequence(SequenceSet),
    Uid(SequenceSet),
    Larger(u64),
    Smaller(u64),
    /// Internal date before the day, on it, since it; days without time zone.
    Internal(DateTest, Date),
    Sent(DateTest, Date),
    Saved(DateTest, Date),
    SaveDateSupported,
    /// Seconds (RFC 5032).
    Younger(u32),
    Older(u32),
    ModSeq(u64),
    EmailId(String),
    ThreadId(String),
    /// Field name and text; an empty text asks whether the field is there.
    Header(String, String),
    Body(String),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateTest {
    Before,
    On,
    Since,
}

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub days: i64,
}

/// RFC 5256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: By,
    pub want: Option<SearchReturn>,
    pub order: Vec<SortCriterion>,
    pub key: SearchKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortCriterion {
    pub key: SortKey,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    Arrival,
    Cc,
    Date,
    From,
    Size,
    Subject,
    To,
    /// RFC 5957.
    DisplayFrom,
    DisplayTo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub by: By,
    pub algorithm: ThreadAlgorithm,
    pub key: SearchKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadAlgorithm {
    OrderedSubject,
    References,
}
