//! The unit of Patroni without `KillMode=process`.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in facts.units.iter().filter(|u| u.runs_patroni()) {
        let mode = unit.unit.last("Service", "KillMode");
        match mode {
            Some(value) if value.text.trim() == "process" => {}
            Some(value) => {
                let problem = report.problem(value.span).arg("mode", format!("`{}`", value.text.trim()));
                report.add(problem.edit(value.span, "process"));
            }
            None => {
                let Some(start) = unit.unit.last("Service", "ExecStart") else { continue };
                let problem = report.problem(start.span).arg("mode", "not set, so it is `control-group`");
                report.add(problem.edit(start.span.at_end(), "\nKillMode=process"));
            }
        }
    }
    Ok(())
}
