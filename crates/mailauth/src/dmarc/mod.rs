//! Domain-based Message Authentication, Reporting and Conformance (RFC 9989): does the domain that
//! people see as the author stand behind the message, and what does it wish for those it does not.
//! Says what the domain wishes; what is done is the operator's decision.

mod author;
mod discovery;
mod judge;
mod limits;
mod organisation;
mod record;
mod tree;

pub use author::{Author, NoAuthor};
pub use discovery::Discovery;
pub use judge::check;
pub use organisation::organizational_domain;
pub use record::{Alignment, FailureOptions, Policy, Psd, Record, RecordError, ReportUri};

/// RFC 8601 §2.7 and RFC 9989 §5.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DmarcResult {
    /// The domain publishes no policy (or none that applies): DMARC says nothing.
    None,
    Pass,
    Fail,
    TempError,
    PermError,
}

/// Why the result is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reason {
    /// An aligned SPF pass, an aligned DKIM pass, or both.
    #[error("aligned")]
    Aligned,
    #[error("what passed belongs to other domains")]
    NotAligned,
    #[error("neither SPF nor DKIM passed")]
    NothingPassed,
    /// There is no single author domain to ask about.
    #[error("{0}")]
    NoAuthor(NoAuthor),
    /// Neither the domain nor those above it publish a DMARC record.
    #[error("no policy")]
    NoPolicy,
    /// A record was found that must be treated as if it were not there.
    #[error("the record cannot be used")]
    UnusableRecord,
    #[error("the DNS did not say which policy there is")]
    PolicyUnknown,
    /// Likewise, but SPF or DKIM passed for the very domain of the author: whatever the policy is,
    /// the message satisfies it.
    #[error("aligned, but the DNS did not say which policy there is")]
    AlignedPolicyUnknown,
    /// Nothing passed, but the DNS did not answer a question of an SPF or DKIM check that could
    /// have passed for the author's domain.
    #[error("nothing passed, and the DNS did not answer for a domain that could have")]
    AuthenticationUnknown,
    /// Something passed, but the DNS did not say whether it belongs to the author's domain.
    #[error("the DNS did not say whether what passed belongs to the author's domain")]
    AlignmentUnknown,
}

/// Which tag of the record the policy was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyTag {
    P,
    /// The author's domain exists and is below the policy's domain.
    Sp,
    /// The author's domain does not exist.
    Np,
}

/// The policy that applies to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Where the record was found, without `_dmarc.`; reports are about and for this domain.
    pub domain: String,
    pub record: Record,
    pub tag: PolicyTag,
    /// What `tag` says, before `t=y` is considered.
    pub policy: Policy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dmarc {
    pub result: DmarcResult,
    pub reason: Reason,
    /// The author's domain: of the address in From, as A-labels.
    pub domain: Option<String>,
    /// Its organisational domain; known only when the decision needed it.
    pub org_domain: Option<String>,
    pub published: Option<Published>,
    /// SPF passed for MAIL FROM and the domain is aligned.
    pub spf_aligned: bool,
    /// At least one signature passed and its domain is aligned.
    pub dkim_aligned: bool,
    /// What the domain wishes to be done with this message: `None` unless the result is a failure;
    /// `t=y` makes it one level less (RFC 9989 §4.7).
    pub wish: Policy,
}

impl Published {
    /// What the owner wishes for messages that fail. RFC 9989 §4.7: `t=y` asks for one level less.
    pub fn wish(&self) -> Policy {
        if self.record.testing {
            self.policy.one_less()
        } else {
            self.policy
        }
    }
}

impl PolicyTag {
    /// As the record writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::Sp => "sp",
            Self::Np => "np",
        }
    }
}

impl DmarcResult {
    /// As Authentication-Results names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl Dmarc {
    /// Nothing is known, since the DNS was not asked or did not answer in time.
    pub fn unknown(author: Author) -> Self {
        Self::without_policy(
            author.domain(),
            DmarcResult::TempError,
            Reason::PolicyUnknown,
        )
    }

    fn without_policy(domain: Option<String>, result: DmarcResult, reason: Reason) -> Self {
        Self {
            result,
            reason,
            domain,
            org_domain: None,
            published: None,
            spf_aligned: false,
            dkim_aligned: false,
            wish: Policy::None,
        }
    }

    /// What the policy could ask for at most, whatever the result: `None` if there is no policy.
    pub fn policy_wish(&self) -> Policy {
        self.published
            .as_ref()
            .map_or(Policy::None, Published::wish)
    }

    /// The domain whose policy applies and that wants reports.
    pub fn policy_domain(&self) -> Option<&str> {
        self.published
            .as_ref()
            .map(|published| published.domain.as_str())
    }
}
