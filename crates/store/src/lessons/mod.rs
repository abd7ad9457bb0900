//! What people teach the spam filter: lessons from moves, keywords and commands, what is counted of them, and what
//! people and the operator ordered. Knows no features but as numbers: what they mean is the business of `spam`.
//!
//! A lesson is a row that is written together with the move or the keyword. Counting comes later, in a transaction of its
//! own that also notes that it is done: so a lesson counts once whatever is interrupted, and a bulk move makes nobody wait.
//! An account's counts are always the sum over its lessons; what counts for the server is a function of the accounts' counts.

mod act;
mod choices;
mod count;
mod counterweight;
mod digest;
mod hashes;
mod hooks;
mod junked;
mod ledger;
mod read;
mod rules;
mod statistics;
mod tidy;
mod voices;
mod work;

pub use act::Class;
pub use choices::{Choice, ChoiceChange, Scope, SpamChoices};
pub use count::{Learnt, Material};
pub use digest::DigestState;
pub use junked::{Junked, JunkedMessage};
pub use read::{Count, Lore, Taught};
pub use rules::{BadRule, RuleOf, SenderNames, SenderRule, StoredRule, Wish};
pub use statistics::{SpamStatistics, TaughtTotals};
pub use work::{Lesson, LessonKey};

pub(crate) use act::Act;
