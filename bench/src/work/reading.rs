//! Reading: log-in, and everything on a mailbox of 10,000 messages.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::accounting::Meter;
use crate::connection::Security;
use crate::imap::{Answer, Imap};
use crate::letters::{Letter, Letters, RARE, holds_rare_word};
use crate::report::Row;
use crate::target::{Doors, Plan, Server, USERS, user};
use crate::work::share;

const MAILBOX: &str = "Bench";
const SIZE: usize = 10 * 1024;
/// The account that has the large mailbox.
const READER: usize = 150;
const ENVELOPE: &str = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";

/// Everybody once, then everybody again.
pub fn log_in(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
    let n = plan.count(USERS).min(USERS);
    // Nobody has logged in since the start: the passwords are looked at in full.
    server.restart()?;
    let doors = server.doors()?;
    let mut rows = Vec::new();
    for (name, rounds) in [("imap-login-first", 1), ("imap-login-again", 3)] {
        let meter = Meter::start(name, server);
        let visit = |_: &mut (), i| Imap::log_in(&doors, Security::Plain, &user(i % n))?.log_out();
        share(20, n * rounds, |_| Ok(()), visit)?;
        rows.push(meter.done(n * rounds));
    }
    Ok(rows)
}

pub fn mailbox(server: &mut dyn Server, plan: &Plan) -> Result<Vec<Row>> {
    let doors = server.doors()?;
    let n = plan.count(10_000);
    let letters = Letters::new();
    let write = |number| {
        letters.write(&Letter {
            number,
            size: SIZE,
            from: "sender@remote.test",
            to: &user(READER),
        })
    };
    let written: Vec<Vec<u8>> = (0..n).map(write).collect();
    let bytes: usize = written.iter().map(Vec::len).sum();
    let mut rows = vec![fill(server, &doors, &written)?];
    let mut bench = Reader {
        server,
        doors: &doors,
    };
    rows.extend(bench.read(n, bytes, &letters)?);
    rows.extend(bench.append(plan, n, &write)?);
    Ok(rows)
}

fn fill(server: &mut dyn Server, doors: &Doors, written: &[Vec<u8>]) -> Result<Row> {
    let mut imap = Imap::log_in(doors, Security::Plain, &user(READER))?;
    // It is there when the workload has run before.
    drop(imap.command(&format!("DELETE {MAILBOX}")));
    imap.command(&format!("CREATE {MAILBOX}"))?;
    imap.log_out()?;
    append(server, doors, "imap-fill-x8", 8, written)
}

fn append(
    server: &dyn Server,
    doors: &Doors,
    name: &str,
    sessions: usize,
    letters: &[Vec<u8>],
) -> Result<Row> {
    let meter = Meter::start(name, server);
    let open = |_| Imap::log_in(doors, Security::Plain, &user(READER));
    let opened = share(sessions, letters.len(), open, |imap, i| {
        imap.append(MAILBOX, &letters[i])
    })?;
    let row = meter.done(letters.len());
    for imap in opened {
        imap.log_out()?;
    }
    Ok(row)
}

struct Reader<'a> {
    server: &'a mut dyn Server,
    doors: &'a Doors,
}

impl Reader<'_> {
    fn read(&mut self, n: usize, bytes: usize, letters: &Letters) -> Result<Vec<Row>> {
        let hits = (0..n).filter(|i| holds_rare_word(*i)).count();
        let text = format!("SEARCH TEXT {RARE}");
        let subject = format!("SEARCH SUBJECT {}", letters.subject_word(5));
        let singles = n.min(1000);
        let fetched = |answer: &Answer| n == answer.fetches;
        let found = |answer: &Answer| hits == answer.found;
        let any = |_: &Answer| true;
        Ok(vec![
            self.select(n)?,
            self.fresh("imap-fetch-flags", "UID FETCH 1:* (FLAGS)", n, fetched)?,
            self.fresh("imap-fetch-envelope-first", ENVELOPE, n, fetched)?,
            self.fresh("imap-fetch-envelope-again", ENVELOPE, n, fetched)?,
            self.fresh(
                "imap-fetch-bodies-first",
                "FETCH 1:* (UID BODY.PEEK[])",
                n,
                |a| bytes < a.bytes,
            )?,
            self.fresh(
                "imap-fetch-bodies-again",
                "FETCH 1:* (UID BODY.PEEK[])",
                n,
                |a| bytes < a.bytes,
            )?,
            self.singles("imap-fetch-single-bodies", singles, &|i| {
                format!("UID FETCH {} (BODY.PEEK[])", 1 + i * 7 % n)
            })?,
            self.fresh("imap-search-text-first", &text, n, found)?,
            self.fresh("imap-search-text-again", &text, n, found)?,
            self.fresh("imap-search-subject", &subject, n, |a| 0 < a.found)?,
            self.fresh("imap-store-all", "STORE 1:* +FLAGS.SILENT (\\Seen)", n, any)?,
            self.singles("imap-store-single", singles, &|i| {
                format!("STORE {} +FLAGS (\\Flagged)", 1 + i * 7 % n)
            })?,
        ])
    }

    fn append(
        &mut self,
        plan: &Plan,
        n: usize,
        write: &dyn Fn(usize) -> Vec<u8>,
    ) -> Result<Vec<Row>> {
        let some = plan.count(500);
        let one: Vec<_> = (0..some).map(|i| write(n + i)).collect();
        let eight: Vec<_> = (0..4 * some).map(|i| write(n + some + i)).collect();
        Ok(vec![
            append(self.server, self.doors, "imap-append-x1", 1, &one)?,
            append(self.server, self.doors, "imap-append-x8", 8, &eight)?,
        ])
    }

    fn log_in(&self) -> Result<Imap> {
        Imap::log_in(self.doors, Security::Plain, &user(READER))
    }

    /// What a client does that comes back: SELECT and one command, on a new connection.
    fn fresh(
        &self,
        name: &str,
        command: &str,
        n: usize,
        right: impl Fn(&Answer) -> bool,
    ) -> Result<Row> {
        let mut imap = self.log_in()?;
        let meter = Meter::start(name, self.server);
        imap.command(&format!("SELECT {MAILBOX}"))?;
        let answer = imap.command(command)?;
        let mut row = meter.done(n);
        row.extra = BTreeMap::from([("MB".to_owned(), answer.bytes as f64 / 1e6)]);
        if !right(&answer) {
            bail!(
                "{name}: {} fetched, {} found, {} bytes",
                answer.fetches,
                answer.found,
                answer.bytes
            );
        }
        imap.log_out()?;
        Ok(row)
    }

    fn singles(&self, name: &str, n: usize, command: &dyn Fn(usize) -> String) -> Result<Row> {
        let mut imap = self.log_in()?;
        imap.command(&format!("SELECT {MAILBOX}"))?;
        let meter = Meter::start(name, self.server);
        for i in 0..n {
            imap.command(&command(i))?;
        }
        let row = meter.done(n);
        imap.log_out()?;
        Ok(row)
    }

    fn select(&self, messages: usize) -> Result<Row> {
        // Dovecot lets one user have ten connections at a time.
        const SELECTS: usize = 6;
        let mut readers = (0..SELECTS)
            .map(|_| self.log_in())
            .collect::<Result<Vec<_>>>()?;
        if readers[0].messages(MAILBOX)? != messages {
            bail!("the mailbox is not full");
        }
        let meter = Meter::start("imap-select", self.server);
        for imap in &mut readers {
            imap.command(&format!("SELECT {MAILBOX}"))?;
        }
        let row = meter.done(SELECTS);
        for imap in readers {
            imap.log_out()?;
        }
        Ok(row)
    }
}
