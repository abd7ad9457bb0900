//! From nothing to `ready`, and what then stands in memory.

use anyhow::Result;

use crate::accounting::{Meter, rss_kb};
use crate::report::Row;
use crate::target::{Plan, Server};

const STARTS: usize = 5;

pub fn start(server: &mut dyn Server, _: &Plan) -> Result<Vec<Row>> {
    let mut seconds = Vec::new();
    for _ in 0..STARTS {
        match server.start_timed()? {
            Some(time) => seconds.push(time),
            None => break,
        }
    }
    server.doors()?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    let mut row = Meter::start("start", server).done(seconds.len().max(1));
    seconds.sort_by(f64::total_cmp);
    row.seconds = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0) * seconds.len() as f64;
    row.extra.insert(
        "ms to ready".into(),
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN) * 1000.0,
    );
    row.extra
        .insert("RSS MB".into(), rss_kb(&server.roots()) / 1024.0);
    Ok(vec![row])
}
