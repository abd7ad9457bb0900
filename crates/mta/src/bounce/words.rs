//! What a report says to a person: what happened, to whom, and what can be done. Pure text.

use mail::{TraceId, UnixMillis, date};

use super::{Kind, Told};

/// Width of the text: what all programs show without breaking it again.
const COLUMNS_MAX: usize = 90;

pub(super) struct Context<'a> {
    pub(super) kind: Kind,
    pub(super) told: &'a [Told],
    /// Our own name.
    pub(super) host: &'a str,
    /// Of the message that the report is about.
    pub(super) subject: &'a str,
    pub(super) arrival: UnixMillis,
    pub(super) trace: TraceId,
}

/// Subject and text.
pub(super) fn of(context: &Context<'_>) -> (&'static str, String) {
    let (title, opening) = match context.kind {
        Kind::Failed => (
            "Your message could not be delivered",
            "your message could not be delivered to:",
        ),
        Kind::Delayed => (
            "Your message is late",
            "your message could not be delivered yet to:",
        ),
        Kind::Relayed => (
            "Your message was handed on",
            "as you wished to know: your message was handed on to the mail server of:",
        ),
        Kind::Delivered => (
            "Your message was delivered",
            "as you wished to know: your message was delivered to:",
        ),
    };
    let mut text = format!("Hello,\n\n{opening}\n");
    for told in context.told {
        text.push_str(&of_recipient(context.kind, told));
    }
    text.push_str(&closing(context));
    (title, text)
}

fn of_recipient(kind: Kind, told: &Told) -> String {
    let mut text = format!("\n  {}\n", told.address.unicode());
    if matches!(kind, Kind::Failed | Kind::Delayed) {
        let understood = told
            .words
            .as_ref()
            .map(|words| understood(kind, told, words));
        let meaning = understood.unwrap_or_else(|| meaning(kind, told).to_owned());
        text.push_str(&format!("\n{meaning}\n"));
        match (&told.reply, &told.host, &told.notice) {
            (Some(reply), Some(host), _) => {
                text.push_str(&format!("\n  The server {host} said:\n  {reply}\n"));
            }
            (Some(reply), None, _) => text.push_str(&format!("\n  Its server said:\n  {reply}\n")),
            (None, Some(host), Some(notice)) => {
                text.push_str(&format!(
                    "\n  What we saw of the server {host}:\n  {notice}\n"
                ));
            }
            (None, None, Some(notice)) => {
                text.push_str(&format!("\n  What we saw:\n  {notice}\n"));
            }
            (None, _, None) => {}
        }
    }
    text
}

/// Words for this very answer, indented and wrapped.
fn understood(kind: Kind, told: &Told, words: &str) -> String {
    let mut text = String::from(" ");
    let mut column = 1;
    // After days of trying, the last answer was still "later".
    let tried = match kind == Kind::Failed && told.status.starts_with('4') {
        true => "We tried for days. ",
        false => "",
    };
    for word in tried.split_whitespace().chain(words.split_whitespace()) {
        let length = word.chars().count();
        if column + 1 + length > COLUMNS_MAX && column > 1 {
            text.push_str("\n ");
            column = 1;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + length;
    }
    text
}

/// Why, and what to do, by the enhanced status code (RFC 3463).
fn meaning(kind: Kind, told: &Told) -> &'static str {
    if let Some(meaning) = unsafe_way(kind, told) {
        return meaning;
    }
    if kind == Kind::Delayed {
        return "  The server there did not take it so far. This is often over soon. We go on trying,\n  \
                and you need not do anything.";
    }
    let mut numbers = told.status.split('.').skip(1);
    let (subject, detail) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    // After days of trying, the last answer was still "later".
    if told.status.starts_with('4') || (subject, detail) == ("4", "7") {
        return "  We tried for days, and the server there did not take it. Please try again later, or\n  \
                reach the person in another way.";
    }
    match (subject, detail) {
        ("1", "0" | "1" | "3") => {
            "  This address does not exist there. Please check it for typing mistakes, or ask the\n  \
             person for the right one."
        }
        ("1", "2") | ("4", "4") => {
            "  There is no mail server for the part after the @. Please check it for typing mistakes."
        }
        ("1", "6") => "  The person has moved to another address. Please ask for the new one.",
        ("1", "10") => {
            "  The part after the @ takes no mail at all. Please check it for typing mistakes."
        }
        ("2", "1") => "  The mailbox is out of use. Please reach the person in another way.",
        ("2", "2") => {
            "  The mailbox is full. Please try again in some days, or reach the person in another way."
        }
        ("3" | "2", "4" | "3") => {
            "  The message is too large for the server there. Please send it in parts, or put large\n  \
             files elsewhere and send a link."
        }
        ("4", "6") => {
            "  The mail servers send it in circles. This is a mistake in their settings: please tell\n  \
             the postmaster of that domain, or reach the person in another way."
        }
        ("6", "7") => {
            "  The server there cannot take addresses with letters beyond a to z. Please ask the\n  \
             person for another address."
        }
        ("7", _) => {
            "  The server there refused it by its own rules. Its words below may say more; they are\n  \
             for your postmaster and theirs."
        }
        _ => {
            "  The server there refused it. Its words below may say more. If they do not help, your\n  \
             postmaster can."
        }
    }
}

/// We did not send, because the way there was not safe enough.
fn unsafe_way(kind: Kind, told: &Told) -> Option<&'static str> {
    told.notice.as_ref()?;
    Some(match (kind, told.status.as_str()) {
        (Kind::Delayed, "4.7.5" | "4.7.10") => {
            "  The way to the mail server there is not safe at the moment: somebody could read your\n  \
             message, or pose as that server. So we hold it back, and try again and again. Most often\n  \
             it is a mistake in the settings there, and soon mended. If it is urgent, reach the person\n  \
             in another way, or ask your postmaster."
        }
        (_, "4.7.5" | "4.7.10" | "5.7.5") => {
            "  We tried for days, but there was never a safe way to the mail server there: somebody could\n  \
             have read your message, or posed as that server. So we did not send it. Please reach the\n  \
             person in another way, or ask your postmaster."
        }
        (_, "5.7.10" | "5.7.30") => {
            "  You asked that your message travel over encrypted and proven ways only (REQUIRETLS). There\n  \
             is no such way to the mail server there, so we did not send it. You can send it again\n  \
             without that wish, or reach the person in another way."
        }
        _ => return None,
    })
}

fn closing(context: &Context<'_>) -> String {
    let mut text = String::from("\n");
    if let (Kind::Delayed, Some(until)) = (
        context.kind,
        context
            .told
            .iter()
            .filter_map(|told| told.retry_until)
            .max(),
    ) {
        text.push_str(&format!(
            "We go on trying until {}. If it fails you will hear from us.\n",
            date::format(until)
        ));
    }
    if context.kind == Kind::Relayed {
        text.push_str("That server does not tell us whether it was delivered.\n");
    }
    let subject: String = context
        .subject
        .chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect();
    if subject.trim().is_empty() {
        text.push_str("The message had no subject");
    } else {
        text.push_str(&format!("The message was \"{}\"", subject.trim()));
    }
    text.push_str(&format!(
        ", which we took from you on\n{}.\n\n-- \nThis was written by the mail server {}. Its number for your message is\n{}; \
         your postmaster may ask for it.\n",
        date::format(context.arrival),
        context.host,
        context.trace,
    ));
    text
}

#[cfg(test)]
mod tests;
