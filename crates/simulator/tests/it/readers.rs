//! Mail that arrives is seen by those who read: IMAP, IDLE, POP3, on the same host.

use simulator::{Client, Host, Internet, PASSWORD, Script, Service, minutes};

use crate::{ANN, BOB, here, letter};

/// A logged-in IMAP connection in INBOX.
async fn reader(internet: &Internet, host: &Host, login: &str) -> Client {
    let mut client = internet.connect(host.service(Service::Imap)).await;
    assert!(client.line().await.unwrap().starts_with("* OK"));
    command(&mut client, &format!("LOGIN {login} \"{PASSWORD}\"")).await;
    command(&mut client, "SELECT INBOX").await;
    client
}

/// The untagged lines of a command that succeeds.
async fn command(client: &mut Client, command: &str) -> Vec<String> {
    client.send(&format!("a {command}")).await.unwrap();
    let mut lines = Vec::new();
    loop {
        let line = client.line().await.unwrap();
        match line.strip_prefix("a ") {
            Some(result) => {
                assert!(result.starts_with("OK"), "{command}: {line}");
                return lines;
            }
            None => lines.push(line),
        }
    }
}

async fn idle_hears_of_mail_at_once(internet: Internet) {
    let there = internet
        .host("mx.there.test")
        .domain("there.test")
        .account(BOB)
        .start()
        .await;
    let here = here(&internet).await;
    let mut bob = reader(&internet, &there, BOB).await;
    bob.send("i IDLE").await.unwrap();
    assert!(bob.line().await.unwrap().starts_with('+'));
    here.submit(ANN, &[BOB], &letter("push")).await;
    let before = internet.now();
    while bob.line().await.unwrap() != "* 1 EXISTS" {}
    assert!(internet.now() - before < minutes(1));
    bob.send("DONE").await.unwrap();
    while !bob.line().await.unwrap().starts_with("i OK") {}
    let lines = command(
        &mut bob,
        "UID FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
    )
    .await;
    assert!(
        lines.iter().any(|line| line == "Subject: push"),
        "{lines:?}"
    );
}

#[test]
fn idle_hears_of_mail_at_once_simulated() {
    Internet::simulated(1, idle_hears_of_mail_at_once);
}

#[test]
fn idle_hears_of_mail_at_once_real() {
    Internet::real(idle_hears_of_mail_at_once);
}

#[test]
fn a_report_is_read_like_any_mail() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().recipient(BOB, "550 5.1.1 gone");
        internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("to nobody")).await;
        internet
            .until(minutes(5), || host.inbox(ANN).len() == 1)
            .await;
        let mut ann = reader(&internet, &host, ANN).await;
        let lines = command(&mut ann, "FETCH 1 (BODYSTRUCTURE)")
            .await
            .join("\n")
            .to_ascii_lowercase();
        for wanted in ["\"report\"", "\"delivery-status\"", "\"report-type\""] {
            assert!(lines.contains(wanted), "{lines}");
        }
        let lines = command(&mut ann, "SEARCH TEXT \"5.1.1 gone\"").await;
        assert!(lines.iter().any(|line| line.ends_with(" 1")), "{lines:?}");
    });
}

#[test]
fn pop3_takes_what_smtp_brought() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut stranger = internet.stranger(host.mx()).await;
        stranger
            .transact("x@far.test", &[ANN], &letter("pop"))
            .await
            .unwrap();
        let mut pop = internet.connect(host.service(Service::Pop3)).await;
        let mut say = async |line: &str| {
            if !line.is_empty() {
                pop.send(line).await.unwrap();
            }
            let reply = pop.line().await.unwrap();
            assert!(reply.starts_with("+OK"), "{line}: {reply}");
        };
        for line in [
            "",
            &format!("USER {ANN}"),
            &format!("PASS {PASSWORD}"),
            "DELE 1",
            "QUIT",
        ] {
            say(line).await;
        }
        internet
            .until(minutes(1), || host.inbox(ANN).is_empty())
            .await;
    });
}

#[test]
fn readers_are_told_when_the_host_stops() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        let mut ann = reader(&internet, &host, ANN).await;
        let (line, ()) = tokio::join!(ann.line(), host.stop());
        assert!(line.unwrap().starts_with("* BYE"));
    });
}
