//! What a user is told of log-ins from new networks. Pure.
//! What programs and networks call themselves was chosen by whoever logged in: nothing of it can be clicked.

use std::fmt::Write as _;

use mail::UnixMillis;
use mail::date::civil;
use store::{PasswordUsed, Protocol};

use super::limits::{NAMED_MAX, SHOWN_CHARS_MAX};
use super::plan::Named;
use crate::junk_digest::shown;

/// All that one message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The person's address.
    pub to: String,
    /// The oldest first.
    pub log_ins: Vec<Named>,
    /// Minutes that the person's clock is before that of Greenwich.
    pub offset_mins: i32,
}

impl Told {
    #[must_use]
    pub fn subject(&self) -> String {
        match self.log_ins.as_slice() {
            [one] => format!("Log-in to your mail from a new network: {}", one.news.peer),
            all => format!("Log-ins to your mail from {} new networks", all.len()),
        }
    }

    #[must_use]
    pub fn text(&self) -> String {
        let mut text = match self.log_ins.len() {
            1 => format!(
                "Somebody logged in to {} from a network that it was not used from before:\n\n",
                self.to
            ),
            count => format!(
                "Somebody logged in to {} from {count} networks that it was not used from before:\n\n",
                self.to
            ),
        };
        for one in self.log_ins.iter().take(NAMED_MAX) {
            text.push_str(&self.describe(one));
        }
        let beyond = self.log_ins.len().saturating_sub(NAMED_MAX);
        if 0 < beyond {
            let _ = write!(text, "And {beyond} more.\n\n");
        }
        text.push_str(
            "Was it you, on a journey, say, or with another provider? Then there is nothing to do.\n\n\
             Was it not you? Then somebody has your password. Ask whoever runs this server to do this at once:\n\n",
        );
        text.push_str(&self.mending());
        let _ = write!(
            text,
            "\nIf you use the same password elsewhere, change it there too, and look over your computers and telephones for \
             viruses.\n\n\
             You get this once for each new network, not for networks of a provider you used before. Whoever runs this server \
             ends it with: postroad account notices {} off\n",
            self.to
        );
        text
    }

    fn describe(&self, one: &Named) -> String {
        let news = &one.news;
        let from = match &one.name {
            Some(name) => format!("{} ({})", news.peer, shown(name, SHOWN_CHARS_MAX)),
            None => news.peer.to_string(),
        };
        let what = match news.protocol {
            Protocol::Submission => "SMTP, to send mail",
            Protocol::Imap => "IMAP, to read mail",
            Protocol::Pop3 => "POP3, to fetch mail",
        };
        let with = match &news.used {
            PasswordUsed::Main => "the main password".to_owned(),
            PasswordUsed::App(name) => {
                format!("the app password \"{}\"", shown(name, SHOWN_CHARS_MAX))
            }
        };
        let mut text = format!(
            "  when      {}\n  from      {from}\n  protocol  {what}\n  with      {with}\n",
            self.time(news.at)
        );
        if !news.client.is_empty() {
            let client = shown(&news.client, SHOWN_CHARS_MAX);
            let _ = writeln!(text, "  program   calls itself {client}");
        }
        text.push('\n');
        text
    }

    /// The commands for the passwords that were used.
    fn mending(&self) -> String {
        let mut apps: Vec<&str> = Vec::new();
        let mut main = false;
        for one in &self.log_ins {
            match &one.news.used {
                PasswordUsed::Main => main = true,
                PasswordUsed::App(name) if !apps.contains(&name.as_ref()) => apps.push(name),
                PasswordUsed::App(_) => {}
            }
        }
        let mut text = String::new();
        if main {
            let _ = writeln!(
                text,
                "  a new password:                 postroad account passwd {}",
                self.to
            );
        }
        for name in apps.into_iter().take(NAMED_MAX) {
            let name = quoted(&shown(name, SHOWN_CHARS_MAX));
            let _ = writeln!(
                text,
                "  revoke the app password:        postroad account app-password remove {} {name}",
                self.to
            );
        }
        let _ = writeln!(
            text,
            "  log everybody out:              postroad account sign-out {}",
            self.to
        );
        let _ = writeln!(
            text,
            "  who logged in, and from where:  postroad account sign-ins {}",
            self.to
        );
        text
    }

    /// `21 Nov 2026, 09:05 (UTC+01:00)`
    fn time(&self, at: UnixMillis) -> String {
        let local = UnixMillis(at.0 + i64::from(self.offset_mins) * 60_000);
        let (year, month, day) = civil(local);
        let minutes = local.0.rem_euclid(86_400_000) / 60_000;
        let month = MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or("?");
        let (hour, minute) = (minutes / 60, minutes % 60);
        let zone = match self.offset_mins {
            0 => "UTC".to_owned(),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                let offset = offset.unsigned_abs();
                format!("UTC{sign}{:02}:{:02}", offset / 60, offset % 60)
            }
        };
        format!("{day} {month} {year}, {hour:02}:{minute:02} ({zone})")
    }
}

/// As a shell takes it for one word.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use store::{SignInNews, neighbourhood_of};

    use super::*;

    fn named(used: PasswordUsed, client: &str) -> Named {
        let peer = "203.0.113.9".parse().expect("an address");
        Named {
            news: SignInNews {
                neighbourhood: neighbourhood_of(peer),
                at: UnixMillis(1_700_000_000_000),
                protocol: Protocol::Imap,
                used,
                peer,
                client: client.to_owned(),
            },
            name: Some("host.far.example".to_owned()),
        }
    }

    fn told(log_ins: Vec<Named>) -> Told {
        Told {
            to: "ann@here.example".to_owned(),
            log_ins,
            offset_mins: 60,
        }
    }

    #[test]
    fn one_log_in_is_told_whole() {
        let told = told(vec![named(PasswordUsed::Main, "Some Mail 7")]);
        assert_eq!(
            told.subject(),
            "Log-in to your mail from a new network: 203.0.113.9"
        );
        let text = told.text();
        for part in [
            "14 Nov 2023, 23:13 (UTC+01:00)",
            "203.0.113.9 (host.far.example)",
            "IMAP, to read mail",
            "the main password",
            "calls itself Some Mail 7",
            "postroad account passwd ann@here.example",
            "postroad account sign-ins ann@here.example",
            "postroad account notices ann@here.example off",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("app-password"), "{text}");
    }

    #[test]
    fn many_are_summed_up_and_nothing_can_be_clicked() {
        let app = |name: &str| PasswordUsed::App(name.into());
        let mut all = vec![
            named(app("phone"), "http://evil.example/\u{202e}x"),
            named(app("my tablet"), ""),
            named(app("phone"), ""),
        ];
        all.extend((0..9).map(|_| named(app("phone"), "")));
        let told = told(all);
        assert_eq!(told.subject(), "Log-ins to your mail from 12 new networks");
        let text = told.text();
        assert!(text.contains("And 2 more."), "{text}");
        assert!(
            !text.contains("://") && !text.contains('\u{202e}'),
            "{text}"
        );
        assert_eq!(
            text.matches("remove ann@here.example phone").count(),
            1,
            "{text}"
        );
        assert!(
            text.contains("remove ann@here.example 'my tablet'"),
            "{text}"
        );
        assert!(!text.contains("passwd"), "{text}");
    }
}
