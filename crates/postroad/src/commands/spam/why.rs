//! `postroad spam why`: what the filter said of a stored message when it came, why, and how to change that.

use clap::Args as ClapArgs;
use mail::{Message, TraceId, header, thread};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spam::header::Recorded;
use spam::reasons::{Kind, Reason};
use spam::{Features, Model, Sight, Verdict};
use store::{Account, FoundMessage, MailboxName, SpecialUse, Uid, View};

use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

/// How much of a message is read again for what speaks loudest in it.
const READ_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How much of a header is read to find its Message-ID.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// Copies that are shown: of a message to everybody the first ones.
const COPIES_SHOWN_MAX: usize = 10;

/// Loud words that are shown.
const LOUDEST_SHOWN: usize = 8;

#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
A verdict is made when a message comes and stands in its header (X-Postroad-Spam). Messages of users of this server and those \
that a mail program filed have none.\n\n\
Examples:\n  \
postroad spam why 7KQ2M4D9XW3B6T5A\n  \
postroad spam why '<1234@example.org>' --account ann@example.net\n  \
postroad spam why --account ann@example.net --mailbox Junk --uid 17\n\n\
Exit status: 0 found, 1 not found or failed, 2 wrong usage.")]
pub struct Args {
    /// The message: the trace id of 16 characters that the log and Received fields name, or its Message-ID
    #[arg(
        value_name = "MESSAGE",
        required_unless_present = "uid",
        conflicts_with = "uid"
    )]
    message: Option<String>,
    /// Look only at this account
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// The mailbox that --uid speaks of
    #[arg(long, value_name = "NAME", default_value = "INBOX")]
    mailbox: String,
    /// The message of an account by its UID in a mailbox
    #[arg(long, value_name = "UID", requires = "account")]
    uid: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    by: By,
    account: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Trace(String),
    MessageId(String),
    Uid { mailbox: String, uid: u32 },
}

impl From<Args> for Request {
    fn from(args: Args) -> Self {
        let by = match (args.message, args.uid) {
            (_, Some(uid)) => By::Uid {
                mailbox: args.mailbox,
                uid,
            },
            (message, None) => by_text(message.unwrap_or_default().trim()),
        };
        Self {
            by,
            account: args.account,
        }
    }
}

/// What looks like a trace id is one; Message-IDs have an @.
fn by_text(text: &str) -> By {
    match text.parse::<TraceId>() {
        Ok(trace) => By::Trace(trace.to_string()),
        Err(_) => By::MessageId(text.trim_matches(['<', '>']).to_owned()),
    }
}

/// A message with what was read of it.
struct Copy {
    account: Account,
    trace: TraceId,
    places: Vec<Place>,
    bytes: Vec<u8>,
    /// Why it was put into Junk when it came, as the account's summary tells it.
    junked_for: Option<String>,
}

struct Place {
    mailbox: MailboxName,
    uid: Uid,
    is_junk: bool,
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let (wanted, accounts) = (request.clone(), request.account.clone());
    let copies = context.store.read_blocking(move |view| {
        let accounts = match &accounts {
            Some(address) => vec![find::account(view, &find::parse_address(address)?)?],
            None => view.accounts(None)?,
        };
        let mut copies = Vec::new();
        for account in accounts {
            for found in look_up(view, &account, &wanted.by)? {
                if COPIES_SHOWN_MAX <= copies.len() {
                    break;
                }
                if let By::MessageId(id) = &wanted.by
                    && !has_id(view, &found, id)?
                {
                    continue;
                }
                copies.push(read(view, &account, found)?);
            }
        }
        Ok::<_, Failure>(copies)
    })?;
    if copies.is_empty() {
        return Err(not_found(&request));
    }
    let host = context.config.hostname.as_str();
    let values: Vec<Value> = copies.iter().map(|copy| copy.value(host)).collect();
    let answer = Answer::new(Value::Array(values));
    Ok(copies
        .iter()
        .fold(answer, |answer, copy| copy.tell(answer, host)))
}

fn look_up(view: &View<'_>, account: &Account, by: &By) -> Result<Vec<FoundMessage>, Failure> {
    Ok(match by {
        By::Trace(trace) => match trace.parse::<TraceId>() {
            Ok(trace) => view.messages_by_trace(account.id, &trace)?,
            Err(_) => Vec::new(),
        },
        By::MessageId(id) => view.messages_about(account.id, id)?,
        By::Uid { mailbox, uid } => {
            let name = MailboxName::parse(mailbox)
                .map_err(|error| Failure::usage(format!("{mailbox:?}: {error}")))?;
            let mailbox = view.mailbox_by_name(account.id, &name)?.ok_or_else(|| {
                Failure::failed(format!("{} has no mailbox {name}", account.address))
            })?;
            let stored = view.message(account.id, mailbox.id, Uid(*uid))?;
            let found = stored.map(|stored| FoundMessage {
                account: account.id,
                message: stored.placement.message,
                trace: stored.trace,
                places: vec![(mailbox.id, Uid(*uid))],
                body: stored.body,
            });
            found.into_iter().collect()
        }
    })
}

/// Others of its conversation were found too.
fn has_id(view: &View<'_>, found: &FoundMessage, id: &str) -> Result<bool, Failure> {
    let mut head = Vec::new();
    view.read_body(&found.body, 0..HEAD_BYTES_MAX, &mut head)?;
    let ids = header::first(&head, "Message-ID").map_or_else(Vec::new, thread::message_ids);
    Ok(ids.iter().any(|known| known == id))
}

fn read(view: &View<'_>, account: &Account, found: FoundMessage) -> Result<Copy, Failure> {
    let mut bytes = Vec::new();
    view.read_body(&found.body, 0..READ_BYTES_MAX, &mut bytes)?;
    let mailboxes = view.mailboxes(account.id)?;
    let place = |(id, uid): &(store::MailboxId, Uid)| {
        let mailbox = mailboxes.iter().find(|mailbox| mailbox.id == *id)?;
        Some(Place {
            mailbox: mailbox.name.clone(),
            uid: *uid,
            is_junk: mailbox.special_use == Some(SpecialUse::Junk),
        })
    };
    Ok(Copy {
        account: account.clone(),
        trace: found.trace,
        places: found.places.iter().filter_map(place).collect(),
        bytes,
        junked_for: view.junked_for(account.id, found.message)?,
    })
}

fn not_found(request: &Request) -> Failure {
    let among = match &request.account {
        Some(account) => format!("of {account}"),
        None => "of any account here".to_owned(),
    };
    let what = match &request.by {
        By::Trace(trace) => format!(
            "no stored message {among} has the trace id {trace}; the log tells whether it was refused: journalctl -u postroad | grep {trace}"
        ),
        By::MessageId(id) => format!(
            "no stored message {among} has the Message-ID <{id}>; a trace id has 16 letters and digits and stands in the Received field of this server"
        ),
        By::Uid { mailbox, uid } => format!("there is no message {uid} in {mailbox} {among}"),
    };
    Failure::failed(what)
}

impl Copy {
    /// Only what this server wrote: a program may file messages that another one judged.
    fn recorded(&self, host: &str) -> Option<Recorded> {
        Verdict::of_message(&self.bytes).filter(|recorded| recorded.by.eq_ignore_ascii_case(host))
    }

    fn author(&self) -> Option<String> {
        spam::origin::author(&self.bytes)
    }

    fn loudest(&self) -> Vec<(String, f32)> {
        let sight = Sight::of(&self.bytes);
        let mut loudest = Model::built_in().strongest(&sight, &Features::of(&sight));
        loudest.truncate(LOUDEST_SHOWN);
        loudest
    }

    fn subject(&self) -> String {
        Message::parse(&self.bytes)
            .header_text("Subject")
            .unwrap_or_default()
    }

    fn value(&self, host: &str) -> Value {
        let places = self
            .places
            .iter()
            .map(|place| json!({ "mailbox": place.mailbox.as_str(), "uid": place.uid.0, "junk": place.is_junk }));
        let mut value = json!({
            "account": self.account.address.to_string(),
            "trace": self.trace.to_string(),
            "subject": self.subject(),
            "author": self.author(),
            "places": places.collect::<Vec<_>>(),
            "results": self.results(),
            "verdict": Value::Null,
        });
        if let (Some(recorded), Some(map)) = (self.recorded(host), value.as_object_mut()) {
            let verdict = recorded.verdict;
            let reasons = verdict.reasons.iter().map(|reason| {
                json!({
                    "reason": reason.kind.id(), "weight": tenth(reason.weight), "words": reason.words(), "details": reason.details,
                })
            });
            map.insert("reasons".to_owned(), reasons.collect());
            map.insert("verdict".to_owned(), json!(verdict.place));
            map.insert(
                "probability".to_owned(),
                json!((f64::from(verdict.probability) * 1_000.0).round() / 1_000.0),
            );
            map.insert("score".to_owned(), json!(tenth(verdict.log_odds)));
            map.insert("threshold".to_owned(), json!(tenth(verdict.threshold)));
        }
        value
    }

    /// What was found out about its sender, in the words of the field.
    fn results(&self) -> Option<String> {
        let field = header::first(&self.bytes, "Authentication-Results")?;
        Some(
            String::from_utf8_lossy(&header::unfold(field))
                .trim()
                .replace('\t', " "),
        )
    }

    fn tell(&self, answer: Answer, host: &str) -> Answer {
        let address = &self.account.address;
        let places: Vec<String> = self
            .places
            .iter()
            .map(|place| format!("{} (UID {})", place.mailbox, place.uid))
            .collect();
        let answer = answer.line(format!(
            "{} of {address}, in {}: {}",
            self.trace,
            if places.is_empty() {
                "no mailbox any more".to_owned()
            } else {
                places.join(", ")
            },
            self.subject(),
        ));
        let Some(recorded) = self.recorded(host) else {
            return answer.remark(
                "It has no verdict: it came before there was a filter, from a user of this server, or was filed by a mail program; \
                 or the account wants no filter. See: postroad spam test FILE",
            );
        };
        let verdict = &recorded.verdict;
        let place = if verdict.is_junk() { "Junk" } else { "Wanted" };
        let mut answer = answer.line(format!(
            "{place}. That it is junk: {} (score {:+.1}, junk from {:+.1} on).",
            verdict.percent(),
            verdict.log_odds,
            verdict.threshold,
        ));
        let row = |weight: f32, words: &str| vec![format!("{weight:+.1}"), words.to_owned()];
        let reasons = verdict.reasons.iter();
        let rows: Vec<_> = reasons
            .map(|reason| row(reason.weight, &reason.words()))
            .collect();
        if !rows.is_empty() {
            answer = answer.table(&["weight", "reason"], rows);
        }
        let loudest = self.loudest();
        if !loudest.is_empty() {
            let rows = loudest
                .iter()
                .map(|(words, weight)| row(*weight, words))
                .collect();
            answer = answer
                .remark("What speaks loudest in the message, to the model as it is now:")
                .table(&["weight", "seen"], rows);
        }
        if let Some(odd) = self.odd_place(verdict) {
            answer = answer.remark(odd);
        }
        answer.remark(self.remedy(verdict))
    }

    /// Why it lies elsewhere than the verdict says.
    fn odd_place(&self, verdict: &Verdict) -> Option<String> {
        let in_junk = self.places.iter().any(|place| place.is_junk);
        match (verdict.is_junk(), in_junk) {
            (false, true) if self.junked_for.is_some() => Some(format!(
                "It lies in Junk all the same: {}",
                self.junked_for.as_deref().unwrap_or_default()
            )),
            (false, true) => Some(format!(
                "It lies in Junk all the same: a rule for attachments or the policy of its author's domain (DMARC) put it there, or \
                 somebody moved it. Its sender: {}",
                self.results().unwrap_or_default()
            )),
            (true, false) if !self.places.is_empty() => Some(
                "It does not lie in Junk: somebody moved it, it was for postmaster or abuse, or the account has no Junk mailbox."
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn remedy(&self, verdict: &Verdict) -> String {
        let account = &self.account.address;
        let author = self.author().unwrap_or_else(|| "SENDER".to_owned());
        let unproven = |reason: &Reason| {
            matches!(
                reason.kind,
                Kind::Unauthenticated | Kind::AuthenticationFailed
            )
        };
        match verdict.is_junk() {
            true => format!(
                "Wanted after all? Move it out of Junk in a mail program: the filter learns from that. Or let the sender through \
                 always: postroad spam allow add {author} --account {account}{}",
                match verdict.reasons.iter().any(unproven) {
                    true =>
                        " --even-unproven (nothing proves that this message is theirs, so without that word the entry would not \
                             count for it; with it forgers get through too)",
                    false => "",
                }
            ),
            false => format!(
                "Junk after all? Move it to Junk in a mail program: the filter learns from that. Or stop the sender always: \
                 postroad spam block add {author} --account {account}"
            ),
        }
    }
}

fn tenth(value: f32) -> f64 {
    (f64::from(value) * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{By, by_text};

    #[test]
    fn what_was_typed_names_a_message() {
        let trace = "0123456789ABCDEF";
        assert!(matches!(by_text(trace), By::Trace(known) if known == trace));
        for typed in ["<a.1@there.test>", "a.1@there.test"] {
            assert!(matches!(by_text(typed), By::MessageId(id) if id == "a.1@there.test"));
        }
    }
}
