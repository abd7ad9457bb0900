//! Group H: one outgoing message, judged as mail-tester.com would.
//! `judge` reads the message; the table of checks here only describes, because `Facts` holds no message.

use mail::Message;

use super::facts::Facts;
use super::finding::{Check, Finding, Fix, Found, Group, Light, Severity, Who};
use super::score;

const fn check(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
) -> Check {
    Check {
        id,
        group: Group::Content,
        severity,
        light: Light::Trusted,
        who: Who::User,
        title,
        why,
        run: nothing,
    }
}

fn nothing(_: &Facts, _: &mut Found) {}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "msg.from.single",
        Error,
        "One From with one address of ours",
        "Gmail refuses several, and others distrust foreign ones.",
    ),
    check(
        "msg.from.display",
        Warning,
        "The sender's name is plain",
        "Names with other addresses or marks in them look like phishing.",
    ),
    check(
        "msg.msgid",
        Error,
        "A Message-ID with a full domain",
        "Gmail refuses mail without one.",
    ),
    check(
        "msg.date",
        Warning,
        "Date is there and right",
        "A wrong date is a sign of spam.",
    ),
    check(
        "msg.dup_headers",
        Error,
        "No field twice",
        "Gmail and Yahoo refuse double fields.",
    ),
    check(
        "msg.header.size",
        Warning,
        "The header is small and clean",
        "Yahoo refuses large headers and raw 8-bit letters.",
    ),
    check(
        "msg.subject",
        Improvement,
        "A subject as people write",
        "Capitals throughout and false Re: look like spam.",
    ),
    check(
        "msg.to",
        Warning,
        "The reader's address is in To",
        "Mail to undisclosed readers looks like bulk.",
    ),
    check(
        "msg.text_part",
        Warning,
        "A text part beside HTML",
        "Filters distrust mail of HTML alone.",
    ),
    check(
        "msg.html.valid",
        Warning,
        "No scripts, forms or frames",
        "Mail programs cut them out, filters count them.",
    ),
    check(
        "msg.html.size",
        Improvement,
        "HTML below 102 kB",
        "Gmail cuts longer ones.",
    ),
    check(
        "msg.hidden",
        Warning,
        "No hidden text",
        "Spammers hide words from readers.",
    ),
    check(
        "msg.links.short",
        Warning,
        "Links show where they lead",
        "Shortened and bare-address links are distrusted.",
    ),
    check(
        "msg.links.mismatch",
        Warning,
        "Links lead where they say",
        "A link that names another site looks like phishing.",
    ),
    check(
        "msg.url_only",
        Warning,
        "More than a bare link",
        "A message of one link is what stolen accounts send.",
    ),
    check(
        "msg.attach.type",
        Warning,
        "No dangerous attachments",
        "Gmail refuses programs, others refuse much more.",
    ),
    check(
        "msg.attach.size",
        Warning,
        "Below 20 MB",
        "Most providers take 25 MB after encoding.",
    ),
    check(
        "msg.list.unsub",
        Error,
        "Bulk mail can be left with one click",
        "Gmail and Yahoo demand it of bulk senders.",
    ),
    check(
        "msg.gtube",
        Improvement,
        "No test strings",
        "The test string for spam filters makes every filter refuse.",
    ),
    check(
        "msg.bidi",
        Warning,
        "No turned writing direction",
        "It hides the real end of names and files.",
    ),
];

/// What the message alone does not tell.
#[derive(Clone, Debug, Default)]
pub struct MessageContext {
    pub now: u64,
    /// Our domains.
    pub domains: Vec<String>,
    /// It goes to many readers.
    pub is_bulk: bool,
}

type Look = fn(&Read<'_>, &MessageContext, &mut Found);

/// Everything that is wrong with one message.
pub fn judge(message: &[u8], context: &MessageContext) -> Vec<Finding> {
    let read = Read::new(message);
    let mut found = Found::default();
    let looks: [(&str, Look); 20] = [
        ("msg.from.single", from_single),
        ("msg.from.display", from_display),
        ("msg.msgid", message_id),
        ("msg.date", date),
        ("msg.dup_headers", double_fields),
        ("msg.header.size", header_size),
        ("msg.subject", subject),
        ("msg.to", to),
        ("msg.text_part", text_part),
        ("msg.html.valid", html_parts),
        ("msg.html.size", html_size),
        ("msg.hidden", hidden),
        ("msg.links.short", short_links),
        ("msg.links.mismatch", mismatch),
        ("msg.url_only", url_only),
        ("msg.attach.type", attachment_type),
        ("msg.attach.size", attachment_size),
        ("msg.list.unsub", unsubscribe),
        ("msg.gtube", test_string),
        ("msg.bidi", direction),
    ];
    for (id, look) in looks {
        if let Some(check) = CHECKS.iter().find(|check| check.id == id) {
            found.start(check);
            look(&read, context, &mut found);
        }
    }
    score::order(found.into_findings())
}

/// The message with what several looks need.
struct Read<'a> {
    message: Message<'a>,
    header: &'a [u8],
    text: Option<String>,
    html: Option<String>,
}

impl<'a> Read<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let message = Message::parse(bytes);
        let header = bytes
            .get(message.structure().root().header.clone())
            .unwrap_or_default();
        let shown = |subtype: &str| {
            message
                .structure()
                .own_parts()
                .find(|part| part.is("text", subtype) && part.is_shown_text())
                .map(|part| message.text(part))
        };
        Self {
            text: shown("plain"),
            html: shown("html"),
            header,
            message,
        }
    }

    fn field(&self, name: &str) -> Option<String> {
        self.message.header_text(name)
    }

    fn count(&self, name: &str) -> usize {
        self.message.fields().filter(|field| field.is(name)).count()
    }
}

fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    let end = domain
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(domain.len());
    Some(domain.get(..end)?.to_ascii_lowercase())
}

fn from_single(read: &Read<'_>, context: &MessageContext, found: &mut Found) {
    let fix = || Fix::say("Send with one From field that holds one address of your own domain.");
    let Some(from) = read.field("From") else {
        found.add("From", "no From field", fix());
        return;
    };
    if from.matches('@').count() > 1 && from.matches('<').count() != 1 {
        found.add("From", "several addresses in From", fix());
        return;
    }
    let domain = from
        .rsplit_once('<')
        .map_or(from.as_str(), |(_, address)| address);
    let ours = domain_of(domain).is_some_and(|domain| context.domains.contains(&domain));
    if !ours && !context.domains.is_empty() {
        found.add("From", format!("{from} is of no domain of ours"), fix());
    }
}

fn from_display(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let from = read.field("From").unwrap_or_default();
    let name = from.rsplit_once('<').map_or("", |(name, _)| name);
    let marks = ['✓', '✔', '✅', '☑', '🔒'];
    if name.contains('@') || name.contains("(2)") || name.contains(marks) {
        found.add(
            "From",
            format!("the name is {}", name.trim()),
            Fix::say("Use your plain name, without addresses or marks."),
        );
    }
}

fn message_id(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let id = read.field("Message-ID").unwrap_or_default();
    let domain = domain_of(&id).unwrap_or_default();
    let local = ["localhost", ".local", ".localdomain", ".lan"]
        .iter()
        .any(|end| domain.ends_with(end));
    if !domain.contains('.') || local {
        let seen = if id.is_empty() {
            "no Message-ID".to_owned()
        } else {
            format!("Message-ID is {id}")
        };
        found.add(
            "Message-ID",
            seen,
            Fix::say("Let the server add it: send through submission."),
        );
    }
}

fn date(read: &Read<'_>, context: &MessageContext, found: &mut Found) {
    let fix = || Fix::say("Correct the clock of the computer that wrote the message.");
    let Some(text) = read.field("Date") else {
        found.add("Date", "no Date", fix());
        return;
    };
    let Some(millis) = mail::date::parse(text.as_bytes()).map(|date| date.at.0) else {
        found.add("Date", format!("{text} is no date"), fix());
        return;
    };
    let off = millis
        .div_euclid(1000)
        .abs_diff(i64::try_from(context.now).unwrap_or(i64::MAX));
    if context.now > 0 && off > 3600 {
        let severity = if off > 86_400 { Error } else { Warning };
        found.add_as(
            severity,
            "Date",
            format!("{text} is off by {} minutes", off / 60),
            fix(),
        );
    }
}

fn double_fields(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    const ONCE: [&str; 11] = [
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Bcc",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
    ];
    let double: Vec<&str> = ONCE
        .into_iter()
        .filter(|name| read.count(name) > 1)
        .collect();
    if !double.is_empty() {
        found.add(
            double.join(", "),
            "stands more than once",
            Fix::say("Correct the program that wrote the message."),
        );
    }
}

fn header_size(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let long = read
        .header
        .split(|byte| *byte == b'\n')
        .any(|line| line.len() > 999);
    let raw = !read.header.is_ascii();
    if read.header.len() > 16 * 1024 || long || raw {
        let seen = if raw {
            "letters outside ASCII that are not encoded"
        } else {
            "too large, or with a line over 998 bytes"
        };
        found.add(
            "header",
            seen,
            Fix::say(
                "Correct the program that wrote the message: encode words (RFC 2047), fold lines.",
            ),
        );
    }
}

fn subject(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let subject = read.field("Subject").unwrap_or_default();
    let letters: Vec<char> = subject.chars().filter(|c| c.is_alphabetic()).collect();
    let shouts = letters.len() > 8 && letters.iter().all(|c| !c.is_lowercase());
    let answers = subject.to_lowercase().starts_with("re:")
        && read.field("In-Reply-To").is_none()
        && read.field("References").is_none();
    let seen = if subject.trim().is_empty() {
        "no subject"
    } else if shouts {
        "capitals throughout"
    } else if answers {
        "Re: without a message before it"
    } else {
        return;
    };
    found.add(
        "Subject",
        seen,
        Fix::say("Write a subject that says what the message is about."),
    );
}

fn to(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let visible = ["To", "Cc"]
        .iter()
        .any(|name| read.field(name).is_some_and(|value| value.contains('@')));
    if !visible {
        found.add(
            "To",
            "no visible recipient",
            Fix::say("Send each reader a message of their own, with their address in To."),
        );
    }
}

fn text_part(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    if read.html.is_some() && read.text.as_ref().is_none_or(|text| text.trim().is_empty()) {
        found.add(
            "body",
            "HTML without a text part",
            Fix::say("Send both: multipart/alternative with text and HTML that say the same."),
        );
    }
}

fn lower_html(read: &Read<'_>) -> String {
    read.html.as_deref().unwrap_or_default().to_lowercase()
}

fn html_parts(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    const ACTIVE: [&str; 7] = [
        "<script",
        "<form",
        "<iframe",
        "<object",
        "<embed",
        "<base",
        "http-equiv=\"refresh\"",
    ];
    let html = lower_html(read);
    let there: Vec<&str> = ACTIVE
        .into_iter()
        .filter(|tag| html.contains(tag))
        .collect();
    if !there.is_empty() {
        found.add(
            "body",
            format!("HTML with {}", there.join(", ")),
            Fix::say("Take them out; link to a page instead."),
        );
    }
}

fn html_size(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let length = read.html.as_ref().map_or(0, String::len);
    if length > 102 * 1024 {
        found.add(
            "body",
            format!("{} kB of HTML", length / 1024),
            Fix::say("Shorten it: Gmail cuts at 102 kB."),
        );
    }
}

fn hidden(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let html: String = lower_html(read).split_whitespace().collect();
    const SIGNS: [&str; 5] = [
        "font-size:0",
        "display:none",
        "visibility:hidden",
        "opacity:0;",
        "opacity:0\"",
    ];
    let zero_width = read
        .html
        .as_deref()
        .or(read.text.as_deref())
        .is_some_and(|text| text.matches(['\u{200b}', '\u{2060}', '\u{feff}']).count() > 10);
    if SIGNS.iter().any(|sign| html.contains(sign)) || zero_width {
        found.add(
            "body",
            "text that readers do not see",
            Fix::say("Take hidden text out."),
        );
    }
}

/// Targets of links in both parts, and for HTML the text shown for each.
fn links(read: &Read<'_>) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let html = read.html.as_deref().unwrap_or_default();
    for piece in html.split("<a ").skip(1) {
        let Some((tag, rest)) = piece.split_once('>') else {
            continue;
        };
        let target = tag
            .split_once("href=")
            .map(|(_, value)| value.trim_start_matches(['"', '\'']));
        let target = target.and_then(|value| value.split(['"', '\'', ' ']).next());
        let shown = rest.split("</a").next().unwrap_or_default().trim();
        if let Some(target) = target {
            links.push((target.to_owned(), shown.to_owned()));
        }
    }
    let text = read.text.as_deref().unwrap_or_default();
    for word in text.split_whitespace() {
        if word.starts_with("http://") || word.starts_with("https://") {
            links.push((word.to_owned(), word.to_owned()));
        }
    }
    links
}

fn host_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("://")?;
    let host = rest.split(['/', '?', '#', ' ']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(host.to_ascii_lowercase())
}

fn short_links(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    const SHORT: [&str; 9] = [
        "bit.ly",
        "tinyurl.com",
        "t.co",
        "goo.gl",
        "ow.ly",
        "is.gd",
        "buff.ly",
        "rebrand.ly",
        "cutt.ly",
    ];
    for (target, _) in links(read) {
        let host = host_of(&target).unwrap_or_default();
        let (name, port) = host.split_once(':').unwrap_or((&host, ""));
        let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
        let odd_port = !matches!(port, "" | "80" | "443");
        if SHORT.contains(&name) || is_address || odd_port {
            found.add(
                "links",
                format!("a link to {host}"),
                Fix::say("Write the whole address of the page itself."),
            );
            return;
        }
    }
}

fn mismatch(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    for (target, shown) in links(read) {
        let (Some(target), Some(shown)) = (host_of(&target), host_of(&shown)) else {
            continue;
        };
        let plain = |host: &str| host.trim_start_matches("www.").to_owned();
        if plain(&target) != plain(&shown) {
            found.add(
                "links",
                format!("shows {shown}, leads to {target}"),
                Fix::say("Let the text of the link be what it leads to, or words."),
            );
            return;
        }
    }
}

fn url_only(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let text = read.text.as_deref().unwrap_or_default().trim();
    let one_word = !text.is_empty() && text.split_whitespace().count() == 1;
    if one_word && host_of(text).is_some() && read.html.is_none() {
        found.add(
            "body",
            "nothing but a link",
            Fix::say("Say in a sentence what the link is."),
        );
    }
}

fn attachments<'r>(read: &'r Read<'_>) -> impl Iterator<Item = (&'r mail::Part, String)> {
    read.message
        .structure()
        .own_parts()
        .filter_map(|part| Some((part, part.file_name()?.to_lowercase())))
}

fn attachment_type(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    // What Gmail refuses outright, and what many filters do.
    const REFUSED: [&str; 12] = [
        "exe", "js", "vbs", "bat", "cmd", "scr", "com", "msi", "jar", "iso", "lnk", "ps1",
    ];
    const DISTRUSTED: [&str; 6] = ["html", "htm", "docm", "xlsm", "pptm", "img"];
    for (_, name) in attachments(read) {
        let ending = name.rsplit('.').next().unwrap_or_default();
        let severity = if REFUSED.contains(&ending) {
            Error
        } else if DISTRUSTED.contains(&ending) {
            Warning
        } else {
            continue;
        };
        found.add_as(
            severity,
            &name,
            format!("a .{ending} file"),
            Fix::say("Share it by a link instead."),
        );
    }
}

fn attachment_size(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    let size = read.message.bytes().len();
    if size > 20 * 1024 * 1024 {
        found.add(
            "message",
            format!("{} MB", size / 1024 / 1024),
            Fix::say("Share large files by a link."),
        );
    }
}

fn unsubscribe(read: &Read<'_>, context: &MessageContext, found: &mut Found) {
    if !context.is_bulk {
        return;
    }
    let has_link = read
        .field("List-Unsubscribe")
        .is_some_and(|value| value.contains("<https://"));
    let one_click = read
        .field("List-Unsubscribe-Post")
        .is_some_and(|value| value.trim() == "List-Unsubscribe=One-Click");
    if !(has_link && one_click) {
        found.add(
            "List-Unsubscribe",
            "readers cannot leave with one click",
            Fix::say("Add, and sign:\nList-Unsubscribe: <https://HOST/unsubscribe/TOKEN>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        );
    }
}

fn test_string(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    // In two parts, so that this file does not hold it.
    let gtube = concat!(
        "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-",
        "ANTI-UBE-TEST-EMAIL*C.34X"
    );
    let holds = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains(gtube));
    if holds(&read.text) || holds(&read.html) {
        found.add(
            "body",
            "the test string for spam filters",
            Fix::say("Take the test string out."),
        );
    }
}

fn direction(read: &Read<'_>, _: &MessageContext, found: &mut Found) {
    const TURNS: [char; 7] = [
        '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    ];
    let fields = ["From", "Subject"]
        .iter()
        .filter_map(|name| read.field(name));
    let names = attachments(read).map(|(_, name)| name);
    if fields.chain(names).any(|text| text.contains(TURNS)) {
        found.add(
            "header",
            "marks that turn the writing direction",
            Fix::say("Take them out of names, subject and file names."),
        );
    }
}
