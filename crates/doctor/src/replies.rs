//! What a remote server's refusal means: its class, whether waiting helps, what to do, where to ask.
//! Knowledge is data (`knowledge/*.toml`), this room only applies it. Asks nobody, keeps nothing.
//!
//! ```text
//! Refusal::read(host, domain, phase, reply) -> knowledge.classify(&refusal) -> Classified
//! Classified + Case -> explain::explain -> words for the operator, words for the author
//! bounce::read(message) -> refusals that a bounce message reports
//! incident::{refused, accepted} -> one incident per provider and cause
//! Pace::{refused, accepted, start} -> how fast the destination may be sent to
//! ```

pub mod bounce;
mod class;
mod classified;
pub mod explain;
mod fault;
pub mod incident;
mod knowledge;
mod limits;
mod matcher;
mod pace;
mod provider;
mod refusal;
mod rule;
mod status;
mod wait;

use std::sync::LazyLock;

pub use class::{Class, Helps, Next, Subject};
pub use classified::{Classified, Evidence};
pub use fault::BadKnowledge;
pub use incident::Incident;
pub use knowledge::Knowledge;
pub use pace::{PROBES_BEFORE_RELAY, Pace, Start};
pub use provider::{Case, Filled, Form, Provider};
pub use refusal::{Phase, Refusal};
pub use status::Enhanced;
pub use wait::{Scope, Wait};

/// The knowledge this program was built with.
pub fn built_in() -> &'static Knowledge {
    static BUILT_IN: LazyLock<Knowledge> = LazyLock::new(|| {
        Knowledge::parse(BUILT_IN_REPLIES, BUILT_IN_PROVIDERS).unwrap_or_default()
    });
    &BUILT_IN
}

/// Classifies with the built-in knowledge.
pub fn classify(refusal: &Refusal) -> Classified<'static> {
    built_in().classify(refusal)
}

/// Text of the built-in rules, for who wants to write a newer file.
pub const BUILT_IN_REPLIES: &str = include_str!("../../../knowledge/replies.toml");
/// Text of the built-in providers and forms.
pub const BUILT_IN_PROVIDERS: &str = include_str!("../../../knowledge/providers.toml");
