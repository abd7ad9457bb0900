//! The IMAP conversations of Apache James. Compared are the outcome of each command and the
//! untagged answers that the script names, in any order; not the wording, which is each server's own.

use std::path::Path;

use regex::Regex;

use super::scripts::{corpus, settle};
use crate::client::Client;
use crate::house::House;

/// Scripts that ask for what we do not offer or do otherwise, with the reason.
const DIFFERENCES: &[(&str, &str)] = &[
    ("ACL*", "ACL (RFC 4314) is not offered"),
    ("Rights", "ACL (RFC 4314) is not offered"),
    (
        "Sharing*",
        "counts on mailboxes that James shares between its accounts",
    ),
    (
        "RenameSharedMailbox",
        "counts on mailboxes that James shares between its accounts",
    ),
    (
        "SharedMailbox",
        "counts on James's namespaces #user and #any",
    ),
    ("Namespace", "names James's namespaces"),
    ("Metadata*", "METADATA (RFC 5464) is not offered"),
    ("FetchPartial", "PARTIAL (RFC 9394) is not offered"),
    (
        "BogusCommand",
        "one mistake does not end a connection here, several do",
    ),
    (
        "NoTag",
        "one mistake does not end a connection here, several do",
    ),
    (
        "ConcurrentDeleteSelected",
        "who has a mailbox open that is deleted sees it become empty, and is not sent away",
    ),
    (
        "Create",
        "the dot is James's separator, also in modified UTF-7",
    ),
    (
        "FetchMultipartBodyStructure",
        "an empty list of items is not in the grammar",
    ),
    ("Status", "two spaces are not in the grammar"),
    ("UidSearchCombinations", "two spaces are not in the grammar"),
    (
        "FetchStructureEmbedded",
        "James writes out the charset us-ascii where a part names none",
    ),
    (
        "FetchRFC822Header",
        "a part that is no message has no TEXT (RFC 9051 §6.4.5.1), there it is empty",
    ),
    (
        "SearchCombinations",
        "announces a literal with one byte too few, which leaves a bare LF",
    ),
    ("ListSpecialChar", "counts on mailboxes that James prepares"),
    (
        "ListSubscribed",
        "attributes of LIST come in another order here",
    ),
    (
        "PeekMultipartMixed",
        "names the UIDVALIDITY of James's prepared mailbox",
    ),
    (
        "Uid",
        "the UID that UID FETCH adds comes first here, last there",
    ),
    ("XList", "Trash and its like exist from the start here"),
];

/// Scripts for a connection before login.
const BEFORE_LOGIN: [&str; 3] = ["ValidAuthenticated", "BogusCommand", "NoTag"];

#[tokio::test]
async fn conversations_of_james() {
    let Some(folder) = corpus("imap-scripts/james/imap") else {
        return;
    };
    let mut files: Vec<_> = [folder.clone(), folder.join("aclIntegration")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "test")
        })
        .collect();
    files.sort();
    let mut results = Vec::new();
    for file in files {
        let name = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        results.push((name.clone(), run(&name, &file).await));
    }
    settle(results, DIFFERENCES);
}

/// Lines to send and the answers they get.
#[derive(Debug, Default)]
struct Exchange {
    session: usize,
    sent: Vec<String>,
    answers: Vec<String>,
}

fn exchanges(text: &str) -> Vec<Exchange> {
    let mut all: Vec<Exchange> = Vec::new();
    let mut session = 1;
    for line in text.lines() {
        if let Some(number) = line.strip_prefix("SESSION:") {
            session = number.trim().parse().expect("a session number");
        } else if let Some(sent) = line.strip_prefix("C:") {
            let sent = sent.strip_prefix(' ').unwrap_or(sent).to_owned();
            match all.last_mut() {
                Some(last) if last.session == session && last.answers.is_empty() => {
                    last.sent.push(sent)
                }
                _ => all.push(Exchange {
                    session,
                    sent: vec![sent],
                    answers: Vec::new(),
                }),
            }
        } else if let Some(answer) = line.strip_prefix("S:") {
            let answer = answer.strip_prefix(' ').unwrap_or(answer).to_owned();
            match all.last_mut() {
                Some(last) if last.session == session => last.answers.push(answer),
                _ => all.push(Exchange {
                    session,
                    sent: Vec::new(),
                    answers: vec![answer],
                }),
            }
        }
    }
    all
}

async fn run(name: &str, file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).expect("the script");
    let house = House::new().await;
    house.account("imapuser", "password", None).await;
    let script = exchanges(&text);
    let starts_fresh = text.contains("S: \\* OK IMAP4rev1 Server ready")
        || text.contains("LOGIN imapuser password")
        || BEFORE_LOGIN.contains(&name);
    let mut sessions: Vec<Client> = Vec::new();
    let count = script
        .iter()
        .map(|exchange| exchange.session)
        .max()
        .unwrap_or(1);
    for _ in 0..count {
        let mut client = house.connect().await;
        if !starts_fresh {
            client.ok("LOGIN imapuser@example.test password").await;
        }
        sessions.push(client);
    }
    if !starts_fresh && needs_selected(name, &text) {
        prepare_selected(&mut sessions[0]).await;
    }
    for exchange in script {
        let client = &mut sessions[exchange.session - 1];
        converse(client, exchange).await?;
    }
    Ok(())
}

/// Whether the script counts on the mailbox that James prepares for it.
fn needs_selected(name: &str, text: &str) -> bool {
    let opens = text
        .find(" SELECT ")
        .or_else(|| text.find(" EXAMINE "))
        .unwrap_or(text.len());
    let before = &text[..opens];
    name != "ValidSelected"
        && ([
            " FETCH ",
            " STORE ",
            " SEARCH ",
            " EXPUNGE",
            " UID ",
            " MOVE ",
            "EXISTS",
            "APPEND selected",
            "STATUS selected",
        ]
        .iter()
        .any(|word| before.to_uppercase().contains(&word.to_uppercase())))
}

async fn prepare_selected(client: &mut Client) {
    client.ok("CREATE selected").await;
    for number in 1..=4 {
        let text = format!(
            "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nFrom: Fred Foobar <foobar@Blurdybloop.COM>\r\n\
             Subject: Test 0{number}\r\nTo: mooch@owatagu.siam.edu\r\nMessage-Id: <B27397-0100000@Blurdybloop.COM>\r\n\
             MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\nTest 0{number}\r\n"
        );
        client.append("selected", "", &text).await;
    }
    client.ok("SELECT selected").await;
}

async fn converse(client: &mut Client, exchange: Exchange) -> Result<(), String> {
    let tag = exchange
        .answers
        .iter()
        .rev()
        .find_map(|answer| tagged(answer))
        .map(|(tag, _)| tag);
    for line in &exchange.sent {
        client
            .send_bytes(&bytes_of(&format!("{}\r\n", ours(line))))
            .await;
    }
    let Some(tag) = tag else {
        let wants_bye = exchange.answers.iter().any(|answer| answer.contains("BYE"));
        if !wants_bye {
            return Ok(());
        }
        let mut said = Vec::new();
        // The answer to the command may stand before the farewell.
        for _ in 0..2 {
            match client.answer_line().await {
                Some(line) if line.starts_with("* BYE") => return Ok(()),
                Some(line)
                    if line.contains("EXPUNGE")
                        || line.contains("* BAD")
                        || line.contains(" BAD ") =>
                {
                    said.push(line);
                    break;
                }
                other => said.extend(other),
            }
        }
        return Err(format!(
            "{:?}: BYE was wanted, not {said:?}",
            exchange.sent.first()
        ));
    };
    let answer = client.until_tagged(&tag).await;
    let first = exchange.sent.first().cloned().unwrap_or_default();
    let mut left: Vec<String> = answer
        .untagged
        .iter()
        .flat_map(|line| line.split("\r\n").map(str::to_owned))
        .collect();
    for wanted in exchange.answers {
        if let Some((_, status)) = tagged(&wanted) {
            // NO or BAD is a matter of taste.
            if answer.tagged.starts_with("OK") != (status == "OK") {
                return Err(format!(
                    "{first}: {status} was wanted, not {} {left:?}",
                    answer.tagged
                ));
            }
            continue;
        }
        // \Recent is not kept; EXAMINE gives no permanent flags (RFC 9051 §6.3.3); words of farewell
        // and greeting are each server's own, and so is the order of FLAGS.
        let own = [
            "RECENT",
            "\\* BYE",
            "Server ready",
            "\\* FLAGS",
            "PERMANENTFLAGS",
        ]
        .iter()
        .any(|word| wanted.contains(word));
        if own || wanted.starts_with("\\+") {
            continue;
        }
        let pattern = format!("(?i)^{}$", theirs(&wanted));
        let regex = Regex::new(&pattern).map_err(|error| format!("{first}: {error}"))?;
        match left.iter().position(|line| regex.is_match(line)) {
            Some(at) => drop(left.remove(at)),
            None => {
                return Err(format!(
                    "{first}: {wanted} is not in {left:#?} ({})",
                    answer.tagged
                ));
            }
        }
    }
    Ok(())
}

/// Tag and outcome, if this is the pattern of a tagged answer.
fn tagged(pattern: &str) -> Option<(String, String)> {
    let mut words = pattern.split(' ');
    let (tag, status) = (words.next()?, words.next()?);
    let is_tag = tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') && !tag.is_empty();
    (is_tag && ["OK", "NO", "BAD"].contains(&status)).then(|| (tag.to_owned(), status.to_owned()))
}

/// James sends ASCII; the sizes of its literals count on it.
fn bytes_of(line: &str) -> Vec<u8> {
    line.chars()
        .map(|c| if c.is_ascii() { c as u8 } else { b'?' })
        .collect()
}

/// Names of mailboxes have `.` there and `/` here; logins are addresses here.
fn ours(line: &str) -> String {
    let word = line
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_ascii_uppercase();
    let about_names = [
        "CREATE",
        "DELETE",
        "RENAME",
        "LIST",
        "LSUB",
        "SELECT",
        "EXAMINE",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "STATUS",
        "COPY",
        "MOVE",
    ];
    if about_names.contains(&word.as_str()) {
        return line.replace('.', "/");
    }
    if word == "APPEND" {
        let mut words: Vec<String> = line.splitn(4, ' ').map(str::to_owned).collect();
        if let Some(name) = words.get_mut(2) {
            *name = name.replace('.', "/");
        }
        return words.join(" ");
    }
    line.replace("LOGIN imapuser ", "LOGIN imapuser@example.test ")
}

/// \Recent is not kept here, and headers of text parts are named in the order of the client.
fn theirs(pattern: &str) -> String {
    let pattern = pattern
        .replace(" \\\\Recent", "")
        .replace("\\\\Recent ", "")
        .replace("\\\\Recent", "");
    if ["LIST", "LSUB", "STATUS"]
        .iter()
        .any(|word| pattern.starts_with(&format!("\\* {word} ")))
    {
        return pattern.replace("\\.", "/");
    }
    pattern
}
