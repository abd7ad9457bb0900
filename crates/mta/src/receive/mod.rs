//! Taking mail in: MAIL, RCPT and the message, each as gather, decide, do.
//! The door (greylisting, bans) decides before; the spam filter gathers beside what is gathered here.

mod copies;
mod evidence;
mod foresight;
mod inbound;
mod judge;
mod lists;
mod loops;
mod rcpt;
mod ruling;
mod spam;
mod trust;
mod turns;
mod verify;

use std::net::IpAddr;

use mail::{ReversePath, TraceId};
use wire::smtp::server::Server;
use wire::smtp::{EnhancedCode, ForwardPath, MailParams, RcptParams, Reply};

use crate::Door;
use crate::door;
use crate::envelope::{Routed, recipient_dsn};
use crate::refusal::Refusal;
use crate::session::Session;
use crate::submission;

pub(crate) use self::spam::{
    AskedOfPeer, Memory as SpamMemory, ids_in, link_domains, look_up_links,
};
pub use foresight::{WouldDo, would_do};
pub(crate) use inbound::summarize;
pub(crate) use loops::{Passed, check_loop, is_passed_on_before};
pub(crate) use rcpt::{decide as decide_recipient, gather as gather_recipient};
pub(crate) use trust::TrustList;
pub use trust::{BuiltInSealer, BuiltInSealers, built_in_sealers};
pub(crate) use turns::Turns;
pub(crate) use verify::{Asked, seconds};

/// What was said since MAIL.
pub(crate) struct Transaction {
    pub(crate) trace: TraceId,
    pub(crate) from: ReversePath,
    pub(crate) params: MailParams,
    pub(crate) recipients: Vec<Routed>,
    /// Who the sender is, being found out; not for our own users.
    pub(crate) asked: Option<Asked>,
    /// What block lists say of the peer, being found out.
    pub(crate) listed: Option<AskedOfPeer>,
}

/// How a message came: what goes into its Received field.
pub(crate) struct Arrival {
    pub(crate) hello: String,
    pub(crate) ip: IpAddr,
    pub(crate) with: &'static str,
    pub(crate) tls: Option<String>,
}

impl Arrival {
    pub(crate) fn of(session: &Session<'_>, machine: &Server) -> Self {
        Self {
            hello: machine.hello().unwrap_or_default().to_owned(),
            ip: session.peer,
            with: machine.protocol(),
            tls: machine
                .tls()
                .map(|tls| format!("{} {}", tls.version, tls.cipher)),
        }
    }
}

/// MAIL: begins a transaction.
pub(crate) async fn mail(
    session: &mut Session<'_>,
    hello: &str,
    from: ReversePath,
    params: MailParams,
) -> Result<(), Refusal> {
    session.transaction = None;
    let trace = session.new_trace();
    if session.door != Door::Mx {
        submission::check_sender(session.inner, session.user.as_ref(), &from)
            .await
            .inspect_err(|refusal| {
                tracing::info!(
                    target: "message", id = %trace, event = "refused", from = %from,
                    user = session.user.as_ref().map(|user| user.address().to_string()),
                    peer = %session.peer, reason = %refusal,
                );
            })?;
    }
    let asked =
        (session.door == Door::Mx).then(|| Asked::begin(session.inner, session.peer, hello, &from));
    let listed = (session.door == Door::Mx)
        .then(|| AskedOfPeer::begin(session.inner, session.peer))
        .flatten();
    session.transaction = Some(Transaction {
        trace,
        asked,
        listed,
        from,
        params,
        recipients: Vec::new(),
    });
    Ok(())
}

/// RCPT: finds out where the recipient leads.
pub(crate) async fn rcpt(
    session: &mut Session<'_>,
    to: ForwardPath,
    params: RcptParams,
) -> Result<(), Refusal> {
    let Some(transaction) = &session.transaction else {
        return Err(Refusal::Bug);
    };
    let size = transaction.params.size.unwrap_or(0);
    let decided = match rcpt::gather(session.inner, &to, size).await {
        Ok(facts) => rcpt::decide(
            session.door,
            transaction.from.is_null(),
            transaction.recipients.len(),
            facts,
        ),
        Err(refusal) => Err(refusal),
    };
    let welcome = match decided {
        Ok((address, way)) => door::welcome(session, transaction, &address, &way)
            .await
            .map(|()| (address, way)),
        Err(refusal) => Err(refusal),
    };
    match welcome {
        Ok((address, way)) => {
            let routed = Routed {
                address,
                dsn: recipient_dsn(&params),
                way,
            };
            if let Some(transaction) = &mut session.transaction {
                // Named twice is told twice "yes" and has the message once.
                if !transaction
                    .recipients
                    .iter()
                    .any(|known| known.address == routed.address)
                {
                    transaction.recipients.push(routed);
                }
            }
            Ok(())
        }
        Err(refusal) => {
            tracing::info!(
                target: "message", id = %transaction.trace, event = "refused",
                from = %transaction.from, to = %to, peer = %session.peer, reason = %refusal,
            );
            Err(refusal)
        }
    }
}

/// The whole body is here. 250 only with a receipt.
pub(crate) async fn message(session: &mut Session<'_>, arrival: Arrival, body: Vec<u8>) -> Reply {
    let Some(transaction) = session.transaction.take() else {
        return Refusal::Bug.reply();
    };
    let (trace, from, size) = (transaction.trace, transaction.from.clone(), body.len());
    let result = match (session.door, &session.user) {
        (Door::Mx, _) => inbound::accept(session.inner, transaction, arrival, body)
            .await
            .map(|taken| {
                session.caller.delivered(session.inner, taken.is_wanted);
                taken.receipt
            }),
        (_, Some(user)) => {
            let draft = submission::Draft::of(user.clone(), transaction, arrival, body);
            submission::accept(session.inner, draft).await
        }
        (_, None) => Err(Refusal::Bug),
    };
    match result {
        Ok(receipt) => queued_as(&receipt),
        Err(refusal) => {
            tracing::info!(
                target: "message", id = %trace, event = "refused", from = %from, size,
                peer = %session.peer, reason = %refusal,
            );
            refusal.reply()
        }
    }
}

/// The only way to say 250 after the body.
fn queued_as(receipt: &store::Receipt) -> Reply {
    Reply::new(
        250,
        EnhancedCode(2, 0, 0),
        format!("thank you, kept as {}", receipt.trace()),
    )
}
