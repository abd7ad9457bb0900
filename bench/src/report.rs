//! What was measured: one JSON line each, and the tables with ratios and goals.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const OURS: &str = "postroad";
const THEIRS: &str = "peers";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub workload: String,
    pub server: String,
    pub n: usize,
    pub seconds: f64,
    /// CPU seconds of the server's process trees.
    pub server_cpu: f64,
    pub client_cpu: f64,
    pub machine_cpu: f64,
    pub pss_mb: f64,
    pub extra: BTreeMap<String, f64>,
}

impl Row {
    pub fn per_second(&self) -> f64 {
        self.n as f64 / self.seconds.max(1e-9)
    }

    pub fn cpu_per_1000(&self) -> f64 {
        self.server_cpu * 1000.0 / self.n.max(1) as f64
    }

    /// One line for the person who watches.
    pub fn line(&self) -> String {
        let mut line = format!(
            "{:26} {:9} n {:6}  {:8.3} s  {:>9}/s  CPU/1000 {:>8} s  driver CPU {:5.2} s  others {:5.2} s  PSS {:6.1} MB",
            self.workload,
            self.server,
            self.n,
            self.seconds,
            figure(self.per_second()),
            figure(self.cpu_per_1000()),
            self.client_cpu,
            (self.machine_cpu - self.server_cpu - self.client_cpu).max(0.0),
            self.pss_mb,
        );
        for (name, value) in &self.extra {
            let _ = write!(line, "  {name} {}", figure(*value));
        }
        line
    }
}

pub fn append(file: Option<&Path>, row: &Row) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(file, "{}", serde_json::to_string(row)?)?;
    Ok(())
}

pub fn read(file: &Path) -> Result<Vec<Row>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("a line that is no measurement"))
        .collect()
}

/// The medians of all rounds, by workload and server.
struct Medians<'a>(&'a [Row]);

impl Medians<'_> {
    fn of(&self, workload: &str, server: &str, value: impl Fn(&Row) -> f64) -> Option<f64> {
        let chosen = self
            .0
            .iter()
            .filter(|row| row.workload == workload && row.server == server);
        let mut values: Vec<f64> = chosen
            .map(value)
            .filter(|value| value.is_finite())
            .collect();
        values.sort_by(f64::total_cmp);
        match values.len() {
            0 => None,
            n if n % 2 == 1 => Some(values[n / 2]),
            n => Some((values[n / 2 - 1] + values[n / 2]) / 2.0),
        }
    }

    fn rate(&self, workload: &str, server: &str) -> Option<f64> {
        self.of(workload, server, Row::per_second)
    }

    fn cpu(&self, workload: &str, server: &str) -> Option<f64> {
        self.of(workload, server, Row::cpu_per_1000)
    }

    fn extra(&self, workload: &str, server: &str, name: &str) -> Option<f64> {
        self.of(workload, server, |row| {
            row.extra.get(name).copied().unwrap_or(f64::NAN)
        })
    }

    fn rate_ratio(&self, workload: &str) -> Option<f64> {
        Some(self.rate(workload, OURS)? / self.rate(workload, THEIRS)?)
    }

    fn cpu_ratio(&self, workload: &str) -> Option<f64> {
        Some(self.cpu(workload, THEIRS)? / self.cpu(workload, OURS)?)
    }

    /// In the order in which they ran.
    fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.0 {
            if !names.contains(&row.workload.as_str()) {
                names.push(&row.workload);
            }
        }
        names
    }
}

/// Markdown: every workload, then the goals.
pub fn tables(rows: &[Row]) -> String {
    let medians = Medians(rows);
    let mut text = String::from(
        "| workload | postroad per s | Postfix + Dovecot per s | times | postroad CPU s per 1,000 | theirs | times less |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for name in medians.workloads() {
        if name == "start" {
            continue;
        }
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            cell(medians.rate(name, OURS)),
            cell(medians.rate(name, THEIRS)),
            cell(medians.rate_ratio(name)),
            cell(medians.cpu(name, OURS)),
            cell(medians.cpu(name, THEIRS)),
            cell(medians.cpu_ratio(name)),
        );
    }
    text.push_str("\n| memory and time | postroad | Postfix + Dovecot |\n|---|--:|--:|\n");
    for (name, workload, extra) in [
        (
            "idle IMAP connection, KB (PSS)",
            "imap-idle",
            "KB per connection",
        ),
        (
            "idle IMAP connection with TLS, KB (PSS)",
            "imap-idle-tls",
            "KB per connection",
        ),
        (
            "idle CPU, ms per connection and minute",
            "imap-idle",
            "idle CPU ms per connection and minute",
        ),
        (
            "notice of a new message, ms, median",
            "imap-idle",
            "notice ms, median",
        ),
        ("resident after start, MB", "start", "RSS MB"),
        ("start to ready, ms", "start", "ms to ready"),
    ] {
        let (ours, theirs) = (
            medians.extra(workload, OURS, extra),
            medians.extra(workload, THEIRS, extra),
        );
        if ours.is_some() || theirs.is_some() {
            let _ = writeln!(text, "| {name} | {} | {} |", cell(ours), cell(theirs));
        }
    }
    text.push_str(&goals(&medians));
    text
}

/// Of programs that logged in before.
const LOG_INS_PER_SECOND: f64 = 1000.0;

fn goals(medians: &Medians<'_>) -> String {
    let mut goals: Vec<(String, String, Option<f64>, f64, bool)> = Vec::new();
    let mut at_least = |name: &str, value: Option<f64>, goal: f64| {
        goals.push((
            name.to_owned(),
            format!("at least {goal} times"),
            value,
            goal,
            true,
        ));
    };
    at_least(
        "delivered messages per second",
        medians.rate_ratio("in-10k-x20"),
        10.0,
    );
    at_least(
        "CPU per message, times less",
        medians.cpu_ratio("in-10k-x20"),
        10.0,
    );
    at_least(
        "relayed out per second",
        medians.rate_ratio("out-10k-x20"),
        5.0,
    );
    for name in medians
        .workloads()
        .iter()
        .filter(|name| name.starts_with("imap-") && !name.starts_with("imap-idle"))
    {
        let goal = if name.starts_with("imap-fetch-envelope") {
            5.0
        } else {
            1.0
        };
        at_least(name, medians.rate_ratio(name), goal);
    }
    // A thousand log-ins a second must be no trouble.
    goals.push((
        "imap-login-again, log-ins per second".to_owned(),
        format!("at least {LOG_INS_PER_SECOND}"),
        medians.rate("imap-login-again", OURS),
        LOG_INS_PER_SECOND,
        true,
    ));
    let mut under = |name: &str, unit: &str, value: Option<f64>, goal: f64| {
        goals.push((
            name.to_owned(),
            format!("under {goal} {unit}"),
            value,
            goal,
            false,
        ));
    };
    under(
        "idle IMAP connection without TLS",
        "KB",
        medians.extra("imap-idle", OURS, "KB per connection"),
        20.0,
    );
    under(
        "resident after start",
        "MB",
        medians.extra("start", OURS, "RSS MB"),
        40.0,
    );
    under(
        "start to ready",
        "ms",
        medians.extra("start", OURS, "ms to ready"),
        300.0,
    );

    let mut text = String::from("\n| goal | wanted | measured | |\n|---|---|--:|---|\n");
    for (name, wanted, value, goal, more) in goals {
        let verdict = match value {
            None => "not measured",
            Some(value) if (more && goal <= value) || (!more && value <= goal) => "reached",
            Some(_) => "**not reached**",
        };
        let _ = writeln!(text, "| {name} | {wanted} | {} | {verdict} |", cell(value));
    }
    text
}

fn cell(value: Option<f64>) -> String {
    value
        .filter(|v| v.is_finite())
        .map_or_else(|| "-".to_owned(), figure)
}

fn figure(value: f64) -> String {
    match value.abs() {
        large if 100.0 <= large => format!("{value:.0}"),
        middle if 10.0 <= middle => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
