//! What is written: the settings, the user, the directory, the domain and the account. What is there stays as it is.

use std::path::Path;
use std::process::Command;

use world::OsRandom;

use super::ask::Answers;
use super::host::Host;
use super::{Setup, start, unit};
use crate::config::{self, Config, ForSetup};
use crate::data_dir::{DataDir, write_private};
use crate::output::Failure;
use crate::password;

pub(super) fn write_config(
    setup: &Setup<'_>,
    host: &Host,
    answers: &Answers,
) -> Result<Config, Failure> {
    let (args, place) = (setup.args, setup.place);
    let around = &args.surroundings;
    let public: &[std::net::IpAddr] = match host.behind_router {
        true => &host.addresses,
        false => &around.public_addresses,
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let contact = setup.address.to_string();
    let text = config::for_setup(&ForSetup {
        hostname: &answers.hostname,
        public,
        listen: around.listen,
        port_offset: around.port_offset,
        resolvers: &around.resolvers,
        acme: (args.acme != "none").then_some(args.acme.as_str()),
        contact: &contact,
        roots: around.roots.as_deref().map(absolute),
        outbound_port: around.outbound_port,
        relay: answers.relay.as_deref(),
        relay_password_file: args.relay_password_file.as_deref().map(absolute),
    });
    // Not written before it is known to be good.
    let parsed = Config::parse(&text, &place.config);
    parsed.map_err(|error| Failure::usage(error.to_string()))?;
    DataDir::open_or_make(&place.data)?;
    write_private(&place.config, text.as_bytes())
        .map_err(|error| Failure::failed(format!("{}: {error}", place.config.display())))?;
    setup
        .say
        .ok(format!("settings written: {}", place.config.display()));
    setup.say.ok(format!("this host is {}", answers.hostname));
    place.load_or_fail()
}

/// The user of the service with the directory in its hands; `None` where the server runs as whoever we are.
pub(super) fn user_and_directory(setup: &Setup<'_>) -> Result<Option<String>, Failure> {
    DataDir::open_or_make(&setup.place.data)?;
    if !start::by_systemd(setup) {
        return Ok(None);
    }
    let user = |name| {
        nix::unistd::User::from_name(name)
            .map_err(|error| Failure::failed(format!("the user {name}: {error}")))
    };
    let owner = match user(unit::USER)? {
        Some(owner) => owner,
        None => {
            run(Command::new("useradd")
                .args(["--system", "--user-group", "--no-create-home"])
                .args([
                    "--home-dir",
                    "/nonexistent",
                    "--shell",
                    "/usr/sbin/nologin",
                    unit::USER,
                ]))?;
            setup.say.ok(format!("user {} made", unit::USER));
            user(unit::USER)?
                .ok_or_else(|| Failure::failed(format!("the user {} was not made", unit::USER)))?
        }
    };
    let (uid, _) = DataDir::open(&setup.place.data)?.owner()?;
    if uid != owner.uid.as_raw() {
        // With what a trial as root may have left in it.
        let to = format!("{0}:{0}", owner.name);
        run(Command::new("chown")
            .args(["-R", &to])
            .arg(&setup.place.data))?;
    }
    nix::unistd::chown(&setup.place.config, Some(owner.uid), Some(owner.gid))
        .map_err(|error| Failure::failed(format!("{}: {error}", setup.place.config.display())))?;
    Ok(Some(owner.name))
}

pub(super) fn run(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}

/// Makes what is missing; the password, if it was made up.
pub(super) fn domain_and_account(
    setup: &Setup<'_>,
    given: Option<String>,
) -> Result<Option<String>, Failure> {
    let (own, say) = (&setup.own, setup.say);
    let (domain, address) = (
        setup.address.domain().to_string(),
        setup.address.to_string(),
    );
    let listed = own.must(&["domain", "list"], "")?;
    let has = |value: &serde_json::Value, key: &str, name: &str| {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|one| one.get(key)?.as_str())
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    if has(&listed, "domain", &domain) {
        say.ok(format!("domain {domain} with its keys is there"));
    } else {
        own.must(&["domain", "add", &domain], "")?;
        say.ok(format!("domain {domain} added, signing keys made"));
    }
    let listed = own.must(&["account", "list"], "")?;
    if has(&listed, "address", &address) {
        say.ok(format!(
            "account {address} is there (a new password: postroad account passwd {address})"
        ));
        return Ok(None);
    }
    let made = given.is_none();
    let password = given.unwrap_or_else(|| password::generate(&OsRandom));
    own.must(
        // Whoever gave it was told if it was a weak one.
        &[
            "account",
            "add",
            &address,
            "--password-stdin",
            "--weak-password",
        ],
        &format!("{password}\n"),
    )?;
    say.ok(format!("account {address} made"));
    if made {
        // At once: whoever stops the rest has it.
        say.block(&format!("  Login     {address}\n  Password  {password}"));
    }
    Ok(made.then_some(password))
}
