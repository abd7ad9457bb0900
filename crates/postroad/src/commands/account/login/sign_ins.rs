//! `postroad account sign-ins`: who logged in, when, from where, with what; and who tried.

use serde_json::{Value, json};
use store::{PasswordUsed, SignIn, SignInNetwork, SignInOutcome};

use super::{Context, find_account};
use crate::commands::show;
use crate::output::{Answer, Failure};

/// What a screen or two hold.
const ROWS_SHOWN: usize = 100;

pub(super) fn answer(
    context: &Context,
    address: &str,
    failures: bool,
    networks: bool,
) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let id = account.id;
    context.store.write_sign_ins_blocking()?;
    if networks {
        let all = context
            .store
            .read_blocking(move |view| view.sign_in_networks(id))?;
        return Ok(of_networks(&all));
    }
    let mut all = context
        .store
        .read_blocking(move |view| view.sign_ins(id, usize::MAX))?;
    all.retain(|one| !failures || one.outcome != SignInOutcome::Right);
    let answer = Answer::new(all.iter().map(describe).collect());
    if all.is_empty() {
        return Ok(answer.remark("Nothing so far."));
    }
    let hidden = all.len().saturating_sub(ROWS_SHOWN);
    let rows = all.iter().take(ROWS_SHOWN).map(row).collect();
    let head = ["last", "times", "protocol", "from", "result", "program"];
    let answer = answer.table(&head, rows);
    Ok(match hidden {
        0 => answer,
        hidden => answer.remark(format!("And {hidden} older ones, which --json lists.")),
    })
}

fn of_networks(all: &[SignInNetwork]) -> Answer {
    let value = all.iter().map(|one| {
        json!({
            "network": one.network,
            "first": show::time(one.first),
            "last": show::time(one.last),
            "count": one.count,
        })
    });
    let answer = Answer::new(value.collect());
    if all.is_empty() {
        return answer.remark("Nobody has logged in so far.");
    }
    let rows = all.iter().map(|one| {
        vec![
            one.network.clone(),
            show::time(one.first),
            show::time(one.last),
            one.count.to_string(),
        ]
    });
    answer.table(&["network", "first", "last", "times"], rows.collect())
}

fn describe(one: &SignIn) -> Value {
    json!({
        "first": show::time(one.first),
        "last": show::time(one.last),
        "count": one.count,
        "protocol": one.protocol.name(),
        "network": one.network,
        "peer": one.peer.map(|peer| peer.to_string()),
        "right": one.outcome == SignInOutcome::Right,
        "result": result(one),
        "client": one.client,
        "tls": one.tls,
    })
}

fn row(one: &SignIn) -> Vec<String> {
    let from = match one.peer {
        Some(peer) => format!("{peer} ({})", one.network),
        None => one.network.clone(),
    };
    let program = [one.client.as_str(), one.tls.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    vec![
        show::time(one.last),
        one.count.to_string(),
        one.protocol.to_string(),
        from,
        result(one),
        program,
    ]
}

fn result(one: &SignIn) -> String {
    match (one.outcome, &one.used) {
        (SignInOutcome::Right, Some(PasswordUsed::App(name))) => format!("app password {name}"),
        (SignInOutcome::Right, _) => "main password".to_owned(),
        (SignInOutcome::Wrong, _) => "wrong password".to_owned(),
        (SignInOutcome::Barred(why), _) => format!("refused: {why}"),
    }
}
