//! The unit of Patroni that runs as root.

use super::CHANGERS;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Facts, UnitFile};
use crate::parse::unit::Value;
use crate::rules::native::units::{of_texts_alone, there};
use crate::rules::report::Report;

fn changes_user(unit: &UnitFile) -> bool {
    let commands = unit.unit.commands("ExecStart").tree;
    commands.iter().any(|c| c.path.value.rsplit('/').next().is_some_and(|name| CHANGERS.contains(&name)))
}

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_texts_alone(facts) {
        if changes_user(unit) {
            continue;
        }
        let user = unit.unit.last("Service", "User");
        if user.is_some_and(Value::is_unknown) || user.map_or(unit.unit.is_open(), |u| unit.unit.is_open_behind(u.span))
        {
            let gap = Gap::new("`User` of the unit", GapReason::Unreadable).on(unit.source.name());
            report.known::<()>(Err(gap));
            continue;
        }
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
    there::user(facts, report)
}
