//! Bounce messages of other servers: which recipients, and the refusal each of them met.
//! Reads delivery reports (RFC 3464) and the free texts of servers that write none. Never fails.

use mail::{Message, Part};

use super::limits::{NOTICE_MAX, REASON_MAX, RECIPIENTS_MAX};
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
        found = from_notice(&notice);
    }
    found
}

/// The part for people, without what follows of the original message.
fn notice(parsed: &Message<'_>) -> String {
    let part = parsed.structure().own_parts().find(|part| part.is_shown_text());
    let text = match part {
        Some(part) if part.is("text", "html") => without_markup(&parsed.text(part)),
        Some(part) => parsed.text(part),
        None => parsed
            .text(parsed.structure().root()),
    };
    let mut kept = String::new();
    for line in text.lines() {
        if starts_original(line) || kept.len() + line.len() > NOTICE_MAX {
            break;
        }
        kept.push_str(line.trim_end());
        kept.push('\n');
    }
    kept
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
    let fuller = section(notice, &recipient).map(|text| innermost(&text));
    if is_thin(&reason) {
        // sendmail writes the code alone into the report and the words into the notice.
        if let Some(fuller) = fuller.filter(|text| text.len() > reason.len()) {
            reason = fuller;
        } else if reason.is_empty() {
            reason = innermost(notice);
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
    let words = reason
        .split_ascii_whitespace()
        .filter(|word| word.len() > 3 && word.chars().all(char::is_alphabetic));
    words.count() < 2
}

/// From the last reply code on that stands in a text: what the remote server said.
/// `Message expired <421 4.4.2 Connection timed out>`, `host x said: 550 5.1.1 ...`.
fn innermost(text: &str) -> String {
    let start = reply_start(text);
    let from = match start {
        Some(at) => text.get(at..).unwrap_or(text),
        None => text,
    };
    let mut end = REASON_MAX.min(from.len());
    while !from.is_char_boundary(end) {
        end -= 1;
    }
    let cut = from.get(..end).unwrap_or(from);
    // A blank line ends the reply, not the line: replies are folded in notices.
    let cut = match start {
        Some(_) => cut.split("\n\n").next().unwrap_or(cut),
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
            byte.is_ascii_whitespace() || matches!(byte, b'<' | b'[' | b'(' | b':' | b'"' | b'\'' | b'>')
        });
        free && matches!(digit(0), b'4' | b'5')
            && digit(1).is_ascii_digit()
            && digit(1) < b'8'
            && digit(2).is_ascii_digit()
            && (matches!(digit(3), b' ' | b'-' | b':'))
            && (digit(4).is_ascii_graphic() || digit(4) == b' ')
    })
}

/// The paragraph of the notice that begins with the recipient.
fn section(notice: &str, recipient: &str) -> Option<String> {
    if recipient.is_empty() {
        return None;
    }
    let lower = notice.to_ascii_lowercase();
    let mut best: Option<String> = None;
    for (at, _) in lower.match_indices(&recipient.to_ascii_lowercase()) {
        let rest = notice.get(at + recipient.len()..)?;
        let rest = rest.trim_start_matches(['>', ':', '.', ' ', '\n', ')', '\t', ',']);
        let paragraph = rest.split("\n\n").next().unwrap_or(rest);
        if best.as_ref().is_none_or(|best| is_thin(best)) {
            best = Some(paragraph.to_owned());
        }
    }
    best
}

/// Recipients of a notice without a report: each paragraph that begins with an address.
fn from_notice(notice: &str) -> Vec<Returned> {
    let mut found: Vec<Returned> = Vec::new();
    let phase = phase_of(notice);
    for paragraph in notice.split("\n\n") {
        let paragraph = paragraph.trim();
        let first = paragraph.lines().next().unwrap_or_default();
        let Some(recipient) = leading_address(first) else {
            continue;
        };
        let rest = paragraph
            .find(&recipient)
            .and_then(|at| paragraph.get(at + recipient.len()..))
            .unwrap_or_default()
            .trim_start_matches(['>', ':', ' ', '\n', ')', ',']);
        if rest.len() < 4 || found.len() >= RECIPIENTS_MAX {
            continue;
        }
        let refusal = Refusal::read("", domain_of(&recipient), phase, &innermost(rest));
        found.push(Returned { recipient, refusal });
    }
    if found.is_empty() && !notice.trim().is_empty() {
        let recipient = any_address(notice).unwrap_or_default();
        let refusal = Refusal::read("", domain_of(&recipient), phase, &innermost(notice));
        found.push(Returned { recipient, refusal });
    }
    found
}

fn leading_address(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches(['*', '-', '>', ' ']);
    let word = line.split_ascii_whitespace().next()?;
    let address = bare(word);
    is_address(&address).then_some(address)
}

fn any_address(text: &str) -> Option<String> {
    text.split_ascii_whitespace()
        .map(bare)
        .find(|word| is_address(word))
}

fn is_address(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains(['<', '>', '/', ':'])
    })
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | ':' | '"' | '\'' | ',' | ';' | '(' | ')' | '.')
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
    } else if has("after rcpt to") || has("rcpt to command") || has("our rcpt to") || has(">>> rcpt") {
        Phase::Rcpt
    } else if has("after mail from") || has("mail from command") || has(">>> mail") {
        Phase::Mail
    } else if has("after helo") || has("after ehlo") {
        Phase::Helo
    } else {
        Phase::Unknown
    }
}
