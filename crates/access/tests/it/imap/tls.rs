//! TLS on both ports, and logins that need it.

use access::ClearTextLogin;
use wire::sasl::{self, Mechanism, Secret, client};

use crate::client::Client;
use crate::house::{House, PASSWORD};

#[tokio::test]
async fn starttls_comes_before_login() {
    let house = House::with(ClearTextLogin::Refused).await;
    let mut client = house.connect().await;
    let capabilities = client.ok("CAPABILITY").await.remove(0);
    assert!(
        capabilities.ends_with(" STARTTLS LOGINDISABLED"),
        "{capabilities}"
    );
    let login = format!("LOGIN alice@example.test {PASSWORD}");
    assert!(
        client
            .refused(&login)
            .await
            .starts_with("NO [PRIVACYREQUIRED]")
    );
    client.ok("STARTTLS").await;
    client.handshake().await;
    let capabilities = client.ok("CAPABILITY").await.remove(0);
    assert!(
        !capabilities.contains("STARTTLS") && capabilities.contains("AUTH=PLAIN"),
        "{capabilities}"
    );
    client.ok(&login).await;
    client.ok("SELECT INBOX").await;
    assert!(client.refused("STARTTLS").await.starts_with("BAD"));
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let house = House::with(ClearTextLogin::Refused).await;
    let mut client = house.connect_tls().await;
    client
        .ok(&format!("LOGIN alice@example.test {PASSWORD}"))
        .await;
    client.ok("SELECT INBOX").await;
}

#[tokio::test]
async fn a_line_behind_starttls_closes_the_connection() {
    let house = House::with(ClearTextLogin::Refused).await;
    let mut client = house.connect().await;
    client.send("a STARTTLS\r\nb NOOP\r\n").await;
    let answer = client.until_tagged("b").await;
    assert_eq!(answer.tagged, "CLOSED");
    assert!(
        answer.untagged[0].starts_with("a BAD"),
        "{:?}",
        answer.untagged
    );
}

/// Logs in by SCRAM; the text of the tagged answer.
async fn scram(client: &mut Client, mechanism: Mechanism, password: &str) -> String {
    let credentials = client::Credentials {
        login: "alice@example.test".into(),
        password: Secret::new(password),
    };
    let facts = client.tls();
    let mut exchange = client::Exchange::choose(
        &[mechanism],
        credentials,
        facts
            .as_ref()
            .filter(|_| mechanism == Mechanism::ScramSha256Plus),
        client::ClearText::Never,
        "rOprNGfwEbeRWgbNEkqO".into(),
    )
    .expect("a mechanism");
    let initial = sasl::encode(&exchange.initial().expect("a first message"));
    client
        .send(&format!(
            "s AUTHENTICATE {} {initial}\r\n",
            mechanism.name()
        ))
        .await;
    loop {
        let line = client.answer_line().await.expect("an answer");
        let Some(challenge) = line.strip_prefix("+ ") else {
            return line
                .strip_prefix("s ")
                .expect("the tagged answer")
                .to_owned();
        };
        let challenge = sasl::decode(challenge.as_bytes()).expect("base64");
        let answer = exchange
            .respond(&challenge)
            .expect("a server that knows the password");
        client.send(&format!("{}\r\n", sasl::encode(&answer))).await;
    }
}

#[tokio::test]
async fn scram_with_and_without_channel_binding() {
    let house = House::with(ClearTextLogin::Allowed).await;
    let mut client = house.connect().await;
    assert!(
        scram(&mut client, Mechanism::ScramSha256, PASSWORD)
            .await
            .starts_with("OK [CAPABILITY")
    );
    let mut client = house.connect().await;
    let wrong = scram(&mut client, Mechanism::ScramSha256, "wrong-word").await;
    assert!(wrong.starts_with("NO [AUTHENTICATIONFAILED]"), "{wrong}");
    client
        .ok(&format!("LOGIN alice@example.test {PASSWORD}"))
        .await;
    let mut client = house.connect_tls().await;
    let bound = scram(&mut client, Mechanism::ScramSha256Plus, PASSWORD).await;
    assert!(bound.starts_with("OK [CAPABILITY"), "{bound}");
    client.ok("SELECT INBOX").await;
}
