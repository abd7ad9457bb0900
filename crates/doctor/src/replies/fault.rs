//! Why a knowledge file cannot be used. The operator who put it there must act.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum BadKnowledge {
    #[error("not readable as TOML: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("rule {rule}: {what}")]
    Rule { rule: String, what: String },
    #[error("{kind} {id:?} is named but not there")]
    Missing { kind: &'static str, id: String },
    #[error("{kind} {id:?} is there twice")]
    Twice { kind: &'static str, id: String },
    #[error("expressions: {0}")]
    Expressions(#[from] regex::Error),
}
