//! One number, and what each finding takes from it; findings in the order in which mending pays.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{Finding, Light, Severity};

/// 100 when nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    pub points: u32,
    /// The worst of each question; missing: nothing wrong.
    pub lights: BTreeMap<Light, Severity>,
}

pub fn score(findings: &[Finding]) -> Score {
    let cost: u32 = findings.iter().map(|finding| finding.cost).sum();
    let mut lights: BTreeMap<Light, Severity> = BTreeMap::new();
    for finding in findings {
        let worst = lights.entry(finding.light).or_insert(finding.severity);
        *worst = (*worst).min(finding.severity);
    }
    Score {
        points: 100_u32.saturating_sub(cost),
        lights,
    }
}

/// Errors before warnings; within them the remedy that mends most points first.
pub fn order(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut gain: BTreeMap<String, u32> = BTreeMap::new();
    for finding in &findings {
        *gain.entry(finding.fix.text.clone()).or_default() += finding.cost;
    }
    let gain_of = |finding: &Finding| gain.get(&finding.fix.text).copied().unwrap_or(0);
    findings.sort_by(|a, b| {
        (
            a.severity,
            std::cmp::Reverse(gain_of(a)),
            a.group,
            a.id,
            &a.about,
        )
            .cmp(&(
                b.severity,
                std::cmp::Reverse(gain_of(b)),
                b.group,
                b.id,
                &b.about,
            ))
    });
    findings
}
