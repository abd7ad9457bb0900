//! `postroad relay` and `postroad delivery` on the real program.

use crate::commands::in_both_modes;
use crate::rig::Post;

#[test]
fn a_relay_for_one_provider() {
    in_both_modes(|post| {
        post.run(&["relay", "list"])
            .done()
            .says("No provider has a relay of its own.");
        let url = "smtp://relay.example:2525";
        post.run(&["relay", "add", "--for", "microsoft", url])
            .done()
            .says("Mail for Outlook.com, Hotmail, Live, MSN and Microsoft 365 goes, while these refuse")
            .says("relay.example:2525")
            .says("postroad relay remove microsoft");
        let list = post.json(&["relay", "list"]);
        assert_eq!(list["relays"][0]["provider"], "microsoft365");
        assert_eq!(list["relays"][1]["relay"], url);
        assert_eq!(list["relays"][1]["always"], false);
        post.run(&["relay", "add", "--for", "gmx.de", "--always", url])
            .done()
            .says("Mail for GMX, WEB.DE, mail.com and IONOS goes by");
        post.run(&["relay", "remove", "microsoft"])
            .done()
            .says("goes straight again");
        post.run(&["relay", "remove", "microsoft"])
            .exits(1)
            .complains("has no relay");
    });
}

#[test]
fn where_nothing_was_sent() {
    in_both_modes(|post| {
        post.run(&["delivery"])
            .done()
            .says("No mail was sent there in the last 7 days.");
        post.run(&["delivery", "microsoft", "--days", "30"])
            .done()
            .says("the last 30 days");
        let story = ["delivery", "trace", "<none@here.example>"];
        post.run(&story)
            .exits(1)
            .complains("no message none@here.example");
        post.run(&["delivery", "hold", "off"])
            .done()
            .says("goes back to its sender");
        assert_eq!(post.json(&["delivery"])["hold"], false);
        post.run(&["delivery", "hold", "on"])
            .done()
            .says("stays in the queue");
    });
}

#[test]
fn wrong_usage() {
    let post = Post::configured();
    post.run(&["delivery", "microsof"])
        .exits(2)
        .complains("did you mean microsoft?");
    post.run(&["relay", "add", "--for", "nobody", "smtp://relay.example"])
        .exits(2)
        .complains("not a provider");
    let url = "smtp://user:secret@relay.example";
    post.run(&["relay", "add", "--for", "gmail", url])
        .exits(2)
        .complains("the password does not belong into it");
}
