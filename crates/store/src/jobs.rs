//! Jobs that are done by the clock: when each was last done, and who is doing it now.
//! When one is due is decided in `jobs`.

use mail::UnixMillis;

use crate::engine::Param;
use crate::{Change, StoreError, View};

/// What is known of a job. A job that never ran is all empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobState {
    /// How often it was begun. Two nodes that saw the same number cannot both begin.
    pub runs: u64,
    /// When the last run that succeeded began.
    pub done: Option<UnixMillis>,
    /// When the last run began.
    pub tried: Option<UnixMillis>,
    /// Failed runs since.
    pub failures: u64,
    pub problem: Option<String>,
    /// Somebody is at it, and must say so again before then.
    pub lease: Option<UnixMillis>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    Failed(String),
    /// The program stops: as if it had not begun.
    Interrupted,
}

impl View<'_> {
    pub fn job(&self, name: &str) -> Result<JobState, StoreError> {
        let sql = "SELECT runs, done, tried, failures, problem, lease FROM job WHERE name = ?1";
        let found = self.sql.first(sql, &[Param::Text(name)], |row| {
            Ok(JobState {
                runs: row.int(0)?.max(0) as u64,
                done: row.opt_int(1)?.map(UnixMillis),
                tried: row.opt_int(2)?.map(UnixMillis),
                failures: row.int(3)?.max(0) as u64,
                problem: row.opt_text(4)?.map(str::to_owned),
                lease: Some(row.int(5)?)
                    .filter(|until| *until != 0)
                    .map(UnixMillis),
            })
        })?;
        Ok(found.unwrap_or_default())
    }
}

impl Change<'_> {
    /// Takes a job that was seen in this state, until `lease`. False if another was faster, or has it.
    pub fn claim_job(
        &mut self,
        name: &str,
        seen: &JobState,
        holder: &str,
        lease: UnixMillis,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO job (name, runs, failures, holder, lease) VALUES (?1, 0, 0, '', 0) \
                   ON CONFLICT DO NOTHING";
        self.sql.execute(sql, &[Param::Text(name)])?;
        let sql = "UPDATE job SET runs = runs + 1, tried = ?5, holder = ?3, lease = ?4 \
                   WHERE name = ?1 AND runs = ?2 AND lease <= ?5";
        let params = [
            Param::Text(name),
            Param::Int(i64::try_from(seen.runs).unwrap_or(i64::MAX)),
            Param::Text(holder),
            Param::Int(lease.0),
            Param::Int(now.0),
        ];
        Ok(self.sql.execute(sql, &params)? == 1)
    }

    /// Keeps a job that takes long. False if it was lost.
    pub fn renew_job(
        &mut self,
        name: &str,
        holder: &str,
        lease: UnixMillis,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET lease = ?3 WHERE name = ?1 AND holder = ?2";
        let params = [Param::Text(name), Param::Text(holder), Param::Int(lease.0)];
        Ok(self.sql.execute(sql, &params)? == 1)
    }

    /// Notes how the holder's run ended and lets go of the job.
    pub fn finish_job(&mut self, name: &str, holder: &str, end: &JobEnd) -> Result<(), StoreError> {
        let key = [Param::Text(name), Param::Text(holder)];
        match end {
            JobEnd::Done => self.sql.execute(
                "UPDATE job SET done = tried, failures = 0, problem = NULL, holder = '', lease = 0 \
                 WHERE name = ?1 AND holder = ?2",
                &key,
            )?,
            JobEnd::Failed(problem) => self.sql.execute(
                "UPDATE job SET failures = failures + 1, problem = ?3, holder = '', lease = 0 \
                 WHERE name = ?1 AND holder = ?2",
                &[Param::Text(name), Param::Text(holder), Param::Text(problem)],
            )?,
            JobEnd::Interrupted => self.sql.execute(
                "UPDATE job SET holder = '', lease = 0 WHERE name = ?1 AND holder = ?2",
                &key,
            )?,
        };
        Ok(())
    }
}
