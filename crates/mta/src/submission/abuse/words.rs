//! What an account's user and the operator are told of an alarm.

use mail::{Address, UnixMillis, date};
use store::deliveries::NewNotice;
use store::sending::{Alarm, Reached, SendingNetwork};

use super::limits::REACHED_TOLD_MAX;
use super::signals::{Kind, Measure, Signal};

/// A reason, a line.
fn reason(measure: &Measure) -> String {
    let Measure {
        signal, counted, ..
    } = measure;
    let said = match signal {
        Signal::NewNetwork | Signal::OddHour | Signal::NewAppPassword => {
            format!("sent {}", signal.name())
        }
        Signal::FailedShare => format!("{counted} {}", signal.name()),
        _ => format!("{counted} {}", signal.name()),
    };
    match (measure.act.or(measure.warn), signal.kind()) {
        (_, Kind::Place) => said,
        (Some(most), _) => format!("{said} (limit {most})"),
        (None, _) => said,
    }
}

pub(super) fn lines(reasons: &[Measure]) -> String {
    let lines: Vec<String> = reasons.iter().map(reason).collect();
    lines.join("\n")
}

pub(super) fn in_a_line(reasons: &[Measure]) -> String {
    let lines: Vec<String> = reasons.iter().map(reason).collect();
    lines.join("; ")
}

/// For the operator's board.
pub(super) fn notice(
    address: &Address,
    is_locked: bool,
    reasons: &str,
    now: UnixMillis,
) -> NewNotice {
    let (kind, title) = match is_locked {
        true => (
            "sending-locked",
            format!("{address} may not send any more: somebody else seems to use it"),
        ),
        false => (
            "sending-held",
            format!("Mail of {address} to other servers is held: it is more than usual"),
        ),
    };
    let meaning = match is_locked {
        true => {
            "Sending is locked. Its mail that waited is held, nothing is lost. All its sessions were ended, and its app \
                 passwords of the last 30 days revoked. Reading goes on."
        }
        false => {
            "What it sends to new people is taken in and held until you say that it is well. Nothing is lost."
        }
    };
    let fix = format!(
        "Why:\n{reasons}\n\n{meaning}\n\n\
         1. Look at what waits:          postroad queue groups\n\
         2. Throw spam away:             postroad queue group remove NUMBER\n   \
         or let good mail go:         postroad queue group release NUMBER\n\
         3. If somebody got in, give it a new password:\n                                \
         postroad account passwd {address}\n\
         4. Let it send again:           postroad account release {address}\n\n\
         See what it sent and from where: postroad account sending {address}\n\
         If it is right that it sends so much (a newsletter, a shop):\n                                \
         postroad account limits {address} set --recipients 2000 --new 2000\n"
    );
    NewNotice {
        kind: kind.to_owned(),
        topic: topic(address, is_locked),
        title,
        fix,
        created: now,
    }
}

/// Names the matter on the board.
pub(super) fn topic(address: &Address, is_locked: bool) -> String {
    let kind = if is_locked { "locked" } else { "held" };
    format!("sending-{kind} {address}")
}

/// Both matters about an account, for whoever ends them.
pub fn topics(address: &Address) -> [String; 2] {
    [topic(address, false), topic(address, true)]
}

/// Subject and text of the message to the account's user.
pub(super) fn letter(
    address: &Address,
    alarm: &Alarm,
    reached: &Reached,
    networks: &[SendingNetwork],
) -> (String, String) {
    let subject = match alarm.locked {
        true => "You cannot send mail for now: is somebody else using your account?",
        false => "Your mail to new people waits: was it you?",
    };
    let mut text = format!(
        "This is about {address}, since {}.\n\n",
        date::format(alarm.at)
    );
    text.push_str(match alarm.locked {
        true => {
            "Sending from your account is locked. You can read your mail as before. Mail of yours that was on its way \
             is held and not lost. All your programs were logged out and must log in again; app passwords made in the \
             last 30 days are revoked.\n\n"
        }
        false => {
            "You sent to more people than usual. What you send to people you never wrote to is held until it is \
             clear that it was you; it is not lost. Mail to people you know goes on.\n\n"
        }
    });
    match alarm.by_operator {
        true => text.push_str("Whoever runs this server did this.\n"),
        false => text.push_str("Why:\n"),
    }
    for line in alarm.reasons.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!(
        "\nIf it was you: ask whoever runs this server to release it. They do it with\n\n  postroad account release \
         {address}\n\nand for a newsletter they can set limits that fit:\n\n  postroad account limits {address} set \
         --recipients 2000 --new 2000\n\nIf it was not you: somebody has your password. Take a new one, \
         which you use nowhere else, look over your programs and telephones for viruses, then ask for the release. Whoever \
         runs this server gives you the new password, and throws the held spam away, with\n\n  \
         postroad account passwd {address}\n  postroad queue groups\n  postroad queue group remove NUMBER\n"
    ));
    aftercare(&mut text, reached, networks);
    (subject.to_owned(), text)
}

fn aftercare(text: &mut String, reached: &Reached, networks: &[SendingNetwork]) {
    if !networks.is_empty() {
        text.push_str("\nNetworks from which your account sent in the last day:\n");
    }
    for network in networks {
        text.push_str(&format!(
            "  {}, known since {}\n",
            network.network,
            date::format(network.first)
        ));
    }
    if reached.recipients == 0 {
        return;
    }
    text.push_str(&format!(
        "\n{} addresses elsewhere took mail of your account in the last day. If it was not you, you may want to warn \
         them:\n",
        reached.recipients
    ));
    for address in reached.some.iter().take(REACHED_TOLD_MAX) {
        text.push_str(&format!("  {address}\n"));
    }
    if reached.some.len() > REACHED_TOLD_MAX {
        text.push_str("  and others; whoever runs this server can list them all.\n");
    }
}
