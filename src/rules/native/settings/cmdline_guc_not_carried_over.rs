//! A command-line setting of today's server that Patroni will replace.

use crate::facts::enforced::enforced;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::nodes::Node;
use crate::facts::running::{is_auto, is_started_by_patroni, told, value};
use crate::facts::settings::{default_value, equal, loses};
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::{CommandLineSetting, command_line};
use crate::problem::Problem;
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let is_told = |member: &&Member| told(facts, member).is_some();
    let files = facts.any_given("`postgresql.conf`", facts.confs.len());
    let has_files = facts.members().all(|m| is_told(&m)) || report.known(files).is_some();
    for member in facts.members() {
        if let Some(node) = told(facts, member) {
            of_server(facts, member, node, report);
            continue;
        }
        if !has_files {
            continue;
        }
        let Some(conf) = report.known(member.conf.clone()) else { continue };
        // What an include sets that leads out of the files given is not known.
        for include in facts.confs[conf].conf.outside() {
            let gap = Gap::new(format!("`{}`, included by postgresql.conf", include.value), GapReason::NotGiven);
            report.known::<()>(Err(gap.on(&member.name)));
        }
        if facts.confs[conf].conf.is_open() {
            let gap = Gap::new("`postgresql.conf` (a template decides what it sets)", GapReason::Unreadable);
            report.known::<()>(Err(gap.on(&member.name)));
            continue;
        }
        for setting in command_line(facts.patroni[member.file].version).filter(|s| s.default.is_some()) {
            compare(facts, member, conf, setting, report);
        }
    }
    Ok(())
}

/// What a server runs with, wherever that comes from. One that Patroni has started runs with what Patroni wants of it.
fn of_server(facts: &Facts, member: &Member, node: &Node, report: &mut Report) {
    let file = &facts.patroni[member.file];
    if is_started_by_patroni(node) {
        return;
    }
    for setting in command_line(file.version).filter(|s| s.default.is_some()) {
        let Ok(Some(row)) = node.setting(setting.name) else { continue };
        // This one is no option of the command line: postgresql.auto.conf stays above what Patroni writes.
        if is_auto(row) && setting.name.starts_with("wal_keep_") {
            continue;
        }
        if let Some(problem) = lost(facts, member, setting, (&value(row), row.at), report) {
            report.add(problem.node(&member.name));
        }
    }
}

fn compare(facts: &Facts, member: &Member, conf: usize, setting: &CommandLineSetting, report: &mut Report) {
    if facts.confs[conf].conf.is_unknown(setting.name) {
        let gap = Gap::new(format!("`{}` in postgresql.conf", setting.name), GapReason::Unreadable);
        report.known::<()>(Err(gap.on(&member.name)));
        return;
    }
    let Some(assignment) = facts.confs[conf].conf.effective(setting.name) else { return };
    // This one is no option of the command line: postgresql.auto.conf stays above what Patroni writes.
    if assignment.auto && setting.name.starts_with("wal_keep_") {
        return;
    }
    let today = (assignment.set.value.value.as_str(), assignment.set.value.span);
    if let Some(problem) = lost(facts, member, setting, today, report) {
        report.add(problem);
    }
}

/// The problem, if Patroni will use less than a value of today.
fn lost(
    facts: &Facts,
    member: &Member,
    setting: &CommandLineSetting,
    (today, at): (&str, Span),
    report: &Report,
) -> Option<Problem> {
    let file = &facts.patroni[member.file];
    let used = enforced(file, setting)?;
    if !loses(setting.name, today, &used.value) || !file.is_absent(&format!("postgresql.parameters.{}", setting.name)) {
        return None;
    }
    // Patroni's own default is no worse than a value that PostgreSQL would have without the line.
    if used.at.is_none()
        && default_value(setting.name, member.postgresql).is_some_and(|d| equal(setting.name, today, &d))
    {
        return None;
    }
    let problem = report.problem(at).arg("name", setting.name).arg("value", today).arg("enforced", used.value.as_str());
    Some(match used.at {
        Some(at) => problem.label(at, "Patroni will use this"),
        None => problem.label(file.place_of("bootstrap.dcs.postgresql.parameters"), "it is not set here"),
    })
}
