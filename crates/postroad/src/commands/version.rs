//! `postroad version`.

use serde_json::json;

use crate::output::Answer;
use crate::version::VERSION;

pub fn answer() -> Answer {
    Answer::new(json!({ "version": VERSION })).line(format!("postroad {VERSION}"))
}
