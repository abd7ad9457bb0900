//! Group J: the machine, the queue, backups, updates.

use super::facts::Facts;
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse;

const fn check(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Health,
        severity,
        light: Light::Running,
        who: Who::Server,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "sys.disk",
        Warning,
        "There is room on the disks",
        "A full disk stops mail.",
        disk,
    ),
    check(
        "sys.disk.growth",
        Warning,
        "The disk lasts for weeks",
        "Growing takes time to plan.",
        disk_growth,
    ),
    check(
        "sys.mem",
        Warning,
        "There is free memory",
        "Short memory ends programs at random.",
        memory,
    ),
    check(
        "sys.load",
        Warning,
        "No program was killed for memory",
        "What was killed may not have finished.",
        killed,
    ),
    check(
        "sys.clock",
        Warning,
        "The clock is right",
        "Signatures, certificates and one-time passwords depend on it.",
        clock,
    ),
    check(
        "sys.services",
        Error,
        "All services answer",
        "What does not answer does not work.",
        services,
    ),
    check(
        "sys.restart.loop",
        Error,
        "No service starts again and again",
        "Between starts it is gone.",
        restarts,
    ),
    check(
        "sys.queue.size",
        Warning,
        "The queue is as long as usual",
        "A long queue means a destination that refuses, or an account broken into.",
        queue_size,
    ),
    check(
        "sys.queue.age",
        Warning,
        "No message waits for hours",
        "Its author does not know that it has not arrived.",
        queue_age,
    ),
    check(
        "sys.queue.account",
        Error,
        "No account fills the queue",
        "An account that suddenly sends much is broken into.",
        queue_account,
    ),
    check(
        "sys.sending.stopped",
        Error,
        "Every account may send",
        "An alarm stopped one that sent as an intruder would; its owner waits for an answer.",
        stopped,
    ),
    check(
        "sys.quarantine",
        Warning,
        "Nothing waits in the quarantine",
        "What a filter or a rule held is thrown away after a while if nobody looks.",
        quarantine,
    ),
    check(
        "sys.delivery.canary",
        Error,
        "A test message comes through",
        "It shows that sending and receiving work as a whole.",
        canary,
    ),
    check(
        "sys.inbound.quiet",
        Warning,
        "Mail comes in as usual",
        "Silence can mean that nobody reaches the server.",
        quiet,
    ),
    check(
        "sys.filter",
        Warning,
        "The filters in postroad.toml answer",
        "Without them mail waits, or passes unseen.",
        filter,
    ),
    check(
        "sys.firewall",
        Warning,
        "The firewall takes the bans it is told",
        "They hold at the server's own doors all the same; each attempt costs a connection there.",
        firewall,
    ),
    check(
        "sys.resolver",
        Error,
        "The resolver is fast and checks signatures",
        "Every delivery asks it several times.",
        resolver,
    ),
    check(
        "sys.acme",
        Warning,
        "Certificates renew by themselves",
        "A failing renewal is an outage with a date.",
        acme,
    ),
    check(
        "sys.backup.age",
        Warning,
        "There is a fresh backup",
        "What is not in a backup is lost one day.",
        backup_age,
    ),
    check(
        "sys.backup.offsite",
        Warning,
        "A backup lies elsewhere",
        "A backup on the same machine is lost with it.",
        backup_offsite,
    ),
    check(
        "sys.backup.restore",
        Warning,
        "Restoring was tried",
        "A backup that was never restored is a hope.",
        backup_restore,
    ),
    check(
        "sys.backup.keys",
        Error,
        "Keys are in the backup",
        "Without them neither mail nor names can be brought back.",
        backup_keys,
    ),
    check(
        "sys.update.self",
        Warning,
        "The server is up to date",
        "Known faults are used within days.",
        update_self,
    ),
    check(
        "sys.update.os",
        Warning,
        "The system is up to date",
        "Known faults are used within days.",
        update_os,
    ),
    check(
        "sys.fail2ban",
        Warning,
        "Password guessing is slowed down",
        "Bots try passwords all day.",
        guard,
    ),
    check(
        "sys.auth.bruteforce",
        Warning,
        "Not more failed logins than usual",
        "Somebody is trying passwords, perhaps of one account.",
        failed_logins,
    ),
    check(
        "sys.dmarc.import",
        Improvement,
        "Reports of others are read",
        "A report that cannot be read may hold bad news.",
        reports,
    ),
    check(
        "sys.notify",
        Warning,
        "Alarms were tried lately",
        "An alarm that does not ring is found out too late.",
        alarms,
    ),
    check(
        "sys.admin.2fa",
        Warning,
        "Managers log in with a second factor",
        "One stolen password would give everything away.",
        second_factor,
    ),
    check(
        "sys.file.perms",
        Error,
        "Keys can be read by the server only",
        "Who reads them can send in your name.",
        secrets,
    ),
    check(
        "sys.db.integrity",
        Error,
        "The store is sound",
        "Damage spreads until it is mended.",
        store,
    ),
];

fn by_share(found: &mut Found, about: &str, share: f64, (warn, error): (f64, f64), fix: &str) {
    if share < warn {
        let severity = if share < error { Error } else { Warning };
        found.add_as(
            severity,
            about,
            format!("{} free", parse::percent(share)),
            Fix::say(fix),
        );
    }
}

fn disk(facts: &Facts, found: &mut Found) {
    for (volume, free) in facts.health.disks.iter().flatten() {
        by_share(
            found,
            volume,
            *free,
            (limits::DISK_FREE_WARN, limits::DISK_FREE_ERROR),
            "Delete what is not needed, or make the volume larger.",
        );
    }
}

fn disk_growth(facts: &Facts, found: &mut Found) {
    if let Some(days) = facts.health.disk_full_in_days.filter(|days| *days < 14) {
        found.add(
            "mail volume",
            format!("full in {days} days at this rate"),
            Fix::say("Make the volume larger, or see who stores so much: `postroad account list`."),
        );
    }
}

fn memory(facts: &Facts, found: &mut Found) {
    if let Some(free) = facts.health.memory_free {
        by_share(
            found,
            "memory",
            free,
            (limits::MEMORY_FREE_WARN, limits::MEMORY_FREE_ERROR),
            "Add memory or swap, or stop what is not needed.",
        );
    }
}

fn killed(facts: &Facts, found: &mut Found) {
    if facts.health.killed_for_memory == Some(true) {
        found.add(
            "memory",
            "the kernel ended a program for lack of memory",
            Fix::say("Add memory; see which program: `journalctl -k | grep -i oom`."),
        );
    }
}

fn clock(facts: &Facts, found: &mut Found) {
    let Some(off) = facts.health.clock_off_millis else {
        return;
    };
    if off >= limits::CLOCK_WARN_MILLIS {
        let severity = if off >= limits::CLOCK_ERROR_MILLIS {
            Error
        } else {
            Warning
        };
        found.add_as(
            severity,
            "clock",
            format!("off by {} seconds", off / 1000),
            Fix::run("Start time synchronisation:", "timedatectl set-ntp true"),
        );
    }
}

fn services(facts: &Facts, found: &mut Found) {
    for service in facts.health.silent_services.iter().flatten() {
        found.add(
            service,
            "does not answer",
            Fix::run(
                "Start again and read why:",
                "systemctl restart postroad; journalctl -u postroad -e",
            ),
        );
    }
}

fn restarts(facts: &Facts, found: &mut Found) {
    if let Some(count) = facts.health.restarts_last_hour.filter(|count| *count >= 3) {
        found.add(
            "postroad",
            format!("started {count} times within an hour"),
            Fix::run("Read why:", "journalctl -u postroad -e"),
        );
    }
}

fn queue_size(facts: &Facts, found: &mut Found) {
    let post = &facts.health.post;
    if let (Some(now), Some(usual)) = (post.queued, post.usual_queued)
        && now > usual.saturating_mul(5).max(50)
    {
        found.add(
            "queue",
            format!("{now} messages, usual are {usual}"),
            Fix::run("See where they go:", "postroad queue list"),
        );
    }
}

fn queue_age(facts: &Facts, found: &mut Found) {
    let Some((since, reply)) = &facts.health.post.oldest else {
        return;
    };
    let age = facts.now.saturating_sub(*since);
    if age >= limits::QUEUE_AGE_WARN {
        let severity = if age >= limits::QUEUE_AGE_ERROR {
            Error
        } else {
            Warning
        };
        found.add_as(
            severity,
            "queue",
            format!(
                "the oldest message waits for {}; last reply: {reply}",
                parse::span(age)
            ),
            Fix::run("See what stands in its way:", "postroad delivery"),
        );
    }
}

fn queue_account(facts: &Facts, found: &mut Found) {
    if let Some((account, share)) = &facts.health.post.biggest_owner
        && *share > 0.5
        && facts.health.post.queued.is_some_and(|queued| queued >= 50)
    {
        found.add(
            account,
            format!("owns {} of the queue", parse::percent(*share)),
            Fix::run(
                "If its owner does not know of it, lock it and change the password:",
                format!("postroad account lock {account}"),
            ),
        );
    }
}

fn stopped(facts: &Facts, found: &mut Found) {
    for one in facts.health.stopped.iter().flatten() {
        let age = parse::span(facts.now.saturating_sub(one.since));
        let what = match one.locked {
            true => "what it sends is refused",
            false => "what it sends is taken in and held",
        };
        found.add(
            &one.account,
            format!("{what} for {age}"),
            Fix::run(
                "See why, ask its owner, then let it send again or throw away what an intruder sent; both commands are shown by:",
                format!("postroad account sending {}", one.account),
            ),
        );
    }
}

fn quarantine(facts: &Facts, found: &mut Found) {
    if let Some((count, since)) = facts.health.held
        && 0 < count
    {
        let age = parse::span(facts.now.saturating_sub(since));
        let noun = if count == 1 { "message" } else { "messages" };
        found.add(
            "quarantine",
            format!("{count} {noun} held, the oldest for {age}"),
            Fix::run("Look, then release or delete:", "postroad quarantine list"),
        );
    }
}

fn canary(facts: &Facts, found: &mut Found) {
    if facts.health.post.canary_ok == Some(false) {
        found.add(
            "test message",
            "did not come back",
            Fix::run("Read its story:", "postroad delivery trace MESSAGE-ID"),
        );
    }
}

fn quiet(facts: &Facts, found: &mut Found) {
    let post = &facts.health.post;
    if let (Some(last), Some(usual)) = (post.last_inbound, post.usual_inbound_gap) {
        let gap = facts.now.saturating_sub(last);
        if gap > usual.saturating_mul(2) {
            found.add(
                "incoming mail",
                format!("none for {}", parse::span(gap)),
                Fix::say("Send a message from elsewhere; look at MX and port 25."),
            );
        }
    }
}

fn filter(facts: &Facts, found: &mut Found) {
    for filter in facts.health.filters.iter().flatten() {
        let Some(problem) = &filter.problem else {
            continue;
        };
        let then = match filter.defers {
            true => "mail is put off meanwhile",
            false => "mail passes unseen meanwhile",
        };
        found.add(
            &filter.name,
            format!("cannot be asked at {}: {problem}; {then}", filter.at),
            Fix::say(
                "Start it, or correct its address; or take it out of [filters] in postroad.toml and restart.",
            ),
        );
    }
}

fn firewall(facts: &Facts, found: &mut Found) {
    if let Some(Some(problem)) = &facts.health.firewall {
        found.add(
            "nftables",
            problem.clone(),
            Fix::run(
                "Give the server the right to change it (start it as root, or with AmbientCapabilities=CAP_NET_ADMIN in its \
                 unit) and see that `nft` is there, then restart it; or take `nftables` out of [bans] in postroad.toml. To see \
                 what the firewall has:",
                "nft list table inet postroad",
            ),
        );
    }
}

fn resolver(facts: &Facts, found: &mut Found) {
    if facts.resolver.validates == Some(false) {
        found.add(
            "resolver",
            "accepts answers with broken signatures",
            Fix::say("Use the built-in resolver, or switch DNSSEC validation on in yours."),
        );
    } else if let Some(millis) = facts.resolver.millis.filter(|millis| *millis > 500) {
        found.add_as(
            Warning,
            "resolver",
            format!("takes {millis} milliseconds"),
            Fix::say("Restart it; look at its upstream or at the network."),
        );
    }
}

fn acme(facts: &Facts, found: &mut Found) {
    if let Some(Some(error)) = &facts.health.acme_last_error {
        found.add(
            "certificates",
            format!("the last renewal failed: {error}"),
            Fix::say("Mend what it says; it is tried again within a day."),
        );
    }
}

fn backup_age(facts: &Facts, found: &mut Found) {
    let Some(last) = facts.health.backup.last_good else {
        return;
    };
    let age = facts.now.saturating_sub(last);
    if age >= limits::BACKUP_AGE_WARN {
        let severity = if age >= limits::BACKUP_AGE_ERROR {
            Error
        } else {
            Warning
        };
        found.add_as(
            severity,
            "backup",
            format!("the last good one is {} old", parse::span(age)),
            Fix::say("Make a backup now, and see why the last ones failed."),
        );
    }
}

fn backup_offsite(facts: &Facts, found: &mut Found) {
    if facts.health.backup.offsite == Some(false) {
        found.add(
            "backup",
            "lies on this machine only",
            Fix::say("Name a target elsewhere for backups."),
        );
    }
}

fn backup_restore(facts: &Facts, found: &mut Found) {
    let old = facts
        .health
        .backup
        .restore_tested
        .is_some_and(|at| facts.now.saturating_sub(at) > limits::RESTORE_TEST_MAX);
    if old {
        found.add(
            "backup",
            "restoring was not tried for three months",
            Fix::say("Restore the last backup into a scratch folder and compare."),
        );
    }
}

fn backup_keys(facts: &Facts, found: &mut Found) {
    if facts.health.backup.holds_keys == Some(false) {
        found.add(
            "backup",
            "does not hold the keys",
            Fix::say("Add the key file to the backup, kept apart from the data."),
        );
    }
}

fn update_self(facts: &Facts, found: &mut Found) {
    if let Some(Some((version, security))) = &facts.health.newer_version {
        let severity = if *security { Error } else { Warning };
        found.add_as(
            severity,
            "postroad",
            format!("version {version} is there"),
            Fix::say("Install it and restart."),
        );
    }
}

fn update_os(facts: &Facts, found: &mut Found) {
    if facts.health.os_updates == Some(true) {
        found.add(
            "system",
            "updates wait",
            Fix::run("Install them:", "apt update && apt upgrade"),
        );
    } else if facts.health.reboot_needed == Some(true) {
        found.add(
            "system",
            "an update waits for a restart",
            Fix::run("Restart when it suits:", "systemctl reboot"),
        );
    }
}

fn guard(facts: &Facts, found: &mut Found) {
    if facts.health.login_guard == Some(false) {
        found.add(
            "logins",
            "nothing slows down guessing",
            Fix::say("Switch the login guard on."),
        );
    } else if facts.health.own_address_banned == Some(true) {
        found.add(
            "logins",
            "an address of this server is banned",
            Fix::say("Lift the ban and name your own addresses as exempt."),
        );
    }
}

fn failed_logins(facts: &Facts, found: &mut Found) {
    if let Some(times) = facts
        .health
        .failed_logins_times_usual
        .filter(|times| *times > 10.0)
    {
        found.add(
            "logins",
            format!("{times:.0} times as many failures as usual"),
            Fix::run("See who tries:", "postroad account list"),
        );
    }
}

fn reports(facts: &Facts, found: &mut Found) {
    if let Some(count) = facts.health.report_faults.filter(|count| *count > 0) {
        found.add(
            "reports",
            format!("{count} could not be read"),
            Fix::run("See which:", "journalctl -u postroad | grep report"),
        );
    }
}

fn alarms(facts: &Facts, found: &mut Found) {
    let old = facts
        .health
        .alert_tested
        .is_some_and(|at| facts.now.saturating_sub(at) > limits::ALERT_TEST_MAX);
    if facts.settings.operator_alert == Some(false) {
        found.add(
            "alarms",
            "no address for alarms",
            Fix::say("Name an address elsewhere, a webhook or an ntfy topic."),
        );
    } else if old {
        found.add(
            "alarms",
            "not tried for a month",
            Fix::say("Send a test alarm and see that it arrives."),
        );
    }
}

fn second_factor(facts: &Facts, found: &mut Found) {
    for account in facts.health.admins_without_second_factor.iter().flatten() {
        found.add(
            account,
            "manages the server with a password alone",
            Fix::say(format!("Set up a second factor for {account}.")),
        );
    }
}

fn secrets(facts: &Facts, found: &mut Found) {
    for path in facts.health.readable_secrets.iter().flatten() {
        found.add(
            path,
            "can be read by other users",
            Fix::run("Shut it:", format!("chmod 600 {path}")),
        );
    }
}

fn store(facts: &Facts, found: &mut Found) {
    if facts.health.store_sound == Some(false) {
        found.add(
            "store",
            "its check found damage",
            Fix::say(
                "Stop the server, keep a copy of the store, and restore the last good backup.",
            ),
        );
    }
}
