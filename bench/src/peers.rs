//! Postfix + Dovecot, by the script that runs them on loopback.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::target::{DOMAIN, Doors, PASSWORD, Plan, SINK_PORT, Server, USERS};

pub struct Peers {
    script: PathBuf,
    dir: PathBuf,
    runs: bool,
}

impl Peers {
    pub fn prepare(script: &Path, plan: &Plan) -> Result<Self> {
        let this = Self {
            script: script.to_owned(),
            dir: plan.dir.join("peers"),
            runs: false,
        };
        this.script("install")?;
        this.script("stop")?;
        if this.dir.exists() {
            std::fs::remove_dir_all(&this.dir)?;
        }
        std::fs::create_dir_all(&this.dir)?;
        Ok(this)
    }

    fn script(&self, verb: &str) -> Result<String> {
        let mut command = Command::new("bash");
        command
            .arg(&self.script)
            .arg(verb)
            .env("PEERS_DIR", &self.dir)
            .env("SINK_PORT", SINK_PORT.to_string());
        if verb == "start" {
            command.arg(USERS.to_string());
        }
        // A file and not a pipe: the daemons that it starts would keep a pipe open.
        let heard = self.dir.with_extension("log");
        let log = std::fs::File::create(&heard)?;
        let status = command
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .context("running the peers' script")?;
        let text = std::fs::read_to_string(&heard)?;
        if !status.success() {
            bail!("{} {verb}: {text}", self.script.display());
        }
        Ok(text)
    }

    /// The script gives its users a password of its own; the bench has one for all servers.
    fn set_password(&self) -> Result<()> {
        let users: String = (1..=USERS)
            .map(|i| format!("user{i:04}@{DOMAIN}:{}::::::\n", hash()))
            .collect();
        let file = self.dir.join("postfix-dovecot/dovecot/etc/users");
        std::fs::write(&file, users).with_context(|| format!("writing {}", file.display()))
    }
}

/// One hash for all, as the script makes it (SHA512-CRYPT, 5,000 rounds).
fn hash() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| {
        let output = Command::new("doveadm")
            .args([
                "-c",
                "/dev/null",
                "pw",
                "-s",
                "SHA512-CRYPT",
                "-p",
                PASSWORD,
            ])
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        output
            .ok()
            .filter(|hash| !hash.is_empty())
            .unwrap_or_else(|| format!("{{PLAIN}}{PASSWORD}"))
    })
}

impl Server for Peers {
    fn label(&self) -> &'static str {
        "peers"
    }

    fn doors(&mut self) -> Result<Doors> {
        if !self.runs {
            self.script("start")?;
            self.set_password()?;
            self.runs = true;
        }
        Ok(Doors::at(2525, 2587, 2143, 2993))
    }

    fn roots(&self) -> Vec<u32> {
        let pids = self.script("pids").unwrap_or_default();
        pids.trim()
            .split(',')
            .filter_map(|pid| pid.parse().ok())
            .collect()
    }

    fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.doors().map(drop)
    }

    fn stop(&mut self) -> Result<()> {
        self.runs = false;
        self.script("stop").map(drop)
    }

    /// Each TLS connection keeps a login process, of which there are a hundred.
    fn tls_connections_max(&self) -> usize {
        80
    }

    fn start_timed(&mut self) -> Result<Option<f64>> {
        Ok(None)
    }
}
