//! History for accounts that had mail before it was kept, or brought some along: whom the messages in Sent went to.
