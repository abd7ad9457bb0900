//! Bounce messages of other servers: which recipients, and the refusal each of them met.
//! Reads delivery reports (RFC 3464) and the free texts of servers that write none. Never fails.

use mail::{Message, Part};

use super::classified::Evidence;
use super::limits::{NOTICE_MAX, REASON_MAX, RECIPIENTS_MAX, UNCODED_MAX};
use super::refusal::{Phase, Refusal};
use super::status::Enhanced;

/// One recipient that a bounce message reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Empty when the notice names none.
    pub recipient: String,
    pub refusal: Refusal,
}

/// Reads `message` as a bounce. Empty: nothing in it says that something was not delivered.
pub fn read(message: &[u8]) -> Vec<Returned> {
    let parsed = Message::parse(message);
    let notice = notice(&parsed);
    let reports: Vec<&Part> = parsed
        .structure()
        .own_parts()
        .filter(|part| {
            part.is("message", "delivery-status") || part.is("message", "global-delivery-status")
        })
        .collect();
    let mut found = Vec::new();
    for report in reports {
        let text = String::from_utf8_lossy(&parsed.content(report)).into_owned();
        for group in groups(&text) {
            if found.len() < RECIPIENTS_MAX
                && let Some(returned) = from_group(&group, &notice)
            {
                found.push(returned);
            }
        }
    }
    if found.is_empty() {
        found = from_buried_report(&parsed, &notice);
    }
    if found.is_empty() {
        found = from_event(&notice);
    }
    if found.is_empty() {
        found = from_notice(&notice);
    }
    found
}

/// Events that sending services mail as JSON: only what names the reply is looked for.
fn from_event(notice: &str) -> Vec<Returned> {
    let mut found = Vec::new();
    for (at, name) in notice.match_indices("\"diagnosticCode\":\"") {
        let value = notice.get(at + name.len()..).unwrap_or_default();
        let reply = value.split('"').next().unwrap_or_default();
        if found.len() < RECIPIENTS_MAX {
            found.push(Returned {
                recipient: String::new(),
                refusal: Refusal::read("", "", Phase::Unknown, &innermost(reply)),
            });
        }
    }
    found
}

/// Whether `message` says that something was not delivered. Complaint reports, notes of absence and ordinary
/// mail are none.
pub fn is_bounce(message: &[u8]) -> bool {
    let parsed = Message::parse(message);
    let parts = || parsed.structure().own_parts();
    if parts().any(|part| part.is("message", "feedback-report")) {
        return false;
    }
    if parts().any(|part| part.is("message", "delivery-status")) {
        return true;
    }
    let text = |name: &str| parsed.header_text(name).unwrap_or_default().to_lowercase();
    let from = text("From");
    let subject = text("Subject");
    let is_machine = [
        "mailer-daemon",
        "mailer daemon",
        "postmaster",
        "post_master",
        "mail delivery",
    ]
    .iter()
    .any(|name| from.contains(name));
    let is_notice = [
        "undeliver",
        "returned",
        "failure",
        "failed",
        "delivery",
        "could not send",
        "mail system error",
        "not delivered",
        "rejected",
        "bounce",
        "error",
    ]
    .iter()
    .any(|word| subject.contains(word));
    let is_report = parsed.structure().root().is("multipart", "report");
    if !(is_machine || is_notice || is_report) {
        return false;
    }
    let answers =
        text("Auto-Submitted").contains("auto-replied") || !text("X-Autoreply").is_empty();
    let has_reply = read(message)
        .iter()
        .any(|one| one.refusal.code.is_some() || one.refusal.enhanced.is_some());
    has_reply || (is_machine && !answers)
}

/// A report that stands in the text, its MIME structure lost on the way.
fn from_buried_report(parsed: &Message<'_>, notice: &str) -> Vec<Returned> {
    let body = String::from_utf8_lossy(parsed.bytes());
    let start = body
        .find("\nReporting-MTA:")
        .or_else(|| body.find("\nFinal-Recipient:"));
    let Some(report) = start.and_then(|at| body.get(at..)) else {
        return Vec::new();
    };
    groups(report)
        .iter()
        .filter(|group| !group.final_recipient.is_empty() && !group.status.is_empty())
        .filter_map(|group| from_group(group, notice))
        .take(RECIPIENTS_MAX)
        .collect()
}

/// The part for people, without what follows of the original message.
fn notice(parsed: &Message<'_>) -> String {
    let part = parsed
        .structure()
        .own_parts()
        .find(|part| part.is_shown_text());
    let text = match part {
        Some(part) if part.is("text", "html") => without_markup(&parsed.text(part)),
        Some(part) => parsed.text(part),
        None => parsed.text(parsed.structure().root()),
    };
    let mut kept = String::new();
    for line in text.lines() {
        let over = kept.len() + line.len() > NOTICE_MAX;
        // Header fields after some words: the original message without a mark before it.
        let header = line.starts_with("Received: ") && kept.trim().len() > 20;
        if over || header || starts_original(line) {
            break;
        }
        if !is_phrase(line) {
            kept.push_str(line.trim_end());
        }
        kept.push('\n');
    }
    kept
}

/// Lines that a server writes into every notice: they say nothing of this one, but sound as if.
fn is_phrase(line: &str) -> bool {
    const PHRASES: [&str; 30] = [
        "created automatically by mail delivery software",
        "that you sent could not be delivered",
        "that you have sent could not be delivered",
        "recipients. this is a permanent error",
        "its recipients. this is",
        "the following address failed",
        "the following address(es) failed",
        "following addresses had",
        "following recipients was rejected",
        "i'm sorry to have to inform you",
        "be delivered to one or more recipients",
        "for further assistance",
        "if you do so, please include",
        "delete your own text",
        "able to deliver your message to the following",
        "this is a permanent error; i've given up",
        "an error has occurred while attempting",
        "an error occurred while trying to deliver",
        "there was an error delivering your mail",
        "recipient failed permanently",
        "recipients failed",
        "automatically generated delivery status",
        "you do not need to resend",
        "please do not reply to",
        "do not need to re-send",
        "this is only a temporary failure report",
        "message is kept in the queue",
        "please verify",
        "требуется подтверждение",
        "рекомендуем вам проверить корректность",
    ];
    let line = line.to_lowercase();
    PHRASES.iter().any(|phrase| line.contains(phrase))
        || line.contains("создано автоматически")
        || line.contains("не может быть доставлено")
        || line.trim() == "получателям:"
}

/// Lines after which servers append the message that they return.
fn starts_original(line: &str) -> bool {
    const MARKS: [&str; 14] = [
        "--- below this line",
        "------ this is a copy",
        "message headers follow",
        "below is a copy of the original",
        "original message follows",
        "----- original message",
        "--- original message",
        "------- returned message",
        "included is a copy of the message",
        "the header of the original message",
        "----- message header",
        "--- the message cannot be delivered",
        "----- unsent message",
        "content-type: message/rfc822",
    ];
    let line = line.trim().to_ascii_lowercase();
    MARKS.iter().any(|mark| line.starts_with(mark)) || line.starts_with("return-path: <")
}

fn without_markup(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => {
                inside = true;
                text.push('\n');
            }
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&nbsp;", " ")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
}

/// Fields of one recipient in a delivery report.
#[derive(Default)]
struct Group {
    final_recipient: String,
    original_recipient: String,
    action: String,
    status: String,
    remote: String,
    diagnostic: String,
}

/// Blank lines separate the groups; the first one is about the message (RFC 3464 2.1).
fn groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut group = Group::default();
    let mut field = String::new();
    let mut last_blank = true;
    for line in text.lines().chain([""]) {
        let folded = line.starts_with([' ', '\t']) && !field.is_empty();
        if folded {
            field.push('\n');
            field.push_str(line.trim());
            continue;
        }
        take(&mut group, &field);
        // Some servers leave out the blank line between two recipients.
        let is_next = line.len() > 16
            && line.is_char_boundary(16)
            && line[..16].eq_ignore_ascii_case("final-recipient:")
            && !group.final_recipient.is_empty();
        if is_next {
            groups.push(std::mem::take(&mut group));
        }
        field = line.trim_end().to_owned();
        let blank = line.trim().is_empty();
        if blank && !last_blank {
            groups.push(std::mem::take(&mut group));
        }
        last_blank = blank;
    }
    groups.retain(|group| {
        !(group.final_recipient.is_empty()
            && group.original_recipient.is_empty()
            && group.diagnostic.is_empty()
            && group.status.is_empty())
    });
    groups
}

fn take(group: &mut Group, field: &str) {
    let Some((name, value)) = field.split_once(':') else {
        return;
    };
    let value = value.trim();
    let after_type = || {
        value
            .split_once(';')
            .map_or(value, |(_, rest)| rest)
            .trim()
            .to_owned()
    };
    match name.trim().to_ascii_lowercase().as_str() {
        "final-recipient" => group.final_recipient = after_type(),
        "original-recipient" => group.original_recipient = after_type(),
        "action" => group.action = value.to_ascii_lowercase(),
        "status" => group.status = value.to_owned(),
        "remote-mta" => group.remote = after_type(),
        "diagnostic-code" => group.diagnostic = after_type(),
        _ => {}
    }
}

fn from_group(group: &Group, notice: &str) -> Option<Returned> {
    if matches!(group.action.as_str(), "delivered" | "relayed" | "expanded") {
        return None;
    }
    let recipient = if group.final_recipient.is_empty() {
        &group.original_recipient
    } else {
        &group.final_recipient
    };
    let recipient = bare(recipient);
    let status = group.status.split_ascii_whitespace().next();
    let status = status.and_then(Enhanced::parse);
    let remote = group.remote.split_ascii_whitespace().next();
    let host = remote.unwrap_or_default().trim_matches(['[', ']', '.']);
    let mut reason = innermost(&group.diagnostic);
    if is_thin(&reason) {
        // sendmail writes the code alone into the report and the words into the notice.
        let said = sections(notice)
            .into_iter()
            .find(|(address, text)| address.eq_ignore_ascii_case(&recipient) && !is_thin(text))
            .map(|(_, text)| innermost(&text));
        let said = said.unwrap_or_else(|| innermost(notice));
        if said.len() > reason.len() {
            reason = said;
        }
    }
    let phase = phase_of(notice);
    let mut refusal = Refusal::read(host, domain_of(&recipient), phase, &reason);
    // The report's own Status is a summary; what the remote server said is nearer.
    if refusal.enhanced.is_none_or(|code| code.is_undefined()) {
        refusal.enhanced = status
            .filter(|code| !code.is_undefined())
            .or(refusal.enhanced)
            .or(status);
    }
    Some(Returned { recipient, refusal })
}

/// Codes without words.
fn is_thin(reason: &str) -> bool {
    let mut words = reason.split(|c: char| !c.is_alphabetic());
    !words.any(|word| word.chars().count() > 2 && !word.starts_with("http"))
}

/// From the last reply code on that stands in a text: what the remote server said.
/// `Message expired <421 4.4.2 Connection timed out>`, `host x said: 550 5.1.1 ...`.
fn innermost(text: &str) -> String {
    let start = reply_start(text);
    let (from, longest) = match start {
        Some(at) => (text.get(at..).unwrap_or(text), REASON_MAX),
        None => (text, UNCODED_MAX),
    };
    let mut end = longest.min(from.len());
    while !from.is_char_boundary(end) {
        end -= 1;
    }
    let cut = from.get(..end).unwrap_or(from);
    // A blank line ends the reply, not the line: replies are folded in notices. qmail's own words follow.
    let cut = match start {
        Some(_) => ["\n\n", "\nI'm not going to try again", "\nGiving up on "]
            .iter()
            .fold(cut, |cut, end| cut.split(end).next().unwrap_or(cut)),
        None => cut,
    };
    cut.trim().to_owned()
}

/// Where the first `5xx ` or `4xx-` begins that looks like a reply.
fn reply_start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| {
        let digit = |offset: usize| bytes.get(at + offset).copied().unwrap_or_default();
        let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let free = before.is_none_or(|byte| {
            byte.is_ascii_whitespace()
                || matches!(byte, b'<' | b'[' | b'(' | b':' | b'"' | b'\'' | b'>')
        });
        free && matches!(digit(0), b'4' | b'5')
            && digit(1).is_ascii_digit()
            && digit(1) < b'8'
            && digit(2).is_ascii_digit()
            && (matches!(digit(3), b' ' | b'-' | b':' | b'\n'))
            && (digit(4).is_ascii_graphic() || digit(4) == b' ')
    })
}

/// Every line that begins with an address, and what stands after it up to the next such line.
fn sections(notice: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in notice.lines() {
        match leading_address(line) {
            Some((address, rest)) if sections.len() < RECIPIENTS_MAX => {
                sections.push((address, rest.to_owned()));
            }
            _ => {
                if let Some((_, text)) = sections.last_mut() {
                    text.push('\n');
                    text.push_str(line);
                }
            }
        }
    }
    sections
}

/// Recipients of a notice without a report.
fn from_notice(notice: &str) -> Vec<Returned> {
    let phase = phase_of(notice);
    let mut found = from_transcript(notice, phase);
    if !found.is_empty() {
        return found;
    }
    for (recipient, text) in sections(notice) {
        if !is_thin(&text) {
            let refusal = Refusal::read("", domain_of(&recipient), phase, &innermost(&text));
            found.push(Returned { recipient, refusal });
        }
    }
    // One address somewhere in a letter without codes: the reason may stand anywhere in it.
    let is_letter = matches!(found.as_slice(), [only] if only.refusal.code.is_none()
        && super::classify(&only.refusal).evidence > Evidence::Text)
        && reply_start(notice).is_none();
    if is_letter {
        found.clear();
    }
    if found.is_empty() && !notice.trim().is_empty() {
        let recipient = any_address(notice).unwrap_or_default();
        let refusal = Refusal::read("", domain_of(&recipient), phase, &innermost(notice));
        found.push(Returned { recipient, refusal });
    }
    found
}

/// `550 5.1.1 <who@example.org>... User unknown`, as sendmail has always written it; the lines before it
/// that begin with `<<<` are what the remote server said, and say more.
fn from_transcript(notice: &str, phase: Phase) -> Vec<Returned> {
    let mut found = Vec::new();
    let mut said = String::new();
    for line in notice.lines() {
        if let Some(reply) = line.strip_prefix("<<< ") {
            said.push_str(reply);
            said.push('\n');
            continue;
        }
        if line.starts_with(">>>") {
            said.clear();
        }
        if reply_start(line) != Some(0) || found.len() >= RECIPIENTS_MAX {
            continue;
        }
        let Some((before, _)) = line.split_once("...") else {
            continue;
        };
        let word = before.split_ascii_whitespace().next_back();
        let recipient = bare(word.unwrap_or_default());
        if is_address(&recipient) {
            let reply = if reply_start(&said) == Some(0) {
                &said
            } else {
                line
            };
            let refusal = Refusal::read("", domain_of(&recipient), phase, reply);
            found.push(Returned { recipient, refusal });
            said.clear();
        }
    }
    found
}

/// The address a line begins with, and the rest of the line.
fn leading_address(line: &str) -> Option<(String, &str)> {
    let line = line.trim().trim_start_matches(['*', '-', '>', ' ']);
    let word = line.split_ascii_whitespace().next()?;
    let address = bare(word);
    let rest = line.get(word.len()..).unwrap_or_default();
    is_address(&address).then_some((address, rest))
}

fn any_address(text: &str) -> Option<String> {
    text.split_ascii_whitespace()
        .map(bare)
        .find(|word| is_address(word))
}

fn is_address(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(local, domain)| {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        !local.is_empty()
            && !local.contains(['<', '>', '[', ']', '(', ')', ',', ';', ':', '/'])
            && domain.contains('.')
            && domain.chars().all(is_name)
    })
}

fn bare(word: &str) -> String {
    let word = word.split_once("...").map_or(word, |(address, _)| address);
    word.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | ':' | '"' | '\'' | ',' | ';' | '(' | ')' | '.'
            )
    })
    .to_owned()
}

fn domain_of(recipient: &str) -> &str {
    recipient.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// What the notice says about the command that was answered.
fn phase_of(notice: &str) -> Phase {
    let lower = notice.to_ascii_lowercase();
    let has = |text: &str| lower.contains(text);
    if has("after initial connection") || has("while performing the initial") {
        Phase::Connect
    } else if has("after end of data") || has("end of data command") || has("our final data") {
        Phase::End
    } else if has("after rcpt to")
        || has("rcpt to command")
        || has("our rcpt to")
        || has(">>> rcpt")
    {
        Phase::Rcpt
    } else if has("after mail from") || has("mail from command") || has(">>> mail") {
        Phase::Mail
    } else if has("after helo") || has("after ehlo") {
        Phase::Helo
    } else {
        Phase::Unknown
    }
}
