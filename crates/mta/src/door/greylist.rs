//! Doubtful senders are asked to come again: who keeps a queue does, who only sprays does not.
//! Gathers what is known, has it decided in `doubt.rs`, and notes the try.

use std::time::Duration;

use mail::{Address, ReversePath, UnixMillis};
use mailauth::spf::SpfResult;
use store::bans::{Attempt, Network};
use store::{AccountId, Durability};

use super::caller::Standing;
use super::doubt::{self, Facts, Outcome, Tries, Trust};
use super::{Act, Caller, limits};
use crate::envelope::Way;
use crate::receive::Transaction;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::{Door, Inner};

/// Whether mail for this recipient is taken now.
pub(crate) async fn welcome(
    session: &Session<'_>,
    transaction: &Transaction,
    recipient: &Address,
    way: &Way,
) -> Result<(), Refusal> {
    let (inner, caller) = (session.inner, &session.caller);
    let mut facts = Facts {
        trust: match caller.standing() {
            _ if session.door != Door::Mx => Some(Trust::Exempt),
            Standing::Exempt => Some(Trust::Exempt),
            Standing::Known => Some(Trust::Known),
            Standing::Stranger => None,
        },
        reverse: caller.reverse().await,
        hello: caller.hello(),
        spoke_ahead: caller.spoke_ahead(),
        listed: 0,
    };
    if doubt::doubt(&facts).is_none() {
        // They are asked since MAIL; the mail of strangers without fault does not wait long for them.
        if let (None, Some(asked)) = (facts.trust, &transaction.listed) {
            let late = inner.world.now() + limits::LISTS_PATIENCE;
            facts.listed = asked.listings(inner, late).await;
        }
        if doubt::doubt(&facts).is_none() {
            return Ok(());
        }
    }
    facts.trust = trust(inner, transaction, recipient, way).await?;
    let Some(doubt) = doubt::doubt(&facts) else {
        tracing::debug!(
            target: "message", id = %transaction.trace, trust = ?facts.trust, "doubtful, but not put off"
        );
        return Ok(());
    };
    let outcome = try_again(inner, caller, transaction, recipient).await?;
    tracing::info!(
        target: "message", id = %transaction.trace, event = "greylist", from = %transaction.from,
        to = %recipient, peer = %caller.peer(), ?doubt, ?outcome,
    );
    match outcome {
        // Whether its network is known from now on shows when its mail was looked at.
        Outcome::CameAgain | Outcome::CameFromPool => Ok(()),
        Outcome::PutOff { left } => Err(Refusal::ComeAgain {
            why: doubt.words(),
            minutes: minutes(left),
        }),
    }
}

/// Why this sender is never put off, if there is a reason. The cheapest first.
async fn trust(
    inner: &Inner,
    transaction: &Transaction,
    recipient: &Address,
    way: &Way,
) -> Result<Option<Trust>, Refusal> {
    let local = recipient.local();
    if local.eq_ignore_ascii_case("postmaster") || local.eq_ignore_ascii_case("abuse") {
        return Ok(Some(Trust::Postmaster));
    }
    let accounts: Vec<AccountId> = match way {
        Way::Local(local) => local.targets.iter().map(|target| target.account).collect(),
        Way::Remote | Way::Back(_) => Vec::new(),
    };
    let early = match &transaction.asked {
        Some(asked) => asked.early().await,
        None => None,
    };
    let spf = early.as_ref().map(|early| early.spf.result);
    let passes = early
        .as_ref()
        .is_some_and(|early| early.spf.vouches() || early.helo.vouches());
    // A reverse-path is believed for what it says only where nothing says that it is forged.
    let is_forged = matches!(spf, Some(SpfResult::Fail | SpfResult::SoftFail));
    let sender = transaction.from.address().cloned();
    let sender = sender.filter(|_| !is_forged);
    let domain = recipient.domain().clone();
    let found = inner.store.read_small(move |view| {
        if !view.wants_greylisting(&domain)? {
            return Ok(Some(Trust::SwitchedOff));
        }
        if passes {
            return Ok(Some(Trust::Authenticated));
        }
        let Some(sender) = &sender else {
            return Ok(None);
        };
        // Those who are here hand in their mail with a password: from outside it is the commonest forgery.
        if view.domain(sender.domain())?.is_some() {
            return Ok(None);
        }
        for account in accounts.iter().take(limits::CORRESPONDENTS_ASKED_MAX) {
            let history = view.history(*account, sender)?;
            if 0 < history.sent || 0 < history.confirmed {
                return Ok(Some(Trust::Correspondent));
            }
        }
        Ok::<_, store::StoreError>(None)
    });
    Ok(found.await?)
}

async fn try_again(
    inner: &Inner,
    caller: &Caller,
    transaction: &Transaction,
    recipient: &Address,
) -> Result<Outcome, Refusal> {
    let now = inner.now();
    let fresh = Outcome::PutOff {
        left: limits::GREYLIST_WAIT,
    };
    // Beyond the bound it is asked to come again without a row; rows that it has still count.
    let may_begin = inner.door.has(caller.network(), Act::GreylistRow, 1, now);
    let attempt = Attempt {
        origin: Network::neighbourhood(caller.peer()),
        sender: match &transaction.from {
            ReversePath::Address(sender) => sender.to_string().to_lowercase(),
            ReversePath::Null => String::new(),
        },
        recipient: recipient.to_string().to_lowercase(),
    };
    let retry = i64::try_from(limits::GREYLIST_RETRY.as_millis()).unwrap_or(i64::MAX);
    let forget_before = UnixMillis(now.0 - retry);
    let seen = inner.store.write(Durability::Relaxed, move |change| {
        change.note_greylist_try(&attempt, may_begin, forget_before, now)
    });
    let Some(seen): Option<store::bans::Attempts> = seen.await? else {
        return Ok(fresh);
    };
    if seen.tries == 1 {
        inner.door.take(caller.network(), Act::GreylistRow, 1, now);
    }
    let since =
        |first: UnixMillis| Duration::from_millis(u64::try_from(now.0 - first.0).unwrap_or(0));
    Ok(doubt::outcome(Tries {
        waited: since(seen.first),
        anywhere: seen.tries_anywhere,
        waited_anywhere: since(seen.first_anywhere),
    }))
}

fn minutes(left: Duration) -> u64 {
    left.as_secs().div_ceil(60).max(1)
}
