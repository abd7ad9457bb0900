//! The threads that make bodies durable: one for the segments, a few for large files.
//! Whatever waits when a sync ends goes into the next write together.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, mpsc};
use std::thread;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::large::LargeFiles;
use super::limits::{BATCH_BYTES_MAX, BATCH_JOBS_MAX, JOBS_WAITING_MAX, LARGE_WRITERS};
use super::record::Hash;
use super::segment::Segment;
use super::{BlobError, BlobSettings, Kept, Labour, Location};

/// One body on its way to the disk.
#[derive(Debug)]
pub struct Job {
    pub body: Bytes,
    pub note: Bytes,
    pub hash: Hash,
    pub answer: oneshot::Sender<Result<Kept, BlobError>>,
}

impl Job {
    fn kept(&self, location: Location) -> Kept {
        Kept {
            location,
            hash: self.hash,
            size: self.body.len() as u64,
        }
    }
}

#[derive(Debug)]
pub struct Writer {
    settings: BlobSettings,
    large: LargeFiles,
    open_segment: Arc<AtomicI64>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Threads {
        small: SyncSender<Job>,
        large: SyncSender<Job>,
    },
    Inline(Mutex<Segment>),
}

impl Writer {
    pub fn start(segment: Segment, large: LargeFiles, settings: BlobSettings) -> Self {
        let open_segment = Arc::new(AtomicI64::new(segment.number()));
        let work = match settings.labour {
            Labour::Inline => Work::Inline(Mutex::new(segment)),
            Labour::Threads => {
                let (small, jobs) = sync_channel(JOBS_WAITING_MAX);
                let shown = Arc::clone(&open_segment);
                spawn("bodies", move || write_segments(segment, &jobs, &shown));
                Work::Threads {
                    small,
                    large: start_large(&large),
                }
            }
        };
        Self {
            settings,
            large,
            open_segment,
            work,
        }
    }

    /// Where new bodies go at this moment.
    pub fn open_segment(&self) -> Option<i64> {
        Some(self.open_segment.load(Ordering::Acquire))
    }

    /// Hands a job to the threads; waits only when far too much is waiting already.
    pub fn queue(&self, job: Job) -> Result<(), BlobError> {
        let Work::Threads { small, large } = &self.work else {
            return Err(BlobError::Stopped);
        };
        let to = if self.is_large(&job) { large } else { small };
        match to.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job)) => to.send(job).map_err(|_| BlobError::Stopped),
            Err(TrySendError::Disconnected(_)) => Err(BlobError::Stopped),
        }
    }

    pub fn work_inline(&self, job: Job) -> Result<Kept, BlobError> {
        let Work::Inline(segment) = &self.work else {
            return Err(BlobError::Stopped);
        };
        if self.is_large(&job) {
            return self
                .large
                .write(&job.body)
                .map(|location| job.kept(location));
        }
        let mut segment = segment.lock();
        let locations = segment.append(std::slice::from_ref(&job))?;
        self.open_segment.store(segment.number(), Ordering::Release);
        locations
            .first()
            .map(|location| job.kept(*location))
            .ok_or(BlobError::Stopped)
    }

    fn is_large(&self, job: &Job) -> bool {
        self.settings.large_bytes_min <= job.body.len() as u64
    }
}

fn write_segments(mut segment: Segment, jobs: &Receiver<Job>, shown: &AtomicI64) {
    while let Ok(first) = jobs.recv() {
        let batch = gather(first, jobs);
        let written = segment.append(&batch);
        shown.store(segment.number(), Ordering::Release);
        match written {
            Ok(locations) => answer_all(batch, &locations),
            Err(error) => refuse_all(batch, error, &mut segment),
        }
    }
}

/// All that waits now, within the bounds of one write.
fn gather(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.body.len();
    let mut batch = vec![first];
    while batch.len() < BATCH_JOBS_MAX
        && bytes < BATCH_BYTES_MAX
        && let Ok(job) = jobs.try_recv()
    {
        bytes += job.body.len();
        batch.push(job);
    }
    batch
}

fn answer_all(batch: Vec<Job>, locations: &[Location]) {
    for (job, location) in batch.into_iter().zip(locations) {
        let kept = job.kept(*location);
        // The caller may have gone; then the body is garbage for the sweep.
        let _ = job.answer.send(Ok(kept));
    }
}

/// A batch that did not fit as a whole may fit in parts: on a disk that is almost full, small
/// messages still get in.
fn refuse_all(batch: Vec<Job>, error: BlobError, segment: &mut Segment) {
    let retry = matches!(error, BlobError::Full { .. }) && 1 < batch.len();
    let mut error = Some(error);
    for job in batch {
        let outcome = if retry {
            segment
                .append(std::slice::from_ref(&job))
                .and_then(|l| l.first().map(|l| job.kept(*l)).ok_or(BlobError::Stopped))
        } else {
            Err(error.take().unwrap_or(BlobError::Stopped))
        };
        let _ = job.answer.send(outcome);
    }
}

fn start_large(files: &LargeFiles) -> SyncSender<Job> {
    let (send, jobs) = sync_channel::<Job>(JOBS_WAITING_MAX);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..LARGE_WRITERS {
        let jobs = Arc::clone(&jobs);
        let files = files.clone();
        spawn("large bodies", move || {
            while let Ok(job) = next(&jobs) {
                let outcome = files.write(&job.body).map(|location| job.kept(location));
                let _ = job.answer.send(outcome);
            }
        });
    }
    send
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Result<Job, mpsc::RecvError> {
    jobs.lock().recv()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    // Without its threads the store cannot keep mail; failing to get one is seen by every caller
    // as a writer that has stopped.
    let _ = thread::Builder::new().name(name.to_owned()).spawn(work);
}
