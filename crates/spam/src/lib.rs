//! Is it wanted: what a message looks like, what its people taught, what rules say, and one verdict with
//! its reasons. Pure: bytes and facts in, a verdict out. Knows no socket, clock or storage.

pub mod limits;
pub mod origin;
pub mod sight;

mod hash;

pub use sight::Sight;
