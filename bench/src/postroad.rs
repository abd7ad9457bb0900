//! Postroad as a person would run it: made by `quickstart`, accounts by the command line.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::target::{DOMAIN, Doors, PASSWORD, Plan, SINK_DOMAIN, SINK_PORT, Server, USERS, user};

/// Far from the ports of the peers.
const PORT_OFFSET: u16 = 12_000;
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

pub struct Postroad {
    program: PathBuf,
    data: PathBuf,
    child: Option<Child>,
}

impl Postroad {
    pub fn prepare(program: &Path, plan: &Plan) -> Result<Self> {
        let data = plan.dir.join("postroad");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let program = program
            .canonicalize()
            .with_context(|| format!("no program at {}", program.display()))?;
        let mut this = Self {
            program,
            data,
            child: None,
        };
        let offset = PORT_OFFSET.to_string();
        let address = format!("postmaster@{DOMAIN}");
        this.start(&[
            "quickstart",
            &address,
            "--password-stdin",
            "--port-offset",
            &offset,
        ])?;
        for i in 0..USERS {
            this.command(
                &["account", "add", &user(i), "--password-stdin"],
                Some(PASSWORD),
            )?;
            // Nobody writes to so many new people: that would be an alarm.
            let (most, user) = ("1000000", user(i));
            let limits = [
                "account",
                "limits",
                &user,
                "set",
                "--recipients",
                most,
                "--new",
                most,
            ];
            this.command(&limits, None)?;
        }
        this.stop()?;
        this.configure()?;
        Ok(this)
    }

    /// Clear-text login, as the peers allow it, and the way to the sink.
    fn configure(&self) -> Result<()> {
        let file = self.data.join("postroad.toml");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("reading {}", file.display()))?;
        let extra = format!(
            "\n[tls]\ncleartext_login = true\n\n[limits]\nconnections_per_address = 1000\n\n\
             [outbound.relays.\"{SINK_DOMAIN}\"]\nurl = \"smtp://127.0.0.1:{SINK_PORT}\"\n"
        );
        std::fs::write(&file, text + &extra)?;
        Ok(())
    }

    fn command(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let mut child = Command::new(&self.program)
            .arg("--data")
            .arg(&self.data)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            stdin.write_all(format!("{input}\n").as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "postroad {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts the server and waits for its `ready`; the time that took.
    fn start(&mut self, arguments: &[&str]) -> Result<f64> {
        let begun = Instant::now();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.data.with_extension("log"))?;
        let mut child = Command::new(&self.program)
            .arg("--data")
            .arg(&self.data)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(format!("{PASSWORD}\n").as_bytes())?;
        }
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        self.child = Some(child);
        let mut line = String::new();
        while begun.elapsed() < READY_WITHIN {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                bail!(
                    "the server ended before it was ready; see {}",
                    self.data.with_extension("log").display()
                );
            }
            if line.starts_with("ready") {
                let seconds = begun.elapsed().as_secs_f64();
                // Whatever it says later must find a reader.
                std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return Ok(seconds);
            }
        }
        bail!("not ready within {READY_WITHIN:?}")
    }
}

impl Server for Postroad {
    fn label(&self) -> &'static str {
        "postroad"
    }

    fn doors(&mut self) -> Result<Doors> {
        if self.child.is_none() {
            self.start(&["serve"])?;
        }
        let port = |standard| standard + PORT_OFFSET;
        Ok(Doors::at(port(25), port(587), port(143), port(993)))
    }

    fn roots(&self) -> Vec<u32> {
        self.child.iter().map(Child::id).collect()
    }

    fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.doors().map(drop)
    }

    fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        Command::new("kill")
            .arg("-TERM")
            .arg(child.id().to_string())
            .status()?;
        let begun = Instant::now();
        while begun.elapsed() < STOPPED_WITHIN {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!("the server did not stop within {STOPPED_WITHIN:?} of SIGTERM")
    }

    fn tls_connections_max(&self) -> usize {
        500
    }

    fn start_timed(&mut self) -> Result<Option<f64>> {
        self.stop()?;
        self.start(&["serve"]).map(Some)
    }
}

impl Drop for Postroad {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
