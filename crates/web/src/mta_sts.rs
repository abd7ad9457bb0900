//! The MTA-STS policy of our own domains. RFC 8461 §3.2
//! Pure: what is served, and the id by which the DNS says that it has changed.

use std::fmt::Write;

use store::MtaStsMode;

use crate::limits;

/// Where a policy lies on its host. RFC 8461 §3.3
pub const PATH: &str = "/.well-known/mta-sts.txt";

/// The host of a domain's policy is this and the domain.
pub const HOST_PREFIX: &str = "mta-sts.";

/// The policy in the form in which it is served. `mx` are the hosts of the domain's MX records.
pub fn policy_text(mode: MtaStsMode, mx: &[impl AsRef<str>]) -> String {
    let max_age = match mode {
        MtaStsMode::Testing | MtaStsMode::Enforce => limits::POLICY_MAX_AGE,
        MtaStsMode::None => limits::POLICY_NONE_MAX_AGE,
    };
    let mut text = format!("version: STSv1\r\nmode: {}\r\n", mode.name());
    for host in mx {
        // Writing to a String cannot fail.
        let _ = write!(text, "mx: {}\r\n", host.as_ref());
    }
    let _ = write!(text, "max_age: {}\r\n", max_age.as_secs());
    text
}

/// The id for the DNS record (RFC 8461 §3.1): another one exactly when the policy's text is another.
pub fn policy_id(policy: &str) -> String {
    // 1 to 32 letters and digits.
    blake3::hash(policy.as_bytes())
        .to_hex()
        .chars()
        .take(32)
        .collect()
}
