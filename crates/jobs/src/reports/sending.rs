//! Sends what is owed to others for the days that are over.

use std::time::Duration;

use mail::{Address, Domain, UnixMillis};
use mailauth::report::{aggregate, compose, tls};
use store::reports::{NewReport, ReportDay, ReportDayEnd, ReportKind, day_of};
use store::{Durability, StoreError};
use world::http::Request;
use world::{BoxFuture, Random};

use super::build::{self, Reporter};
use super::destinations::{self, Destination, Destinations, NoDestination};
use super::limits::{ATTEMPTS_MAX, DAYS_PER_RUN, LOOK_PERIOD, RETRY_FIRST, SEND_FROM, SEND_SPREAD};
use super::read::{self, Arrival};
use super::reading::local_domains;
use crate::{Desk, Job, JobError, OwnMessage, PostError, Run, schedule};

pub(super) struct Sending;

impl Job for Sending {
    fn name(&self) -> &'static str {
        "reports.send"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(LOOK_PERIOD, last, started)
    }

    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let now = run.now;
            let (days, local) = desk
                .store
                .read(move |view| {
                    let days = view.report_days(day_of(now), now, DAYS_PER_RUN)?;
                    // Mostly there is nothing to do.
                    let local = match days.is_empty() {
                        true => Vec::new(),
                        false => local_domains(view)?,
                    };
                    Ok::<_, StoreError>((days, local))
                })
                .await?;
            let Some(sender) = Sender::of(desk, &local) else {
                return Ok(());
            };
            let random = desk.world.random.branch("reports.send");
            for day in days {
                match day.due {
                    None => plan(desk, day, &*random).await?,
                    Some(_) => sender.send(desk, day, &local, now).await?,
                }
            }
            Ok(())
        })
    }
}

/// When a day's report is due: some time after the day, somewhere within the spread.
pub(super) fn due(day: i64, random: &dyn Random) -> UnixMillis {
    let end = UnixMillis::from_secs((day + 1) * 86_400);
    let spread = u64::try_from(SEND_SPREAD.as_millis()).unwrap_or(0);
    end.plus(SEND_FROM + Duration::from_millis(random.below(spread)))
}

/// When it is tried again after so many failures; nothing when that is enough.
pub(super) fn again(now: UnixMillis, failures: u32) -> Option<UnixMillis> {
    (failures < ATTEMPTS_MAX).then(|| now.plus(RETRY_FIRST * 2_u32.pow(failures)))
}

async fn plan(desk: &Desk, day: ReportDay, random: &dyn Random) -> Result<(), StoreError> {
    let due = due(day.day, random);
    let mut token = [0; 8];
    random.fill(&mut token);
    let token = format!("{:016x}", u64::from_le_bytes(token));
    desk.store
        .write_bulk(Durability::Relaxed, move |change| {
            change.plan_report(&day, due, &token)
        })
        .await
}

/// In whose name reports leave.
struct Sender {
    host: String,
    domain: Domain,
}

/// A report, ready for any destination.
enum Ready {
    Dmarc(Box<aggregate::Report>),
    Tls(tls::Report),
}

/// How it went with one destination.
enum Went {
    Out,
    /// Not now.
    Later(String),
    /// Not at all.
    Refused(String),
}

impl Sender {
    /// The local domain that the host belongs to, else the first one. A report has to pass DMARC itself
    /// (RFC 9990 §3.5.2), so it comes from a domain that we sign for.
    fn of(desk: &Desk, local: &[String]) -> Option<Self> {
        let host = desk.settings.host.clone();
        let is_above = |domain: &&String| {
            host == domain.as_str()
                || host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|below| below.ends_with('.'))
        };
        let domain = local.iter().find(is_above).or_else(|| local.first())?;
        let domain = Domain::parse(domain).ok()?;
        Some(Self { host, domain })
    }

    fn address(&self, kind: ReportKind) -> Option<Address> {
        Address::new(kind.local_part(), self.domain.clone()).ok()
    }

    async fn send(
        &self,
        desk: &Desk,
        day: ReportDay,
        local: &[String],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let dns = &*desk.world.dns;
        let found = match day.kind {
            ReportKind::Tls => destinations::tls(dns, &day.domain).await,
            ReportKind::Dmarc | ReportKind::Failure => destinations::dmarc(dns, &day.domain).await,
        };
        let found = match found {
            Ok(found) => found,
            Err(why @ NoDestination::NotWanted) => {
                return end(desk, day, ReportDayEnd::Dropped, why.to_string()).await;
            }
            Err(why @ NoDestination::Unknown(_)) => {
                return retry(desk, day, now, why.to_string()).await;
            }
        };
        let Destinations { wanted, refused } = found;
        for (destination, why) in refused {
            note(desk, &day, destination, String::new(), why).await?;
        }
        let reports = self.reports(desk, &day).await?;
        let mut later = None;
        for destination in wanted {
            let name = destination.name();
            let went = self
                .send_to(desk, &day, &reports, &destination, local, now)
                .await?;
            match went {
                Went::Out => {}
                Went::Later(why) => later = Some(format!("{name}: {why}")),
                Went::Refused(why) => {
                    note(desk, &day, name, String::new(), why).await?;
                }
            }
        }
        match later {
            Some(why) => retry(desk, day, now, why).await,
            None => end(desk, day, ReportDayEnd::Sent, String::new()).await,
        }
    }

    async fn reports(&self, desk: &Desk, day: &ReportDay) -> Result<Vec<Ready>, StoreError> {
        let contact = self.address(day.kind).map(|address| address.to_string());
        let reporter = Reporter {
            host: &self.host,
            contact: contact.as_deref().unwrap_or_default(),
        };
        let (domain, number) = (day.domain.clone(), day.day);
        if day.kind == ReportKind::Tls {
            let seen = desk
                .store
                .read(move |view| view.tls_seen(&domain, number))
                .await?;
            return Ok(vec![Ready::Tls(build::tls(&reporter, day, &seen))]);
        }
        let seen = desk
            .store
            .read(move |view| view.dmarc_seen(&domain, number))
            .await?;
        let reports = build::dmarc(&reporter, day, &seen);
        Ok(reports
            .into_iter()
            .map(|report| Ready::Dmarc(Box::new(report)))
            .collect())
    }

    async fn send_to(
        &self,
        desk: &Desk,
        day: &ReportDay,
        reports: &[Ready],
        destination: &Destination,
        local: &[String],
        now: UnixMillis,
    ) -> Result<Went, StoreError> {
        let name = destination.name();
        let (asked, quiet) = (day.clone(), name.clone());
        let (sent, quiet) = desk
            .store
            .read(move |view| {
                let sent = view.was_report_sent(&asked, &quiet)?;
                Ok::<_, StoreError>((sent, view.report_destination_quiet(&quiet)?))
            })
            .await?;
        if sent {
            return Ok(Went::Out);
        }
        if quiet.is_some_and(|until| now < until) {
            return Ok(Went::Refused("it did not take earlier reports".to_owned()));
        }
        let mut id = String::new();
        for report in reports {
            id = report.id().to_owned();
            let went = match destination {
                Destination::Mail(to) => self.post(desk, day, report, to, local, now).await?,
                Destination::Https(url) => put(desk, report, url).await,
            };
            match went {
                Went::Out => {}
                Went::Refused(why) => {
                    let (address, said) = (name.clone(), why.clone());
                    desk.store
                        .write_bulk(Durability::Durable, move |change| {
                            change.note_report_refused(&address, now, &said)
                        })
                        .await?;
                    return Ok(Went::Refused(why));
                }
                later @ Went::Later(_) => return Ok(later),
            }
        }
        note(desk, day, name, id, String::new()).await?;
        Ok(Went::Out)
    }

    async fn post(
        &self,
        desk: &Desk,
        day: &ReportDay,
        report: &Ready,
        to: &Address,
        local: &[String],
        now: UnixMillis,
    ) -> Result<Went, StoreError> {
        if self.keep(desk, day, report, to, local, now).await? {
            return Ok(Went::Out);
        }
        let Some(from) = self.address(day.kind) else {
            return Ok(Went::Refused("we have no address to send from".to_owned()));
        };
        let head = compose::Head {
            from: &from,
            to,
            date: now,
            submitter: &self.host,
        };
        let bytes = match report {
            Ready::Dmarc(report) => compose::aggregate(&head, report),
            Ready::Tls(report) => compose::tls(&head, &day.domain, report),
        };
        let message = OwnMessage {
            from: Some(from),
            to: vec![to.clone()],
            bytes,
            sign_as: self.domain.clone(),
        };
        Ok(match desk.post.post(message).await {
            Ok(()) => Went::Out,
            Err(PostError::Refused(why)) => Went::Refused(why),
            Err(PostError::Later(why)) => Went::Later(why),
        })
    }

    /// What we saw of a domain of ours needs no mail to ourselves: true if it was filed.
    async fn keep(
        &self,
        desk: &Desk,
        day: &ReportDay,
        report: &Ready,
        to: &Address,
        local: &[String],
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let asked = to.clone();
        let is_ours = desk
            .store
            .read(move |view| view.is_report_address(&asked))
            .await?;
        if !is_ours {
            return Ok(false);
        }
        let arrival = Arrival {
            domain: day.domain.clone(),
            submitter: Some(self.domain.to_string()),
            received: now,
            trace: String::new(),
        };
        let reports: Vec<NewReport> = match report {
            Ready::Dmarc(report) => read::own(report, &arrival, local).into_iter().collect(),
            Ready::Tls(report) => read::own_tls(report, &arrival, local),
        };
        if reports.is_empty() {
            return Ok(false);
        }
        desk.store
            .write_bulk(Durability::Durable, move |change| {
                reports
                    .iter()
                    .try_for_each(|report| change.file_report(report).map(drop))
            })
            .await?;
        Ok(true)
    }
}

impl Ready {
    fn id(&self) -> &str {
        match self {
            Self::Dmarc(report) => &report.metadata.report_id,
            Self::Tls(report) => &report.report_id,
        }
    }
}

/// RFC 8460 §5.4
async fn put(desk: &Desk, report: &Ready, url: &str) -> Went {
    let (Some(client), Ready::Tls(report)) = (&desk.http, report) else {
        return Went::Refused("we do not post reports".to_owned());
    };
    let body = compose::gzip(report.write().as_bytes());
    let request = Request::post(url, "application/tlsrpt+gzip", body);
    match client.fetch(request).await {
        Ok(response) if (200..300).contains(&response.status) => Went::Out,
        // RFC 8460 §5.5: a refusal for good is not tried again.
        Ok(response) if (400..500).contains(&response.status) => {
            Went::Refused(format!("it answered {}", response.status))
        }
        Ok(response) => Went::Later(format!("it answered {}", response.status)),
        Err(error) => Went::Later(error.to_string()),
    }
}

async fn note(
    desk: &Desk,
    day: &ReportDay,
    destination: String,
    id: String,
    why: String,
) -> Result<(), StoreError> {
    let (kind, domain) = (day.kind, &day.domain);
    if why.is_empty() {
        tracing::info!(?kind, domain, destination, id, "a report is sent");
    } else {
        tracing::info!(?kind, domain, destination, why, "a report is not sent");
    }
    let (day, now) = (day.clone(), desk.now());
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.note_report_sent(&day, &destination, now, &id, &why)
        })
        .await
}

async fn end(
    desk: &Desk,
    day: ReportDay,
    how: ReportDayEnd,
    why: String,
) -> Result<(), StoreError> {
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.end_report_day(&day, how, &why)
        })
        .await
}

/// Backs off, and gives up at last.
async fn retry(
    desk: &Desk,
    day: ReportDay,
    now: UnixMillis,
    why: String,
) -> Result<(), StoreError> {
    let Some(due) = again(now, day.attempts) else {
        tracing::info!(kind = ?day.kind, domain = day.domain, why, "a report is given up");
        return end(desk, day, ReportDayEnd::Dropped, why).await;
    };
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.retry_report(&day, due, &why)
        })
        .await
}
