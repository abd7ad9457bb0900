//! Mail in: from the first byte until the last message is seen through IMAP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::accounting::Meter;
use crate::connection::Security;
use crate::imap::Imap;
use crate::letters::{Letter, Letters};
use crate::report::Row;
use crate::smtp::{Smtp, Start};
use crate::target::{Doors, Plan, Server, user};
use crate::work::share;

const SMALL: usize = 10 * 1024;
const LARGE: usize = 1024 * 1024;
/// Accounts that take turns as recipients.
const RECIPIENTS: usize = 80;
/// A session is closed and opened anew after so many, as servers like it.
const MESSAGES_PER_CONNECTION: usize = 50;
const ARRIVAL_WITHIN: Duration = Duration::from_secs(240);
/// No two workloads send the same letters.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

struct Load {
    name: &'static str,
    n: usize,
    size: usize,
    sessions: usize,
    per_connection: usize,
    start: Start,
}

macro_rules! loads {
    ($($run:ident $name:literal: $n:literal x $size:ident, $sessions:literal at once, $per:expr, $start:ident;)*) => {
        $(pub fn $run(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
            let (n, start) = (plan.count($n), Start::$start);
            load(server, Load { name: $name, n, size: $size, sessions: $sessions, per_connection: $per, start })
        })*
    };
}

loads! {
    small_x20 "in-10k-x20": 5000 x SMALL, 20 at once, MESSAGES_PER_CONNECTION, Plain;
    small_x1 "in-10k-x1": 600 x SMALL, 1 at once, MESSAGES_PER_CONNECTION, Plain;
    small_x20_tls "in-10k-x20-tls": 5000 x SMALL, 20 at once, MESSAGES_PER_CONNECTION, StartTls;
    small_x1_tls "in-10k-x1-tls": 600 x SMALL, 1 at once, MESSAGES_PER_CONNECTION, StartTls;
    large_x20 "in-1m-x20": 200 x LARGE, 20 at once, MESSAGES_PER_CONNECTION, Plain;
    large_x1 "in-1m-x1": 60 x LARGE, 1 at once, MESSAGES_PER_CONNECTION, Plain;
    large_x20_tls "in-1m-x20-tls": 200 x LARGE, 20 at once, MESSAGES_PER_CONNECTION, StartTls;
    large_x1_tls "in-1m-x1-tls": 60 x LARGE, 1 at once, MESSAGES_PER_CONNECTION, StartTls;
    one_per_connection "in-1-per-connection": 2000 x SMALL, 20 at once, 1, Plain;
    one_per_connection_tls "in-1-per-connection-tls": 1000 x SMALL, 20 at once, 1, StartTls;
}

fn load(server: &mut dyn Server, load: Load) -> Result<Vec<Row>> {
    let doors = server.doors()?;
    let letters = Letters::new();
    let first = WRITTEN.fetch_add(load.n, Ordering::Relaxed);
    let written: Vec<Vec<u8>> = (0..load.n)
        .map(|i| {
            let (number, to) = (first + i, user(i % RECIPIENTS));
            letters.write(&Letter {
                number,
                size: load.size,
                from: "sender@remote.test",
                to: &to,
            })
        })
        .collect();
    let mut arrivals = Arrivals::open(&doors)?;
    let meter = Meter::start(load.name, server);
    let open = |_| Ok((0, Smtp::open(doors.smtp, load.start)?));
    let sessions = share(load.sessions, load.n, open, |(sent, smtp), i| {
        if *sent == load.per_connection {
            let fresh = Smtp::open(doors.smtp, load.start)?;
            std::mem::replace(smtp, fresh).quit()?;
            *sent = 0;
        }
        *sent += 1;
        smtp.send("sender@remote.test", &user(i % RECIPIENTS), &written[i])
    })?;
    let accepted = meter.elapsed();
    arrivals.wait_for(load.n)?;
    let mut row = meter.done(load.n);
    row.extra
        .insert("accepted per s".into(), load.n as f64 / accepted);
    for (_, smtp) in sessions {
        smtp.quit()?;
    }
    Ok(vec![row])
}

/// Logged-in readers that see what has arrived.
struct Arrivals {
    readers: Vec<Imap>,
    before: Vec<usize>,
}

impl Arrivals {
    fn open(doors: &Doors) -> Result<Self> {
        let mut readers = Vec::new();
        let mut before = Vec::new();
        for i in 0..RECIPIENTS {
            let mut reader = Imap::log_in(doors, Security::Plain, &user(i))?;
            before.push(reader.messages("INBOX")?);
            readers.push(reader);
        }
        Ok(Self { readers, before })
    }

    fn wait_for(&mut self, n: usize) -> Result<()> {
        let begun = Instant::now();
        for (i, reader) in self.readers.iter_mut().enumerate() {
            let wanted = n / RECIPIENTS + usize::from(i < n % RECIPIENTS);
            loop {
                let arrived = reader.messages("INBOX")? - self.before[i];
                if wanted < arrived {
                    bail!(
                        "{} has {arrived} new messages where {wanted} were sent",
                        user(i)
                    );
                }
                if arrived == wanted {
                    break;
                }
                if ARRIVAL_WITHIN < begun.elapsed() {
                    bail!("{} has only {arrived} of {wanted}", user(i));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }
}
