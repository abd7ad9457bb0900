//! A full disk is said to be full, and nothing else is the matter once there is space again.

use std::path::Path;
use std::process::Command;

use store::*;

use crate::fixture::*;

/// A small disk of its own; needs root.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(bytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let size = format!("size={bytes}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(dir)),
            _ => {
                println!("skipped: no small disk can be mounted here");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

#[test]
fn a_full_disk_heals() {
    let Some(disk) = SmallDisk::new(12 << 20) else {
        return;
    };
    let settings = StoreSettings::embedded(disk.path().join("data"));
    let store = Store::open(&settings).expect("a new store opens");
    store
        .write_blocking(Durability::Durable, |change| {
            change.add_domain(&domain("here.example"), NOW)
        })
        .expect("a domain");
    let account = NewAccount {
        address: address("ann"),
        name: String::new(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    let ann = store
        .add_account_blocking(account, NOW)
        .expect("an account");
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 8 << 20]).expect("ballast");

    let deliver = |size: usize| -> Result<Receipt, MessageError> {
        let kept = store.keep_blocking(vec![b'x'; size])?;
        let delivery = delivery_of(kept, &[ann]);
        store.accept_blocking(move |change| change.deliver(&delivery))
    };
    let mut delivered = 0;
    for size in [200_000, 20_000, 100] {
        loop {
            match deliver(size) {
                Ok(_) => delivered += 1,
                Err(MessageError::Store(StoreError::Full)) => break,
                Err(e) => panic!("after {delivered} deliveries, {size} bytes: {e:?}"),
            }
            assert!(delivered < 20_000, "the disk does not get full");
        }
    }
    let count = |store: &Store| {
        store
            .read_blocking(move |view| view.uids(ann, MailboxId::INBOX))
            .expect("reading works")
            .len()
    };
    assert_eq!(
        count(&store),
        delivered,
        "what was acknowledged, and nothing else"
    );
    std::fs::remove_file(&ballast).expect("space again");
    let _ = deliver(1_000).expect("it works again by itself");
    let _ = deliver(200_000).expect("large ones too");
    store.close();
    let store = Store::open(&settings).expect("opens again");
    assert_eq!(count(&store), delivered + 2);
}
