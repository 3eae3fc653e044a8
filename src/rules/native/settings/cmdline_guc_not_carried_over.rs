//! A command-line setting of today's server that Patroni will replace.

use crate::facts::enforced::enforced;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::settings::{default_value, equal, loses};
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::{CommandLineSetting, command_line};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    facts.any_given("`postgresql.conf`", facts.confs.len())?;
    for member in facts.members() {
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

fn compare(facts: &Facts, member: &Member, conf: usize, setting: &CommandLineSetting, report: &mut Report) {
    let file = &facts.patroni[member.file];
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
    let today = &assignment.set.value.value;
    let Some(used) = enforced(file, setting) else { return };
    if !loses(setting.name, today, &used.value) || !file.is_absent(&format!("postgresql.parameters.{}", setting.name)) {
        return;
    }
    // Patroni's own default is no worse than a value that PostgreSQL would have without the line.
    if used.at.is_none()
        && default_value(setting.name, member.postgresql).is_some_and(|d| equal(setting.name, today, &d))
    {
        return;
    }
    let mut problem = report
        .problem(assignment.set.value.span)
        .arg("name", setting.name)
        .arg("value", today.as_str())
        .arg("enforced", used.value.as_str());
    problem = match used.at {
        Some(at) => problem.label(at, "Patroni will use this"),
        None => problem.label(file.place_of("bootstrap.dcs.postgresql.parameters"), "it is not set here"),
    };
    report.add(problem);
}
