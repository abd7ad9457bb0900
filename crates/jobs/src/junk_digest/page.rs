//! The words of a summary, as text and as a page. Pure.
//! What is quoted was written by senders of junk: nothing of it can be clicked, and nothing of it leaves its line.

use std::fmt::Write as _;

use mail::UnixMillis;
use mail::date::civil;

use super::limits::SHOWN_CHARS_MAX;

/// One message that lies in Junk.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub from: String,
    pub subject: String,
    pub at: UnixMillis,
    /// That it is junk.
    pub probability: f32,
    pub reason: String,
}

/// All that one summary tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The person's address.
    pub to: String,
    /// The likeliest to be wanted first.
    pub lines: Vec<Line>,
    /// How many there are, those beyond `lines` included.
    pub count: usize,
    /// Minutes that the person's clock is before that of Greenwich.
    pub offset_mins: i32,
}

impl Page {
    #[must_use]
    pub fn subject(&self) -> String {
        match self.count {
            1 => "1 message went to Junk".to_owned(),
            count => format!("{count} messages went to Junk"),
        }
    }

    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.opening());
        for line in &self.lines {
            let Shown { from, subject } = Shown::of(line);
            let (percent, time) = (percent(line.probability), self.time(line.at));
            let reason = shown(&line.reason, SHOWN_CHARS_MAX);
            let _ = write!(
                text,
                "{percent:>5}  {from}\n       {subject}\n       {time} - {reason}\n\n"
            );
        }
        if let Some(rest) = self.rest() {
            let _ = write!(text, "{rest}\n\n");
        }
        let _ = write!(text, "{RESCUE}\n\n{}\n", self.closing());
        text
    }

    #[must_use]
    pub fn html(&self) -> String {
        let mut html = String::from(
            "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head>\n\
             <body style=\"font-family:sans-serif;font-size:14px\">\n",
        );
        let _ = writeln!(
            html,
            "<p>{}</p>\n<table cellpadding=\"6\">",
            escaped(&self.opening())
        );
        for line in &self.lines {
            let Shown { from, subject } = Shown::of(line);
            let reason = shown(&line.reason, SHOWN_CHARS_MAX);
            let _ = writeln!(
                html,
                "<tr valign=\"top\"><td align=\"right\">{}</td><td><b>{}</b><br>{}<br>\
                 <span style=\"color:#666\">{} - {}</span></td></tr>",
                percent(line.probability),
                escaped(&from),
                escaped(&subject),
                self.time(line.at),
                escaped(&reason),
            );
        }
        html.push_str("</table>\n");
        if let Some(rest) = self.rest() {
            let _ = writeln!(html, "<p>{}</p>", escaped(&rest));
        }
        let _ = writeln!(
            html,
            "<p>{}</p>\n<p style=\"color:#666\">{}</p>\n</body></html>",
            escaped(RESCUE),
            escaped(&self.closing()),
        );
        html
    }

    fn opening(&self) -> String {
        let what = match self.count {
            1 => "1 message".to_owned(),
            count => format!("{count} messages"),
        };
        format!(
            "The spam filter put {what} into your Junk mailbox. The likeliest to be wanted come first; the number is how \
             likely it is junk."
        )
    }

    fn rest(&self) -> Option<String> {
        let beyond = self.count.saturating_sub(self.lines.len());
        (0 < beyond).then(|| format!("And {beyond} more, which are still likelier to be junk."))
    }

    fn closing(&self) -> String {
        format!(
            "{} gets this summary in the morning, if there was any junk. Whoever runs this server ends it with: \
             postroad spam digest {} off",
            self.to, self.to
        )
    }

    /// `21 Nov 09:05`
    fn time(&self, at: UnixMillis) -> String {
        let local = UnixMillis(at.0 + i64::from(self.offset_mins) * 60_000);
        let (_, month, day) = civil(local);
        let minutes = local.0.rem_euclid(86_400_000) / 60_000;
        let month = MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or("?");
        format!("{day} {month} {:02}:{:02}", minutes / 60, minutes % 60)
    }
}

const RESCUE: &str = "Is one of them wanted? Move it out of Junk, to any mailbox but Trash. The filter learns from that at once. \
     About the others you need not do anything.";

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

struct Shown {
    from: String,
    subject: String,
}

impl Shown {
    fn of(line: &Line) -> Self {
        let or = |text: String, other: &str| match text.is_empty() {
            true => other.to_owned(),
            false => text,
        };
        Self {
            from: or(shown(&line.from, SHOWN_CHARS_MAX), "(nobody)"),
            subject: or(shown(&line.subject, SHOWN_CHARS_MAX), "(no subject)"),
        }
    }
}

/// Never a full hundred: nothing is that sure.
fn percent(probability: f32) -> String {
    let percent = f64::from(probability.clamp(0.0, 1.0)) * 100.0;
    if 99.9 <= percent {
        ">99.9%".to_owned()
    } else if 99.0 <= percent {
        format!("{:.1}%", (percent * 10.0 + 0.001).floor() / 10.0)
    } else {
        format!("{percent:.0}%")
    }
}

/// One short line without what could be clicked, hide letters or turn the direction of text.
pub(crate) fn shown(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let quiet = text.replace("://", "[:]//").replace("www.", "www[.]");
    for (at, c) in quiet.chars().enumerate() {
        if chars_max <= at {
            out.push('…');
            break;
        }
        out.push(match mail::shown::misleads(c) {
            true => ' ',
            false => c,
        });
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Line, Page, percent, shown};
    use mail::UnixMillis;

    fn page() -> Page {
        Page {
            to: "ann@here.example".to_owned(),
            lines: vec![Line {
                from: "Bank <a@b.example>".to_owned(),
                subject: "Log in <b>now</b>: https://evil.example/\r\nBcc: x".to_owned(),
                at: UnixMillis(1_700_000_000_000),
                probability: 0.873,
                reason: "the link shows bank.example but leads to evil.example".to_owned(),
            }],
            count: 3,
            offset_mins: 60,
        }
    }

    #[test]
    fn both_forms_tell_all_and_nothing_can_be_clicked() {
        let page = page();
        assert_eq!(page.subject(), "3 messages went to Junk");
        let (text, html) = (page.text(), page.html());
        for part in [
            "87%",
            "14 Nov 23:13",
            "Bank",
            "evil.example",
            "And 2 more",
            "digest ann@here.example off",
        ] {
            assert!(
                text.contains(part) && html.contains(part),
                "{part}\n{text}\n{html}"
            );
        }
        assert!(
            !text.contains("https://") && !html.contains("https://"),
            "{text}"
        );
        assert!(!html.contains("<b>now") && !html.contains("<a "), "{html}");
    }

    #[test]
    fn what_is_shown_stays_in_its_line() {
        assert_eq!(shown("a\u{202e}b\r\n  c", 100), "a b c");
        assert_eq!(shown(&"x".repeat(200), 3), "xxx…");
    }

    #[test]
    fn nothing_is_certain() {
        assert_eq!(percent(1.0), ">99.9%");
        assert_eq!(percent(0.996), "99.6%");
        assert_eq!(percent(0.5), "50%");
    }
}
