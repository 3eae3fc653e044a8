//! Units of Patroni as the hosts have them: the live halves of the rules about unit files.

use super::said;
use crate::bundle::host::Unit;
use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, is_postgresql_unit};
use crate::problem::Problem;
use crate::rules::native::host::python;
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;

/// Looks at each unit that starts Patroni.
pub(super) fn each_unit(
    facts: &Facts,
    report: &mut Report,
    look: impl Fn(&OnHost<'_>, &str, &Unit, &mut Report) -> Fact<()>,
) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        on.patroni_units()?.into_iter().try_for_each(|(name, unit)| look(on, name, unit, report))
    });
    Ok(())
}

/// A problem where the text of a unit says it, else where its host does.
pub(super) fn found(
    facts: &Facts,
    on: &OnHost<'_>,
    unit: (&str, &Unit),
    part: &str,
    (section, keys): (&str, &[&str]),
    report: &Report,
) -> Problem {
    let there = on.host.at(&["units", unit.0, part]);
    match said(facts, on, unit.1, section, keys) {
        Some(value) => report.problem(value.span).label(there, "what systemd has"),
        None => report.problem(there),
    }
}

/// `systemd-killmode`
pub(in crate::rules::native) fn kill_mode(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_unit(facts, report, |on, name, unit, report| {
        let mode = on.node.answer("`KillMode` of the unit", &unit.kill_mode)?;
        if mode != "process" {
            let keys = ("Service", &["KillMode"] as &[_]);
            let mut problem = found(facts, on, (name, unit), "kill_mode", keys, report);
            if let Some(value) = said(facts, on, unit, keys.0, keys.1) {
                problem = problem.edit(value.span, "process");
            }
            report.add(problem.arg("mode", format!("`{mode}`")));
        }
        Ok(())
    })
}

/// `systemd-timeout-stop`
pub(in crate::rules::native) fn timeout_stop(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    // What Patroni's own sample unit gives.
    const LEAST: u64 = 30_000;
    each_unit(facts, report, |on, name, unit, report| {
        let limit = on.node.answer("`TimeoutStopSec` of the unit", &unit.timeout_stop)?;
        if let Some(limit) = limit.filter(|limit| *limit < LEAST) {
            let keys = ("Service", &["TimeoutSec", "TimeoutStopSec"] as &[_]);
            let problem = found(facts, on, (name, unit), "timeout_stop", keys, report);
            report.add(problem.arg("limit", (limit / 1000).to_string()));
        }
        Ok(())
    })
}

/// `systemd-type-notify-needs-module`: the module is not there.
pub(in crate::rules::native) fn notify(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_unit(facts, report, |on, name, unit, report| {
        let kind = on.node.answer("`Type` of the unit", &unit.r#type)?;
        if ["notify", "notify-reload"].contains(&kind.as_str()) && !python::has_module(on, "systemd")? {
            let problem = found(facts, on, (name, unit), "type", ("Service", &["Type"]), report);
            report.add(problem.arg("type", kind.as_str()));
        }
        Ok(())
    })
}

/// `systemd-user-mismatch`
pub(in crate::rules::native) fn user(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_unit(facts, report, |on, name, unit, report| {
        let user = on.node.answer("`User` of the unit", &unit.user)?.as_deref();
        // One that begins as root and changes the user by itself.
        let words = unit.exec_start.got().into_iter().flatten().filter_map(|words| words.first());
        let changes = words.filter_map(|w| w.rsplit('/').next()).any(|w| super::super::host::CHANGERS.contains(&w));
        if matches!(user, None | Some("root" | "0")) && !changes {
            let problem = found(facts, on, (name, unit), "user", ("Service", &["User"]), report);
            let user = if user.is_some() { "root" } else { "root, because it names no `User=`" };
            report.add(problem.arg("user", user));
        }
        Ok(())
    })
}

/// `systemd-requires-postgres-unit`
pub(in crate::rules::native) fn requires(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_unit(facts, report, |on, name, unit, report| {
        let lists = [("Requires", "requires", &unit.requires), ("Wants", "wants", &unit.wants)];
        for (key, part, list) in lists {
            for other in on.node.answer("the units that it needs", list)?.iter().filter(|n| is_postgresql_unit(n)) {
                let problem = found(facts, on, (name, unit), part, ("Unit", &[key]), report);
                report.add(problem.arg("key", key).arg("name", other.as_str()));
            }
        }
        Ok(())
    })
}

/// `systemd-conflicts-postgres-unit`
pub(in crate::rules::native) fn conflicts(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_unit(facts, report, |on, name, unit, report| {
        let all = on.node.answer("the units that it stops", &unit.conflicts)?;
        for other in all.iter().filter(|n| is_postgresql_unit(n)) {
            let problem = found(facts, on, (name, unit), "conflicts", ("Unit", &["Conflicts"]), report);
            report.add(problem.arg("key", "Conflicts").arg("name", other.as_str()));
        }
        Ok(())
    })
}
