//! What is done by the clock: reports, key rotation, and the like.
//! Knows no SMTP and no HTTP server: what is to be sent goes through a door that the program brings ([`Post`]).
//!
//! A job says when it is due (a pure function of its last run) and does it. When it last ran is kept in the
//! store, so that a restart neither skips nor repeats a run, and of several nodes on one database one runs it.

pub mod dkim;
pub mod doctor;
pub mod junk_digest;
pub mod lessons;
pub mod limits;
pub mod publish;
pub mod reports;
pub mod schedule;

mod certificates;
mod job;
mod keeper;
mod letter;
mod notices;
mod post;
mod sign_ins;

use std::net::IpAddr;
use std::sync::Arc;

use store::Store;
use world::http::HttpClient;
use world::{Stop, World};

pub use certificates::{Certificates, CertificatesSettings, new_certificate_key, tlsa_of_key};
pub use job::{Job, JobError, Run};
pub use post::{OwnMessage, Post, PostError};

/// What jobs may know of the service. Built once.
#[derive(Clone, Debug)]
pub struct JobsSettings {
    /// The server's name.
    pub host: String,
    /// The addresses that our mail leaves from, as far as they are known: what makes a source "ours".
    pub addresses: Vec<IpAddr>,
}

/// All jobs of one node.
#[derive(Clone)]
pub struct Jobs {
    desk: Arc<Desk>,
    jobs: Vec<Arc<dyn Job>>,
}

/// What a job works with.
pub struct Desk {
    pub world: World,
    pub store: Store,
    pub post: Arc<dyn Post>,
    pub settings: JobsSettings,
    /// For reports that are to be posted; without one they are not.
    pub http: Option<HttpClient>,
}

impl Jobs {
    pub fn new(world: World, store: Store, post: Arc<dyn Post>, settings: JobsSettings) -> Self {
        let mut jobs = dkim::jobs();
        jobs.extend(reports::jobs());
        jobs.extend(lessons::jobs());
        jobs.push(Arc::new(junk_digest::JunkDigest));
        jobs.push(Arc::new(sign_ins::SignIns::default()));
        Self::of(world, store, post, settings, jobs)
    }

    /// Other jobs than those of the house.
    pub fn of(
        world: World,
        store: Store,
        post: Arc<dyn Post>,
        settings: JobsSettings,
        jobs: Vec<Arc<dyn Job>>,
    ) -> Self {
        let desk = Arc::new(Desk {
            world,
            store,
            post,
            settings,
            http: None,
        });
        Self { desk, jobs }
    }

    /// With a client for what is sent by HTTP.
    #[must_use]
    pub fn with_http(mut self, client: HttpClient) -> Self {
        if let Some(desk) = Arc::get_mut(&mut self.desk) {
            desk.http = Some(client);
        }
        self
    }

    /// With certificates from an authority.
    #[must_use]
    pub fn with_certificates(mut self, settings: CertificatesSettings) -> Self {
        self.jobs.push(Arc::new(Certificates::new(settings)));
        self
    }

    /// With the records of domains kept published where the operator gave a key.
    #[must_use]
    pub fn with_publishing(mut self, wishes: publish::Wishes, changed: publish::Changed) -> Self {
        self.jobs
            .push(Arc::new(publish::Publishing::new(wishes, changed)));
        self
    }

    /// With a doctor who looks after the server.
    #[must_use]
    pub fn with_doctor(mut self, settings: self::doctor::DoctorSettings) -> Self {
        self.jobs
            .push(Arc::new(self::doctor::Doctor::new(settings)));
        self
    }

    /// With a special address of each domain that judges what users of ours send to it.
    #[must_use]
    pub fn with_letters(mut self, settings: self::doctor::DoctorSettings) -> Self {
        self.jobs
            .push(Arc::new(self::doctor::Letters::new(settings)));
        self
    }

    /// With a messenger who tells the operator what there is to tell.
    #[must_use]
    pub fn with_messenger(mut self) -> Self {
        self.jobs.push(Arc::new(self::doctor::Tell));
        self
    }

    /// Does what is due until told to stop. A run in work is cut at its next wait and counts as not begun.
    pub async fn run(self, stop: Stop) {
        let keepers: Vec<_> = self
            .jobs
            .into_iter()
            .map(|job| {
                let name = job.name();
                let keeping = keeper::keep(self.desk.clone(), job, stop.clone());
                self.desk.world.tasks.spawn(name, keeping)
            })
            .collect();
        for keeper in keepers {
            let _ = keeper.ended().await;
        }
    }
}

impl Desk {
    /// The time of day.
    pub fn now(&self) -> mail::UnixMillis {
        mail::UnixMillis::from(self.world.wall())
    }
}
