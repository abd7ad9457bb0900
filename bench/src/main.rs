//! Loads Postroad over its real ports, and Postfix + Dovecot beside it, and prints ratios.
//! A driver: it speaks to nothing but loopback addresses. Only `auth` calls code of the server.
// The driver measures the real world: real clock, real sockets, results on standard output.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod accounting;
mod auth;
mod connection;
mod imap;
mod letters;
mod peers;
mod postroad;
mod report;
mod sink;
mod smtp;
mod target;
mod work;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::report::Row;
use crate::target::{Plan, Server};

/// Load Postroad and its peers, and print what each did.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the servers, run the workloads on each in turn, print the tables.
    Run(Run),
    /// Print the tables of earlier runs.
    Report { files: Vec<PathBuf> },
    /// Name the workloads.
    List,
    /// What verifying a message's sender costs, beside OpenDKIM and OpenDMARC.
    Auth {
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Where the filters keep their settings.
        #[arg(long, default_value = "/var/tmp/postroad-bench")]
        dir: PathBuf,
    },
}

#[derive(clap::Args)]
struct Run {
    /// The program to measure.
    #[arg(long, default_value = "target/release/postroad")]
    postroad: PathBuf,
    /// The script that starts Postfix and Dovecot; without it only Postroad is measured.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Measure the peers only.
    #[arg(long)]
    without_postroad: bool,
    /// Where the servers keep their data: a real disk, a short path.
    #[arg(long, default_value = "/var/tmp/postroad-bench")]
    dir: PathBuf,
    /// Workloads or groups, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// All counts are multiplied by this.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often each workload runs; the tables show medians.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Append one JSON line per measurement to this file.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::List => {
            for workload in work::ALL {
                println!("{:10} {}", workload.group, workload.name);
            }
            Ok(())
        }
        Command::Report { files } => {
            let mut rows = Vec::new();
            for file in &files {
                rows.extend(report::read(file)?);
            }
            print!("{}", report::tables(&rows));
            Ok(())
        }
        Command::Run(run) => measure(run),
        Command::Auth { rounds, dir } => auth::measure(&dir, rounds),
    }
}

fn measure(run: Run) -> Result<()> {
    let chosen: Vec<_> = work::ALL
        .iter()
        .filter(|w| run.only.is_empty() || run.only.iter().any(|o| o == w.name || o == w.group))
        .collect();
    if chosen.is_empty() {
        bail!(
            "no workload is called {}; see `bench list`",
            run.only.join(", ")
        );
    }
    std::fs::create_dir_all(&run.dir).with_context(|| format!("making {}", run.dir.display()))?;
    let plan = Plan {
        scale: run.scale,
        dir: run.dir.clone(),
    };
    let mut servers: Vec<Box<dyn Server>> = Vec::new();
    if !run.without_postroad {
        servers.push(Box::new(postroad::Postroad::prepare(&run.postroad, &plan)?));
    }
    match &run.peers {
        Some(script) => servers.push(Box::new(peers::Peers::prepare(script, &plan)?)),
        None => println!("peers: skipped (no script given, or not root)"),
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut failures = 0;
    for round in 0..run.rounds {
        for workload in &chosen {
            for server in &mut servers {
                match (workload.run)(server.as_mut(), &plan) {
                    Ok(measured) => {
                        for row in measured {
                            println!("{}", row.line());
                            report::append(run.out.as_deref(), &row)?;
                            rows.push(row);
                        }
                    }
                    Err(error) => {
                        failures += 1;
                        println!(
                            "{} on {}, round {round}: failed: {error:#}",
                            workload.name,
                            server.label()
                        );
                    }
                }
            }
        }
    }
    for server in &mut servers {
        server.stop()?;
    }
    print!("\n{}", report::tables(&rows));
    if 0 < failures {
        bail!("{failures} workloads failed");
    }
    Ok(())
}
