//! The decision (RFC 9989 §5.3.4): policy, alignment, result.

use world::Dns;

use super::{Author, Discovery, Dmarc};
use crate::explain::Notes;
use crate::{dkim, spf};

/// The whole of DMARC for one message, when SPF and DKIM have spoken. `mail_from` is the check of
/// the reverse-path; for a null one its HELO domain counts (RFC 7208 §2.4).
pub async fn check(
    dns: &dyn Dns,
    author: Author,
    mail_from: &spf::Spf,
    signatures: &[dkim::Verdict],
    notes: &mut Notes,
) -> Dmarc {
    let discovery = Discovery::of(dns, author, notes).await;
    discovery.judge(dns, mail_from, signatures, notes).await
}

impl Discovery {
    pub async fn judge(
        self,
        dns: &dyn Dns,
        mail_from: &spf::Spf,
        signatures: &[dkim::Verdict],
        notes: &mut Notes,
    ) -> Dmarc {
        let _ = (dns, mail_from, signatures, notes);
        Dmarc::unknown(self.author)
    }
}
