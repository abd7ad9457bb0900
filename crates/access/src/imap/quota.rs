//! GETQUOTA, GETQUOTAROOT (RFC 9208): one root, the account, with its bytes.

use wire::imap::{MailboxName, write};

use super::mailboxes::name_of;
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;

impl Session {
    pub(super) async fn get_quota(&mut self, root: &str) -> Outcome {
        if !root.is_empty() {
            return Err(Refusal::no("[NONEXISTENT] There is no such quota root."));
        }
        self.write_quota().await?;
        Ok(Done::Plain)
    }

    pub(super) async fn get_quota_root(&mut self, mailbox: MailboxName) -> Outcome {
        let account = self.account()?;
        let name = name_of(&mailbox)?;
        let found = self
            .access
            .store
            .read_small(move |view| view.mailbox_by_name(account, &name))
            .await?;
        let found = found.ok_or(Refusal::NO_MAILBOX)?;
        let dialect = self.dialect();
        self.out.extend_from_slice(b"* QUOTAROOT ");
        write::mailbox(&mut self.out, found.name.as_str(), dialect);
        self.out.extend_from_slice(b" \"\"\r\n");
        self.write_quota().await?;
        Ok(Done::Plain)
    }

    async fn write_quota(&mut self) -> Result<(), Refusal> {
        let id = self.account()?;
        let account = self
            .access
            .store
            .read_small(move |view| view.account(id))
            .await?;
        let account = account.ok_or(Refusal::no("[AUTHORIZATIONFAILED] The account is gone."))?;
        // STORAGE counts units of 1,024 bytes (RFC 9208 §5.1); an account without a bound has no limit to name.
        let resource = account.quota.map_or(String::new(), |limit| {
            format!(
                "STORAGE {} {}",
                account.used_bytes.div_ceil(1_024),
                limit / 1_024
            )
        });
        write::untagged(&mut self.out, &format!("QUOTA \"\" ({resource})"));
        Ok(())
    }
}
