//! Many connections that wait: what each costs in memory, and how soon it hears of new mail.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::accounting::{Meter, cpu_seconds, pss_kb};
use crate::connection::Security;
use crate::imap::Imap;
use crate::letters::{Letter, Letters};
use crate::report::Row;
use crate::target::{Plan, Server, USERS, user};
use crate::work::share;

const CONNECTIONS: usize = 500;
/// Memory and threads of the log-ins settle before they are measured.
const SETTLE: Duration = Duration::from_secs(3);
const WATCH: Duration = Duration::from_secs(5);
const NOTICES: usize = 40;

pub fn plain(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
    let n = plan.count(CONNECTIONS).min(CONNECTIONS);
    hold("imap-idle", server, n, Security::Plain)
}

pub fn tls(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
    let n = plan.count(CONNECTIONS).min(server.tls_connections_max());
    hold("imap-idle-tls", server, n, Security::Tls)
}

fn hold(name: &str, server: &mut dyn Server, n: usize, security: Security) -> Result<Vec<Row>> {
    server.restart()?;
    let doors = server.doors()?;
    // What a first log-in brings in, for each thread and for the caches, is no cost of idling.
    share(
        8,
        USERS,
        |_| Ok(()),
        |(), i| Imap::log_in(&doors, security, &user(i))?.log_out(),
    )?;
    std::thread::sleep(SETTLE);
    let roots = server.roots();
    let before = pss_kb(&roots);
    let meter = Meter::start(name, server);
    let open = |_| Ok(Vec::new());
    let opened = share(8, n, open, |idlers: &mut Vec<(usize, Imap)>, i| {
        let mut imap = Imap::log_in(&doors, security, &user(i))?;
        imap.command("SELECT INBOX")?;
        imap.idle()?;
        idlers.push((i, imap));
        Ok(())
    })?;
    let seconds = meter.elapsed();
    std::thread::sleep(SETTLE);
    let held = pss_kb(&roots) - before;
    let cpu = cpu_seconds(&roots);
    std::thread::sleep(WATCH);
    let cpu = cpu_seconds(&roots) - cpu;
    let mut idlers: Vec<_> = opened.into_iter().flatten().collect();
    idlers.sort_by_key(|(i, _)| *i);

    let letters = Letters::new();
    let mut waits = Vec::new();
    for (i, idler) in idlers.iter_mut().take(NOTICES) {
        let mut writer = Imap::log_in(&doors, Security::Plain, &user(*i))?;
        let to = user(*i);
        writer.append(
            "INBOX",
            &letters.write(&Letter {
                number: *i,
                size: 3000,
                from: "a@remote.test",
                to: &to,
            }),
        )?;
        let begun = Instant::now();
        idler.wait_for_exists()?;
        waits.push(begun.elapsed().as_secs_f64() * 1000.0);
        writer.log_out()?;
    }
    waits.sort_by(f64::total_cmp);
    let mut row = meter.done(n);
    row.seconds = seconds;
    row.extra
        .insert("KB per connection".into(), held / n as f64);
    row.extra.insert(
        "idle CPU ms per connection and minute".into(),
        cpu * 1000.0 * 12.0 / n as f64,
    );
    row.extra
        .insert("notice ms, median".into(), waits[waits.len() / 2]);
    row.extra
        .insert("notice ms, most".into(), waits[waits.len() - 1]);
    Ok(vec![row])
}
