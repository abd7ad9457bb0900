//! OpenDKIM and OpenDMARC as they run beside a mail server: two processes that are asked for each message.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::milter::Milter;
use crate::accounting::cpu_seconds;

const READY_WITHIN: Duration = Duration::from_secs(20);
/// The clock of /proc is coarse and what trails the last reply still belongs to the work.
const TAIL: Duration = Duration::from_millis(300);

pub struct Filters {
    dkim: Filter,
    dmarc: Filter,
}

struct Filter {
    process: Child,
    at: SocketAddr,
}

impl Filters {
    /// Both programs, if they are installed. Their resolver is `names`, which must listen on port 53:
    /// they are started with a `resolv.conf` of their own.
    pub fn start(dir: &Path, names: SocketAddr) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let resolver = dir.join("resolv.conf");
        std::fs::write(
            &resolver,
            format!("nameserver {}\noptions timeout:2 attempts:1\n", names.ip()),
        )?;
        // QueryCache: OpenDKIM keeps keys, so that its cache is warm as ours is.
        let dkim = Filter::start(
            dir,
            "opendkim",
            &resolver,
            &format!(
                "Mode v\nQueryCache yes\nNameservers {}\nInternalHosts 192.0.2.99\nAuthservID bench.test\nAlwaysAddARHeader yes\n",
                names.ip()
            ),
        )?;
        let dmarc = Filter::start(
            dir,
            "opendmarc",
            &resolver,
            "AuthservID bench.test\nTrustedAuthservIDs bench.test\nSPFSelfValidate true\nRejectFailures false\nIgnoreHosts /dev/null\n",
        )?;
        Ok(Self { dkim, dmarc })
    }

    /// All messages through both, as a mail server does: what the first adds is seen by the second.
    /// Gives the CPU seconds of the two, and checks that each message passed.
    pub fn verify(
        &self,
        client: &str,
        hello: &str,
        from: &str,
        messages: &[Vec<u8>],
    ) -> Result<f64> {
        let pids = [self.dkim.process.id(), self.dmarc.process.id()];
        let before = cpu_seconds(&pids);
        let mut dkim = Milter::connect(self.dkim.at, client, hello)?;
        let mut dmarc = Milter::connect(self.dmarc.at, client, hello)?;
        for (number, message) in messages.iter().enumerate() {
            let mut seen = dkim.message(number, from, "bob@bench.test", message)?;
            let results = String::from_utf8_lossy(&seen).into_owned();
            if results.matches("dkim=pass").count() != 2 {
                bail!("opendkim says: {results}");
            }
            seen.extend_from_slice(message);
            let added = dmarc.message(number, from, "bob@bench.test", &seen)?;
            let results = String::from_utf8_lossy(&added);
            if !results.contains("dmarc=pass") || !results.contains("spf=pass") {
                bail!("opendmarc says: {results}");
            }
        }
        drop((dkim, dmarc));
        std::thread::sleep(TAIL);
        Ok(cpu_seconds(&pids) - before)
    }
}

impl Filter {
    fn start(dir: &Path, program: &str, resolver: &Path, settings: &str) -> Result<Self> {
        let at = free_port()?;
        let settings = format!(
            "{settings}Socket inet:{}@127.0.0.1\nPidFile {}\nSyslog no\nBackground no\nAutoRestart no\nUMask 000\n",
            at.port(),
            dir.join(format!("{program}.pid")).display()
        );
        let file = dir.join(format!("{program}.conf"));
        std::fs::write(&file, settings)?;
        let script = dir.join(format!("{program}.sh"));
        std::fs::write(
            &script,
            format!(
                "mount --bind {} /etc/resolv.conf && exec /usr/sbin/{program} -f {} {}\n",
                resolver.display(),
                if program == "opendkim" { "-x" } else { "-c" },
                file.display()
            ),
        )?;
        let log = std::fs::File::create(dir.join(format!("{program}.log")))?;
        // A mount of its own: nobody else sees that resolv.conf.
        let process = Command::new("unshare")
            .args(["--mount", "sh"])
            .arg(&script)
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()
            .context("unshare")?;
        let mut filter = Self { process, at };
        let begun = Instant::now();
        while TcpStream::connect(at).is_err() {
            if filter.process.try_wait()?.is_some() || READY_WITHIN < begun.elapsed() {
                let said = std::fs::read_to_string(dir.join(format!("{program}.log")));
                bail!("{program} does not start: {}", said.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(filter)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<SocketAddr> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(std::net::TcpListener::bind((loopback, 0))?.local_addr()?)
}
