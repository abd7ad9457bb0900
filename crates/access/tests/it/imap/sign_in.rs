//! Logging in, selecting and what the greeting says.

use crate::house::{House, PASSWORD, message};

#[tokio::test]
async fn greeting_login_and_logout() {
    let house = House::new().await;
    let mut client = house.connect().await;
    assert!(
        client
            .refused("LOGIN alice@example.test wrong")
            .await
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    assert!(client.refused("SELECT INBOX").await.starts_with("BAD"));
    let answer = client.command("LOGIN alice@example.test secret-word").await;
    assert!(
        answer
            .tagged
            .starts_with("OK [CAPABILITY IMAP4rev2 IMAP4rev1"),
        "{}",
        answer.tagged
    );
    client
        .says("ID (\"name\" \"test\")", &["* ID (\"name\" \"Postroad\")"])
        .await;
    client
        .says("NAMESPACE", &["* NAMESPACE ((\"\" \"/\")) NIL NIL"])
        .await;
    let answer = client.command("LOGOUT").await;
    assert!(answer.tagged.starts_with("OK") && answer.untagged[0].starts_with("* BYE"));
    assert_eq!(client.answer_line().await, None);
}

#[tokio::test]
async fn sasl_plain_and_scram() {
    let house = House::new().await;
    let mut client = house.connect().await;
    let plain = wire::sasl::encode(b"\0alice@example.test\0secret-word");
    client.ok(&format!("AUTHENTICATE PLAIN {plain}")).await;
    let mut client = house.connect().await;
    client.send("a AUTHENTICATE SCRAM-SHA-256\r\n").await;
    assert_eq!(client.answer_line().await.as_deref(), Some("+ "));
    client.send("*\r\n").await;
    assert!(client.until_tagged("a").await.tagged.starts_with("BAD"));
}

/// A wrong proof counts as a wrong password does: there is no way to guess faster.
#[tokio::test]
async fn wrong_scram_proofs_are_counted() {
    let house = House::new().await;
    let mut throttled = false;
    for _ in 0..60 {
        let mut client = house.connect().await;
        let credentials = wire::sasl::client::Credentials {
            login: "alice@example.test".to_owned(),
            password: wire::sasl::Secret::new("a guess"),
        };
        let mut exchange = wire::sasl::client::Exchange::choose(
            &[wire::sasl::Mechanism::ScramSha256],
            credentials,
            None,
            wire::sasl::client::ClearText::Never,
            "nonce".to_owned(),
        )
        .expect("usable");
        let initial = wire::sasl::encode(&exchange.initial().expect("a first message"));
        client
            .send(&format!("a AUTHENTICATE SCRAM-SHA-256 {initial}\r\n"))
            .await;
        let line = client.answer_line().await.expect("an answer");
        let Some(challenge) = line.strip_prefix("+ ") else {
            throttled = line.contains("Too many failed logins");
            break;
        };
        let challenge = wire::sasl::decode(challenge.as_bytes()).expect("base64");
        let proof = exchange.respond(&challenge).expect("a proof");
        client
            .send(&format!("{}\r\n", wire::sasl::encode(&proof)))
            .await;
        let refused = client.until_tagged("a").await.tagged;
        assert!(
            refused.starts_with("NO [AUTHENTICATIONFAILED]"),
            "{refused}"
        );
    }
    assert!(throttled);
}

#[tokio::test]
async fn selecting() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    house.deliver("alice", &message("two")).await;
    let mut client = house.log_in("alice").await;
    let answer = client.command("SELECT inbox").await;
    assert_eq!(answer.tagged, "OK [READ-WRITE] SELECT completed.");
    let all = answer.untagged.join("\n");
    for want in [
        "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen)",
        "* 2 EXISTS",
        "* 0 RECENT",
        "* OK [UNSEEN 1]",
        "* OK [UIDVALIDITY ",
        "* OK [UIDNEXT 3]",
        "\\Seen \\*)]",
        "* OK [HIGHESTMODSEQ ",
        "* OK [MAILBOXID (M",
    ] {
        assert!(all.contains(want), "{want} is not in\n{all}");
    }
    let answer = client.command("EXAMINE Sent").await;
    assert_eq!(answer.tagged, "OK [READ-ONLY] EXAMINE completed.");
    assert!(answer.untagged[0].starts_with("* OK [CLOSED]"));
    assert!(
        answer
            .untagged
            .contains(&"* OK [PERMANENTFLAGS ()] Flags that stay.".to_owned())
    );
    assert!(
        client
            .refused("SELECT nowhere")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(client.refused("FETCH 1 FLAGS").await.starts_with("BAD"));
}

#[tokio::test]
async fn rev2_answers() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    let mut client = house.log_in("alice").await;
    client
        .says(
            "ENABLE IMAP4rev2 CONDSTORE X",
            &["* ENABLED IMAP4rev2 CONDSTORE"],
        )
        .await;
    client.says("ENABLE IMAP4rev2", &["* ENABLED"]).await;
    let all = client.ok("SELECT INBOX").await.join("\n");
    assert!(
        !all.contains("RECENT")
            && !all.contains("UNSEEN")
            && all.contains("* LIST () \"/\" \"INBOX\""),
        "{all}"
    );
    let answer = client.command("SEARCH ALL").await;
    assert_eq!(answer.untagged, ["* ESEARCH (TAG \"t5\") ALL 1"]);
    client.ok("CREATE \"Entwürfe\"").await;
    client
        .says(
            "LIST \"\" Entw*",
            &["* LIST (\\HasNoChildren) \"/\" \"Entwürfe\""],
        )
        .await;
    let mut old = house.log_in("alice").await;
    old.says(
        "LIST \"\" Entw*",
        &["* LIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe\""],
    )
    .await;
    assert!(old.refused("CREATE \"Entwürfe\"").await.starts_with("BAD"));
}

/// Whoever has the password no longer may have no session any more either, whether it idles, waits or works.
#[tokio::test]
async fn a_session_ends_with_its_log_in() {
    let house = House::new().await;
    let alice = house.account_id("alice").await;
    let mut idler = house.selected("alice", "INBOX").await;
    let mut unselected = house.log_in("alice").await;
    let mut bob = house.selected("bob", "INBOX").await;
    for client in [&mut idler, &mut unselected] {
        client.send("i IDLE\r\n").await;
        assert_eq!(client.answer_line().await.as_deref(), Some("+ idling"));
    }
    let waiting = house.selected("alice", "INBOX").await;
    house.store.revoke_sessions(alice).await.expect("revoked");
    for mut client in [idler, unselected, waiting] {
        let said = client.answer_line().await.expect("a word");
        assert_eq!(said, "* BYE Your login has ended; please log in again.");
        assert_eq!(client.answer_line().await, None);
    }
    bob.ok("NOOP").await;
    house.log_in("alice").await;
}

/// The history names the program, whether it says what it is before or after it logs in.
#[tokio::test]
async fn sign_ins_name_the_program() {
    let house = House::new().await;
    let alice = house.account_id("alice").await;
    let id = "ID (\"name\" \"Thunderbird\" \"version\" \"128.1\")";
    let mut after = house.log_in("alice").await;
    after.ok(id).await;
    after.ok("NOOP").await;
    let mut before = house.connect().await;
    before.ok("ID (\"name\" \"mutt\")").await;
    before
        .ok(&format!("LOGIN alice@example.test {PASSWORD}"))
        .await;
    before.ok("NOOP").await;
    drop(house.log_in("alice").await);
    let mut silent = house.connect().await;
    silent.refused("LOGIN alice@example.test wrong").await;
    for _ in 0..200 {
        house.store.write_sign_ins_blocking().expect("written");
        let all = house.store.read(move |view| view.sign_ins(alice, 10)).await;
        let all: Vec<_> = all.expect("the history").into_iter().collect();
        let mut clients: Vec<_> = all
            .iter()
            .map(|one| (one.outcome, one.client.as_str()))
            .collect();
        clients.sort_by_key(|(_, client)| client.to_owned());
        use store::SignInOutcome::{Right, Wrong};
        if clients.len() == 4 {
            assert!(clients.contains(&(Wrong, "")), "{clients:?}");
            for client in ["", "Thunderbird 128.1", "mutt"] {
                assert!(clients.contains(&(Right, client)), "{clients:?}");
            }
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the history stays short");
}
