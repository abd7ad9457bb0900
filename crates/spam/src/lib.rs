//! Is it wanted: what a message looks like, what its people taught, what rules say, and one verdict with
//! its reasons. Pure: bytes and facts in, a verdict out. Knows no socket, clock or storage.

pub mod attachments;
pub mod blocklist;
pub mod brands;
pub mod domains;
pub mod facts;
pub mod features;
pub mod header;
pub mod limits;
pub mod lookalike;
pub mod model;
pub mod origin;
pub mod reasons;
pub mod rules;
pub mod sight;
pub mod taught;
pub mod train;
pub mod verdict;
pub mod weights;

mod hash;
mod phrasebook;

pub use facts::{Envelope, Facts, Opinion};
pub use features::Features;
pub use model::Model;
pub use reasons::Finding;
pub use rules::rules;
pub use sight::Sight;
pub use taught::{Count, taught_log_odds};
pub use verdict::{Place, Verdict, judge};
pub use weights::Weights;
