//! The unit of Patroni that runs as root.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in facts.units.iter().filter(|u| u.runs_patroni()) {
        let user = unit.unit.last("Service", "User");
        match user {
            Some(value) if ["root", "0"].contains(&value.text.trim()) => {
                report.add(report.problem(value.span).arg("user", "root"));
            }
            Some(_) => {}
            None => {
                let Some(start) = unit.unit.last("Service", "ExecStart") else { continue };
                report.add(report.problem(start.span).arg("user", "root, because it names no `User=`"));
            }
        }
    }
    Ok(())
}
