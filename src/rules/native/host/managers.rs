//! What starts, stops or promotes the server of a member beside Patroni.

use crate::bundle::host::{Container, DataDir, DebianCluster, Engine, Runs, Unit};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::{Facts, host_path, is_postgresql_unit};
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;

/// Programs that decide which server is primary, as the kernel and systemd call them, and what they are.
const MANAGERS: [(&str, &str); 6] = [
    ("repmgrd", "repmgr"),
    ("pg_autoctl", "pg_auto_failover"),
    ("pgautofailover", "pg_auto_failover"),
    ("stolon-keeper", "Stolon"),
    ("stolon-sentinel", "Stolon"),
    ("pacemaker", "Pacemaker"),
];

/// Words of a line that makes a server primary, starts it or stops it.
const DEEDS: [&str; 8] =
    ["promote", "start", "stop", "restart", "bin/postgres ", "trigger_file", "pg_createsubscriber", "postmaster"];

fn manager(name: &str) -> Option<&'static str> {
    MANAGERS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, manager)| *manager)
}

/// Whether systemd starts a unit at boot, or has started it.
fn is_on(unit: &Unit) -> bool {
    let enabled = unit.enabled.got().is_some_and(|e| matches!(e.as_str(), "enabled" | "enabled-runtime"));
    enabled || is_active(unit)
}

fn is_active(unit: &Unit) -> bool {
    unit.active.got().is_some_and(|a| matches!(a.as_str(), "active" | "activating" | "reloading"))
}

/// `other-ha-manager`
pub(in crate::rules::native) fn other(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        // Each manager once, by what shows it best.
        let mut said = Vec::new();
        for (n, process) in on.processes()?.iter().enumerate() {
            // The kernel cuts names, and Pacemaker's own ends in a letter of its own.
            if let Some(manager) = manager(&process.name).filter(|m| !said.contains(m)) {
                said.push(manager);
                let problem = report.problem(on.host.at(&["processes", &n.to_string()]));
                let what = format!("{manager} runs (process {})", process.pid);
                report.add(problem.arg("member", on.member.name.as_str()).arg("what", what));
            }
        }
        for (name, unit) in on.node.answer("the units", &on.host.value().units)? {
            if !unit.got().is_some_and(is_on) {
                continue;
            }
            if let Some(manager) = manager(name).filter(|m| !said.contains(m)) {
                said.push(manager);
                let problem = report.problem(on.host.at(&["units", name]));
                let what = format!("systemd starts {manager} (`{name}`)");
                report.add(problem.arg("member", on.member.name.as_str()).arg("what", what));
            }
        }
        let launchers = on.node.answer("what starts PostgreSQL beside systemd", &on.host.value().launchers)?;
        for (n, line) in launchers.lines.iter().enumerate() {
            // The scripts of packages in there do what they are told; nobody tells them to.
            let is_script = line.file.starts_with("/etc/init.d/") || line.file.starts_with("/etc/rc.d/init.d/");
            let is_deed = DEEDS.iter().any(|deed| line.text.contains(deed));
            if is_script || !is_deed || line.text.contains("patroni") {
                continue;
            }
            let problem = report.problem(on.host.at(&["launchers", "lines", &n.to_string()]));
            let what = format!("{}:{} does `{}`", line.file, line.line, line.text);
            report.add(problem.arg("member", on.member.name.as_str()).arg("what", what));
        }
        let unknown = containers(on, &launchers.containers, report);
        match launchers.unread.first() {
            _ if unknown.is_some() => unknown.map_or(Ok(()), |name| {
                let what = format!("what the container `{name}` does in the data directory");
                Err(Gap::new(what, GapReason::Unreadable).on(&on.node.name))
            }),
            Some(unread) => Err(Gap::new("what starts PostgreSQL beside systemd", unread.what.why).on(&on.node.name)),
            None => Ok(()),
        }
    });
    Ok(())
}

/// What is found of containers that are started with the host and may write to the data directory of a member; the name of one of which
/// nobody can tell what it does there.
fn containers<'a>(on: &OnHost<'_>, containers: &'a [Container], report: &mut Report) -> Option<&'a str> {
    let data = on.file.config.data_dir()?;
    let seen = on.host.value().data.get(data.value).and_then(|seen| seen.entry.got()?.as_ref());
    let real = seen.and_then(|entry| entry.real.as_deref());
    let own: Vec<String> = [Some(data.value), real].into_iter().flatten().map(host_path::normal).collect();
    let mut unknown = None;
    for (n, container) in containers.iter().enumerate() {
        let dirs: Vec<String> = container.writes.iter().map(|dir| host_path::normal(dir)).collect();
        let has = |dir: &String| own.iter().any(|own| own == dir);
        let holds = |dir: &String| own.iter().any(|own| std::path::Path::new(own).starts_with(dir));
        let Some(dir) = dirs.iter().find(|dir| has(dir)).or_else(|| dirs.iter().find(|dir| holds(dir))) else {
            continue;
        };
        let Some(runs) = container.runs else {
            // A tool that sees all of a disk is not there for this directory.
            unknown = unknown.or(has(dir).then_some(container.name.as_str()));
            continue;
        };
        let runs = match runs {
            Runs::Postgresql => "a second server",
            Runs::Patroni => "another Patroni with a second server",
        };
        let (starter, why) = match container.engine {
            Engine::Docker => ("Docker starts", format!("restart policy `{}`", container.starts)),
            Engine::Podman => ("systemd starts", format!("{}, wanted by {}", container.file, container.starts)),
            Engine::PodmanOfUser => {
                ("the systemd of a user starts", format!("{}, wanted by {}", container.file, container.starts))
            }
        };
        let compose = container.compose.as_ref().map(|files| format!(", made from {files}")).unwrap_or_default();
        let what = format!(
            "{starter} the container `{}` ({}, {why}{compose}) with the host: {runs} on {dir}",
            container.name, container.image
        );
        let at = on.host.at(&["launchers", "containers", &n.to_string()]);
        report.add(report.problem(at).arg("member", on.member.name.as_str()).arg("what", what));
    }
    unknown
}

/// Whether a cluster of Debian's packages is that of a member: its data directory, or its directory of configuration.
fn is_own(on: &OnHost<'_>, cluster: &DebianCluster) -> bool {
    let own = |key: &str| on.file.config.get(key).and_then(|item| item.as_str()).map(host_path::normal);
    let (data, config) = (own("postgresql.data_dir"), own("postgresql.config_dir"));
    let kept = format!("/etc/postgresql/{}/{}", cluster.version, cluster.name);
    config.is_some_and(|dir| dir == kept)
        || cluster.data_dir.got().and_then(Option::as_deref).map(host_path::normal).is_some_and(|dir| Some(dir) == data)
}

/// Whether nothing starts the unit that stands for all clusters of Debian's packages: their generator hangs clusters below it alone, so at
/// boot none of these is started either, though `is-enabled` goes on to call their units `enabled-runtime`.
fn is_parent_off(on: &OnHost<'_>) -> bool {
    let units = on.host.value().units.got();
    let Some(parent) = units.and_then(|units| units.get("postgresql.service")?.got()) else { return false };
    match parent.enabled.got().map(String::as_str) {
        Some("masked" | "masked-runtime") => true,
        // Only a systemd that runs knows all that want it.
        Some("disabled") => parent.active.got().is_some() && parent.wanted_by.got().is_some_and(Vec::is_empty),
        _ => false,
    }
}

/// The live half of `debian-start-conf-auto`.
pub(in crate::rules::native) fn start_conf(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        if is_parent_off(on) {
            return Ok(());
        }
        let clusters = on.node.answer("the clusters below /etc/postgresql", &on.host.value().clusters)?;
        for (n, cluster) in clusters.iter().enumerate().filter(|(_, c)| is_own(on, c)) {
            if on.node.answer("start.conf", &cluster.start)? == "auto" && cluster.has_programs.got() != Some(&false) {
                let mut problem = report
                    .problem(on.host.at(&["clusters", &n.to_string(), "start"]))
                    .arg("cluster", format!("{}/{}", cluster.version, cluster.name));
                if let Some(item) = on.file.config.get("postgresql.data_dir") {
                    problem =
                        problem.label(item.key_or_value(), format!("Patroni runs this cluster on {}", on.member.name));
                }
                report.add(problem);
            }
        }
        Ok(())
    });
    Ok(())
}

/// The live half of `systemd-postgres-unit-active`.
pub(in crate::rules::native) fn units(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let clusters = on.host.value().clusters.got().map(Vec::as_slice).unwrap_or_default();
        let data = on.data()?.map(|(_, data)| data);
        for (name, unit) in on.node.answer("the units", &on.host.value().units)? {
            if !is_postgresql_unit(name) {
                continue;
            }
            let unit = on.node.answer(name, unit)?;
            let enabled = on.node.answer(name, &unit.enabled)?;
            if !matches!(enabled.as_str(), "enabled" | "enabled-runtime") || !starts_it(on, clusters, name, unit, data)
            {
                continue;
            }
            if enabled == "enabled-runtime" && name.starts_with("postgresql@") && is_parent_off(on) {
                continue;
            }
            report.add(
                report
                    .problem(on.host.at(&["units", name, "enabled"]))
                    .arg("unit", name.as_str())
                    .arg("problem", format!("it is {enabled} on the host of {}", on.member.name)),
            );
        }
        Ok(())
    });
    Ok(())
}

/// Whether a unit of PostgreSQL starts the server of a member, as far as it can be told: not the one that only stands for all
/// clusters of Debian's packages, and none that names another directory.
fn starts_it(on: &OnHost<'_>, clusters: &[DebianCluster], name: &str, unit: &Unit, data: Option<&DataDir>) -> bool {
    let words: Vec<&str> = unit.exec_start.got().into_iter().flatten().flatten().map(String::as_str).collect();
    if words.iter().all(|w| w.rsplit('/').next() == Some("true")) {
        return false;
    }
    let instance = |c: &&DebianCluster| name == format!("postgresql@{}-{}.service", c.version, c.name);
    if let Some(cluster) = clusters.iter().find(instance) {
        return is_own(on, cluster);
    }
    let dir = on.file.config.data_dir().map(|d| host_path::normal(d.value));
    let real = data.and_then(|d| d.entry.got()?.as_ref()?.real.clone());
    let named = words.iter().zip(words.iter().skip(1)).find(|(option, _)| **option == "-D").map(|(_, dir)| *dir);
    let named = named.filter(|dir| dir.starts_with('/')).map(host_path::normal);
    named.is_none_or(|named| Some(&named) == dir.as_ref() || Some(&named) == real.as_ref())
}

/// `postmaster-in-foreign-cgroup`: Patroni runs, and its server still belongs to the unit that has started it.
pub(in crate::rules::native) fn cgroup(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((_, data)) = on.data()? else { return Ok(()) };
        let Some(pid) = on.server_in(data)?.filter(|_| on.runs_patroni().unwrap_or(false)) else { return Ok(()) };
        let Some((n, server)) = on.servers()?.into_iter().find(|(_, s)| s.pid == pid) else { return Ok(()) };
        let group = on.node.answer("the control group of the server", &server.cgroup)?;
        let unit = group.split('/').rfind(|part| part.ends_with(".service")).unwrap_or_default();
        if is_postgresql_unit(unit) && !unit.is_empty() {
            let problem = report.problem(on.host.at(&["processes", &n.to_string()]));
            report.add(problem.arg("member", on.member.name.as_str()).arg("unit", unit));
        }
        Ok(())
    });
    Ok(())
}

/// Whether systemd itself feeds a watchdog device, which then is not free for Patroni.
pub(in crate::rules::native) fn feeds(on: &OnHost<'_>, device: &str) -> Fact<bool> {
    let systemd = on.node.answer("systemd", &on.host.value().systemd)?;
    if *on.node.answer("how often systemd feeds the watchdog", &systemd.runtime_watchdog)? == 0 {
        return Ok(false);
    }
    let own = systemd.watchdog_device.got().and_then(Option::as_deref).unwrap_or("/dev/watchdog");
    // The first device has two names.
    let plain = |d: &str| if d == "/dev/watchdog" { "/dev/watchdog0".to_owned() } else { d.to_owned() };
    Ok(plain(own) == plain(device))
}
