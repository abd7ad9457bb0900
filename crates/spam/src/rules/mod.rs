//! Rules: what a person would call a trick, found in a message and its envelope. Each is a pure function that
//! returns findings; how much a finding counts is said in `reasons.rs`.

use crate::facts::Envelope;
use crate::reasons::{Finding, Kind};
use crate::sight::Sight;

/// Everything that rules find in a message.
pub fn rules(sight: &Sight, _envelope: &Envelope<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if sight.text.contains(GTUBE) {
        found.push(Finding::bare(Kind::TestString));
    }
    found
}

/// The test line that every filter takes for spam: <https://spamassassin.apache.org/gtube/>.
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
