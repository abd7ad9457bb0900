//! The one door to disk: accounts, mailboxes, messages, bodies, queue, changes.
//! Knows no network: what a peer sees of it is the business of `mta` and `access`.
//!
//! [`Store::read`] runs a closure on a snapshot ([`View`]), [`Store::write`] and [`Store::accept`]
//! run one as a transaction ([`Change`]). A closure may run more than once (PostgreSQL asks for
//! that when two changes meet), so it has no effect but through what it is given. It never waits
//! for a peer: a long snapshot keeps the database from tidying up.

pub mod bans;
pub mod blobs;
pub mod deliveries;
pub mod findings;
pub mod held;
pub mod lessons;
pub mod limits;
pub mod queue;
pub mod reports;
pub mod senders;
pub mod sending;
pub mod transport;

mod accounts;
mod attachments;
mod body;
mod certificates;
mod changes;
mod dns_servers;
mod domains;
mod engine;
mod errors;
mod flags;
mod forward;
mod ids;
mod jobs;
mod login;
mod mailboxes;
mod messages;
mod open;
mod policy;
mod receipt;
mod schema;
mod sealing;
mod settings;
mod shared;
mod store;
mod tidy;
mod uids;
mod unwaited;
mod view;
mod watch;

pub use accounts::{
    Account, AccountError, AccountState, Alias, AliasError, NewAccount, OverQuota, Resolution,
    Target,
};
pub use attachments::AttachmentRule;
pub use body::BodyRef;
pub use certificates::{Challenge, ChallengeKind, Fetched, StoredCertificate};
pub use changes::{Changed, Happened};
pub use dns_servers::{DnsServer, DnsServerKey};
pub use domains::{
    DkimAlgorithm, DkimKey, DkimLook, DkimRecord, DkimRotation, DkimState, Domain, DomainError,
    MtaStsMode, NewDkimKey, OwnDmarc, OwnMtaSts, signing,
};
pub use errors::{OpenError, StoreError};
pub use flags::{FlagEdit, Flags, Keyword, KeywordSet, Keywords, Marks};
pub use forward::{Forward, SrsSecret};
pub use ids::{AccountId, BlobId, MailboxId, MessageId, ModSeq, QueueId, Uid, UidValidity};
pub use jobs::{JobEnd, JobState};
pub use login::{
    AppPassword, AppPasswordBounds, AppPasswordError, AppPasswordUse, Barred, Client, Entrance,
    LastTold, LoggedIn, LoginError, LoginRules, NewAppPassword, PasswordUsed, Protocol, Protocols,
    RulesOf, ScramAttempt, ScramKeys, ScramPair, SessionWatch, SignIn, SignInFacts, SignInNetwork,
    SignInNews, SignInOutcome, Visit, neighbourhood_of, place_of, readable_password,
};
pub use mailboxes::{Mailbox, MailboxError, MailboxName, SpecialUse};
pub use messages::{
    Append, Appended, Columns, Copied, Delivered, Delivery, DeliveryTarget, Expunged, FlagOutcome,
    FoundMessage, MessageError, Place, Placement, QuotaRule, Stored, StoredRow,
};
pub use policy::{DmarcChoice, Trust, TrustKind};
pub use receipt::{Accepted, Receipt};
pub use settings::{Mode, StoreSettings};
pub use store::{Durability, Store};
pub use uids::UidSet;
pub use view::{Change, View};
pub use watch::{NoticeWatcher, Watcher};
