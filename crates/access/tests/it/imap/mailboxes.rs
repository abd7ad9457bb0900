//! Mailboxes, subscriptions and quotas as one client sees them.

use crate::house::{House, message};

#[tokio::test]
async fn making_and_listing_mailboxes() {
    let house = House::new().await;
    let mut client = house.log_in("alice").await;
    let answer = client.command("CREATE a/b/").await;
    assert!(
        answer.tagged.starts_with("OK [MAILBOXID (M"),
        "{}",
        answer.tagged
    );
    client
        .says(
            "LIST \"\" a*",
            &[
                "* LIST (\\HasChildren) \"/\" \"a\"",
                "* LIST (\\HasNoChildren) \"/\" \"a/b\"",
            ],
        )
        .await;
    client
        .says("LIST a/ %", &["* LIST (\\HasNoChildren) \"/\" \"a/b\""])
        .await;
    client
        .says("LIST \"\" \"\"", &["* LIST (\\Noselect) \"/\" \"\""])
        .await;
    assert!(
        client
            .refused("CREATE a")
            .await
            .starts_with("NO [ALREADYEXISTS]")
    );
    assert!(
        client
            .refused("CREATE INBOX")
            .await
            .starts_with("NO [ALREADYEXISTS]")
    );
    assert!(
        client
            .refused("CREATE a//b")
            .await
            .starts_with("NO [CANNOT]")
    );
    assert!(
        client
            .refused("DELETE INBOX")
            .await
            .starts_with("NO [CANNOT]")
    );
    client.ok("DELETE a").await;
    client
        .says(
            "LIST \"\" a*",
            &[
                "* LIST (\\Noselect \\HasChildren) \"/\" \"a\"",
                "* LIST (\\HasNoChildren) \"/\" \"a/b\"",
            ],
        )
        .await;
    client.ok("RENAME a/b c").await;
    client
        .says(
            "LIST \"\" (a* c)",
            &["* LIST (\\HasNoChildren) \"/\" \"c\""],
        )
        .await;
    client
        .says(
            "LIST (SPECIAL-USE) \"\" *",
            &[
                "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"",
                "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"",
                "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"",
                "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"",
                "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"",
            ],
        )
        .await;
    assert!(
        client
            .refused("CREATE x (USE (\\All))")
            .await
            .starts_with("NO [USEATTR]")
    );
    client
        .says(
            "LIST \"\" (INBOX) RETURN (STATUS (MESSAGES SIZE))",
            &[
                "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
                "* STATUS \"INBOX\" (MESSAGES 0 SIZE 0)",
            ],
        )
        .await;
}

#[tokio::test]
async fn subscriptions() {
    let house = House::new().await;
    let mut client = house.log_in("alice").await;
    for name in client.ok("LSUB \"\" *").await {
        let name = name.rsplit(' ').next().expect("a name").to_owned();
        client.ok(&format!("UNSUBSCRIBE {name}")).await;
    }
    client.ok("CREATE a/b").await;
    client.ok("SUBSCRIBE a/b").await;
    client
        .says("LSUB \"\" *", &["* LSUB () \"/\" \"a/b\""])
        .await;
    client
        .says("LSUB \"\" %", &["* LSUB (\\Noselect) \"/\" \"a\""])
        .await;
    client
        .says(
            "LIST (SUBSCRIBED) \"\" *",
            &["* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/b\""],
        )
        .await;
    client
        .says(
            "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
            &["* LIST (\\HasChildren) \"/\" \"a\" (\"CHILDINFO\" (\"SUBSCRIBED\"))"],
        )
        .await;
    client.ok("DELETE a/b").await;
    client
        .says(
            "LIST (SUBSCRIBED) \"\" *",
            &["* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" \"a/b\""],
        )
        .await;
}

#[tokio::test]
async fn quotas() {
    let house = House::new().await;
    house.account("carol", "secret-word", Some(2_048)).await;
    let mut client = house.log_in("carol").await;
    client
        .says(
            "GETQUOTAROOT INBOX",
            &["* QUOTAROOT \"INBOX\" \"\"", "* QUOTA \"\" (STORAGE 0 2)"],
        )
        .await;
    client.append("INBOX", "", &message("one")).await;
    client
        .says("GETQUOTA \"\"", &["* QUOTA \"\" (STORAGE 1 2)"])
        .await;
    let large = "x".repeat(3_000);
    assert!(
        client
            .refused(&format!("APPEND INBOX {{3000+}}\r\n{large}"))
            .await
            .starts_with("NO [OVERQUOTA]")
    );
    assert!(
        client
            .refused("SETQUOTA \"\" (STORAGE 9)")
            .await
            .starts_with("NO [NOPERM]")
    );
    let mut free = house.log_in("alice").await;
    free.says("GETQUOTA \"\"", &["* QUOTA \"\" ()"]).await;
}
