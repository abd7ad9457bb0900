//! The table for `providers.rs`: for each rule of each provider's file what plants it in a sender that is all right
//! otherwise.

use simulator::{Mailbox, Model};

const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// What is wrong with a sender that is all right otherwise.
#[derive(Clone, Copy)]
pub enum Plant {
    Trouble,
    BlockAddress,
    BlockRange,
    Listed,
    DialUp,
    Stranger,
    Points(f64),
    RangePoints(f64),
    NoPtr,
    GenericPtr,
    OtherHelo,
    HeloChanges,
    V6,
    NoTls,
    Unsigned,
    NoSpf,
    WrongSpf,
    Dmarc(&'static str),
    NoDmarc,
    /// The From field names another domain.
    Foreign,
    Bulk,
    Mailbox(Mailbox),
    /// So many good messages before, one connection each.
    Before(usize),
    /// So many good messages before, on the same connection.
    Same(usize),
    /// So many other connections are open.
    Open(usize),
    /// So many unknown recipients before.
    Unknown(usize),
    SameId(usize),
    TwoDomains,
    NoEnvelopeDomain,
    NullMx,
    NoAuthorDomain,
    BrokenDns,
    Says(&'static str),
    TwoSubjects,
    /// The file says other numbers.
    Tight(fn(&mut Model)),
}

use Plant as P;

fn few_a_day(model: &mut Model) {
    model.tier.iter_mut().for_each(|tier| tier.per_day = 3);
}

pub fn few_a_minute(model: &mut Model) {
    model.tier.iter_mut().for_each(|tier| tier.per_minute = 3);
}

fn few_of_a_domain(model: &mut Model) {
    model.limits.domain_per_hour = 3;
}

fn few_to_one(model: &mut Model) {
    model.limits.recipient_per_hour = 3;
}

fn small(model: &mut Model) {
    model.limits.size = 300;
}

const UNAUTHENTICATED: &[Plant] = &[P::Unsigned, P::NoSpf];
const DMARC_FAILS: &[Plant] = &[P::Foreign, P::Dmarc("p=reject")];
const DMARC_JUNKS: &[Plant] = &[P::Foreign, P::Dmarc("p=quarantine")];
const UNKNOWN: &[Plant] = &[P::Mailbox(Mailbox::Unknown)];
const INACTIVE: &[Plant] = &[P::Mailbox(Mailbox::Inactive)];
const FULL: &[Plant] = &[P::Mailbox(Mailbox::Full)];

/// Provider, rule, what plants it.
pub const RULES: &[(&str, &str, &[Plant])] = &[
    ("gmail", "trouble", &[P::Trouble]),
    ("gmail", "connections", &[P::Points(30.0), P::Open(3)]),
    ("gmail", "ipv6-ptr", &[P::V6, P::NoPtr]),
    ("gmail", "ptr", &[P::NoPtr]),
    ("gmail", "block", &[P::BlockAddress]),
    ("gmail", "block-range", &[P::BlockRange]),
    ("gmail", "reputation-bad", &[P::Points(5.0)]),
    ("gmail", "reputation-poor", &[P::Points(15.0)]),
    ("gmail", "rate", &[P::Tight(few_a_minute), P::Before(3)]),
    ("gmail", "rate-day", &[P::Tight(few_a_day), P::Before(3)]),
    (
        "gmail",
        "rate-domain",
        &[P::Tight(few_of_a_domain), P::Before(3)],
    ),
    ("gmail", "same-message-id", &[P::SameId(5)]),
    ("gmail", "several-domains", &[P::TwoDomains]),
    ("gmail", "unknown", UNKNOWN),
    ("gmail", "inactive", INACTIVE),
    ("gmail", "full", FULL),
    ("gmail", "flooded", &[P::Tight(few_to_one), P::Before(3)]),
    ("gmail", "size", &[P::Tight(small)]),
    ("gmail", "malformed", &[P::TwoSubjects]),
    ("gmail", "dns", &[P::Unsigned, P::BrokenDns]),
    ("gmail", "spf-hard", &[P::WrongSpf, P::Unsigned]),
    ("gmail", "unauthenticated", UNAUTHENTICATED),
    ("gmail", "dmarc", DMARC_FAILS),
    ("gmail", "bulk-tls", &[P::Bulk, P::NoTls]),
    ("gmail", "bulk-spf", &[P::Bulk, P::NoSpf]),
    ("gmail", "bulk-dkim", &[P::Bulk, P::Unsigned]),
    ("gmail", "bulk-dmarc", &[P::Bulk, P::NoDmarc]),
    ("gmail", "bulk-alignment", &[P::Bulk, P::Foreign]),
    ("gmail", "spam", &[P::Says(GTUBE)]),
    ("gmail", "quarantined", DMARC_JUNKS),
    ("gmail", "range-poor", &[P::RangePoints(15.0)]),
    ("microsoft", "trouble", &[P::Trouble]),
    ("microsoft", "connections", &[P::Points(25.0), P::Open(3)]),
    ("microsoft", "block-range", &[P::BlockRange]),
    ("microsoft", "block", &[P::BlockAddress]),
    ("microsoft", "listed", &[P::Listed]),
    ("microsoft", "dial-up", &[P::DialUp]),
    ("microsoft", "dial-up", &[P::GenericPtr]),
    ("microsoft", "ptr-ipv6", &[P::V6, P::NoPtr]),
    ("microsoft", "complaints", &[P::Points(5.0)]),
    ("microsoft", "range-bad", &[P::RangePoints(5.0)]),
    (
        "microsoft",
        "reputation-poor",
        &[P::Points(15.0), P::Before(1)],
    ),
    ("microsoft", "rate", &[P::Tight(few_a_minute), P::Before(3)]),
    (
        "microsoft",
        "rate-day",
        &[P::Tight(few_a_day), P::Before(3)],
    ),
    (
        "microsoft",
        "per-connection",
        &[P::Points(80.0), P::Same(50)],
    ),
    ("microsoft", "mining", &[P::Unknown(20)]),
    ("microsoft", "unknown", UNKNOWN),
    ("microsoft", "inactive", INACTIVE),
    ("microsoft", "full", FULL),
    ("microsoft", "malformed", &[P::TwoSubjects]),
    ("microsoft", "bulk-authentication", &[P::Bulk, P::NoSpf]),
    ("microsoft", "bulk-authentication", &[P::Bulk, P::Unsigned]),
    ("microsoft", "bulk-authentication", &[P::Bulk, P::NoDmarc]),
    ("microsoft", "bulk-authentication", &[P::Bulk, P::Foreign]),
    ("microsoft", "dmarc", DMARC_FAILS),
    ("microsoft", "spf", &[P::WrongSpf, P::Unsigned]),
    (
        "microsoft",
        "ipv6-unauthenticated",
        &[P::V6, P::NoSpf, P::Unsigned],
    ),
    ("microsoft", "spam", &[P::Says(GTUBE)]),
    ("microsoft", "unauthenticated", UNAUTHENTICATED),
    ("microsoft", "quarantined", DMARC_JUNKS),
    ("microsoft", "range-poor", &[P::RangePoints(15.0)]),
    ("yahoo", "trouble", &[P::Trouble]),
    ("yahoo", "per-connection", &[P::Same(20)]),
    ("yahoo", "listed", &[P::Listed]),
    ("yahoo", "block", &[P::BlockAddress]),
    ("yahoo", "reputation-bad", &[P::Points(5.0)]),
    ("yahoo", "block-range", &[P::BlockRange]),
    ("yahoo", "reputation-poor", &[P::Points(20.0)]),
    ("yahoo", "range-poor", &[P::RangePoints(20.0)]),
    ("yahoo", "rate", &[P::Tight(few_a_minute), P::Before(3)]),
    ("yahoo", "rate-day", &[P::Tight(few_a_day), P::Before(3)]),
    ("yahoo", "unknown-many", &[P::Unknown(15)]),
    ("yahoo", "null-mx", &[P::NullMx]),
    ("yahoo", "sender-domain", &[P::NoEnvelopeDomain]),
    ("yahoo", "author-domain", &[P::NoAuthorDomain]),
    ("yahoo", "unknown", UNKNOWN),
    ("yahoo", "inactive", INACTIVE),
    ("yahoo", "full", FULL),
    ("yahoo", "flooded", &[P::Tight(few_to_one), P::Before(3)]),
    ("yahoo", "malformed", &[P::TwoSubjects]),
    ("yahoo", "unauthenticated", UNAUTHENTICATED),
    ("yahoo", "dmarc", DMARC_FAILS),
    ("yahoo", "bulk-authentication", &[P::Bulk, P::NoSpf]),
    ("yahoo", "bulk-authentication", &[P::Bulk, P::NoDmarc]),
    (
        "yahoo",
        "phishing",
        &[P::Says("http://login.phishing.test/")],
    ),
    ("yahoo", "generic-ptr", &[P::GenericPtr]),
    ("yahoo", "ptr", &[P::NoPtr]),
    ("yahoo", "quarantined", DMARC_JUNKS),
    ("yahoo", "spam", &[P::Says(GTUBE)]),
    ("apple", "connections", &[P::Points(30.0), P::Open(5)]),
    ("apple", "trouble", &[P::Trouble]),
    ("apple", "block-range", &[P::BlockRange]),
    ("apple", "listed", &[P::Listed]),
    ("apple", "ptr", &[P::NoPtr]),
    ("apple", "sender-domain", &[P::NoEnvelopeDomain]),
    ("apple", "reputation-bad", &[P::Points(5.0)]),
    ("apple", "reputation-poor", &[P::Points(15.0)]),
    ("apple", "per-connection", &[P::Same(5)]),
    ("apple", "rate", &[P::Tight(few_a_minute), P::Before(3)]),
    ("apple", "rate-day", &[P::Tight(few_a_day), P::Before(3)]),
    ("apple", "unknown", UNKNOWN),
    ("apple", "inactive", INACTIVE),
    ("apple", "full", FULL),
    ("apple", "flooded", &[P::Tight(few_to_one), P::Before(3)]),
    ("apple", "block", &[P::BlockAddress]),
    ("apple", "dmarc", DMARC_FAILS),
    ("apple", "unauthenticated", UNAUTHENTICATED),
    ("apple", "spam", &[P::Says(GTUBE)]),
    ("apple", "bulk-authentication", &[P::Bulk, P::NoDmarc]),
    ("apple", "quarantined", DMARC_JUNKS),
    ("apple", "range-poor", &[P::RangePoints(15.0)]),
    ("gmx", "trouble", &[P::Trouble]),
    ("gmx", "block-range", &[P::BlockRange]),
    ("gmx", "block", &[P::BlockAddress]),
    ("gmx", "listed", &[P::Listed]),
    ("gmx", "ptr", &[P::NoPtr]),
    ("gmx", "generic-ptr", &[P::GenericPtr]),
    ("gmx", "connections", &[P::Points(30.0), P::Open(2)]),
    ("gmx", "reputation-bad", &[P::Points(5.0)]),
    ("gmx", "helo-changes", &[P::HeloChanges]),
    ("gmx", "rate", &[P::Tight(few_a_minute), P::Before(3)]),
    ("gmx", "rate-day", &[P::Tight(few_a_day), P::Before(3)]),
    ("gmx", "per-connection", &[P::Same(20)]),
    ("gmx", "unknown-many", &[P::Unknown(15)]),
    ("gmx", "unknown", UNKNOWN),
    ("gmx", "full", FULL),
    ("gmx", "spf", &[P::WrongSpf, P::Unsigned]),
    ("gmx", "bulk-dkim", &[P::Bulk, P::Unsigned]),
    ("gmx", "malformed", &[P::TwoSubjects]),
    ("gmx", "spam", &[P::Says(GTUBE)]),
    ("gmx", "unauthenticated", UNAUTHENTICATED),
    ("gmx", "dmarc", DMARC_FAILS),
    ("gmx", "ptr-not-helo", &[P::OtherHelo]),
    ("gmx", "quarantined", DMARC_JUNKS),
    ("t-online", "dial-up", &[P::DialUp]),
    ("t-online", "dial-up", &[P::GenericPtr]),
    ("t-online", "ptr", &[P::NoPtr]),
    ("t-online", "block", &[P::BlockAddress]),
    ("t-online", "block-range", &[P::BlockRange]),
    ("t-online", "reputation-bad", &[P::Points(5.0)]),
    ("t-online", "stranger", &[P::Stranger]),
    ("t-online", "unknown", UNKNOWN),
    ("t-online", "full", FULL),
    ("t-online", "spam", &[P::Says(GTUBE)]),
];
