//! What would become of a message, for an operator who asks: the same decision as for real mail, without
//! doing anything.

use mailauth::verdict::Verdict;
use store::{DmarcChoice, Trust};

use super::judge::{Facts, decide};
use super::ruling::{is_detour, matters, voucher};
use super::trust::{Trusted, built_in_sealers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WouldDo {
    /// `inbox`, `junk`, `refuse` or `defer`.
    pub place: &'static str,
    /// In words, without a full stop.
    pub why: &'static str,
}

/// For a recipient of a domain with this choice, and with what the operator said of trust.
pub fn would_do(verdict: &Verdict, message: &[u8], choice: DmarcChoice, said: &[Trust]) -> WouldDo {
    let trusted = Trusted::of(built_in_sealers(), said);
    let trouble = verdict.temporary();
    let judgement = decide(&Facts {
        dmarc: &verdict.dmarc,
        choice,
        voucher: voucher(verdict, message, &trusted),
        detour: is_detour(verdict, message),
        trouble: trouble.filter(|trouble| matters(*trouble, verdict, &trusted)),
        waited: false,
    });
    WouldDo {
        place: judgement.place.word(),
        why: judgement.reason.words(),
    }
}
