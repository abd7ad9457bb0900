//! Mail out: submitted by logged-in users over STARTTLS, relayed to a sink.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::accounting::Meter;
use crate::letters::{Letter, Letters};
use crate::report::Row;
use crate::sink::Sink;
use crate::smtp::{Smtp, Start};
use crate::target::{PASSWORD, Plan, SINK_DOMAIN, SINK_PORT, Server, user};
use crate::work::share;

const SIZE: usize = 10 * 1024;
const SESSIONS: usize = 20;
const SENT_WITHIN: Duration = Duration::from_secs(240);

pub fn relay(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
    let doors = server.doors()?;
    let n = plan.count(2000);
    let letters = Letters::new();
    // Whoever sends a message owns its From: piece i is sent by the session that has it.
    let senders: Vec<String> = (0..SESSIONS).map(user).collect();
    let written: Vec<Vec<Vec<u8>>> = senders
        .iter()
        .enumerate()
        .map(|(session, from)| {
            (0..n / SESSIONS + 1)
                .map(|i| {
                    let number = 1_000_000 + i * SESSIONS + session;
                    letters.write(&Letter {
                        number,
                        size: SIZE,
                        from,
                        to: &format!("x{i}@{SINK_DOMAIN}"),
                    })
                })
                .collect()
        })
        .collect();
    let sink = Sink::open(SINK_PORT)?;
    // Log-ins are a row of their own: here they stand before the clock.
    let sessions: Vec<_> = share(
        SESSIONS,
        0,
        |session| {
            let mut smtp = Smtp::open(doors.submission, Start::StartTls)?;
            smtp.log_in(&senders[session], PASSWORD)?;
            Ok(std::sync::Mutex::new(Some((session, smtp))))
        },
        |_, _| Ok(()),
    )?;
    let meter = Meter::start("out-10k-x20", server);
    let open = |i: usize| {
        let taken = sessions[i]
            .lock()
            .expect("no thread panics")
            .take()
            .expect("each is taken once");
        Ok((taken.0, 0, taken.1))
    };
    let sessions = share(SESSIONS, n, open, |(session, sent, smtp), i| {
        // The letters of a session are written for it; one that runs ahead uses them again.
        let letter = &written[*session][*sent % written[*session].len()];
        *sent += 1;
        smtp.send(&senders[*session], &format!("x{i}@{SINK_DOMAIN}"), letter)
    })?;
    let accepted = meter.elapsed();
    let begun = Instant::now();
    while sink.taken() < n {
        if SENT_WITHIN < begun.elapsed() {
            bail!("only {} of {n} reached the sink", sink.taken());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut row = meter.done(n);
    row.extra
        .insert("accepted per s".into(), n as f64 / accepted);
    row.extra
        .insert("more than sent".into(), (sink.taken() - n) as f64);
    for (_, _, smtp) in sessions {
        smtp.quit()?;
    }
    Ok(vec![row])
}
