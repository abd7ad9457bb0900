//! The scripts of Dovecot's ImapTest, with its matching: words without case, lists by kind, variables.

mod matching;
mod script;

use std::path::Path;

use self::matching::{Variables, matches};
use self::script::{Script, Step, mbox};
use super::scripts::{corpus, settle};
use crate::client::Client;
use crate::house::House;

/// Scripts that ask for what we do not offer or do otherwise, with the reason.
const DIFFERENCES: &[(&str, &str)] = &[
    ("catenate-multiappend", "CATENATE (RFC 4469) is not offered"),
    (
        "search-context-update3",
        "CONTEXT=SEARCH (RFC 5267) is not offered",
    ),
    (
        "search-flags",
        "\\Recent is not kept: IMAP4rev2 has dropped it",
    ),
    ("urlauth*", "URLAUTH (RFC 4467) is not offered"),
];

#[tokio::test]
async fn scripts_of_imaptest() {
    let Some(folder) = corpus("imap-scripts/imaptest") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_none())
        .collect();
    files.sort();
    let mut results = Vec::new();
    for file in files {
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        results.push((name, run(&folder, &file).await));
    }
    settle(results, DIFFERENCES);
}

async fn run(folder: &Path, file: &Path) -> Result<(), String> {
    let script = Script::parse(&std::fs::read_to_string(file).expect("the script"));
    let own = file.with_extension("mbox");
    let mails = mbox(
        &std::fs::read_to_string(if own.is_file() {
            own
        } else {
            folder.join("default.mbox")
        })
        .expect("mails"),
    );
    let house = House::new().await;
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..script.connections {
        clients.push(house.log_in("alice").await);
    }
    let capabilities = clients[0].ok("CAPABILITY").await.join(" ").to_uppercase();
    if let Some(missing) = script
        .capabilities
        .iter()
        .find(|wanted| !capabilities.split(' ').any(|word| word == *wanted))
    {
        return Err(format!("{missing} is not offered"));
    }
    let mut next_mail = mails.iter().cycle();
    if script.state != "auth" {
        clients[0].ok("CREATE imaptest").await;
    }
    if script.state == "appended" || script.state == "selected" {
        for mail in next_mail
            .by_ref()
            .take(script.messages.unwrap_or(mails.len()))
        {
            clients[0]
                .append("imaptest", &mail.arguments, &mail.text)
                .await;
        }
    }
    if script.state == "selected" {
        for client in &mut clients {
            client.ok("SELECT imaptest").await;
        }
    }
    let mut variables = Variables::new();
    for step in &script.steps {
        let client = &mut clients[step.connection - 1];
        if step.command == "append" {
            let mail = next_mail.next().expect("a mail");
            client.append("imaptest", &mail.arguments, &mail.text).await;
            continue;
        }
        perform(client, step, &mut variables)
            .await
            .map_err(|error| format!("{}: {error}", step.command))?;
    }
    Ok(())
}

async fn perform(
    client: &mut Client,
    step: &Step,
    variables: &mut Variables,
) -> Result<(), String> {
    let command = variables.fill(&step.command)?;
    let tag = client.next_tag();
    variables.set("tag", &tag);
    let answer = client.command(&command).await;
    let outcome = answer.tagged.to_lowercase();
    if !outcome.starts_with(&step.outcome) {
        return Err(format!(
            "{} was wanted, not {}",
            step.outcome, answer.tagged
        ));
    }
    // Numbers as they were when the command began: EXPUNGEs move them meanwhile.
    let mut numbers: Vec<u32> = (1..1_000).collect();
    let mut got = Vec::new();
    for line in &answer.untagged {
        got.push(with_first_number(line, &mut numbers));
    }
    for (text, wanted) in &step.answers {
        let found = got
            .iter()
            .position(|(line, original)| matches(text, line, *original, variables));
        match (found, wanted) {
            (Some(_), true) | (None, false) => {}
            (Some(_), false) => {
                return Err(format!(
                    "{text} should not have come: {:#?}",
                    answer.untagged
                ));
            }
            (None, true) => return Err(format!("{text} is not in {:#?}", answer.untagged)),
        }
    }
    Ok(())
}

/// The line with the number its message had at the start of the command.
fn with_first_number(line: &str, numbers: &mut Vec<u32>) -> (String, Option<u32>) {
    let mut words = line.split(' ').skip(1);
    let number: Option<usize> = words.next().and_then(|word| word.parse().ok());
    let word = words.next().unwrap_or_default().to_uppercase();
    let original = number.and_then(|number| numbers.get(number.wrapping_sub(1)).copied());
    if let (Some(number), "EXPUNGE") = (number, word.as_str()) {
        numbers.remove(number - 1);
    }
    (line.to_owned(), original)
}
