//! What the labels of others mean in our classes. Theirs cut elsewhere than ours: where one of their names
//! covers several of ours, the first is the usual one and the others are accepted too, for the reason beside it.

use doctor::replies::Class::{
    self, Authentication, Content, Dns, Full, Greylisting, NoSuchUser, Policy, Protocol, Rate,
    Reputation, Theirs, Tls,
};

/// sisimai's reasons. `None`: not a refusal at all (complaint reports, vacation notes, nothing known).
pub fn sisimai(reason: &str) -> Option<&'static [Class]> {
    Some(match reason {
        "authfailure" => &[Authentication],
        "badreputation" => &[Reputation],
        // "By address or host name of the client": the missing reverse name is among them.
        "blocked" => &[Reputation, Dns],
        // A form that cannot be handled: header, MIME or media type.
        "contenterror" => &[Protocol, Content],
        "exceedlimit" | "mesgtoobig" => &[Policy],
        // The lifetime ended; the last thing heard may have been a put-off of any kind.
        "expired" => &[Theirs, Greylisting],
        // "After DATA, by the recipient's side": unknown users of mobile carriers and recipients' wishes.
        "filtered" => &[NoSuchUser, Policy],
        "hasmoved" | "suspend" | "userunknown" => &[NoSuchUser],
        // The recipient's domain; some rows are about the sender's.
        "hostunknown" => &[NoSuchUser, Dns],
        "mailboxfull" => &[Full],
        "mailererror" | "systemerror" | "systemfull" => &[Theirs],
        // Loops, broken name service and names that do not exist are in it too.
        "networkerror" => &[Theirs, Protocol, Dns, NoSuchUser],
        "norelaying" => &[Policy],
        // No SMTP there, by null MX: of the recipient's domain, or (5.7.27) of the sender's.
        "notaccept" => &[NoSuchUser, Dns],
        "notcompliantrfc" => &[Protocol],
        // Yahoo's and Gmail's "policy" is their content filter in our table.
        "policyviolation" => &[Policy, Content],
        "ratelimited" | "speeding" | "toomanyconn" => &[Rate],
        // "The sender's address": for its domain, its standing, or for not being a member.
        "rejected" => &[Policy, Dns, Reputation, Authentication],
        "requireptr" => &[Dns],
        // Everything with security in it: attachments, logins, encryption.
        "securityerror" => &[Policy, Content, Tls, Authentication],
        "failedstarttls" => &[Tls],
        "spamdetected" | "virusdetected" => &[Content],
        "syntaxerror" => &[Protocol],
        "feedback" | "vacation" | "undefined" | "onhold" | "delivered" | "reason" => return None,
        _ => return None,
    })
}

/// Categories of ZoneMTA's rules. `None`: says nothing ("other").
pub fn zonemta(category: &str) -> Option<&'static [Class]> {
    Some(match category {
        // Lists of links (URIBL, DBL) and of regions stand there too.
        "blacklist" => &[Reputation, Policy],
        // Dynamic addresses, open relays, "not authorised": our table has them under policy.
        "block" => &[Reputation, Policy, Dns, Content],
        "spam" => &[Content, Reputation],
        "virus" => &[Content, Policy, Reputation],
        "rate" => &[Rate],
        "recipient" | "envelope" => &[NoSuchUser, Rate, Policy, Theirs, Dns, Protocol],
        "capacity" => &[Full, Rate, Theirs, NoSuchUser],
        "greylist" => &[Greylisting],
        "dmarc" => &[Authentication],
        "auth" => &[Policy, Tls, Authentication],
        "config" => &[Dns, Tls, Theirs, Protocol, Authentication],
        "policy" => &[Policy, Authentication, Content],
        "message" => &[Protocol, Content, Policy, Authentication, Theirs],
        "network" => &[Theirs, Protocol, Dns, NoSuchUser],
        "protocol" => &[Protocol],
        "sender" => &[Policy, Authentication, Dns],
        _ => return None,
    })
}

/// KumoMTA's classes.
pub fn kumomta(class: &str) -> Option<&'static [Class]> {
    Some(match class {
        "InvalidRecipient" => &[NoSuchUser],
        "BadDomain" => &[NoSuchUser],
        "InactiveMailbox" => &[NoSuchUser],
        "InvalidSender" => &[Dns],
        // Too large is among them.
        "QuotaIssues" => &[Full, Theirs, Policy],
        "NoAnswerFromHost" | "BadConnection" | "TransientFailure" | "MessageExpired" => &[Theirs],
        "DNSFailure" => &[Theirs, Dns, NoSuchUser],
        "RoutingErrors" => &[Policy, Protocol, Dns, NoSuchUser],
        "ProtocolErrors" => &[Protocol, Content],
        // "Authentication" with them is SPF and DMARC, logging in, and the sender's domain in DNS.
        "AuthenticationFailed" => &[Authentication, Policy, Dns, Tls, NoSuchUser, Protocol],
        "PolicyRelated" => &[Policy, Content, Rate, NoSuchUser],
        "TooManyRecipients" => &[Rate],
        "SpamBlock" => &[Reputation, Content, Policy],
        "SpamContent" => &[Content],
        _ => return None,
    })
}

/// Labels that do not follow from what the message says: file, label, why we read it otherwise.
pub const DOUBTFUL: [(&str, &str, &str); 15] = [
    (
        "lhost-amavis-03.eml",
        "notcompliantrfc",
        "the reply says SPAM; the duplicate From field is mentioned in the letter only",
    ),
    (
        "lhost-exim-03.eml",
        "policyviolation",
        "\"Header error\": about the form of the message",
    ),
    (
        "lhost-exim-49.eml",
        "blocked",
        "\"550 Rejected\" and no more",
    ),
    (
        "lhost-exim-56.eml",
        "blocked",
        "\"you've reached your daily relay quota\": a quota",
    ),
    (
        "lhost-ezweb-01.eml",
        "filtered",
        "no reason stands in the message; the label follows from the made-up address",
    ),
    (
        "lhost-postfix-01.eml",
        "mailererror",
        "the program's message says \"No such user\", status 5.1.1",
    ),
    (
        "lhost-postfix-41.eml",
        "policyviolation",
        "\"Protocol violation (in reply to DATA)\"",
    ),
    (
        "lhost-postfix-49.eml",
        "blocked",
        "\"421 Service not available, closing transmission channel\": their trouble by RFC 5321",
    ),
    ("lhost-postfix-50.eml", "blocked", "the same 421"),
    (
        "lhost-v5sendmail-05.eml",
        "blocked",
        "\"you cannot send e-mail to yourself\"",
    ),
    (
        "lhost-yahoo-14.eml",
        "blocked",
        "\"invalid IP for sending mail of domain\": that is what SPF says",
    ),
    (
        "rhost-aol-06.eml",
        "notaccept",
        "a broken name server's reply; the same words are labelled networkerror in lhost-postfix-17.eml",
    ),
    (
        "rhost-franceptt-12.eml",
        "policyviolation",
        "\"Client host rejected\": about the address",
    ),
    (
        "rhost-nttdocomo-02.eml",
        "rejected",
        "\"550 Unknown user\"; the same words are labelled filtered in lhost-courier-02.eml",
    ),
    ("rhost-nttdocomo-03.eml", "rejected", "the same words again"),
];

/// Whether a sample's label is among the doubtful ones.
pub fn is_doubtful(file: &str, label: &str) -> bool {
    DOUBTFUL
        .iter()
        .any(|(doubtful, of, _)| *doubtful == file && *of == label)
}
