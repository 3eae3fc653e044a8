//! The unit of Patroni without `KillMode=process`.

use crate::facts::Facts;
use crate::facts::gap::{Gap, GapReason};
use crate::parse::unit::Value;
use crate::rules::native::units::{of_texts_alone, there};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_texts_alone(facts) {
        let mode = unit.unit.last("Service", "KillMode");
        if mode.is_some_and(Value::is_unknown) || mode.map_or(unit.unit.is_open(), |m| unit.unit.is_open_behind(m.span))
        {
            let gap = Gap::new("`KillMode` of the unit", GapReason::Unreadable).on(unit.source.name());
            report.known::<()>(Err(gap));
            continue;
        }
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
    there::kill_mode(facts, report)
}
