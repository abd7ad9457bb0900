//! The server at work: as a service of systemd where there is one, else in the background.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::files::run;
use super::{Setup, unit};
use crate::admin;
use crate::commands::Request;
use crate::output::Failure;

const UNIT_FILE: &str = "/etc/systemd/system/postroad.service";

/// Where the program goes when it lies where a service must not look.
const INSTALLED: &str = "/usr/local/bin/postroad";

/// There while systemd is the init system (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// For a server to answer its first question.
const START_PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a server answers on this data.
pub(super) fn runs(data: &Path) -> bool {
    matches!(admin::client::ask(data, &Request::Version), Some(Ok(_)))
}

pub(super) fn by_systemd(setup: &Setup<'_>) -> bool {
    !setup.args.surroundings.no_systemd
        && nix::unistd::geteuid().is_root()
        && Path::new(SYSTEMD).exists()
}

pub(super) fn serve(setup: &Setup<'_>, user: Option<&str>) -> Result<(), Failure> {
    let data = &setup.place.data;
    if user.is_some() {
        service(setup)?;
    } else if runs(data) {
        setup.say.ok("the server runs");
        return Ok(());
    } else {
        background(setup)?;
    }
    let until = setup.own.now() + START_PATIENCE;
    while !runs(data) {
        if until < setup.own.now() {
            return Err(Failure::failed(format!(
                "the server does not start; see {}",
                where_log_is(setup, user)
            )));
        }
        setup.own.rest(PAUSE);
    }
    setup.say.ok(format!(
        "the server runs; its log: {}",
        where_log_is(setup, user)
    ));
    Ok(())
}

fn where_log_is(setup: &Setup<'_>, user: Option<&str>) -> String {
    match user {
        Some(_) => "journalctl -u postroad".to_owned(),
        None => log_file(setup).display().to_string(),
    }
}

fn log_file(setup: &Setup<'_>) -> PathBuf {
    setup.place.data.join("postroad.log")
}

fn background(setup: &Setup<'_>) -> Result<(), Failure> {
    let path = log_file(setup);
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    let said = log.try_clone().map_err(failed)?;
    let child = setup
        .own
        .command()
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(said)
        .stderr(log)
        // It outlives this command and the terminal.
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::failed(format!("the server does not start: {error}")))?;
    setup.say.note(format!(
        "the server is process {}; it does not start by itself after the next boot",
        child.id()
    ));
    Ok(())
}

fn service(setup: &Setup<'_>) -> Result<(), Failure> {
    let text = unit::text(&program(setup)?, &setup.place.data, setup.own.named_data());
    let there = std::fs::read_to_string(UNIT_FILE).unwrap_or_default();
    if there == text {
        setup.say.ok(format!("service unit is there: {UNIT_FILE}"));
    } else {
        std::fs::write(UNIT_FILE, &text)
            .and_then(|()| world_readable(Path::new(UNIT_FILE), 0o644))
            .map_err(|error| Failure::failed(format!("{UNIT_FILE}: {error}")))?;
        setup.say.ok(format!("service unit written: {UNIT_FILE}"));
        run(Command::new("systemctl").arg("daemon-reload"))?;
    }
    verify(setup);
    run(Command::new("systemctl").args(["enable", "--now", "--quiet", "postroad.service"]))
}

/// Says what systemd itself makes of the unit, where its tool is there.
fn verify(setup: &Setup<'_>) {
    let mut command = Command::new("systemd-analyze");
    if let Ok(output) = command.args(["verify", UNIT_FILE]).output()
        && !output.status.success()
    {
        let said = String::from_utf8_lossy(&output.stderr);
        setup
            .say
            .trouble(format!("systemd says of the unit: {}", said.trim()));
    }
}

/// A service does not see homes and /tmp, so a program that lies there is copied.
fn program(setup: &Setup<'_>) -> Result<PathBuf, Failure> {
    let here = setup.own.program();
    if here.starts_with("/usr") || here.starts_with("/opt") {
        return Ok(here.clone());
    }
    let target = PathBuf::from(INSTALLED);
    let failed = |error: std::io::Error| Failure::failed(format!("{INSTALLED}: {error}"));
    let fresh = target.with_extension("new");
    std::fs::copy(here, &fresh).map_err(failed)?;
    world_readable(&fresh, 0o755).map_err(failed)?;
    std::fs::rename(&fresh, &target).map_err(failed)?;
    setup.say.ok(format!("program copied to {INSTALLED}"));
    Ok(target)
}

fn world_readable(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
