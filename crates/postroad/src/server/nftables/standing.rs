//! How the firewall does, for the doctor. There is one table of one process, so this is one for the process.

use std::sync::{Mutex, PoisonError};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It was not begun here.
    Unknown,
    Well,
    Trouble(String),
}

static STANDING: Mutex<Standing> = Mutex::new(Standing::Unknown);

/// It took what it was told.
pub fn is_well() {
    set(Standing::Well);
}

/// It takes no bans, and why.
pub fn has_trouble(error: &super::FirewallError) {
    set(Standing::Trouble(error.to_string()));
}

/// As the doctor knows facts: nothing if it was not looked at, else what is wrong, if anything is.
pub fn known() -> Option<Option<String>> {
    match &*STANDING.lock().unwrap_or_else(PoisonError::into_inner) {
        Standing::Unknown => None,
        Standing::Well => Some(None),
        Standing::Trouble(problem) => Some(Some(problem.clone())),
    }
}

fn set(standing: Standing) {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = standing;
}
