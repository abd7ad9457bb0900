//! Our own verification, called as the server calls it: a real resolver with its cache, then the verdict
//! and the field that says it.

use std::net::{IpAddr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use mail::{Address, ReversePath};
use mailauth::dmarc::DmarcResult;
use mailauth::spf::{Sender, SpfResult};
use mailauth::{results, verdict};
use tokio::runtime::Runtime;
use world::{DnsSettings, Resolver, Validation};

use super::{CLIENT, FROM, HELLO};

const RECEIVER: &str = "mx.bench.test";

pub struct Ours {
    runtime: Runtime,
    resolver: Resolver,
}

impl Ours {
    pub fn prepare(names: SocketAddr) -> Result<Self> {
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            // The bench's name server signs nothing, and neither side checks signatures.
            resolver: Resolver::new(DnsSettings {
                validation: Validation::Off,
                ..DnsSettings::servers(vec![names])
            }),
        })
    }

    /// All messages, one after the other, on this thread; its CPU seconds.
    pub fn verify(&self, messages: &[Vec<u8>]) -> Result<f64> {
        let before = thread_cpu_seconds()?;
        self.runtime.block_on(async {
            for message in messages {
                self.one(message).await?;
            }
            anyhow::Ok(())
        })?;
        Ok(thread_cpu_seconds()? - before)
    }

    async fn one(&self, message: &[u8]) -> Result<()> {
        let from = ReversePath::from(Address::parse(FROM)?);
        let sender = Sender {
            ip: IpAddr::V4(CLIENT),
            helo: HELLO,
            mail_from: &from,
            receiver: RECEIVER,
            now: seconds_now(),
        };
        let early = verdict::early(&self.resolver, &sender).await;
        let verdict = verdict::message(&self.resolver, early, message, sender.now).await;
        let field = results::write(RECEIVER, &verdict);
        let forged = results::forged(message, RECEIVER);
        let right = verdict.spf.result == SpfResult::Pass
            && verdict.dkim.len() == 2
            && verdict.dkim.iter().all(mailauth::dkim::Verdict::passed)
            && verdict.dmarc.result == DmarcResult::Pass
            && forged.is_empty();
        if !right {
            bail!("not all passed: {}", String::from_utf8_lossy(&field));
        }
        Ok(())
    }
}

pub fn seconds_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// CPU time of this thread, in the kernel's nanoseconds.
fn thread_cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().unwrap_or("0").parse()?;
    Ok(nanoseconds / 1e9)
}
