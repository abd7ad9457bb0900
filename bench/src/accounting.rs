//! What a server cost: CPU time and memory of its process trees, read from /proc.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use crate::report::Row;
use crate::target::Server;

/// Clock ticks per second in /proc (USER_HZ), the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Log writes and unlinks that trail the last reply still belong to the work.
const TAIL: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Default)]
struct Process {
    parent: u32,
    ticks: u64,
}

/// Measures one piece of work on one server.
pub struct Meter {
    workload: String,
    server: &'static str,
    roots: Vec<u32>,
    server_cpu: f64,
    machine_cpu: f64,
    client_cpu: f64,
    begun: Instant,
}

impl Meter {
    pub fn start(workload: impl Into<String>, server: &dyn Server) -> Self {
        let roots = server.roots();
        Self {
            workload: workload.into(),
            server: server.label(),
            server_cpu: cpu_seconds(&roots),
            machine_cpu: machine_cpu_seconds(),
            client_cpu: own_cpu_seconds(),
            roots,
            begun: Instant::now(),
        }
    }

    pub fn elapsed(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Closes the measurement of `n` pieces of work.
    pub fn done(self, n: usize) -> Row {
        let seconds = self.elapsed();
        std::thread::sleep(TAIL);
        let server_cpu = cpu_seconds(&self.roots) - self.server_cpu;
        Row {
            workload: self.workload,
            server: self.server.to_owned(),
            n,
            seconds,
            server_cpu,
            client_cpu: own_cpu_seconds() - self.client_cpu,
            machine_cpu: machine_cpu_seconds() - self.machine_cpu,
            pss_mb: pss_kb(&self.roots) / 1024.0,
            extra: Default::default(),
        }
    }
}

/// CPU seconds of the process trees, children that have ended included.
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    let table = processes();
    tree(roots, &table)
        .iter()
        .map(|pid| table[pid].ticks)
        .sum::<u64>() as f64
        / TICKS_PER_SECOND
}

/// Memory of the process trees in KB, pages shared by several counted once.
pub fn pss_kb(roots: &[u32]) -> f64 {
    let table = processes();
    tree(roots, &table)
        .iter()
        .map(|pid| field_kb(&format!("/proc/{pid}/smaps_rollup"), "Pss:"))
        .sum()
}

/// Resident memory of the process trees in KB, pages shared by several counted for each.
pub fn rss_kb(roots: &[u32]) -> f64 {
    let table = processes();
    tree(roots, &table)
        .iter()
        .map(|pid| field_kb(&format!("/proc/{pid}/status"), "VmRSS:"))
        .sum()
}

fn field_kb(file: &str, name: &str) -> f64 {
    fs::read_to_string(file)
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0.0)
}

fn processes() -> HashMap<u32, Process> {
    let mut table = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return table;
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if let Some(process) = process(pid) {
            table.insert(pid, process);
        }
    }
    table
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets: the fields begin after the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok());
    Some(Process {
        parent: number(1)? as u32,
        // utime, stime and both of the children that were waited for.
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
    })
}

fn tree(roots: &[u32], table: &HashMap<u32, Process>) -> HashSet<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, process) in table {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut found = HashSet::new();
    let mut open = roots.to_vec();
    while let Some(pid) = open.pop() {
        if table.contains_key(&pid) && found.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found
}

fn own_cpu_seconds() -> f64 {
    process(std::process::id()).unwrap_or_default().ticks as f64 / TICKS_PER_SECOND
}

/// All busy CPU of the machine: much more than server and driver means that something else ran.
fn machine_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = stat
        .lines()
        .next()
        .into_iter()
        .flat_map(|line| line.split_whitespace().skip(1))
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, irq, softirq; not idle and not waiting for the disk.
    [0, 1, 2, 5, 6]
        .iter()
        .filter_map(|i| fields.get(*i))
        .sum::<u64>() as f64
        / TICKS_PER_SECOND
}
