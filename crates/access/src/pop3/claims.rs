//! One POP3 session at a time per account: RFC 1939 §4 asks for an exclusive lock, so that numbers
//! and marks hold. Kept in memory; IMAP is not shut out, a message it removed is simply gone.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use store::AccountId;

/// Which accounts have a session. Cheap to clone: one for all connections.
#[derive(Clone, Default)]
pub(crate) struct Claims {
    held: Arc<Mutex<HashSet<AccountId>>>,
}

/// The right to be the session; let go however the session ends.
pub(super) struct Claim {
    claims: Claims,
    account: AccountId,
}

impl Claims {
    pub(super) fn take(&self, account: AccountId) -> Option<Claim> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(account).then(|| Claim {
            claims: self.clone(),
            account,
        })
    }
}

impl Claim {
    pub(super) fn account(&self) -> AccountId {
        self.account
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self
            .claims
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.remove(&self.account);
    }
}
