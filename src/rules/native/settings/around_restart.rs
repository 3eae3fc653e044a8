//! What the service that starts PostgreSQL today does beside it, and Patroni will not.

use super::{lasting, today};
use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile, UnitFile, host_path};
use crate::parse::guc_value::parse_bool;
use crate::rules::native::on_host::each;
use crate::rules::report::Report;

/// Settings of which directories must exist, the last major that has each, and what happens without the directory.
pub(super) const DIRECTORIES: [(&str, u16, &str); 3] = [
    ("external_pid_file", u16::MAX, "the server starts, and does not write the file"),
    ("stats_temp_directory", 14, "the server starts, and keeps no statistics"),
    ("unix_socket_directories", u16::MAX, "the server does not start"),
];

/// `external-pid-or-stats-dir-on-tmpfs`
pub(in crate::rules::native) fn on_tmpfs(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    // What hosts say of themselves goes before what paths make one think.
    each(facts, report, |on, report| lasting::look(facts, on, report));
    let was_seen = |member| facts.node_of(member).is_some_and(|node| node.host().is_ok());
    for (member, file, conf) in today::confs(facts).filter(|(member, ..)| !was_seen(member)) {
        for (name, last, effect) in DIRECTORIES {
            let Some(set) = conf.conf.effective(name).filter(|_| member.postgresql.is_none_or(|v| v <= last)) else {
                continue;
            };
            // What is among Patroni's own parameters it makes itself (`ConfigHandler.check_directories`).
            if !matches!(file.known_parameter(name), Ok(None)) {
                continue;
            }
            let is_file = name == "external_pid_file";
            for path in set.set.value.value.split(',').map(|p| p.trim().trim_matches('"')) {
                let dir = if is_file { host_path::parent(path) } else { path };
                let Some(below) = host_path::below_run(dir) else { continue };
                // systemd-tmpfiles makes this one for the packages of Debian and of the PostgreSQL project.
                if below == "postgresql" || is_made_by_unit(facts, &below) {
                    continue;
                }
                let problem = report.problem(set.set.value.span).arg("name", name).arg("dir", dir);
                report.add(problem.arg("fault", "which nobody will make after a reboot").arg("effect", effect));
            }
        }
    }
    Ok(())
}

/// Whether a unit that runs Patroni makes that very directory below `/run`.
fn is_made_by_unit(facts: &Facts, below: &str) -> bool {
    is_made(facts.units.iter().filter(|u| u.may_run_patroni()), below)
}

/// Whether one of some units does.
pub(super) fn is_made<'a>(units: impl Iterator<Item = &'a UnitFile> + Clone, below: &str) -> bool {
    units.clone().any(|u| u.unit.is_open())
        || units
            .flat_map(|u| u.unit.all("Service", "RuntimeDirectory"))
            .any(|v| v.is_unknown() || v.text.split_whitespace().any(|dir| host_path::normal(dir) == below))
}

/// `log-destination-moves`
pub(in crate::rules::native) fn log_moves(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (_, file, conf) in today::confs(facts) {
        // Only pg_ctlcluster is known to redirect what the server prints.
        let Some(of_debian) = ["hba_file", "ident_file", "data_directory"].into_iter().find_map(|name| {
            let dir = if name == "data_directory" { "/var/lib/postgresql/" } else { "/etc/postgresql/" };
            today::path(conf, name).filter(|l| l.set.value.value.starts_with(dir))
        }) else {
            continue;
        };
        let decided = |name| file.known_parameter(name).is_ok_and(|i| i.is_some()) || conf.conf.is_decided(name);
        if !["logging_collector", "log_destination"].into_iter().all(|n| file.known_parameter(n).is_ok() && decided(n))
        {
            continue;
        }
        let text = |name: &str| {
            by_patroni(file, name).or_else(|| conf.conf.effective(name).map(|l| l.set.value.value.clone()))
        };
        let collects = text("logging_collector").is_some_and(|v| parse_bool(&v) != Some(false));
        let to_stderr = text("log_destination").is_none_or(|v| v.contains("stderr"));
        if collects || !to_stderr || !conf.conf.outside().is_empty() {
            continue;
        }
        let at = ["logging_collector", "log_destination"].into_iter().find_map(|n| conf.conf.effective(n));
        report.add(report.problem(at.unwrap_or(of_debian).set.span));
    }
    Ok(())
}

fn by_patroni(file: &PatroniFile, name: &str) -> Option<String> {
    file.written_parameter(name).map(|item| item.as_setting().unwrap_or_default())
}
