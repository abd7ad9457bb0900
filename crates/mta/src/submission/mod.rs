//! Mail of our users, whatever door it came by: one set of rules. Local recipients have their message in the same
//! transaction that queues it for the remote ones.
//!
//! An empty reverse-path is allowed to a user (RFC 6409 leaves it open): mail programs send
//! disposition notifications with it (RFC 8098 §3). The From field must be theirs all the same.

pub(crate) mod abuse;
mod automatic;
mod rules;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use mail::compose::{Received, return_path};
use mail::submission::{Prepared, Submitter, prepare};
use mail::{Address, Domain, ReversePath, TraceId, UnixMillis};
use spam::Sight;
use spam::header::OURS;
use store::held::NewHeld;
use store::queue::{MessageDsn, RecipientDsn};
use store::reports::NewIntake;
use store::{AccountId, Delivery, LoggedIn, PasswordUsed, QuotaRule, Receipt, StoreError};

use crate::envelope::{Routed, message_dsn, note, outward};
use crate::filing::{Filing, Sent, delivery_targets};
use crate::outbound::{Envelope, OutboundMessage, header_of, recode, survey, tls_wish};
use crate::receive::{Arrival, Passed, Transaction, check_loop, decide_recipient};
use crate::refusal::Refusal;
use crate::{Door, Inner, bounce, filters};

/// A message of an authenticated user, with its envelope.
#[derive(Clone, Debug)]
pub struct Submission {
    pub user: LoggedIn,
    pub reverse_path: ReversePath,
    pub recipients: Vec<SubmissionRecipient>,
    pub dsn: MessageDsn,
    /// The header may hold UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// As it came: completed and cleaned by the rules.
    pub message: Vec<u8>,
    /// Where the user's program is, if it came over the network.
    pub peer: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct SubmissionRecipient {
    pub address: Address,
    pub dsn: RecipientDsn,
}

/// A submission whose sender and recipients were accepted.
pub(crate) struct Draft {
    user: LoggedIn,
    trace: TraceId,
    reverse_path: ReversePath,
    recipients: Vec<Routed>,
    dsn: MessageDsn,
    /// RFC 8689.
    require_tls: bool,
    smtputf8: bool,
    message: Vec<u8>,
    /// The `with` word of the Received field.
    with: &'static str,
    tls: Option<String>,
    /// What the user's program called its host: it must not leave.
    client: Option<String>,
    peer: Option<IpAddr>,
}

impl Draft {
    pub(crate) fn of(
        user: LoggedIn,
        transaction: Transaction,
        arrival: Arrival,
        message: Vec<u8>,
    ) -> Self {
        Self {
            user,
            trace: transaction.trace,
            reverse_path: transaction.from,
            recipients: transaction.recipients,
            dsn: message_dsn(&transaction.params),
            require_tls: transaction.params.require_tls,
            smtputf8: transaction.params.smtputf8,
            message,
            with: arrival.with,
            tls: arrival.tls,
            client: Some(arrival.hello),
            peer: Some(arrival.ip),
        }
    }
}

/// The door for callers inside the program.
pub(crate) async fn submit(inner: &Inner, submission: Submission) -> Result<Receipt, Refusal> {
    let Submission {
        user,
        reverse_path,
        recipients,
        dsn,
        smtputf8,
        message,
        peer,
    } = submission;
    check_sender(inner, Some(&user), &reverse_path).await?;
    let size = message.len() as u64;
    let mut routed = Vec::with_capacity(recipients.len());
    for SubmissionRecipient { address, dsn } in recipients {
        let to = wire::smtp::ForwardPath::Address(address);
        let facts = crate::receive::gather_recipient(inner, &to, size).await?;
        let null = reverse_path.is_null();
        let (address, way) = decide_recipient(Door::Submission, null, routed.len(), facts)?;
        routed.push(Routed { address, dsn, way });
    }
    let draft = Draft {
        user,
        trace: inner.new_trace(),
        reverse_path,
        recipients: routed,
        dsn,
        require_tls: false,
        smtputf8,
        message,
        with: "local",
        tls: None,
        client: None,
        peer,
    };
    accept(inner, draft).await
}

/// MAIL of a user: the reverse-path must be theirs.
pub(crate) async fn check_sender(
    inner: &Inner,
    user: Option<&LoggedIn>,
    from: &ReversePath,
) -> Result<(), Refusal> {
    let Some(user) = user else {
        return Err(Refusal::WrongLogin);
    };
    abuse::check_state(inner, user).await?;
    let Some(address) = from.address() else {
        return Ok(());
    };
    let strange = strangers(inner, user, vec![address]).await?;
    rules::decide(&strange)
}

/// Gather, decide, do, for a user's message.
pub(crate) async fn accept(inner: &Inner, mut draft: Draft) -> Result<Receipt, Refusal> {
    let now = inner.now();
    if draft.recipients.is_empty() {
        return Err(Refusal::NoRecipients);
    }
    check_loop(Passed::of(&draft.message, &inner.settings.hostname))?;
    let signer = draft.prepare(inner, now).await?;
    let (held, sight) = draft.screen(inner, now).await?;
    let received = Received {
        from: None,
        by: inner.settings.hostname.as_str(),
        with: draft.with,
        tls: draft.tls.as_deref(),
        id: draft.trace,
        recipient: None,
        date: now,
    };
    let complete = [received.write(), std::mem::take(&mut draft.message)].concat();
    let size = complete.len();
    let Draft {
        user,
        trace,
        reverse_path,
        recipients,
        ..
    } = &draft;
    let finished = Finished {
        user,
        trace: *trace,
        reverse_path,
        dsn: &draft.dsn,
        require_tls: draft.require_tls,
        smtputf8: draft.smtputf8,
    };
    let mut sending = outgoing(inner, user, draft.peer, recipients, &complete, sight, now).await?;
    sending.look.automatic |= reverse_path.is_null();
    let rang = sending.rang.clone();
    let opinion = sending.opinion.clone().unwrap_or_default();
    let mut filing = finished
        .file(inner, recipients, complete, signer.as_ref(), now)
        .await?;
    filing.sending = Some(sending);
    filing.hold.clone_from(&held);
    let receipt = filing.commit(&inner.store).await?;
    if let Some(held) = &held {
        filters::note_held(inner, held).await;
    }
    if rang.has_rung() {
        abuse::tell_users(inner).await;
    }
    abuse::look_up_links(inner, user, draft.peer, opinion.links);
    log(user, *trace, reverse_path, recipients, size);
    Ok(receipt)
}

impl Draft {
    /// Completes and cleans the message, and makes sure that it speaks in nobody else's name. The domain that signs it.
    async fn prepare(&mut self, inner: &Inner, now: UnixMillis) -> Result<Option<Domain>, Refusal> {
        let message = std::mem::take(&mut self.message);
        let arrived = message.len();
        let preparing = Preparing {
            author: self.user.address().clone(),
            host: inner.settings.hostname.as_str().to_owned(),
            unique: self.trace.to_string(),
            client: self.client.clone(),
            now,
        };
        let work = move || preparing.run(message);
        let prepared = inner.compute(arrived, work).await;
        let prepared = prepared.map_err(|_| Refusal::Bug)??;
        let strange = strangers(inner, &self.user, rules::names(&prepared)).await?;
        rules::decide(&strange)?;
        self.message = prepared.message;
        let author = prepared.authors.first();
        Ok(author.map(|author| author.domain().clone()))
    }

    /// Has programs of others look at it, takes over what they change, and says whether it is to be held; with the message
    /// taken apart, if that was done.
    async fn screen(
        &mut self,
        inner: &Inner,
        now: UnixMillis,
    ) -> Result<(Option<NewHeld>, Option<Arc<Sight>>), Refusal> {
        let message = Bytes::from(std::mem::take(&mut self.message));
        let case = filters::Case {
            way: filters::Way::Submission,
            trace: self.trace,
            peer: self.peer,
            hello: self.client.as_deref().unwrap_or_default(),
            reverse_name: None,
            tls: self.tls.as_deref(),
            user: Some((self.user.account(), self.user.address())),
            from: &self.reverse_path,
            dsn: &self.dsn,
            smtputf8: self.smtputf8,
            recipients: &self.recipients,
            message: &message,
            now,
        };
        let screened = filters::screen(inner, &case).await?;
        self.message = match screened.message {
            // What filters make of it must be fit to travel as well.
            Some(changed) if !survey::of(&changed).travels() => recode::for_lines(&changed),
            Some(changed) => changed.into(),
            None => message.into(),
        };
        if let Some(from) = screened.from {
            self.reverse_path = from;
        }
        if let Some(recipients) = screened.recipients {
            self.recipients = recipients;
        }
        Ok((screened.hold, screened.sight))
    }
}

/// What the limits of the account need to know of a message.
async fn outgoing(
    inner: &Inner,
    user: &LoggedIn,
    peer: Option<IpAddr>,
    recipients: &[Routed],
    complete: &[u8],
    sight: Option<Arc<Sight>>,
    now: UnixMillis,
) -> Result<abuse::Outgoing, Refusal> {
    let remote = outward(recipients);
    let local = delivery_targets(recipients.iter().flat_map(Routed::targets));
    let remote: Vec<Address> = remote.into_iter().map(|to| to.address).collect();
    let (look, opinion) = match remote.is_empty() {
        true => (abuse::Look::default(), None),
        false => {
            let (bytes, from, to) = (complete.to_vec(), user.address().clone(), remote.clone());
            let looking = inner.compute(bytes.len(), move || {
                let opinion = match sight {
                    // Taken apart before it got our Received field.
                    Some(sight) => abuse::Opinion::by(&sight.stamped(&bytes), Some(&from), &to),
                    None => abuse::Opinion::of(&bytes, Some(&from), &to),
                };
                (abuse::Look::at(&bytes), Some(opinion))
            });
            looking.await.map_err(|_| Refusal::Bug)?
        }
    };
    Ok(abuse::Outgoing {
        account: user.account(),
        address: user.address().clone(),
        peer,
        app_password: match user.used() {
            PasswordUsed::App(name) => Some(name.to_string()),
            PasswordUsed::Main => None,
        },
        remote,
        local: local.len() as u64,
        look,
        opinion,
        now,
        rang: abuse::Rang::default(),
    })
}

/// A message that is fit to leave, with what its ways need to know.
struct Finished<'a> {
    user: &'a LoggedIn,
    trace: TraceId,
    reverse_path: &'a ReversePath,
    dsn: &'a MessageDsn,
    require_tls: bool,
    smtputf8: bool,
}

impl Finished<'_> {
    /// Plans what local recipients get, what goes to the queue, and what is reported.
    async fn file(
        &self,
        inner: &Inner,
        recipients: &[Routed],
        complete: Vec<u8>,
        signer: Option<&Domain>,
        now: UnixMillis,
    ) -> Result<Filing, Refusal> {
        let names = recipients.iter().map(|to| to.address.local());
        let null_sender = self.reverse_path.is_null();
        let mut filing = Filing {
            user: Some(self.user.clone()),
            sent: Some(Sent {
                account: self.user.account(),
                to: recipients.iter().map(|to| to.address.clone()).collect(),
                message_id: crate::receive::ids_in(&complete, "Message-ID").pop(),
                is_automatic: automatic::is_automatic(&complete, null_sender, names),
                now,
            }),
            ..Filing::default()
        };
        let wish = tls_wish(self.require_tls, header_of(&complete));
        let about = bounce::About {
            trace: self.trace,
            account: Some(self.user.account()),
            reverse_path: self.reverse_path,
            dsn: self.dsn,
            tls: wish,
            arrival: now,
            original: &complete,
        };
        filing.add(bounce::delivered(inner, &about, recipients).await?);
        if recipients.iter().any(Routed::stays_here) {
            let results = self.results(inner);
            let local = [&return_path(self.reverse_path), &results, &complete];
            let local = local.map(Vec::as_slice).concat();
            filing.add(deliver(inner, self.trace, local, recipients, now).await?);
        }
        // An alias that leads elsewhere needs no other sender: this one is ours.
        let remote = outward(recipients);
        if !remote.is_empty() {
            let remote: Vec<&Routed> = remote.iter().collect();
            let envelope = Envelope {
                reverse_path: self.reverse_path,
                dsn: self.dsn,
                tls: wish,
                recipients: &remote,
            };
            let message = OutboundMessage::of_user(self.user, self.trace, complete, self.smtputf8);
            filing
                .queued
                .push(message.queue(inner, signer, envelope, now).await?);
        }
        Ok(filing)
    }

    /// For local copies: a user of ours sent it, after a log-in (RFC 8601 §2.7.4). The address of the
    /// envelope stands there, not the account's: who writes as `info@` need not show who that is.
    /// What leaves this host has no such field; the signatures speak for it.
    fn results(&self, inner: &Inner) -> Vec<u8> {
        let host = inner.settings.hostname.as_str();
        let sender = self.reverse_path.address();
        let plain = sender
            .filter(|sender| !sender.needs_smtputf8() && sender.quoted_local() == sender.local());
        let from = plain
            .map(|sender| format!(" smtp.mailfrom={sender}"))
            .unwrap_or_default();
        format!("Authentication-Results: {host};\r\n\tauth=pass{from}\r\n").into_bytes()
    }
}

/// What the rules of submission need to know; owned, since large messages are prepared elsewhere.
struct Preparing {
    author: Address,
    host: String,
    unique: String,
    client: Option<String>,
    now: UnixMillis,
}

impl Preparing {
    /// Line ends made strict and the rest made mail, then completed and cleaned.
    fn run(&self, message: Vec<u8>) -> Result<Prepared, Refusal> {
        let message = match survey::of(&message) {
            found if found.travels() => message,
            _ => recode::for_lines(&message),
        };
        let message = without_forged(message, &self.host);
        let own_domain = self.author.domain().as_str();
        let submitter = Submitter {
            now: self.now,
            host: &self.host,
            unique: &self.unique,
            client: self
                .client
                .as_deref()
                .filter(|name| !name.eq_ignore_ascii_case(own_domain)),
            default_author: Some(&self.author),
        };
        prepare(&message, &submitter).map_err(Refusal::Unfit)
    }
}

/// Whoever takes up a message as it lay in a mailbox of ours must not send our findings about it as new ones: who sent it
/// (RFC 8601 §5), and whether it was wanted, which tells of its reader as well.
fn without_forged(message: Vec<u8>, host: &str) -> Vec<u8> {
    let mut message = message;
    let verdicts = mail::header::fields(&message)
        .filter(|field| OURS.iter().any(|name| field.is(name)))
        .map(|field| field.start..field.end);
    for range in verdicts.collect::<Vec<_>>().into_iter().rev() {
        message.drain(range);
    }
    for range in mailauth::results::forged(&message, host).into_iter().rev() {
        message.drain(range);
    }
    message
}

async fn deliver(
    inner: &Inner,
    trace: TraceId,
    bytes: Vec<u8>,
    recipients: &[Routed],
    now: UnixMillis,
) -> Result<Filing, Refusal> {
    let targets = delivery_targets(recipients.iter().flat_map(Routed::targets));
    let (bytes, summary) = crate::receive::summarize(inner, bytes.into()).await?;
    let kept = inner
        .store
        .keep_noted(bytes, note(trace, recipients))
        .await?;
    let reports = recipients.iter().filter(|to| to.takes_reports());
    let intakes = reports.map(|to| NewIntake {
        trace,
        kept: kept.clone(),
        recipient: to.address.clone(),
        // What a user of ours sends is no other domain's word.
        submitter: None,
        received: now,
    });
    let intakes = intakes.collect();
    let delivery = (!targets.is_empty()).then_some(Delivery {
        trace,
        kept,
        summary,
        targets,
        quota: QuotaRule::Overrun,
        received: now,
    });
    Ok(Filing {
        deliveries: delivery.into_iter().collect(),
        intakes,
        ..Filing::default()
    })
}

/// Those of the addresses that the user does not own.
async fn strangers(
    inner: &Inner,
    user: &LoggedIn,
    addresses: Vec<&Address>,
) -> Result<Vec<Address>, Refusal> {
    let mut unsure: Vec<Address> = addresses
        .into_iter()
        .filter(|address| *address != user.address())
        .cloned()
        .collect();
    unsure.sort();
    unsure.dedup();
    if unsure.is_empty() {
        return Ok(unsure);
    }
    let account: AccountId = user.account();
    let strange = inner
        .store
        .read_small(move |view| -> Result<Vec<Address>, StoreError> {
            let mut strange = Vec::new();
            for address in &unsure {
                if !view.may_send_as(account, address)? {
                    strange.push(address.clone());
                }
            }
            Ok(strange)
        })
        .await?;
    Ok(strange)
}

fn log(user: &LoggedIn, trace: TraceId, from: &ReversePath, recipients: &[Routed], size: usize) {
    tracing::info!(
        target: "message", id = %trace, event = "received", from = %from,
        user = %user.address(), recipients = recipients.len(), size,
    );
    for recipient in recipients.iter().filter(|recipient| recipient.stays_here()) {
        tracing::info!(
            target: "message", id = %trace, event = "delivered", from = %from,
            to = %recipient.address, size,
        );
    }
}
