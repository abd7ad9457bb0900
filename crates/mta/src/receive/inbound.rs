//! Mail from the world: looked at, given its trace fields, filed for local accounts, and passed on where an
//! alias leads elsewhere. It is never signed.

use bytes::Bytes;
use futures_util::future::try_join_all;
use mail::compose::{Received, ReceivedFrom, return_path};
use mail::{ReversePath, Summary, TraceId, UnixMillis};
use mailauth::results;
use mailauth::spf::SpfResult;
use mailauth::verdict::Verdict;
use store::lessons::Junked;
use store::queue::MessageDsn;
use store::reports::NewIntake;
use store::senders::{NewReceived, Seen};
use store::{Delivery, Durability, MessageId, QuotaRule, Receipt};

use super::copies::{self, Copies};
use super::ruling::{Case, Fate, Ruling, is_detour, voucher};
use super::spam::{self, AskedOfPeer, Because, Scores};
use super::verify::Asked;
use super::{Arrival, Passed, Transaction, check_loop, evidence};
use crate::bounce::{self, Kind, Told};
use crate::envelope::{Routed, message_dsn, note};
use crate::filing::{Arrived, Filing};
use crate::filters::{self, Screened};
use crate::forward::{self, Passing};
use crate::outbound::{header_of, tls_wish};
use crate::refusal::{Refusal, WhyKept};
use crate::{Inner, limits};

/// A message from outside, with all that was found out about it. There is no way from this type to a
/// signature of ours.
struct Inbound {
    trace: TraceId,
    from: ReversePath,
    dsn: MessageDsn,
    smtputf8: bool,
    require_tls: bool,
    recipients: Vec<Routed>,
    arrival: Arrival,
    verdict: Verdict,
    /// As it came, or as filters changed it.
    message: Bytes,
    now: UnixMillis,
    /// What filters made of it beside that.
    screened: Screened,
    /// What the spam filter says, for each account.
    scores: Option<Scores>,
}

/// A message that was taken.
pub(super) struct Taken {
    pub(super) receipt: Receipt,
    /// Somebody has it where mail is read: neither is it junk for all nor kept from them.
    pub(super) is_wanted: bool,
}

/// Gather, decide, do, for a whole message from the world.
pub(super) async fn accept(
    inner: &Inner,
    transaction: Transaction,
    arrival: Arrival,
    body: Vec<u8>,
) -> Result<Taken, Refusal> {
    check_loop(Passed::of(&body, &inner.settings.hostname))?;
    let late = inner.world.now() + limits::VERIFY_PATIENCE;
    let Transaction {
        trace,
        from,
        params,
        recipients,
        asked,
        listed,
    } = transaction;
    let asked = asked.unwrap_or_else(|| Asked::begin(inner, arrival.ip, &arrival.hello, &from));
    let message = Bytes::from(body);
    let mut inbound = Inbound {
        trace,
        dsn: message_dsn(&params),
        smtputf8: params.smtputf8,
        require_tls: params.require_tls,
        recipients,
        verdict: asked.verdict(inner, message.clone(), late).await?,
        arrival,
        from,
        message,
        now: inner.now(),
        screened: Screened::default(),
        scores: None,
    };
    inbound.screen(inner).await?;
    let case = Case {
        from: &inbound.from,
        hello: &inbound.arrival.hello,
        recipients: &inbound.recipients,
        verdict: &inbound.verdict,
        message: &inbound.message,
        now: inbound.now,
        junk: inbound.screened.junk.is_some(),
    };
    let mut ruling = case.rule(inner).await?;
    if ruling.refused_by_all().is_none() {
        inbound.scores = inbound.score(inner, listed).await?;
        ruling = ruling.joined(&inbound.recipients, inbound.is_junk());
    }
    if let Some(refusal) = ruling.refused_by_all() {
        inbound.note_refused(inner, &ruling).await;
        return Err(refusal.clone());
    }
    let filing = inbound.file(inner, &ruling).await?;
    let receipt = filing.commit(&inner.store).await?;
    if let Some(held) = &inbound.screened.hold {
        filters::note_held(inner, held).await;
    }
    inbound.log(&ruling);
    Ok(Taken {
        receipt,
        is_wanted: inbound.is_wanted(&ruling),
    })
}

impl Inbound {
    /// Has programs of others look at it, and takes over what they change.
    async fn screen(&mut self, inner: &Inner) -> Result<(), Refusal> {
        let case = filters::Case {
            way: filters::Way::Inbound,
            trace: self.trace,
            peer: Some(self.arrival.ip),
            hello: &self.arrival.hello,
            reverse_name: self.verdict.iprev.confirmed_name(),
            tls: self.arrival.tls.as_deref(),
            user: None,
            from: &self.from,
            dsn: &self.dsn,
            smtputf8: self.smtputf8,
            recipients: &self.recipients,
            message: &self.message,
            now: self.now,
        };
        let mut screened = filters::screen(inner, &case).await?;
        if let Some(message) = screened.message.take() {
            self.message = message;
        }
        if let Some(from) = screened.from.take() {
            self.from = from;
        }
        if let Some(recipients) = screened.recipients.take() {
            self.recipients = recipients;
        }
        self.screened = screened;
        Ok(())
    }

    /// Asks whether it is wanted.
    async fn score(
        &self,
        inner: &Inner,
        listed: Option<AskedOfPeer>,
    ) -> Result<Option<Scores>, Refusal> {
        let trusted = inner.trust.now(inner).await?;
        let case = spam::Case {
            from: &self.from,
            hello: &self.arrival.hello,
            ip: self.arrival.ip,
            recipients: &self.recipients,
            sender: &self.verdict,
            message: &self.message,
            sight: self.screened.sight.clone(),
            vouched: voucher(&self.verdict, &self.message, &trusted).is_some(),
            detour: is_detour(&self.verdict, &self.message),
            other_filters: &self.screened.said,
            now: self.now,
        };
        Ok(spam::score(inner, case, listed).await)
    }

    /// For nobody in particular.
    fn is_junk(&self) -> bool {
        let scores = self.scores.as_ref();
        scores.is_some_and(Scores::is_junk_for_server)
    }

    fn is_wanted(&self, ruling: &Ruling) -> bool {
        let mut fates = ruling.fates.iter();
        let mut leaves = || fates.any(|fate| matches!(fate, Fate::Taken { away: true, .. }));
        let is_read = || {
            let places = copies::places(&self.here(ruling), self.scores.as_ref());
            places.iter().any(|(_, because)| because.is_none())
        };
        self.screened.hold.is_none() && (is_read() || !self.is_junk() && leaves())
    }

    /// Recipients that have it here, and whether it was ruled to be junk before the filter looked at it.
    fn here(&self, ruling: &Ruling) -> Vec<(&Routed, bool)> {
        let fates = self.recipients.iter().zip(&ruling.fates);
        fates
            .filter_map(|(recipient, fate)| match fate {
                Fate::Taken { junk, .. } if recipient.stays_here() => Some((recipient, *junk)),
                _ => None,
            })
            .collect()
    }

    /// Plans all that is done with it.
    async fn file(&self, inner: &Inner, ruling: &Ruling) -> Result<Filing, Refusal> {
        let taken = || self.recipients.iter().zip(&ruling.fates);
        let here = self.here(ruling);
        let away: Vec<&Routed> = taken()
            .filter(|(_, fate)| matches!(fate, Fate::Taken { away: true, .. }))
            .map(|(recipient, _)| recipient)
            .collect();
        let mut filing = Filing::default();
        let forged = results::forged(&self.message, inner.settings.hostname.as_str());
        if !here.is_empty() {
            let why = self.why_ruled(ruling);
            filing.add(self.deliver(inner, &here, &forged, &why).await?);
            filing.seen = self.seen(inner, &here);
        }
        if !away.is_empty() {
            filing.add(forward::plan(inner, &self.passing(inner, &forged), &away).await?);
        }
        filing.hold = self.screened.hold.clone();
        filing.evidence = self.evidence(ruling);
        if self.may_report() {
            let about = self.about();
            let delivered: Vec<Routed> = here.iter().map(|(to, _)| (*to).clone()).collect();
            filing.add(bounce::delivered(inner, &about, &delivered).await?);
            let failed = self.failed(ruling);
            let report = bounce::report(inner, Kind::Failed, &about, failed).await?;
            match filing.hold {
                Some(_) => filing.beside = Some(Box::new(report)),
                None => filing.add(report),
            }
        } else {
            filing.beside = self.set_aside(inner, ruling, &forged).await?;
        }
        Ok(filing)
    }

    /// Others have it, so the peer hears nothing of those who do not get it, and no report may go: for who does not get it
    /// only for what it looks like it is kept until the operator looks.
    async fn set_aside(
        &self,
        inner: &Inner,
        ruling: &Ruling,
        forged: &[std::ops::Range<usize>],
    ) -> Result<Option<Box<Filing>>, Refusal> {
        let kept = self.kept(ruling);
        let Some((_, why)) = kept.first() else {
            return Ok(None);
        };
        let hold = filters::set_aside(self.trace, &self.from, &self.message, why, self.now);
        let recipients = || kept.iter().map(|(recipient, _)| *recipient);
        let here: Vec<_> = recipients().filter(|to| to.stays_here()).collect();
        let here: Vec<_> = here.into_iter().map(|to| (to, false)).collect();
        let away = recipients().filter(|to| !to.forwards().is_empty());
        let away: Vec<_> = away.collect();
        let mut filing = Filing::default();
        if !here.is_empty() {
            filing.add(self.deliver(inner, &here, forged, "").await?);
        }
        if !away.is_empty() {
            filing.add(forward::plan(inner, &self.passing(inner, forged), &away).await?);
        }
        filing.hold = Some(store::held::NewHeld {
            recipients: recipients().map(|to| to.address.to_string()).collect(),
            ..hold
        });
        Ok((!filing.is_empty()).then(|| Box::new(filing)))
    }

    /// Recipients that do not get it for what it looks like, or what filters say.
    fn kept<'a>(&'a self, ruling: &'a Ruling) -> Vec<(&'a Routed, &'a Refusal)> {
        let fates = self.recipients.iter().zip(&ruling.fates);
        let looks = fates.filter_map(|(recipient, fate)| match fate {
            Fate::Refused(why) if is_for_looks(why) => Some((recipient, why)),
            _ => None,
        });
        let of_filters = self.screened.refused.iter();
        looks
            .chain(of_filters.map(|(recipient, why)| (recipient, why)))
            .collect()
    }

    /// What others get.
    fn passing<'a>(&'a self, inner: &Inner, forged: &[std::ops::Range<usize>]) -> Passing<'a> {
        Passing {
            trace: self.trace,
            from: &self.from,
            dsn: &self.dsn,
            smtputf8: self.smtputf8,
            tls: tls_wish(self.require_tls, header_of(&self.message)),
            received: self.received(inner),
            verdict: &self.verdict,
            message: self.unforged_for_others(forged),
            now: self.now,
        }
    }

    /// For those who have it here: one body for all whose verdicts read the same.
    async fn deliver(
        &self,
        inner: &Inner,
        here: &[(&Routed, bool)],
        forged: &[std::ops::Range<usize>],
        why_ruled: &str,
    ) -> Result<Filing, Refusal> {
        let mut forged = forged.to_vec();
        forged.extend(spam::forged(&self.message));
        forged.sort_unstable_by_key(|range| range.start);
        let results = results::write(inner.settings.hostname.as_str(), &self.verdict);
        let mut rest = self.received(inner);
        without(&self.message, &forged, &mut rest);
        let host = inner.settings.hostname.as_str();
        let size = self.message.len();
        let copies = Copies::of(here, self.scores.as_ref(), host, size);
        let mut filing = Filing {
            arrived: self.arrived(&copies, why_ruled),
            ..Filing::default()
        };
        // Together, so that they share what it costs to have them on disk.
        let kept = copies.all.iter().map(|copy| {
            let bytes = [&return_path(&self.from), &results, &copy.field, &rest];
            let bytes = bytes.map(Vec::as_slice).concat();
            let note = note(self.trace, copy.recipients.iter().copied());
            async move {
                let (bytes, summary) = summarize(inner, bytes.into()).await?;
                let kept = inner.store.keep_noted(bytes, note).await?;
                Ok::<_, Refusal>((kept, summary))
            }
        });
        let kept = try_join_all(kept).await?;
        for (copy, (kept, summary)) in copies.all.into_iter().zip(kept) {
            let reports = copy.recipients.iter();
            let reports =
                reports.filter(|recipient| copy.is_for_reports && recipient.takes_reports());
            filing.intakes.extend(reports.map(|recipient| NewIntake {
                trace: self.trace,
                kept: kept.clone(),
                recipient: recipient.address.clone(),
                submitter: evidence::submitter(&self.verdict),
                received: self.now,
            }));
            if !copy.targets.is_empty() {
                filing.deliveries.push(Delivery {
                    trace: self.trace,
                    kept,
                    summary,
                    targets: copy.targets,
                    quota: QuotaRule::Overrun,
                    received: self.now,
                });
            }
        }
        Ok(filing)
    }

    /// In words for its readers: what puts it into the junk folder beside the filter.
    fn why_ruled(&self, ruling: &Ruling) -> String {
        match &self.screened.junk {
            Some(attached) => attached.clone(),
            None => format!("it {}", evidence::why_kept(ruling.judgement)),
        }
    }

    /// What each account remembers of it.
    fn arrived(&self, copies: &Copies<'_>, why_ruled: &str) -> Vec<Arrived> {
        let Some(scores) = &self.scores else {
            return Vec::new();
        };
        let message_id = spam::ids_in(&self.message, "Message-ID").into_iter().next();
        let mut arrived = Vec::new();
        for (account, because) in &copies.places {
            match because {
                None => arrived.extend(scores.origin.author.clone().map(|author| {
                    let new = NewReceived {
                        account: *account,
                        author,
                        confirmed: scores.origin.confirmed,
                        network: scores.network(),
                    };
                    Arrived::Wanted(new, self.now)
                })),
                Some(because) => {
                    let verdict = scores.of(*account).unwrap_or(&scores.server);
                    let reason = match because {
                        Because::Verdict => verdict.words().into_iter().next(),
                        Because::Ruled => Some(why_ruled.to_owned()),
                    };
                    arrived.push(Arrived::Junk(Junked {
                        account: *account,
                        message: MessageId(0),
                        at: self.now,
                        probability: verdict.probability,
                        reason: reason.unwrap_or_default(),
                        message_id: message_id.clone(),
                    }));
                }
            }
        }
        arrived
    }

    /// Counts it for its sender.
    fn seen(&self, inner: &Inner, here: &[(&Routed, bool)]) -> Option<(Vec<Seen>, UnixMillis)> {
        let scores = self.scores.as_ref()?;
        let junk = self.is_junk() || here.iter().all(|(_, junk)| *junk);
        let seen = spam::note(inner, scores, junk);
        (!seen.is_empty()).then_some((seen, self.now))
    }

    fn received(&self, inner: &Inner) -> Vec<u8> {
        let only = match self.recipients.as_slice() {
            [only] => Some(&only.address),
            _ => None,
        };
        let received = Received {
            from: Some(ReceivedFrom {
                hello: &self.arrival.hello,
                name: self.verdict.iprev.confirmed_name(),
                ip: self.arrival.ip,
            }),
            by: inner.settings.hostname.as_str(),
            with: self.arrival.with,
            tls: self.arrival.tls.as_deref(),
            id: self.trace,
            recipient: only,
            date: self.now,
        };
        received.write()
    }

    /// What goes on to others, without fields that claim to be ours: they would be believed where we
    /// are. Only if a signature covers such fields it stays as it came.
    fn unforged_for_others(&self, forged: &[std::ops::Range<usize>]) -> Bytes {
        let covers = |one: &mailauth::dkim::Verdict| {
            let mut fields = one.signed_fields.iter();
            fields.any(|name| name.eq_ignore_ascii_case("authentication-results"))
        };
        if forged.is_empty() || self.verdict.dkim.iter().any(covers) {
            return self.message.clone();
        }
        let mut bytes = Vec::with_capacity(self.message.len());
        without(&self.message, forged, &mut bytes);
        bytes.into()
    }

    /// Not for reports: those about reports would never end.
    fn evidence(&self, ruling: &Ruling) -> Option<store::reports::DmarcEvidence> {
        if self.recipients.iter().any(Routed::takes_reports) {
            return None;
        }
        let (ip, judgement) = (self.arrival.ip, ruling.judgement);
        evidence::evidence(&self.verdict, ip, &self.from, judgement, self.now)
    }

    /// Refused mail is told of too. If that fails nothing is lost but a line of statistics.
    async fn note_refused(&self, inner: &Inner, ruling: &Ruling) {
        let Some(evidence) = self.evidence(ruling) else {
            return;
        };
        let noted = inner.store.write(Durability::Relaxed, move |change| {
            change.note_dmarc(&evidence)
        });
        if let Err(error) = noted.await {
            tracing::warn!(id = %self.trace, %error, "a refused message is missing in a DMARC report");
        }
    }

    /// Something is sent to a sender unasked only where the envelope is proven to be theirs. A report to a
    /// forged address is spam.
    fn may_report(&self) -> bool {
        let spf = &self.verdict.spf;
        let sender = self.from.address();
        spf.result == SpfResult::Pass
            && sender.is_some_and(|sender| sender.domain().as_str() == spf.domain)
    }

    fn about(&self) -> bounce::About<'_> {
        bounce::About {
            trace: self.trace,
            account: None,
            reverse_path: &self.from,
            dsn: &self.dsn,
            tls: tls_wish(self.require_tls, b""),
            arrival: self.now,
            original: &self.message,
        }
    }

    /// Recipients that do not get it while others do.
    fn failed(&self, ruling: &Ruling) -> Vec<Told> {
        let fates = self.recipients.iter().zip(&ruling.fates);
        let refused = fates.filter_map(|(recipient, fate)| match fate {
            Fate::Refused(refusal) => Some((recipient, refusal)),
            Fate::Taken { .. } => None,
        });
        let of_filters = self.screened.refused.iter();
        let all = refused.chain(of_filters.map(|(recipient, refusal)| (recipient, refusal)));
        let wanted = all.filter(|(recipient, _)| bounce::is_wanted(Kind::Failed, &recipient.dsn));
        let told = wanted.map(|(recipient, refusal)| Told {
            address: recipient.address.clone(),
            original_recipient: recipient.dsn.original_recipient.clone(),
            status: "5.7.1".to_owned(),
            host: None,
            reply: None,
            notice: Some(refusal.to_string()),
            last_attempt: None,
            retry_until: None,
            words: None,
        });
        told.collect()
    }

    /// How sure the filter is that it is junk for a recipient, and whether that put it into the junk folder.
    fn scored(&self, recipient: &Routed) -> Option<(String, bool)> {
        let scores = self.scores.as_ref()?;
        let account = recipient.targets().first().map(|target| target.account);
        let verdict = match account {
            Some(account) => scores.of(account)?,
            None => &scores.server,
        };
        let junk = account.is_some_and(|account| scores.is_aside(account, &recipient.address));
        Some((format!("{:.3}", verdict.probability), junk))
    }

    fn log(&self, ruling: &Ruling) {
        let (id, from, size) = (self.trace, &self.from, self.message.len());
        let (peer, reason) = (self.arrival.ip, ruling.judgement.reason);
        let dropped = match self.may_report() {
            true => "dropped",
            false => "set-aside",
        };
        for (recipient, refusal) in &self.screened.refused {
            tracing::info!(
                target: "message", %id, event = dropped, %from, to = %recipient.address, size, %peer, reason = %refusal,
            );
        }
        if let Some(held) = &self.screened.hold {
            tracing::info!(
                target: "message", %id, event = "held", %from, size, %peer, filter = held.filter, reason = held.words,
            );
            return;
        }
        for (recipient, fate) in self.recipients.iter().zip(&ruling.fates) {
            let to = &recipient.address;
            match fate {
                Fate::Taken { junk, away } => {
                    let event = if recipient.stays_here() {
                        "delivered"
                    } else {
                        "forwarded"
                    };
                    let spam = self.scored(recipient);
                    let junk = *junk || spam.as_ref().is_some_and(|(_, junk)| *junk);
                    tracing::info!(
                        target: "message", %id, event, %from, %to, size, %peer, junk, away, dmarc = ?reason,
                        spam = spam.map(|(probability, _)| probability),
                    );
                }
                Fate::Refused(refusal) => tracing::info!(
                    target: "message", %id, event = if is_for_looks(refusal) { dropped } else { "dropped" }, %from, %to, size, %peer, reason = %refusal,
                ),
            }
        }
    }
}

/// What it looks like keeps it from leaving: that may be wrong.
fn is_for_looks(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotPassedOn(_, WhyKept::Junk | WhyKept::Attachments)
    )
}

/// The message without these ranges, in their order.
fn without(message: &[u8], ranges: &[std::ops::Range<usize>], to: &mut Vec<u8>) {
    let mut at = 0;
    for range in ranges {
        to.extend_from_slice(message.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    to.extend_from_slice(message.get(at..).unwrap_or_default());
}

/// Parses what is stored beside a message; a large one off the event loop.
pub(crate) async fn summarize(inner: &Inner, bytes: Bytes) -> Result<(Bytes, Summary), Refusal> {
    let shared = bytes.clone();
    let summary = inner
        .compute(bytes.len(), move || Summary::of(&shared))
        .await;
    Ok((bytes, summary.map_err(|_| Refusal::Bug)?))
}
